//! The deconvnet (Zeiler & Fergus 2013): what of a picture excites one unit, projected down to the pixels.
//!
//! All else in the unit's layer is zero. Downwards, layer by layer: max pooling puts the signal where the forward pass
//! found its maxima (the switches; where windows overlap, what meets adds up), average pooling spreads it as it
//! gathered, a ReLU rectifies the *signal* (not, as a gradient does, where the forward pass was negative), and a
//! convolution is transposed, without its bias. Both branches of a fire module add up at its squeeze layer.
//!
//! A signal is carried as a window that is just as large as it can be, so that an early layer's unit costs little.

use tch::{Kind, Tensor, no_grad};

use super::convnet::{Conv, ConvNet, Layer, Op};
use super::inspect::{Inspect, Taker, Wanted, cut, inside};
use super::{Backbone, Field, LayerShape};
use crate::settings::{Padding, Pooling};
use crate::stylize::StyleError;

/// Floats in the largest window of the projections that are carried at once: some 60 MB.
const FLOATS: i64 = 16 << 20;
/// Channels near the pixels, where windows are largest.
const CHANNELS: i64 = 64;

/// Height and width.
type Size = [i64; 2];

/// Several signals at one level of the network, each in a window of its own.
struct Signals {
    /// `[N,C,n,n]`.
    values: Tensor,
    /// Row and column of each window's first place; may be negative.
    origins: Vec<[i64; 2]>,
}

/// What the way down needs to know of the way up.
struct Record {
    /// Size of each layer's input.
    sizes: Vec<Size>,
    /// For max poolings, the place in the input, row-major, of each output `[1,C,h,w]`.
    switches: Vec<Option<Tensor>>,
}

impl Signals {
    /// Zeroes what lies outside a map of that size: nothing is there but the padding.
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
        // Places outside the map hold no signal: any switch will do.
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

    /// The forward pass gives twice the mean of what of a window lies in the input.
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

    /// `input`: size of what the squeeze layer reads; `narrow`: of what it gives.
    fn fire(
        &self,
        squeeze: &Conv,
        expand1: &Conv,
        expand3: &Conv,
        input: Size,
        narrow: Size,
    ) -> Result<Self, StyleError> {
        let rectified = self.values.f_relu()?;
        let part = |start: i64, conv: &Conv| -> Result<Self, StyleError> {
            let values = rectified.f_narrow(1, start, conv.channels())?;
            Self { values, origins: self.origins.clone() }.convolution(conv)
        };
        let (one, three) = (part(0, expand1)?, part(expand1.channels(), expand3)?);
        // The 1x1 branch lies within the window of the 3x3 branch.
        let side = one.values.size4()?.2;
        for (index, (inner, outer)) in one.origins.iter().zip(&three.origins).enumerate() {
            let whole = three.values.f_select(0, index as i64)?;
            let mut place = whole.f_narrow(1, inner[0] - outer[0], side)?.f_narrow(2, inner[1] - outer[1], side)?;
            let _ = place.f_add_(&one.values.f_select(0, index as i64)?)?;
        }
        three.mask(narrow)?;
        let below = Self { values: three.values.f_relu()?, origins: three.origins }.convolution(squeeze)?;
        below.mask(input)?;
        Ok(below)
    }
}

impl ConvNet {
    /// The way up, with nothing kept but sizes and switches.
    fn record(&self, image: &Tensor, deepest: usize) -> Result<Record, StyleError> {
        let mut record = Record { sizes: Vec::new(), switches: Vec::new() };
        let mut x = image.f_sub(&self.mean)?.f_div(&self.deviation)?;
        for Layer { op, .. } in self.layers.iter().take(deepest + 1) {
            let (_, _, height, width) = x.size4()?;
            record.sizes.push([height, width]);
            let mut switches = None;
            x = match op {
                Op::Pool { kernel, stride, ceil } if self.options.pooling == Pooling::Max => {
                    let (kernel, stride) = ([*kernel; 2], [*stride; 2]);
                    let (values, places) = x.f_max_pool2d_with_indices(kernel, stride, [0, 0], [1, 1], *ceil)?;
                    switches = Some(places);
                    values
                }
                _ => self.run(op, x, true)?,
            };
            record.switches.push(switches);
        }
        Ok(record)
    }

    /// Carries signals at the output of `layer` down to the pixels.
    fn down(&self, record: &Record, layer: usize, mut signals: Signals) -> Result<Signals, StyleError> {
        for (index, Layer { op, .. }) in self.layers.iter().enumerate().take(layer + 1).rev() {
            let input = record.sizes[index];
            signals = match op {
                Op::Relu => Signals { values: signals.values.f_relu()?, origins: signals.origins },
                Op::Conv(conv) => signals.convolution(conv)?,
                Op::Pool { kernel, stride, .. } => match &record.switches[index] {
                    Some(switches) => signals.max_pooling(*kernel, *stride, switches, input[1])?,
                    None => signals.average_pooling(*kernel, *stride, input)?,
                },
                Op::Fire { squeeze, expand1, expand3 } => {
                    let narrow = input.map(|length| squeeze.length(length).unwrap_or(length));
                    signals.fire(squeeze, expand1, expand3, input, narrow)?
                }
            };
            signals.mask(input)?;
        }
        // The network reads (image - mean) / deviation.
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
        let options = (self.mean_kind(), self.mean.device());
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

    /// Kind of the weights: double in checks.
    fn mean_kind(&self) -> Kind {
        let convolution = |layer: &Layer| match &layer.op {
            Op::Conv(conv) => Some(conv.weight.kind()),
            _ => None,
        };
        self.layers.iter().find_map(convolution).unwrap_or(Kind::Float)
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
        // What the picture is continued by would have to be folded back into it.
        if self.options.padding != Padding::Zeros {
            return Err(StyleError::Inspect(format!(
                "{} can be projected through its own padding of zeros only: leave network.padding at \"zeros\"",
                self.name()
            )));
        }
        no_grad(|| {
            let Some(deepest) = wanted.iter().map(|wanted| wanted.layer).max() else { return Ok(()) };
            let record = self.record(image, deepest)?;
            for (index, wanted) in wanted.iter().enumerate() {
                self.project_layer(&record, wanted, &mut |projection| taker(index, projection))?;
            }
            Ok(())
        })
    }
}
