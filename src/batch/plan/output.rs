//! Determines where an output goes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::input::{ClassifiedInput, PICTURES, extension, is_picture, is_video};
use super::template::Fill;
use super::{Pattern, PlanError, Request, Template};
use crate::media::{Input, Names, Output};

/// Containers that can carry all streams of the source.
const CONTAINERS: [&str; 4] = ["mp4", "mkv", "mov", "webm"];

/// All video formats that can be written; animations and raw video hold pictures only.
const VIDEOS_OUT: [&str; 9] = ["mp4", "mkv", "mov", "webm", "gif", "apng", "webp", "y4m", "nut"];

/// Containers whose other streams MP4 mostly rejects.
const TO_MKV: [&str; 32] = [
    "avi", "ts", "m2ts", "mts", "mpg", "mpeg", "m2v", "vob", "wmv", "asf", "ogv", "mxf", "nut", "ogm", "ogg", "divx",
    "xvid", "rm", "rmvb", "mod", "tod", "dv", "dif", "m2t", "m2p", "trp", "tp", "rec", "vro", "evo", "wtv", "mpe",
];

/// Returns the output of `found`.
///
/// # Errors
/// If `-o` does not fit the kind of input.
pub fn name(found: &ClassifiedInput, request: &Request<'_>) -> Result<Output, PlanError> {
    let beside = || default_path(found, request);
    if let Some(template) = request.template {
        return explicit(found, &filled(template, found, request)?, request);
    }
    if let (Some(below), Some(given)) = (&found.relative_folder, request.output) {
        let default = beside()?;
        let name = default.file_name().ok_or_else(|| PlanError::Nameless(found.path.clone()))?;
        return with_names(found, given.join(below).join(name), None);
    }
    if request.output == Some(Path::new("-")) {
        return match (&found.input, request.inputs.len()) {
            (_, count @ 2..) => Err(PlanError::OneOutput { path: "-".into(), count }),
            (Input::Picture(_), _) => Err(wrong(Path::new("-"), "picture", format!("use {}", list(&PICTURES)))),
            _ => Ok(Output::Stdout),
        };
    }
    let Some(given) = request.output else {
        return with_names(found, beside()?, None);
    };
    let single = matches!(found.input, Input::Sequence { .. }) && request.inputs.len() == 1;
    // Whether `-o` is the parent folder of the outputs. For one sequence only a trailing `/` says so: otherwise the
    // same command would mean another folder once the first run has created it.
    let holder = if single { ends_in_separator(given) } else { is_holder(given) };
    if holder {
        let default = beside()?;
        let name = default.file_name().ok_or_else(|| PlanError::Nameless(found.path.clone()))?;
        return with_names(found, given.join(name), None);
    }
    if request.inputs.len() > 1 {
        return Err(PlanError::OneOutput { path: given.into(), count: request.inputs.len() });
    }
    explicit(found, given, request)
}

fn wrong(path: &Path, kind: &'static str, valid: String) -> PlanError {
    PlanError::WrongKind { path: path.into(), kind, valid }
}

/// Returns the output that is called `given`.
fn explicit(found: &ClassifiedInput, given: &Path, request: &Request<'_>) -> Result<Output, PlanError> {
    let wrong = |path: &Path, kind, valid| Err(wrong(path, kind, valid));
    let pattern = Pattern::parse(given)?;
    let is_video_out = !request.format.is_empty() || VIDEOS_OUT.contains(&extension(given).as_str());
    match &found.input {
        Input::Video(_) | Input::Stdin => match pattern {
            Some(pattern) if is_picture(given) => Ok(numbered(pattern)),
            None if is_video_out => Ok(Output::Video(given.into())),
            _ => {
                let pictures = "or folder/name_%06d.png for pictures";
                wrong(given, "video", format!("use {}, {pictures}", list(&VIDEOS_OUT)))
            }
        },
        Input::Picture(_) if is_picture(given) && pattern.is_none() => Ok(Output::Picture(given.into())),
        Input::Picture(_) => wrong(given, "picture", format!("use {}", list(&PICTURES))),
        Input::Sequence { .. } => match pattern {
            Some(pattern) if is_picture(given) => with_names(found, pattern.folder.clone(), Some(&pattern)),
            None if is_video_out => Ok(Output::Video(given.into())),
            None if !is_picture(given) && !is_video(given) => with_names(found, given.into(), None),
            _ => {
                let valid = format!(
                    "use a folder, folder/name_%04d with {}, or a video: {}",
                    list(&PICTURES),
                    list(&VIDEOS_OUT)
                );
                wrong(given, "sequence", valid)
            }
        },
    }
}

/// Returns the name that a template yields.
fn filled(template: &Template, found: &ClassifiedInput, request: &Request<'_>) -> Result<PathBuf, PlanError> {
    let default = default_path(found, request)?;
    let sequence = matches!(found.input, Input::Sequence { .. });
    let input = match &found.input {
        Input::Sequence { folder, .. } => folder,
        _ => &found.path,
    };
    // `.` and `..` have a name only once they are resolved.
    let input = if input.file_name().is_none() {
        input.canonicalize().unwrap_or_else(|_| input.clone())
    } else {
        input.clone()
    };
    let stem = if sequence || found.keeps_extension { input.file_name() } else { input.file_stem() };
    let parent = input.parent().and_then(Path::file_name).unwrap_or_default();
    let fill = Fill {
        stem: stem.unwrap_or_default(),
        preset: request.preset,
        ext: if sequence { "".as_ref() } else { default.extension().unwrap_or_default() },
        parent,
        dir: found.relative_folder.as_deref().unwrap_or(Path::new("")),
    };
    Ok(template.fill(&fill))
}

