//! Parts of an output that are already on disk; an interrupted job resumes after them.

use std::io;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::EncodeError;
use crate::files;
use crate::media::Timing;

/// A run of consecutive frames that is finished and on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    pub files: Vec<Piece>,
    /// Timing of each frame.
    pub shown: Vec<Shown>,
    /// Whether any frame had transparent pixels.
    pub transparent: bool,
}

impl Part {
    pub fn frames(&self) -> u64 {
        self.shown.len() as u64
    }
}

/// One file of a [`Part`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// Path relative to the work folder.
    pub name: String,
    pub bytes: u64,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
}

/// When a frame is shown: its pts and duration, in ticks of the source's time base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown(pub i64, pub Option<i64>);

impl From<Timing> for Shown {
    fn from(timing: Timing) -> Self {
        Self(timing.pts, timing.duration)
    }
}

impl Piece {
    /// Syncs a finished file of the work folder to disk and records its length and hash.
    ///
    /// # Errors
    /// If the disk fails, or the file is not in the folder.
    pub fn secure(work: &Path, path: &Path) -> Result<Self, EncodeError> {
        let fail = |source| EncodeError::io(path, source);
        let outside = || std::io::Error::other("it is not in the work folder");
        let name = path.strip_prefix(work).ok().and_then(Path::to_str).ok_or_else(outside).map_err(fail)?.to_owned();
        let (bytes, sha256) = files::secure(path).map_err(fail)?;
        Ok(Self { name, bytes, sha256 })
    }

    /// Returns where the file is; `None` if the name leads out of the work folder.
    pub fn path(&self, work: &Path) -> Option<PathBuf> {
        let name = Path::new(&self.name);
        let inside = name.components().all(|part| matches!(part, Component::Normal(_)));
        (inside && !self.name.is_empty()).then(|| work.join(name))
    }

    /// Whether the file exists with exactly the recorded bytes.
    ///
    /// # Errors
    /// If it cannot be read. A disk that fails for now has not damaged the file.
    pub fn is_whole(&self, work: &Path) -> io::Result<bool> {
        let Some(path) = self.path(work) else { return Ok(false) };
        // A link is refused: somebody else may change what it points to.
        let right = |data: &std::fs::Metadata| data.is_file() && data.len() == self.bytes;
        match path.symlink_metadata() {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(false),
            Err(error) => Err(error),
            Ok(data) if !right(&data) => Ok(false),
            Ok(_) => {
                let found = std::fs::File::open(&path).and_then(files::hash)?;
                Ok(found == (self.bytes, self.sha256.clone()))
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_whole_or_it_is_not() {
        let desk = tempfile::tempdir().unwrap();
        let path = desk.path().join("a");
        std::fs::write(&path, b"painted").unwrap();
        let piece = Piece::secure(desk.path(), &path).unwrap();
        assert!(piece.is_whole(desk.path()).unwrap() && piece.bytes == 7);
        std::fs::write(&path, b"pointed").unwrap();
        assert!(!piece.is_whole(desk.path()).unwrap(), "of the same length");
        std::fs::remove_file(&path).unwrap();
        assert!(!piece.is_whole(desk.path()).unwrap());
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        for name in ["../a", "/etc/passwd", "a/../../b", "", "./a"] {
            let piece = Piece { name: name.into(), bytes: 0, sha256: String::new() };
            assert_eq!(piece.path(Path::new("work")), None, "{name}");
        }
        let piece = Piece { name: "frames/a.png".into(), bytes: 0, sha256: String::new() };
        assert_eq!(piece.path(Path::new("work")), Some("work/frames/a.png".into()));
    }
}
