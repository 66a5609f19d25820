//! The curvature of J found by a descent, kept for the next phase or frame: a similar picture has a similar J.

use std::collections::VecDeque;

use tch::{Device, Tensor};

use crate::stylize::tensor::{moved, scalar};
use crate::stylize::{Snapshot, StyleError};

/// Number of pairs passed on to the next frame: all twenty of a descent do no better, and each takes two pictures in a
/// snapshot.
const KEPT: usize = 8;

/// A pair is usable if y.s > USABLE |y||s|.
const USABLE: f64 = 1e-6;

/// A curvature pair: s = x' - x, y = g' - g, rho = 1 / y.s (0 for a rejected pair).
#[derive(Debug)]
pub(super) struct Pair {
    pub s: Tensor,
    pub y: Tensor,
    pub rho: Tensor,
}

impl Pair {
    /// Creates a pair from s and y. It is rejected if J is not convex between the two points, or if `counts` (0-d,
    /// bool) is false.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn new(s: Tensor, y: Tensor, counts: Option<&Tensor>) -> Result<Self, StyleError> {
        let (ys, yy, ss) = (dot(&y, &s)?, dot(&y, &y)?, dot(&s, &s)?);
        let usable = ys.f_gt_tensor(&yy.f_mul(&ss)?.f_sqrt()?.f_mul_scalar(USABLE)?)?;
        let usable = counts.map_or_else(|| Ok(usable.shallow_clone()), |counts| usable.f_logical_and(counts))?;
        let rho = ys.f_reciprocal()?.f_where_self(&usable, &ys.f_zeros_like()?)?;
        Ok(Self { s, y, rho })
    }

    fn shared(&self) -> Self {
        Self { s: self.s.shallow_clone(), y: self.y.shallow_clone(), rho: self.rho.shallow_clone() }
    }
}

/// Inner product, 0-d.
pub(super) fn dot(a: &Tensor, b: &Tensor) -> Result<Tensor, StyleError> {
    Ok(a.f_reshape(-1)?.f_dot(&b.f_reshape(-1)?)?)
}

/// The newest pairs of an L-BFGS descent, and its scale gamma.
#[derive(Debug)]
pub struct Curvature {
    /// Oldest first.
    pairs: Vec<Pair>,
    /// The factor that turns the preconditioner into the initial inverse Hessian, 0-d.
    gamma: Tensor,
}

