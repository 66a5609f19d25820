//! Follows the frames as they are decoded and decides where shots begin and what moves within them.

use std::collections::VecDeque;
use std::sync::Arc;

use rayon::ThreadPool;
use rayon::prelude::*;

use super::cut::{Ahead, Judge, Shot, UNSEEN};
use super::list::CutList;
use super::prefetch::{self, Glance, Means, Pair, Pending, Prefetch};
use super::similarity::Similarity;
use super::trail::Step;
use super::{Consistency, FlowError, FlowEstimator};

/// How a frame follows from the previous one.
#[derive(Debug, Clone)]
pub struct Transition {
    pub shot: Shot,
    /// Motion since the previous frame that was not a [`Shot::Flash`]; `None` if motion was not requested, for a shot's
    /// first frame, and for flashes.
    pub step: Option<Step>,
    /// Motion over longer distances that was estimated directly, with the distance in frames of the shot (flashes not
    /// counted); a distance without an entry must be composed from steps.
    pub far: Vec<(usize, Step)>,
}

impl From<Shot> for Transition {
    fn from(shot: Shot) -> Self {
        Self { shot, step: None, far: Vec::new() }
    }
}

/// A frame whose relation to the previous one is decided.
#[derive(Debug, Clone)]
pub struct Watched {
    pub transition: Transition,
    /// Frame number, from 0.
    pub number: u64,
    /// Time in seconds from the beginning of the source.
    pub seconds: f64,
    /// Score of the break with the previous frame, in percent of full scale; 0 for the first frame and with a list of
    /// shots.
    pub score: f64,
    /// Share of the frame that is not visible in the previous one, 0..=1; `None` if flow was not estimated for cuts.
    pub unseen: Option<f32>,
}

/// The motion data to compute for a source.
#[derive(Default)]
pub struct Wanted {
    /// Estimator of the motion between frames; `None` if no motion is wanted.
    pub flow: Option<Box<dyn FlowEstimator>>,
    /// Estimator for cut detection, which tests whether two pictures show the same scene (see
    /// [`super::estimate_cuts`]). Without it, cuts are detected by brightness alone.
    pub cuts: Option<Box<dyn FlowEstimator>>,
    /// Rules for the reliability of a flow.
    pub rules: Consistency,
    /// The user's list of shot boundaries; `None` to detect them.
    pub list: Option<CutList>,
    /// Distances in frames over which motion is estimated directly; only those above 1 count.
    pub far: Vec<u32>,
    /// Whether the clip is a loop, in which the first frame follows the last.
    pub ring: bool,
    /// Number of the first frame whose motion is wanted: a previous run has painted those before it. Cuts are always
    /// detected from the beginning.
    pub from: u64,
}

/// Creates the two halves of the motion search: the scout takes frames and starts searches, the watcher waits for their
/// results and decides.
///
/// # Errors
/// If the thread pool cannot be created.
pub fn watch(wanted: Wanted) -> Result<(Prefetch, Watcher), FlowError> {
    let cuts = wanted.cuts.filter(|_| wanted.list.is_none());
    let means = Arc::new(Means { flow: wanted.flow, cuts, rules: wanted.rules, from: wanted.from });
    let pool = prefetch::pool(&means)?;
    let mut far: Vec<usize> = wanted.far.iter().map(|&offset| offset as usize).filter(|&offset| offset > 1).collect();
    far.sort_unstable();
    far.dedup();
    let longest = far.last().copied().unwrap_or(0);
    let watcher = Watcher {
        means: Arc::clone(&means),
        pool: pool.clone(),
        judge: Judge::default(),
        list: wanted.list,
        ring: wanted.ring,
        first: None,
        last: None,
        held: None,
        far,
        past: VecDeque::new(),
        longest,
    };
    Ok((Prefetch::new(means, pool), watcher))
}

/// A suspicious frame that waits for the next one before it is decided.
struct Held {
    glance: Arc<Glance>,
    before: Arc<Glance>,
    similarity: Similarity,
    step: Option<Result<Step, FlowError>>,
}

/// Decides how each frame follows from the previous one, in order; where necessary, it waits for the next frame first.
pub struct Watcher {
    means: Arc<Means>,
    pool: Option<Arc<ThreadPool>>,
    judge: Judge,
    list: Option<CutList>,
    ring: bool,
    /// The clip's first frame, kept if the clip is a loop.
    first: Option<Arc<Glance>>,
    /// The newest frame.
    last: Option<Arc<Glance>>,
    held: Option<Held>,
    /// Distances of directly estimated motion, ascending.
    far: Vec<usize>,
    /// The last `longest` frames of the shot, newest first, without flashes.
    past: VecDeque<Arc<Glance>>,
    longest: usize,
}

