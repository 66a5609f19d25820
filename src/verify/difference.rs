//! A difference between two files, and how serious it is.

use std::fmt;

use serde::Serialize;

/// A property that the second file does not keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{place}: {what} is {a} in the first file, {b} in the second")]
pub struct Difference {
    /// The place: `frame 12`, `stream 1 (audio, aac)`, `chapter 2`, `file`. Frames, packets and chapters count from 1;
    /// streams count from 0, as in FFmpeg's tools.
    pub place: String,
    /// The property that differs.
    pub what: String,
    /// Its value in the first file and in the second.
    pub a: String,
    pub b: String,
}

/// A difference with its severity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub weight: Weight,
    pub difference: Difference,
}

/// The severity of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Affects what is seen or heard: frames, streams, packets, the clock.
    Content,
    /// Affects only metadata (tags, dispositions, chapters), or data that a container may have stored in another form.
    Label,
}

impl Difference {
    pub(super) fn new(place: impl ToString, what: impl ToString, a: impl ToString, b: impl ToString) -> Self {
        let line = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { place: place.to_string(), what: what.to_string(), a: line(a.to_string()), b: line(b.to_string()) }
    }
}

/// `Ok` if both values are the same.
pub(super) fn same<T: PartialEq + fmt::Display>(place: &str, what: &str, a: T, b: T) -> Result<(), Difference> {
    if a == b { Ok(()) } else { Err(Difference::new(place, what, a, b)) }
}

/// Formats an optional text for a message.
pub(super) fn or_none(text: Option<&str>) -> String {
    text.map_or_else(|| "none".into(), |text| format!("`{}`", shorten(text)))
}

/// Shortens a text to at most 60 characters.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.into(),
    }
}

/// Formats seconds to the microsecond, without trailing zeros.
pub(super) fn seconds(time: f64) -> String {
    let text = format!("{time:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{} s", if text == "-0" { "0" } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_one_line() {
        let difference = Difference::new("chapter 1", "title", or_none(Some("two\nlines")), or_none(None));
        let line = "chapter 1: title is `two lines` in the first file, none in the second";
        assert_eq!(difference.to_string(), line);
        assert_eq!((seconds(-1e-9), seconds(1.5), seconds(20.0)), ("0 s".into(), "1.5 s".into(), "20 s".into()));
    }
}
