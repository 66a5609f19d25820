//! The built-in network: a scattering transform (Mallat 2012; Bruna & Mallat 2013) whose weights all follow from a
//! formula, so nothing has to be downloaded.
//!
//! Five octaves. Per octave: oriented Gabor responses of both signs, their moduli, the colours themselves, the moduli
//! of the next coarser octave (which ties scales together), and the second order: moduli of the finer octave's moduli,
//! which is what makes strokes curl. Colour is filtered from the second octave on: chroma carries no finer detail
//! than that, and the first octave costs most.

use std::f64::consts::PI;

use tch::{Device, Tensor};

use super::convnet::extend;
use super::{Backbone, Inspect};
use crate::settings::Padding;
use crate::stylize::StyleError;

pub(super) const OCTAVES: usize = 5;
pub(super) const ORIENTATIONS: i64 = 8;
/// Gabor responses are small beside the colours; this brings them level.
const GAIN: f64 = 3.0;
/// The second order acts on maps that already have the gain; their constant part would drown the rest.
const COARSE_GAIN: f64 = 0.5;
/// Keeps the modulus differentiable at 0.
const EPS: f64 = 1e-4;
pub(super) const LAYERS: [&str; 7] = ["octave1", "octave2", "octave3", "octave4", "octave5", "energy1", "energy2"];

/// The scattering network.
#[derive(Debug)]
pub struct Scatter {
    /// `[3,3,1,1]`: RGB to lightness, red-blue, green-magenta, with gains.
    opponent: Tensor,
    /// `[3,1,5,5]`: binomial blur of each channel.
    blur: Tensor,
    /// `[16,1,7,7]`: 8 cosines, then 8 sines, wavelength 4 px.
    bank: Tensor,
    /// `[16,1,7,7]`: wavelength 5 px, for the second order.
    coarse_bank: Tensor,
    /// `[8,1,3,3]`: the finest band, wavelength 2.2 px.
    finest: Tensor,
}

/// One octave's first order.
pub(super) struct Octave {
    /// `[1,3,h,w]`: opponent colours.
    colours: Tensor,
    /// Rectified responses of both signs.
    edges: Tensor,
    /// Moduli: 8 of lightness, then those of colour.
    pub(super) moduli: Tensor,
}

