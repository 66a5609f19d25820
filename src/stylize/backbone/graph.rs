//! A feature network as a graph of nodes (convolutions, rectifiers, poolings, sums, joins), run to the deepest layer
//! asked for. The networks themselves are descriptions: `vgg.rs`, `squeezenet.rs`, `patches.rs`, `lite0.rs`.

use tch::{Device, Kind, Tensor};

use super::conv::Conv;
use super::{Backbone, Inspect, NetOptions};
use crate::settings::Pooling;
use crate::stylize::StyleError;
use crate::stylize::tensor::channels_last;

/// ImageNet statistics that torchvision's networks were trained with (RGB, 0..=1).
pub(super) const IMAGENET: Normalisation =
    Normalisation { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };

/// A network reads (image - mean) / deviation, per RGB channel of 0..=1.
#[derive(Debug, Clone, Copy)]
pub struct Normalisation {
    pub mean: [f32; 3],
    pub deviation: [f32; 3],
}

/// What a node does with its inputs.
#[derive(Debug)]
pub enum Op {
    /// Also depthwise, and the blur that halves.
    Conv(Conv),
    Relu,
    /// A ReLU that ends at 6 (mobile networks).
    Relu6,
    Pool {
        kernel: i64,
        stride: i64,
        ceil: bool,
    },
    /// The sum of its inputs: the end of a residual block.
    Add,
    /// The channels of its inputs side by side.
    Concat,
}

/// A value in the graph: the picture itself, or what a node gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value(pub(super) usize);

impl Value {
    /// The normalised picture.
    pub const PICTURE: Self = Self(0);
}

#[derive(Debug)]
pub(super) struct Node {
    pub op: Op,
    pub inputs: Vec<Value>,
}

/// A value that can be asked for, with its name in the literature.
#[derive(Debug)]
pub(super) struct Layer {
    pub name: String,
    pub value: Value,
}

/// A network that is being described, node after node.
#[derive(Debug, Default)]
pub struct Description {
    nodes: Vec<Node>,
    layers: Vec<Layer>,
}

impl Description {
    /// Adds a node; its inputs were added before it.
    pub fn node(&mut self, op: Op, inputs: &[Value]) -> Value {
        self.nodes.push(Node { op, inputs: inputs.to_vec() });
        Value(self.nodes.len())
    }

    /// Gives a value the name by which it can be asked for.
    pub fn name(&mut self, name: impl Into<String>, value: Value) -> Value {
        self.layers.push(Layer { name: name.into(), value });
        value
    }

    /// Adds a node with one input that is a layer of its own.
    pub fn layer(&mut self, name: impl Into<String>, op: Op, input: Value) -> Value {
        let value = self.node(op, &[input]);
        self.name(name, value)
    }

    /// How many layers have a name so far.
    pub fn len(&self) -> usize {
        self.layers.len()
    }
}

/// Which layers of a network are compared unless the settings name others.
#[derive(Debug, Clone, Copy)]
pub struct Defaults {
    /// Where the network is the only one.
    pub alone: Chosen,
    /// Where several networks share the work.
    pub in_set: Chosen,
}

/// Layers by their names.
#[derive(Debug, Clone, Copy)]
pub struct Chosen {
    /// Fine to coarse.
    pub style: &'static [&'static str],
    /// Style layers of the picture at half its size, where that is looked at as well.
    pub halved: &'static [&'static str],
    /// The contrasts of the scene and the painting are compared at the first one.
    pub content: &'static [&'static str],
}

impl Defaults {
    /// The same layers, alone and in a set.
    pub const fn same(style: &'static [&'static str], content: &'static [&'static str]) -> Self {
        let chosen = Chosen { style, halved: &[], content };
        Self { alone: chosen, in_set: chosen }
    }
}

/// A network with its weights.
#[derive(Debug)]
pub struct ConvNet {
    name: String,
    pub(super) nodes: Vec<Node>,
    pub(super) layers: Vec<Layer>,
    defaults: Defaults,
    pub(super) options: NetOptions,
    mean: Tensor,
    pub(super) deviation: Tensor,
}

impl ConvNet {
    /// Which layers are compared where this network is one of several.
    pub(super) fn in_set(&self) -> Chosen {
        self.defaults.in_set
    }

    pub(super) fn new(
        name: &str,
        description: Description,
        defaults: Defaults,
        options: NetOptions,
        input: Normalisation,
        device: Device,
    ) -> Result<Self, StyleError> {
        let constant = |values: &[f32]| -> Result<Tensor, StyleError> {
            Ok(Tensor::f_from_slice(values)?.f_view([1, 3, 1, 1])?.f_to_device(device)?)
        };
        let (mean, deviation) = (constant(&input.mean)?, constant(&input.deviation)?);
        let Description { nodes, layers } = description;
        Ok(Self { name: name.to_owned(), nodes, layers, defaults, options, mean, deviation })
    }

    /// What the first node reads, `[1,3,H,W]`.
    pub(super) fn normalised(&self, image: &Tensor) -> Result<Tensor, StyleError> {
        Ok(image.f_sub(&self.mean)?.f_div(&self.deviation)?)
    }

