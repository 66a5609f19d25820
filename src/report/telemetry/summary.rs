//! Writes `--summary`: the run as one JSON object.

use std::collections::VecDeque;

use serde::Serialize;

use super::super::Stop;
use super::tally::{JobEnd, JobRecord, Tally, unix};

#[derive(Serialize)]
struct Counts {
    done: u64,
    skipped: u64,
    failed: u64,
    cancelled: u64,
    /// `None` until the end of the run.
    not_begun: Option<u64>,
}

#[derive(Serialize)]
struct Summary<'a> {
    version: &'static str,
    pid: u32,
    /// `running`, `finished` or `stopped`.
    state: &'static str,
    /// `signal` or `time_is_up` if the run was stopped.
    stopped: Option<Stop>,
    began: f64,
    written: f64,
    seconds: f64,
    /// Frames painted by this run.
    frames: u64,
    planned: Option<u64>,
    counts: Counts,
    jobs: &'a VecDeque<JobRecord>,
}

pub fn text(tally: &Tally) -> String {
    let count = |outcome| tally.count(outcome);
    let counts = Counts {
        done: count(JobEnd::Done),
        skipped: count(JobEnd::Skipped),
        failed: count(JobEnd::Failed),
        cancelled: count(JobEnd::Cancelled),
        not_begun: tally.finished,
    };
    let state = match (tally.finished, tally.stopped) {
        (None, _) => "running",
        (Some(_), None) => "finished",
        (Some(_), Some(_)) => "stopped",
    };
    let summary = Summary {
        version: env!("CARGO_PKG_VERSION"),
        pid: std::process::id(),
        state,
        stopped: tally.stopped,
        began: unix(tally.began),
        written: unix(tally.now),
        seconds: tally.seconds(),
        frames: tally.painted(),
        planned: tally.jobs,
        counts,
        jobs: &tally.ended,
    };
    // The summary holds only strings and numbers, so serialization cannot fail.
    serde_json::to_string_pretty(&summary).unwrap_or_default() + "\n"
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tally::tests::{at, finished, frame, started};
    use super::*;

    #[test]
    fn the_summary_tells_what_ended_and_how() {
        let mut tally = Tally::new(at(0));
        for (second, event) in [(1, started("a\n\"b\"")), (3, frame(1)), (4, finished("a\n\"b\"", 1))] {
            tally.hear(0, &event, at(second));
        }
        let read: serde_json::Value = serde_json::from_str(&text(&tally)).unwrap();
        assert_eq!(read["state"], "running");
        assert_eq!(read["counts"]["done"], 1);
        assert_eq!(read["jobs"][0]["input"], "a\n\"b\"");
        assert_eq!(read["jobs"][0]["outcome"], "done");
        assert_eq!(read["jobs"][0]["seconds"], 3.0);
        assert_eq!(read["began"], 1_800_000_000.0);
    }
}
