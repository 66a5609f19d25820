//! How long a frame is painted.

use super::FrameStats;
use super::objective::Phase;
use super::optimizer::Preconditioner;

/// A place that came into view is mature, and what later frames are held to, after this share of the iterations that
/// the shot's first frame took.
const MATURE: f64 = 0.5;
/// All iterations of a later frame are used when so much of it is fresh: a tenth of it.
const FRESH: f64 = 10.0;
/// A later frame's J is low enough at this much of the first one's: samples beyond 0..=1, which J has seen and the picture
/// that is carried has lost, make up to 2 %.
const LOW_ENOUGH: f64 = 1.02;
/// Where more than 1 / 4 of a frame is free all iterations may be used, else that much fewer: what little is free would
/// be painted over and over to make up for the rest. Where all is held, one look tells J and nothing moves.
const FREE: f64 = 4.0;

/// When a descent ends, beyond what the settings say.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Iterations at most.
    pub iterations: u32,
    /// Iterations at least, unless J stands still.
    pub at_least: u32,
    /// J (without the temporal term) that is low enough.
    pub target: Option<f64>,
    pub phase: Phase,
    pub preconditioner: Preconditioner,
}

impl Effort {
    /// For a frame after the shot's first one, of which a share `fresh` is not painted yet and a share `held` cannot move
    /// (0..=1 each), with `all` iterations to spend.
    pub fn of_later(all: u32, fresh: f64, held: f64, target: f64, preconditioner: Preconditioner) -> Self {
        let part = |share: f64| (f64::from(all) * share.min(1.0)).ceil() as u32;
        let at_least = part(fresh * FRESH);
        let iterations = part((1.0 - held) * FREE).max(at_least).max(all.min(1));
        Self { iterations, at_least, target: Some(target), phase: Phase::CENTRED, preconditioner }
    }
}

/// J that is low enough for a later frame of a shot whose first frame has `first`.
pub fn low_enough(first: &FrameStats) -> f64 {
    first.objective * LOW_ENOUGH
}

/// The maturity that `iterations` of a later frame give.
pub fn gained(iterations: u32, first: &FrameStats) -> f64 {
    f64::from(iterations) / (MATURE * f64::from(first.iterations.max(1)))
}
