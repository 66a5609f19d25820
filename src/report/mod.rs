//! Progress: stages say what happened, an observer shows it.
//!
//! Everything here goes to stderr. With `--log-format json` every line is one object:
//!
//! | `event` | other fields |
//! |---|---|
//! | `started` | `input`, `output`, `frames` (or null), `width`, `height` |
//! | `frame` | `frame` (from 1), `frames` (or null), `iterations`, `objective`, `seconds`, and the frame's [`Figures`] (null where unknown) |
//! | `pass` | `pass` (from 1), `passes`, `frame` (from 1), `iterations`, `objective`, `seconds`: painted in one of several passes |
//! | `progress` | `what` (`pictures`, `patches`), `done`, `total` (or null), `seconds` of the last one: `layers` |
//! | `note` | `message` |
//! | `warning` | `message` |
//! | `finished` | `output`, `frames`, `seconds`, `waited_for_motion` (seconds of these), `steadiness` (a [`Summary`] or null) |
//! | `skipped` | `input`, `output`, `why` |
//! | `failed` | `input` (null when no single input is to blame), `error` |
//! | `cancelled` | `input`, `frames` |
//!
//! and each has `elapsed`, seconds since the program began. A line without `event` is a log record (`-v`) with
//! `timestamp`, `level`, `target` and `message`.

mod bar;
pub mod download;
mod json;
mod lines;
pub mod log;
mod pace;
mod plain;
mod steadiness;

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::MultiProgress;
use serde::Serialize;

use crate::measure::{Figures, Summary};

pub use bar::BarObserver;
pub use json::JsonObserver;
pub use lines::LinesObserver;
pub use plain::{plain, plain_lines};

/// What a job tells while it runs.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A job begins. `frames` is the expected count where the container tells it.
    Started {
        input: String,
        output: String,
        frames: Option<u64>,
        width: usize,
        height: usize,
    },
    /// A frame is done. `frame` counts from 1.
    Frame {
        frame: u64,
        frames: Option<u64>,
        iterations: u32,
        objective: f64,
        seconds: f64,
        /// Unknown where motion is not looked at.
        #[serde(flatten)]
        figures: Figures,
    },
    /// A frame has been painted in one of several passes. It is done after the last one.
    Pass {
        pass: u32,
        passes: u32,
        frame: u64,
        iterations: u32,
        objective: f64,
        seconds: f64,
    },
    /// How far a search through many pictures is.
    Progress {
        what: &'static str,
        done: u64,
        total: Option<u64>,
        /// That the last step took.
        seconds: f64,
    },
    /// How the job is done: backbone, device, what would do it better.
    Note {
        message: String,
    },
    /// Something the user should know that does not stop the job.
    Warning {
        message: String,
    },
    Finished {
        output: String,
        frames: u64,
        seconds: f64,
        /// Seconds in which the painting stood still because a frame's motion was not yet known.
        waited_for_motion: f64,
        /// How steady the result is, as far as motion was looked at.
        steadiness: Option<Summary>,
    },
    Skipped {
        input: String,
        output: String,
        why: String,
    },
    Failed {
        input: String,
        error: String,
    },
    Cancelled {
        input: String,
        frames: u64,
    },
}

/// Shows events: a bar on a terminal, lines elsewhere, JSON for machines.
pub trait Observer: Send + Sync {
    fn event(&self, event: &Event);
}

/// `--log-format`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// How much is said: `-v` adds one, `-q` takes one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verbosity(pub i8);

impl Verbosity {
    /// Whether `event` is shown: everything, with `-q` only what went wrong, with `-qq` only what failed.
    pub fn shows(self, event: &Event) -> bool {
        match event {
            Event::Failed { .. } | Event::Cancelled { .. } => true,
            Event::Warning { .. } => self.0 >= -1,
            _ => self.0 >= 0,
        }
    }
}

/// How things are shown, decided once in `main`.
#[derive(Debug, Clone)]
pub struct Style {
    pub format: LogFormat,
    pub verbosity: Verbosity,
    /// Whether stderr is a terminal.
    pub terminal: bool,
    /// When the program began.
    pub began: Instant,
    /// What draws bars; log lines are written through it so that they do not tear them.
    pub screen: MultiProgress,
}

impl Style {
    /// The style for this process's stderr.
    pub fn of_stderr(format: LogFormat, verbosity: Verbosity) -> Self {
        Self {
            format,
            verbosity,
            terminal: std::io::stderr().is_terminal(),
            began: Instant::now(),
            screen: MultiProgress::new(),
        }
    }

    fn clock(&self) -> Clock {
        let began = self.began;
        Box::new(move || began.elapsed())
    }
}

/// Time since the program began; a parameter so that tests need not wait.
pub type Clock = Box<dyn Fn() -> Duration + Send + Sync>;

/// The observer for `style`.
pub fn choose(style: &Style) -> Box<dyn Observer> {
    match style.format {
        LogFormat::Json => Box::new(JsonObserver::new(std::io::stderr(), style.clock(), style.verbosity)),
        LogFormat::Text if style.terminal && style.verbosity.0 >= 0 => Box::new(BarObserver::new(style.screen.clone())),
        LogFormat::Text => Box::new(LinesObserver::new(std::io::stderr(), style.clock(), style.verbosity)),
    }
}

/// Shows the error that ends the program, with its causes, in one line.
pub fn final_error(style: &Style, error: &anyhow::Error) {
    let text = causes(error.as_ref());
    let line = match style.format {
        LogFormat::Text => format!("error: {}", plain(&text)),
        LogFormat::Json => json::failed(&text, style.began.elapsed()),
    };
    style.screen.suspend(|| write_line(&mut std::io::stderr(), &line));
}

/// An error and its causes in one line, joined by `: `.
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Messages that name their cause themselves would say it twice.
        let told = error.to_string();
        if !text.contains(&told) {
            text.push_str(&format!(": {told}"));
        }
        cause = error.source();
    }
    // A library's message can be of several lines.
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Writes a line. A stderr that is gone is no reason to stop hours of work.
fn write_line(out: &mut impl Write, line: &str) {
    let _ = writeln!(out, "{line}");
}

/// The lines that text observers have in common; `None` for events they show each in their own way.
fn plain_line(event: &Event) -> Option<String> {
    match event {
        Event::Started { .. } | Event::Frame { .. } | Event::Pass { .. } | Event::Progress { .. } => None,
        Event::Note { message } => Some(plain(message).into_owned()),
        Event::Warning { message } => Some(format!("warning: {}", plain(message))),
        Event::Finished { output, frames, seconds, steadiness, .. } => {
            let took = pace::duration(*seconds);
            let steadiness = steadiness.as_ref().and_then(steadiness::line).map(|line| format!("\n{line}"));
            Some(format!(
                "{}: done, {frames} {} in {took}{}",
                plain(output),
                plural(*frames),
                steadiness.unwrap_or_default()
            ))
        }
        Event::Skipped { input, why, .. } => Some(format!("{}: skipped, {}", plain(input), plain(why))),
        Event::Failed { input, error } if input.is_empty() => Some(format!("error: {}", plain(error))),
        Event::Failed { input, error } if error.contains(input.as_str()) => Some(format!("error: {}", plain(error))),
        Event::Failed { input, error } => Some(format!("error: {}: {}", plain(input), plain(error))),
        Event::Cancelled { input, frames } => {
            Some(format!("{}: interrupted after {frames} {}", plain(input), plural(*frames)))
        }
    }
}

fn plural(frames: u64) -> &'static str {
    if frames == 1 { "frame" } else { "frames" }
}
