//! The stages before painting: they decode the frames and find out how each one follows from its predecessor.

use std::collections::VecDeque;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender};

use super::{Decoded, Message, Ready, Shared};
use crate::decode::FrameSource;
use crate::measure::Reference;
use crate::media::Frame;
use crate::motion::{Pending, Prefetch, Shot, Watched, Watcher};
use crate::report::Event;

/// Decodes all frames. Returns their number, or `None` if not all were read.
pub(super) fn decode(
    mut source: Box<dyn FrameSource>,
    out: &Sender<Message<Decoded>>,
    shared: &Shared<'_>,
) -> Option<u64> {
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
            for message in source.take_notes() {
                shared.observer.event(&Event::Note { message });
            }
        }
        out.send(message).ok()?;
        if ends {
            return Some(count);
        }
        count += 1;
    }
}

/// Starts the motion search for each frame. It runs ahead of the painting by as many frames as the channels between
/// them hold.
pub(super) fn sight(
    mut prefetch: Prefetch,
    begin: f64,
    frames: &Receiver<Message<Decoded>>,
    out: &Sender<Message<(Decoded, Pending)>>,
    shared: &Shared<'_>,
) -> Option<()> {
    while !shared.cancel.is_cancelled() {
        let decoded = match frames.recv().ok()? {
            Message::Frame(decoded) => decoded,
            Message::End { every_frame, closing } => return out.send(Message::End { every_frame, closing }).ok(),
        };
        let timing = decoded.frame.timing;
        let pending = prefetch.look(&decoded.frame.pixels, timing.base.seconds(timing.pts) - begin);
        out.send(Message::Frame((decoded, pending))).ok()?;
    }
    None
}

/// Waits for the motion results and classifies each frame; a frame that may be a flash waits for the next one.
pub(super) fn watch(
    mut watcher: Watcher,
    frames: &Receiver<Message<(Decoded, Pending)>>,
    out: &Sender<Message<Ready>>,
    shared: &Shared<'_>,
) -> Option<()> {
    let mut waiting: VecDeque<Frame> = VecDeque::new();
    let mut newest = Instant::now();
    let mut begun: u64 = 0;
    let mut give = |watched: Watched, waiting: &mut VecDeque<Frame>, decoded| {
        let (frame, transition) = (waiting.pop_front()?, watched.transition);
        begun += u64::from(transition.shot == Shot::New);
        let shot = begun.saturating_sub(1);
        // Frames that this run does not paint are not measured.
        let measured = shared.measured.filter(|_| frame.index >= shared.next && shared.has(shot));
        let reference = measured.map(|_| Reference::of(&frame.pixels, &transition));
        let ready = Ready { frame, transition, shot, decoded, reference };
        out.send(Message::Frame(ready)).ok()
    };
    while !shared.cancel.is_cancelled() {
        match frames.recv().ok()? {
            Message::Frame((decoded, pending)) => {
                waiting.push_back(decoded.frame);
                newest = decoded.at;
                for watched in watcher.next(pending).map_err(|error| shared.fail(error)).ok()? {
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
