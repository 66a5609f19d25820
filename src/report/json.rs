//! Writes one JSON object per line, for machines. `docs/events.md` lists the fields.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::{Clock, Event, Observer, Verbosity, write_line};

/// Writes each event as a line of JSON.
pub struct JsonObserver<W> {
    clock: Arc<dyn Fn() -> Duration + Send + Sync>,
    verbosity: Verbosity,
    out: Arc<Mutex<W>>,
    /// Number of the job, if several run at once.
    job: Option<u64>,
}

#[derive(Serialize)]
struct Line<'a> {
    elapsed: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<u64>,
    #[serde(flatten)]
    event: &'a Event,
}

impl<W: Write> JsonObserver<W> {
    pub fn new(out: W, clock: Clock, verbosity: Verbosity) -> Self {
        Self { clock: Arc::from(clock), verbosity, out: Arc::new(Mutex::new(out)), job: None }
    }
}

impl<W: Write + Send + 'static> Observer for JsonObserver<W> {
    fn event(&self, event: &Event) {
        if !self.verbosity.shows(event) {
            return;
        }
        let line = Line { elapsed: seconds((self.clock)()), job: self.job, event };
        if let Ok(text) = serde_json::to_string(&line) {
            write_line(&mut *self.out.lock().unwrap_or_else(PoisonError::into_inner), &text);
        }
    }

    fn for_job(&self, number: u64) -> Option<Box<dyn Observer>> {
        let (clock, out) = (Arc::clone(&self.clock), Arc::clone(&self.out));
        Some(Box::new(Self { clock, verbosity: self.verbosity, out, job: Some(number) }))
    }
}

/// Returns the line for an error that does not belong to an input.
pub fn failed(error: &str, elapsed: Duration) -> String {
    serde_json::json!({ "elapsed": seconds(elapsed), "event": "failed", "input": null, "error": error }).to_string()
}

/// Rounds to milliseconds, which is precise enough.
fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e3).round() / 1e3
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::measure::Figures;

    #[test]
    fn every_event_is_one_object_with_its_name_and_time() {
        let clock = Box::new(|| Duration::from_millis(1500));
        let observer = JsonObserver::new(Vec::new(), clock, Verbosity(0));
        observer.event(&Event::Frame {
            frame: 2,
            frames: None,
            iterations: 20,
            objective: f64::NAN,
            seconds: 0.25,
            terms: [("content", 0.25), ("style", f64::NAN)].into(),
            figures: Figures::default(),
        });
        observer.event(&Event::Warning { message: "two\nlines".into() });
        let text = String::from_utf8(observer.out.lock().unwrap().clone()).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["event"], "frame");
        assert_eq!(lines[0]["elapsed"], 1.5);
        assert!(lines[0]["objective"].is_null());
        assert_eq!(lines[0]["terms"], serde_json::json!({ "content": 0.25, "style": null }));
        assert_eq!(lines[1], serde_json::json!({ "elapsed": 1.5, "event": "warning", "message": "two\nlines" }));
    }

    #[test]
    fn a_final_error_is_an_event_too() {
        let line: serde_json::Value = serde_json::from_str(&failed("no \"x\"", Duration::from_secs(2))).unwrap();
        assert_eq!(line["event"], "failed");
        assert_eq!(line["error"], "no \"x\"");
    }
}
