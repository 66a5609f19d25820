//! Decode, watch what moves, stylise, encode: a thread for each (two for watching, one that starts the search and one
//! that waits for it), joined by bounded channels. The only file that sees all stages.
//!
//! The stylise thread alone computes with torch. A stage that ends lets go of its channels, which stops the others; the
//! first failure is the one reported.

mod look;
mod paint;
mod write;

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;

use crate::decode::{DecodeError, FrameSource};
use crate::encode::{EncodeError, Encoded, FrameSink};
use crate::interrupt::CancelToken;
use crate::measure::{Beside, GhostMeter, Seen, Summary};
use crate::media::{Frame, Ratio};
use crate::motion::{Arrival, FlowError, Scout, Watcher};
use crate::report::Observer;
use crate::resume::{Journal, ResumeError};
use crate::stylize::{FrameStats, Snapshot, StyleError, Stylizer};

use paint::Before;
use write::Shelf;

/// Memory that the frames waiting in one channel may take.
const CHANNEL_BYTES: usize = 256 << 20;
const CHANNEL_FRAMES: usize = 4;
/// Frames a second of a source that does not tell, as far as its flicker is concerned.
const DEFAULT_RATE: f64 = 25.0;

/// Why a job did not end well.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Style(#[from] StyleError),
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error(transparent)]
    Motion(#[from] FlowError),
    #[error(transparent)]
    Resume(#[from] ResumeError),
    #[error("{read} frames were read, but {written} written: this is a fault of the program")]
    FrameCount { read: u64, written: u64 },
    #[error("interrupted")]
    Cancelled { frames: u64 },
    #[error("the {0} stage broke down: this is a fault of the program")]
    Panicked(&'static str),
}

/// What goes over a channel. A channel that closes without `End` means that the stage before it failed.
enum Message<T> {
    Frame(T),
    /// What [`FrameSource::gave_every_frame`] says.
    End {
        every_frame: bool,
        /// How the first frame follows from the last, where the watcher knows.
        closing: Option<Box<Arrival>>,
    },
}

/// A frame, and when it was decoded.
struct Decoded {
    frame: Frame,
    at: Instant,
}

/// A frame, how it follows from the one before it, and when all was decoded that is needed to say so.
struct Ready {
    frame: Frame,
    arrival: Arrival,
    decoded: Instant,
    /// What the painted frame is to be held against.
    beside: Option<Beside>,
}

/// A painted frame, and what its painting took.
struct Painted {
    frame: Frame,
    stats: FrameStats,
    seconds: f64,
    beside: Option<Beside>,
    seen: Seen,
}

/// What goes to the encode stage. As above, a channel that closes without `End` means a failure.
enum Styled {
    Frame(Box<Painted>),
    /// A part ends here; what the next frame needs.
    Seal(Snapshot),
    /// The run ends here, and the job does not.
    Pause(Snapshot),
    End {
        every_frame: bool,
    },
}

/// The ends of the pipeline, open.
pub struct Ends {
    pub source: Box<dyn FrameSource>,
    pub sink: Box<dyn FrameSink>,
    pub motion: (Scout, Watcher),
}

/// What the stylise stage computes with.
pub struct Hands<'a> {
    pub stylizer: Box<dyn Stylizer + 'a>,
    /// Looks for ghosts, where that is wanted and the result is measured.
    pub ghosts: Option<GhostMeter>,
}

/// Where a job's progress is noted, and how often.
pub struct Progress<'a, 'b> {
    pub journal: &'a mut Journal<'b>,
    /// Frames of a part.
    pub checkpoint: u64,
}

/// What a job that ended well leaves.
pub struct Outcome {
    pub encoded: Encoded,
    /// How long frames that were decoded were waited for by the stylise stage because of their motion.
    pub waited_for_motion: Duration,
    /// How steady the result is beside its source; `None` where motion was not looked at.
    pub steadiness: Option<Summary>,
}

/// What the stages share while they run.
struct Shared<'a> {
    observer: &'a dyn Observer,
    cancel: &'a CancelToken,
    /// The first failure: later ones follow from it.
    failure: Mutex<Option<PipelineError>>,
    expected: Option<u64>,
    /// Frames a second, where the result is to be measured.
    measured: Option<f64>,
    /// Frames that a former run has painted.
    painted: u64,
}

