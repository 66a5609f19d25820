//! The user's list of shot boundaries.

use std::path::{Path, PathBuf};

use crate::media::Range;
use crate::read_limited;

/// Tolerance in seconds. Times are written to the millisecond, so a frame may be half a millisecond earlier than the
/// time that names it, plus the rounding of floats.
const SLACK: f64 = 0.000_501;

/// An error in the list of cuts. Exit code 2: it is reported before any work starts.
#[derive(Debug, thiserror::Error)]
pub enum CutsError {
    #[error("--cuts {}: cannot be read: {source}; `stylize-video shots IN` prints such a list", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{}:{line}: `{text}` is neither a time (H:MM:SS.mmm, or seconds with a point) nor a frame number from 1; `#` \
        begins a comment", path.display())]
    Line { path: PathBuf, line: usize, text: String },
    #[error("{}:{line}: a frame number cannot be used with --start: give times, as `stylize-video shots IN` prints \
        them", path.display())]
    Number { path: PathBuf, line: usize },
}

/// The position where a shot begins.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mark {
    /// Frame number, from 0.
    Frame(u64),
    /// Time in seconds from the beginning of the source.
    Time(f64),
}

#[derive(Debug, Clone)]
struct Entry {
    mark: Mark,
    /// The text of the entry in the list.
    text: String,
    line: usize,
}

/// A list of the positions where shots begin, one per line: a time, as `H:MM:SS.mmm` or seconds with a decimal point,
/// or a frame number from 1.
#[derive(Debug, Clone)]
pub struct CutList {
    path: PathBuf,
    /// Entries that no frame has reached yet.
    left: Vec<Entry>,
    /// Whether the source is read to its end.
    whole: bool,
}

impl CutList {
    /// Reads a list for the given range of a source.
    ///
    /// # Errors
    /// If the file cannot be read, a line is invalid, or a line holds a frame number although the range does not start
    /// at the beginning.
    pub fn read(path: &Path, range: Range) -> Result<Self, CutsError> {
        let text = read_limited::text(path).map_err(|source| CutsError::Read { path: path.into(), source })?;
        Self::parse(path, &text, range)
    }

    /// Like [`read`](Self::read), from a text; `path` is the name used in errors.
    ///
    /// # Errors
    /// If a line is invalid, or holds a frame number although the range does not start at the beginning.
    pub fn parse(path: &Path, text: &str, range: Range) -> Result<Self, CutsError> {
        let mut left = Vec::new();
        // Some editors begin a file with a byte order mark.
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let (text, line) = (line.split('#').next().unwrap_or_default().trim().to_string(), index + 1);
            if text.is_empty() {
                continue;
            }
            let mark = mark(&text).ok_or_else(|| CutsError::Line { path: path.into(), line, text: text.clone() })?;
            if range.start > 0.0 && matches!(mark, Mark::Frame(_)) {
                return Err(CutsError::Number { path: path.into(), line });
            }
            left.push(Entry { mark, text, line });
        }
        Ok(Self { path: path.into(), left, whole: range.frames.is_none() })
    }

    /// Returns whether a frame begins a shot; frames must come in order. `number` counts from 0, `seconds` from the
    /// beginning of the source.
    pub fn begins(&mut self, number: u64, seconds: f64) -> bool {
        let before = self.left.len();
        self.left.retain(|entry| match entry.mark {
            Mark::Frame(frame) => frame > number,
            Mark::Time(time) => time - SLACK > seconds,
        });
        self.left.len() < before
    }

    /// Returns one line for each entry beyond the end of the source; none if the source was not read to its end.
    pub fn unused(&self) -> Vec<String> {
        let line = |entry: &Entry| {
            format!("{}:{}: {} is beyond the end of the video", self.path.display(), entry.line, entry.text)
        };
        self.left.iter().filter(|_| self.whole).map(line).collect()
    }

    /// Returns whether any entry is a time: the frames that times stand for are not known in advance.
    pub fn has_times(&self) -> bool {
        self.left.iter().any(|entry| matches!(entry.mark, Mark::Time(_)))
    }

    /// Returns whether the list contains this frame, from 0, by its number.
    pub fn names(&self, number: u64) -> bool {
        self.left.iter().any(|entry| entry.mark == Mark::Frame(number))
    }
}

