//! Reports progress: the stages emit events, and an observer shows them.
//!
//! All output of this module goes to stderr. With `--log-format json`, every line is one object. `docs/events.md` lists
//! them, and tests compare them with `docs/events.schema.json`: a change here needs a change there.

mod bar;
pub mod download;
mod json;
mod lines;
pub mod log;
mod pace;
mod sanitised;
mod steadiness;
mod table;
pub mod telemetry;

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::MultiProgress;
use serde::Serialize;

use crate::interrupt::{CancelToken, Reason};
use crate::measure::{Figures, Summary};

pub use bar::BarObserver;
pub use json::JsonObserver;
pub use lines::LinesObserver;
pub use pace::duration;
pub use sanitised::{sanitised, sanitised_lines};
pub use table::{JobResult, Outcome, count};

/// An event that a run or a job reports.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run begins.
    RunStarted {
        version: String,
        jobs: u64,
    },
    /// A job begins. `frames` is the expected number, if the container states it.
    Started {
        input: String,
        output: String,
        frames: Option<u64>,
        width: usize,
        height: usize,
    },
    /// The job continues after the frames that an earlier run painted.
    Resumed {
        input: String,
        frames: u64,
    },
    /// A frame is finished. `frame` counts from 1.
    Frame {
        frame: u64,
        frames: Option<u64>,
        iterations: u32,
        objective: f64,
        seconds: f64,
        /// The terms of J in the returned frame, by name; empty if nothing was optimised.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        terms: BTreeMap<&'static str, f64>,
        /// Empty if motion is not estimated.
        #[serde(flatten)]
        figures: Figures,
    },
    /// One of several passes has painted a frame. The frame is finished after the last pass.
    Pass {
        pass: u32,
        passes: u32,
        frame: u64,
        iterations: u32,
        objective: f64,
        seconds: f64,
    },
    /// Progress of a search through many pictures.
    Progress {
        what: &'static str,
        done: u64,
        total: Option<u64>,
        /// Duration of the last step.
        seconds: f64,
    },
    /// Information about how the job runs: backbone, device, hints for a better result.
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
        /// Seconds for which painting waited because a frame's motion was not known yet.
        waited_for_motion: f64,
        /// Steadiness of the result, if motion was estimated.
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
    /// The job was stopped before its end. `frames` are painted.
    Cancelled {
        input: String,
        frames: u64,
        reason: Stop,
    },
    /// The jobs of the run have ended; `outcome` of [`JobResult`] is `done`, `skipped`, `failed`, `busy`,
    /// `cancelled` or `not_begun`.
    Batch {
        jobs: Vec<JobResult>,
        seconds: f64,
    },
    /// The run is over.
    RunFinished {
        done: u64,
        skipped: u64,
        failed: u64,
        cancelled: u64,
        not_begun: u64,
        seconds: f64,
        /// Set if the run was stopped before all jobs were done.
        stopped: Option<Stop>,
    },
}

/// The reason why a run was stopped before all its jobs were done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    Signal,
    TimeIsUp,
}

impl Stop {
    pub fn of(cancel: &CancelToken) -> Self {
        match cancel.reason() {
            Some(Reason::TimeIsUp) => Self::TimeIsUp,
            Some(Reason::Signal(_)) | None => Self::Signal,
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Signal => "interrupted",
            Self::TimeIsUp => "time is up",
        }
    }
}

/// Shows events: as a bar on a terminal, as lines elsewhere, as JSON for machines.
pub trait Observer: Send + Sync {
    fn event(&self, event: &Event);

    /// Creates an observer for one of several concurrent jobs, numbered from 1; `None` if this one serves all jobs.
    fn for_job(&self, _number: u64) -> Option<Box<dyn Observer>> {
        None
    }
}

/// The value of `--log-format`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// The amount of output: `-v` adds one, `-q` subtracts one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verbosity(pub i8);

impl Verbosity {
    /// Whether `event` is shown: normally every event, with `-q` only warnings and failures, with `-qq` only failures.
    pub fn shows(self, event: &Event) -> bool {
        match event {
            Event::Failed { .. } | Event::Cancelled { .. } => true,
            Event::RunFinished { stopped, .. } => self.0 >= 0 || stopped.is_some(),
            Event::Warning { .. } => self.0 >= -1,
            _ => self.0 >= 0,
        }
    }
}

