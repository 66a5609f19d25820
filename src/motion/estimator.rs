//! The sources of optical flow.

use std::io;
use std::path::{Path, PathBuf};

use super::{FlowError, FlowField, Luma, flo};

/// A source frame as input of an estimator.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Frame number in the source, from 0.
    pub number: u64,
    pub luma: &'a Luma,
}

/// An estimator of the motion between two source frames.
pub trait FlowEstimator: Send + Sync {
    /// Returns the flow from `from` to `to`, on the grid of `from`'s luma.
    ///
    /// # Errors
    /// If the library fails, or a file is missing or does not have the frame's shape.
    fn flow(&self, from: View<'_>, to: View<'_>) -> Result<FlowField, FlowError>;
}

/// Precomputed flow from outside, one Middlebury file per ordered pair of frames.
#[derive(Debug, Clone)]
pub struct FloFiles {
    folder: PathBuf,
    /// The parts of the file name before, between and after the two numbers.
    parts: [String; 3],
    /// Minimum number of digits of each number; shorter ones are padded with zeros.
    digits: [usize; 2],
}

impl FloFiles {
    /// Creates the reader from `pattern`, a path whose file name contains two `%d` or `%0Nd`: the number of the frame
    /// that the flow starts from, then that of the frame that it leads to, both counted from 1.
    ///
    /// # Errors
    /// If the pattern does not have that form.
    pub fn new(pattern: &Path) -> Result<Self, FlowError> {
        let wrong = || FlowError::Pattern(pattern.display().to_string());
        let name = pattern.file_name().and_then(|name| name.to_str()).ok_or_else(wrong)?;
        let (before, first, rest) = number(name).ok_or_else(wrong)?;
        let (between, second, after) = number(rest).ok_or_else(wrong)?;
        if after.contains('%') {
            return Err(wrong());
        }
        Ok(Self {
            folder: pattern.parent().map(Path::to_path_buf).unwrap_or_default(),
            parts: [before.into(), between.into(), after.into()],
            digits: [first, second],
        })
    }

    /// Returns the path of a pair's file; numbers from 0.
    pub fn path(&self, from: u64, to: u64) -> PathBuf {
        let [before, between, after] = &self.parts;
        let [first, second] = self.digits;
        self.folder.join(format!("{before}{:0first$}{between}{:0second$}{after}", from + 1, to + 1))
    }

    /// Returns every existing file that matches the pattern, ordered by the numbers; none if the folder does not exist.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub fn all(&self) -> io::Result<Vec<PathBuf>> {
        let folder = if self.folder.as_os_str().is_empty() { Path::new(".") } else { &self.folder };
        let entries = match std::fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            found.extend(
                name.to_str().and_then(|name| self.pair(name)).map(|(from, to)| (from, to, self.path(from, to))),
            );
        }
        found.sort_unstable();
        Ok(found.into_iter().map(|(_, _, path)| path).collect())
    }

    /// Returns the pair of frames that a file name stands for; numbers from 0.
    fn pair(&self, name: &str) -> Option<(u64, u64)> {
        let [before, between, after] = &self.parts;
        let numbers = name.strip_prefix(before.as_str())?.strip_suffix(after.as_str())?;
        let number = |digits: &str| digits.parse::<u64>().ok()?.checked_sub(1);
        // Without a separator between the numbers, they may be split at any position.
        (1..numbers.len()).filter(|&at| numbers.is_char_boundary(at)).find_map(|at| {
            let (first, rest) = numbers.split_at(at);
            let (from, to) = (number(first)?, number(rest.strip_prefix(between.as_str())?)?);
            // The name must match exactly: `%04d` never produces `1`.
            (self.path(from, to).file_name()? == name).then_some((from, to))
        })
    }
}

/// Splits a name at the first `%d` or `%0Nd` into the part before it, its number of digits and the part after it.
fn number(name: &str) -> Option<(&str, usize, &str)> {
    let (before, rest) = name.split_once('%')?;
    let (width, after) = rest.split_once('d')?;
    let digits = if width.is_empty() { 1 } else { width.strip_prefix('0')?.parse().ok()? };
    ((1..=18).contains(&digits)).then_some((before, digits, after))
}

