//! Looking into the scattering network. It has no pooling and no learned filters, so it has a backward rule of its own,
//! in the deconvnet's spirit:
//!
//! - Filters, blurs and enlargements are transposed (their gradient, for they are linear).
//! - A modulus sqrt(cos^2 + sin^2) hands its signal down to the pair as they shared it in the forward pass (cos/modulus
//!   and sin/modulus, its gradient): the recorded phase plays the part of a max pooling's switch.
//! - The signal is rectified wherever it passes a map that cannot be negative: between the moduli of the second order
//!   and those of the first. Rectified responses of one sign start from a signal that is positive already.
//! - The constant 0.5 of each octave depends on no pixel: its unit is refused.

use tch::Tensor;

use super::inspect::{Inspect, Taker, Wanted, cut};
use super::scatter::{LAYERS, OCTAVES, ORIENTATIONS, Octave, Scatter};
use super::{Field, LayerShape};
use crate::stylize::StyleError;

/// Units of a layer that are alike: how many, and what they see.
struct Group {
    count: i64,
    field: Field,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Linear,
    Constant,
    /// Moduli of moduli.
    SecondOrder,
}

/// Colours of an octave.
fn colours(level: usize) -> Field {
    (0..level).fold(Field::PIXEL, |field, _| field.through(5, 2, 2))
}

/// What a bank of filters sees.
fn filtered(field: Field) -> Field {
    field.through(7, 1, 3)
}

/// A coarser octave's maps at twice their size: a place mixes two of them, one or the other way by its parity.
fn enlarged(coarse: Field) -> Field {
    let jump = coarse.jump / 2;
    Field { first: coarse.first - 2 * jump, size: coarse.size + 3 * jump, jump }
}

fn moduli_count(level: usize) -> i64 {
    if level == 0 { ORIENTATIONS } else { 3 * ORIENTATIONS }
}

/// The units of a layer in their order, as `Scatter::style` and `Scatter::energy` put them together.
fn groups(layer: usize) -> Vec<Group> {
    let group = |count, field| Group { count, field, kind: Kind::Linear };
    if layer >= OCTAVES {
        let own = colours(layer - OCTAVES);
        let pooled = |field: Field| field.through(4, 4, 0);
        return vec![group(moduli_count(layer - OCTAVES), pooled(filtered(own))), group(3, pooled(own))];
    }
    let own = colours(layer);
    let mut groups = vec![group(4 * moduli_count(layer), filtered(own))];
    if layer == 0 {
        groups.push(group(2 * ORIENTATIONS, own.through(3, 1, 1)));
    }
    groups.push(group(3, own));
    groups.push(Group { count: 1, field: own, kind: Kind::Constant });
    groups.push(if layer + 1 < OCTAVES {
        group(moduli_count(layer + 1), enlarged(filtered(colours(layer + 1))))
    } else {
        group(moduli_count(layer), filtered(own))
    });
    if layer > 0 {
        let maps = filtered(colours(layer - 1)).through(5, 2, 2);
        groups.push(group(ORIENTATIONS, maps));
        let count = ORIENTATIONS * ORIENTATIONS;
        groups.push(Group { count, field: filtered(maps), kind: Kind::SecondOrder });
    }
    groups
}

/// The group of a unit, and the unit's place in it.
fn group_of(layer: usize, unit: usize) -> Option<(Group, i64)> {
    let mut place = unit as i64;
    for group in groups(layer) {
        if place < group.count {
            return Some((group, place));
        }
        place -= group.count;
    }
    None
}

impl Inspect for Scatter {
    fn shapes(&self) -> Vec<LayerShape> {
        let shape = |(layer, name): (usize, &&str)| {
            let groups = groups(layer);
            let channels = groups.iter().map(|group| group.count).sum::<i64>() as usize;
            let field = groups.iter().map(|group| group.field).max_by_key(|field| field.size);
            LayerShape { name: (*name).to_owned(), channels, field: field.unwrap_or(Field::PIXEL) }
        };
        LAYERS.iter().enumerate().map(shape).collect()
    }

