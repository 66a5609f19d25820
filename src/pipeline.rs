//! Decode, watch what moves, stylise, encode: four threads and three bounded channels. The only file that sees all three stages.
//!
//! The stylise thread alone touches torch. A stage that ends lets go of its channels, which stops the others; the
//! first failure is the one reported.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::decode::{DecodeError, FrameSource};
use crate::encode::{EncodeError, Encoded, FrameSink};
use crate::interrupt::CancelToken;
use crate::media::{Frame, Pixels};
use crate::motion::{Arrival, FlowError, Watcher};
use crate::report::{Event, Observer};
use crate::stylize::{StyleError, Stylized, Stylizer};

/// Memory that the frames waiting in one channel may take.
const CHANNEL_BYTES: usize = 256 << 20;
const CHANNEL_FRAMES: usize = 4;

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

/// A frame, and how it follows from the one before it.
type Watched = (Frame, Arrival);

/// What the stages share while they run.
struct Shared<'a> {
    observer: &'a dyn Observer,
    cancel: &'a CancelToken,
    /// The first failure: later ones follow from it.
    failure: Mutex<Option<PipelineError>>,
    expected: Option<u64>,
}

impl Shared<'_> {
    fn fail(&self, error: impl Into<PipelineError>) {
        // A poisoned lock only says that another stage panicked while failing.
        let mut failure = self.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        failure.get_or_insert(error.into());
    }
}

/// Runs a job: every frame of `source`, through the stylizer, into `sink`, which is finished at the end.
/// `make_stylizer` is called inside the thread that stylises.
///
/// # Errors
/// The first failure of any stage; `Cancelled` when `cancel` was set. The sink is then dropped unfinished.
pub fn run<'a>(
    source: Box<dyn FrameSource>,
    watcher: Watcher,
    make_stylizer: impl FnOnce() -> Result<Box<dyn Stylizer + 'a>, StyleError> + Send,
    sink: Box<dyn FrameSink>,
    observer: &dyn Observer,
    cancel: &CancelToken,
) -> Result<Encoded, PipelineError> {
    let info = source.info();
    let frame_bytes = (12 * info.width * info.height).max(1);
    let room = (CHANNEL_BYTES / frame_bytes).clamp(1, CHANNEL_FRAMES);
    let shared = Shared { observer, cancel, failure: Mutex::new(None), expected: info.frames };
    let (decoded_in, decoded_out) = bounded(room);
    let (watched_in, watched_out) = bounded(room);
    let (styled_in, styled_out) = bounded(room);

    let (read, styled, encoded) = thread::scope(|scope| {
        let shared = &shared;
        let decode = scope.spawn(move || decode(source, &decoded_in, shared));
        let watch = scope.spawn(move || watch(watcher, &decoded_out, &watched_in, shared));
        let stylize = scope.spawn(move || stylize(make_stylizer, &watched_out, &styled_in, shared));
        let encode = scope.spawn(move || encode(sink, &styled_out, shared));
        let read = decode.join().unwrap_or_else(|_| broken(shared, "decode"));
        watch.join().unwrap_or_else(|_| broken(shared, "motion"));
        let styled = stylize.join().unwrap_or_else(|_| broken(shared, "stylise"));
        let encoded = encode.join().unwrap_or_else(|_| broken(shared, "encode"));
        (read, styled, encoded)
    });

    if cancel.is_cancelled() && encoded.is_none() {
        return Err(PipelineError::Cancelled { frames: styled.unwrap_or(0) });
    }
    if let Some(error) = shared.failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        return Err(error);
    }
    let encoded = encoded.ok_or(PipelineError::Panicked("encode"))?;
    let read = read.unwrap_or(0);
    if encoded.frames != read {
        return Err(PipelineError::FrameCount { read, written: encoded.frames });
    }
    Ok(encoded)
}

fn broken<T>(shared: &Shared<'_>, stage: &'static str) -> Option<T> {
    shared.fail(PipelineError::Panicked(stage));
    None
}

