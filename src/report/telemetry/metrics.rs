//! Writes `--metrics`: the run in Prometheus's text format, for node_exporter's textfile collector.
//!
//! The file describes one run, and the next run replaces it, so every metric in it is a gauge. Only the time of the
//! last success is carried over from the previous file.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::tally::{JobEnd, Tally, unix};

const LAST_SUCCESS: &str = "stylize_video_last_success_timestamp_seconds";
/// A longer file was not written by this program.
const LONGEST: u64 = 16 << 20;

pub fn text(tally: &Tally, success_before: Option<f64>) -> String {
    let mut text = String::new();
    let version = escaped(env!("CARGO_PKG_VERSION"));
    gauge(
        &mut text,
        "stylize_video_build_info",
        "Version of the program, as a label.",
        &[(format!("{{version=\"{version}\"}}"), 1.0)],
    );
    let by_outcome: Vec<(String, f64)> = JobEnd::ALL
        .map(|outcome| (format!("{{outcome=\"{}\"}}", outcome.name()), tally.count(outcome) as f64))
        .into_iter()
        .chain(tally.finished.map(|not_begun| ("{outcome=\"not_begun\"}".to_owned(), not_begun as f64)))
        .collect();
    gauge(&mut text, "stylize_video_jobs", "Jobs of the last run, by how they ended.", &by_outcome);
    let one = |value: f64| [(String::new(), value)];
    gauge(&mut text, "stylize_video_frames", "Frames that the last run has painted.", &one(tally.painted() as f64));
    gauge(&mut text, "stylize_video_run_seconds", "Seconds that the last run took so far.", &one(tally.seconds()));
    let running = f64::from(u8::from(tally.finished.is_none()));
    gauge(
        &mut text,
        "stylize_video_running",
        "1 until the run's end (or for ever, where it was killed).",
        &one(running),
    );
    let began = one(unix(tally.began));
    gauge(&mut text, "stylize_video_last_run_timestamp_seconds", "When the last run began, in Unix time.", &began);
    if let Some(last) = tally.last_done.into_iter().chain(success_before).max_by(f64::total_cmp) {
        gauge(&mut text, LAST_SUCCESS, "When a job was done last, in this run or before it, in Unix time.", &one(last));
    }
    let failed: Vec<_> = tally.failing().map(|input| (format!("{{input=\"{}\"}}", escaped(input)), 1.0)).collect();
    if !failed.is_empty() {
        gauge(&mut text, "stylize_video_failed_job", "A job of the last run that failed.", &failed);
    }
    text
}

fn gauge(text: &mut String, name: &str, help: &str, samples: &[(String, f64)]) {
    // Writing to a string never fails.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
    for (labels, value) in samples {
        let _ = writeln!(text, "{name}{labels} {value}");
    }
}

/// Escapes the value of a label as the format requires.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Reads the time of the last success from the file of an earlier run.
pub fn last_success(path: &Path) -> Option<f64> {
    let length = fs::metadata(path).ok().filter(|meta| meta.is_file())?.len();
    let text = if length <= LONGEST { fs::read_to_string(path).ok()? } else { return None };
    let line = text.lines().find_map(|line| line.strip_prefix(LAST_SUCCESS)?.strip_prefix(' '))?;
    line.trim().parse().ok().filter(|time: &f64| time.is_finite())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::super::Event;
    use super::super::tally::tests::{at, finished, frame, started};
    use super::*;

    #[test]
    fn the_text_is_what_prometheus_reads() {
        let mut tally = Tally::new(at(0));
        let failed = Event::Failed { input: "odd \"name\"\\\n.mp4".into(), error: "broken".into() };
        for (second, event) in [(1, started("a")), (3, frame(1)), (4, finished("a", 1)), (5, failed)] {
            tally.hear(0, &event, at(second));
        }
        let text = text(&tally, None);
        for line in [
            "stylize_video_jobs{outcome=\"done\"} 1",
            "stylize_video_jobs{outcome=\"failed\"} 1",
            "stylize_video_frames 1",
            "stylize_video_run_seconds 5",
            "stylize_video_last_success_timestamp_seconds 1800000004",
            "stylize_video_failed_job{input=\"odd \\\"name\\\"\\\\\\n.mp4\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        for line in text.lines() {
            let name = line.split(['{', ' ']).next().unwrap();
            let known = line.starts_with('#') || text.contains(&format!("# TYPE {name} gauge\n"));
            assert!(known, "{line}");
        }
        assert!(text.ends_with('\n'));
    }

    #[test]
    fn a_run_that_fails_keeps_the_last_success() {
        let desk = tempfile::tempdir().unwrap();
        let path = desk.path().join("a.prom");
        assert_eq!(last_success(&path), None);
        std::fs::write(&path, text(&Tally::new(at(0)), Some(1_790_000_000.5))).unwrap();
        assert_eq!(last_success(&path), Some(1_790_000_000.5));
        std::fs::write(&path, "something else").unwrap();
        assert_eq!(last_success(&path), None);
    }
}
