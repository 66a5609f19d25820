//! Classifies inputs: video, picture, sequence or standard input.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::{Pattern, PlanError};
use crate::decode;
use crate::media::{Input, ffi};

/// Extensions that count as videos; the decoder finds out what the files contain.
pub const VIDEOS: [&str; 23] = [
    "mp4", "mkv", "mov", "webm", "m4v", "avi", "ts", "m2ts", "mts", "mpg", "mpeg", "m2v", "vob", "wmv", "asf", "flv",
    "ogv", "3gp", "mxf", "nut", "y4m", "gif", "apng",
];

/// Extensions of pictures that can be read and written.
pub const PICTURES: [&str; 4] = ["png", "jpg", "jpeg", "webp"];

/// Extensions of pictures that can only be read; their outputs are PNG.
pub const READ_ONLY: [&str; 9] = ["tif", "tiff", "bmp", "exr", "jpe", "jfif", "avif", "heic", "heif"];

/// Extensions of videos from cameras, recorders and old programs that FFmpeg may not list.
const RARE_VIDEOS: [&str; 28] = [
    "360", "3g2", "3gp2", "3gpp", "amv", "bsf", "dav", "divx", "dvr-ms", "evo", "f4v", "insv", "k3g", "lrv", "m2p",
    "mod", "mp4v", "mpe", "mpv", "ogm", "qt", "rec", "rmvb", "tod", "tp", "trp", "vro", "xvid",
];

/// Usual video extensions that other kinds of files have just as often.
const AMBIGUOUS: [&str; 2] = ["ts", "mts"];

/// Returns the extensions of the files in a folder that may be videos: the usual ones, those of FFmpeg and rare
/// ones.
pub fn video_extensions() -> BTreeSet<String> {
    let more = VIDEOS.iter().chain(&RARE_VIDEOS).map(ToString::to_string);
    ffi::video_endings().into_iter().chain(more).collect()
}

/// Returns whether a file in a folder is a video; `format` as in [`classify`]. If the extension alone is ambiguous, the
/// content decides.
pub fn is_video_in(path: &Path, format: &str) -> bool {
    static ENDINGS: LazyLock<BTreeSet<String>> = LazyLock::new(video_extensions);
    let extension = extension(path);
    if !format.is_empty() || (is_video(path) && !AMBIGUOUS.contains(&extension.as_str())) {
        return true;
    }
    if is_readable(path) {
        return decode::is_animation(path);
    }
    ENDINGS.contains(&extension) && decode::is_video(path)
}

