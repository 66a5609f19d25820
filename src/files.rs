//! Writes files atomically and durably, and computes hashes.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

/// Writes `bytes` to a temporary file next to `path`, syncs it and renames it to `path`. The file is readable by
/// everyone.
///
/// # Errors
/// If the folder does not exist or cannot be written to; an existing file at `path` is then left unchanged.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = tempfile::NamedTempFile::with_prefix_in(".writing-", folder)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    readable_by_all(temporary.as_file())?;
    temporary.persist(path)?;
    sync_folder(folder)
}

/// Syncs a folder, so that the names in it are on the disk as well as the files' contents.
///
/// # Errors
/// If the folder cannot be opened or synced.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

/// Syncs a finished file to the disk. Returns its length in bytes and its SHA-256 in hexadecimal.
///
/// # Errors
/// If it does not exist, or cannot be read or synced.
pub fn secure(path: &Path) -> io::Result<(u64, String)> {
    let file = File::open(path)?;
    file.sync_all()?;
    hash(file)
}

/// Metadata of a file; equal as long as the file has not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStat {
    /// Device and inode number.
    file: (u64, u64),
    bytes: u64,
    modified: Option<SystemTime>,
}

impl FileStat {
    /// Returns the current metadata; `None` if there is no such file.
    pub fn of(path: &Path) -> Option<Self> {
        let data = path.metadata().ok()?;
        #[cfg(unix)]
        let file = (std::os::unix::fs::MetadataExt::dev(&data), std::os::unix::fs::MetadataExt::ino(&data));
        #[cfg(not(unix))]
        let file = (0, 0);
        Some(Self { file, bytes: data.len(), modified: data.modified().ok() })
    }
}

/// Returns whether an I/O error may be temporary, unlike a missing, forbidden or damaged file.
pub fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    !matches!(
        error.kind(),
        Kind::NotFound
            | Kind::PermissionDenied
            | Kind::AlreadyExists
            | Kind::InvalidData
            | Kind::InvalidInput
            | Kind::UnexpectedEof
            | Kind::IsADirectory
            | Kind::NotADirectory
            | Kind::ReadOnlyFilesystem
            | Kind::InvalidFilename
            | Kind::Unsupported
    )
}

/// Reads to the end and returns the length in bytes and the SHA-256 in hexadecimal.
///
/// # Errors
/// If reading fails.
pub fn hash(mut from: impl io::Read) -> io::Result<(u64, String)> {
    let (mut hash, mut count) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok((count, hex(&hash.finalize()))),
            Ok(read) => {
                hash.update(&buffer[..read]);
                count += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Formats bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Temporary files are created private; finished files are readable by everyone.
#[cfg(unix)]
fn readable_by_all(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_all(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let desk = tempfile::tempdir().unwrap();
        let path = desk.path().join("a");
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(desk.path()).unwrap().count(), 1);
        assert!(write_whole(&desk.path().join("no/a"), b"one").is_err());
    }
}
