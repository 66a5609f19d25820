//! Finds the jobs in a folder.
//!
//! - A folder is searched if it holds a video, with `--recursive` also if it holds a folder, and always with
//!   `--include`, `--exclude`, `--each` or `--watch`. A folder without pictures is also searched if `-o` names a folder
//!   for the results: it is an inbox that may be empty. Any other folder is one input, a sequence of pictures.
//! - Each video and each picture of a searched folder is a job. A subfolder that holds nothing but pictures is one
//!   sequence.
//! - Skips hidden files and folders (which includes work folders), those of systems and NAS devices, the output folder,
//!   results of previous runs, and files of other kinds.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use walkdir::{DirEntry, WalkDir};

use super::input::{is_picture_in, is_system_or_sidecar, is_video_in};
use super::output::check_holder;
use super::{Globs, PlanError, Request};

/// Options for searching folders.
#[derive(Debug, Clone, Default)]
pub struct Folders {
    /// Also searches subfolders.
    pub recursive: bool,
    /// If not empty, only files that match are jobs.
    pub include: Globs,
    pub exclude: Globs,
    /// Searches every folder, whatever it contains: an inbox may be empty.
    pub search_always: bool,
    /// Makes every picture a job, even if a folder holds nothing else.
    pub each: bool,
    /// Collects the skipped files of other kinds.
    pub skipped: SkippedFiles,
    /// Names of the known presets: `a.monet.mp4` next to `a.mp4` is a result.
    pub presets: Vec<String>,
}

/// The files in searched folders that are skipped because they are neither videos nor pictures.
#[derive(Debug, Clone, Default)]
pub struct SkippedFiles(Arc<Mutex<BTreeSet<PathBuf>>>);

impl SkippedFiles {
    fn note(&self, path: &Path) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path.into());
    }

    /// Returns the files found since the last call.
    pub fn take(&self) -> BTreeSet<PathBuf> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One input.
#[derive(Debug, Clone)]
pub struct Item {
    pub path: PathBuf,
    /// The input's folder relative to the searched folder; `None` for an input that the user named.
    pub relative_folder: Option<PathBuf>,
}

/// A file or folder that cannot be read.
#[derive(Debug)]
pub struct Fault {
    pub path: PathBuf,
    pub error: PlanError,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Folder,
    Video,
    Picture,
    Other,
}

/// The entries of a folder: their number by kind, and their names.
#[derive(Debug, Default)]
struct FolderEntries {
    folders: usize,
    videos: usize,
    pictures: usize,
    others: usize,
    /// Names without extension of videos, pictures and folders, and their full names.
    stems: HashSet<OsString>,
}

impl FolderEntries {
    fn is_sequence(&self) -> bool {
        self.pictures > 0 && self.videos + self.others + self.folders == 0
    }
}

struct Search<'a> {
    root: &'a Path,
    request: &'a Request<'a>,
    entries: Vec<(PathBuf, Kind)>,
    contents: HashMap<PathBuf, FolderEntries>,
    faults: Vec<Fault>,
}

/// Returns the jobs in a folder; `None` if `root` is not a folder, or is one input as a whole.
pub fn search(root: &Path, request: &Request<'_>) -> Option<Vec<Result<Item, Fault>>> {
    if !root.is_dir() {
        return None;
    }
    let mut search = Search { root, request, entries: Vec::new(), contents: HashMap::new(), faults: Vec::new() };
    search.walk();
    search.should_search().then(|| search.items())
}

/// Returns a filter for the entries of a folder: nothing hidden, nothing excluded, nothing of systems and NAS devices,
/// and not the output folder. (If that is the searched folder itself, results are recognised by their names.)
pub fn wanted<'a>(root: &'a Path, request: &'a Request<'_>) -> impl Fn(&DirEntry) -> bool + 'a {
    let outputs = request.outputs();
    move |entry| {
        let output =
            || outputs.as_ref().is_some_and(|outputs| same_file::is_same_file(entry.path(), outputs).unwrap_or(false));
        let below = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let is_folder = entry.file_type().is_dir();
        let left_out = is_hidden(entry)
            || is_system_or_sidecar(entry.file_name(), is_folder)
            || request.folders.exclude.matches(below)
            || (entry.file_type().is_dir() && output());
        !left_out
    }
}