impl Scatter {
    /// Computes the filters.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn new(device: Device) -> Result<Self, StyleError> {
        let (a, b, c) = (3f64.sqrt().recip(), 2f64.sqrt().recip(), 6f64.sqrt().recip());
        let rows = [[a, a, a], [b, 0.0, -b], [c, -2.0 * c, c]];
        // Chroma varies less than lightness; more than this and its content would hold back the style.
        let gains = [1.0, 1.5, 2.0];
        let opponent: Vec<f64> = rows.iter().zip(gains).flat_map(|(row, gain)| row.map(|v| v * gain)).collect();
        let binomial = [1.0, 4.0, 6.0, 4.0, 1.0];
        let kernel: Vec<f64> = binomial.iter().flat_map(|v| binomial.map(|u| u * v / 256.0)).collect();
        Ok(Self {
            opponent: constant(&opponent, &[3, 3, 1, 1], device)?,
            blur: constant(&kernel.repeat(3), &[3, 1, 5, 5], device)?,
            bank: constant(&gabors(7, 4.0, 1.8, 0.55, true), &[2 * ORIENTATIONS, 1, 7, 7], device)?,
            coarse_bank: constant(&gabors(7, 5.0, 2.0, 0.55, true), &[2 * ORIENTATIONS, 1, 7, 7], device)?,
            finest: constant(&gabors(3, 2.2, 0.9, 1.0, false), &[ORIENTATIONS, 1, 3, 3], device)?,
        })
    }

    /// Blurs `[1,C,h,w]` with the binomial and keeps every second pixel.
    fn halve(&self, x: &Tensor) -> Result<Tensor, StyleError> {
        let channels = x.size4()?.1;
        let kernel = self.blur.f_narrow(0, 0, 1)?.f_expand([channels, 1, 5, 5], false)?;
        let x = extend(x, 2, Padding::Reflect)?;
        Ok(x.f_conv2d(&kernel, None::<&Tensor>, [2, 2], [0, 0], [1, 1], channels)?)
    }

    /// Filters each channel of `[1,C,h,w]` with every filter of `bank`: `[C,filters,h,w]`.
    fn filter(bank: &Tensor, x: &Tensor) -> Result<Tensor, StyleError> {
        let (_, channels, h, w) = x.size4()?;
        let border = bank.size4()?.2 / 2;
        let x = extend(&x.f_reshape([channels, 1, h, w])?, border, Padding::Reflect)?;
        Ok(x.f_conv2d(bank, None::<&Tensor>, [1, 1], [0, 0], [1, 1], 1)?)
    }

    /// sqrt(cos^2 + sin^2) of `[C,16,h,w]`, as `[1,8C,h,w]`.
    fn moduli(responses: &Tensor) -> Result<Tensor, StyleError> {
        let (channels, _, h, w) = responses.size4()?;
        let square = responses.f_square()?;
        let sum = square.f_narrow(1, 0, ORIENTATIONS)?.f_add(&square.f_narrow(1, ORIENTATIONS, ORIENTATIONS)?)?;
        Ok(sum.f_add_scalar(EPS)?.f_sqrt()?.f_reshape([1, ORIENTATIONS * channels, h, w])?)
    }

    fn octave(&self, colours: Tensor, finest: bool) -> Result<Octave, StyleError> {
        let (_, _, h, w) = colours.size4()?;
        let lightness = colours.f_narrow(1, 0, 1)?;
        let input = if finest { &lightness } else { &colours };
        let responses = Self::filter(&self.bank, input)?.f_mul_scalar(GAIN)?;
        let moduli = Self::moduli(&responses)?;
        let signed = responses.f_reshape([1, -1, h, w])?;
        let mut edges = vec![signed.f_relu()?, signed.f_neg()?.f_relu()?];
        if finest {
            let band = Self::filter(&self.finest, &lightness)?.f_mul_scalar(GAIN)?;
            edges.extend([band.f_relu()?, band.f_neg()?.f_relu()?]);
        }
        Ok(Octave { colours, edges: Tensor::f_cat(&edges, 1)?, moduli })
    }

    /// Moduli of an octave's lightness moduli, at half its size: the 8 maps and their 64 moduli.
    pub(super) fn second_order(&self, moduli: &Tensor) -> Result<Tensor, StyleError> {
        let maps = self.halve(&moduli.f_narrow(1, 0, ORIENTATIONS)?)?;
        let moduli = Self::moduli(&Self::filter(&self.coarse_bank, &maps)?.f_mul_scalar(COARSE_GAIN)?)?;
        Ok(Tensor::f_cat(&[maps, moduli], 1)?)
    }

    /// The features of one style layer, `[1,C,h,w]`.
    fn style(&self, octaves: &[Octave], level: usize) -> Result<Tensor, StyleError> {
        let octave = &octaves[level];
        let (_, _, h, w) = octave.colours.size4()?;
        let offset = octave.colours.f_narrow(1, 0, 1)?.f_full_like(0.5)?;
        let mut parts = vec![octave.edges.shallow_clone(), octave.colours.shallow_clone(), offset];
        match octaves.get(level + 1) {
            Some(coarser) => parts.push(coarser.moduli.f_upsample_bilinear2d([h, w], false, None, None)?),
            None => parts.push(octave.moduli.shallow_clone()),
        }
        if level > 0 {
            parts.push(self.second_order(&octaves[level - 1].moduli)?);
        }
        Ok(Tensor::f_cat(&parts, 1)?)
    }

    /// The octaves that the wanted layers are made of.
    pub(super) fn octaves(&self, image: &Tensor, wanted: &[usize]) -> Result<Vec<Octave>, StyleError> {
        // A style layer looks at the octave below it too; an energy layer at its own.
        let deepest = wanted.iter().map(|&w| if w < OCTAVES { (w + 2).min(OCTAVES) } else { w - OCTAVES + 1 }).max();
        let mut colours =
            image.f_sub_scalar(0.5)?.f_conv2d(&self.opponent, None::<&Tensor>, [1, 1], [0, 0], [1, 1], 1)?;
        let mut octaves = Vec::new();
        for level in 0..deepest.unwrap_or(0) {
            let next = self.halve(&colours)?;
            octaves.push(self.octave(std::mem::replace(&mut colours, next), level == 0)?);
        }
        Ok(octaves)
    }

    /// The features of a layer, `[1,C,h,w]`.
    pub(super) fn assemble(&self, octaves: &[Octave], layer: usize) -> Result<Tensor, StyleError> {
        if layer < OCTAVES { self.style(octaves, layer) } else { Self::energy(&octaves[layer - OCTAVES]) }
    }

    /// Content: where energy and colour are, at a quarter of the octave's size, which leaves the strokes free.
    fn energy(octave: &Octave) -> Result<Tensor, StyleError> {
        let maps = Tensor::f_cat(&[&octave.moduli, &octave.colours], 1)?;
        let (_, _, h, w) = maps.size4()?;
        let kernel = [4.min(h), 4.min(w)];
        Ok(maps.f_avg_pool2d(kernel, kernel, [0, 0], true, false, None)?)
    }
}

