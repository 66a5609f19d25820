//! The stylize stage: paints the frames in order, and regularly saves the state from which another run can continue.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};

use super::{Message, PaintTools, Painted, PipelineError, Ready, Shared, Styled};
use crate::measure::{GhostMeter, Reference, Seen, Waiting};
use crate::media::{Frame, Pixels};
use crate::motion::Shot;
use crate::resume::Complete;
use crate::stylize::{Snapshot, StyleError, Stylized, Stylizer};

/// Totals of the stylize stage.
pub(super) struct StyleCount {
    pub frames: u64,
    pub waited_for_motion: Duration,
}

/// The progress that a previous run passes on to this stage.
pub(super) struct Before {
    /// Number of painted frames.
    pub frames: u64,
    /// Index of the frame after the painted ones.
    pub next: u64,
    /// Number of painted frames that are not in any part yet.
    pub in_tail: u64,
    /// State that the next frame needs.
    pub snapshot: Snapshot,
    /// Number of frames in a part; `None` if the output is not written in parts.
    pub checkpoint: Option<u64>,
}

pub(super) fn stylize<'a>(
    make: impl FnOnce() -> Result<PaintTools<'a>, StyleError>,
    before: Before,
    frames: &Receiver<Message<Ready>>,
    out: &Sender<Styled>,
    shared: &Shared<'_>,
) -> Option<StyleCount> {
    let PaintTools { mut stylizer, ghosts } = make().map_err(|error| shared.fail(error)).ok()?;
    if before.frames > 0 {
        stylizer.restore(&before.snapshot).map_err(|error| shared.fail(error)).ok()?;
    }
    let ghosts = ghosts.filter(|_| shared.measured.is_some());
    let mut tracker = FrameTracker::new(&before, ghosts, out);
    drop(before.snapshot);
    let mut waited_for_motion = Duration::ZERO;
    let styled =
        |tracker: &FrameTracker<'_>, waited_for_motion| Some(StyleCount { frames: tracker.count, waited_for_motion });
    loop {
        let idle = Instant::now();
        let Ok(message) = frames.recv() else {
            // An earlier stage has failed or was cancelled; the painted frames are worth keeping all the same.
            tracker.pause(stylizer.as_ref());
            return shared.cancel.is_cancelled().then_some(StyleCount { frames: tracker.count, waited_for_motion });
        };
        if let Message::Frame(ready) = &message {
            // Motion cannot be found before the frame is decoded, so only the time after that counts.
            waited_for_motion += Instant::now().saturating_duration_since(idle.max(ready.decoded));
        }
        if shared.cancel.is_cancelled() {
            tracker.pause(stylizer.as_ref());
            return styled(&tracker, waited_for_motion);
        }
        let result = match message {
            Message::Frame(ready) if shared.shots.is_some_and(|shots| shots.is_past(ready.shot)) => {
                let ended = stylizer.end_shot(&mut |styled| tracker.done(styled));
                ended.map(|()| Some(Complete { every_frame: false, ends: false }))
            }
            Message::Frame(ready) if ready.frame.index < before.next || !shared.has(ready.shot) => {
                tracker.pass(&ready);
                Ok(None)
            }
            Message::Frame(ready) => tracker.paint(stylizer.as_mut(), ready).map(|()| None),
            Message::End { .. } if shared.shots.is_some_and(|shots| shots.from >= tracker.begun) => {
                let from = shared.shots.map_or(0, |shots| shots.from);
                shared.fail(PipelineError::NoShot { from, count: tracker.begun });
                return None;
            }
            Message::End { every_frame, closing } => {
                if let Some(transition) = closing {
                    stylizer.close(*transition);
                }
                let finished = stylizer.finish(&mut |styled| tracker.done(styled));
                finished.map(|()| Some(Complete { every_frame, ends: true }))
            }
        };
        match result {
            Ok(None) => {}
            Ok(Some(complete)) => {
                tracing::info!(seconds = tracker.looking.as_secs_f64(), "looked for ghosts");
                out.send(Styled::End { shot: tracker.shot, complete }).ok()?;
                return styled(&tracker, waited_for_motion);
            }
            Err(StyleError::Cancelled) => return styled(&tracker, waited_for_motion),
            Err(error) => {
                shared.fail(error);
                return None;
            }
        }
    }
}

/// Pairs each painted picture with the frame it was made from, sends it to the encode stage, and ends parts.
struct FrameTracker<'a> {
    /// Frames that are being painted, without their pixels, which the stylizer holds.
    waiting: VecDeque<(Frame, Option<Reference>)>,
    reference: Waiting,
    ghosts: Option<GhostMeter>,
    /// Time spent looking for ghosts.
    looking: Duration,
    /// Number of painted frames, including those of previous runs.
    count: u64,
    /// Number of frames since the last part ended.
    since: u64,
    /// The shot in which the current part begins.
    shot: u64,
    /// Index of the first frame of the part that a previous run began.
    tail: u64,
    /// Number of shots that have begun.
    begun: u64,
    /// pts of the frame before the first one that is painted.
    last: Option<i64>,
    checkpoint: Option<u64>,
    began: Instant,
    out: &'a Sender<Styled>,
}

