//! Decode, watch what moves, stylise, encode: a thread for each (two for watching, one that starts the search and one
//! that waits for it), joined by bounded channels. The only file that sees all stages.
//!
//! The stylise thread alone touches torch. A stage that ends lets go of its channels, which stops the others; the
//! first failure is the one reported.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::decode::{DecodeError, FrameSource};
use crate::encode::{EncodeError, Encoded, FrameSink};
use crate::interrupt::CancelToken;
use crate::measure::{Beside, JobMeter, Summary, Waiting};
use crate::media::{Frame, Pixels, Ratio};
use crate::motion::{Arrival, FlowError, Scout, Sighting, Watched, Watcher};
use crate::report::{Event, Observer};
use crate::stylize::{FrameStats, StyleError, Stylized, Stylizer};

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
}

impl Shared<'_> {
    fn fail(&self, error: impl Into<PipelineError>) {
        // A poisoned lock only says that another stage panicked while failing.
        let mut failure = self.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        failure.get_or_insert(error.into());
    }
}

/// Runs a job: every frame of `source`, through the stylizer, into `sink`, which is finished at the end.
/// `make_stylizer` is called inside the thread that stylises. `measured` asks how steady the result is, for which steps
/// must have been wanted of the watcher.
///
/// # Errors
/// The first failure of any stage; `Cancelled` when `cancel` was set. The sink is then dropped unfinished.
pub fn run<'a>(
    source: Box<dyn FrameSource>,
    (scout, watcher): (Scout, Watcher),
    measured: bool,
    make_stylizer: impl FnOnce() -> Result<Box<dyn Stylizer + 'a>, StyleError> + Send,
    sink: Box<dyn FrameSink>,
    observer: &dyn Observer,
    cancel: &CancelToken,
) -> Result<Outcome, PipelineError> {
    let info = source.info();
    let frame_bytes = (12 * info.width * info.height).max(1);
    let room = (CHANNEL_BYTES / frame_bytes).clamp(1, CHANNEL_FRAMES);
    let measured = measured.then(|| info.rate.map_or(DEFAULT_RATE, Ratio::value));
    let shared = Shared { observer, cancel, failure: Mutex::new(None), expected: info.frames, measured };
    let begin = source.begin();
    let (decoded_in, decoded_out) = bounded(room);
    let (sighted_in, sighted_out) = bounded(room);
    let (watched_in, watched_out) = bounded(room);
    let (styled_in, styled_out) = bounded(room);

    let (read, styled, encoded) = thread::scope(|scope| {
        let shared = &shared;
        let decode = scope.spawn(move || decode(source, &decoded_in, shared));
        let sight = scope.spawn(move || sight(scout, begin, &decoded_out, &sighted_in, shared));
        let watch = scope.spawn(move || watch(watcher, &sighted_out, &watched_in, shared));
        let stylize = scope.spawn(move || stylize(make_stylizer, &watched_out, &styled_in, shared));
        let encode = scope.spawn(move || encode(sink, &styled_out, shared));
        let read = decode.join().unwrap_or_else(|_| broken(shared, "decode"));
        sight.join().unwrap_or_else(|_| broken(shared, "motion"));
        watch.join().unwrap_or_else(|_| broken(shared, "motion"));
        let styled = stylize.join().unwrap_or_else(|_| broken(shared, "stylise"));
        let encoded = encode.join().unwrap_or_else(|_| broken(shared, "encode"));
        (read, styled, encoded)
    });

    if cancel.is_cancelled() && encoded.is_none() {
        return Err(PipelineError::Cancelled { frames: styled.map_or(0, |styled| styled.frames) });
    }
    if let Some(error) = shared.failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
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

/// The number of frames read, if all were.
fn decode(mut source: Box<dyn FrameSource>, out: &Sender<Message<Decoded>>, shared: &Shared<'_>) -> Option<u64> {
    let mut count = 0;
    loop {
        if shared.cancel.is_cancelled() {
            return None;
        }
        let message = match source.next() {
            Ok(Some(frame)) => Message::Frame(Decoded { frame, at: Instant::now() }),
            Ok(None) => Message::End { every_frame: source.gave_every_frame(), closing: None },
            Err(error) => {
                shared.fail(error);
                return None;
            }
        };
        let ends = matches!(message, Message::End { .. });
        if ends {
            for message in source.take_warnings() {
                shared.observer.event(&Event::Warning { message });
            }
        }
        out.send(message).ok()?;
        if ends {
            return Some(count);
        }
        count += 1;
    }
}

/// Starts the search for motion: as many frames ahead of the painting as the channels after it hold.
fn sight(
    mut scout: Scout,
    begin: f64,
    frames: &Receiver<Message<Decoded>>,
    out: &Sender<Message<(Decoded, Sighting)>>,
    shared: &Shared<'_>,
) -> Option<()> {
    while !shared.cancel.is_cancelled() {
        let decoded = match frames.recv().ok()? {
            Message::Frame(decoded) => decoded,
            Message::End { every_frame, closing } => return out.send(Message::End { every_frame, closing }).ok(),
        };
        let timing = decoded.frame.timing;
        let sighting = scout.look(&decoded.frame.pixels, timing.base.seconds(timing.pts) - begin);
        out.send(Message::Frame((decoded, sighting))).ok()?;
    }
    None
}

/// Waits for what was found, and decides; a frame that may be a flash waits for the next one.
fn watch(
    mut watcher: Watcher,
    frames: &Receiver<Message<(Decoded, Sighting)>>,
    out: &Sender<Message<Ready>>,
    shared: &Shared<'_>,
) -> Option<()> {
    let mut waiting: VecDeque<Frame> = VecDeque::new();
    let mut newest = Instant::now();
    let give = |watched: Watched, waiting: &mut VecDeque<Frame>, decoded| {
        let (frame, arrival) = (waiting.pop_front()?, watched.arrival);
        let beside = shared.measured.map(|_| Beside::of(&frame.pixels, &arrival));
        let ready = Ready { frame, arrival, decoded, beside };
        out.send(Message::Frame(ready)).ok()
    };
    while !shared.cancel.is_cancelled() {
        match frames.recv().ok()? {
            Message::Frame((decoded, sighting)) => {
                waiting.push_back(decoded.frame);
                newest = decoded.at;
                for watched in watcher.next(sighting).map_err(|error| shared.fail(error)).ok()? {
                    give(watched, &mut waiting, newest)?;
                }
            }
            Message::End { every_frame, .. } => {
                if let Some(watched) = watcher.finish().map_err(|error| shared.fail(error)).ok()? {
                    give(watched, &mut waiting, newest)?;
                }
                for message in watcher.unused() {
                    shared.observer.event(&Event::Warning { message });
                }
                let closing = watcher.closing().map_err(|error| shared.fail(error)).ok()?.map(Box::new);
                return out.send(Message::End { every_frame, closing }).ok();
            }
        }
    }
    None
}

/// What the stylise stage did.
struct StyleCount {
    frames: u64,
    waited_for_motion: Duration,
}

fn stylize<'a>(
    make: impl FnOnce() -> Result<Box<dyn Stylizer + 'a>, StyleError>,
    frames: &Receiver<Message<Ready>>,
    out: &Sender<Message<Painted>>,
    shared: &Shared<'_>,
) -> Option<StyleCount> {
    let mut stylizer = make().map_err(|error| shared.fail(error)).ok()?;
    let mut places =
        Places { waiting: VecDeque::new(), beside: Waiting::default(), count: 0, began: Instant::now(), out };
    let mut waited_for_motion = Duration::ZERO;
    let styled = |frames, waited_for_motion| Some(StyleCount { frames, waited_for_motion });
    loop {
        let idle = Instant::now();
        let message = frames.recv().ok()?;
        if let Message::Frame(ready) = &message {
            // Until it was decoded, no motion could have been found.
            waited_for_motion += Instant::now().saturating_duration_since(idle.max(ready.decoded));
        }
        if shared.cancel.is_cancelled() {
            return styled(places.count, waited_for_motion);
        }
        let result = match message {
            Message::Frame(ready) => places.push(stylizer.as_mut(), ready),
            Message::End { every_frame, closing } => {
                if let Some(arrival) = closing {
                    stylizer.close(*arrival);
                }
                match stylizer.finish(&mut |styled| places.done(styled)) {
                    Ok(()) => {
                        out.send(Message::End { every_frame, closing: None }).ok()?;
                        return styled(places.count, waited_for_motion);
                    }
                    Err(error) => Err(error),
                }
            }
        };
        match result {
            Ok(()) => {}
            Err(StyleError::Cancelled) => return styled(places.count, waited_for_motion),
            Err(error) => {
                shared.fail(error);
                return None;
            }
        }
    }
}

