//! Compares a result with its source when the caller knows how the result was made.

use super::allowed::Allowed;
use super::clock::Clock;
use super::compare;
use super::contents::Contents;
use super::difference::{Difference, Finding, Weight, seconds};
use super::part::Cut;
use super::{pictures, tracks};

/// How a result was made from its source.
#[derive(Debug, Clone)]
pub struct Making<'a> {
    pub allowed: Allowed,
    /// The range of the source's clock that the result uses, and the offset it is moved by.
    pub cut: Cut,
    /// Additional shift of the whole result, in seconds.
    pub shift: f64,
    /// Timestamps of the source frames in the result, in ticks of the source's video, if each source packet should be
    /// one frame. `None` if it need not be (damage, filters, interlacing): then frames are not compared.
    pub frames: Option<&'a [i64]>,
    /// Whether the pictures must have the source's properties: size, aspect ratio, colours, bit depth.
    pub same_look: bool,
}

/// Returns all differences between the source `a` and the result `b`. Both must be [read](Contents::read) at
/// [`Depth::AllButVideo`](super::Depth::AllButVideo) or deeper.
///
/// The frames of `a` are compared with those that were taken; the caller must know that `b` contains them. They are not
/// compared if the source's packets have no timestamps (AVI, raw streams), if two packets have the same one, or if
/// pictures before the first key picture may be missing.
#[must_use]
pub fn findings(a: Contents, b: &Contents, making: &Making) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut note = |weight, result: Result<(), Difference>| {
        found.extend(result.err().map(|difference| Finding { weight, difference }));
    };
    if let Some(taken) = making.frames {
        note(Weight::Content, compare_frames(&a, taken, &making.cut));
    }
    let is_whole = making.cut.from.is_none() && making.cut.to.is_none();
    let a = a.cut(&making.cut);
    let clock = Clock { shift: making.shift };
    if making.same_look {
        note(Weight::Label, pictures::compare_look(&a, b));
        if making.frames.is_some() && is_whole {
            note(Weight::Label, pictures::compare_rate(&a.video, &b.video));
            // The shift itself is known; this checks whether it was necessary.
            note(Weight::Label, Clock::of(&a, b, &making.allowed).map(drop));
        }
    }
    note(Weight::Label, tracks::compare_words(&a.video.stream, &b.video.stream, b.container));
    found.extend(compare::beside(&a, b, &making.allowed, clock));
    found
}

/// Whether the taken frames are consecutive source frames: from the first taken one if the range is limited, or else
/// all.
fn compare_frames(a: &Contents, taken: &[i64], cut: &Cut) -> Result<(), Difference> {
    let video = &a.video;
    let all = &video.frames;
    let base = video.stream.base;
    let is_clear = video.timed && base == cut.base && all.windows(2).all(|pair| pair[0] < pair[1]);
    let Some(&first) = taken.first().filter(|_| is_clear) else { return Ok(()) };
    let begin = all.partition_point(|&pts| pts < first);
    if begin > 0 && cut.from.is_none() {
        return Ok(());
    }
    let wanted = if cut.to.is_some() { &all[begin..all.len().min(begin + taken.len())] } else { &all[begin..] };
    let place = |index: usize| format!("frame {} of the source", begin + index + 1);
    if let Some(index) = wanted.iter().zip(taken).position(|(wanted, taken)| wanted != taken) {
        let time = |frames: &[i64]| seconds(base.seconds(frames[index]));
        return Err(Difference::new(place(index), "its time", time(wanted), time(taken)));
    }
    if wanted.len() != taken.len() {
        let place = format!("stream {} (video)", video.stream.index);
        return Err(Difference::new(place, "the number of frames", wanted.len(), taken.len()));
    }
    Ok(())
}
