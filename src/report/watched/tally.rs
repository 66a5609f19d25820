//! What has become of the jobs so far, from events.

use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

use serde::Serialize;

use super::super::{Event, Stop};

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Done,
    Skipped,
    Failed,
    /// The run was to end; the next one goes on.
    Cancelled,
}

impl Outcome {
    pub const ALL: [Self; 4] = [Self::Done, Self::Skipped, Self::Failed, Self::Cancelled];

    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A job that has ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobRecord {
    pub input: String,
    /// Unknown where a job failed before it began.
    pub output: Option<String>,
    pub outcome: Outcome,
    /// Frames that are painted, those of former runs included.
    pub frames: u64,
    /// Frames of them that former runs have painted.
    pub resumed: u64,
    /// Seconds that this run took over it.
    pub seconds: f64,
    /// Why it was skipped, failed or was stopped.
    pub why: Option<String>,
    /// Unix time of its end.
    pub ended: f64,
}

/// What an event meant to the tally.
#[derive(Debug, Default)]
pub struct Told {
    /// Whether there is something new to write.
    pub changed: bool,
    /// The job that ended with it.
    pub ended: Option<JobRecord>,
}

/// So many jobs that ended are told one by one.
const LONGEST: usize = 10_000;
/// No running job has this number.
const NONE: u64 = u64::MAX;

/// A job in progress.
#[derive(Debug, Clone)]
struct Running {
    /// Among those that run at once.
    number: u64,
    input: String,
    output: String,
    frames: u64,
    resumed: u64,
    began: SystemTime,
}

/// All jobs of a run.
#[derive(Debug, Clone)]
pub struct Tally {
    pub began: SystemTime,
    pub now: SystemTime,
    /// Of the run, where it was told.
    pub jobs: Option<u64>,
    /// The last ones, [`LONGEST`] at most.
    pub ended: VecDeque<JobRecord>,
    /// Unix time when a job was done last.
    pub last_done: Option<f64>,
    /// Of all that ended, in the order of [`Outcome::ALL`], and the frames that were painted for them.
    counts: [u64; 4],
    painted: u64,
    /// How often jobs were planned, and in which of these times an input has failed.
    looks: u64,
    failing: BTreeMap<String, u64>,
    /// Whether the run is over, and the jobs that were not begun by then.
    pub finished: Option<u64>,
    pub stopped: Option<Stop>,
    running: Vec<Running>,
}

/// Seconds since 1970.
pub fn unix(time: SystemTime) -> f64 {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    (seconds * 1e3).round() / 1e3
}

fn between(from: SystemTime, to: SystemTime) -> f64 {
    (to.duration_since(from).unwrap_or_default().as_secs_f64() * 1e3).round() / 1e3
}

impl Tally {
    pub fn new(began: SystemTime) -> Self {
        Self {
            began,
            now: began,
            jobs: None,
            ended: VecDeque::new(),
            last_done: None,
            counts: [0; 4],
            painted: 0,
            looks: 0,
            failing: BTreeMap::new(),
            finished: None,
            stopped: None,
            running: Vec::new(),
        }
    }

    pub fn seconds(&self) -> f64 {
        between(self.began, self.now)
    }

    pub fn count(&self, outcome: Outcome) -> u64 {
        self.counts[outcome as usize]
    }

    /// Frames that this run has painted.
    pub fn painted(&self) -> u64 {
        self.painted + self.running.iter().map(|job| job.frames.saturating_sub(job.resumed)).sum::<u64>()
    }

    /// Takes note of an event of job `number` (0 where there is one at a time) that comes at `now`.
    pub fn hear(&mut self, number: u64, event: &Event, now: SystemTime) -> Told {
        self.now = now;
        let running = self.running.iter_mut().find(|job| job.number == number);
        let ended = match event {
            Event::RunStarted { jobs, .. } => {
                // A watch tells of more again and again.
                self.looks += 1;
                self.jobs = Some(self.jobs.unwrap_or(0) + jobs);
                return Told { changed: true, ended: None };
            }
            Event::RunFinished { not_begun, stopped, .. } => {
                (self.finished, self.stopped) = (Some(*not_begun), *stopped);
                return Told { changed: true, ended: None };
            }
            Event::Started { input, output, .. } => {
                let (input, output) = (input.clone(), output.clone());
                // Also a second try of one that has failed.
                self.running.retain(|job| job.number != number);
                self.running.push(Running { number, input, output, frames: 0, resumed: 0, began: now });
                return Told { changed: true, ended: None };
            }
            Event::Resumed { frames, .. } => {
                running.into_iter().for_each(|job| (job.frames, job.resumed) = (*frames, *frames));
                return Told::default();
            }
            Event::Frame { frame, .. } => {
                running.into_iter().for_each(|job| job.frames = *frame);
                return Told::default();
            }
            Event::Finished { output, frames, .. } => {
                let job = self.leave(number, now);
                JobRecord { output: Some(output.clone()), outcome: Outcome::Done, frames: *frames, ..job }
            }
            Event::Skipped { input, output, why } => {
                let job = self.leave(NONE, now);
                let (output, why) = (Some(output.clone()), Some(why.clone()));
                JobRecord { input: input.clone(), output, outcome: Outcome::Skipped, why, ..job }
            }
            Event::Failed { input, error } => {
                let job =
                    self.leave(if self.running.iter().any(|job| job.input == *input) { number } else { NONE }, now);
                JobRecord { input: input.clone(), outcome: Outcome::Failed, why: Some(error.clone()), ..job }
            }
            Event::Cancelled { input, frames, reason } => {
                let job =
                    self.leave(if self.running.iter().any(|job| job.input == *input) { number } else { NONE }, now);
                let why = Some(reason.words().to_owned());
                JobRecord { input: input.clone(), outcome: Outcome::Cancelled, frames: *frames, why, ..job }
            }
            _ => return Told::default(),
        };
        self.note(ended.clone());
        Told { changed: true, ended: Some(ended) }
    }

