//! Plans a batch before any work: what each input is, where its output goes, and whether that is possible.
//!
//! - By default an output lies next to its input: `in.mp4` -> `in.monet.mp4`, `a.jpg` -> `a.monet.jpg`, `frames/` and
//!   `frames/f_%04d.png` -> `frames.monet/`.
//! - mp4, mkv, mov and webm keep their container. AVI, transport streams and others whose sound and subtitles MP4
//!   mostly rejects become mkv; GIF and everything else becomes mp4.
//! - `-o` is a file; for a video or a picture it may also be an existing folder, and for several inputs it must be a
//!   folder. For one sequence it is the folder of the pictures or `folder/name_%04d.png`; with a trailing `/` it is the
//!   parent of that folder. A video becomes pictures if `-o` is `folder/name_%06d.png`, a sequence becomes a video if
//!   `-o` names one, and `-` is standard output.
//! - An input found by searching a folder (`tree`) goes to the same place below `-o`, or next to its source.
//! - Mistakes in the command stop the whole batch (exit code 2). A problem of one job alone (missing input, existing
//!   output, ...) fails that job (exit code 1), and the others continue.

mod checks;
mod globs;
mod input;
mod output;
mod pattern;
mod settle;
mod spread;
mod template;
mod tree;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use checks::resolved as place;
pub use globs::Globs;
pub use input::files_in;
pub use input::video_extensions;
pub use output::check_holder;
pub use pattern::Pattern;
pub use template::{Template, TemplateError};
pub use tree::{Folders, SkippedFiles};

use crate::job::{Job, Share};
use crate::media::{Input, Range};
use crate::settings::IfExists;
use tree::{Fault, Item};

/// Default time for which a file in a folder must not have changed.
pub const SETTLE: Duration = Duration::from_secs(10);

/// The plan for one input.
#[derive(Debug)]
pub enum Planned {
    Run(Job),
    /// There is nothing to do; `why` says why.
    Skip {
        job: Job,
        why: String,
    },
    /// The job is known to fail before any work.
    Fail {
        /// The path as the user wrote it.
        input: PathBuf,
        error: PlanError,
    },
}

impl Planned {
    /// As [`Planned::job`], to change it.
    pub fn job_mut(&mut self) -> Option<&mut Job> {
        match self {
            Self::Run(job) | Self::Skip { job, .. } => Some(job),
            Self::Fail { error: PlanError::Exists { job, .. }, .. } => Some(job),
            Self::Fail { .. } => None,
        }
    }

    /// Returns the job, if there is one.
    pub fn job(&self) -> Option<&Job> {
        match self {
            Self::Run(job) | Self::Skip { job, .. } => Some(job),
            Self::Fail { error: PlanError::Exists { job, .. }, .. } => Some(job),
            Self::Fail { .. } => None,
        }
    }
}

/// Returns whether something exists at the path of the job's output now.
pub fn has_output(job: &Job) -> bool {
    !matches!(checks::is_there(&job.output), Ok(false))
}

/// Plans to run a job again and replace its output, because `changed` differs from when the output was made.
pub fn again(job: Job, changed: String) -> Planned {
    match checks::replaceable(&job.output) {
        Ok(()) => Planned::Run(Job { if_exists: IfExists::Replace, changed: Some(changed), ..job }),
        Err(error) => Planned::Fail { input: job.input_path().into(), error },
    }
}

/// Returns whether the job is left for later because its input is still being written.
pub fn is_unsettled(planned: &Planned) -> bool {
    matches!(planned, Planned::Skip { why, .. } if why.starts_with(settle::SKIP_REASON))
}

/// What the user asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub inputs: &'a [PathBuf],
    /// `-o`.
    pub output: Option<&'a Path>,
    /// `[input] format`; if it is set, any file is a video.
    pub input_format: &'a str,
    /// Preset name, which is part of the names of outputs.
    pub preset: &'a str,
    /// Output format, whatever the name says; empty to follow the name.
    pub format: &'a str,
    pub range: Range,
    /// What to do if an output exists; `None`: skip in folders and job files, otherwise fail.
    pub if_exists: Option<IfExists>,
    /// Leaves the disk alone: does not test whether output folders are writable.
    pub dry_run: bool,
    pub folders: &'a Folders,
    /// Replaces `output`.
    pub template: Option<&'a Template>,
    /// Time for which an input must not have changed; `None`: [`SETTLE`] in folders and job files, otherwise zero.
    pub settle: Option<Duration>,
    /// Treats all jobs like those of a folder.
    pub unattended: bool,
    /// Expands inputs that contain `*`, `?` or `[...]`.
    pub globs: bool,
}

