//! A text of ours inside a media file, where other programs leave it alone: what wrote the file, in its own words.
//!
//! | file | where |
//! |---|---|
//! | MP4, MOV | an XMP packet in a box of its own, behind all others: the tags stay those of the source |
//! | MKV, WebM, NUT | the tag [`crate::media::tags::LABEL`]; written by FFmpeg, see `encode` |
//! | PNG | a `tEXt` chunk, before the pixels |
//! | APNG | the same, behind the first picture |
//! | JPEG | comments, before the pixels |
//! | WebP | its XMP chunk |
//! | GIF | an extension of our own, before the pixels |
//!
//! A text is ASCII: not all of these hold more. Reading looks at the heads of chunks and at the text, decodes no pixel,
//! and stops at [`LARGEST`].

mod boxes;
mod end;
mod gif;
mod jpeg;
mod png;
mod webp;
mod xmp;

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::media::ffi;

pub use end::is_whole;

/// Longest text that is written or read, in bytes.
pub const LARGEST: usize = 1 << 20;

/// Bytes of a text in a tag that holds no more.
const PART: usize = 900;

/// Marks the text as ours.
const MARK: &str = "stylize-video";

/// More pieces than a file of ours has before its text ends.
const MOST_PIECES: usize = 1 << 16;

/// Bytes to be put in at a place.
struct Insert {
    at: u64,
    bytes: Vec<u8>,
}

/// A file's kind, by its first bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Png,
    Jpeg,
    Gif,
    WebP,
    Boxes,
    /// What FFmpeg reads, by the name of the demuxer.
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

/// The text in a file; `None` where there is none, or the file is of no kind that holds one, or damaged before it.
///
/// # Errors
/// When the file cannot be read.
pub fn read(path: &Path) -> io::Result<Option<String>> {
    // A pipe would wait for ever.
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
        // It is cut off: then there is no text.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        found => Ok(found?.filter(|text| text.len() <= LARGEST)),
    }
}

/// A picture file's bytes with the text in them; unchanged where its kind holds none.
///
/// # Errors
/// When the bytes are no whole picture.
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

/// Puts the text into a finished file; one whose kind holds none stays as it is.
///
/// # Errors
/// When the file cannot be read or written, or is not whole.
pub fn in_file(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let mut head = Vec::new();
    Read::by_ref(&mut file).take(32).read_to_end(&mut head)?;
    let insert = match Kind::of(&head) {
        Some(Kind::Png) => png::insert(&mut BufReader::new(&mut file), text)?,
        Some(Kind::Gif) => gif::insert(&mut BufReader::new(&mut file), text)?,
        Some(Kind::WebP) if webp::is_extended(&head) => return webp::append(&mut file, text),
        Some(Kind::WebP | Kind::Jpeg) => return fs::write(path, in_picture(fs::read(path)?, text)?),
        Some(Kind::Boxes) => return boxes::append(&mut file, text),
        Some(Kind::Tagged(_)) | None => return Ok(()),
    };
    // Nothing can be put into the middle of a file: it is written anew, beside itself.
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

/// A text for tags that hold no more than a thousand bytes, each with its key. They are read as one.
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

/// `N` bytes.
fn bytes<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// So many bytes, if that is no more than a text may have.
fn some_bytes(from: &mut impl Read, count: u64) -> io::Result<Vec<u8>> {
    // What surrounds a text, and how it is escaped, may take more than itself.
    if count > 8 * LARGEST as u64 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut bytes = vec![0; count as usize];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Passes over so many bytes.
fn skip(from: &mut impl Seek, count: u64) -> io::Result<()> {
    let count = i64::try_from(count).map_err(|_| io::ErrorKind::UnexpectedEof)?;
    from.seek(SeekFrom::Current(count)).map(drop)
}

#[cfg(test)]
mod tests;
