//! Looks at frames as they are decoded: where shots begin, and what moves within them.

use std::collections::VecDeque;
use std::sync::Arc;

use rayon::ThreadPool;
use rayon::prelude::*;

use super::cut::{Ahead, Judge, Shot, UNSEEN};
use super::likeness::Likeness;
use super::list::CutList;
use super::scout::{self, Glance, Means, Pair, Scout, Sighting};
use super::trail::Step;
use super::{Consistency, FlowError, FlowEstimator};

/// How a frame follows from the one before it.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub shot: Shot,
    /// What moved since the frame before (the last that was no [`Shot::Aside`]); `None` where nobody asked, for a shot's
    /// first frame, and for asides.
    pub step: Option<Step>,
    /// Motion over longer distances that was estimated directly, by the number of frames of the chain between; empty
    /// where it is to be composed from steps.
    pub far: Vec<(usize, Step)>,
}

impl From<Shot> for Arrival {
    fn from(shot: Shot) -> Self {
        Self { shot, step: None, far: Vec::new() }
    }
}

/// What is known of a frame once it is decided.
#[derive(Debug, Clone)]
pub struct Watched {
    pub arrival: Arrival,
    /// From 0.
    pub number: u64,
    /// From the beginning of the source.
    pub seconds: f64,
    /// By how much it breaks with the frame before, in percent of full scale; 0 for the first.
    pub score: f64,
    /// Share of it that the frame before does not show, 0..=1; `None` where flow was not looked at.
    pub unseen: Option<f32>,
}

/// What is wanted of the source's motion.
#[derive(Default)]
pub struct Wanted {
    /// What estimates steps; `None` where nobody asks for them.
    pub flow: Option<Box<dyn FlowEstimator>>,
    /// What tells whether two pictures show the same, in search of cuts (see [`super::estimate_cuts`]); without it
    /// cuts are found by brightness alone.
    pub cuts: Option<Box<dyn FlowEstimator>>,
    /// Where a step can be believed.
    pub rules: Consistency,
    /// Where shots begin; `None` to find it.
    pub list: Option<CutList>,
    /// So many frames before each, motion is estimated directly.
    pub far: Vec<u32>,
    /// Whether the last frame is to be followed by the first.
    pub ring: bool,
    /// Number of the first frame whose motion is wanted: those before it were painted by a former run. Cuts are found
    /// from the beginning all the same.
    pub from: u64,
}

/// The two halves of watching: one sees frames and starts the search, the other waits for what is found and decides.
///
/// # Errors
/// When threads cannot be had.
pub fn watch(wanted: Wanted) -> Result<(Scout, Watcher), FlowError> {
    let cuts = wanted.cuts.filter(|_| wanted.list.is_none());
    let means = Arc::new(Means { flow: wanted.flow, cuts, rules: wanted.rules, from: wanted.from });
    let pool = scout::pool(&means)?;
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
    Ok((Scout::new(means, pool), watcher))
}

/// A frame of which the next one must be seen.
struct Held {
    glance: Arc<Glance>,
    before: Arc<Glance>,
    likeness: Likeness,
    step: Option<Result<Step, FlowError>>,
}

/// Decides what each frame is, in order, with the frame after it where that is needed.
pub struct Watcher {
    means: Arc<Means>,
    pool: Option<Arc<ThreadPool>>,
    judge: Judge,
    list: Option<CutList>,
    ring: bool,
    /// The clip's first frame, where the last one is to be followed by it.
    first: Option<Arc<Glance>>,
    /// The newest frame.
    last: Option<Arc<Glance>>,
    held: Option<Held>,
    /// Offsets of direct motion, ascending.
    far: Vec<usize>,
    /// The frames of the shot, newest first, without asides; `longest` of them.
    past: VecDeque<Arc<Glance>>,
    longest: usize,
}