/// Gives each painted picture the place of the frame it was made from.
struct Places<'a> {
    /// Frames without their pixels, which the stylizer has.
    waiting: VecDeque<(Frame, Option<Beside>)>,
    beside: Waiting,
    count: u64,
    began: Instant,
    out: &'a Sender<Message<Painted>>,
}

impl Places<'_> {
    fn push(&mut self, stylizer: &mut dyn Stylizer, ready: Ready) -> Result<(), StyleError> {
        self.began = Instant::now();
        let Ready { mut frame, arrival, beside, .. } = ready;
        let content = std::mem::replace(&mut frame.pixels, Pixels::black(0, 0));
        self.waiting.push_back((frame, self.beside.keep(beside)));
        stylizer.push(&content, &arrival, &mut |styled| self.done(styled))
    }

    fn done(&mut self, styled: Stylized) -> Result<(), StyleError> {
        // A stylizer that gives more than it took, or a stage after it that ended: both end the job.
        let (frame, beside) = self.waiting.pop_front().ok_or(StyleError::Cancelled)?;
        self.beside.release(beside.as_ref());
        let frame = Frame { pixels: styled.pixels, ..frame };
        let seconds = self.began.elapsed().as_secs_f64();
        let painted = Painted { frame, stats: styled.stats, seconds, beside };
        self.out.send(Message::Frame(painted)).map_err(|_| StyleError::Cancelled)?;
        self.count += 1;
        self.began = Instant::now();
        Ok(())
    }
}

