//! What lies beside the streams: cover pictures, attached files, chapters, the file's tags.

use super::clock::{Clock, one_tick};
use super::compare::Allowed;
use super::container::Container;
use super::contents::{Attached, Contents};
use super::difference::{Difference, or_none, same, seconds};
use crate::media::tags::{FILE_TAGS, is_one_of};

/// Matroska's chapters and MP4's are stored finer, but written by way of milliseconds.
const CHAPTER_SLACK: f64 = 0.001;

/// Cover pictures and attachments, by their bytes and names.
pub(super) fn compare_attached(a: &Contents, b: &Contents, allowed: &Allowed) -> Result<(), Difference> {
    for (noun, a, b) in [("cover picture", &a.covers, &b.covers), ("attachment", &a.attachments, &b.attachments)] {
        let a: Vec<&Attached> = a.iter().filter(|one| !allowed.left_out.contains(&one.stream.index)).collect();
        same(&format!("{noun}s"), "their number", a.len(), b.len())?;
        for (index, (a, b)) in a.into_iter().zip(b).enumerate() {
            let place = format!("{noun} {}", index + 1);
            if a.hash != b.hash {
                let bytes = |one: &Attached| format!("{} bytes ({:016x})", one.size, one.hash);
                return Err(Difference::new(place, "its content", bytes(a), bytes(b)));
            }
            for key in ["filename", "mimetype"] {
                let (value_a, value_b) = (a.stream.tags.get(key), b.stream.tags.get(key));
                // MP4 has neither for its covers.
                let told = noun == "attachment" || (value_a.is_some() && value_b.is_some());
                if told && value_a != value_b {
                    return Err(Difference::new(place, format!("its {key}"), or_none(value_a), or_none(value_b)));
                }
            }
        }
    }
    Ok(())
}

/// Chapters, by time and title.
pub(super) fn compare_chapters(a: &Contents, b: &Contents, clock: Clock) -> Result<(), Difference> {
    same("chapters", "their number", a.chapters.len(), b.chapters.len())?;
    let count = a.chapters.len();
    for (index, (a, b)) in a.chapters.iter().zip(&b.chapters).enumerate() {
        let place = format!("chapter {}", index + 1);
        let slack = one_tick(a.base, b.base).max(CHAPTER_SLACK);
        let is_near = |a: f64, b: f64| (a + clock.shift - b).abs() <= slack;
        if !is_near(a.start, b.start) {
            return Err(Difference::new(place, "its beginning", seconds(a.start), seconds(b.start)));
        }
        // The last one's end is the file's in containers that store beginnings.
        if index + 1 < count && !is_near(a.end, b.end) {
            return Err(Difference::new(place, "its end", seconds(a.end), seconds(b.end)));
        }
        let (title_a, title_b) = (a.tags.get("title"), b.tags.get("title"));
        if title_a != title_b {
            return Err(Difference::new(place, "its title", or_none(title_a), or_none(title_b)));
        }
    }
    Ok(())
}

/// The tags of the whole file.
pub(super) fn compare_tags(a: &Contents, b: &Contents) -> Result<(), Difference> {
    let skip = |key: &str| is_one_of(key, &FILE_TAGS);
    a.tags.kept_by(&b.tags, "file", b.container, Container::holds_file_tag, skip)
}