impl Request<'_> {
    /// Returns the folder that the outputs go to, if one is named.
    pub fn outputs(&self) -> Option<PathBuf> {
        self.template.map(Template::folder).or_else(|| self.output.map(Path::to_path_buf))
    }
}

/// Why an input cannot be planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("{}: no such file or folder", .0.display())]
    Missing(PathBuf),
    #[error("{}: an address cannot be an input; download it first, or pipe it: curl -L ADDRESS | stylize-video - -o out.mp4 \
        (a playlist in a file may name addresses where --allow-protocols lets it)", .0.display())]
    Address(PathBuf),
    #[error("cannot read {}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{}: {what} is no input, and its content is no video or picture that FFmpeg recognises; videos: {}, ...; \
        pictures: {}, {}; for a stream without a head give --input-format", path.display(), input::VIDEOS.join(", "),
        input::PICTURES.join(", "), input::READ_ONLY.join(", "))]
    UnknownKind { path: PathBuf, what: String },
    #[error("-o {}: what is made of a folder's files needs a folder, as -o outbox/", .0.display())]
    FolderOutput(PathBuf),
    #[error("{option} {glob}: {what}; write it as in --include '*.mp4'")]
    BadGlob { option: &'static str, glob: String, what: String },
    #[error("{}: the folder holds no video and no picture", .0.display())]
    EmptyFolder(PathBuf),
    #[error("{}: not a picture; a folder given as input must hold nothing but pictures", .0.display())]
    ForeignFile(PathBuf),
    #[error("{}: matches {}, which is no picture", pattern.display(), file.display())]
    ForeignMatch { pattern: PathBuf, file: PathBuf },
    #[error("{}: no file has such a name", .0.display())]
    NothingMatches(PathBuf),
    #[error("{}: number {missing} is missing between {first} and {last}; give the folder to continue without it",
        pattern.display())]
    Gap { pattern: PathBuf, missing: u64, first: u64, last: u64 },
    #[error("{}: {what}", path.display())]
    BadPattern { path: PathBuf, what: &'static str },
    #[error("--start needs a video, but {} is none", .0.display())]
    StartOfStill(PathBuf),
    #[error("-o {}: {count} inputs need a folder, which must exist or end in `/`", path.display())]
    OneOutput { path: PathBuf, count: usize },
    #[error("-o {}: a {kind} cannot be written to such a file; {valid}", path.display())]
    WrongKind { path: PathBuf, kind: &'static str, valid: String },
    #[error("{}: two of its pictures would become {name}; rename one, or give -o folder/name_%04d.png", path.display())]
    SameName { path: PathBuf, name: String },
    #[error("{} has no name to call its output by: give -o", .0.display())]
    Nameless(PathBuf),
    #[error("the output {} is its own input", .0.display())]
    OwnInput(PathBuf),
    #[error("the output of {} is another input, {}", input.display(), other.display())]
    OthersInput { input: PathBuf, other: PathBuf },
    #[error("{} and {} have the same output, {}", first.display(), second.display(), output.display())]
    Collision { first: PathBuf, second: PathBuf, output: PathBuf },
    #[error("the folder {} does not exist: create it", .0.display())]
    NoFolder(PathBuf),
    #[error("the name of its output is too long: {} has {length} bytes, and file systems take {}; rename it, or name the \
        output with -o", path.display(), checks::LONGEST_NAME)]
    LongName { path: PathBuf, length: usize },
    #[error("cannot write into the folder {}", folder.display())]
    ReadOnly { folder: PathBuf, source: std::io::Error },
    #[error("cannot make the folder {}", folder.display())]
    Unmakable { folder: PathBuf, source: std::io::Error },
    /// `changed` says what has changed since the output was made, if its metadata record it.
    #[error(
        "the output {} exists already{}: --if-exists skip or replace decides what to do",
        job.output.path().display(),
        changed.as_ref().map(|changed| format!(", and {changed} since")).unwrap_or_default()
    )]
    Exists { job: Box<Job>, changed: Option<String> },
    #[error("the output {} is a {is}, not a {should}", path.display())]
    InTheWay { path: PathBuf, is: &'static str, should: &'static str },
    #[error(
        "the output folder {} is not replaced: {foreign} in it is no picture; give the pictures a folder of their own, \
         as -o frames/f_%06d.png",
        path.display()
    )]
    NotOnlyPictures { path: PathBuf, foreign: String },
}

