//! The deconvnet (Zeiler & Fergus 2013): projects the activation of one unit down to the pixels that excite it.
//!
//! All other activations of the unit's layer are zero. On the way down, node by node: max pooling puts the signal where
//! the forward pass found its maxima (the switches; overlapping windows add up); average pooling spreads the signal
//! over its window; a ReLU or ReLU6 rectifies the *signal* (a gradient would instead be cut where the forward pass was
//! negative or above 6); a convolution is transposed, without its bias, and so are depthwise convolutions and the blur
//! that halves, map by map. A sum passes the signal to all its inputs, and a join passes each input its own channels.
//! The signals from several readers of a value (a fire module's squeeze layer, the start of a residual block) add up.
//!
//! A signal is stored as a window no larger than its possible extent, so that a unit of an early layer costs little.

use tch::{Tensor, no_grad};

use super::conv::Conv;
use super::graph::{ConvNet, Op, release};
use super::inspect::{Inspect, Taker, Wanted, cut, inside};
use super::{Backbone, Field, LayerShape};
use crate::settings::{Padding, Pooling};
use crate::stylize::StyleError;

/// Number of floats in the largest window of the projections that are computed at once: 64 MiB.
const FLOATS: i64 = 16 << 20;
/// Assumed number of channels near the pixels, where windows are largest.
const CHANNELS: i64 = 64;

/// Height and width.
type Size = [i64; 2];

/// Several signals at one value of the network, each in its own window.
struct Signals {
    /// `[N,C,n,n]`.
    values: Tensor,
    /// Row and column of each window's first position; may be negative.
    origins: Vec<[i64; 2]>,
}

/// The results of the forward pass that the way down needs.
struct Record {
    /// Height, width and channels of each value, the picture first.
    shapes: Vec<(Size, i64)>,
    /// For each node; for max pooling, the row-major input position of each output's maximum, `[1,C,h,w]`.
    switches: Vec<Option<Tensor>>,
}

impl Signals {
    /// Zeroes everything outside a map of the given size: only padding lies there.
    fn mask(&self, [height, width]: Size) -> Result<(), StyleError> {
        let (_, _, side, _) = self.values.size4()?;
        for (index, [y, x]) in self.origins.iter().enumerate() {
            let one = self.values.f_select(0, index as i64)?;
            for (dim, (before, count)) in [(1, inside(*y, side, height)), (2, inside(*x, side, width))] {
                for (start, length) in [(0, before), (before + count, side - before - count)] {
                    if length > 0 {
                        let _ = one.f_narrow(dim, start, length)?.f_zero_()?;
                    }
                }
            }
        }
        Ok(())
    }

    fn convolution(&self, conv: &Conv) -> Result<Self, StyleError> {
        let stride = [conv.stride; 2];
        let values = self.values.f_conv_transpose2d(
            &conv.weight,
            None::<&Tensor>,
            stride,
            [0, 0],
            [0, 0],
            conv.groups,
            [1, 1],
        )?;
        let origins = self.origins.iter().map(|origin| origin.map(|at| at * conv.stride - conv.padding)).collect();
        Ok(Self { values, origins })
    }

    fn max_pooling(&self, kernel: i64, stride: i64, switches: &Tensor, width: i64) -> Result<Self, StyleError> {
        let (count, channels, side, _) = self.values.size4()?;
        let (_, _, map_height, map_width) = switches.size4()?;
        let device = self.values.device();
        let longs = |values: Vec<i64>, shape: &[i64]| -> Result<Tensor, StyleError> {
            Ok(Tensor::f_from_slice(&values)?.f_view(shape)?.f_to_device(device)?)
        };
        // Positions outside the map hold no signal, so any switch will do.
        let along = |axis: usize, length: i64| -> Vec<i64> {
            let places =
                |origin: &[i64; 2]| (0..side).map(|i| (origin[axis] + i).clamp(0, length - 1)).collect::<Vec<_>>();
            self.origins.iter().flat_map(places).collect()
        };
        let rows = longs(along(0, map_height), &[count, side, 1])?;
        let columns = longs(along(1, map_width), &[count, 1, side])?;
        let found = switches.f_squeeze_dim(0)?.f_index(&[None, Some(rows), Some(columns)])?.f_permute([1, 0, 2, 3])?;
        let origins: Vec<[i64; 2]> = self.origins.iter().map(|origin| origin.map(|at| at * stride)).collect();
        let first = |axis: usize| longs(origins.iter().map(|o| o[axis]).collect(), &[count, 1, 1, 1]);
        let large = (side - 1) * stride + kernel;
        let row = found.f_divide_scalar_mode(width, "floor")?.f_sub(&first(0)?)?;
        let column = found.f_remainder(width)?.f_sub(&first(1)?)?;
        let place = row.f_mul_scalar(large)?.f_add(&column)?.f_clamp(0, large * large - 1)?;
        let mut values = Tensor::f_zeros([count, channels, large * large], (self.values.kind(), device))?;
        let flat = [count, channels, side * side];
        let values = values.f_scatter_add_(2, &place.f_reshape(flat)?, &self.values.f_reshape(flat)?)?;
        Ok(Self { values: values.f_view([count, channels, large, large])?, origins })
    }

