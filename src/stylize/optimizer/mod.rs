//! Gradient descent on pixels. Everything stays on the device; the host looks at J only now and then.

mod adam;
mod curvature;
mod lbfgs;
mod precondition;

use tch::Tensor;

use super::StyleError;
use super::objective::Objective;
use super::tensor::scalar;
use crate::interrupt::CancelToken;
use crate::settings::{Method, OptimizerSettings};

pub use adam::Adam;
pub use curvature::Curvature;
pub use lbfgs::Lbfgs;
pub use precondition::Preconditioner;

/// A descent in progress. One step is one evaluation of J and its gradient.
pub trait Optimizer {
    /// # Errors
    /// What the objective reports.
    fn step(&mut self, objective: &dyn Objective) -> Result<(), StyleError>;
    /// The last accepted point and J there (0-d, on the device); before the first step, J is NaN.
    fn current(&self) -> (&Tensor, &Tensor);
    /// The part of that J which a target does not count (0-d, on the device).
    fn apart(&self) -> &Tensor;
    /// What the descent of a picture much like this one can go on with.
    ///
    /// # Errors
    /// What libtorch reports.
    fn learned(&self) -> Result<Option<Curvature>, StyleError> {
        Ok(None)
    }
}

/// A descent from `start`, which goes on with what is `known` of J's curvature. Adam, which scales each pixel's steps by
/// itself, has no use for that, nor for `preconditioner`.
///
/// # Errors
/// What libtorch reports.
pub fn begin(
    settings: &OptimizerSettings,
    start: &Tensor,
    preconditioner: Preconditioner,
    known: Option<&Curvature>,
) -> Result<Box<dyn Optimizer>, StyleError> {
    Ok(match settings.method {
        Method::Lbfgs => {
            let lbfgs = Lbfgs::new(start, settings.history as usize, preconditioner)?;
            Box::new(match known {
                Some(known) => lbfgs.knowing(known),
                None => lbfgs,
            })
        }
        Method::Adam => Box::new(Adam::new(start, settings.learning_rate)?),
    })
}

/// When a descent ends.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Steps at most.
    pub iterations: u32,
    /// Steps at least before a target counts.
    pub at_least: u32,
    /// Relative change of J over `check_every` evaluations below which it ends early; 0 never.
    pub tolerance: f64,
    pub check_every: u32,
    /// J, without its part [`Optimizer::apart`], that is low enough.
    pub target: Option<f64>,
}

/// The end of a descent.
#[derive(Debug)]
pub struct Minimum {
    pub x: Tensor,
    pub iterations: u32,
    /// J at the start and at the end, without its part [`Optimizer::apart`].
    pub initial: f64,
    pub objective: f64,
    /// That part at the end.
    pub apart: f64,
}

/// Steps until the budget is used up or J stands still. There is no absolute tolerance: J's size says nothing (it ends
/// frames after two iterations in tools that have one).
///
/// # Errors
/// `NotFinite` when J has no finite value at the start; `Cancelled` when the run is to end.
pub fn descend(
    optimizer: &mut dyn Optimizer,
    objective: &dyn Objective,
    budget: Budget,
    cancel: &CancelToken,
) -> Result<Minimum, StyleError> {
    let (mut initial, mut last, mut iterations) = (f64::NAN, f64::NAN, 0);
    while iterations < budget.iterations {
        if cancel.is_cancelled() {
            return Err(StyleError::Cancelled);
        }
        optimizer.step(objective)?;
        iterations += 1;
        let looks = iterations == 1 || iterations % budget.check_every.max(1) == 0;
        if !looks {
            continue;
        }
        let j = scalar(optimizer.current().1)?;
        if iterations == 1 {
            if !j.is_finite() {
                return Err(StyleError::NotFinite(format!("J = {j}")));
            }
            initial = j - scalar(optimizer.apart())?;
        } else if budget.tolerance > 0.0 && (last - j).abs() <= budget.tolerance * last.abs() {
            break;
        }
        if let Some(target) = budget.target
            && iterations >= budget.at_least
            && j - scalar(optimizer.apart())? <= target
        {
            break;
        }
        last = j;
    }
    let (x, j) = optimizer.current();
    let apart = scalar(optimizer.apart())?;
    Ok(Minimum { x: x.shallow_clone(), iterations, initial, objective: scalar(j)? - apart, apart })
}