/// Checks that `-o` can be the folder for a folder's outputs.
///
/// # Errors
/// If it is a stream, a file, or named like a file.
pub fn check_holder(given: &Path) -> Result<(), PlanError> {
    let file = || is_video(given) || is_picture(given) || VIDEOS_OUT.contains(&extension(given).as_str());
    let numbered = || matches!(Pattern::parse(given), Ok(Some(_)) | Err(_));
    let bad = given == Path::new("-") || given.is_file() || (!is_holder(given) && (file() || numbered()));
    if bad { Err(PlanError::FolderOutput(given.into())) } else { Ok(()) }
}

/// Returns a sequence whose pictures carry the numbers of the source's frames.
fn numbered(pattern: Pattern) -> Output {
    let Pattern { folder, file } = pattern;
    let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
    Output::Sequence { folder, names: Names::Numbered(file) }
}

/// Formats a list of extensions: `.mp4, .mkv`.
fn list(extensions: &[&str]) -> String {
    extensions.iter().map(|ext| format!(".{ext}")).collect::<Vec<_>>().join(", ")
}

/// Returns whether `-o` certainly is a folder: it exists as one or ends in `/`.
fn is_holder(path: &Path) -> bool {
    let last = path.as_os_str().as_encoded_bytes().last();
    path.is_dir() || last.is_some_and(|&byte| std::path::is_separator(char::from(byte)))
}

fn ends_in_separator(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().last().is_some_and(|&b| std::path::is_separator(char::from(b)))
}

/// Returns the default output: next to the input, with the preset in its name.
fn default_path(found: &ClassifiedInput, request: &Request<'_>) -> Result<PathBuf, PlanError> {
    let preset = request.preset;
    match &found.input {
        Input::Video(path) => {
            let ext = match extension(path).as_str() {
                _ if !request.format.is_empty() => request.format.into(),
                kept if CONTAINERS.contains(&kept) => path.extension().unwrap_or_default().to_owned(),
                ext if TO_MKV.contains(&ext) => "mkv".into(),
                _ => "mp4".into(),
            };
            Ok(path.with_file_name(tagged(found, path, preset, &ext)))
        }
        Input::Stdin => Err(PlanError::Nameless(found.path.clone())),
        Input::Picture(path) => {
            let ext = if is_picture(path) { path.extension().unwrap_or_default() } else { "png".as_ref() };
            Ok(path.with_file_name(tagged(found, path, preset, ext)))
        }
        Input::Sequence { folder, .. } => {
            // `.`, `..` and the empty path have a name only once they are resolved.
            let named = match folder.file_name() {
                Some(_) => folder.clone(),
                None => {
                    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
                    let unreadable = |source| PlanError::Unreadable { path: folder.into(), source };
                    folder.canonicalize().map_err(unreadable)?
                }
            };
            let mut name = named.file_name().ok_or_else(|| PlanError::Nameless(found.path.clone()))?.to_owned();
            name.push(".");
            name.push(preset);
            Ok(named.with_file_name(name))
        }
    }
}

fn tagged(found: &ClassifiedInput, path: &Path, preset: &str, ext: &std::ffi::OsStr) -> OsString {
    let stem = if found.keeps_extension { path.file_name() } else { path.file_stem() };
    let mut name = stem.unwrap_or_default().to_owned();
    for part in [".".as_ref(), preset.as_ref(), ".".as_ref(), ext] {
        name.push(part);
    }
    name
}

/// Returns the output at `path`; for a sequence, with the names of its pictures.
fn with_names(found: &ClassifiedInput, path: PathBuf, pattern: Option<&Pattern>) -> Result<Output, PlanError> {
    let files = match &found.input {
        Input::Video(_) | Input::Stdin => return Ok(Output::Video(path)),
        Input::Picture(_) => return Ok(Output::Picture(path)),
        Input::Sequence { files, .. } => files,
    };
    let names: Vec<String> = match (pattern, &found.numbers) {
        (Some(pattern), Some(numbers)) => numbers.iter().map(|&number| pattern.name(number)).collect(),
        (Some(pattern), None) => (1..).zip(files).map(|(number, _)| pattern.name(number)).collect(),
        (None, _) => files.iter().map(|file| utf8_name(&writable(file))).collect::<Result<_, _>>()?,
    };
    // `1.exr` and `1.tif` would both become `1.png`.
    let mut seen = std::collections::HashSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(PlanError::SameName { path: found.path.clone(), name: twice.clone() });
    }
    let folder = if path.as_os_str().is_empty() { PathBuf::from(".") } else { path };
    Ok(Output::Sequence { folder, names: Names::Listed(names) })
}

/// Returns the name of a picture's output; a format that cannot be written becomes PNG.
fn writable(file: &Path) -> PathBuf {
    if is_picture(file) { file.into() } else { file.with_extension("png") }
}

fn utf8_name(file: &Path) -> Result<String, PlanError> {
    let name = file.file_name().and_then(|name| name.to_str()).map(ToString::to_string);
    name.ok_or_else(|| PlanError::BadPattern {
        path: file.into(),
        what: "this name is not UTF-8: give -o folder/name_%04d.png",
    })
}
