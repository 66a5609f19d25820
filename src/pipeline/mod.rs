//! The pipeline: decode, motion, stylize, encode. Each stage has a thread (motion has two: one starts the search, one
//! waits for it); bounded channels connect them. Only this file sees all stages.
//!
//! Only the stylize thread computes with torch. A stage that ends drops its channels, which stops the other stages; the
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
use crate::job::Shots;
use crate::measure::{GhostMeter, Reference, Seen, Summary};
use crate::media::{Frame, Ratio};
use crate::motion::{FlowError, Prefetch, Transition, Watcher};
use crate::report::Observer;
use crate::resume::{Complete, Journal, ResumeError};
use crate::stylize::{FrameStats, Snapshot, StyleError, Stylizer};

use paint::Before;
use write::PartWriter;

/// Limit of the frames waiting in one channel, in bytes.
const CHANNEL_BYTES: usize = 256 << 20;
const CHANNEL_FRAMES: usize = 4;
/// Frames per second that the flicker measurement assumes if the source does not state its rate.
const DEFAULT_RATE: f64 = 25.0;

/// Why a job failed or was cancelled.
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
    #[error("there is no shot {from}, counted from 0: the source has {count}")]
    NoShot { from: u64, count: u64 },
    #[error("interrupted")]
    Cancelled { frames: u64 },
    #[error("the {0} stage broke down: this is a fault of the program")]
    Panicked(&'static str),
}

/// A message on a channel. If a channel closes without `End`, the stage before it has failed.
enum Message<T> {
    Frame(T),
    /// The end of the source; `every_frame` is the result of [`FrameSource::gave_every_frame`].
    End {
        every_frame: bool,
        /// How the first frame follows from the last one, if the watcher knows.
        closing: Option<Box<Transition>>,
    },
}

/// A frame and the time at which it was decoded.
struct Decoded {
    frame: Frame,
    at: Instant,
}

/// A frame, how it follows from the one before it, and when the last frame needed to decide that was decoded.
struct Ready {
    frame: Frame,
    transition: Transition,
    /// Number of its shot, from 0.
    shot: u64,
    decoded: Instant,
    /// Reference that the painted frame is compared with when it is measured.
    reference: Option<Reference>,
}

/// A painted frame and the cost of painting it.
struct Painted {
    frame: Frame,
    stats: FrameStats,
    seconds: f64,
    reference: Option<Reference>,
    seen: Seen,
}

/// A message to the encode stage. Here too, a channel that closes without `End` means a failure.
enum Styled {
    Frame(Box<Painted>),
    /// A part of this shot ends here; `snapshot` is the state that the next frame needs.
    Seal {
        shot: u64,
        snapshot: Snapshot,
    },
    /// The run ends here, but the job does not; holds the state that the next frame needs.
    Pause(Snapshot),
    /// Everything that this run paints is painted; the last part belongs to this shot.
    End {
        shot: u64,
        complete: Complete,
    },
}

/// The opened ends of the pipeline: source, sink and motion search.
pub struct Ends {
    pub source: Box<dyn FrameSource>,
    pub sink: Box<dyn FrameSink>,
    pub motion: (Prefetch, Watcher),
}

/// The tools of the stylize stage, built inside its thread.
pub struct PaintTools<'a> {
    pub stylizer: Box<dyn Stylizer + 'a>,
    /// Looks for ghosts, if the result is measured and the engine supports it.
    pub ghosts: Option<GhostMeter>,
}

/// The journal that records a job's progress, and how often it does so.
pub struct Progress<'a, 'b> {
    pub journal: &'a mut Journal<'b>,
    /// Number of frames in a part.
    pub checkpoint: u64,
}

/// Results of a job that completed.
pub struct Completed {
    pub encoded: Encoded,
    /// How long the stylize stage waited for the motion of frames that were already decoded.
    pub waited_for_motion: Duration,
    /// Steadiness of the result compared with its source; `None` if motion was not measured.
    pub steadiness: Option<Summary>,
}

