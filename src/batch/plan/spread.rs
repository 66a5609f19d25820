//! Globs of a job file: what they stand for now.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::input::{is_picture_in, is_video_in};
use super::tree::{self, Fault, Item};
use super::{PlanError, Request};

const WILD: [char; 3] = ['*', '?', '['];

/// What a glob stands for, in natural order; `None` when `path` is none, or is called so. Pictures that a single folder
/// holds are one sequence, as on the command line.
///
/// # Errors
/// When it is no glob.
pub fn spread(path: &Path, request: &Request<'_>) -> Result<Option<Vec<Result<Item, Fault>>>, PlanError> {
    let Some(text) = path.to_str().filter(|text| text.contains(WILD)) else { return Ok(None) };
    if path.symlink_metadata().is_ok() {
        return Ok(None);
    }
    let fixed = fixed(path);
    // The folder of the job file may be called anything.
    let rest = path.strip_prefix(&fixed).unwrap_or(path);
    let pattern = format!("{}/{}", glob::Pattern::escape(&fixed.to_string_lossy()), rest.to_string_lossy());
    let options =
        glob::MatchOptions { require_literal_leading_dot: true, require_literal_separator: true, ..Default::default() };
    let bad =
        |error: glob::PatternError| PlanError::BadGlob { option: "inputs", glob: text.into(), what: error.msg.into() };
    let mut files = Vec::new();
    let mut faults = Vec::new();
    for found in glob::glob_with(&pattern, options).map_err(bad)? {
        match found {
            Ok(file) => files.push(file),
            Err(error) => {
                let path = error.path().to_path_buf();
                faults.push(Err(Fault {
                    path: path.clone(),
                    error: PlanError::Unreadable { path, source: error.into() },
                }));
            }
        }
    }
    files.retain(|file| file.is_file() && (is_video_in(file, request.input_format) || is_picture_in(file)));
    let pictures = files.iter().all(|file| !is_video_in(file, request.input_format));
    if pictures
        && !files.is_empty()
        && !path.parent().and_then(Path::to_str).is_some_and(|folder| folder.contains(WILD))
    {
        return Ok(None);
    }
    forget_results(&mut files, request);
    let text = |file: &Path| file.to_string_lossy().into_owned();
    files.sort_by(|a, b| natord::compare(&text(a), &text(b)).then_with(|| a.cmp(b)));
    let below =
        |file: &Path| file.strip_prefix(&fixed).ok().and_then(Path::parent).unwrap_or(Path::new("")).to_path_buf();
    let items = files.into_iter().map(|file| Ok(Item { below: Some(below(&file)), path: file }));
    Ok(Some(items.chain(faults).collect()))
}

/// The folders before the first part with a wildcard.
fn fixed(path: &Path) -> PathBuf {
    let plain = |part: &Component<'_>| !part.as_os_str().to_string_lossy().contains(WILD);
    let fixed: PathBuf = path.components().take_while(plain).collect();
    if fixed.as_os_str().is_empty() { ".".into() } else { fixed }
}

fn forget_results(files: &mut Vec<PathBuf>, request: &Request<'_>) {
    let mut known: HashMap<PathBuf, HashSet<OsString>> = HashMap::new();
    files.retain(|file| {
        let folder = file.parent().unwrap_or(Path::new(""));
        let stems = known.entry(folder.into()).or_insert_with(|| {
            let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
            names.filter_map(|entry| Some(Path::new(&entry.file_name()).file_stem()?.to_owned())).collect()
        });
        !file.file_stem().is_some_and(|name| tree::is_result(name, stems, request))
    });
}