fn constant(values: &[f64], shape: &[i64], device: Device) -> Result<Tensor, StyleError> {
    let values: Vec<f32> = values.iter().map(|&v| v as f32).collect();
    Ok(Tensor::f_from_slice(&values)?.f_view(shape)?.f_to_device(device)?)
}

/// Gabor filters of `size` px at 8 orientations, cosine phase and, if `quadrature`, sine phase: zero mean, unit norm.
/// `sigma` is the envelope's width across the stroke; along it, `sigma / aspect`.
fn gabors(size: usize, wavelength: f64, sigma: f64, aspect: f64, quadrature: bool) -> Vec<f64> {
    let radius = (size / 2) as f64;
    let phases: &[f64] = if quadrature { &[0.0, PI / 2.0] } else { &[0.0] };
    let mut bank = Vec::new();
    for phase in phases {
        for orientation in 0..ORIENTATIONS {
            let (sin, cos) = (PI * orientation as f64 / ORIENTATIONS as f64).sin_cos();
            let mut filter: Vec<f64> = (0..size * size)
                .map(|i| {
                    let (x, y) = ((i % size) as f64 - radius, (i / size) as f64 - radius);
                    let (across, along) = (x * cos + y * sin, y * cos - x * sin);
                    let envelope = (-(across.powi(2) + (aspect * along).powi(2)) / (2.0 * sigma * sigma)).exp();
                    envelope * (2.0 * PI * across / wavelength - phase).cos()
                })
                .collect();
            let mean = filter.iter().sum::<f64>() / filter.len() as f64;
            filter.iter_mut().for_each(|v| *v -= mean);
            let norm = filter.iter().map(|v| v * v).sum::<f64>().sqrt();
            bank.extend(filter.iter().map(|v| v / norm));
        }
    }
    bank
}

impl Backbone for Scatter {
    fn name(&self) -> &str {
        "scatter"
    }

    fn layers(&self) -> Vec<String> {
        LAYERS.iter().map(|&name| name.to_owned()).collect()
    }

    fn style_layers(&self) -> [&str; 5] {
        [LAYERS[0], LAYERS[1], LAYERS[2], LAYERS[3], LAYERS[4]]
    }

    fn content_layers(&self) -> Vec<&str> {
        // energy1 would hold every detail in place, and the strokes with it.
        vec![LAYERS[6]]
    }

    fn forward(&self, image: &Tensor, wanted: &[usize]) -> Result<Vec<Tensor>, StyleError> {
        let octaves = self.octaves(image, wanted)?;
        wanted.iter().map(|&want| self.assemble(&octaves, want)).collect()
    }

    fn inspect(&self) -> Option<&dyn Inspect> {
        Some(self)
    }
}
