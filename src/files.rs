//! Files that are there whole or not at all.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

/// Writes `bytes` beside `path` and gives them its name once they are on the disk. All may read the file.
///
/// # Errors
/// When the folder is not there or cannot be written to; what stood at `path` stays then.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = tempfile::NamedTempFile::with_prefix_in(".writing-", folder)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    readable_by_all(temporary.as_file())?;
    temporary.persist(path)?;
    sync_folder(folder)
}

/// Makes sure that names in a folder are on the disk, as their files are.
///
/// # Errors
/// When the disk fails.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

/// Puts a finished file on the disk for good. Gives its length in bytes and its SHA-256 in hexadecimal.
///
/// # Errors
/// When it is not there, or the disk fails.
pub fn secure(path: &Path) -> io::Result<(u64, String)> {
    let file = File::open(path)?;
    file.sync_all()?;
    hash(file)
}

/// The length and the SHA-256 of all that can be read.
///
/// # Errors
/// When reading fails.
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

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Temporary files are private; a finished one is not.
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
