//! Progress: stages say what happened, an observer shows it.
//!
//! Everything here goes to stderr. With `--log-format json` every line is one object; `docs/events.md` lists them all, and
//! `docs/events.schema.json` is what they are held against by tests: a change here is one there.

mod bar;
pub mod download;
mod json;
mod lines;
pub mod log;
mod pace;
mod plain;
mod steadiness;
mod table;
pub mod watched;

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
pub use plain::{plain, plain_lines};
pub use table::{Outcome, Row, count};

/// What a job tells while it runs.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run begins.
    RunStarted {
        version: String,
        jobs: u64,
    },
    /// A job begins. `frames` is the expected count where the container tells it.
    Started {
        input: String,
        output: String,
        frames: Option<u64>,
        width: usize,
        height: usize,
    },
    /// The job goes on after so many frames that a former run has painted.
    Resumed {
        input: String,
        frames: u64,
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
    /// The job was to end before it was done. `frames` are painted.
    Cancelled {
        input: String,
        frames: u64,
        reason: Stop,
    },
    /// The run is at its end; `outcome` of [`Row`] is `done`, `skipped`, `failed`, `busy`, `cancelled` or `not_begun`.
    Batch {
        jobs: Vec<Row>,
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
        /// Why it ended before its jobs did, if it did.
        stopped: Option<Stop>,
    },
}

/// Why a run ends before its jobs do.
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

/// Shows events: a bar on a terminal, lines elsewhere, JSON for machines.
pub trait Observer: Send + Sync {
    fn event(&self, event: &Event);

    /// An observer for one of several jobs that run at once, counted from 1; `None` where this one does for all.
    fn for_job(&self, _number: u64) -> Option<Box<dyn Observer>> {
        None
    }
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
            Event::RunFinished { stopped, .. } => self.0 >= 0 || stopped.is_some(),
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
        Event::RunStarted { .. } => None,
        Event::Resumed { frames, .. } => Some(format!("goes on after {frames} painted {}", plural(*frames))),
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
        Event::Cancelled { input, frames, reason: Stop::Signal } => {
            Some(format!("{}: interrupted after {frames} {}", plain(input), plural(*frames)))
        }
        Event::Batch { jobs, seconds } => Some(table::text(jobs, *seconds)),
        Event::Cancelled { input, frames, reason: Stop::TimeIsUp } => {
            Some(format!("{}: time is up after {frames} {}; run again to go on", plain(input), plural(*frames)))
        }
        Event::RunFinished { not_begun, stopped, .. } => {
            let stopped = stopped.filter(|_| *not_begun > 0)?;
            let jobs = if *not_begun == 1 { "1 job was" } else { &format!("{not_begun} jobs were") };
            Some(format!("{}: {jobs} not begun; run again to go on", stopped.words()))
        }
    }
}

fn plural(frames: u64) -> &'static str {
    if frames == 1 { "frame" } else { "frames" }
}
