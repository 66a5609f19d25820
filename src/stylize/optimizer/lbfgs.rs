//! L-BFGS (Nocedal 1980; Liu & Nocedal 1989) with backtracking, decided on the device.
//!
//! Every decision (is J finite, did it fall enough, is the curvature pair usable) is a 0-d tensor that selects between
//! old and new state, so that a GPU never waits for the host. A refused pair has rho = 0 and takes no part in the
//! two-loop recursion.

use std::collections::VecDeque;

use tch::Tensor;

use super::super::StyleError;
use super::super::objective::{Evaluation, Objective};
use super::Optimizer;
use super::curvature::{Curvature, Pair, dot};
use super::precondition::Preconditioner;

/// Sufficient decrease (Armijo).
const DECREASE: f64 = 1e-4;
/// What a refused step is shortened by.
const SHORTEN: f64 = 0.3;
/// The first step moves no pixel by more than this; the second knows the curvature.
const FIRST_STEP: f64 = 0.01;

/// What is known at the last accepted point.
struct Accepted {
    j: Tensor,
    apart: Tensor,
    gradient: Tensor,
    /// P gradient, with the preconditioner P.
    preconditioned: Tensor,
    direction: Tensor,
    /// gradient . direction
    slope: Tensor,
    /// Share of the direction to go.
    step: Tensor,
    /// What the preconditioner is multiplied by to give the initial inverse Hessian.
    gamma: Tensor,
}

/// A descent by L-BFGS.
pub struct Lbfgs {
    x: Tensor,
    unknown: Tensor,
    accepted: Option<Accepted>,
    pairs: VecDeque<Pair>,
    /// Of a descent before this one.
    known_gamma: Option<Tensor>,
    history: usize,
    preconditioner: Preconditioner,
}

impl Lbfgs {
    /// From `start`, keeping `history` pairs (at least 1). Before anything is known about J's curvature, its inverse
    /// Hessian is taken for a multiple of `preconditioner`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn new(start: &Tensor, history: usize, preconditioner: Preconditioner) -> Result<Self, StyleError> {
        let x = start.f_detach_copy()?;
        let unknown = Tensor::f_full([], f64::NAN, (x.kind(), x.device()))?;
        let (pairs, history) = (VecDeque::new(), history.max(1));
        Ok(Self { x, unknown, accepted: None, pairs, known_gamma: None, history, preconditioner })
    }

    /// Goes on with what the descent of a picture much like this one has learned. What was learned of a picture of another
    /// size is no use, and left.
    pub fn knowing(mut self, known: &Curvature) -> Self {
        if let Some((mut pairs, gamma)) = known.of(&self.x) {
            pairs.drain(..pairs.len().saturating_sub(self.history));
            (self.pairs, self.known_gamma) = (pairs, Some(gamma));
        }
        self
    }

    fn first(&mut self, objective: &dyn Objective) -> Result<(), StyleError> {
        let Evaluation { j, apart, gradient } = objective.evaluate(&self.x)?;
        let largest = gradient.f_abs()?.f_max()?.f_clamp_min(1e-30)?;
        let small = largest.f_reciprocal()?.f_mul_scalar(FIRST_STEP)?;
        let gamma = self.known_gamma.take().unwrap_or(small);
        let preconditioned = self.preconditioner.apply(&gradient)?;
        let (direction, slope) = self.downhill(&gradient, &preconditioned, &gamma)?;
        let step = j.f_ones_like()?;
        self.accepted = Some(Accepted { j, apart, gradient, preconditioned, direction, slope, step, gamma });
        Ok(())
    }

    /// The direction to go in, and gradient . direction.
    fn downhill(
        &self,
        gradient: &Tensor,
        preconditioned: &Tensor,
        gamma: &Tensor,
    ) -> Result<(Tensor, Tensor), StyleError> {
        let direction = self.direction(gradient, gamma)?;
        let slope = dot(gradient, &direction)?;
        // Rounding can spoil a direction; then it is steepest descent again.
        let downhill = slope.f_lt(0.0)?;
        let direction = direction.f_where_self(&downhill, &preconditioned.f_mul(gamma)?.f_neg()?)?;
        let slope = dot(gradient, &direction)?;
        Ok((direction, slope))
    }

    /// -H g by the two-loop recursion.
    fn direction(&self, gradient: &Tensor, gamma: &Tensor) -> Result<Tensor, StyleError> {
        let mut q = gradient.f_neg()?;
        let mut shares = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let share = dot(&pair.s, &q)?.f_mul(&pair.rho)?;
            q = q.f_addcmul_(&pair.y, &share.f_neg()?)?;
            shares.push(share);
        }
        q = self.preconditioner.apply(&q)?.f_mul_(gamma)?;
        for (pair, share) in self.pairs.iter().zip(shares.iter().rev()) {
            let back = dot(&pair.y, &q)?.f_mul(&pair.rho)?;
            q = q.f_addcmul_(&pair.s, &share.f_sub(&back)?)?;
        }
        Ok(q)
    }
}