/// The style of all output, decided once in `main`.
#[derive(Debug, Clone)]
pub struct Style {
    pub format: LogFormat,
    pub verbosity: Verbosity,
    /// Whether stderr is a terminal.
    pub terminal: bool,
    /// Start time of the program.
    pub began: Instant,
    /// Draws the bars. Log lines are written through it so that they do not disrupt the bars.
    pub screen: MultiProgress,
}

impl Style {
    /// Returns the style for this process's stderr.
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

/// Returns the time since the program started; a parameter so that tests need not wait.
pub type Clock = Box<dyn Fn() -> Duration + Send + Sync>;

/// Returns the observer for `style`.
pub fn choose(style: &Style) -> Box<dyn Observer> {
    match style.format {
        LogFormat::Json => Box::new(JsonObserver::new(std::io::stderr(), style.clock(), style.verbosity)),
        LogFormat::Text if style.terminal && style.verbosity.0 >= 0 => Box::new(BarObserver::new(style.screen.clone())),
        LogFormat::Text => Box::new(LinesObserver::new(std::io::stderr(), style.clock(), style.verbosity)),
    }
}

/// Prints the error that ends the program, with its causes, in one line.
pub fn final_error(style: &Style, error: &anyhow::Error) {
    let text = causes(error.as_ref());
    let line = match style.format {
        LogFormat::Text => format!("error: {}", sanitised(&text)),
        LogFormat::Json => json::failed(&text, style.began.elapsed()),
    };
    style.screen.suspend(|| write_line(&mut std::io::stderr(), &line));
}

/// Formats an error and its causes in one line, joined by `: `.
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Some messages already contain their cause.
        let told = error.to_string();
        if !text.contains(&told) {
            text.push_str(&format!(": {told}"));
        }
        cause = error.source();
    }
    // Messages of libraries can have several lines.
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Writes a line. A closed stderr is no reason to stop hours of work, so errors are ignored.
fn write_line(out: &mut impl Write, line: &str) {
    let _ = writeln!(out, "{line}");
}

/// Returns the text that all text observers print for an event; `None` for events that each formats differently, and
/// for the start of the run.
fn plain_line(event: &Event) -> Option<String> {
    match event {
        Event::Started { .. } | Event::Frame { .. } | Event::Pass { .. } | Event::Progress { .. } => None,
        Event::RunStarted { .. } => None,
        Event::Resumed { frames, .. } => Some(format!("resumes after {frames} painted {}", plural(*frames))),
        Event::Note { message } => Some(sanitised(message).into_owned()),
        Event::Warning { message } => Some(format!("warning: {}", sanitised(message))),
        Event::Finished { output, frames, seconds, steadiness, .. } => {
            let took = pace::duration(*seconds);
            let steadiness = steadiness.as_ref().and_then(steadiness::line).map(|line| format!("\n{line}"));
            Some(format!(
                "{}: done, {frames} {} in {took}{}",
                sanitised(output),
                plural(*frames),
                steadiness.unwrap_or_default()
            ))
        }
        Event::Skipped { input, why, .. } => Some(format!("{}: skipped, {}", sanitised(input), sanitised(why))),
        Event::Failed { input, error } if input.is_empty() => Some(format!("error: {}", sanitised(error))),
        Event::Failed { input, error } if error.contains(input.as_str()) => {
            Some(format!("error: {}", sanitised(error)))
        }
        Event::Failed { input, error } => Some(format!("error: {}: {}", sanitised(input), sanitised(error))),
        Event::Cancelled { input, frames, reason: Stop::Signal } => {
            Some(format!("{}: interrupted after {frames} {}", sanitised(input), plural(*frames)))
        }
        Event::Batch { jobs, seconds } => Some(table::text(jobs, *seconds)),
        Event::Cancelled { input, frames, reason: Stop::TimeIsUp } => {
            Some(format!("{}: time is up after {frames} {}; run again to continue", sanitised(input), plural(*frames)))
        }
        Event::RunFinished { not_begun, stopped, .. } => {
            let stopped = stopped.filter(|_| *not_begun > 0)?;
            let jobs = if *not_begun == 1 { "1 job was" } else { &format!("{not_begun} jobs were") };
            Some(format!("{}: {jobs} not begun; run again to continue", stopped.words()))
        }
    }
}

fn plural(frames: u64) -> &'static str {
    if frames == 1 { "frame" } else { "frames" }
}
