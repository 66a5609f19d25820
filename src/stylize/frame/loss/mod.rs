//! The terms of the objective J: each a scalar tensor that autograd differentiates, and a function of sums over the
//! places of a frame.

mod chroma;
mod content;
mod facts;
mod flatness;
mod luminance;
mod measures;
mod style;
mod temporal;
mod term;
mod variation;
mod view;
mod window;

use tch::no_grad;

use self::term::MaybeTerm;
use crate::stylize::StyleError;

pub use chroma::Chroma;
pub use content::Content;
pub(in crate::stylize) use facts::{FrameFacts, ShotFacts};
pub use flatness::{Flatness, share_of_detail};
pub use luminance::Luminance;
pub(in crate::stylize) use measures::energy;
pub(in crate::stylize) use style::of_shot as style_of_shot;
pub use style::{GramTarget, Style, gram};
pub use temporal::Temporal;
pub use term::{LossTerm, Sums};
pub use variation::Variation;
pub use view::View;
pub use window::{Span, Window};

/// All terms of J, in the order in which their values are added and reported.
const TERMS: [fn(&FrameFacts<'_>) -> MaybeTerm; 7] =
    [content::of, style::of, variation::of, flatness::of, luminance::of, chroma::of, temporal::of];

/// Returns the terms of J for a frame.
///
/// # Errors
/// Returns what libtorch reports.
pub(in crate::stylize) fn terms(frame: &FrameFacts<'_>) -> Result<Vec<Box<dyn LossTerm>>, StyleError> {
    no_grad(|| TERMS.iter().filter_map(|of| of(frame).transpose()).collect())
}
