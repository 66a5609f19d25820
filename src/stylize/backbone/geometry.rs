//! Which pixels a unit sees: receptive fields from the layers' real kernels, strides and paddings.

use std::ops::Range;

use super::convnet::{Conv, ConvNet, Layer, Op};

/// Pixels that a layer's units see along one axis; both axes are alike. It may reach beyond the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// First pixel of the unit at position 0.
    pub first: i64,
    pub size: i64,
    /// Pixels from one unit to the next: the layer's stride.
    pub jump: i64,
}

impl Field {
    /// The picture itself.
    pub const PIXEL: Self = Self { first: 0, size: 1, jump: 1 };

    /// The field after a layer with that kernel, stride and padding.
    pub fn through(self, kernel: i64, stride: i64, padding: i64) -> Self {
        Self {
            first: self.first - padding * self.jump,
            size: self.size + (kernel - 1) * self.jump,
            jump: self.jump * stride,
        }
    }

    /// The pixels that the unit at `position` sees.
    pub fn at(self, position: i64) -> Range<i64> {
        let first = self.first + position * self.jump;
        first..first + self.size
    }
}

/// A layer as a viewer needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerShape {
    pub name: String,
    /// Units: feature maps.
    pub channels: usize,
    /// Of its units with the largest field.
    pub field: Field,
}

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

    /// Length of what comes out of `length` positions; `None` where the kernel does not fit.
    pub(super) fn length(&self, length: i64) -> Option<i64> {
        let room = length + 2 * self.padding - self.kernel();
        (room >= 0).then(|| room / self.stride + 1)
    }
}

/// Length of what a pooling makes of `length` positions, as libtorch counts it; `None` where no window fits.
fn pooled(length: i64, kernel: i64, stride: i64, ceil: bool) -> Option<i64> {
    let more = if ceil { stride - 1 } else { 0 };
    let mut count = (length - kernel + more).div_euclid(stride) + 1;
    // The last window must begin inside.
    if ceil && (count - 1) * stride >= length {
        count -= 1;
    }
    (count > 0).then_some(count)
}

impl Op {
    /// Field and channels after this layer.
    fn shape(&self, field: Field, channels: i64) -> (Field, i64) {
        match self {
            Self::Conv(conv) => (conv.field(field), conv.channels()),
            Self::Relu => (field, channels),
            Self::Pool { kernel, stride, .. } => (field.through(*kernel, *stride, 0), channels),
            Self::Fire { squeeze, expand1, expand3 } => {
                let narrow = squeeze.field(field);
                let (one, three) = (expand1.field(narrow), expand3.field(narrow));
                let wide = if one.size > three.size { one } else { three };
                (wide, expand1.channels() + expand3.channels())
            }
        }
    }

    pub(super) fn length(&self, length: i64) -> Option<i64> {
        match self {
            Self::Conv(conv) => conv.length(length),
            Self::Relu => Some(length),
            Self::Pool { kernel, stride, ceil } => pooled(length, *kernel, *stride, *ceil),
            Self::Fire { squeeze, expand3, .. } => squeeze.length(length).and_then(|narrow| expand3.length(narrow)),
        }
    }
}

impl ConvNet {
    pub(super) fn layer_shapes(&self) -> Vec<LayerShape> {
        let (mut field, mut channels) = (Field::PIXEL, 3);
        let mut shapes = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            (field, channels) = layer.op.shape(field, channels);
            shapes.push(LayerShape { name: layer.name.clone(), channels: channels as usize, field });
        }
        shapes
    }

    /// The field of one unit: half of a fire module's units, and of a pooling's behind it, see no more than the squeeze
    /// layer.
    pub(super) fn field_of(&self, layer: usize, unit: usize) -> Field {
        let (mut wide, mut own) = (Field::PIXEL, Field::PIXEL);
        for Layer { op, .. } in self.layers.iter().take(layer + 1) {
            own = match op {
                Op::Fire { squeeze, expand1, .. } if (unit as i64) < expand1.channels() => {
                    expand1.field(squeeze.field(wide))
                }
                Op::Conv(_) | Op::Fire { .. } => op.shape(wide, 0).0,
                Op::Relu | Op::Pool { .. } => op.shape(own, 0).0,
            };
            wide = op.shape(wide, 0).0;
        }
        own
    }

    /// Length of a layer's maps along an axis of `length` pixels; `None` where the picture is too small for it.
    pub(super) fn map_length(&self, layer: usize, length: i64) -> Option<i64> {
        self.layers.iter().take(layer + 1).try_fold(length, |length, layer| layer.op.length(length))
    }
}
