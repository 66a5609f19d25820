//! Embeds a text, the label, in a media file where other programs leave it alone. It says how the file was made.
//!
//! | file | where |
//! |---|---|
//! | MP4, MOV | an XMP packet in a box of its own, after all others: the tags stay those of the source |
//! | MKV, WebM, NUT | the tag `LABEL` of `media::tags`; written by FFmpeg, see `encode` |
//! | PNG | a `tEXt` chunk, before the pixels |
//! | APNG | the same, after the first picture |
//! | JPEG | comments, before the pixels |
//! | WebP | its XMP chunk |
//! | GIF | an extension of our own, before the pixels |
//!
//! The label is ASCII, because some of these formats hold nothing else. Reading looks at the headers of chunks and at
//! the label, decodes no pixel, and accepts at most [`LARGEST`] bytes.

mod boxes;
mod end;
mod gif;
mod jpeg;
mod png;
mod webp;
mod xmp;

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::Path;

use crate::containers::riff;
use crate::media::ffi;

pub use end::is_whole;

/// Longest label that is read, in bytes.
pub const LARGEST: usize = 1 << 20;

/// Bytes of a label in one tag, for formats with short tags.
const PART: usize = 900;

/// Marks a label as ours.
const MARK: &str = "stylize-video";

/// Number of chunks that are searched for a label; files of ours have fewer before its end.
const MOST_PIECES: usize = 1 << 16;

/// Bytes to insert at an offset of a file.
struct Insert {
    at: u64,
    bytes: Vec<u8>,
}

/// The kind of a file, recognised by its first bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Png,
    Jpeg,
    Gif,
    WebP,
    Boxes,
    /// A file that FFmpeg reads, with the name of the demuxer.
    Tagged(&'static str),
}

impl Kind {
    fn of(head: &[u8]) -> Option<Self> {
        let at = |place: usize, bytes: &[u8]| head.get(place..).is_some_and(|rest| rest.starts_with(bytes));
        let boxes = [b"ftyp", b"wide", b"moov", b"mdat", b"free", b"skip"];
        match head {
            _ if at(0, b"\x89PNG\r\n\x1a\n") => Some(Self::Png),
            _ if at(0, b"\xff\xd8\xff") => Some(Self::Jpeg),
            _ if at(0, b"GIF8") => Some(Self::Gif),
            _ if at(0, b"RIFF") && at(8, b"WEBP") => Some(Self::WebP),
            _ if at(0, b"\x1a\x45\xdf\xa3") => Some(Self::Tagged("matroska")),
            _ if at(0, b"nut/multimedia container") => Some(Self::Tagged("nut")),
            _ if boxes.iter().any(|name| at(4, *name)) => Some(Self::Boxes),
            _ => None,
        }
    }
}

/// Returns the label of a file; `None` if it has none, if its kind holds none, or if it is cut off before it.
///
/// # Errors
/// If the file cannot be read.
pub fn read(path: &Path) -> io::Result<Option<String>> {
    // Reading a pipe would block for ever.
    if !fs::metadata(path)?.is_file() {
        return Ok(None);
    }
    let mut file = BufReader::new(File::open(path)?);
    let mut head = Vec::new();
    file.by_ref().take(32).read_to_end(&mut head)?;
    let found = match Kind::of(&head) {
        Some(Kind::Png) => png::read(&mut file),
        Some(Kind::Jpeg) => jpeg::read(&mut file),
        Some(Kind::Gif) => gif::read(&mut file),
        Some(Kind::WebP) => webp::read(&mut file),
        Some(Kind::Boxes) => boxes::read(&mut file),
        Some(Kind::Tagged(demuxer)) => Ok(ffi::read_label(path, demuxer)),
        None => Ok(None),
    };
    match found {
        // The file is cut off: it has no label.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        found => Ok(found?.filter(|text| text.len() <= LARGEST)),
    }
}

/// Returns the bytes of a picture file with the label inserted; unchanged if its kind holds none.
///
/// # Errors
/// If the bytes are not a whole picture.
pub fn in_picture(bytes: Vec<u8>, text: &str) -> io::Result<Vec<u8>> {
    let mut cursor = io::Cursor::new(&bytes);
    let insert = match Kind::of(&bytes) {
        Some(Kind::Png) => png::insert(&mut cursor, text)?,
        Some(Kind::Jpeg) => jpeg::insert(&mut cursor, text)?,
        Some(Kind::WebP) => return webp::in_still(&bytes, text),
        _ => return Ok(bytes),
    };
    let (before, after) = bytes.split_at_checked(insert.at as usize).ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok([before, &insert.bytes, after].concat())
}

/// Inserts the label into a finished file; a file whose kind holds none stays unchanged.
///
/// # Errors
/// If the file cannot be read or written, or is not whole.
pub fn in_file(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let mut head = Vec::new();
    Read::by_ref(&mut file).take(32).read_to_end(&mut head)?;
    let insert = match Kind::of(&head) {
        Some(Kind::Png) => png::insert(&mut BufReader::new(&mut file), text)?,
        Some(Kind::Gif) => gif::insert(&mut BufReader::new(&mut file), text)?,
        Some(Kind::WebP) if riff::is_extended_webp(&head) => return webp::append(&mut file, text),
        Some(Kind::WebP | Kind::Jpeg) => return fs::write(path, in_picture(fs::read(path)?, text)?),
        Some(Kind::Boxes) => return boxes::append(&mut file, text),
        Some(Kind::Tagged(_)) | None => return Ok(()),
    };
    // Bytes cannot be inserted into a file: a new one is written next to it and replaces it.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary =
        tempfile::Builder::new().prefix(".writing-").permissions(file.metadata()?.permissions()).tempfile_in(folder)?;
    let mut copy = io::BufWriter::new(temporary.as_file_mut());
    file.rewind()?;
    io::copy(&mut Read::by_ref(&mut file).take(insert.at), &mut copy)?;
    copy.write_all(&insert.bytes)?;
    io::copy(&mut file, &mut copy)?;
    copy.flush()?;
    drop(copy);
    temporary.persist(path).map(drop).map_err(|error| error.error)
}

/// Splits a label for tags of at most a thousand bytes; returns each piece with its key. Reading joins them again.
pub(crate) fn parts(text: &str) -> Vec<(String, &str)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (part, after) = rest.split_at_checked(PART).unwrap_or((rest, ""));
        parts.push((ffi::label_key(parts.len()), part));
        rest = after;
    }
    parts
}

/// Reads `count` bytes; fails if that is more than a label can take.
fn some_bytes(from: &mut impl Read, count: u64) -> io::Result<Vec<u8>> {
    // The packet around a label and its escapes may take more room than the label itself.
    if count > 8 * LARGEST as u64 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut bytes = vec![0; count as usize];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
