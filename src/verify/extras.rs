//! Compares what does not belong to a running stream: cover pictures, attached files, chapters and the file's tags.

use super::allowed::Allowed;
use super::clock::{Clock, one_tick};
use super::container::Container;
use super::contents::{Attached, Contents};
use super::difference::{Difference, or_none, same, seconds};
use crate::media::tags::{FILE_TAGS, is_one_of};

/// The containers store chapters more finely, but FFmpeg writes them in milliseconds.
const CHAPTER_SLACK: f64 = 0.001;

/// Compares cover pictures and attachments by their bytes.
pub(super) fn compare_attached(a: &Contents, b: &Contents, allowed: &Allowed) -> Result<(), Difference> {
    for (noun, a, b) in attached(a, b, allowed) {
        same(&format!("{noun}s"), "their number", a.len(), b.len())?;
        for (index, (a, b)) in a.into_iter().zip(b).enumerate() {
            if a.hash != b.hash {
                let bytes = |one: &Attached| format!("{} bytes ({:016x})", one.size, one.hash);
                return Err(Difference::new(format!("{noun} {}", index + 1), "its content", bytes(a), bytes(b)));
            }
        }
    }
    Ok(())
}

/// Compares cover pictures and attachments by their names and MIME types.
pub(super) fn compare_names(a: &Contents, b: &Contents, allowed: &Allowed) -> Result<(), Difference> {
    for (noun, a, b) in attached(a, b, allowed) {
        for (index, (a, b)) in a.into_iter().zip(b).enumerate() {
            for key in ["filename", "mimetype"] {
                let (value_a, value_b) = (a.stream.tags.get(key), b.stream.tags.get(key));
                // MP4 stores neither for its covers.
                let told = noun == "attachment" || (value_a.is_some() && value_b.is_some());
                if told && value_a != value_b {
                    let place = format!("{noun} {}", index + 1);
                    return Err(Difference::new(place, format!("its {key}"), or_none(value_a), or_none(value_b)));
                }
            }
        }
    }
    Ok(())
}

type Kind<'a> = (&'static str, Vec<&'a Attached>, Vec<&'a Attached>);

fn attached<'a>(a: &'a Contents, b: &'a Contents, allowed: &Allowed) -> [Kind<'a>; 2] {
    let wanted = |all: &'a [Attached]| all.iter().filter(|one| !allowed.left_out.contains(&one.stream.index)).collect();
    [
        ("cover picture", wanted(&a.covers), b.covers.iter().collect()),
        ("attachment", wanted(&a.attachments), b.attachments.iter().collect()),
    ]
}

/// Compares chapters by time and title.
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
        // Containers that store only the beginnings end the last chapter with the file.
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

/// Compares the tags of the whole file.
pub(super) fn compare_tags(a: &Contents, b: &Contents) -> Result<(), Difference> {
    let skip = |key: &str| is_one_of(key, &FILE_TAGS);
    a.tags.kept_by(&b.tags, "file", b.container, Container::holds_file_tag, skip)
}
