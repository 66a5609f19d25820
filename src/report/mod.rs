//! Progress: stages say what happened, an observer shows it.

pub mod download;

use serde::Serialize;

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
    },
    /// Something the user should know that does not stop the job.
    Warning {
        message: String,
    },
    Finished {
        output: String,
        frames: u64,
        seconds: f64,
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
