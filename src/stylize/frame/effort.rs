//! Iteration budget of a frame.

use super::optimizer::Preconditioner;
use super::phase::Phase;
use crate::stylize::FrameStats;

/// An area that came into view is mature, and binds later frames, after this share of the iterations that the shot's
/// first frame took.
const MATURE: f64 = 0.5;
/// The share of fresh pixels, times this, is the minimum share of iterations: all of them from a tenth of the frame on.
const FRESH: f64 = 10.0;
/// A later frame's J is low enough at this multiple of the first frame's. Samples beyond 0..=1, which J has seen but
/// the carried picture has lost, account for up to 2 %.
const LOW_ENOUGH: f64 = 1.02;
/// Up to all iterations may be used where more than 1 / 4 of a frame is free, proportionally fewer below that:
/// otherwise the small free part would be repainted over and over to make up for the rest. Where everything is held,
/// one iteration measures J and nothing moves.
const FREE: f64 = 4.0;

/// Limits of a descent, in addition to the settings.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Maximum number of iterations.
    pub iterations: u32,
    /// Minimum number of iterations, unless J stops falling.
    pub at_least: u32,
    /// J (without the temporal term) at which the descent stops.
    pub target: Option<f64>,
    pub phase: Phase,
    pub preconditioner: Preconditioner,
}

impl Effort {
    /// Budget for a frame after the shot's first one. A share `fresh` of it is not painted yet, a share `held` cannot
    /// move (0..=1 each), and at most `all` iterations are available.
    pub fn of_later(all: u32, fresh: f64, held: f64, target: f64, preconditioner: Preconditioner) -> Self {
        let part = |share: f64| (f64::from(all) * share.min(1.0)).ceil() as u32;
        let at_least = part(fresh * FRESH);
        let iterations = part((1.0 - held) * FREE).max(at_least).max(all.min(1));
        Self { iterations, at_least, target: Some(target), phase: Phase::CENTRED, preconditioner }
    }
}

/// Returns the J at which a later frame is good enough, given the stats `first` of the shot's first frame.
pub fn low_enough(first: &FrameStats) -> f64 {
    first.objective * LOW_ENOUGH
}

/// Returns the maturity that a later frame gains by `iterations`.
pub fn gained(iterations: u32, first: &FrameStats) -> f64 {
    f64::from(iterations) / (MATURE * f64::from(first.iterations.max(1)))
}
