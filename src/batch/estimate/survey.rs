//! Surveys a source in one read: how many frames it has, and where its shots begin.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::super::job::{JobContext, JobError};
use crate::decode;
use crate::job::Job;
use crate::media::{Input, Range};
use crate::motion::{self, Pending, Shot, Wanted, Watched};
use crate::report::Event;

/// Number of frame pairs that are compared at once.
const IN_FLIGHT: usize = 8;
/// Maximum number of samples.
const PLACES: usize = 5;
/// Interval between progress reports.
const EVERY: Duration = Duration::from_secs(1);

/// The beginning of a shot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Begin {
    /// Frame number, from 0, in the part that is read.
    pub frame: u64,
    /// Seconds from the beginning of the source.
    pub seconds: f64,
}

/// The place of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    pub range: Range,
    /// Number of frames in its shot.
    pub length: u64,
}

/// Results of reading the source once.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    pub frames: u64,
    /// Beginnings of shots, including flashes, which are painted like new shots.
    pub shots: Vec<Begin>,
    /// Number of frames in the longest shot; flashes neither count nor end a shot.
    pub longest_shot: u64,
    pub width: usize,
    pub height: usize,
    /// Seconds that reading took.
    pub seconds: f64,
}

/// Reads the source of a job.
///
/// # Errors
/// If it cannot be read.
pub fn survey(job: &Job, context: JobContext<'_>) -> Result<Survey, JobError> {
    let began = Instant::now();
    let mut told = began;
    let mut source = decode::open(&job.input, job.range, &context.settings.input)?;
    let list = context.supplied.cuts.clone();
    let cuts = if list.is_none() { motion::estimate_cuts()? } else { None };
    let (mut prefetch, mut watcher) = motion::watch(Wanted { cuts, list, ..Wanted::default() })?;
    let (total, begin) = (source.info().frames, source.begin());
    let (width, height) = (source.info().width, source.info().height);
    let mut survey = Survey { frames: 0, shots: Vec::new(), longest_shot: 0, width, height, seconds: 0.0 };
    let mut length = 0;
    let mut ahead: VecDeque<Pending> = VecDeque::new();
    while let Some(frame) = source.next()? {
        ahead.push_back(prefetch.look(&frame.pixels, frame.timing.base.seconds(frame.timing.pts) - begin));
        survey.frames += 1;
        if told.elapsed() >= EVERY {
            told = Instant::now();
            let (done, seconds) = (survey.frames, began.elapsed().as_secs_f64() / survey.frames as f64);
            context.observer.event(&Event::Progress { what: "frames read", done, total, seconds });
        }
        if ahead.len() > IN_FLIGHT
            && let Some(pending) = ahead.pop_front()
        {
            survey.note(&watcher.next(pending)?, &mut length);
        }
    }
    for pending in ahead {
        survey.note(&watcher.next(pending)?, &mut length);
    }
    survey.note(&watcher.finish()?.into_iter().collect::<Vec<_>>(), &mut length);
    survey.seconds = began.elapsed().as_secs_f64();
    Ok(survey)
}

impl Survey {
    /// Adds the next frames; `length` is the number of frames in the shot in progress.
    fn note(&mut self, watched: &[Watched], length: &mut u64) {
        for watched in watched {
            match watched.transition.shot {
                Shot::New => *length = 1,
                Shot::Continues => *length += 1,
                Shot::Flash => {}
            }
            self.longest_shot = self.longest_shot.max(*length);
        }
        let begins = watched.iter().filter(|watched| watched.transition.shot != Shot::Continues);
        self.shots.extend(begins.map(|watched| Begin { frame: watched.number, seconds: watched.seconds }));
    }

    /// Returns the places of the samples: the first shot and, for a video, the longest of the other shots; at most
    /// [`PLACES`] in all.
    pub fn places(&self, job: &Job) -> Vec<Place> {
        let ends = self.shots.iter().skip(1).map(|shot| shot.frame).chain([self.frames]);
        let lengths = self.shots.iter().zip(ends).map(|(shot, end)| (shot, end.saturating_sub(shot.frame)));
        let mut lengths = lengths.collect::<Vec<_>>().into_iter();
        let first = lengths.next().map_or(self.frames, |(_, length)| length).max(1);
        let begin = Place { range: Range { frames: Some(first), ..job.range }, length: first };
        // Only videos are sampled at later shots: cut lists and motion files of a sequence go by frame numbers, which
        // another start would shift.
        let whole = matches!(job.input, Input::Video(_));
        let mut others: Vec<_> = lengths.filter(|&(_, length)| whole && length > 1).collect();
        others.sort_by_key(|&(_, length)| std::cmp::Reverse(length));
        let others = others
            .into_iter()
            .map(|(shot, length)| Place { range: Range { start: shot.seconds, frames: Some(length) }, length });
        std::iter::once(begin).chain(others).take(PLACES).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Output;

    #[test]
    fn samples_are_of_the_first_and_of_the_longest_other_shots() {
        let begin = |frame| Begin { frame, seconds: frame as f64 / 10.0 };
        let shots = [0, 5, 8, 9, 20, 24, 27].map(begin).to_vec();
        let survey = Survey { frames: 29, shots, longest_shot: 11, width: 4, height: 4, seconds: 1.0 };
        let job = |input| Job {
            input,
            output: Output::Stdout,
            range: Range::default(),
            if_exists: crate::settings::IfExists::Fail,
            unattended: false,
            found: false,
            changed: None,
            share: crate::job::Share::Whole,
        };
        let places = survey.places(&job(Input::Video("a".into())));
        let place =
            |begin: u64, length| Place { range: Range { start: begin as f64 / 10.0, frames: Some(length) }, length };
        let expected = [place(0, 5), place(9, 11), place(20, 4), place(5, 3), place(24, 3)];
        assert_eq!(places, expected);
        let pictures = Input::Sequence { folder: "a".into(), files: Vec::new() };
        assert_eq!(survey.places(&job(pictures)), expected[..1]);
    }
}
