//! The style pictures' Gram matrices and contrast for frames of one size, and a memory of those that were needed before.

use std::sync::{Arc, Mutex, PoisonError};

use tch::Tensor;

use super::loss::{gram, share_of_detail};
use super::style_pictures::StylePicture;
use crate::stylize::StyleError;
use crate::stylize::backbone::Backbone;
use crate::stylize::tensor::scalar;

/// Number of frame sizes whose targets are remembered: a first frame is painted at about five sizes.
const REMEMBERED: usize = 16;

/// What a shot's look takes from the style pictures.
#[derive(Debug)]
pub(in crate::stylize) struct StyleTargets {
    /// The Gram matrix `[C,C]` of each style layer, blended by the pictures' weights.
    pub grams: Vec<Tensor>,
    /// The mean square of the first content layer, blended likewise.
    pub contrast: f64,
    /// The share of detailed places, 0..=1, blended likewise.
    pub detail: f64,
}

impl StyleTargets {
    /// Computes the targets at `asked`: `count` style layers, then at most one content layer. `prepared` returns a style
    /// picture in the size and the colours in which it is compared.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn of(
        backbone: &dyn Backbone,
        styles: &[StylePicture],
        (asked, count): (&[usize], usize),
        prepared: impl Fn(&Tensor) -> Result<Tensor, StyleError>,
    ) -> Result<Self, StyleError> {
        let total: f64 = styles.iter().map(|style| style.weight).sum();
        let mut blend: Vec<Option<Tensor>> = (0..count).map(|_| None).collect();
        let (mut contrast, mut detail) = (0.0, 0.0);
        for style in styles {
            let picture = prepared(&style.image)?;
            let mut found = backbone.forward(&picture, asked)?;
            let share = style.weight / total;
            detail += share * share_of_detail(&picture)?;
            if let Some(features) = found.get(count) {
                contrast += share * mean_square(features)?;
            }
            found.truncate(count);
            for (slot, features) in blend.iter_mut().zip(found) {
                let share = gram(&features)?.f_mul_scalar(share)?;
                *slot = Some(match slot.take() {
                    Some(sum) => sum.f_add(&share)?,
                    None => share,
                });
            }
        }
        Ok(Self { grams: blend.into_iter().flatten().collect(), contrast, detail })
    }

    fn shared(&self) -> Self {
        Self { grams: self.grams.iter().map(Tensor::shallow_clone).collect(), ..*self }
    }
}

/// What targets depend on besides the network and the style pictures.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::stylize) struct Wanted {
    /// Height and width of the frame.
    pub size: [i64; 2],
    /// The setting `style.scale`.
    pub scale: f64,
    /// The layers, as indices into the backbone's.
    pub layers: Vec<usize>,
    /// Number of threads that share the computation: the last bits of its sums depend on it.
    pub threads: u32,
}

/// Targets of one network and its style pictures by frame size, the last used first. Clones share one memory.
#[derive(Debug, Clone, Default)]
pub(in crate::stylize) struct TargetMemory(Arc<Mutex<Vec<(Wanted, StyleTargets)>>>);

impl TargetMemory {
    /// Returns the remembered targets, or computes and remembers them.
    ///
    /// # Errors
    /// What `compute` returns.
    pub fn get(
        &self,
        wanted: Wanted,
        compute: impl FnOnce() -> Result<StyleTargets, StyleError>,
    ) -> Result<StyleTargets, StyleError> {
        // After a panic elsewhere, the entries are still whole.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = match known.iter().position(|(of, _)| *of == wanted) {
            Some(place) => known.remove(place),
            None => (wanted, compute()?),
        };
        let targets = entry.1.shared();
        known.insert(0, entry);
        known.truncate(REMEMBERED);
        Ok(targets)
    }
}

/// Returns the mean square of activations of any shape.
pub(in crate::stylize) fn mean_square(features: &Tensor) -> Result<f64, StyleError> {
    scalar(&features.f_square()?.f_mean(features.kind())?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_computed_again_when_anything_differs() {
        let memory = TargetMemory::default();
        let first = Wanted { size: [48, 64], scale: 1.0, layers: vec![0, 2], threads: 1 };
        let others = [
            Wanted { size: [64, 48], ..first.clone() },
            Wanted { scale: 0.5, ..first.clone() },
            Wanted { layers: vec![0, 3], ..first.clone() },
            Wanted { threads: 2, ..first.clone() },
        ];
        let all = || std::iter::once(&first).chain(&others).enumerate();
        let found = |wanted: &Wanted, contrast: f64| {
            let targets =
                memory.clone().get(wanted.clone(), || Ok(StyleTargets { grams: Vec::new(), contrast, detail: 0.0 }));
            targets.unwrap().contrast
        };
        for round in 0..2 {
            for (number, wanted) in all() {
                assert_eq!(found(wanted, (number + 10 * round) as f64), number as f64);
            }
        }
        for size in 0..REMEMBERED as i64 {
            found(&Wanted { size: [size, size], ..first.clone() }, 0.0);
        }
        assert_eq!(found(&first, 77.0), 77.0, "the oldest are forgotten");
        let failed = memory.get(Wanted { threads: 9, ..first.clone() }, || Err(StyleError::NoStyle));
        assert!(failed.is_err() && found(&Wanted { threads: 9, ..first }, 5.0) == 5.0);
    }
}
