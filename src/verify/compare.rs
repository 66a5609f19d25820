//! Compares two files completely, from the video to the last tag.

use serde::Serialize;

use super::allowed::Allowed;
use super::clock::Clock;
use super::contents::{Contents, Track};
use super::difference::{Difference, Finding, Weight, seconds};
use super::{extras, pictures, tracks};

/// Counts of what was compared and found equal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub frames: u64,
    pub width: u32,
    pub height: u32,
    /// Streams other than the video: audio, subtitles, data, other videos.
    pub streams: usize,
    /// Packets of those streams.
    pub packets: u64,
    pub covers: usize,
    pub attachments: usize,
    pub chapters: usize,
    /// Seconds by which all streams are later in the second file because it cannot hold times before 0.
    pub shift: f64,
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { frames, width, height, streams, packets, covers, attachments, chapters, shift } = self;
        write!(f, "{}, {width}x{height}", count(*frames, "frame"))?;
        if *streams > 0 {
            write!(f, "; {} with {}", count(*streams as u64, "other stream"), count(*packets, "packet"))?;
        }
        for (number, noun) in [(covers, "cover picture"), (attachments, "attachment"), (chapters, "chapter")] {
            if *number > 0 {
                write!(f, "; {}", count(*number as u64, noun))?;
            }
        }
        if *shift != 0.0 {
            write!(f, "; all {} later", seconds(*shift))?;
        }
        Ok(())
    }
}

fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

fn wanted<'a>(a: &'a Contents, allowed: &Allowed) -> Vec<&'a Track> {
    a.tracks.iter().filter(|track| !allowed.left_out.contains(&track.stream.index)).collect()
}

/// Returns all differences outside the video.
pub(super) fn beside(a: &Contents, b: &Contents, allowed: &Allowed, clock: Clock) -> Vec<Finding> {
    let wanted = wanted(a, allowed);
    let mut found = tracks::compare(&wanted, &b.tracks, (a.container, b.container), clock, allowed);
    let mut note = |weight, result: Result<(), Difference>| {
        found.extend(result.err().map(|difference| Finding { weight, difference }));
    };
    note(Weight::Label, tracks::compare_defaults(a, b, &wanted));
    note(Weight::Content, extras::compare_attached(a, b, allowed));
    note(Weight::Label, extras::compare_names(a, b, allowed));
    note(Weight::Label, extras::compare_chapters(a, b, clock));
    note(Weight::Label, extras::compare_tags(a, b));
    found
}

/// Checks whether `b` keeps the contents of `a`; the module documentation lists what is compared.
///
/// # Errors
/// Returns the first difference.
pub fn compare(a: &Contents, b: &Contents, allowed: &Allowed) -> Result<Summary, Difference> {
    pictures::compare_look(a, b)?;
    let clock = Clock::of(a, b, allowed)?;
    pictures::compare_times(&a.video, &b.video, clock)?;
    pictures::compare_rate(&a.video, &b.video)?;
    pictures::compare_last(&a.video, &b.video)?;
    tracks::compare_words(&a.video.stream, &b.video.stream, b.container)?;
    if let Some(Finding { difference, .. }) = beside(a, b, allowed, clock).into_iter().next() {
        return Err(difference);
    }
    let wanted = wanted(a, allowed);
    Ok(Summary {
        frames: a.frames(),
        width: b.video.width,
        height: b.video.height,
        streams: wanted.len(),
        packets: wanted.iter().map(|track| track.packets.len() as u64).sum(),
        covers: b.covers.len(),
        attachments: b.attachments.len(),
        chapters: b.chapters.len(),
        shift: clock.shift,
    })
}
