//! Adam (Kingma & Ba 2015), with the betas that suit pixels.

use tch::Tensor;

use super::super::objective::{Evaluation, Objective};
use super::Optimizer;
use crate::stylize::StyleError;

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.99;
const EPS: f64 = 1e-8;

/// A descent by Adam.
pub struct Adam {
    /// The last point with a finite evaluation, and J there.
    x: Tensor,
    j: Tensor,
    apart: Tensor,
    terms: Tensor,
    /// The next point to evaluate.
    next: Tensor,
    first_moment: Tensor,
    second_moment: Tensor,
    steps: i32,
    /// Step size, 0-d; reduced whenever an evaluation is not finite.
    rate: Tensor,
}

impl Adam {
    /// Starts at `start`; a step moves a pixel by about `rate` (in 0..=1).
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn new(start: &Tensor, rate: f64) -> Result<Self, StyleError> {
        let x = start.f_detach_copy()?;
        let options = (x.kind(), x.device());
        Ok(Self {
            next: x.f_detach_copy()?,
            j: Tensor::f_full([], f64::NAN, options)?,
            apart: Tensor::f_full([], f64::NAN, options)?,
            terms: Tensor::f_full([], f64::NAN, options)?,
            first_moment: x.f_zeros_like()?,
            second_moment: x.f_zeros_like()?,
            steps: 0,
            rate: Tensor::f_full([], rate, options)?,
            x,
        })
    }
}

impl Optimizer for Adam {
    fn step(&mut self, objective: &dyn Objective) -> Result<(), StyleError> {
        let Evaluation { j, apart, terms, gradient } = objective.evaluate(&self.next)?;
        let mut finite = gradient.f_sum(gradient.kind())?.f_isfinite()?.f_logical_and(&j.f_isfinite()?)?;
        if self.steps == 0 {
            // There is no earlier point to return to, and the caller must see J.
            finite = finite.f_ones_like()?;
        }
        let zero = j.f_zeros_like()?;
        let gradient = gradient.f_where_self(&finite, &zero)?;
        self.x = self.next.f_where_self(&finite, &self.x)?;
        self.j = j.f_where_self(&finite, &self.j)?;
        self.apart = apart.f_where_self(&finite, &self.apart)?;
        self.terms = terms.f_where_self(&finite, &self.terms)?;
        self.rate = self.rate.f_where_self(&finite, &self.rate.f_mul_scalar(0.3)?)?;

        self.steps += 1;
        self.first_moment = self.first_moment.f_mul_scalar(BETA1)?.f_add(&gradient.f_mul_scalar(1.0 - BETA1)?)?;
        self.second_moment =
            self.second_moment.f_mul_scalar(BETA2)?.f_add(&gradient.f_square()?.f_mul_scalar(1.0 - BETA2)?)?;
        let mean = self.first_moment.f_div_scalar(1.0 - BETA1.powi(self.steps))?;
        let deviation = self.second_moment.f_div_scalar(1.0 - BETA2.powi(self.steps))?.f_sqrt()?.f_add_scalar(EPS)?;
        self.next = self.x.f_sub(&mean.f_div(&deviation)?.f_mul(&self.rate)?)?;
        Ok(())
    }

    fn current(&self) -> (&Tensor, &Tensor) {
        (&self.x, &self.j)
    }

    fn apart(&self) -> &Tensor {
        &self.apart
    }

    fn terms(&self) -> &Tensor {
        &self.terms
    }
}
