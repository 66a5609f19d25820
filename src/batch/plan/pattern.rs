//! File names with a number: `frame_%04d.png`.

use std::path::{Path, PathBuf};

use super::PlanError;
use crate::media::NumberedName;

/// A printf pattern in the last part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pub folder: PathBuf,
    pub file: NumberedName,
}

impl Pattern {
    /// Parses `dir/frame_%04d.png`; returns `None` if the name has no pattern.
    ///
    /// # Errors
    /// If the name has more than one pattern, or one other than `%d` and `%0Nd`.
    pub fn parse(path: &Path) -> Result<Option<Self>, PlanError> {
        let bad = |what| PlanError::BadPattern { path: path.into(), what };
        let Some((before, rest)) = path.file_name().and_then(|name| name.to_str()).and_then(|n| n.split_once('%'))
        else {
            return Ok(None);
        };
        let Some((width, after)) = rest.split_once('d') else { return Ok(None) };
        if !width.chars().all(|c| c.is_ascii_digit()) {
            // `50% dark.png` is an ordinary name.
            return Ok(None);
        }
        if after.contains('%') {
            return Err(bad("only one number is possible in a pattern, as in frame_%04d.png"));
        }
        let width = match width.strip_prefix('0') {
            Some(digits) => digits.parse().ok().filter(|n| (1..=18).contains(n)),
            None if width.is_empty() => Some(1),
            None => None,
        };
        let width = width.ok_or_else(|| bad("write the number as %d or, filled up with zeros, as %04d"))?;
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(Some(Self { folder, file: NumberedName { before: before.into(), width, after: after.into() } }))
    }

    /// Returns the name with `number` in it.
    pub fn name(&self, number: u64) -> String {
        self.file.with(number)
    }

    /// Returns the number in `name`, if the pattern produces exactly that name.
    pub fn number(&self, name: &str) -> Option<u64> {
        let digits = name.strip_prefix(self.file.before.as_str())?.strip_suffix(self.file.after.as_str())?;
        let number = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())??;
        // The name must be as printf writes it: `%04d` gives 0012 and 12345, not 12 or 00012.
        (self.name(number) == name).then_some(number)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_inverse() {
        let pattern = Pattern::parse(Path::new("dir/f_%04d.png")).unwrap().unwrap();
        assert_eq!(pattern.folder, Path::new("dir"));
        assert_eq!(pattern.name(12), "f_0012.png");
        assert_eq!(pattern.number("f_0012.png"), Some(12));
        assert_eq!(pattern.number("f_12345.png"), Some(12345));
        for other in ["f_12.png", "f_00012.png", "f_.png", "f_+012.png", "g_0012.png", "f_0012.jpg"] {
            assert_eq!(pattern.number(other), None, "{other}");
        }
    }

    #[test]
    fn only_printf_numbers_are_patterns() {
        for name in ["a.png", "50%.png", "50% dark.png"] {
            assert_eq!(Pattern::parse(Path::new(name)).unwrap(), None, "{name}");
        }
        for name in ["%4d.png", "%0d.png", "%099d.png", "%d_%d.png"] {
            assert!(Pattern::parse(Path::new(name)).is_err(), "{name}");
        }
        assert_eq!(Pattern::parse(Path::new("%d.png")).unwrap().unwrap().name(7), "7.png");
    }
}