impl<'a> FrameTracker<'a> {
    fn new(before: &Before, ghosts: Option<GhostMeter>, out: &'a Sender<Styled>) -> Self {
        Self {
            waiting: VecDeque::new(),
            reference: Waiting::default(),
            ghosts,
            looking: Duration::ZERO,
            count: before.frames,
            since: before.in_tail,
            shot: 0,
            tail: before.next - before.in_tail,
            begun: 0,
            last: None,
            checkpoint: before.checkpoint,
            began: Instant::now(),
            out,
        }
    }

    /// Skips a frame that another run paints or has painted.
    fn pass(&mut self, ready: &Ready) {
        if ready.frame.index <= self.tail {
            self.shot = ready.shot;
        }
        self.begun = ready.shot + 1;
        self.last = Some(ready.frame.timing.pts);
    }

    fn paint(&mut self, stylizer: &mut dyn Stylizer, ready: Ready) -> Result<(), StyleError> {
        let begins = ready.transition.shot == Shot::New;
        self.begun = ready.shot + 1;
        if begins {
            stylizer.end_shot(&mut |styled| self.done(styled))?;
        }
        if self.checkpoint.is_some_and(|frames| self.since > 0 && (begins || self.since >= frames)) {
            self.seal(stylizer)?;
        }
        if self.since == 0 && self.waiting.is_empty() {
            self.shot = ready.shot;
        }
        self.began = Instant::now();
        let Ready { mut frame, transition, reference, .. } = ready;
        if let Some(last) = self.last.take().filter(|_| self.count == 0 && frame.timing.duration.is_none()) {
            // A sink counts from the frame before, which it has not seen.
            frame.timing.duration = Some(frame.timing.pts - last);
        }
        let content = std::mem::replace(&mut frame.pixels, Pixels::black(0, 0));
        self.waiting.push_back((frame, self.reference.keep(reference)));
        stylizer.push(&content, &transition, &mut |styled| self.done(styled))
    }

    /// Ends the current part, if the stylizer can save its state at this point.
    fn seal(&mut self, stylizer: &dyn Stylizer) -> Result<(), StyleError> {
        if let Some(snapshot) = stylizer.snapshot()? {
            self.out.send(Styled::Seal { shot: self.shot, snapshot }).map_err(|_| StyleError::Cancelled)?;
            self.since = 0;
        }
        Ok(())
    }

    /// Saves the state at the end of this run so that another run can continue.
    fn pause(&self, stylizer: &dyn Stylizer) {
        if self.checkpoint.is_none() || self.since == 0 {
            return;
        }
        match stylizer.snapshot() {
            Ok(Some(snapshot)) => {
                // A failed send means that the encode stage has ended, so nothing can be saved.
                let _ = self.out.send(Styled::Pause(snapshot));
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the frames since the last part are painted again in the next run"),
        }
    }

    /// Looks for ghosts in a painted frame. This happens here and not in the encode stage because only this thread
    /// computes with torch. An error ends the search, not the job.
    fn look(&mut self, frame: &Frame, reference: Option<&Reference>) -> Seen {
        let Some(ghosts) = &mut self.ghosts else { return Seen::default() };
        let Some(reference) = reference else {
            ghosts.end_shot();
            return Seen::default();
        };
        let began = Instant::now();
        let seen = reference.look(&frame.pixels, ghosts);
        self.looking += began.elapsed();
        seen.unwrap_or_else(|error| {
            tracing::warn!(%error, "ghosts are not looked for any further");
            self.ghosts = None;
            Seen::default()
        })
    }

    fn done(&mut self, styled: Stylized) -> Result<(), StyleError> {
        // Two cases end the job: a stylizer that returns more frames than it got, and an encode stage that has ended.
        let (frame, reference) = self.waiting.pop_front().ok_or(StyleError::Cancelled)?;
        self.reference.release(reference.as_ref());
        let frame = Frame { pixels: styled.pixels, ..frame };
        let seconds = self.began.elapsed().as_secs_f64();
        let seen = self.look(&frame, reference.as_ref());
        let painted = Painted { frame, stats: styled.stats, seconds, reference, seen };
        self.out.send(Styled::Frame(Box::new(painted))).map_err(|_| StyleError::Cancelled)?;
        self.count += 1;
        self.since += 1;
        self.began = Instant::now();
        Ok(())
    }
}
