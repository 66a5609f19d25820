//! A feature network as a graph of nodes (convolutions, rectifiers, poolings, sums, joins), run only as far as the
//! deepest requested layer. The networks are described in `vgg.rs`, `squeezenet.rs`, `patches.rs` and `lite0.rs`.

use tch::{Device, Kind, Tensor};

use super::conv::Conv;
use super::{Backbone, Inspect, NetOptions};
use crate::settings::Pooling;
use crate::stylize::StyleError;
use crate::stylize::tensor::channels_last;

/// ImageNet statistics that torchvision's networks were trained with (RGB, 0..=1).
pub(super) const IMAGENET: Normalisation =
    Normalisation { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };

/// Input normalisation: the network reads (image - mean) / deviation, per RGB channel of 0..=1.
#[derive(Debug, Clone, Copy)]
pub struct Normalisation {
    pub mean: [f32; 3],
    pub deviation: [f32; 3],
}

/// The operation of a node.
#[derive(Debug)]
pub enum Op {
    /// Includes depthwise convolutions and the blur that halves a map.
    Conv(Conv),
    Relu,
    /// A ReLU clipped at 6 (mobile networks).
    Relu6,
    Pool {
        kernel: i64,
        stride: i64,
        ceil: bool,
    },
    /// Sum of the inputs: the end of a residual block.
    Add,
    /// Concatenation of the inputs' channels.
    Concat,
}

impl Op {
    fn shared(&self) -> Self {
        match *self {
            Self::Conv(ref conv) => Self::Conv(conv.shared()),
            Self::Relu => Self::Relu,
            Self::Relu6 => Self::Relu6,
            Self::Pool { kernel, stride, ceil } => Self::Pool { kernel, stride, ceil },
            Self::Add => Self::Add,
            Self::Concat => Self::Concat,
        }
    }
}

/// A value in the graph: the picture or the output of a node.
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

/// A named value that can be requested; the name is the one used in the literature.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub name: String,
    pub value: Value,
}

/// A network under construction, described node by node.
#[derive(Debug, Default)]
pub struct Description {
    nodes: Vec<Node>,
    layers: Vec<Layer>,
}

impl Description {
    /// Adds a node. Its inputs must have been added before.
    pub fn node(&mut self, op: Op, inputs: &[Value]) -> Value {
        self.nodes.push(Node { op, inputs: inputs.to_vec() });
        Value(self.nodes.len())
    }

    /// Names a value so that it can be requested.
    pub fn name(&mut self, name: impl Into<String>, value: Value) -> Value {
        self.layers.push(Layer { name: name.into(), value });
        value
    }

    /// Adds a node with one input and names its output.
    pub fn layer(&mut self, name: impl Into<String>, op: Op, input: Value) -> Value {
        let value = self.node(op, &[input]);
        self.name(name, value)
    }

    /// Returns the number of named layers so far.
    pub fn len(&self) -> usize {
        self.layers.len()
    }
}

/// The layers that a network compares by default.
#[derive(Debug, Clone, Copy)]
pub struct Defaults {
    /// When the network is used alone.
    pub alone: Chosen,
    /// When the network is part of a set.
    pub in_set: Chosen,
}

/// Layer names for style and content.
#[derive(Debug, Clone, Copy)]
pub struct Chosen {
    /// Fine to coarse.
    pub style: &'static [&'static str],
    /// Style layers of the picture at half its size, where the set also evaluates that.
    pub halved: &'static [&'static str],
    /// Content layers. The contrasts of the scene and the painting are compared at the first one.
    pub content: &'static [&'static str],
}

impl Defaults {
    /// Uses the same layers alone and in a set.
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
    /// Returns the same network with shared weights.
    pub(super) fn share(&self) -> Self {
        let shared = |node: &Node| Node { op: node.op.shared(), inputs: node.inputs.clone() };
        Self {
            name: self.name.clone(),
            nodes: self.nodes.iter().map(shared).collect(),
            layers: self.layers.clone(),
            defaults: self.defaults,
            options: self.options,
            mean: self.mean.shallow_clone(),
            deviation: self.deviation.shallow_clone(),
        }
    }

    /// Returns the layers that are compared when this network is part of a set.
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

    /// Returns the normalised picture that the first node reads, `[1,3,H,W]`.
    pub(super) fn normalised(&self, image: &Tensor) -> Result<Tensor, StyleError> {
        Ok(image.f_sub(&self.mean)?.f_div(&self.deviation)?)
    }

    /// Returns the kind of the weights: double in gradient checks.
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

    /// Marks the values that the `wanted` ones depend on, including themselves; index 0 is the picture.
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

    /// Returns for each value the number of `needed` nodes that read it.
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
            // The average of rectified activations is about half their maximum; the factor keeps the magnitudes that
            // the later layers were trained with.
            Pooling::Avg => x.f_avg_pool2d(kernel, stride, [0, 0], ceil, true, None)?.f_mul_scalar(2.0)?,
        })
    }

    /// Evaluates a node. `overwrite` means that nothing else needs the first input, so it may be changed in place.
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

/// Drops a value after its last reader: with all values kept, the late layers of a large picture would not fit in
/// memory.
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

    fn shared(&self) -> Box<dyn Backbone> {
        Box::new(self.share())
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
