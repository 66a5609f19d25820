//! Lists the pictures of a painted folder in a small hidden file inside it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use super::Stamp;
use crate::files;

/// Name of that file.
pub const CONTENTS: &str = ".stylize-video.json";

/// Longest file that is read, in bytes. A million pictures take 150 MB.
const LARGEST: u64 = 256 << 20;

/// The stamp and the pictures of a painted folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contents {
    pub stamp: Stamp,
    pub pictures: Vec<Entry>,
}

/// One picture of the folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub name: String,
    pub bytes: u64,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
}

impl Contents {
    /// Lists the files that are in `folder` now, except hidden ones.
    ///
    /// # Errors
    /// If a file cannot be read, or its name is not UTF-8.
    pub fn of(folder: &Path, stamp: Stamp) -> io::Result<Self> {
        let mut names = fs::read_dir(folder)?
            .map(|entry| entry?.file_name().into_string().map_err(|_| io::Error::other("a name that is not UTF-8")))
            .collect::<io::Result<Vec<_>>>()?;
        names.retain(|name| !name.starts_with('.'));
        names.sort_unstable();
        let mut pictures = Vec::with_capacity(names.len());
        for name in names {
            let (bytes, sha256) = files::hash(File::open(folder.join(&name))?)?;
            pictures.push(Entry { name, bytes, sha256 });
        }
        Ok(Self { stamp, pictures })
    }

    /// Writes the list into the folder.
    ///
    /// # Errors
    /// If the folder cannot be written to.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let mut text = serde_json::to_string_pretty(self).map_err(io::Error::other)?;
        text.push('\n');
        files::write_whole(&folder.join(CONTENTS), text.as_bytes())
    }

    /// Reads the list of a folder; `None` if there is none, or it cannot be read.
    pub fn read(folder: &Path) -> Option<Self> {
        let path = folder.join(CONTENTS);
        // Refuses a pipe, and a link to somebody else's file.
        path.symlink_metadata().ok().filter(|data| data.is_file() && data.len() <= LARGEST)?;
        let mut text = String::new();
        File::open(path).ok()?.take(LARGEST).read_to_string(&mut text).ok()?;
        let read: Self = serde_json::from_str(&text).ok()?;
        // Applies the checks of every stamp.
        Stamp::parse(&read.stamp.text()).is_some().then_some(read)
    }

    /// Whether each picture is there, in its full length. The hashes are not checked: that takes long.
    pub fn is_whole(&self, folder: &Path) -> bool {
        self.pictures.iter().all(|entry| {
            let mut parts = Path::new(&entry.name).components();
            let is_name = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
            let whole = |data: &fs::Metadata| data.is_file() && data.len() == entry.bytes;
            is_name && folder.join(&entry.name).symlink_metadata().is_ok_and(|data| whole(&data))
        })
    }
}