impl Optimizer for Lbfgs {
    fn step(&mut self, objective: &dyn Objective) -> Result<(), StyleError> {
        let Some(old) = self.accepted.take() else {
            return self.first(objective);
        };
        let move_by = old.direction.f_mul(&old.step)?;
        let trial = self.x.f_add(&move_by)?;
        let Evaluation { j, apart, gradient } = objective.evaluate(&trial)?;

        let bound = old.slope.f_mul(&old.step)?.f_mul_scalar(DECREASE)?.f_add(&old.j)?;
        // A NaN compares false, so a broken evaluation is refused like one that goes uphill.
        let finite = gradient.f_sum(gradient.kind())?.f_isfinite()?.f_logical_and(&j.f_isfinite()?)?;
        let accept = j.f_le_tensor(&bound)?.f_logical_and(&finite)?;

        let zero = j.f_zeros_like()?;
        let s = move_by.f_where_self(&accept, &zero)?;
        let y = gradient.f_sub(&old.gradient)?.f_where_self(&accept, &zero)?;
        let pair = Pair::new(s, y, None)?;
        let gradient = gradient.f_where_self(&accept, &old.gradient)?;
        let preconditioned = self.preconditioner.apply(&gradient)?;
        // P is linear: P y is the difference of two that are known.
        let py = preconditioned.f_sub(&old.preconditioned)?;
        let ypy = dot(&pair.y, &py)?;
        // As a difference it can lose its sign to rounding.
        let known = pair.rho.f_gt(0.0)?.f_logical_and(&ypy.f_gt(0.0)?)?;
        let gamma = pair.rho.f_mul(&ypy)?.f_reciprocal()?.f_where_self(&known, &old.gamma)?;
        if self.pairs.len() == self.history {
            self.pairs.pop_front();
        }
        self.pairs.push_back(pair);

        self.x = trial.f_where_self(&accept, &self.x)?;
        let j = j.f_where_self(&accept, &old.j)?;
        let apart = apart.f_where_self(&accept, &old.apart)?;
        let step = j.f_ones_like()?.f_where_self(&accept, &old.step.f_mul_scalar(SHORTEN)?)?;
        let (direction, slope) = self.downhill(&gradient, &preconditioned, &gamma)?;
        self.accepted = Some(Accepted { j, apart, gradient, preconditioned, direction, slope, step, gamma });
        Ok(())
    }

    fn current(&self) -> (&Tensor, &Tensor) {
        (&self.x, self.accepted.as_ref().map_or(&self.unknown, |accepted| &accepted.j))
    }

    fn apart(&self) -> &Tensor {
        self.accepted.as_ref().map_or(&self.unknown, |accepted| &accepted.apart)
    }

    fn learned(&self) -> Result<Option<Curvature>, StyleError> {
        let accepted = self.accepted.as_ref().filter(|_| !self.pairs.is_empty());
        accepted.map(|accepted| Curvature::newest(&self.pairs, &accepted.gamma)).transpose()
    }
}
