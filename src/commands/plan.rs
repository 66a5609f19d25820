//! `--plan`: estimates the time, memory and disk space that the jobs need.

use std::fmt::Write;

use serde::Serialize;

use super::print;
use crate::batch::estimate::{Estimate, estimate};
use crate::batch::plan::Planned;
use crate::batch::{JobGroup, RunOptions, Worker};
use crate::interrupt::Deadline;
use crate::job::Engine;
use crate::report::{Observer, causes, duration};

/// The options that all jobs share.
#[derive(Clone, Copy)]
pub struct Request {
    pub engine: Engine,
    pub options: RunOptions,
    pub deadline: Deadline,
    /// Print one JSON object per line instead of text.
    pub json: bool,
}

/// The totals over all jobs.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Total {
    jobs: u64,
    skipped: u64,
    failed: u64,
    /// Frames still to be painted.
    frames: u64,
    seconds: f64,
    low: f64,
    high: f64,
    /// Memory of the job that needs the most.
    memory: Option<u64>,
    /// Bytes of all outputs, plus the largest work folder of a job.
    disk: Option<u64>,
    /// Seconds until `--until` or `--max-runtime`.
    available: Option<f64>,
    fits: Option<Fits>,
}

/// Whether all jobs fit in the available time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Fits {
    Yes,
    /// Only with the lower estimate.
    Maybe,
    /// The rest is left for the next run.
    No,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line<'a> {
    Estimate(&'a Estimate),
    EstimateSkipped { input: String, why: &'a str },
    EstimateFailed { input: String, error: String },
    EstimateTotal(&'a Total),
}

/// Prints an estimate for each job, then the totals. Returns `true` if no job is known to fail.
///
/// # Errors
/// If stdout cannot be written to.
pub fn estimates(groups: &[JobGroup], request: Request, observer: &dyn Observer) -> anyhow::Result<bool> {
    let Request { engine, options, deadline, json } = request;
    let available = deadline.seconds_left();
    let (mut done, mut skipped, mut failed) = (Vec::new(), 0, 0);
    let worker = Worker::default();
    for (group, planned) in groups.iter().flat_map(|group| group.planned.iter().map(move |planned| (group, planned))) {
        let outcome = match planned {
            Planned::Run(job) => estimate(job, &group.resolved, &group.supplied, engine, options, observer, &worker)
                .map_err(|error| (job.input_path().display().to_string(), causes(&error))),
            Planned::Skip { job, why } => {
                skipped += 1;
                say(&Line::EstimateSkipped { input: job.input_path().display().to_string(), why }, json)?;
                continue;
            }
            Planned::Fail { input, error } => Err((input.display().to_string(), causes(error))),
        };
        match outcome {
            Ok(estimate) => {
                say(&Line::Estimate(&estimate), json)?;
                done.push(estimate);
            }
            Err((input, error)) => {
                failed += 1;
                say(&Line::EstimateFailed { input, error }, json)?;
            }
        }
    }
    say(&Line::EstimateTotal(&Total::of(&done, skipped, failed, available)), json)?;
    Ok(failed == 0)
}

fn say(line: &Line<'_>, json: bool) -> anyhow::Result<()> {
    let text = if json { serde_json::to_string(line)? } else { text(line) };
    Ok(print(text + "\n")?)
}

impl Total {
    fn of(jobs: &[Estimate], skipped: u64, failed: u64, available: Option<f64>) -> Self {
        let sum = |of: fn(&Estimate) -> f64| jobs.iter().map(of).sum::<f64>();
        let (low, high) = (sum(|job| job.low), sum(|job| job.high));
        let outputs: Option<u64> = jobs.iter().map(|job| job.output_bytes).sum();
        let work = jobs.iter().filter_map(|job| job.work_bytes).max().unwrap_or(0);
        Self {
            jobs: jobs.len() as u64,
            skipped,
            failed,
            frames: jobs.iter().map(|job| job.frames - job.painted).sum(),
            seconds: sum(|job| job.seconds),
            low,
            high,
            memory: jobs.iter().filter_map(|job| job.memory).max(),
            disk: outputs.map(|bytes| bytes + work),
            available,
            fits: available.map(|available| match available {
                available if high <= available => Fits::Yes,
                available if low <= available => Fits::Maybe,
                _ => Fits::No,
            }),
        }
    }
}

fn text(line: &Line<'_>) -> String {
    match line {
        Line::Estimate(job) => of_job(job),
        Line::EstimateSkipped { input, why } => format!("{input}: skipped, {why}"),
        Line::EstimateFailed { input, error } if error.contains(input.as_str()) => format!("fails: {error}"),
        Line::EstimateFailed { input, error } => format!("{input}: fails: {error}"),
        Line::EstimateTotal(total) => of_all(total),
    }
}

fn of_job(job: &Estimate) -> String {
    let mut text = format!("{} -> {}: {}", job.input, job.output, pluralised(job.frames, "frame"));
    // Writing to a string never fails.
    if job.painted > 0 {
        let _ = write!(text, " ({} painted already)", job.painted);
    }
    let _ = write!(text, " in {}, {}x{}", pluralised(job.shots, "shot"), job.width, job.height);
    let _ = write!(text, "; {}", time(job.seconds, job.low, job.high));
    if let Some(memory) = job.memory {
        let _ = write!(text, "; memory {}", bytes(memory));
    }
    if let Some(output) = job.output_bytes {
        let work = job.work_bytes.map(|work| format!(", before that {} of work folder", bytes(work)));
        let _ = write!(text, "; output {}{}", bytes(output), work.unwrap_or_default());
    }
    text
}

fn of_all(total: &Total) -> String {
    let mut text = format!("in all: {}, {}", pluralised(total.jobs, "job"), pluralised(total.frames, "frame"));
    let _ = write!(text, " to paint; {}", time(total.seconds, total.low, total.high));
    if let Some(memory) = total.memory {
        let _ = write!(text, "; memory {}", bytes(memory));
    }
    if let Some(disk) = total.disk {
        let _ = write!(text, "; disk {}", bytes(disk));
    }
    if let (Some(available), Some(fits)) = (total.available, total.fits) {
        let left = duration(available);
        let _ = match fits {
            Fits::Yes => write!(text, "; fits in the remaining {left}"),
            Fits::Maybe => write!(text, "; may fit in the remaining {left}"),
            Fits::No => {
                let share = (100.0 * available / total.seconds.max(1e-9)).min(99.0);
                write!(
                    text,
                    "; does not fit in the remaining {left}: about {share:.0} % of it, the rest in the next run"
                )
            }
        };
    }
    text
}

fn time(seconds: f64, low: f64, high: f64) -> String {
    format!("{} ({} to {})", duration(seconds), duration(low), duration(high))
}

fn pluralised(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Formats a number of bytes: `34 MB`.
fn bytes(count: u64) -> String {
    let count = count as f64;
    match count {
        count if count < 1e6 => format!("{:.0} kB", (count / 1e3).ceil()),
        count if count < 1e9 => format!("{:.0} MB", count / 1e6),
        count => format!("{:.1} GB", count / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(seconds: f64) -> Estimate {
        Estimate {
            input: "in.mp4".into(),
            output: "out.mp4".into(),
            frames: 48,
            painted: 12,
            shots: 2,
            width: 96,
            height: 72,
            seconds,
            low: seconds * 0.8,
            high: seconds * 1.2,
            memory: Some(1_200_000_000),
            work_bytes: Some(20_000_000),
            output_bytes: Some(14_000_000),
            sampled: 8,
        }
    }

    #[test]
    fn the_plan_reads_well() {
        let line = "in.mp4 -> out.mp4: 48 frames (12 painted already) in 2 shots, 96x72; 50.0 s (40.0 s to 60.0 s); \
                    memory 1.2 GB; output 14 MB, before that 20 MB of work folder";
        assert_eq!(of_job(&job(50.0)), line);
    }

    #[test]
    fn whether_it_fits() {
        let jobs = [job(50.0), job(50.0)];
        let fits = |available| Total::of(&jobs, 0, 0, available).fits;
        assert_eq!(
            [None, Some(121.0), Some(100.0), Some(79.0)].map(fits),
            [None, Some(Fits::Yes), Some(Fits::Maybe), Some(Fits::No)]
        );
        let total = of_all(&Total::of(&jobs, 0, 0, Some(25.0)));
        let end = "disk 48 MB; does not fit in the remaining 25.0 s: about 25 % of it, the rest in the next run";
        assert!(total.starts_with("in all: 2 jobs, 72 frames to paint; ") && total.ends_with(end), "{total}");
    }
}
