//! Goes ahead: starts on the motion between frames as soon as they are decoded, in the background.

use std::sync::Arc;

use crossbeam_channel::{Receiver, bounded};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::likeness::{self, Brightness, Likeness};
use super::trail::Step;
use super::{Consistency, FlowError, FlowEstimator, Luma, View};
use crate::media::Pixels;

/// Long side in pixels of the picture that flow is estimated on.
const FLOW_SIZE: usize = 480;
/// The same where only cuts are looked for.
const CUT_SIZE: usize = 320;
/// More threads than this are never behind the painting.
const THREADS: usize = 8;

/// A frame as motion sees it.
#[derive(Debug)]
pub(super) struct Glance {
    pub number: u64,
    /// Seconds from the beginning of the source.
    pub seconds: f64,
    brightness: Brightness,
    /// For flow, where any is wanted.
    luma: Option<Luma>,
    /// For cuts.
    small: Option<Luma>,
}

impl Glance {
    fn view(&self) -> Option<View<'_>> {
        self.luma.as_ref().map(|luma| View { number: self.number, luma })
    }

    fn is_of_size_of(&self, other: &Self) -> bool {
        let size = |luma: &Luma| (luma.width, luma.height);
        self.luma.as_ref().map(size) == other.luma.as_ref().map(size)
    }
}

/// What two frames have to do with each other.
pub(super) struct Pair {
    pub likeness: Result<Likeness, FlowError>,
    /// `None` where nobody asked for flow. That there is none may be no harm: at a cut it is not needed.
    pub step: Option<Result<Step, FlowError>>,
}

/// What frames are compared with.
pub(super) struct Means {
    /// For steps.
    pub flow: Option<Box<dyn FlowEstimator>>,
    /// For cuts, apart from that for steps: where shots begin must not depend on what a run does with motion.
    pub cuts: Option<Box<dyn FlowEstimator>>,
    pub rules: Consistency,
    /// Number of the first frame that steps are wanted for.
    pub from: u64,
}

impl Means {
    /// Compares a frame with an earlier one.
    pub fn pair(&self, now: &Glance, before: &Glance) -> Pair {
        let (likeness, step) = rayon::join(|| self.likeness(now, before), || self.step(now, before));
        Pair { likeness, step }
    }

    fn likeness(&self, now: &Glance, before: &Glance) -> Result<Likeness, FlowError> {
        let likeness = now.brightness.beside(&before.brightness);
        let (Some(cuts), Some(small), Some(earlier)) = (&self.cuts, &now.small, &before.small) else {
            return Ok(likeness);
        };
        if !likeness.comparable {
            return Ok(likeness);
        }
        let (unseen, speed) = likeness::unseen_and_speed(cuts.as_ref(), small, earlier)?;
        Ok(Likeness { unseen: Some(unseen), speed, ..likeness })
    }

    /// The motion between two frames; `None` where there can be none.
    pub fn step(&self, now: &Glance, before: &Glance) -> Option<Result<Step, FlowError>> {
        let (flow, now_view, before_view) = (self.flow.as_ref()?, now.view()?, before.view()?);
        if now.number < self.from || !now.is_of_size_of(before) {
            return None;
        }
        let (back, forth) = rayon::join(|| flow.flow(now_view, before_view), || flow.flow(before_view, now_view));
        Some(back.and_then(|back| Ok(Step::new(back, forth?, &self.rules))))
    }

    fn is_idle(&self) -> bool {
        self.flow.is_none() && self.cuts.is_none()
    }
}

/// A frame on its way through the search for motion.
pub struct Sighting {
    pub(super) glance: Arc<Glance>,
    /// What it has to do with the frame before; `None` for the first.
    pub(super) pair: Option<Receiver<Pair>>,
}

/// Sees every frame of the source once, in display order. Each pair of frames is searched in the background: how many
/// at once is for the caller to bound, by how many [`Sighting`]s it keeps.
pub struct Scout {
    means: Arc<Means>,
    pool: Option<Arc<ThreadPool>>,
    previous: Option<Arc<Glance>>,
    count: u64,
}

impl Scout {
    pub(super) fn new(means: Arc<Means>, pool: Option<Arc<ThreadPool>>) -> Self {
        Self { means, pool, previous: None, count: 0 }
    }

    /// Looks at the next frame, `seconds` from the beginning of the source.
    pub fn look(&mut self, frame: &Pixels, seconds: f64) -> Sighting {
        let luma = (!self.means.is_idle()).then(|| Luma::of(frame, FLOW_SIZE));
        let small = luma.as_ref().filter(|_| self.means.cuts.is_some()).map(|luma| luma.smaller(CUT_SIZE));
        let luma = luma.filter(|_| self.means.flow.is_some());
        let brightness = Brightness::of(frame);
        let glance = Arc::new(Glance { number: self.count, seconds, brightness, luma, small });
        self.count += 1;
        let previous = self.previous.replace(Arc::clone(&glance));
        let pair = previous.map(|previous| self.start(&glance, previous));
        Sighting { glance, pair }
    }

    fn start(&self, glance: &Arc<Glance>, previous: Arc<Glance>) -> Receiver<Pair> {
        let (done, result) = bounded(1);
        let (means, now) = (Arc::clone(&self.means), Arc::clone(glance));
        let search = move || {
            // Nobody waits for it any more where the job has ended.
            let _ = done.send(means.pair(&now, &previous));
        };
        match &self.pool {
            Some(pool) => pool.spawn(search),
            None => search(),
        }
        result
    }
}

/// Threads of our own: the painting's parallel loops must not queue behind a search.
pub(super) fn pool(means: &Means) -> Result<Option<Arc<ThreadPool>>, FlowError> {
    if means.is_idle() {
        return Ok(None);
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|number| format!("motion {number}"))
        // Whoever waits for the result sees that there is none.
        .panic_handler(|_| {})
        .build()
        .map_err(|error| FlowError::Library(error.to_string()))?;
    Ok(Some(Arc::new(pool)))
}