impl Search<'_> {
    fn walk(&mut self) {
        let folders = self.request.folders;
        let depth = if folders.recursive { usize::MAX } else { 1 };
        let walk = WalkDir::new(self.root).follow_links(true).min_depth(1).max_depth(depth).sort_by(natural);
        for entry in walk.into_iter().filter_entry(wanted(self.root, self.request)) {
            match entry {
                Ok(entry) => self.note(&entry),
                Err(error) => self.faults.extend(fault(error, self.root)),
            }
        }
    }

    fn note(&mut self, entry: &DirEntry) {
        let path = entry.path();
        let kind = match entry.file_type() {
            kind if kind.is_dir() => Kind::Folder,
            kind if !kind.is_file() => Kind::Other,
            _ if is_video_in(path, self.request.input_format) => Kind::Video,
            _ if is_picture_in(path) => Kind::Picture,
            _ => Kind::Other,
        };
        let content = self.contents.entry(folder_of(path)).or_default();
        match kind {
            Kind::Folder => content.folders += 1,
            Kind::Video => content.videos += 1,
            Kind::Picture => content.pictures += 1,
            Kind::Other => content.others += 1,
        }
        if kind != Kind::Other {
            content.stems.insert(stem(path, kind));
            // If two inputs differ only in their extension, their results include it in the name.
            content.stems.insert(path.file_name().unwrap_or_default().to_owned());
        }
        self.entries.push((path.into(), kind));
    }

    fn should_search(&self) -> bool {
        let folders = self.request.folders;
        let globs = !folders.include.is_empty() || !folders.exclude.is_empty() || folders.each;
        let videos = self.contents.values().any(|content| content.videos > 0);
        let top = self.contents.get(self.root);
        let below = folders.recursive && top.is_some_and(|top| top.folders > 0);
        // The folder has no input yet: with an output folder it is an inbox, otherwise a mistake.
        let holder = |outputs: PathBuf| check_holder(&outputs).is_ok();
        let inbox = top.is_none_or(|top| top.pictures == 0) && self.request.outputs().is_some_and(holder);
        let own = self.faults.iter().any(|fault| fault.path == self.root);
        !own && (videos || below || globs || folders.search_always || inbox)
    }

    fn items(self) -> Vec<Result<Item, Fault>> {
        let mut items = Vec::new();
        for (path, kind) in &self.entries {
            let wanted = match kind {
                Kind::Other => {
                    self.request.folders.skipped.note(path);
                    false
                }
                Kind::Video => self.includes(path),
                Kind::Picture => self.includes(path) && !self.is_sequence(&folder_of(path)),
                Kind::Folder => self.is_sequence(path),
            };
            if wanted && !self.is_result(path, *kind) {
                let folder = folder_of(path);
                let below = folder.strip_prefix(self.root).unwrap_or(Path::new("")).to_path_buf();
                items.push(Ok(Item { path: path.clone(), relative_folder: Some(below) }));
            }
        }
        items.extend(self.faults.into_iter().map(Err));
        items
    }

    fn includes(&self, path: &Path) -> bool {
        let include = &self.request.folders.include;
        include.is_empty() || include.matches(path.strip_prefix(self.root).unwrap_or(path))
    }

    /// Returns whether a subfolder is one job.
    fn is_sequence(&self, folder: &Path) -> bool {
        let each = self.request.folders.each;
        !each
            && folder != self.root
            && self.includes(folder)
            && self.contents.get(folder).is_some_and(FolderEntries::is_sequence)
    }

    /// Returns whether an entry is named like the result of a preset and its source is present.
    fn is_result(&self, path: &Path, kind: Kind) -> bool {
        let content = self.contents.get(&folder_of(path));
        content.is_some_and(|content| is_result(&stem(path, kind), &content.stems, self.request))
    }
}

/// Returns whether an entry is hidden, as work folders are.
pub fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().first() == Some(&b'.')
}

/// Turns a walk error into a failure of the entry. Returns `None` for what is skipped: a link cycle, and a dangling
/// link that is not named like an input.
pub fn fault(error: walkdir::Error, root: &Path) -> Option<Fault> {
    let path = error.path().unwrap_or(root).to_path_buf();
    if error.loop_ancestor().is_some() {
        tracing::info!(path = %path.display(), "a link that leads to a folder above it is skipped");
        return None;
    }
    // A dangling link matters only if it is named like an input.
    let known = is_picture_in(&path) || is_video_in(&path, "");
    let link = path.symlink_metadata().is_ok_and(|data| data.file_type().is_symlink());
    if link && !known {
        return None;
    }
    let source = error.into_io_error().unwrap_or_else(|| std::io::ErrorKind::Other.into());
    Some(Fault { error: PlanError::Unreadable { path: path.clone(), source }, path })
}

/// Returns whether a name without extension is the result of a preset applied to one of `stems`.
pub fn is_result(name: &OsStr, stems: &HashSet<OsString>, request: &Request<'_>) -> bool {
    let mut name = name;
    while let Some((before, preset)) = name.to_str().and_then(|name| name.rsplit_once('.')) {
        if preset != request.preset && !request.folders.presets.iter().any(|name| name == preset) {
            return false;
        }
        name = OsStr::new(before);
        if stems.contains(name) {
            tracing::info!(result = %before, preset, "a result of an earlier run is skipped");
            return true;
        }
    }
    false
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).to_path_buf()
}

fn stem(path: &Path, kind: Kind) -> OsString {
    let name = if kind == Kind::Folder { path.file_name() } else { path.file_stem() };
    name.unwrap_or_default().to_owned()
}

/// Orders `f2` before `f10`.
pub fn natural(a: &DirEntry, b: &DirEntry) -> Ordering {
    let text = |entry: &DirEntry| entry.file_name().to_string_lossy().into_owned();
    natord::compare(&text(a), &text(b)).then_with(|| a.file_name().cmp(b.file_name()))
}
