//! A job: which part of which input becomes which output, and the engine that repaints it.
//!
//! Everything that plans, identifies, resumes or runs a job is in a layer above this module.

use std::path::Path;

use crate::media::{Input, Output, Range};
use crate::settings::IfExists;

/// The method that repaints the frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Engine {
    /// Gradient descent on pixels.
    #[default]
    Optimise,
    /// Returns frames unchanged; for tests of everything else.
    Identity,
    /// Paints known colours; for tests of errors that an identity round trip hides.
    Bars,
}

/// One input, its output and the range of frames to stylize.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    pub input: Input,
    pub output: Output,
    pub range: Range,
    /// What to do if the output exists.
    pub if_exists: IfExists,
    /// Whether the job comes from a folder or a job file: it runs repeatedly, and no user watches.
    pub unattended: bool,
    /// Whether the input was found in a folder or by a glob, rather than named by the user.
    pub found: bool,
    /// What has changed since the output was made, if that is why the job runs again.
    pub changed: Option<String>,
}

impl Job {
    /// Returns the input file, or the folder that holds the input.
    pub fn input_path(&self) -> &Path {
        self.input.path()
    }

    /// Returns whether the user has left open what to do with an existing output.
    pub fn is_to_decide(&self) -> bool {
        self.unattended && self.if_exists == IfExists::Skip
    }
}
