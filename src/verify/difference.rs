//! What is not the same in two files.

use std::fmt;

use serde::Serialize;

/// Something that a file does not keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{place}: {what} is {a} in the first file, {b} in the second")]
pub struct Difference {
    /// Where: `frame 12`, `stream 1 (audio, aac)`, `chapter 2`, `file`. Frames, packets and chapters count from 1,
    /// streams, as FFmpeg's tools have them, from 0.
    pub place: String,
    /// Which of its properties.
    pub what: String,
    /// Its value in the source, and in the result.
    pub a: String,
    pub b: String,
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

/// A text to show for something that need not be there.
pub(super) fn or_none(text: Option<&str>) -> String {
    text.map_or_else(|| "none".into(), |text| format!("`{}`", shorten(text)))
}

/// At most 60 characters.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.into(),
    }
}

/// Seconds to a microsecond, without trailing zeros.
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
