//! A job: which part of which input becomes which output, and the engine that repaints it.
//!
//! Everything that plans, identifies, resumes or runs a job is in a layer above this module.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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

/// A range of the shots of a source, counted from 0, as `1..3` or `1..`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shots {
    pub from: u64,
    /// The shot after the last one; `None`: up to the end. Above `from`.
    pub to: Option<u64>,
}

impl Shots {
    /// Whether `shot` is one of them.
    pub fn contains(self, shot: u64) -> bool {
        shot >= self.from && !self.is_past(shot)
    }

    /// Whether `shot` comes after all of them.
    pub fn is_past(self, shot: u64) -> bool {
        self.to.is_some_and(|to| shot >= to)
    }
}

impl fmt::Display for Shots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..", self.from)?;
        self.to.map_or(Ok(()), |to| write!(f, "{to}"))
    }
}

impl FromStr for Shots {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        let shots = text.split_once("..").and_then(|(from, to)| {
            let to = if to.is_empty() { None } else { Some(number(to)?) };
            Some(Self { from: number(from)?, to })
        });
        let shots = shots.filter(|shots| shots.to.is_none_or(|to| shots.from < to));
        shots.ok_or_else(|| {
            format!("`{text}` is no range of shots: use I..J (from I, counted from 0, to before J) or I..")
        })
    }
}

/// Which share of a job a run does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Share {
    /// All of it.
    #[default]
    Whole,
    /// Paints only these shots, and keeps their parts in a work folder of their own.
    Shots(Shots),
    /// Paints nothing, and makes the output of the parts in these work folders.
    Join(Vec<PathBuf>),
}

impl Share {
    /// Returns the shots that a run is confined to, if it is.
    pub fn shots(&self) -> Option<Shots> {
        match self {
            Self::Shots(shots) => Some(*shots),
            Self::Whole | Self::Join(_) => None,
        }
    }
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
    pub share: Share,
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_shots_are_read_as_they_are_written() {
        for (text, from, to) in [("0..1", 0, Some(1)), ("1..3", 1, Some(3)), ("2..", 2, None)] {
            let shots: Shots = text.parse().unwrap();
            assert_eq!(shots, Shots { from, to });
            assert_eq!(shots.to_string(), text);
        }
        for wrong in ["", "1", "..", "..3", "3..3", "3..1", "+1..2", "-1..2", "1...2", "a..b", " 1..2"] {
            assert!(wrong.parse::<Shots>().is_err(), "{wrong}");
        }
        let shots = Shots { from: 1, to: Some(3) };
        assert_eq!([0, 1, 2, 3].map(|shot| shots.contains(shot)), [false, true, true, false]);
    }
}
