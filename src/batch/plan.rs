//! Plans a batch before any work: what each input is, where its output goes, and whether that can be.
//!
//! - Beside the input by default: `in.mp4` -> `in.monet.mp4`, `a.jpg` -> `a.monet.jpg`, `frames/` and
//!   `frames/f_%04d.png` -> `frames.monet/`.
//! - mp4, mkv, mov and webm keep their container. AVI, transport streams and the like, whose sound and subtitles
//!   MP4 mostly refuses, become mkv; GIF and everything else becomes mp4.
//! - `-o` is a file, or for a video or a picture also a folder that is there; for several inputs it must be a folder.
//!   For one sequence it is the folder that the pictures go to, or `folder/name_%04d.png`; with a `/` at its end it
//!   is the folder that this folder goes to. A video becomes pictures at `folder/name_%06d.png`, a sequence a video at
//!   the name of one, and `-` is standard output.
//! - Mistakes in the command stop the whole batch (exit code 2); what is wrong with one job alone (its input is
//!   missing, its output is there already, ...) fails that job (exit code 1) and the others go on.

mod checks;
mod input;
mod output;
mod pattern;

use std::path::{Path, PathBuf};

pub use input::files_in;
pub use pattern::Pattern;

use crate::media::{Input, Output, Range};
use crate::settings::IfExists;

/// One input, its output and the part of it that is stylised.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    pub input: Input,
    pub output: Output,
    pub range: Range,
}

impl Job {
    /// The file that the input is or the folder that holds it.
    pub fn input_path(&self) -> &Path {
        checks::place(&self.input)
    }
}

/// What is planned for an input.
#[derive(Debug)]
pub enum Planned {
    Run(Job),
    /// Nothing to do, and why.
    Skip {
        job: Job,
        why: String,
    },
    /// Known to fail before any work.
    Fail {
        /// As the user wrote it.
        input: PathBuf,
        error: PlanError,
    },
}

/// What the user asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub inputs: &'a [PathBuf],
    /// `-o`.
    pub output: Option<&'a Path>,
    /// `[input] format`: where it is given, any file is a video.
    pub input_format: &'a str,
    /// Stands in the names of outputs.
    pub preset: &'a str,
    /// The kind of output, whatever its name says; empty to go by the name.
    pub format: &'a str,
    pub range: Range,
    pub if_exists: IfExists,
    /// Leaves the disk alone: does not try to write into output folders.
    pub dry_run: bool,
}

/// Why an input cannot be planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("{}: no such file or folder", .0.display())]
    Missing(PathBuf),
    #[error("cannot read {}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{}: {what} is no input; videos: {}; pictures: {}, {}; for another kind of video give \
        --input-format", path.display(), input::VIDEOS.join(", "), input::PICTURES.join(", "),
        input::READ_ONLY.join(", "))]
    UnknownKind { path: PathBuf, what: String },
    #[error("{}: a folder of videos is not supported yet: give the files", .0.display())]
    VideoFolder(PathBuf),
    #[error("{}: the folder holds no picture", .0.display())]
    EmptyFolder(PathBuf),
    #[error("{}: not a picture; a folder given as input must hold nothing but pictures", .0.display())]
    ForeignFile(PathBuf),
    #[error("{}: matches {}, which is no picture", pattern.display(), file.display())]
    ForeignMatch { pattern: PathBuf, file: PathBuf },
    #[error("{}: no file has such a name", .0.display())]
    NothingMatches(PathBuf),
    #[error("{}: number {missing} is missing between {first} and {last}; give the folder instead to go on without it",
        pattern.display())]
    Gap { pattern: PathBuf, missing: u64, first: u64, last: u64 },
    #[error("{}: {what}", path.display())]
    BadPattern { path: PathBuf, what: &'static str },
    #[error("--start needs a video, but {} is none", .0.display())]
    StartOfStill(PathBuf),
    #[error("-o {}: {count} inputs need a folder, which must be there or end in `/`", path.display())]
    OneOutput { path: PathBuf, count: usize },
    #[error("-o {}: a {kind} does not become that; {valid}", path.display())]
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
    #[error("cannot write into the folder {}", folder.display())]
    ReadOnly { folder: PathBuf, source: std::io::Error },
    /// `changed` is what it says to have changed since it was made.
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
    /// 2 for a mistake in the command, 1 for what is wrong with a file or folder.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::UnknownKind { .. }
            | Self::VideoFolder(_)
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
            | Self::ReadOnly { .. }
            | Self::Exists { .. }
            | Self::InTheWay { .. }
            | Self::NotOnlyPictures { .. } => 1,
        }
    }
}

/// Says what an input is, as the jobs do.
///
/// # Errors
/// When it is not there or is nothing that can be read.
pub fn classify(path: &Path) -> Result<Input, PlanError> {
    input::classify(path, "").map(|found| found.input)
}

/// Plans every input, in the order given.
///
/// # Errors
/// At a mistake in the command; what is wrong with one job alone is a [`Planned::Fail`].
pub fn plan(request: &Request<'_>) -> Result<Vec<Planned>, PlanError> {
    let mut planned = Vec::with_capacity(request.inputs.len());
    for path in request.inputs {
        planned.push(match plan_one(path, request) {
            Ok(planned) => planned,
            Err(error) if error.exit_code() == 1 => Planned::Fail { input: path.clone(), error },
            Err(error) => return Err(error),
        });
    }
    let jobs = request.inputs.iter().zip(&planned).filter_map(|(path, planned)| match planned {
        Planned::Run(job) => Some((path.as_path(), job)),
        Planned::Skip { .. } | Planned::Fail { .. } => None,
    });
    checks::collisions(&jobs.collect::<Vec<_>>(), request.inputs)?;
    Ok(planned)
}

fn plan_one(path: &Path, request: &Request<'_>) -> Result<Planned, PlanError> {
    let found = input::classify(path, request.input_format)?;
    let range = match &found.input {
        Input::Video(_) => request.range,
        Input::Picture(_) | Input::Sequence { .. } if request.range.start > 0.0 => {
            return Err(PlanError::StartOfStill(path.into()));
        }
        Input::Picture(_) => Range::default(),
        Input::Sequence { .. } | Input::Stdin => request.range,
    };
    let output = output::name(&found, request)?;
    checks::not_own_input(&found.input, &output)?;
    let job = Job { input: found.input, output, range };
    if checks::is_there(&job.output)? {
        match request.if_exists {
            IfExists::Fail => return Err(PlanError::Exists { job: Box::new(job), changed: None }),
            IfExists::Skip => return Ok(Planned::Skip { job, why: "the output exists already".into() }),
            IfExists::Replace => checks::replaceable(&job.output)?,
        }
    }
    checks::folder(&job.output, request.dry_run)?;
    Ok(Planned::Run(job))
}