impl FloFiles {
    /// Reads a pair's file and checks that it has the frame's shape.
    fn read(&self, from: u64, to: u64, width: usize, height: usize) -> Result<FlowField, FlowError> {
        let path = self.path(from, to);
        let field = flo::read(&path)?;
        // Any size with the frame's shape is accepted: the flow is scaled to the frame.
        let expected = field.width as f64 * height as f64 / width as f64;
        if (expected - field.height as f64).abs() > 1.0 + expected * 0.02 {
            return Err(FlowError::Shape {
                path,
                width: field.width,
                height: field.height,
                frame_width: width,
                frame_height: height,
            });
        }
        Ok(field)
    }

    /// Checks that a pair's file can be read and has the shape of frames of this size; numbers from 0.
    ///
    /// # Errors
    /// If it cannot be read or has another shape.
    pub fn check(&self, (from, to): (u64, u64), width: usize, height: usize) -> Result<(), FlowError> {
        self.read(from, to, width, height).map(drop)
    }

    /// Checks that the files for both directions between two frames exist; numbers from 0.
    ///
    /// # Errors
    /// If one of them is missing.
    pub fn exist(&self, one: u64, other: u64) -> Result<(), FlowError> {
        for path in [self.path(one, other), self.path(other, one)] {
            std::fs::metadata(&path).map_err(|source| FlowError::Io { path, source })?;
        }
        Ok(())
    }
}

impl FlowEstimator for FloFiles {
    fn flow(&self, from: View<'_>, to: View<'_>) -> Result<FlowField, FlowError> {
        let (width, height) = (from.luma.width, from.luma.height);
        Ok(self.read(from.number, to.number, width, height)?.resized(width, height))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_two_numbers() {
        let files = FloFiles::new(Path::new("flows/f_%04d_%d.flo")).unwrap();
        assert_eq!(files.path(0, 11), Path::new("flows/f_0001_12.flo"));
        for wrong in ["f.flo", "f_%d.flo", "f_%d_%d_%d.flo", "f_%x_%d.flo"] {
            assert!(FloFiles::new(Path::new(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_files_that_are_there_are_found() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "f_0001_2.flo",
            "f_0010_9.flo",
            "f_0002_1.flo",
            "f_1_2.flo",
            "f_0001_+2.flo",
            "f_0000_1.flo",
            "f_0001_2.txt",
        ] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let files = FloFiles::new(&folder.path().join("f_%04d_%d.flo")).unwrap();
        assert_eq!(files.all().unwrap(), [files.path(0, 1), files.path(1, 0), files.path(9, 8)]);
        let nowhere = FloFiles::new(&folder.path().join("no/f_%d_%d.flo")).unwrap();
        assert_eq!(nowhere.all().unwrap(), Vec::<PathBuf>::new());
    }

    #[test]
    fn flow_of_another_size_is_scaled_and_of_another_shape_refused() {
        let folder = tempfile::tempdir().unwrap();
        let files = FloFiles::new(&folder.path().join("%d-%d.flo")).unwrap();
        flo::write(&files.path(1, 0), &FlowField::from_fn(8, 4, |_, _| [2.0, 0.0])).unwrap();
        let luma = Luma { width: 16, height: 8, samples: vec![0; 128] };
        let (one, zero) = (View { number: 1, luma: &luma }, View { number: 0, luma: &luma });
        assert_eq!(files.flow(one, zero).unwrap().at(5, 5), [4.0, 0.0]);
        assert!(matches!(files.flow(zero, one), Err(FlowError::Io { .. })));
        let square = Luma { width: 16, height: 16, samples: vec![0; 256] };
        let view = View { number: 1, luma: &square };
        assert!(matches!(files.flow(view, zero), Err(FlowError::Shape { .. })));
    }
}