    /// Spreads signals through an average pooling. Its forward pass returns twice the mean over the part of a window
    /// that lies inside the input.
    fn average_pooling(&self, kernel: i64, stride: i64, input: Size) -> Result<Self, StyleError> {
        let (_, channels, side, _) = self.values.size4()?;
        let options = (self.values.kind(), self.values.device());
        let origins: Vec<[i64; 2]> = self.origins.iter().map(|origin| origin.map(|at| at * stride)).collect();
        let shared = self.values.f_mul_scalar(1.0)?;
        for (index, origin) in origins.iter().enumerate() {
            let share = |axis: usize| -> Result<Tensor, StyleError> {
                let window = |i: i64| inside(origin[axis] + i * stride, kernel, input[axis]).1.max(1) as f64;
                let shares: Vec<f64> = (0..side).map(|i| window(i).recip()).collect();
                Ok(Tensor::f_from_slice(&shares)?.f_to_kind(options.0)?.f_to_device(options.1)?)
            };
            let (rows, columns) = (share(0)?.f_view([1, side, 1])?, share(1)?.f_view([1, 1, side])?);
            let mut one = shared.f_select(0, index as i64)?;
            let _ = one.f_mul_(&rows)?.f_mul_(&columns)?;
        }
        let spread = Tensor::f_full([channels, 1, kernel, kernel], 2.0, options)?;
        let values =
            shared.f_conv_transpose2d(&spread, None::<&Tensor>, [stride; 2], [0, 0], [0, 0], channels, [1, 1])?;
        Ok(Self { values, origins })
    }

    /// Returns the same signals in windows of `side` positions from `origins` on, zero where they had no value before.
    fn widened(&self, side: i64, origins: &[[i64; 2]]) -> Result<Self, StyleError> {
        let (count, channels, own, _) = self.values.size4()?;
        let values = Tensor::f_zeros([count, channels, side, side], (self.values.kind(), self.values.device()))?;
        for (index, (from, to)) in self.origins.iter().zip(origins).enumerate() {
            let whole = values.f_select(0, index as i64)?;
            let mut place = whole.f_narrow(1, from[0] - to[0], own)?.f_narrow(2, from[1] - to[1], own)?;
            let _ = place.f_add_(&self.values.f_select(0, index as i64)?)?;
        }
        Ok(Self { values, origins: origins.to_vec() })
    }

    /// Adds two sets of signals at the same value of the network.
    fn add(self, other: Self) -> Result<Self, StyleError> {
        let (one, two) = (self.values.size4()?.2, other.values.size4()?.2);
        // All signals of a set took the same path, so the two windows of every pair have the same relative position.
        let origins: Vec<[i64; 2]> =
            self.origins.iter().zip(&other.origins).map(|(a, b)| [a[0].min(b[0]), a[1].min(b[1])]).collect();
        let end = |axis: usize| (self.origins[0][axis] + one).max(other.origins[0][axis] + two) - origins[0][axis];
        let side = end(0).max(end(1));
        let (first, second) = (self.widened(side, &origins)?, other.widened(side, &origins)?);
        Ok(Self { values: first.values.f_add(&second.values)?, origins })
    }
}

impl ConvNet {
    /// Runs the forward pass and keeps only shapes and switches.
    fn record(&self, image: &Tensor, layers: &[usize]) -> Result<Record, StyleError> {
        let needed = self.needed(layers.iter().map(|&layer| self.layers[layer].value));
        let mut readers = self.readers(&needed);
        let mut values = vec![Some(self.normalised(image)?)];
        let mut record = Record { shapes: Vec::new(), switches: Vec::new() };
        let shape = |value: &Tensor| -> Result<(Size, i64), StyleError> {
            let (_, channels, height, width) = value.size4()?;
            Ok(([height, width], channels))
        };
        record.shapes.push(shape(image)?);
        for (node, needed) in self.nodes.iter().zip(&needed[1..]) {
            if !needed {
                record.shapes.push(([0, 0], 0));
                record.switches.push(None);
                values.push(None);
                continue;
            }
            let inputs: Vec<&Tensor> = node.inputs.iter().filter_map(|input| values[input.0].as_ref()).collect();
            let mut switches = None;
            let value = match &node.op {
                Op::Pool { kernel, stride, ceil } if self.options.pooling == Pooling::Max => {
                    let (kernel, stride) = ([*kernel; 2], [*stride; 2]);
                    let (value, places) = inputs[0].f_max_pool2d_with_indices(kernel, stride, [0, 0], [1, 1], *ceil)?;
                    switches = Some(places);
                    value
                }
                op => self.run(op, &inputs, false)?,
            };
            release(&mut values, &mut readers, &node.inputs);
            record.shapes.push(shape(&value)?);
            record.switches.push(switches);
            values.push(Some(value));
        }
        Ok(record)
    }