impl Shared<'_> {
    fn fail(&self, error: impl Into<PipelineError>) {
        // A poisoned lock only says that another stage panicked while failing.
        let mut failure = self.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        failure.get_or_insert(error.into());
    }
}

/// Runs a job: every frame of the source, through the stylizer, into the sink, which is finished at the end.
/// `make_hands` is called inside the thread that stylises. `measured` asks how steady the result is, for which steps
/// must have been wanted of the watcher. With `progress`, frames that a former run has painted are only looked at (the
/// sink has those of finished parts already), and what this run finishes is noted.
///
/// # Errors
/// The first failure of any stage; `Cancelled` when `cancel` was set. The sink is then dropped unfinished.
pub fn run<'a>(
    ends: Ends,
    measured: bool,
    make_hands: impl FnOnce() -> Result<Hands<'a>, StyleError> + Send,
    progress: Option<Progress<'_, '_>>,
    observer: &dyn Observer,
    cancel: &CancelToken,
) -> Result<Outcome, PipelineError> {
    let Ends { source, sink, motion: (scout, watcher) } = ends;
    let before = match &progress {
        Some(Progress { journal, checkpoint }) => Before {
            frames: journal.frames(),
            in_tail: journal.tail_frames(),
            snapshot: journal.snapshot()?,
            checkpoint: Some(*checkpoint),
        },
        None => Before { frames: 0, in_tail: 0, snapshot: Snapshot::default(), checkpoint: None },
    };
    let shelf = Shelf::new(sink, progress.map(|progress| progress.journal));
    let info = source.info();
    let frame_bytes = (12 * info.width * info.height).max(1);
    let room = (CHANNEL_BYTES / frame_bytes).clamp(1, CHANNEL_FRAMES);
    let measured = measured.then(|| info.rate.map_or(DEFAULT_RATE, Ratio::value));
    let painted = before.frames;
    let shared = Shared { observer, cancel, failure: Mutex::new(None), expected: info.frames, measured, painted };
    let (begin, base) = (source.begin(), info.base);
    let (decoded_in, decoded_out) = bounded(room);
    let (sighted_in, sighted_out) = bounded(room);
    let (watched_in, watched_out) = bounded(room);
    let (styled_in, styled_out) = bounded(room);

    let (read, styled, encoded) = thread::scope(|scope| {
        let shared = &shared;
        let decode = scope.spawn(move || look::decode(source, &decoded_in, shared));
        let sight = scope.spawn(move || look::sight(scout, begin, &decoded_out, &sighted_in, shared));
        let watch = scope.spawn(move || look::watch(watcher, &sighted_out, &watched_in, shared));
        let stylize = scope.spawn(move || paint::stylize(make_hands, before, &watched_out, &styled_in, shared));
        let encode = scope.spawn(move || write::encode(shelf, (base, painted), &styled_out, shared));
        let read = decode.join().unwrap_or_else(|_| broken(shared, "decode"));
        sight.join().unwrap_or_else(|_| broken(shared, "motion"));
        watch.join().unwrap_or_else(|_| broken(shared, "motion"));
        let styled = stylize.join().unwrap_or_else(|_| broken(shared, "stylise"));
        let encoded = encode.join().unwrap_or_else(|_| broken(shared, "encode"));
        (read, styled, encoded)
    });

    let failure = shared.failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if cancel.is_cancelled() && encoded.is_none() {
        if let Some(error @ PipelineError::Resume(_)) = failure {
            return Err(error);
        }
        return Err(PipelineError::Cancelled { frames: styled.map_or(0, |styled| styled.frames) });
    }
    if let Some(error) = failure {
        return Err(error);
    }
    let (encoded, steadiness) = encoded.ok_or(PipelineError::Panicked("encode"))?;
    let read = read.unwrap_or(0);
    if encoded.frames != read {
        return Err(PipelineError::FrameCount { read, written: encoded.frames });
    }
    let waited_for_motion = styled.map(|styled| styled.waited_for_motion).unwrap_or_default();
    Ok(Outcome { encoded, waited_for_motion, steadiness })
}

fn broken<T>(shared: &Shared<'_>, stage: &'static str) -> Option<T> {
    shared.fail(PipelineError::Panicked(stage));
    None
}
