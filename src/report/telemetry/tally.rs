//! Counts the jobs of a run by their events.

use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

use serde::Serialize;

use super::super::{Event, Stop};

/// How a job ended, as its last event says. A job of another run counts as skipped, and one that never began is not
/// recorded; the table at the end of a run tells these apart ([`super::super::Outcome`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JobEnd {
    Done,
    Skipped,
    Failed,
    /// The run was stopped; the next run resumes the job.
    Cancelled,
}

impl JobEnd {
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

/// The record of a job that has ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobRecord {
    pub input: String,
    /// Unknown if the job failed before it began.
    pub output: Option<String>,
    pub outcome: JobEnd,
    /// Painted frames, including those of earlier runs.
    pub frames: u64,
    /// Those of them that were painted by earlier runs.
    pub resumed: u64,
    /// Seconds that this run spent on the job.
    pub seconds: f64,
    /// The reason why it was skipped, failed or stopped.
    pub why: Option<String>,
    /// Unix time of its end.
    pub ended: f64,
}

/// The effect of an event on the tally.
#[derive(Debug, Default)]
pub struct Told {
    /// Whether the files must be written again.
    pub changed: bool,
    /// The job that the event ended.
    pub ended: Option<JobRecord>,
}

/// The number of ended jobs that are kept as individual records.
const LONGEST: usize = 10_000;
/// A number that no running job has.
const NONE: u64 = u64::MAX;

/// A job in progress.
#[derive(Debug, Clone)]
struct Running {
    /// Number of the job among those that run at once.
    number: u64,
    input: String,
    output: String,
    frames: u64,
    resumed: u64,
    began: SystemTime,
}

/// The state of all jobs of a run.
#[derive(Debug, Clone)]
pub struct Tally {
    pub began: SystemTime,
    pub now: SystemTime,
    /// Number of planned jobs, if known.
    pub jobs: Option<u64>,
    /// The jobs that ended last, at most `LONGEST`.
    pub ended: VecDeque<JobRecord>,
    /// Unix time of the last job that was done.
    pub last_done: Option<f64>,
    /// Counts of all ended jobs, in the order of [`JobEnd::ALL`], and the frames painted for them.
    counts: [u64; 4],
    painted: u64,
    /// How many times jobs were planned, and for each failing input the round in which it failed last.
    looks: u64,
    failing: BTreeMap<String, u64>,
    /// Set when the run is over: the number of jobs that were not begun.
    pub finished: Option<u64>,
    pub stopped: Option<Stop>,
    running: Vec<Running>,
}

/// Converts a time to seconds since 1970, rounded to milliseconds.
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

    pub fn count(&self, outcome: JobEnd) -> u64 {
        self.counts[outcome as usize]
    }

    /// Returns the number of frames painted by this run.
    pub fn painted(&self) -> u64 {
        self.painted + self.running.iter().map(|job| job.frames.saturating_sub(job.resumed)).sum::<u64>()
    }

    /// Records an event of job `number` (0 if jobs run one at a time) at time `now`.
    pub fn hear(&mut self, number: u64, event: &Event, now: SystemTime) -> Told {
        self.now = now;
        let running = self.running.iter_mut().find(|job| job.number == number);
        let ended = match event {
            Event::RunStarted { jobs, .. } => {
                // With `--watch`, each round announces further jobs.
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
                // This also replaces a failed first attempt at the same job.
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
                JobRecord { output: Some(output.clone()), outcome: JobEnd::Done, frames: *frames, ..job }
            }
            Event::Skipped { input, output, why } => {
                let job = self.leave(NONE, now);
                let (output, why) = (Some(output.clone()), Some(why.clone()));
                JobRecord { input: input.clone(), output, outcome: JobEnd::Skipped, why, ..job }
            }
            Event::Failed { input, error } => {
                let job =
                    self.leave(if self.running.iter().any(|job| job.input == *input) { number } else { NONE }, now);
                JobRecord { input: input.clone(), outcome: JobEnd::Failed, why: Some(error.clone()), ..job }
            }
            Event::Cancelled { input, frames, reason } => {
                let job =
                    self.leave(if self.running.iter().any(|job| job.input == *input) { number } else { NONE }, now);
                let why = Some(reason.words().to_owned());
                JobRecord { input: input.clone(), outcome: JobEnd::Cancelled, frames: *frames, why, ..job }
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
            JobEnd::Failed => drop(self.failing.insert(job.input.clone(), self.looks)),
            // Two jobs of the same round may have the same input: if one succeeds, the failure of the other still
            // counts.
            JobEnd::Done if self.failing.get(&job.input).is_some_and(|&look| look < self.looks) => {
                self.failing.remove(&job.input);
            }
            JobEnd::Done | JobEnd::Skipped | JobEnd::Cancelled => {}
        }
        if job.outcome == JobEnd::Done {
            self.last_done = Some(job.ended);
        }
        // With `--watch`, a run may last for years.
        if self.ended.len() == LONGEST {
            self.ended.pop_front();
        }
        self.ended.push_back(job);
    }

    /// Returns the inputs of jobs that failed and did not succeed later.
    pub fn failing(&self) -> impl Iterator<Item = &str> {
        self.failing.keys().map(String::as_str)
    }

    /// Removes job `number` from the running jobs and returns a record of it.
    fn leave(&mut self, number: u64, now: SystemTime) -> JobRecord {
        let place = self.running.iter().position(|job| job.number == number);
        let job = place.map(|place| self.running.remove(place));
        let began = job.as_ref().map_or(now, |job| job.began);
        let (frames, resumed) = job.as_ref().map_or((0, 0), |job| (job.frames, job.resumed));
        let (input, output) = job.map(|job| (job.input, Some(job.output))).unwrap_or_default();
        let (seconds, ended) = (between(began, now), unix(now));
        JobRecord { input, output, outcome: JobEnd::Done, frames, resumed, seconds, why: None, ended }
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
        let terms = Default::default();
        Event::Frame { frame, frames: None, iterations: 1, objective: 0.5, seconds: 1.0, terms, figures }
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
        assert_eq!(JobEnd::ALL.map(|outcome| tally.count(outcome)), [1; 4]);
        assert_eq!(tally.painted(), 3);
        // A success in the same round does not hide a failure of the same input; in a later round it does.
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
