//! What an input is.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::{Pattern, PlanError};
use crate::decode;
use crate::media::Input;

/// Extensions that are taken for a video. What is inside, the decoder finds out.
pub const VIDEOS: [&str; 23] = [
    "mp4", "mkv", "mov", "webm", "m4v", "avi", "ts", "m2ts", "mts", "mpg", "mpeg", "m2v", "vob", "wmv", "asf", "flv",
    "ogv", "3gp", "mxf", "nut", "y4m", "gif", "apng",
];

/// Extensions of pictures that can be read and written.
pub const PICTURES: [&str; 4] = ["png", "jpg", "jpeg", "webp"];

/// Extensions of pictures that can only be read; their outputs are PNG.
pub const READ_ONLY: [&str; 4] = ["tif", "tiff", "bmp", "exr"];

/// Whether a file in a folder is a video; `format` as in [`classify`].
pub fn is_video_in(path: &Path, format: &str) -> bool {
    !format.is_empty() || is_video(path) || decode::is_animation(path)
}

/// Whether a file in a folder that is no video is a picture.
pub fn is_picture_in(path: &Path) -> bool {
    is_readable(path)
}

/// An input and, for a sequence, how its names are made.
#[derive(Debug)]
pub struct Found {
    /// As the user wrote it.
    pub path: PathBuf,
    /// See [`super::tree::Item::below`].
    pub below: Option<PathBuf>,
    pub input: Input,
    /// The numbers of a pattern's files; `None` for a folder.
    pub numbers: Option<Vec<u64>>,
}

/// The extension in lower case, empty for none.
pub fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

pub fn is_video(path: &Path) -> bool {
    VIDEOS.contains(&extension(path).as_str())
}

pub fn is_picture(path: &Path) -> bool {
    PICTURES.contains(&extension(path).as_str())
}

/// Whether it is a picture that can be read.
fn is_readable(path: &Path) -> bool {
    is_picture(path) || READ_ONLY.contains(&extension(path).as_str())
}

/// Says what `path` is, by its name and by what is on disk. With a `format` given, any file is a video: FFmpeg is told
/// how to read it.
///
/// # Errors
/// When it is not there or is nothing that can be stylised.
pub fn classify(path: &Path, format: &str) -> Result<Found, PlanError> {
    let found = |input| Ok(Found { path: path.into(), below: None, input, numbers: None });
    if path == Path::new("-") {
        return found(Input::Stdin);
    }
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => found(folder(path)?),
        Ok(_) if is_video_in(path, format) => found(Input::Video(path.into())),
        Ok(_) if is_readable(path) => found(Input::Picture(path.into())),
        Ok(_) => {
            let what = match extension(path) {
                ext if ext.is_empty() => "a file without an extension".to_string(),
                ext => format!(".{ext}"),
            };
            Err(PlanError::UnknownKind { path: path.into(), what })
        }
        Err(_) if is_address(path) => Err(PlanError::Address(path.into())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => match Pattern::parse(path)? {
            Some(pattern) => numbered(path, &pattern),
            None => match globbed(path)? {
                Some(input) => found(input),
                None => Err(PlanError::Missing(path.into())),
            },
        },
        Err(source) => Err(PlanError::Unreadable { path: path.into(), source }),
    }
}

/// `https://...`
fn is_address(path: &Path) -> bool {
    path.to_str().and_then(|text| text.split_once("://")).is_some_and(|(scheme, _)| {
        let letters = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
        scheme.starts_with(|letter: char| letter.is_ascii_alphabetic()) && scheme.chars().all(letters)
    })
}