    fn note(&mut self, job: JobRecord) {
        self.counts[job.outcome as usize] += 1;
        self.painted += job.frames.saturating_sub(job.resumed);
        match job.outcome {
            Outcome::Failed => drop(self.failing.insert(job.input.clone(), self.looks)),
            // Another job of the same look may be another of the same input: that one has failed all the same.
            Outcome::Done if self.failing.get(&job.input).is_some_and(|&look| look < self.looks) => {
                self.failing.remove(&job.input);
            }
            Outcome::Done | Outcome::Skipped | Outcome::Cancelled => {}
        }
        if job.outcome == Outcome::Done {
            self.last_done = Some(job.ended);
        }
        // A watch may stay for years.
        if self.ended.len() == LONGEST {
            self.ended.pop_front();
        }
        self.ended.push_back(job);
    }

    /// Inputs of jobs that have failed, and were not done later.
    pub fn failing(&self) -> impl Iterator<Item = &str> {
        self.failing.keys().map(String::as_str)
    }

    /// What is known of the running job `number`, which is none any more.
    fn leave(&mut self, number: u64, now: SystemTime) -> JobRecord {
        let place = self.running.iter().position(|job| job.number == number);
        let job = place.map(|place| self.running.remove(place));
        let began = job.as_ref().map_or(now, |job| job.began);
        let (frames, resumed) = job.as_ref().map_or((0, 0), |job| (job.frames, job.resumed));
        let (input, output) = job.map(|job| (job.input, Some(job.output))).unwrap_or_default();
        let (seconds, ended) = (between(began, now), unix(now));
        JobRecord { input, output, outcome: Outcome::Done, frames, resumed, seconds, why: None, ended }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::measure::Figures;

    pub fn at(second: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + second)
    }

    pub fn started(input: &str) -> Event {
        let (input, output) = (input.to_owned(), format!("{input}.out"));
        Event::Started { input, output, frames: None, width: 64, height: 48 }
    }

    pub fn frame(frame: u64) -> Event {
        let figures = Figures::default();
        Event::Frame { frame, frames: None, iterations: 1, objective: 0.5, seconds: 1.0, figures }
    }

    pub fn finished(input: &str, frames: u64) -> Event {
        let output = format!("{input}.out");
        Event::Finished { output, frames, seconds: 1.0, waited_for_motion: 0.0, steadiness: None }
    }

    #[test]
    fn jobs_are_counted_by_how_they_ended() {
        let mut tally = Tally::new(at(0));
        let resumed = Event::Resumed { input: "b".into(), frames: 5 };
        let skipped = Event::Skipped { input: "c".into(), output: "c.out".into(), why: "is there".into() };
        let failed = Event::Failed { input: "d".into(), error: "broken".into() };
        let cancelled = Event::Cancelled { input: "b".into(), frames: 7, reason: Stop::TimeIsUp };
        let events = [
            (0, Event::RunStarted { version: "1".into(), jobs: 5 }),
            (1, started("a")),
            (2, frame(1)),
            (4, finished("a", 1)),
            (4, skipped),
            (5, failed),
            (6, started("b")),
            (6, resumed),
            (8, frame(6)),
            (9, frame(7)),
        ];
        for (second, event) in &events {
            tally.hear(0, event, at(*second));
        }
        assert_eq!((tally.painted(), tally.seconds()), (3, 9.0));
        let told = tally.hear(0, &cancelled, at(10)).ended.unwrap();
        assert_eq!((told.frames, told.resumed, told.seconds), (7, 5, 4.0));
        assert_eq!(told.why.as_deref(), Some("time is up"));
        assert_eq!(Outcome::ALL.map(|outcome| tally.count(outcome)), [1; 4]);
        assert_eq!(tally.painted(), 3);
        // Another job of the same input does not hide it; done in a later look, its file has been mended, say.
        for (failing, look) in [(1, false), (0, true)] {
            if look {
                tally.hear(0, &Event::RunStarted { version: "1".into(), jobs: 1 }, at(11));
            }
            tally.hear(0, &started("d"), at(11));
            tally.hear(0, &finished("d", 1), at(12));
            assert_eq!(tally.failing().count(), failing);
        }
        let done = &tally.ended[0];
        assert_eq!((done.input.as_str(), done.output.as_deref(), done.seconds), ("a", Some("a.out"), 3.0));
    }
}
