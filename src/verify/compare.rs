//! From the video to the last tag.

use serde::Serialize;

use super::clock::Clock;
use super::contents::{Contents, Track};
use super::difference::{Difference, seconds};
use super::{extras, pictures, tracks};

/// What may differ, beyond what a container cannot hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Streams of the first file that the second does not have. By their index, as for the next.
    pub left_out: Vec<usize>,
    /// Streams of the first file that the second has in another coding: their packets are not compared.
    pub reencoded: Vec<usize>,
}

/// What was compared and found the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub frames: u64,
    pub width: u32,
    pub height: u32,
    /// Beside the video: sound, subtitles, data, other videos.
    pub streams: usize,
    /// Of those streams.
    pub packets: u64,
    pub covers: usize,
    pub attachments: usize,
    pub chapters: usize,
    /// Seconds that all streams are later in the second file, for it cannot hold times before 0.
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

/// Whether `b` keeps what `a` has; the module says what is compared.
///
/// # Errors
/// The first difference, which is boxed with some bulk of text.
pub fn compare(a: &Contents, b: &Contents, allowed: &Allowed) -> Result<Summary, Difference> {
    pictures::compare_look(a, b)?;
    let clock = Clock::of(a, b, allowed)?;
    pictures::compare_times(&a.video, &b.video, clock)?;
    pictures::compare_rate(&a.video, &b.video)?;
    pictures::compare_last(&a.video, &b.video)?;
    tracks::compare_words(&a.video.stream, &b.video.stream, b.container)?;
    let wanted: Vec<&Track> = a.tracks.iter().filter(|track| !allowed.left_out.contains(&track.stream.index)).collect();
    tracks::compare(&wanted, &b.tracks, (a.container, b.container), clock, allowed)?;
    tracks::compare_defaults(a, b, &wanted)?;
    extras::compare_attached(a, b, allowed)?;
    extras::compare_chapters(a, b, clock)?;
    extras::compare_tags(a, b)?;
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
