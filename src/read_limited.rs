//! Reads whole files up to a size limit. Larger files and endless ones (a device, a pipe) are an error.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Limit in bytes for text files: a preset, the config, a list of cuts, a job file.
pub const TEXT: u64 = 4 << 20;

/// Limit in bytes for picture files.
pub const PICTURE: u64 = 1 << 30;

/// Limit in bytes for optical flow files: 8 per pixel of the largest picture that is read by default.
pub const FLOW: u64 = (8 << 27) + 12;

/// Returns the bytes of a file.
///
/// # Errors
/// If the file cannot be read, or has more than `most` bytes: [`io::ErrorKind::FileTooLarge`].
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, format!("is larger than {most} bytes"));
    let file = File::open(path)?;
    // If the metadata already gives a larger size, nothing needs to be read.
    if file.metadata()?.len() > most {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_large()) } else { Ok(bytes) }
}

/// Returns the text of a file of at most [`TEXT`] bytes.
///
/// # Errors
/// As for [`read`], and if it is not UTF-8.
pub fn text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path, TEXT)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "stream did not contain valid UTF-8"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_refused() {
        let desk = tempfile::tempdir().unwrap();
        let path = desk.path().join("a");
        std::fs::write(&path, [7; 10]).unwrap();
        assert_eq!(read(&path, 10).unwrap().len(), 10);
        assert_eq!(read(&path, 9).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert!(text(&path).is_ok());
        std::fs::write(&path, [0xff]).unwrap();
        assert_eq!(text(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    /// A device reports a length of 0 and never ends.
    #[cfg(unix)]
    #[test]
    fn what_never_ends_is_refused() {
        assert_eq!(read(Path::new("/dev/zero"), 1 << 16).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
