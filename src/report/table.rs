//! Prints how the jobs of a run ended, one per line.

use std::fmt::Write;

use serde::Serialize;

use super::{pace, plural, sanitised};

/// The outcome of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Done,
    /// There was nothing to do, or the input is not ready yet.
    Skipped,
    Failed,
    /// Another run is working on it.
    Busy,
    /// The run was stopped while the job was being painted.
    Cancelled,
    /// The run was stopped before the job began.
    NotBegun,
}

impl Outcome {
    const ALL: [Self; 6] = [Self::Done, Self::Skipped, Self::Failed, Self::Busy, Self::Cancelled, Self::NotBegun];

    fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Busy => "busy",
            Self::Cancelled => "cancelled",
            Self::NotBegun => "not begun",
        }
    }
}

/// The result of one job of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobResult {
    pub input: String,
    pub outcome: Outcome,
    /// Frames of the result, or frames painted so far; `None` if unknown.
    pub frames: Option<u64>,
    pub seconds: f64,
    /// The reason; empty if the job is done.
    pub why: String,
}

impl JobResult {
    /// Creates the result of a job that took no time.
    pub fn new(input: String, outcome: Outcome, why: String) -> Self {
        Self { input, outcome, frames: None, seconds: 0.0, why }
    }
}

/// Returns how many of `results` have this outcome.
pub fn count(results: &[JobResult], outcome: Outcome) -> usize {
    results.iter().filter(|result| result.outcome == outcome).count()
}

/// Formats the results in aligned columns, followed by a line with the totals.
pub(super) fn text(results: &[JobResult], seconds: f64) -> String {
    let rows: Vec<[String; 5]> = results.iter().map(cells).collect();
    let widths: [usize; 5] =
        std::array::from_fn(|column| rows.iter().map(|cells| cells[column].chars().count()).max().unwrap_or_default());
    let mut text = String::new();
    for [outcome, input, frames, time, why] in &rows {
        let [of_outcome, of_input, of_frames, of_time, _] = widths;
        let line = format!("{outcome:of_outcome$}  {input:of_input$}  {frames:>of_frames$}  {time:>of_time$}  {why}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    let outcomes: Vec<&str> = rows.iter().map(|cells| cells[0].as_str()).collect();
    text + &totals(&outcomes, seconds)
}

fn cells(result: &JobResult) -> [String; 5] {
    let frames = result.frames.map(|frames| format!("{frames} {}", plural(frames)));
    let time = if result.seconds > 0.0 { pace::duration(result.seconds) } else { String::new() };
    // The row already shows the name.
    let why = result.why.strip_prefix(&result.input).and_then(|why| why.strip_prefix(": ")).unwrap_or(&result.why);
    [
        result.outcome.name().into(),
        sanitised(&result.input).into_owned(),
        frames.unwrap_or_default(),
        time,
        sanitised(why).into_owned(),
    ]
}

fn totals(outcomes: &[&str], seconds: f64) -> String {
    let mut text = String::new();
    for name in Outcome::ALL.map(Outcome::name) {
        let count = outcomes.iter().filter(|outcome| **outcome == name).count();
        if count > 0 {
            let comma = if text.is_empty() { "" } else { ", " };
            // Writing to a string never fails.
            let _ = write!(text, "{comma}{count} {name}");
        }
    }
    format!("{text}, in {}", pace::duration(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let results = [
            JobResult {
                frames: Some(48),
                seconds: 62.0,
                ..JobResult::new("a.mp4".into(), Outcome::Done, String::new())
            },
            JobResult::new("an\nother.mp4".into(), Outcome::Skipped, "the output exists already".into()),
            JobResult {
                seconds: 1.0,
                ..JobResult::new("b.mp4".into(), Outcome::Failed, "b.mp4: the file is empty".into())
            },
        ];
        let text = text(&results, 63.0);
        let lines: Vec<&str> = text.lines().collect();
        let minute = pace::duration(62.0);
        assert_eq!(lines[0], format!("done     a.mp4          48 frames  {minute}"));
        let gap = " ".repeat(minute.chars().count());
        assert_eq!(lines[1], format!("skipped  an\\nother.mp4             {gap}  the output exists already"));
        assert!(lines[2].starts_with("failed   b.mp4  ") && lines[2].ends_with("  the file is empty"), "{}", lines[2]);
        assert_eq!(lines[3], format!("1 done, 1 skipped, 1 failed, in {}", pace::duration(63.0)));
    }
}
