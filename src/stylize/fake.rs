//! A stylizer that changes nothing: it proves what the rest of the pipeline keeps.

use super::{FrameStats, Shot, StyleError, Stylized, Stylizer};
use crate::media::Pixels;

/// Gives every picture back as it came.
#[derive(Debug, Default)]
pub struct Identity;

impl Stylizer for Identity {
    fn stylize(&mut self, content: &Pixels, _shot: Shot) -> Result<Stylized, StyleError> {
        Ok(Stylized { pixels: content.clone(), stats: FrameStats::default() })
    }
}