impl Watcher {
    /// Waits for what was found of the next frame. Gives what can be decided by then: nothing, this frame, or the one
    /// before it and this one.
    ///
    /// # Errors
    /// When there is no flow between two frames of a shot.
    pub fn next(&mut self, sighting: Sighting) -> Result<Vec<Watched>, FlowError> {
        let Sighting { glance, pair } = sighting;
        let before = self.last.replace(Arc::clone(&glance));
        if self.ring && before.is_none() {
            self.first = Some(Arc::clone(&glance));
        }
        let (Some(before), Some(pair)) = (before, pair) else {
            if let Some(list) = &mut self.list {
                list.begins(glance.number, glance.seconds);
            }
            return Ok(vec![self.arrive(&glance, Shot::New, 0.0, None, None)?]);
        };
        let broke = || FlowError::Library("a search broke down: this is a fault of the program".into());
        let Pair { likeness, step } = pair.recv().map_err(|_| broke())?;
        let likeness = likeness?;
        if let Some(list) = &mut self.list {
            let new = list.begins(glance.number, glance.seconds) || !likeness.comparable;
            let shot = if new { Shot::New } else { Shot::Continues };
            return Ok(vec![self.arrive(&glance, shot, 0.0, None, step)?]);
        }
        let mut decided = Vec::new();
        if let Some(held) = self.held.take() {
            let over = self.pair(&glance, &held.before);
            let ahead = Ahead { next: likeness, over: over.likeness? };
            let (shot, score) = self.judge.decide(&held.likeness, Some(&ahead));
            if shot == Shot::Aside {
                decided.push(self.arrive(&held.glance, shot, score, held.likeness.unseen, None)?);
                self.judge.after_flash(&ahead.over);
                let step = self.around(over.step, step, held.step);
                let score = ahead.over.difference;
                decided.push(self.arrive(&glance, Shot::Continues, score, ahead.over.unseen, step)?);
                return Ok(decided);
            }
            decided.push(self.arrive(&held.glance, shot, score, held.likeness.unseen, held.step)?);
        }
        if Judge::is_suspicious(&likeness) {
            self.held = Some(Held { glance, before, likeness, step });
        } else {
            let (shot, score) = self.judge.decide(&likeness, None);
            decided.push(self.arrive(&glance, shot, score, likeness.unseen, step)?);
        }
        Ok(decided)
    }

    /// There are no more frames: decides the last one, if it waits for one.
    ///
    /// # Errors
    /// As [`Watcher::next`].
    pub fn finish(&mut self) -> Result<Option<Watched>, FlowError> {
        let Some(held) = self.held.take() else { return Ok(None) };
        let (shot, score) = self.judge.decide(&held.likeness, None);
        self.arrive(&held.glance, shot, score, held.likeness.unseen, held.step).map(Some)
    }

    /// After the last frame: how the first one follows from it, where the clip is to be a ring. `None` where it is not,
    /// has one frame only, or motion is not looked at.
    ///
    /// # Errors
    /// When there is no flow between the two.
    pub fn closing(&self) -> Result<Option<Arrival>, FlowError> {
        let ends = self.first.as_ref().zip(self.last.as_ref()).filter(|(first, last)| first.number != last.number);
        let Some((first, last)) = ends.filter(|_| self.means.flow.is_some()) else { return Ok(None) };
        let step = match &self.pool {
            Some(pool) => pool.install(|| self.means.step(first, last)),
            None => self.means.step(first, last),
        };
        Ok(Some(match step.transpose()?.filter(|step| step.reliability.inconsistent <= UNSEEN) {
            Some(step) => Arrival { shot: Shot::Continues, step: Some(step), far: Vec::new() },
            None => Shot::New.into(),
        }))
    }

    /// What the list names that the clip has not, one line each.
    pub fn unused(&self) -> Vec<String> {
        self.list.as_ref().map(CutList::unused).unwrap_or_default()
    }

    /// Notes a frame's place in its shot.
    fn arrive(
        &mut self,
        glance: &Arc<Glance>,
        shot: Shot,
        score: f64,
        unseen: Option<f32>,
        step: Option<Result<Step, FlowError>>,
    ) -> Result<Watched, FlowError> {
        let mut arrival = Arrival::from(shot);
        match shot {
            Shot::New => self.past.clear(),
            Shot::Continues => {
                arrival.step = step.transpose()?;
                arrival.far = self.far_steps(glance)?;
            }
            Shot::Aside => {}
        }
        if shot != Shot::Aside && self.longest > 0 {
            self.past.push_front(Arc::clone(glance));
            self.past.truncate(self.longest);
        }
        let (number, seconds) = (glance.number, glance.seconds);
        Ok(Watched { arrival, number, seconds, score, unseen })
    }

    fn pair(&self, now: &Glance, before: &Glance) -> Pair {
        match &self.pool {
            Some(pool) => pool.install(|| self.means.pair(now, before)),
            None => self.means.pair(now, before),
        }
    }

    /// The step around a flash: its own, else the two that lead through it, composed. Nobody who brings flow as files
    /// knows which frames are flashes.
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

    /// Motion estimated directly from earlier frames of the shot; files that are not there leave it to be composed.
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
