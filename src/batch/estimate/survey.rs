//! Reads a source once: how many frames it has, and where its shots begin.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::super::job::{Batch, JobError};
use super::super::plan::Job;
use crate::decode;
use crate::media::{Input, Range};
use crate::motion::{self, Shot, Sighting, Wanted, Watched};
use crate::report::Event;

/// Pairs of frames that are compared at once.
const IN_FLIGHT: usize = 8;
/// How often it is said how far the reading is.
const EVERY: Duration = Duration::from_secs(1);

/// Where a shot begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Begin {
    /// From 0, in the part that is read.
    pub frame: u64,
    /// From the beginning of the source.
    pub seconds: f64,
}

/// What the source is.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    pub frames: u64,
    /// Beginnings of shots, and flashes, which are painted as such.
    pub shots: Vec<Begin>,
    pub width: usize,
    pub height: usize,
    /// How long the reading took.
    pub seconds: f64,
}

/// # Errors
/// When it cannot be read.
pub fn survey(job: &Job, batch: Batch<'_>) -> Result<Survey, JobError> {
    let began = Instant::now();
    let mut told = began;
    let mut source = decode::open(&job.input, job.range, &batch.settings.input)?;
    let list = batch.given.cuts.clone();
    let cuts = if list.is_none() { motion::estimate_cuts()? } else { None };
    let (mut scout, mut watcher) = motion::watch(Wanted { cuts, list, ..Wanted::default() })?;
    let (total, begin) = (source.info().frames, source.begin());
    let (width, height) = (source.info().width, source.info().height);
    let mut survey = Survey { frames: 0, shots: Vec::new(), width, height, seconds: 0.0 };
    let mut ahead: VecDeque<Sighting> = VecDeque::new();
    while let Some(frame) = source.next()? {
        ahead.push_back(scout.look(&frame.pixels, frame.timing.base.seconds(frame.timing.pts) - begin));
        survey.frames += 1;
        if told.elapsed() >= EVERY {
            told = Instant::now();
            let (done, seconds) = (survey.frames, began.elapsed().as_secs_f64() / survey.frames as f64);
            batch.observer.event(&Event::Progress { what: "frames read", done, total, seconds });
        }
        if ahead.len() > IN_FLIGHT
            && let Some(sighting) = ahead.pop_front()
        {
            survey.note(&watcher.next(sighting)?);
        }
    }
    for sighting in ahead {
        survey.note(&watcher.next(sighting)?);
    }
    survey.note(&watcher.finish()?.into_iter().collect::<Vec<_>>());
    survey.seconds = began.elapsed().as_secs_f64();
    Ok(survey)
}

impl Survey {
    fn note(&mut self, watched: &[Watched]) {
        let begins = watched.iter().filter(|watched| watched.arrival.shot != Shot::Continues);
        self.shots.extend(begins.map(|watched| Begin { frame: watched.number, seconds: watched.seconds }));
    }

    /// Where samples are painted: at the beginning, and of a video of several shots at that of the longest other one.
    pub fn places(&self, job: &Job) -> Vec<Range> {
        let first = self.shots.get(1).map_or(self.frames, |shot| shot.frame);
        let mut places = vec![Range { frames: Some(first.max(1)), ..job.range }];
        let ends = self.shots.iter().skip(1).map(|shot| shot.frame).chain([self.frames]);
        let lengths = self.shots.iter().zip(ends).map(|(shot, end)| (shot, end.saturating_sub(shot.frame))).skip(1);
        // Lists of cuts and files of motion go by numbers that another beginning would shift.
        let whole = matches!(job.input, Input::Video(_));
        if let Some((shot, length)) =
            lengths.max_by_key(|&(_, length)| length).filter(|&(_, length)| whole && length > 1)
        {
            places.push(Range { start: shot.seconds, frames: Some(length) });
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Output;

    #[test]
    fn samples_are_of_the_first_and_of_the_longest_other_shot() {
        let begin = |frame| Begin { frame, seconds: frame as f64 / 10.0 };
        let shots = vec![begin(0), begin(5), begin(8), begin(20)];
        let survey = Survey { frames: 24, shots, width: 4, height: 4, seconds: 1.0 };
        let job = |input| Job { input, output: Output::Stdout, range: Range::default() };
        let places = survey.places(&job(Input::Video("a".into())));
        let expected = [Range { start: 0.0, frames: Some(5) }, Range { start: 0.8, frames: Some(12) }];
        assert_eq!(places, expected);
        let pictures = Input::Sequence { folder: "a".into(), files: Vec::new() };
        assert_eq!(survey.places(&job(pictures)), expected[..1]);
    }
}
