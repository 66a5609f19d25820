//! Shows progress where nobody watches (cron, a log file): a few lines at growing intervals.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::pace::Pace;
use super::{Clock, Event, Observer, Verbosity, plain_line, sanitised, write_line};

/// Up to `LONGEST` the interval doubles; after that, a line follows every `THEN`.
const LONGEST: Duration = Duration::from_secs(64);
const THEN: Duration = Duration::from_secs(60);

/// Writes a line 1, 2, 4, .. 64 seconds into a job and then every minute, in addition to its start, end and warnings.
pub struct LinesObserver<W> {
    clock: Arc<dyn Fn() -> Duration + Send + Sync>,
    verbosity: Verbosity,
    out: Arc<Mutex<W>>,
    /// Whether this is one of several concurrent jobs; then notes and warnings name its input as well.
    among: bool,
    state: Mutex<State>,
}

struct State {
    input: String,
    began: Duration,
    /// Time of the next line, counted from the start of the job.
    next: Duration,
    pace: Pace,
}

impl<W: Write> LinesObserver<W> {
    pub fn new(out: W, clock: Clock, verbosity: Verbosity) -> Self {
        let (clock, out) = (Arc::from(clock), Arc::new(Mutex::new(out)));
        Self { clock, verbosity, out, among: false, state: Mutex::new(State::new()) }
    }
}

impl<W: Write + Send + 'static> Observer for LinesObserver<W> {
    fn event(&self, event: &Event) {
        if !self.verbosity.shows(event) {
            return;
        }
        let now = (self.clock)();
        // A panic in another thread leaves the state usable.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let told = matches!(event, Event::Note { .. } | Event::Warning { .. }) && self.among && !state.input.is_empty();
        if let Some(line) = state.line(event, now) {
            let line = if told { format!("{}: {line}", super::sanitised(&state.input)) } else { line };
            write_line(&mut *self.out.lock().unwrap_or_else(PoisonError::into_inner), &line);
        }
    }

    fn for_job(&self, _: u64) -> Option<Box<dyn Observer>> {
        let (clock, out) = (Arc::clone(&self.clock), Arc::clone(&self.out));
        Some(Box::new(Self { clock, verbosity: self.verbosity, out, among: true, state: Mutex::new(State::new()) }))
    }
}

impl State {
    fn new() -> Self {
        Self { input: String::new(), began: Duration::ZERO, next: Duration::from_secs(1), pace: Pace::default() }
    }

    /// Whether the next line is due.
    fn is_due(&mut self, now: Duration) -> bool {
        let into_job = now.saturating_sub(self.began);
        if into_job < self.next {
            return false;
        }
        while self.next <= into_job {
            self.next = if self.next < LONGEST { self.next * 2 } else { self.next + THEN };
        }
        true
    }

    fn line(&mut self, event: &Event, now: Duration) -> Option<String> {
        match event {
            Event::Started { input, output, frames, width, height } => {
                self.input = sanitised(input).into_owned();
                self.began = now;
                self.next = Duration::from_secs(1);
                self.pace = Pace::default();
                let frames = frames.map(|n| format!(", {n} {}", super::plural(n))).unwrap_or_default();
                Some(format!("{}: {width}x{height}{frames} -> {}", self.input, sanitised(output)))
            }
            Event::Frame { frame, frames, objective, seconds, .. } => {
                self.pace.add(*seconds);
                if !self.is_due(now) {
                    return None;
                }
                let total = frames.map(|n| format!("/{n}")).unwrap_or_default();
                let pace = self.pace.describe(*frame, *frames, *objective);
                Some(format!("{}: frame {frame}{total}, {pace}", self.input))
            }
            Event::Pass { pass, passes, frame, objective, seconds, .. } => {
                self.pace.add(*seconds);
                let told = self.pace.describe_pass([*pass, *passes], *frame, *objective);
                self.is_due(now).then(|| format!("{}: {told}", self.input))
            }
            Event::Progress { what, done, total, .. } => {
                let of = total.map(|n| format!(" of {n}")).unwrap_or_default();
                self.is_due(now).then(|| format!("{done}{of} {what}"))
            }
            other => plain_line(other),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::measure::Figures;

    /// Sends `events`, each at its second, and returns the lines.
    fn lines(events: &[(u64, Event)], verbosity: i8) -> Vec<String> {
        let now = Arc::new(AtomicU64::new(0));
        let shared = Arc::clone(&now);
        let clock = Box::new(move || Duration::from_secs(shared.load(Ordering::Relaxed)));
        let observer = LinesObserver::new(Vec::new(), clock, Verbosity(verbosity));
        for (second, event) in events {
            now.store(*second, Ordering::Relaxed);
            observer.event(event);
        }
        let out = observer.out.lock().unwrap().clone();
        String::from_utf8(out).unwrap().lines().map(ToString::to_string).collect()
    }

    fn started() -> Event {
        let (input, output) = ("in.mp4".into(), "out.mp4".into());
        Event::Started { input, output, frames: Some(400), width: 64, height: 48 }
    }

    #[test]
    fn passes_are_told_at_the_same_intervals() {
        let pass = |pass, frame| Event::Pass { pass, passes: 2, frame, iterations: 20, objective: 0.5, seconds: 3.0 };
        let events = [(0, started()), (3, pass(1, 1)), (3, pass(1, 2)), (6, pass(2, 1)), (6, frame(1))];
        let expected = ["pass 1/2, frame 1, 3.00 s/frame, J 0.5000", "pass 2/2, frame 1, 3.00 s/frame, J 0.5000"];
        assert_eq!(lines(&events, 0)[1..], expected.map(|line| format!("in.mp4: {line}")));
    }

    fn frame(frame: u64) -> Event {
        Event::Frame {
            frame,
            frames: Some(400),
            iterations: 20,
            objective: 0.5,
            seconds: 1.0,
            terms: Default::default(),
            figures: Figures::default(),
        }
    }

    #[test]
    fn lines_come_ever_further_apart() {
        // A job that starts at second 1000 and finishes a frame every second.
        let mut events = vec![(1000, started())];
        events.extend((1..=300).map(|n| (1000 + n, frame(n))));
        let numbers: Vec<u64> = lines(&events, 0)
            .iter()
            .filter_map(|line| line.split("frame ").nth(1)?.split('/').next()?.parse().ok())
            .collect();
        assert_eq!(numbers, [1, 2, 4, 8, 16, 32, 64, 124, 184, 244]);
    }

    #[test]
    fn slow_frames_give_one_line_each() {
        let events = [(0, started()), (50, frame(1)), (100, frame(2)), (110, frame(3))];
        let lines = lines(&events, 0);
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert_eq!(lines[0], "in.mp4: 64x48, 400 frames -> out.mp4");
        assert!(lines[1].starts_with("in.mp4: frame 1/400, 1.00 s/frame, 7 min left, J 0.5000"), "{lines:?}");
    }

    #[test]
    fn quiet_keeps_what_went_wrong() {
        let warning = Event::Warning { message: "odd size".into() };
        let failed = Event::Failed { input: "in.mp4".into(), error: "broken".into() };
        let events = [(0, started()), (9, frame(1)), (9, warning), (10, failed)];
        assert_eq!(lines(&events, -1), ["warning: odd size", "error: in.mp4: broken"]);
        assert_eq!(lines(&events, -2), ["error: in.mp4: broken"]);
    }
}