impl PlanError {
    /// Returns 2 for a mistake in the command and 1 for a problem with a file or folder.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::UnknownKind { .. }
            | Self::Address(_)
            | Self::FolderOutput(_)
            | Self::BadGlob { .. }
            | Self::BadPattern { .. }
            | Self::StartOfStill(_)
            | Self::OneOutput { .. }
            | Self::WrongKind { .. }
            | Self::Nameless(_)
            | Self::OwnInput(_)
            | Self::OthersInput { .. }
            | Self::Collision { .. } => 2,
            Self::Missing(_)
            | Self::Unreadable { .. }
            | Self::EmptyFolder(_)
            | Self::ForeignFile(_)
            | Self::ForeignMatch { .. }
            | Self::SameName { .. }
            | Self::NothingMatches(_)
            | Self::Gap { .. }
            | Self::NoFolder(_)
            | Self::LongName { .. }
            | Self::ReadOnly { .. }
            | Self::Unmakable { .. }
            | Self::Exists { .. }
            | Self::InTheWay { .. }
            | Self::NotOnlyPictures { .. } => 1,
        }
    }
}

/// Determines what an input is, as the jobs do.
///
/// # Errors
/// If it does not exist or is nothing that can be read.
pub fn classify(path: &Path) -> Result<Input, PlanError> {
    input::classify(path, "").map(|found| found.input)
}

/// Plans every input in the given order; the files of a folder are in natural order.
///
/// # Errors
/// If the command contains a mistake. A problem of one job alone becomes a [`Planned::Fail`].
pub fn plan(request: &Request<'_>) -> Result<Vec<Planned>, PlanError> {
    Ok(placed(draft(request)?, request.dry_run))
}

/// Plans without creating any folder: if several job specs belong together, all must be valid first.
///
/// # Errors
/// As [`plan`].
pub fn draft(request: &Request<'_>) -> Result<Vec<Planned>, PlanError> {
    let mut planned = Vec::with_capacity(request.inputs.len());
    for item in items(request)? {
        planned.push(match item {
            Err(Fault { path, error }) => (None, Planned::Fail { input: path, error }),
            Ok(item) => match plan_one(&item, request, false) {
                Ok(planned) => (Some(item), planned),
                // A file that the user has not named is no mistake in the command, and one foreign file among several
                // inputs does not stop the others.
                Err(error)
                    if error.exit_code() == 1 || item.relative_folder.is_some() || is_foreign(&error, request) =>
                {
                    let input = item.path.clone();
                    (Some(item), Planned::Fail { input, error })
                }
                Err(error) => return Err(error),
            },
        });
    }
    forget_results(&mut planned);
    set_apart(&mut planned, request);
    let entries = planned.iter().filter_map(|(item, planned)| {
        let input = item.as_ref()?.path.as_path();
        Some(checks::Entry { input, job: planned.job()?, runs: matches!(planned, Planned::Run(_)) })
    });
    let entries: Vec<_> = entries.collect();
    checks::collisions(&entries, planned.iter().filter_map(|(item, _)| Some(item.as_ref()?.path.as_path())))?;
    Ok(planned.into_iter().map(|(_, planned)| planned).collect())
}

/// Returns whether the error is about an unknown file type and there are several inputs.
fn is_foreign(error: &PlanError, request: &Request<'_>) -> bool {
    matches!(error, PlanError::UnknownKind { .. }) && request.inputs.len() > 1
}

