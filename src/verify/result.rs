//! A result held against its source by whoever made it, who knows more than the two files tell.

use super::clock::Clock;
use super::compare::{self, Allowed};
use super::contents::Contents;
use super::difference::{Difference, Finding, Weight, seconds};
use super::part::Cut;
use super::{pictures, tracks};

/// How a result was made of its source.
#[derive(Debug, Clone)]
pub struct Making<'a> {
    pub allowed: Allowed,
    /// What of the source's clock it takes, and where that goes.
    pub cut: Cut,
    /// Seconds by which all of it is later still.
    pub shift: f64,
    /// Times of the source's frames that it has, in ticks of the source's video, where each packet of that is to be
    /// a frame. `None` where it is not (damage, filters, fields): then the frames are not compared.
    pub frames: Option<&'a [i64]>,
    /// Whether the pictures are to look as the source's do: size, shape, colours, depth.
    pub same_look: bool,
}

/// All differences between the source `a` and the result `b`, which is [read](Contents::read) at
/// [`Depth::Beside`](super::Depth::Beside) or deeper, as is the source.
///
/// The frames of `a` are compared with those that were taken; that `b` has these is for the maker to know. They are not
/// compared where the source's packets do not say when they are shown (AVI, raw streams), where two say the same, and
/// where pictures before the first key picture may be missing.
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
            // How it was moved is known; whether it had to be is another question.
            note(Weight::Label, Clock::of(&a, b, &making.allowed).map(drop));
        }
    }
    note(Weight::Label, tracks::compare_words(&a.video.stream, &b.video.stream, b.container));
    found.extend(compare::beside(&a, b, &making.allowed, clock));
    found
}

/// Whether the frames taken are those of the source, one after the other: in a part from the first on, else all.
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