/// Here, and not where they are painted, frames are measured: the painting never waits for it.
fn encode(
    mut sink: Box<dyn FrameSink>,
    frames: &Receiver<Message<Painted>>,
    shared: &Shared<'_>,
) -> Option<(Encoded, Option<Summary>)> {
    let mut meter = shared.measured.map(JobMeter::new);
    let (mut count, mut measuring) = (0, Duration::ZERO);
    loop {
        match frames.recv().ok()? {
            Message::Frame(Painted { frame, stats, seconds, beside }) => {
                let began = Instant::now();
                let figures = meter.as_mut().map(|meter| meter.next(&frame.pixels, beside)).unwrap_or_default();
                measuring += began.elapsed();
                count += 1;
                shared.observer.event(&Event::Frame {
                    frame: count,
                    frames: shared.expected,
                    iterations: stats.iterations,
                    objective: stats.objective,
                    seconds,
                    figures,
                });
                sink.push(frame).map_err(|error| shared.fail(error)).ok()?;
            }
            Message::End { every_frame, .. } => {
                if every_frame {
                    sink.expect_every_frame();
                }
                break;
            }
        }
    }
    tracing::info!(seconds = measuring.as_secs_f64(), frames = count, "measured");
    let encoded = sink.finish().map_err(|error| shared.fail(error)).ok()?;
    Some((encoded, meter.and_then(JobMeter::finish)))
}