/// State that all stages share while they run.
struct Shared<'a> {
    observer: &'a dyn Observer,
    cancel: &'a CancelToken,
    /// The first failure; later ones follow from it.
    failure: Mutex<Option<PipelineError>>,
    expected: Option<u64>,
    /// Frames per second, if the result is to be measured.
    measured: Option<f64>,
    /// Index of the first frame that this run paints.
    next: u64,
    /// The shots that this run is confined to.
    shots: Option<Shots>,
}

impl Shared<'_> {
    /// Whether this run paints the frames of `shot`.
    fn has(&self, shot: u64) -> bool {
        self.shots.is_none_or(|shots| shots.contains(shot))
    }

    fn fail(&self, error: impl Into<PipelineError>) {
        // A poisoned lock only means that another stage panicked while it reported a failure.
        let mut failure = self.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        failure.get_or_insert(error.into());
    }
}

/// Runs a job: passes every frame of the source through the stylizer into the sink, and finishes the sink. `make_tools`
/// is called inside the stylize thread. `measured` requests the steadiness of the result; the watcher must then have
/// been asked for motion. With `progress`, frames that a previous run painted are only analysed, because the sink
/// already holds those of finished parts, and the parts that this run finishes are recorded. If the journal is confined
/// to some shots, only those are painted, and the sink is dropped unfinished.
///
/// # Errors
/// The first failure of any stage, or `Cancelled` if `cancel` was set. The sink is then dropped unfinished.
pub fn run<'a>(
    ends: Ends,
    measured: bool,
    make_tools: impl FnOnce() -> Result<PaintTools<'a>, StyleError> + Send,
    progress: Option<Progress<'_, '_>>,
    observer: &dyn Observer,
    cancel: &CancelToken,
) -> Result<Completed, PipelineError> {
    let Ends { source, sink, motion: (prefetch, watcher) } = ends;
    let before = match &progress {
        Some(Progress { journal, checkpoint }) => Before {
            frames: journal.frames(),
            next: journal.next_frame(),
            in_tail: journal.tail_frames(),
            snapshot: journal.snapshot()?,
            checkpoint: Some(*checkpoint),
        },
        None => Before { frames: 0, next: 0, in_tail: 0, snapshot: Snapshot::default(), checkpoint: None },
    };
    let shots = progress.as_ref().and_then(|progress| progress.journal.shots());
    let writer = PartWriter::new(sink, progress.map(|progress| progress.journal));
    let info = source.info();
    let frame_bytes = (12 * info.width * info.height).max(1);
    let room = (CHANNEL_BYTES / frame_bytes).clamp(1, CHANNEL_FRAMES);
    let measured = measured.then(|| info.rate.map_or(DEFAULT_RATE, Ratio::value));
    let next = before.next;
    let shared = Shared { observer, cancel, failure: Mutex::new(None), expected: info.frames, measured, next, shots };
    let (begin, base) = (source.begin(), info.base);
    let (decoded_in, decoded_out) = bounded(room);
    let (sighted_in, sighted_out) = bounded(room);
    let (watched_in, watched_out) = bounded(room);
    let (styled_in, styled_out) = bounded(room);

    let (read, styled, encoded) = thread::scope(|scope| {
        let shared = &shared;
        let decode = scope.spawn(move || look::decode(source, &decoded_in, shared));
        let sight = scope.spawn(move || look::sight(prefetch, begin, &decoded_out, &sighted_in, shared));
        let watch = scope.spawn(move || look::watch(watcher, &sighted_out, &watched_in, shared));
        let stylize = scope.spawn(move || paint::stylize(make_tools, before, &watched_out, &styled_in, shared));
        let encode = scope.spawn(move || write::encode(writer, base, &styled_out, shared));
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
    if shots.is_none() && encoded.frames != read {
        return Err(PipelineError::FrameCount { read, written: encoded.frames });
    }
    let waited_for_motion = styled.map(|styled| styled.waited_for_motion).unwrap_or_default();
    Ok(Completed { encoded, waited_for_motion, steadiness })
}

fn broken<T>(shared: &Shared<'_>, stage: &'static str) -> Option<T> {
    shared.fail(PipelineError::Panicked(stage));
    None
}