/// Returns whether a file or folder of this name belongs to an operating system, a NAS or another program, such as a
/// thumbnail cache or a sidecar file.
pub fn is_system_or_sidecar(name: &OsStr, is_folder: bool) -> bool {
    const FILES: [&str; 7] =
        ["thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "picasa.ini", "zbthumbnail.info", "icon\r"];
    const SIDECARS: [&str; 3] = [".xmp", ".aae", ".pp3"];
    const FOLDERS: [&str; 17] = [
        "@eadir",
        "@recycle",
        "@recently-snapshot",
        "@sharebin",
        "@tmp",
        "@__thumb",
        "#recycle",
        "#snapshot",
        "$recycle.bin",
        "recycler",
        "recycled",
        "system volume information",
        "lost+found",
        "__macosx",
        "network trash folder",
        "temporary items",
        "lightroom previews.lrdata",
    ];
    const BEGINNINGS: [&str; 5] = ["@syno", "_unpack_", "_failed_", "_underscore_unpack_", "found.0"];
    let name = name.to_string_lossy().to_lowercase();
    if is_folder {
        return FOLDERS.contains(&name.as_str()) || BEGINNINGS.iter().any(|begin| name.starts_with(begin));
    }
    FILES.contains(&name.as_str()) || SIDECARS.iter().any(|end| name.ends_with(end)) || name.starts_with("~$")
}

/// Whether a non-video file is a picture.
pub fn is_picture_in(path: &Path) -> bool {
    is_readable(path)
}

/// A classified input and, for a sequence, the numbers of its files.
#[derive(Debug)]
pub struct ClassifiedInput {
    /// The path as the user wrote it.
    pub path: PathBuf,
    /// See [`super::tree::Item::relative_folder`].
    pub relative_folder: Option<PathBuf>,
    pub input: Input,
    /// The numbers of a pattern's files; `None` for other inputs.
    pub numbers: Option<Vec<u64>>,
    /// Whether the output's name includes the extension, because another input differs in nothing else.
    pub keeps_extension: bool,
}

/// Returns the extension in lower case; empty if there is no extension.
pub fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

pub fn is_video(path: &Path) -> bool {
    VIDEOS.contains(&extension(path).as_str())
}

pub fn is_picture(path: &Path) -> bool {
    PICTURES.contains(&extension(path).as_str())
}

/// Returns whether the extension is that of a picture that can be read.
fn is_readable(path: &Path) -> bool {
    is_picture(path) || READ_ONLY.contains(&extension(path).as_str())
}

/// Determines what `path` is from its name and from the disk. If `format` is set, any file is a video, because FFmpeg
/// then knows how to read it.
///
/// # Errors
/// If it does not exist or cannot be stylised.
pub fn classify(path: &Path, format: &str) -> Result<ClassifiedInput, PlanError> {
    let found = |input| {
        Ok(ClassifiedInput { path: path.into(), relative_folder: None, input, numbers: None, keeps_extension: false })
    };
    if path == Path::new("-") {
        return found(Input::Stdin);
    }
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => found(folder(path)?),
        Ok(_) if !format.is_empty() => found(Input::Video(path.into())),
        Ok(_) if let Some(kind) = kind(path) => found(match kind {
            Kind::Video => Input::Video(path.into()),
            Kind::Picture => Input::Picture(path.into()),
        }),
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

enum Kind {
    Video,
    Picture,
}

/// Returns the kind of a file by its content or else by its extension; `None` if neither decides.
fn kind(path: &Path) -> Option<Kind> {
    let extension = extension(path);
    match decode::kind_of(path) {
        // A sequence of JPEGs begins like a single one.
        decode::MediaKind::Still if ["mjpg", "mjpeg"].contains(&extension.as_str()) => return Some(Kind::Video),
        decode::MediaKind::Still => return Some(Kind::Picture),
        decode::MediaKind::Moving => return Some(Kind::Video),
        decode::MediaKind::Unknown => {}
    }
    if is_video(path) {
        return Some(Kind::Video);
    }
    // A file with a picture's extension but unknown content may be a picture or a video that FFmpeg recognises.
    match decode::recognised(path) {
        Some(decode::MediaKind::Still) => Some(Kind::Picture),
        Some(decode::MediaKind::Moving) => Some(Kind::Video),
        _ if is_readable(path) => Some(Kind::Picture),
        _ => video_extensions().contains(&extension).then_some(Kind::Video),
    }
}

/// Returns whether the path is a URL such as `https://...`.
fn is_address(path: &Path) -> bool {
    path.to_str().and_then(|text| text.split_once("://")).is_some_and(|(scheme, _)| {
        let letters = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
        scheme.starts_with(|letter: char| letter.is_ascii_alphabetic()) && scheme.chars().all(letters)
    })
}

/// Returns the pictures that match a name with `*`, `?` or `[...]`, in natural order; `None` for any other name.
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
    sort_naturally(&mut files);
    Ok(Some(Input::Sequence { folder: folder.into(), files }))
}

/// Sorts in natural order: `f2.png` before `f10.png`.
fn sort_naturally(files: &mut [PathBuf]) {
    let text = |file: &Path| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    files.sort_by(|a, b| natord::compare(&text(a), &text(b)).then_with(|| a.cmp(b)));
}

/// Returns the files of a folder in natural order, without hidden ones.
///
/// # Errors
/// If the folder cannot be read.
pub fn files_in(folder: &Path) -> Result<Vec<PathBuf>, PlanError> {
    let files = names_in(folder)?.into_iter().map(|name| folder.join(name));
    let mut files: Vec<PathBuf> = files.filter(|file| file.is_file()).collect();
    sort_naturally(&mut files);
    Ok(files)
}

/// Returns a folder's pictures in natural order: `f2.png` before `f10.png`.
fn folder(path: &Path) -> Result<Input, PlanError> {
    let mut files = Vec::new();
    let mut foreign = Vec::new();
    for name in names_in(path)? {
        let file = path.join(&name);
        let is_file = file.is_file();
        if is_file && is_readable(&file) {
            files.push(file);
        } else if !is_system_or_sidecar(&name, !is_file) {
            foreign.push(file);
        }
    }
    foreign.sort();
    if let Some(first) = foreign.first() {
        return Err(PlanError::ForeignFile(first.clone()));
    }
    if files.is_empty() {
        return Err(PlanError::EmptyFolder(path.into()));
    }
    sort_naturally(&mut files);
    Ok(Input::Sequence { folder: path.into(), files })
}

fn numbered(path: &Path, pattern: &Pattern) -> Result<ClassifiedInput, PlanError> {
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
    Ok(ClassifiedInput {
        path: path.into(),
        relative_folder: None,
        input,
        numbers: Some(numbers),
        keeps_extension: false,
    })
}

/// Returns the names in a folder, without hidden ones.
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