impl Curvature {
    /// Returns the newest of `pairs`, contiguous in memory, as pictures read from a snapshot are: with another layout,
    /// sums could run in another order and round differently.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub(super) fn newest(pairs: &VecDeque<Pair>, gamma: &Tensor) -> Result<Self, StyleError> {
        let newest = pairs.iter().skip(pairs.len().saturating_sub(KEPT));
        let kept = |Pair { s, y, rho }: &Pair| -> Result<Pair, StyleError> {
            Ok(Pair { s: s.f_contiguous()?, y: y.f_contiguous()?, rho: rho.shallow_clone() })
        };
        Ok(Self { pairs: newest.map(kept).collect::<Result<_, _>>()?, gamma: gamma.shallow_clone() })
    }

    /// Returns copies of the pairs, oldest first, and gamma; `None` if the pictures differ in size from `x`.
    pub(super) fn of(&self, x: &Tensor) -> Option<(VecDeque<Pair>, Tensor)> {
        let fits = self.pairs.iter().all(|pair| pair.s.size() == x.size());
        fits.then(|| (self.pairs.iter().map(Pair::shared).collect(), self.gamma.shallow_clone()))
    }

    /// Returns the curvature for the next frame, warped along the motion: `motion` `[1,2,H,W]`, in pixels, leads back
    /// from the next frame, and `alike` `[1,1,H,W]`, 0..=1, marks where it leads to the same object or texture. s and y
    /// are multiplied by `alike`, so nothing is assumed about new pixels.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn carried(&self, motion: &Tensor, alike: &Tensor) -> Result<Self, StyleError> {
        let planes: Vec<&Tensor> = self.pairs.iter().flat_map(|Pair { s, y, .. }| [s, y]).collect();
        if planes.is_empty() {
            return Ok(Self { pairs: Vec::new(), gamma: self.gamma.shallow_clone() });
        }
        let carried = moved(&Tensor::f_cat(&planes, 1)?, motion)?.f_mul(alike)?;
        let on = |(place, Pair { rho, .. }): (usize, &Pair)| -> Result<Pair, StyleError> {
            let plane = |which: i64| carried.f_narrow(1, 6 * place as i64 + 3 * which, 3)?.f_contiguous();
            Pair::new(plane(0)?, plane(1)?, Some(&rho.f_gt(0.0)?))
        };
        let pairs = self.pairs.iter().enumerate().map(on).collect::<Result<_, _>>()?;
        Ok(Self { pairs, gamma: self.gamma.shallow_clone() })
    }

    /// Returns a curvature that shares the tensors of this one.
    pub fn shared(&self) -> Self {
        Self { pairs: self.pairs.iter().map(Pair::shared).collect(), gamma: self.gamma.shallow_clone() }
    }

    /// Returns the curvature of J for pictures to which `map` is applied, such as a part of each.
    ///
    /// # Errors
    /// Returns what `map` and libtorch report.
    pub fn mapped(&self, map: impl Fn(&Tensor) -> Result<Tensor, StyleError>) -> Result<Self, StyleError> {
        let pair = |Pair { s, y, rho }: &Pair| Pair::new(map(s)?, map(y)?, Some(&rho.f_gt(0.0)?));
        let pairs = self.pairs.iter().map(pair).collect::<Result<_, _>>()?;
        Ok(Self { pairs, gamma: self.gamma.shallow_clone() })
    }

    /// Returns the number of pairs.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Returns the floats a pixel that [`Curvature::keep`] stores at most: two pictures for each pair of a descent that
    /// keeps `history` pairs.
    pub fn kept_floats(history: u32) -> u64 {
        6 * u64::from(history.max(1)).min(KEPT as u64)
    }

    /// Writes the curvature to a snapshot, for another process.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn keep(&self, snapshot: &mut Snapshot) -> Result<(), StyleError> {
        let mut scales = vec![scalar(&self.gamma)? as f32];
        for (place, Pair { s, y, rho }) in self.pairs.iter().enumerate() {
            snapshot.put(format!("curvature{place}.s"), s);
            snapshot.put(format!("curvature{place}.y"), y);
            scales.push(scalar(rho)? as f32);
        }
        snapshot.put_floats("curvature".into(), scales);
        Ok(())
    }

    /// Reads what [`Curvature::keep`] wrote: `pairs` pairs of height `h` and width `w`; `None` if `pairs` is 0.
    ///
    /// # Errors
    /// If something is missing from the snapshot; otherwise returns what libtorch reports.
    pub fn restored(
        snapshot: &Snapshot,
        pairs: usize,
        (h, w): (i64, i64),
        device: Device,
    ) -> Result<Option<Self>, StyleError> {
        if pairs == 0 {
            return Ok(None);
        }
        let scales = snapshot.floats("curvature")?;
        let scale = |place: usize| -> Result<Tensor, StyleError> {
            let missing = || StyleError::Snapshot { name: "curvature".into() };
            Ok(Tensor::from(*scales.get(place).ok_or_else(missing)?).f_to_device(device)?)
        };
        let pair = |place: usize| -> Result<Pair, StyleError> {
            let picture = |name: &str| snapshot.picture(&format!("curvature{place}.{name}"), (3, h, w), device);
            Ok(Pair { s: picture("s")?, y: picture("y")?, rho: scale(place + 1)? })
        };
        Ok(Some(Self { pairs: (0..pairs).map(pair).collect::<Result<_, _>>()?, gamma: scale(0)? }))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::VecDeque;

    use tch::{Device, Kind, Tensor};

    use super::{Curvature, Pair};
    use crate::stylize::Snapshot;

    #[test]
    fn another_process_goes_on_with_the_newest_pairs_to_the_bit() {
        tch::manual_seed(5);
        let random = |size: &[i64]| Tensor::randn(size, (Kind::Float, Device::Cpu));
        let pair = |_| Pair { s: random(&[1, 3, 4, 5]), y: random(&[1, 3, 4, 5]), rho: random(&[]) };
        let pairs: VecDeque<Pair> = (0..10).map(pair).collect();
        let kept = Curvature::newest(&pairs, &random(&[])).unwrap();
        let mut snapshot = Snapshot::default();
        kept.keep(&mut snapshot).unwrap();
        let restored = Curvature::restored(&snapshot, kept.len(), (4, 5), Device::Cpu).unwrap().unwrap();
        assert_eq!((kept.len(), restored.len()), (8, 8));
        assert_eq!(kept.gamma, restored.gamma);
        for ((a, b), newest) in kept.pairs.iter().zip(&restored.pairs).zip(pairs.iter().skip(2)) {
            assert_eq!((&a.s, &a.y, &a.rho), (&b.s, &b.y, &b.rho));
            assert_eq!(a.y, newest.y);
        }
        assert!(Curvature::restored(&Snapshot::default(), 0, (4, 5), Device::Cpu).unwrap().is_none());
        assert!(Curvature::restored(&Snapshot::default(), 1, (4, 5), Device::Cpu).is_err());
    }

    #[test]
    fn it_goes_along_with_the_motion_and_nothing_is_known_of_what_is_new() {
        tch::manual_seed(6);
        let random = |size: &[i64]| Tensor::randn(size, (Kind::Float, Device::Cpu));
        let pair = |_| {
            let s = random(&[1, 3, 4, 6]);
            Pair::new(s.shallow_clone(), &s * 2.0, None).unwrap()
        };
        let pairs: VecDeque<Pair> = (0..2).map(pair).collect();
        let known = Curvature::newest(&pairs, &random(&[])).unwrap();
        let motion = random(&[1, 2, 4, 6]).zeros_like();
        let _ = motion.narrow(1, 0, 1).fill_(-1.0);
        let seen = motion.narrow(1, 0, 1).ones_like();
        let _ = seen.narrow(3, 0, 1).fill_(0.0);
        let carried = known.carried(&motion, &seen).unwrap();
        for (before, after) in known.pairs.iter().zip(&carried.pairs) {
            assert!(after.s.narrow(3, 1, 5).allclose(&before.s.narrow(3, 0, 5), 1e-5, 1e-5, false));
            assert_eq!(after.s.narrow(3, 0, 1).abs().max().double_value(&[]), 0.0);
            // rho = 1 / y.s = 1 / 2 s.s
            let expected = 0.5 / before.s.narrow(3, 0, 5).square().sum(Kind::Float).double_value(&[]);
            assert!((after.rho.double_value(&[]) / expected - 1.0).abs() < 1e-4);
        }
        let nothing = known.carried(&motion, &seen.zeros_like()).unwrap();
        assert!(nothing.pairs.iter().all(|pair| pair.rho.double_value(&[]) == 0.0));
        // Where J was not convex, it is not convex on another grid either.
        let refused = VecDeque::from([Pair::new(pairs[0].s.shallow_clone(), -&pairs[0].s, None).unwrap()]);
        let refused = Curvature::newest(&refused, &random(&[])).unwrap().carried(&motion, &seen.ones_like()).unwrap();
        assert_eq!(refused.pairs[0].rho.double_value(&[]), 0.0);
    }
}
