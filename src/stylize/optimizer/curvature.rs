//! What a descent has learned of J's curvature, for the next frame's: much the same picture, much the same J.

use std::collections::VecDeque;

use tch::{Device, Tensor};

use super::super::tensor::scalar;
use super::super::{Snapshot, StyleError};

/// So many pairs go on to the next frame: all twenty of a descent do no better, and each is two pictures in a snapshot.
const KEPT: usize = 8;

/// s = x' - x, y = g' - g, rho = 1 / y.s (0 for a refused pair).
#[derive(Debug)]
pub(super) struct Pair {
    pub s: Tensor,
    pub y: Tensor,
    pub rho: Tensor,
}

/// The newest pairs of a descent by L-BFGS, and its scale.
#[derive(Debug)]
pub struct Curvature {
    /// Oldest first.
    pairs: Vec<Pair>,
    /// What the preconditioner is multiplied by to give the initial inverse Hessian, 0-d.
    gamma: Tensor,
}

impl Curvature {
    /// The newest of `pairs`, in one layout in memory, as a picture has that is read from a snapshot: another may be summed
    /// in another order.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(super) fn newest(pairs: &VecDeque<Pair>, gamma: &Tensor) -> Result<Self, StyleError> {
        let newest = pairs.iter().skip(pairs.len().saturating_sub(KEPT));
        let kept = |Pair { s, y, rho }: &Pair| -> Result<Pair, StyleError> {
            Ok(Pair { s: s.f_contiguous()?, y: y.f_contiguous()?, rho: rho.shallow_clone() })
        };
        Ok(Self { pairs: newest.map(kept).collect::<Result<_, _>>()?, gamma: gamma.shallow_clone() })
    }

    /// The same pairs, oldest first, and gamma; `None` where they are of pictures of another size than `x`.
    pub(super) fn of(&self, x: &Tensor) -> Option<(VecDeque<Pair>, Tensor)> {
        let same =
            |pair: &Pair| Pair { s: pair.s.shallow_clone(), y: pair.y.shallow_clone(), rho: pair.rho.shallow_clone() };
        let fits = self.pairs.iter().all(|pair| pair.s.size() == x.size());
        fits.then(|| (self.pairs.iter().map(same).collect(), self.gamma.shallow_clone()))
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Notes it for another process.
    ///
    /// # Errors
    /// What libtorch reports.
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

    /// What [`Curvature::keep`] noted: `pairs` of them, of height `h` and width `w`; `None` where there are none.
    ///
    /// # Errors
    /// When something is missing; what libtorch reports.
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
}