    /// Carries signals at the output of `layer` down to the pixels.
    fn down(&self, record: &Record, layer: usize, signals: Signals) -> Result<Signals, StyleError> {
        let top = self.layers[layer].value.0;
        let mut waiting: Vec<Option<Signals>> = (0..=top).map(|_| None).collect();
        waiting[top] = Some(signals);
        for index in (0..top).rev() {
            let Some(signals) = waiting[index + 1].take() else { continue };
            let node = &self.nodes[index];
            let (size, _) = record.shapes[node.inputs[0].0];
            let mut first = 0;
            for input in &node.inputs {
                let below = match &node.op {
                    Op::Relu | Op::Relu6 => {
                        Signals { values: signals.values.f_relu()?, origins: signals.origins.clone() }
                    }
                    Op::Conv(conv) => signals.convolution(conv)?,
                    Op::Pool { kernel, stride, .. } => match &record.switches[index] {
                        Some(switches) => signals.max_pooling(*kernel, *stride, switches, size[1])?,
                        None => signals.average_pooling(*kernel, *stride, size)?,
                    },
                    Op::Add => Signals { values: signals.values.f_mul_scalar(1.0)?, origins: signals.origins.clone() },
                    Op::Concat => {
                        let channels = record.shapes[input.0].1;
                        let values = signals.values.f_narrow(1, first, channels)?.f_mul_scalar(1.0)?;
                        first += channels;
                        Signals { values, origins: signals.origins.clone() }
                    }
                };
                below.mask(size)?;
                waiting[input.0] = Some(match waiting[input.0].take() {
                    Some(others) => others.add(below)?,
                    None => below,
                });
            }
        }
        let signals = waiting[0].take().ok_or_else(|| StyleError::Inspect("the layer is the picture itself".into()))?;
        // Undoes the normalisation: the network reads (image - mean) / deviation.
        Ok(Signals { values: signals.values.f_div(&self.deviation)?, origins: signals.origins })
    }

    fn project_layer(
        &self,
        record: &Record,
        Wanted { layer, picks }: &Wanted,
        taker: &mut dyn FnMut(Tensor) -> Result<(), StyleError>,
    ) -> Result<(), StyleError> {
        let layer = *layer;
        let shape = &self.layer_shapes()[layer];
        let at_once = (FLOATS / (CHANNELS * shape.field.size * shape.field.size)).clamp(1, 64) as usize;
        let options = (self.kind(), self.device());
        for picks in picks.chunks(at_once) {
            let values = Tensor::f_zeros([picks.len() as i64, shape.channels as i64, 1, 1], options)?;
            for (index, pick) in picks.iter().enumerate() {
                let mut place = values.f_select(0, index as i64)?.f_narrow(0, pick.unit as i64, 1)?;
                let _ = place.f_fill_(f64::from(pick.value))?;
            }
            let origins = picks.iter().map(|pick| [pick.y, pick.x]).collect();
            let found = self.down(record, layer, Signals { values, origins })?;
            for (index, (pick, [top, left])) in picks.iter().zip(&found.origins).enumerate() {
                let field = self.field_of(layer, pick.unit);
                let one = found.values.f_narrow(0, index as i64, 1)?;
                // A unit of a fire module's 1x1 branch sees less than the layer.
                let (y, x) = (field.at(pick.y).start - top, field.at(pick.x).start - left);
                taker(cut(&one, y, x, field.size)?)?;
            }
        }
        Ok(())
    }
}

impl Inspect for ConvNet {
    fn shapes(&self) -> Vec<LayerShape> {
        self.layer_shapes()
    }

    fn field(&self, layer: usize, unit: usize) -> Field {
        self.field_of(layer, unit)
    }

    fn map_size(&self, layer: usize, height: i64, width: i64) -> Option<[i64; 2]> {
        Some([self.map_length(layer, height)?, self.map_length(layer, width)?])
    }

    fn project_into(&self, image: &Tensor, wanted: &[Wanted], taker: &mut Taker<'_>) -> Result<(), StyleError> {
        // With other padding, the signal in the extended border would have to be folded back into the picture.
        if self.options.padding != Padding::Zeros {
            return Err(StyleError::Inspect(format!(
                "{} can be projected through its own padding of zeros only: leave network.padding at \"zeros\"",
                self.name()
            )));
        }
        no_grad(|| {
            let layers: Vec<usize> = wanted.iter().map(|wanted| wanted.layer).collect();
            let record = self.record(image, &layers)?;
            for (index, wanted) in wanted.iter().enumerate() {
                self.project_layer(&record, wanted, &mut |projection| taker(index, projection))?;
            }
            Ok(())
        })
    }
}
