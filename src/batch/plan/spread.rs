//! Expands the globs of a job file to the files that match now.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use globset::GlobBuilder;
use walkdir::WalkDir;

use super::input::{is_picture_in, is_video_in};
use super::tree::{self, Fault, Item};
use super::{PlanError, Request};

const WILD: [char; 4] = ['*', '?', '[', '{'];

/// Returns the files that a glob matches, in natural order; `None` if `path` has no wildcard or exists under that name.
/// `None` also if all matches are pictures of a single folder: they are one sequence, as on the command line.
///
/// # Errors
/// If the glob is malformed.
pub fn spread(path: &Path, request: &Request<'_>) -> Result<Option<Vec<Result<Item, Fault>>>, PlanError> {
    let Some(text) = path.to_str().filter(|text| text.contains(WILD)) else { return Ok(None) };
    if path.symlink_metadata().is_ok() {
        return Ok(None);
    }
    let fixed = fixed(path);
    let rest = path.strip_prefix(&fixed).unwrap_or(path).to_string_lossy().into_owned();
    let bad = |error: globset::Error| {
        let what = error.kind().to_string();
        PlanError::BadGlob { option: "inputs", glob: text.into(), what }
    };
    let glob = GlobBuilder::new(&rest).literal_separator(true).build().map_err(bad)?.compile_matcher();
    let depth = if rest.contains("**") { usize::MAX } else { rest.split('/').count() };
    let (mut files, mut faults) = (Vec::new(), Vec::new());
    let walk = WalkDir::new(&fixed).follow_links(true).min_depth(1).max_depth(depth).sort_by(tree::natural);
    for entry in walk.into_iter().filter_entry(tree::wanted(&fixed, request)) {
        match entry {
            Ok(entry) => files.push(entry.into_path()),
            Err(error) => faults.extend(tree::fault(error, &fixed).map(Err)),
        }
    }
    files.retain(|file| glob.is_match(below(file, &fixed)) && file.is_file());
    let include = &request.folders.include;
    files.retain(|file| include.is_empty() || include.matches(below(file, &fixed)));
    files.retain(|file| is_video_in(file, request.input_format) || is_picture_in(file));
    let pictures = !files.iter().any(|file| is_video_in(file, request.input_format));
    let chosen = !include.is_empty() || !request.folders.exclude.is_empty();
    if pictures && !chosen && !files.is_empty() && !rest.contains(['/', '{']) {
        return Ok(None);
    }
    forget_results(&mut files, request);
    let folder = |file: &Path| below(file, &fixed).parent().unwrap_or(Path::new("")).to_path_buf();
    let items =
        files.into_iter().map(|file| Ok(Item { relative_folder: Some(folder(&file)), path: without_dot(file) }));
    Ok(Some(items.chain(faults).collect()))
}

/// Returns a file's path relative to the searched folder.
fn below<'a>(file: &'a Path, folder: &Path) -> &'a Path {
    file.strip_prefix(folder).unwrap_or(file)
}

/// Removes a leading `./`, as the user would write the path.
fn without_dot(path: PathBuf) -> PathBuf {
    path.strip_prefix(".").map(Path::to_path_buf).unwrap_or(path)
}

/// Returns the folders before the first part that contains a wildcard.
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