    /// Kind of the weights: double in checks.
    pub(super) fn kind(&self) -> Kind {
        let convolution = |node: &Node| match &node.op {
            Op::Conv(conv) => Some(conv.weight.kind()),
            _ => None,
        };
        self.nodes.iter().find_map(convolution).unwrap_or(Kind::Float)
    }

    pub(super) fn device(&self) -> Device {
        self.deviation.device()
    }

    /// Which values `wanted` ones need, themselves included; the picture is the first.
    pub(super) fn needed(&self, wanted: impl Iterator<Item = Value>) -> Vec<bool> {
        let mut needed = vec![false; self.nodes.len() + 1];
        for value in wanted {
            needed[value.0] = true;
        }
        for (index, node) in self.nodes.iter().enumerate().rev() {
            if needed[index + 1] {
                node.inputs.iter().for_each(|input| needed[input.0] = true);
            }
        }
        needed
    }

    /// How many nodes read each value, of those that are `needed`.
    pub(super) fn readers(&self, needed: &[bool]) -> Vec<usize> {
        let mut readers = vec![0; needed.len()];
        for (node, _) in self.nodes.iter().zip(&needed[1..]).filter(|(_, needed)| **needed) {
            node.inputs.iter().for_each(|input| readers[input.0] += 1);
        }
        readers
    }

    fn pool(&self, x: &Tensor, kernel: i64, stride: i64, ceil: bool) -> Result<Tensor, StyleError> {
        let (kernel, stride) = ([kernel; 2], [stride; 2]);
        Ok(match self.options.pooling {
            Pooling::Max => x.f_max_pool2d(kernel, stride, [0, 0], [1, 1], ceil)?,
            // An average is about half of a maximum of rectified activations; the factor keeps the magnitudes the
            // later layers were trained with.
            Pooling::Avg => x.f_avg_pool2d(kernel, stride, [0, 0], ceil, true, None)?.f_mul_scalar(2.0)?,
        })
    }

    /// What a node makes of its inputs. `overwrite`: nobody else needs the first one.
    pub(super) fn run(&self, op: &Op, inputs: &[&Tensor], overwrite: bool) -> Result<Tensor, StyleError> {
        let x = inputs[0];
        Ok(match op {
            Op::Conv(conv) => conv.forward(x, self.options.padding)?,
            Op::Relu if overwrite => x.shallow_clone().f_relu_()?,
            Op::Relu => x.f_relu()?,
            Op::Relu6 if overwrite => x.shallow_clone().f_relu6_()?,
            Op::Relu6 => x.f_relu6()?,
            Op::Pool { kernel, stride, ceil } => self.pool(x, *kernel, *stride, *ceil)?,
            Op::Add => inputs[1..].iter().try_fold(x.shallow_clone(), |sum, other| sum.f_add(other))?,
            Op::Concat => Tensor::f_cat(inputs, 1)?,
        })
    }
}

/// Lets a value go when its last reader has read it: late layers of a large picture would not fit beside all of them.
pub(super) fn release(values: &mut [Option<Tensor>], readers: &mut [usize], inputs: &[Value]) {
    for input in inputs {
        readers[input.0] -= 1;
        if readers[input.0] == 0 {
            values[input.0] = None;
        }
    }
}

impl Backbone for ConvNet {
    fn name(&self) -> &str {
        &self.name
    }

    fn layers(&self) -> Vec<String> {
        self.layers.iter().map(|layer| layer.name.clone()).collect()
    }

    fn style_layers(&self) -> Vec<&str> {
        self.defaults.alone.style.to_vec()
    }

    fn content_layers(&self) -> Vec<&str> {
        self.defaults.alone.content.to_vec()
    }

    fn inspect(&self) -> Option<&dyn Inspect> {
        Some(self)
    }

    fn forward(&self, image: &Tensor, wanted: &[usize]) -> Result<Vec<Tensor>, StyleError> {
        let kept: Vec<Value> = wanted.iter().map(|&layer| self.layers[layer].value).collect();
        let needed = self.needed(kept.iter().copied());
        let mut readers = self.readers(&needed);
        kept.iter().for_each(|value| readers[value.0] += 1);
        let deepest = needed.iter().rposition(|needed| *needed).unwrap_or(0);
        let mut values: Vec<Option<Tensor>> = vec![Some(channels_last(&self.normalised(image)?)?)];
        for (node, needed) in self.nodes.iter().zip(&needed[1..]).take(deepest) {
            if !needed {
                values.push(None);
                continue;
            }
            let inputs: Vec<&Tensor> = node.inputs.iter().filter_map(|input| values[input.0].as_ref()).collect();
            let overwrite = node.inputs.iter().all(|input| readers[input.0] == 1 && *input != Value::PICTURE);
            let found = self.run(&node.op, &inputs, overwrite)?;
            release(&mut values, &mut readers, &node.inputs);
            values.push(Some(found));
        }
        Ok(kept.iter().filter_map(|value| values[value.0].as_ref().map(Tensor::shallow_clone)).collect())
    }
}