/// The number of frames read, if all were.
fn decode(mut source: Box<dyn FrameSource>, out: &Sender<Message<Frame>>, shared: &Shared<'_>) -> Option<u64> {
    let mut count = 0;
    loop {
        if shared.cancel.is_cancelled() {
            return None;
        }
        let message = match source.next() {
            Ok(Some(frame)) => Message::Frame(frame),
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

/// Ahead of the painting, so that it never waits for motion.
fn watch(
    mut watcher: Watcher,
    frames: &Receiver<Message<Frame>>,
    out: &Sender<Message<Watched>>,
    shared: &Shared<'_>,
) -> Option<()> {
    loop {
        let frame = match frames.recv().ok()? {
            Message::Frame(frame) => frame,
            Message::End { every_frame, .. } => {
                let closing = watcher.closing().map_err(|error| shared.fail(error)).ok()?.map(Box::new);
                return out.send(Message::End { every_frame, closing }).ok();
            }
        };
        let arrival = watcher.next(&frame.pixels).map_err(|error| shared.fail(error)).ok()?;
        out.send(Message::Frame((frame, arrival))).ok()?;
    }
}

/// The number of frames stylised.
fn stylize<'a>(
    make: impl FnOnce() -> Result<Box<dyn Stylizer + 'a>, StyleError>,
    frames: &Receiver<Message<Watched>>,
    out: &Sender<Message<Frame>>,
    shared: &Shared<'_>,
) -> Option<u64> {
    let mut stylizer = make().map_err(|error| shared.fail(error)).ok()?;
    let mut places = Places { waiting: VecDeque::new(), count: 0, began: Instant::now(), out, shared };
    loop {
        let message = frames.recv().ok()?;
        if shared.cancel.is_cancelled() {
            return Some(places.count);
        }
        let result = match message {
            Message::Frame((frame, arrival)) => places.push(stylizer.as_mut(), frame, &arrival),
            Message::End { every_frame, closing } => {
                if let Some(arrival) = closing {
                    stylizer.close(*arrival);
                }
                match stylizer.finish(&mut |styled| places.done(styled)) {
                    Ok(()) => {
                        let end = Message::End { every_frame, closing: None };
                        return out.send(end).ok().map(|()| places.count);
                    }
                    Err(error) => Err(error),
                }
            }
        };
        match result {
            Ok(()) => {}
            Err(StyleError::Cancelled) => return Some(places.count),
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
    waiting: VecDeque<Frame>,
    count: u64,
    began: Instant,
    out: &'a Sender<Message<Frame>>,
    shared: &'a Shared<'a>,
}

impl Places<'_> {
    fn push(&mut self, stylizer: &mut dyn Stylizer, mut frame: Frame, arrival: &Arrival) -> Result<(), StyleError> {
        self.began = Instant::now();
        let content = std::mem::replace(&mut frame.pixels, Pixels::black(0, 0));
        self.waiting.push_back(frame);
        stylizer.push(&content, arrival, &mut |styled| self.done(styled))
    }

    fn done(&mut self, styled: Stylized) -> Result<(), StyleError> {
        // A stylizer that gives more than it took, or a stage after it that ended: both end the job.
        let frame = self.waiting.pop_front().ok_or(StyleError::Cancelled)?;
        let styled_frame = Frame { pixels: styled.pixels, ..frame };
        self.out.send(Message::Frame(styled_frame)).map_err(|_| StyleError::Cancelled)?;
        self.count += 1;
        self.shared.observer.event(&Event::Frame {
            frame: self.count,
            frames: self.shared.expected,
            iterations: styled.stats.iterations,
            objective: styled.stats.objective,
            seconds: self.began.elapsed().as_secs_f64(),
        });
        self.began = Instant::now();
        Ok(())
    }
}

fn encode(mut sink: Box<dyn FrameSink>, frames: &Receiver<Message<Frame>>, shared: &Shared<'_>) -> Option<Encoded> {
    loop {
        match frames.recv().ok()? {
            Message::Frame(frame) => sink.push(frame).map_err(|error| shared.fail(error)).ok()?,
            Message::End { every_frame, .. } => {
                if every_frame {
                    sink.expect_every_frame();
                }
                break;
            }
        }
    }
    sink.finish().map_err(|error| shared.fail(error)).ok()
}
