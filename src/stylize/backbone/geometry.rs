//! Receptive fields and map sizes, from the kernels, strides and paddings of the layers.

use super::conv::Conv;
use super::field::{Field, LayerShape};
use super::graph::{ConvNet, Node, Op, Value};

impl Conv {
    pub(super) fn channels(&self) -> i64 {
        self.weight.size().first().copied().unwrap_or(0)
    }

    pub(super) fn kernel(&self) -> i64 {
        self.weight.size().last().copied().unwrap_or(1)
    }

    fn field(&self, before: Field) -> Field {
        before.through(self.kernel(), self.stride, self.padding)
    }

    /// Returns the output length for an input of `length` positions; `None` if the kernel does not fit.
    fn length(&self, length: i64) -> Option<i64> {
        let room = length + 2 * self.padding - self.kernel();
        (room >= 0).then(|| room / self.stride + 1)
    }
}

/// Returns the output length of a pooling over `length` positions, as libtorch counts it; `None` if no window fits.
fn pooled(length: i64, kernel: i64, stride: i64, ceil: bool) -> Option<i64> {
    let more = if ceil { stride - 1 } else { 0 };
    let mut count = (length - kernel + more).div_euclid(stride) + 1;
    // The last window must begin inside the input.
    if ceil && (count - 1) * stride >= length {
        count -= 1;
    }
    (count > 0).then_some(count)
}

/// The receptive field and number of channels of a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub field: Field,
    pub channels: i64,
}

impl Node {
    /// Returns the field and channels of the node's output, given those of its inputs.
    fn shape(&self, of: impl Fn(Value) -> Shape) -> Shape {
        let first = of(self.inputs[0]);
        let union = || self.inputs.iter().map(|&input| of(input).field).fold(first.field, Field::union);
        match &self.op {
            Op::Conv(conv) => Shape { field: conv.field(first.field), channels: conv.channels() },
            Op::Relu | Op::Relu6 => first,
            Op::Pool { kernel, stride, .. } => Shape { field: first.field.through(*kernel, *stride, 0), ..first },
            Op::Add => Shape { field: union(), ..first },
            Op::Concat => Shape { field: union(), channels: self.inputs.iter().map(|&input| of(input).channels).sum() },
        }
    }

    /// Returns the length of the output maps along an axis. The inputs of a join have equal lengths.
    fn length(&self, of: impl Fn(Value) -> Option<i64>) -> Option<i64> {
        let length = of(self.inputs[0])?;
        match &self.op {
            Op::Conv(conv) => conv.length(length),
            Op::Pool { kernel, stride, ceil } => pooled(length, *kernel, *stride, *ceil),
            Op::Relu | Op::Relu6 | Op::Add | Op::Concat => Some(length),
        }
    }
}

impl ConvNet {
    /// Returns the field and channels of every value, the picture first.
    pub(super) fn shapes_of_values(&self) -> Vec<Shape> {
        let mut shapes = vec![Shape { field: Field::PIXEL, channels: 3 }];
        for node in &self.nodes {
            let shape = node.shape(|value| shapes[value.0]);
            shapes.push(shape);
        }
        shapes
    }

    pub(super) fn layer_shapes(&self) -> Vec<LayerShape> {
        let shapes = self.shapes_of_values();
        let layer = |layer: &super::graph::Layer| {
            let Shape { field, channels } = shapes[layer.value.0];
            LayerShape { name: layer.name.clone(), channels: channels as usize, field }
        };
        self.layers.iter().map(layer).collect()
    }

    /// Returns the receptive field of one unit. Half of a fire module's units, and the units that rectify or pool
    /// those, see no more than the squeeze layer.
    pub(super) fn field_of(&self, layer: usize, unit: usize) -> Field {
        self.field_of_unit(&self.shapes_of_values(), self.layers[layer].value, unit as i64)
    }

    fn field_of_unit(&self, shapes: &[Shape], value: Value, unit: i64) -> Field {
        let Some(node) = value.0.checked_sub(1).map(|index| &self.nodes[index]) else { return Field::PIXEL };
        let of = |input: Value| self.field_of_unit(shapes, input, unit);
        match &node.op {
            // A depthwise convolution reads one map only.
            Op::Conv(conv) if conv.groups > 1 => conv.field(of(node.inputs[0])),
            Op::Conv(conv) => conv.field(shapes[node.inputs[0].0].field),
            Op::Relu | Op::Relu6 => of(node.inputs[0]),
            Op::Pool { kernel, stride, .. } => of(node.inputs[0]).through(*kernel, *stride, 0),
            Op::Add => node.inputs.iter().map(|&input| of(input)).reduce(Field::union).unwrap_or(Field::PIXEL),
            Op::Concat => {
                let mut first = 0;
                for &input in &node.inputs {
                    let channels = shapes[input.0].channels;
                    if unit < first + channels {
                        return self.field_of_unit(shapes, input, unit - first);
                    }
                    first += channels;
                }
                shapes[value.0].field
            }
        }
    }

    /// Returns the length of a layer's maps for an axis of `length` pixels; `None` if the picture is too small.
    pub(super) fn map_length(&self, layer: usize, length: i64) -> Option<i64> {
        let mut lengths = vec![Some(length)];
        for node in self.nodes.iter().take(self.layers[layer].value.0) {
            let length = node.length(|value| lengths[value.0]);
            lengths.push(length);
        }
        lengths[self.layers[layer].value.0]
    }
}
