//! L-BFGS (Nocedal 1980; Liu & Nocedal 1989) with backtracking, decided on the device.
//!
//! Every decision (is J finite, did it fall enough, is the curvature pair usable) is a 0-d tensor that selects between
//! old and new state, so that a GPU never waits for the host. A rejected pair has rho = 0 and has no effect on the
//! two-loop recursion.

use std::collections::VecDeque;

use tch::Tensor;

use super::super::objective::{Evaluation, Objective};
use super::Optimizer;
use super::curvature::{Curvature, Pair, dot};
use super::precondition::Preconditioner;
use crate::stylize::StyleError;

/// Sufficient decrease (Armijo).
const DECREASE: f64 = 1e-4;
/// Factor by which a rejected step is shortened.
const SHORTEN: f64 = 0.3;
/// Without known curvature, the first step moves no pixel by more than this; the second step uses the curvature.
const FIRST_STEP: f64 = 0.01;

/// The state at the last accepted point.
struct Accepted {
    j: Tensor,
    apart: Tensor,
    terms: Tensor,
    gradient: Tensor,
    /// P gradient, with the preconditioner P.
    preconditioned: Tensor,
    direction: Tensor,
    /// gradient . direction
    slope: Tensor,
    /// The fraction of the direction to move by.
    step: Tensor,
    /// The factor that turns the preconditioner into the initial inverse Hessian.
    gamma: Tensor,
}

/// A descent by L-BFGS.
pub struct Lbfgs {
    x: Tensor,
    unknown: Tensor,
    accepted: Option<Accepted>,
    pairs: VecDeque<Pair>,
    /// gamma from a previous descent.
    known_gamma: Option<Tensor>,
    history: usize,
    preconditioner: Preconditioner,
}

impl Lbfgs {
    /// Starts at `start` and keeps `history` pairs (at least 1). Until J's curvature is known, its inverse Hessian is
    /// assumed to be a multiple of `preconditioner`.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn new(start: &Tensor, history: usize, preconditioner: Preconditioner) -> Result<Self, StyleError> {
        let x = start.f_detach_copy()?;
        let unknown = Tensor::f_full([], f64::NAN, (x.kind(), x.device()))?;
        let (pairs, history) = (VecDeque::new(), history.max(1));
        Ok(Self { x, unknown, accepted: None, pairs, known_gamma: None, history, preconditioner })
    }

    /// Continues with the curvature from the descent of a similar picture; ignores it if the picture sizes differ.
    pub fn with_curvature(mut self, known: &Curvature) -> Self {
        if let Some((mut pairs, gamma)) = known.of(&self.x) {
            pairs.drain(..pairs.len().saturating_sub(self.history));
            (self.pairs, self.known_gamma) = (pairs, Some(gamma));
        }
        self
    }

    fn first(&mut self, objective: &dyn Objective) -> Result<(), StyleError> {
        let Evaluation { j, apart, terms, gradient } = objective.evaluate(&self.x)?;
        let largest = gradient.f_abs()?.f_max()?.f_clamp_min(1e-30)?;
        let small = largest.f_reciprocal()?.f_mul_scalar(FIRST_STEP)?;
        let gamma = self.known_gamma.take().unwrap_or(small);
        let preconditioned = self.preconditioner.apply(&gradient)?;
        let (direction, slope) = self.downhill(&gradient, &preconditioned, &gamma)?;
        let step = j.f_ones_like()?;
        self.accepted = Some(Accepted { j, apart, terms, gradient, preconditioned, direction, slope, step, gamma });
        Ok(())
    }

    /// Returns the search direction, and gradient . direction.
    fn downhill(
        &self,
        gradient: &Tensor,
        preconditioned: &Tensor,
        gamma: &Tensor,
    ) -> Result<(Tensor, Tensor), StyleError> {
        let direction = self.direction(gradient, gamma)?;
        let slope = dot(gradient, &direction)?;
        // Rounding can spoil a direction; fall back to preconditioned steepest descent.
        let downhill = slope.f_lt(0.0)?;
        let direction = direction.f_where_self(&downhill, &preconditioned.f_mul(gamma)?.f_neg()?)?;
        let slope = dot(gradient, &direction)?;
        Ok((direction, slope))
    }

    /// Returns -H g, computed by the two-loop recursion.
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
        let Evaluation { j, apart, terms, gradient } = objective.evaluate(&trial)?;

        let bound = old.slope.f_mul(&old.step)?.f_mul_scalar(DECREASE)?.f_add(&old.j)?;
        // Comparisons with NaN are false, so a broken evaluation is rejected like a step uphill.
        let finite = gradient.f_sum(gradient.kind())?.f_isfinite()?.f_logical_and(&j.f_isfinite()?)?;
        let accept = j.f_le_tensor(&bound)?.f_logical_and(&finite)?;

        let zero = j.f_zeros_like()?;
        let s = move_by.f_where_self(&accept, &zero)?;
        let y = gradient.f_sub(&old.gradient)?.f_where_self(&accept, &zero)?;
        let pair = Pair::new(s, y, None)?;
        let gradient = gradient.f_where_self(&accept, &old.gradient)?;
        let preconditioned = self.preconditioner.apply(&gradient)?;
        // P is linear: P y is the difference of two known vectors.
        let py = preconditioned.f_sub(&old.preconditioned)?;
        let ypy = dot(&pair.y, &py)?;
        // Rounding can make this difference negative.
        let known = pair.rho.f_gt(0.0)?.f_logical_and(&ypy.f_gt(0.0)?)?;
        let gamma = pair.rho.f_mul(&ypy)?.f_reciprocal()?.f_where_self(&known, &old.gamma)?;
        if self.pairs.len() == self.history {
            self.pairs.pop_front();
        }
        self.pairs.push_back(pair);

        self.x = trial.f_where_self(&accept, &self.x)?;
        let j = j.f_where_self(&accept, &old.j)?;
        let apart = apart.f_where_self(&accept, &old.apart)?;
        let terms = terms.f_where_self(&accept, &old.terms)?;
        let step = j.f_ones_like()?.f_where_self(&accept, &old.step.f_mul_scalar(SHORTEN)?)?;
        let (direction, slope) = self.downhill(&gradient, &preconditioned, &gamma)?;
        self.accepted = Some(Accepted { j, apart, terms, gradient, preconditioned, direction, slope, step, gamma });
        Ok(())
    }

    fn current(&self) -> (&Tensor, &Tensor) {
        (&self.x, self.accepted.as_ref().map_or(&self.unknown, |accepted| &accepted.j))
    }

    fn apart(&self) -> &Tensor {
        self.accepted.as_ref().map_or(&self.unknown, |accepted| &accepted.apart)
    }

    fn terms(&self) -> &Tensor {
        self.accepted.as_ref().map_or(&self.unknown, |accepted| &accepted.terms)
    }

    fn learned(&self) -> Result<Option<Curvature>, StyleError> {
        let accepted = self.accepted.as_ref().filter(|_| !self.pairs.is_empty());
        accepted.map(|accepted| Curvature::newest(&self.pairs, &accepted.gamma)).transpose()
    }
}