fn mark(text: &str) -> Option<Mark> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if digits(text) {
        return text.parse::<u64>().ok()?.checked_sub(1).map(Mark::Frame);
    }
    let (before, seconds) = text.rsplit_once(':').unwrap_or(("", text));
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let mut total: f64 = seconds.parse().ok()?;
    if before.is_empty() {
        return (!text.starts_with(':')).then_some(Mark::Time(total));
    }
    let mut unit = 60.0;
    let parts: Vec<&str> = before.split(':').collect();
    // Minutes and seconds must be less than 60 if a larger unit precedes them.
    if parts.len() > 2 || total >= 60.0 {
        return None;
    }
    for (index, part) in parts.iter().rev().enumerate() {
        let value: u32 = part.parse().ok().filter(|_| digits(part))?;
        if index + 1 < parts.len() && value >= 60 {
            return None;
        }
        total += unit * f64::from(value);
        unit *= 60.0;
    }
    Some(Mark::Time(total))
}

/// Formats seconds as in a list, `0:01:02.500`.
pub fn clock(seconds: f64) -> String {
    let millis = (seconds.max(0.0) * 1000.0).round() as u64;
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    format!("{hours}:{minutes:02}:{:02}.{:03}", millis / 1000 % 60, millis % 1000)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<CutList, CutsError> {
        CutList::parse(Path::new("cuts.txt"), text, Range::default())
    }

    #[test]
    fn times_and_numbers_are_told_apart() {
        for (text, expected) in [
            ("61", Mark::Frame(60)),
            ("2.0", Mark::Time(2.0)),
            ("0:00:02.002", Mark::Time(2.002)),
            ("1:02:03", Mark::Time(3723.0)),
            ("2:03.5", Mark::Time(123.5)),
            ("75:00", Mark::Time(4500.0)),
        ] {
            assert_eq!(mark(text), Some(expected), "{text}");
        }
        for wrong in ["0", "-1", "1e3", "2.", ".5", ":02", "1:2:3:4", "0:61:00", "0:00:60", "x", "+3", "nan", "1:-2:03"]
        {
            assert_eq!(mark(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        let error = parse("# shots\n\n0:00:00.000  # frame 1\nsoon\n").unwrap_err();
        assert!(error.to_string().starts_with("cuts.txt:4: `soon` is neither a time"), "{error}");
        let error = CutList::parse(Path::new("cuts.txt"), "2.5\n61\n", Range { start: 1.0, frames: None }).unwrap_err();
        assert!(error.to_string().starts_with("cuts.txt:2: a frame number cannot be used with --start"), "{error}");
    }

    #[test]
    fn a_time_is_the_first_frame_at_or_after_it() {
        let mut list = parse("0:00:00.000\n2.002\n1.0\n4\n99\n7.5\n").unwrap();
        // At 30000/1001 frames per second, frame 60 is at 2.002 s, written to the millisecond.
        let begins: Vec<u64> = (0..62).filter(|&n| list.begins(n, n as f64 * 1001.0 / 30000.0)).collect();
        assert_eq!(begins, [0, 3, 30, 60]);
        let unused = list.unused();
        assert_eq!(unused.len(), 2);
        assert_eq!(unused[0], "cuts.txt:5: 99 is beyond the end of the video");
    }

    #[test]
    fn every_time_that_is_printed_leads_back_to_its_frame() {
        for rate in [24000.0 / 1001.0, 25.0, 30000.0 / 1001.0, 50.0, 60.0, 119.88, 240.0] {
            for frame in [1u64, 7, 61, 999, 123_457] {
                let mut list = parse(&clock(frame as f64 / rate)).unwrap();
                assert!(!list.begins(frame - 1, (frame - 1) as f64 / rate), "frame {frame} at {rate}: too early");
                assert!(list.begins(frame, frame as f64 / rate), "frame {frame} at {rate}: too late");
            }
        }
        assert_eq!(clock(3723.0414), "1:02:03.041");
    }
}