impl Watcher {
    /// Waits for the comparison of the next frame. Returns the frames that this decides: none, this frame, the one
    /// before it, or both.
    ///
    /// # Errors
    /// If there is no flow between two frames of a shot, or a search fails.
    pub fn next(&mut self, pending: Pending) -> Result<Vec<Watched>, FlowError> {
        let Pending { glance, pair } = pending;
        let before = self.last.replace(Arc::clone(&glance));
        if self.ring && before.is_none() {
            self.first = Some(Arc::clone(&glance));
        }
        let (Some(before), Some(pair)) = (before, pair) else {
            if let Some(list) = &mut self.list {
                list.begins(glance.number, glance.seconds);
            }
            return Ok(vec![self.record(&glance, Shot::New, 0.0, None, None)?]);
        };
        let broke = || FlowError::Library("a search broke down: this is a fault of the program".into());
        let Pair { similarity, step } = pair.recv().map_err(|_| broke())?;
        let similarity = similarity?;
        if let Some(list) = &mut self.list {
            let new = list.begins(glance.number, glance.seconds) || !similarity.comparable;
            let shot = if new { Shot::New } else { Shot::Continues };
            return Ok(vec![self.record(&glance, shot, 0.0, None, step)?]);
        }
        let mut decided = Vec::new();
        if let Some(held) = self.held.take() {
            let over = self.pair(&glance, &held.before);
            let ahead = Ahead { next: similarity, over: over.similarity? };
            let (shot, score) = self.judge.decide(&held.similarity, Some(&ahead));
            if shot == Shot::Flash {
                decided.push(self.record(&held.glance, shot, score, held.similarity.unseen, None)?);
                self.judge.after_flash(&ahead.over);
                let step = self.around(over.step, step, held.step);
                let score = ahead.over.difference;
                decided.push(self.record(&glance, Shot::Continues, score, ahead.over.unseen, step)?);
                return Ok(decided);
            }
            decided.push(self.record(&held.glance, shot, score, held.similarity.unseen, held.step)?);
        }
        if Judge::is_suspicious(&similarity) {
            self.held = Some(Held { glance, before, similarity, step });
        } else {
            let (shot, score) = self.judge.decide(&similarity, None);
            decided.push(self.record(&glance, shot, score, similarity.unseen, step)?);
        }
        Ok(decided)
    }

    /// Decides the last frame after the end of the source, if it is still waiting for a next one.
    ///
    /// # Errors
    /// As for [`Watcher::next`].
    pub fn finish(&mut self) -> Result<Option<Watched>, FlowError> {
        let Some(held) = self.held.take() else { return Ok(None) };
        let (shot, score) = self.judge.decide(&held.similarity, None);
        self.record(&held.glance, shot, score, held.similarity.unseen, held.step).map(Some)
    }

    /// Returns how the first frame follows from the last one if the clip is a loop; `None` if it is not, has only one
    /// frame, or motion is not wanted.
    ///
    /// # Errors
    /// If there is no flow between the two.
    pub fn closing(&self) -> Result<Option<Transition>, FlowError> {
        let ends = self.first.as_ref().zip(self.last.as_ref()).filter(|(first, last)| first.number != last.number);
        let Some((first, last)) = ends.filter(|_| self.means.flow.is_some()) else { return Ok(None) };
        let step = match &self.pool {
            Some(pool) => pool.install(|| self.means.step(first, last)),
            None => self.means.step(first, last),
        };
        Ok(Some(match step.transpose()?.filter(|step| step.reliability.inconsistent <= UNSEEN) {
            Some(step) => Transition { shot: Shot::Continues, step: Some(step), far: Vec::new() },
            None => Shot::New.into(),
        }))
    }

    /// Returns one line for each entry of the user's list beyond the end of the clip.
    pub fn unused(&self) -> Vec<String> {
        self.list.as_ref().map(CutList::unused).unwrap_or_default()
    }

    /// Records a frame in its shot and collects its motion.
    fn record(
        &mut self,
        glance: &Arc<Glance>,
        shot: Shot,
        score: f64,
        unseen: Option<f32>,
        step: Option<Result<Step, FlowError>>,
    ) -> Result<Watched, FlowError> {
        let mut transition = Transition::from(shot);
        match shot {
            Shot::New => self.past.clear(),
            Shot::Continues => {
                transition.step = step.transpose()?;
                transition.far = self.far_steps(glance)?;
            }
            Shot::Flash => {}
        }
        if shot != Shot::Flash && self.longest > 0 {
            self.past.push_front(Arc::clone(glance));
            self.past.truncate(self.longest);
        }
        let (number, seconds) = (glance.number, glance.seconds);
        Ok(Watched { transition, number, seconds, score, unseen })
    }

    fn pair(&self, now: &Glance, before: &Glance) -> Pair {
        match &self.pool {
            Some(pool) => pool.install(|| self.means.pair(now, before)),
            None => self.means.pair(now, before),
        }
    }

    /// Returns the motion across a flash: estimated directly, or else composed of the two steps that lead through the
    /// flash if the flow file is missing. A user who supplies flow files cannot know which frames are flashes.
    fn around(
        &self,
        over: Option<Result<Step, FlowError>>,
        newer: Option<Result<Step, FlowError>>,
        older: Option<Result<Step, FlowError>>,
    ) -> Option<Result<Step, FlowError>> {
        match (over, newer, older) {
            (Some(Err(error)), Some(newer), Some(older)) if error.is_missing() => Some(newer.and_then(|newer| {
                let older = older?;
                let (back, forth) = (newer.back.then(&older.back), older.forth.then(&newer.forth));
                Ok(Step::new(back, forth, &self.means.rules))
            })),
            (over, _, _) => over,
        }
    }

    /// Estimates motion directly from earlier frames of the shot. Distances whose flow files are missing are omitted
    /// and have to be composed.
    fn far_steps(&self, glance: &Glance) -> Result<Vec<(usize, Step)>, FlowError> {
        let wanted = !self.far.is_empty() && glance.number >= self.means.from;
        let Some(pool) = self.pool.as_ref().filter(|_| wanted) else { return Ok(Vec::new()) };
        let search = |&offset: &usize| {
            let earlier = self.past.get(offset - 1)?;
            match self.means.step(glance, earlier)? {
                Ok(step) => Some(Ok((offset, step))),
                Err(error) if error.is_missing() => None,
                Err(error) => Some(Err(error)),
            }
        };
        pool.install(|| self.far.par_iter().filter_map(search).collect())
    }
}
