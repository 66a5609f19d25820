//! Gradient descent on pixels. All state stays on the device; the host reads J only from time to time.

mod adam;
mod curvature;
mod lbfgs;
mod precondition;

use tch::Tensor;

use super::objective::Objective;
use crate::interrupt::CancelToken;
use crate::settings::{Method, OptimizerSettings};
use crate::stylize::StyleError;
use crate::stylize::tensor::{scalar, to_planes};

pub use adam::Adam;
pub use curvature::Curvature;
pub use lbfgs::Lbfgs;
pub use precondition::Preconditioner;

/// A descent in progress. One step is one evaluation of J and its gradient.
pub trait Optimizer {
    /// Takes one step.
    ///
    /// # Errors
    /// Returns what the objective reports.
    fn step(&mut self, objective: &dyn Objective) -> Result<(), StyleError>;
    /// Returns the last accepted point and J there (0-d, on the device); before the first step, J is NaN.
    fn current(&self) -> (&Tensor, &Tensor);
    /// Returns the part of that J that is reported apart from the rest (0-d, on the device). The descent lowers it
    /// too, but a target ignores it: it does not show how good a picture is compared with another one.
    fn apart(&self) -> &Tensor;
    /// Returns the value of each term of that J ([`Evaluation::terms`], on the device).
    ///
    /// [`Evaluation::terms`]: super::objective::Evaluation::terms
    fn terms(&self) -> &Tensor;
    /// Returns the curvature that the descent of a similar picture can start from.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    fn learned(&self) -> Result<Option<Curvature>, StyleError> {
        Ok(None)
    }
}

/// Starts a descent at `start`, using the curvature in `known`. Adam scales the steps of each pixel itself and ignores
/// `known` and `preconditioner`.
///
/// # Errors
/// Returns what libtorch reports.
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
                Some(known) => lbfgs.with_curvature(known),
                None => lbfgs,
            })
        }
        Method::Adam => Box::new(Adam::new(start, settings.learning_rate)?),
    })
}

/// When a descent ends.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Maximum number of steps.
    pub iterations: u32,
    /// Minimum number of steps before the target may end the descent.
    pub at_least: u32,
    /// The descent ends early if J changes by at most this share over `check_every` evaluations; 0 disables it.
    pub tolerance: f64,
    pub check_every: u32,
    /// The descent ends at this value of J, excluding the part [`Optimizer::apart`].
    pub target: Option<f64>,
}

/// The result of a descent.
#[derive(Debug)]
pub struct Minimum {
    pub x: Tensor,
    pub iterations: u32,
    /// J at the start and at the end, excluding the part [`Optimizer::apart`].
    pub initial: f64,
    pub objective: f64,
    /// The part [`Optimizer::apart`] at the end.
    pub apart: f64,
    /// The value of each term at the end; empty if there was no step.
    pub terms: Vec<f32>,
}

/// Steps until the budget is used up, J stops changing or the target is reached. There is no absolute tolerance,
/// because the size of J means nothing by itself (tools that have one end frames after two iterations).
///
/// # Errors
/// `NotFinite` if J is not finite at the start; `Cancelled` if the run was cancelled.
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
    // Read once, because each read waits for the device.
    let terms = if iterations > 0 { to_planes(optimizer.terms())? } else { Vec::new() };
    Ok(Minimum { x: x.shallow_clone(), iterations, initial, objective: scalar(j)? - apart, apart, terms })
}
