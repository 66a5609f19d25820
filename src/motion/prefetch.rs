//! Starts the motion search between frames in the background, as soon as they are decoded.

use std::sync::Arc;

use crossbeam_channel::{Receiver, bounded};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::similarity::{self, Brightness, Similarity};
use super::trail::Step;
use super::{Consistency, FlowError, FlowEstimator, Luma, View};
use crate::media::{Pixels, area};

/// Longer side, in pixels, of the picture that flow is estimated on.
const FLOW_SIZE: usize = 480;
/// The same for cut detection only.
const CUT_SIZE: usize = 320;
/// Upper limit for the search threads: this many always keep up with the painting.
const THREADS: usize = 8;

/// Returns width and height of the flow between two frames of `width` x `height` pixels.
pub fn flow_size(width: usize, height: usize) -> [usize; 2] {
    area::within(width, height, FLOW_SIZE).into()
}

/// The data of a frame that the motion search needs.
#[derive(Debug)]
pub(super) struct Glance {
    pub number: u64,
    /// Time in seconds from the beginning of the source.
    pub seconds: f64,
    brightness: Brightness,
    /// Luma for flow; `None` if no flow is wanted.
    luma: Option<Luma>,
    /// Smaller luma for cut detection; `None` if cuts are not searched for by flow.
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

/// The comparison of a frame with an earlier one.
pub(super) struct Pair {
    pub similarity: Result<Similarity, FlowError>,
    /// The motion between them; `None` if it was not wanted. An error here may be harmless: at a cut no flow is needed.
    pub step: Option<Result<Step, FlowError>>,
}

/// The estimators and rules for comparing frames.
pub(super) struct Means {
    /// Estimator of the motion between frames.
    pub flow: Option<Box<dyn FlowEstimator>>,
    /// Estimator for cut detection. It is separate so that shot boundaries do not depend on a run's motion settings.
    pub cuts: Option<Box<dyn FlowEstimator>>,
    pub rules: Consistency,
    /// Number of the first frame whose motion is wanted.
    pub from: u64,
}

impl Means {
    /// Compares a frame with an earlier one.
    pub fn pair(&self, now: &Glance, before: &Glance) -> Pair {
        let (similarity, step) = rayon::join(|| self.similarity(now, before), || self.step(now, before));
        Pair { similarity, step }
    }

    fn similarity(&self, now: &Glance, before: &Glance) -> Result<Similarity, FlowError> {
        let similarity = now.brightness.beside(&before.brightness);
        let (Some(cuts), Some(small), Some(earlier)) = (&self.cuts, &now.small, &before.small) else {
            return Ok(similarity);
        };
        if !similarity.comparable {
            return Ok(similarity);
        }
        let (unseen, speed) = similarity::unseen_and_speed(cuts.as_ref(), small, earlier)?;
        Ok(Similarity { unseen: Some(unseen), speed, ..similarity })
    }

    /// Returns the motion between two frames; `None` if it is not wanted or the frames differ in size.
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

/// A frame whose motion search is in progress.
pub struct Pending {
    pub(super) glance: Arc<Glance>,
    /// Receives the comparison with the previous frame; `None` for the first frame.
    pub(super) pair: Option<Receiver<Pair>>,
}

/// Takes every source frame once, in display order, and starts a background search on each pair of neighbours. The
/// caller limits the number of concurrent searches by the number of [`Pending`]s it keeps.
pub struct Prefetch {
    means: Arc<Means>,
    pool: Option<Arc<ThreadPool>>,
    previous: Option<Arc<Glance>>,
    count: u64,
}

impl Prefetch {
    pub(super) fn new(means: Arc<Means>, pool: Option<Arc<ThreadPool>>) -> Self {
        Self { means, pool, previous: None, count: 0 }
    }

    /// Starts the search for the next frame, `seconds` from the beginning of the source.
    pub fn look(&mut self, frame: &Pixels, seconds: f64) -> Pending {
        let luma = (!self.means.is_idle()).then(|| Luma::of(frame, FLOW_SIZE));
        let small = luma.as_ref().filter(|_| self.means.cuts.is_some()).map(|luma| luma.smaller(CUT_SIZE));
        let luma = luma.filter(|_| self.means.flow.is_some());
        let brightness = Brightness::of(frame);
        let glance = Arc::new(Glance { number: self.count, seconds, brightness, luma, small });
        self.count += 1;
        let previous = self.previous.replace(Arc::clone(&glance));
        let pair = previous.map(|previous| self.start(&glance, previous));
        Pending { glance, pair }
    }

    fn start(&self, glance: &Arc<Glance>, previous: Arc<Glance>) -> Receiver<Pair> {
        let (done, result) = bounded(1);
        let (means, now) = (Arc::clone(&self.means), Arc::clone(glance));
        let search = move || {
            // The receiver is gone if the job has ended.
            let _ = done.send(means.pair(&now, &previous));
        };
        match &self.pool {
            Some(pool) => pool.spawn(search),
            None => search(),
        }
        result
    }
}

/// Creates a separate thread pool, so that the parallel loops of the painting do not queue behind a search; `None` if
/// neither flow nor cuts are wanted.
pub(super) fn pool(means: &Means) -> Result<Option<Arc<ThreadPool>>, FlowError> {
    if means.is_idle() {
        return Ok(None);
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|number| format!("motion {number}"))
        // The receiver notices that its sender is gone.
        .panic_handler(|_| {})
        .build()
        .map_err(|error| FlowError::Library(error.to_string()))?;
    Ok(Some(Arc::new(pool)))
}