/// Adds the extension to the output names of a folder's files that would otherwise have the same output.
fn set_apart(planned: &mut [(Option<Item>, Planned)], request: &Request<'_>) {
    let mut taken: HashMap<PathBuf, Vec<usize>> = HashMap::new();
    for (index, (item, planned)) in planned.iter().enumerate() {
        let found = item.as_ref().is_some_and(|item| item.relative_folder.is_some());
        if let Some(job) = planned.job().filter(|_| found) {
            taken.entry(checks::resolved(job.output.path())).or_default().push(index);
        }
    }
    for index in taken.into_values().filter(|same| same.len() > 1).flatten() {
        let (Some(item), planned) = &mut planned[index] else { continue };
        *planned =
            plan_one(item, request, true).unwrap_or_else(|error| Planned::Fail { input: item.path.clone(), error });
    }
}

/// Lists all inputs and expands folders and globs.
fn items(request: &Request<'_>) -> Result<Vec<Result<Item, Fault>>, PlanError> {
    let mut items = Vec::new();
    for path in request.inputs {
        let found = tree::search(path, request);
        let globbed = if found.is_none() && request.globs { spread::spread(path, request)? } else { None };
        match found.or(globbed) {
            Some(found) => {
                request.output.map_or(Ok(()), output::check_holder)?;
                items.extend(found);
            }
            None => items.push(Ok(Item { path: path.clone(), relative_folder: None })),
        }
    }
    Ok(items)
}

/// Drops inputs that were found in a folder and are the output of another job.
fn forget_results(planned: &mut Vec<(Option<Item>, Planned)>) {
    let job = |planned: &Planned| planned.job().map(|job| checks::resolved(job.output.path()));
    let outputs: HashSet<PathBuf> = planned.iter().filter_map(|(_, planned)| job(planned)).collect();
    planned.retain(|(item, _)| {
        let found = item.as_ref().filter(|item| item.relative_folder.is_some());
        !found.is_some_and(|item| outputs.contains(&checks::resolved(&item.path)))
    });
}

/// Checks the output folders and creates those of unattended jobs. It runs after the whole plan is made, so a command
/// with a mistake creates nothing.
pub fn placed(planned: Vec<Planned>, dry_run: bool) -> Vec<Planned> {
    let place = |planned| {
        let Planned::Run(job) = planned else { return planned };
        match checks::folder(&job.output, job.unattended, dry_run) {
            Ok(()) => Planned::Run(job),
            Err(error) => Planned::Fail { input: job.input_path().into(), error },
        }
    };
    planned.into_iter().map(place).collect()
}

fn plan_one(item: &Item, request: &Request<'_>, keeps_extension: bool) -> Result<Planned, PlanError> {
    let found = input::classify(&item.path, request.input_format)?;
    let found = input::ClassifiedInput { relative_folder: item.relative_folder.clone(), keeps_extension, ..found };
    let range = match &found.input {
        Input::Video(_) => request.range,
        Input::Picture(_) | Input::Sequence { .. } if request.range.start > 0.0 => {
            return Err(PlanError::StartOfStill(item.path.clone()));
        }
        Input::Picture(_) => Range::default(),
        Input::Sequence { .. } | Input::Stdin => request.range,
    };
    let output = output::name(&found, request)?;
    checks::not_own_input(&found.input, &output)?;
    checks::name(&output)?;
    let unattended = item.relative_folder.is_some() || request.unattended;
    let if_exists = request.if_exists.unwrap_or(if unattended { IfExists::Skip } else { IfExists::Fail });
    let was_found = item.relative_folder.is_some();
    let job = Job {
        input: found.input,
        output,
        range,
        if_exists,
        unattended,
        found: was_found,
        changed: None,
        share: Share::Whole,
    };
    let settle = request.settle.unwrap_or(if unattended { SETTLE } else { Duration::ZERO });
    if let Some(why) = settle::unsettled(&job.input, settle) {
        return Ok(Planned::Skip { job, why });
    }
    if checks::is_there(&job.output)? {
        match if_exists {
            // Whether the output is this job's own is checked later.
            IfExists::Skip if request.if_exists.is_none() => {
                return Err(PlanError::Exists { job: Box::new(job), changed: None });
            }
            IfExists::Fail => return Err(PlanError::Exists { job: Box::new(job), changed: None }),
            IfExists::Skip => return Ok(Planned::Skip { job, why: "the output exists already".into() }),
            IfExists::Replace => checks::replaceable(&job.output)?,
        }
    }
    Ok(Planned::Run(job))
}