/// The pictures that a name with `*`, `?` or `[...]` stands for, in natural order; `None` for another name.
fn globbed(path: &Path) -> Result<Option<Input>, PlanError> {
    let bad = |what| PlanError::BadPattern { path: path.into(), what };
    let Some(name) = path.file_name().and_then(OsStr::to_str).filter(|name| name.contains(['*', '?', '['])) else {
        return Ok(None);
    };
    let pattern = glob::Pattern::new(name).map_err(|_| bad("`*`, `?` and `[abc]` stand for parts of a name"))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let place = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if !place.is_dir() {
        return Err(PlanError::Missing(path.into()));
    }
    let names = names_in(place)?;
    let mut files: Vec<PathBuf> = names
        .iter()
        .filter(|name| name.to_str().is_some_and(|name| pattern.matches(name)))
        .map(|name| folder.join(name))
        .filter(|file| file.is_file())
        .collect();
    if files.is_empty() {
        return Err(PlanError::NothingMatches(path.into()));
    }
    if files.iter().all(|file| is_video(file)) {
        return Err(bad("a quoted glob names the pictures of one sequence; leave the quotes out for several videos"));
    }
    if let Some(foreign) = files.iter().find(|file| !is_readable(file)) {
        return Err(PlanError::ForeignMatch { pattern: path.into(), file: foreign.clone() });
    }
    sort(&mut files);
    Ok(Some(Input::Sequence { folder: folder.into(), files }))
}

/// In natural order: `f2.png` before `f10.png`.
fn sort(files: &mut [PathBuf]) {
    let text = |file: &Path| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    files.sort_by(|a, b| natord::compare(&text(a), &text(b)).then_with(|| a.cmp(b)));
}

/// The files of a folder in natural order, without hidden ones.
///
/// # Errors
/// When the folder cannot be read.
pub fn files_in(folder: &Path) -> Result<Vec<PathBuf>, PlanError> {
    let files = names_in(folder)?.into_iter().map(|name| folder.join(name));
    let mut files: Vec<PathBuf> = files.filter(|file| file.is_file()).collect();
    sort(&mut files);
    Ok(files)
}

/// A folder's pictures in natural order: `f2.png` before `f10.png`.
fn folder(path: &Path) -> Result<Input, PlanError> {
    let mut files = Vec::new();
    let mut foreign = Vec::new();
    for name in names_in(path)? {
        let file = path.join(&name);
        let is_file = file.is_file();
        if is_file && is_readable(&file) { files.push(file) } else { foreign.push(file) }
    }
    foreign.sort();
    if let Some(first) = foreign.first() {
        return Err(PlanError::ForeignFile(first.clone()));
    }
    if files.is_empty() {
        return Err(PlanError::EmptyFolder(path.into()));
    }
    sort(&mut files);
    Ok(Input::Sequence { folder: path.into(), files })
}

fn numbered(path: &Path, pattern: &Pattern) -> Result<Found, PlanError> {
    if !is_readable(path) {
        let what = "a pattern must name png, jpg, webp, tiff, bmp or exr pictures";
        return Err(PlanError::BadPattern { path: path.into(), what });
    }
    let folder = if pattern.folder.as_os_str().is_empty() { Path::new(".") } else { pattern.folder.as_path() };
    if !folder.is_dir() {
        return Err(PlanError::Missing(path.into()));
    }
    let names = names_in(folder)?;
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| pattern.number(name.to_str()?)).collect();
    numbers.sort_unstable();
    let (Some(&first), Some(&last)) = (numbers.first(), numbers.last()) else {
        return Err(PlanError::NothingMatches(path.into()));
    };
    if let Some((before, _)) = numbers.iter().zip(numbers.iter().skip(1)).find(|(a, b)| **a + 1 != **b) {
        return Err(PlanError::Gap { pattern: path.into(), missing: before + 1, first, last });
    }
    let files = numbers.iter().map(|&number| pattern.folder.join(pattern.name(number))).collect();
    let input = Input::Sequence { folder: pattern.folder.clone(), files };
    Ok(Found { path: path.into(), below: None, input, numbers: Some(numbers) })
}

/// The names in a folder, without hidden ones.
fn names_in(folder: &Path) -> Result<Vec<OsString>, PlanError> {
    let unreadable = |source| PlanError::Unreadable { path: folder.into(), source };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        if !is_hidden(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().first() == Some(&b'.')
}