    fn field(&self, layer: usize, unit: usize) -> Field {
        group_of(layer, unit).map_or(Field::PIXEL, |(group, _)| group.field)
    }

    fn map_size(&self, layer: usize, height: i64, width: i64) -> Option<[i64; 2]> {
        let octave = if layer < OCTAVES { layer } else { layer - OCTAVES };
        let length = |length: i64| {
            let length = (0..octave).fold(length, |length, _| (length + 1) / 2);
            if layer < OCTAVES { length } else { length.div_euclid(4) + i64::from(length % 4 > 0) }
        };
        (height > 0 && width > 0).then(|| [length(height), length(width)])
    }

    fn refusal(&self, layer: usize, unit: usize) -> Option<&'static str> {
        let constant = group_of(layer, unit).is_some_and(|(group, _)| group.kind == Kind::Constant);
        constant.then_some("constant by construction: it is 0.5 in every picture, so no patch excites it")
    }

    fn project_into(&self, image: &Tensor, wanted: &[Wanted], taker: &mut Taker<'_>) -> Result<(), StyleError> {
        let image = image.f_detach()?.f_set_requires_grad(true)?;
        let layers: Vec<usize> = wanted.iter().map(|wanted| wanted.layer).collect();
        let octaves = self.octaves(&image, &layers)?;
        for (index, wanted) in wanted.iter().enumerate() {
            self.project_layer(&image, &octaves, wanted, &mut |projection| taker(index, projection))?;
        }
        Ok(())
    }
}

impl Scatter {
    fn project_layer(
        &self,
        image: &Tensor,
        octaves: &[Octave],
        wanted: &Wanted,
        taker: &mut dyn FnMut(Tensor) -> Result<(), StyleError>,
    ) -> Result<(), StyleError> {
        let layer = wanted.layer;
        let features = self.assemble(octaves, layer)?;
        // The second order once more, over moduli that end the way down, to rectify the signal there.
        let lower = if (1..OCTAVES).contains(&layer) { Some(&octaves[layer - 1].moduli) } else { None };
        let second = match lower {
            Some(moduli) => {
                let leaf = moduli.f_detach()?.f_set_requires_grad(true)?;
                let features = self.second_order(&leaf)?;
                Some((moduli, leaf, features))
            }
            None => None,
        };
        let at = |features: &Tensor, unit: i64, y: i64, x: i64| -> Result<Tensor, StyleError> {
            Ok(features.f_select(0, 0)?.f_select(0, unit)?.f_select(0, y)?.f_select(0, x)?)
        };
        for pick in &wanted.picks {
            let (group, place) = group_of(layer, pick.unit).ok_or_else(|| {
                StyleError::Inspect(format!("layer {} has no unit {}: see layers --list", LAYERS[layer], pick.unit))
            })?;
            let signal = match (&second, group.kind) {
                (_, Kind::Constant) => image.f_zeros_like()?,
                (Some((moduli, leaf, features)), Kind::SecondOrder) => {
                    let unit = at(features, ORIENTATIONS + place, pick.y, pick.x)?;
                    let signal = gradient(&unit, leaf)?.f_relu()?;
                    gradient(&moduli.f_mul(&signal)?.f_sum(moduli.kind())?, image)?
                }
                _ => gradient(&at(&features, pick.unit as i64, pick.y, pick.x)?, image)?,
            };
            let signal = signal.f_mul_scalar(f64::from(pick.value))?;
            let (top, left) = (group.field.at(pick.y).start, group.field.at(pick.x).start);
            taker(cut(&signal, top, left, group.field.size)?)?;
        }
        Ok(())
    }
}

fn gradient(of: &Tensor, by: &Tensor) -> Result<Tensor, StyleError> {
    let mut found = Tensor::f_run_backward(&[of], &[by], true, false)?;
    found.pop().ok_or_else(|| StyleError::Torch("no gradient was given back".into()))
}
