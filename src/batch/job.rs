//! Runs one job: passes its input through the pipeline into its output.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::RunOptions;
use super::Worker;
use super::plan;
use super::publish::{PublishError, StageError, Staged, work_of};
use crate::decode;
use crate::encode::{self, Encoded, FrameSink, Target};
use crate::files;
use crate::identity::{FileStats, Identity, IdentityError};
use crate::interrupt::CancelToken;
use crate::job::{Engine, Job, Share};
use crate::measure::GhostMeter;
use crate::media::{Input, Output};
use crate::motion::{self, FlowError, SuppliedMotion, Wanted};
use crate::pipeline::{self, Completed, Ends, PaintTools, PipelineError, Progress};
use crate::provenance::{Contents, Stamp};
use crate::report::{Event, Observer};
use crate::resume::{self, Complete, Journal, Opened, ResumeError};
use crate::settings::{IfExists, NextInit, Resolved, Settings};
use crate::stylize::fake::{self, Bars};
use crate::stylize::{self, StyleError, Workshop};

/// Why a job failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum JobError {
    #[error(transparent)]
    Decode(#[from] decode::DecodeError),
    #[error(transparent)]
    Encode(#[from] encode::EncodeError),
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Stage(#[from] StageError),
    #[error(transparent)]
    Resume(#[from] ResumeError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    Motion(#[from] FlowError),
    #[error("cannot write down what is in {}: {source}", folder.display())]
    Contents { folder: PathBuf, source: std::io::Error },
    #[error("{what} while it was worked on: nothing is made of the two; run again")]
    Changed { what: String },
    /// Another run has made the output since the plan.
    #[error("another run has made the output meanwhile")]
    Appeared,
}

impl JobError {
    /// Returns whether the same job may succeed later: a full or failing disk, too little memory, a changed input.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Decode(error) | Self::Pipeline(PipelineError::Decode(error)) => error.is_passing(),
            Self::Encode(error) | Self::Pipeline(PipelineError::Encode(error)) => error.is_passing(),
            Self::Pipeline(PipelineError::Style(error)) => matches!(error, StyleError::OutOfMemory(_)),
            Self::Resume(error)
            | Self::Stage(StageError::Resume(error))
            | Self::Pipeline(PipelineError::Resume(error)) => match error {
                ResumeError::DiskFull(_) | ResumeError::TooLarge(_) => true,
                ResumeError::Work { source, .. } | ResumeError::Io { source, .. } => files::is_passing(source),
                _ => false,
            },
            Self::Publish(error) | Self::Stage(StageError::Publish(error)) => match error {
                PublishError::Work { source, .. } | PublishError::Move { source, .. } => files::is_passing(source),
                PublishError::Appeared(_) => false,
            },
            Self::Identity(IdentityError::Unreadable { source, .. }) => files::is_passing(source),
            Self::Changed { .. } => true,
            _ => false,
        }
    }

    /// Returns whether the input or the program is to blame, so that the same job would fail again.
    pub(super) fn is_lasting(&self) -> bool {
        use PipelineError::{Decode, Encode, FrameCount, Panicked};
        let blames = matches!(
            self,
            Self::Decode(_) | Self::Encode(_) | Self::Pipeline(Decode(_) | Encode(_) | FrameCount { .. } | Panicked(_))
        );
        blames && !self.is_passing()
    }
}

/// Returns the input and the output as reports name them.
pub(super) fn names(job: &Job) -> (String, String) {
    (job.input_path().display().to_string(), job.output.path().display().to_string())
}

/// Context that a job shares with the other jobs of its group.
#[derive(Clone, Copy)]
pub(super) struct JobContext<'a> {
    pub resolved: &'a Resolved,
    pub settings: &'a Settings,
    /// Motion data that the user supplies for the source.
    pub supplied: &'a SuppliedMotion,
    pub engine: Engine,
    pub options: RunOptions,
    /// Number of threads that computations are divided among, unless a previous run of the job used another number.
    pub threads: u32,
    pub observer: &'a dyn Observer,
    pub cancel: &'a CancelToken,
    pub worker: &'a Worker,
}

impl JobContext<'_> {
    /// Determines the identity of a job.
    pub(super) fn identify(&self, job: &Job) -> Result<Identity, IdentityError> {
        let Self { settings, supplied, engine, options, .. } = *self;
        self.worker.shared().identify(job, settings, supplied, engine, options.fingerprint)
    }

    fn warn(&self, messages: impl IntoIterator<Item = String>) {
        messages.into_iter().for_each(|message| self.observer.event(&Event::Warning { message }));
    }

    fn note(&self, messages: impl IntoIterator<Item = String>) {
        messages.into_iter().for_each(|message| self.observer.event(&Event::Note { message }));
    }
}

/// Runs a job from the start, or from where a previous run stopped. Returns the number of frames of the output.
///
/// # Errors
/// The first failure of any stage. Nothing appears under the output's name then, and the painted frames are kept.
pub(super) fn run_job(job: &Job, context: JobContext<'_>) -> Result<u64, JobError> {
    let done = paint(job, context);
    // The progress belongs to another run, or to an input that has changed since.
    let other =
        matches!(done, Err(JobError::Stage(StageError::Resume(ResumeError::Busy { .. })) | JobError::Changed { .. }));
    if done.is_err() && !other {
        let (now, former) = kept(job);
        if now > 0 {
            context.note([format!("kept, {}: the same command resumes from there", painted_frames(now))]);
        }
        if former > 0 {
            let frames = painted_frames(former);
            context.note([format!("also kept, of the earlier command, {frames}: it resumes from there")]);
        }
    }
    done
}

/// Returns the number of painted frames on the disk: of the latest job, and of the earlier job that was set aside.
pub(super) fn kept(job: &Job) -> (u64, u64) {
    work_of(job).map_or((0, 0), |work| resume::kept(&work))
}

fn painted_frames(count: u64) -> String {
    if count == 1 { "1 painted frame".into() } else { format!("{count} painted frames") }
}

fn paint(job: &Job, context: JobContext<'_>) -> Result<u64, JobError> {
    let JobContext { settings, observer, options, .. } = context;
    let began = Instant::now();
    let mut source = decode::open(&job.input, job.range, &settings.input)?;
    let staged = Staged::new(job)?;
    if job.if_exists == IfExists::Skip && plan::has_output(job) {
        return Err(JobError::Appeared);
    }
    let file_stats = FileStats::of(job, settings);
    let identity = which(job, context)?;
    let stamp = Stamp::new(context.resolved, identity.clone(), context.engine == Engine::Optimise)?;
    let mut opened = open_journal(job, context, &staged, identity.clone())?;
    staged.prepare()?;
    if let Some(opened) = &mut opened {
        join(job, &staged, opened)?;
    }
    let painted = opened.as_ref().map_or(0, |opened| opened.journal.frames());
    let from = opened.as_ref().map_or(0, |opened| opened.journal.next_frame());
    let wanted = Wanted { from, ..wanted(job, context)? };
    if wanted.flow.is_some() {
        let counted = matches!(job.input, Input::Sequence { .. }) && settings.input.filter.trim().is_empty();
        context.supplied.check(source.info(), counted)?;
    }
    let (output, work) = (staged.output().clone(), staged.work().to_path_buf());
    let target = Target { output, work, label: Some(stamp.text()) };
    let sink = match &opened {
        Some(opened) => encode::open_after(&target, source.info(), &settings.output, &opened.journal.parts())?,
        None => encode::open(&target, source.info(), &settings.output)?,
    };
    let (input, output) = names(job);
    let info = source.info();
    let (frames, width, height) = (info.frames, info.width, info.height);
    observer.event(&Event::Started { input: input.clone(), output: output.clone(), frames, width, height });
    context.warn(source.take_warnings().into_iter().chain(sink.warnings().iter().cloned()));
    context.note(source.take_notes());
    context.note(job.changed.iter().map(|changed| format!("made again because {changed} since it was made")));
    context.note(opened.iter_mut().flat_map(|opened| std::mem::take(&mut opened.notes)));
    if painted > 0 {
        observer.event(&Event::Resumed { input, frames: painted });
    }
    let complete = opened.as_ref().and_then(|opened| opened.journal.complete());
    let confined = job.share.shots().is_some();
    let Completed { encoded, waited_for_motion, steadiness } = if let Some(complete) = complete {
        let encoded = if confined { Encoded { frames: painted, warnings: Vec::new() } } else { end(sink, complete)? };
        Completed { encoded, waited_for_motion: Duration::ZERO, steadiness: None }
    } else {
        let measured = wanted.flow.is_some();
        let motion = motion::watch(wanted)?;
        let progress = opened
            .as_mut()
            .map(|opened| Progress { journal: &mut opened.journal, checkpoint: u64::from(settings.output.checkpoint) });
        let (resumable, threads) =
            (progress.is_some(), progress.as_ref().map_or(context.threads, |it| it.journal.threads()));
        let make = || {
            stylize::device::divide_among(threads);
            make_tools(job, context, staged.work(), resumable)
        };
        pipeline::run(Ends { source, sink, motion }, measured, make, progress, observer, context.cancel)?
    };
    context.warn(encoded.warnings);
    drop(opened);
    let contents = match staged.output() {
        Output::Sequence { folder, .. } if !confined => Some(folder),
        _ => None,
    };
    contents.map_or(Ok(()), |folder| say_contents(folder, stamp))?;
    same_still(job, context, &file_stats, identity.as_ref())?;
    let output = if confined {
        // The parts stay in the work folder, for a run that joins them.
        staged.work().display().to_string()
    } else {
        staged.publish(job.if_exists == IfExists::Replace, options.keep_work)?;
        output
    };
    let (seconds, waited_for_motion) = (began.elapsed().as_secs_f64(), waited_for_motion.as_secs_f64());
    tracing::info!(waited_for_motion, share = waited_for_motion / seconds, "painting waited for motion (seconds)");
    observer.event(&Event::Finished { output, frames: encoded.frames, seconds, waited_for_motion, steadiness });
    Ok(encoded.frames)
}

/// Ends the output of a job whose frames are all painted.
fn end(mut sink: Box<dyn FrameSink>, complete: Complete) -> Result<Encoded, JobError> {
    if complete.every_frame {
        sink.expect_every_frame();
    }
    Ok(sink.finish()?)
}

/// Takes the parts of other work folders, if the job is to join them and has not done so before.
fn join(job: &Job, staged: &Staged, opened: &mut Opened<'_>) -> Result<(), JobError> {
    let Share::Join(folders) = &job.share else { return Ok(()) };
    let pictures = match staged.output() {
        Output::Sequence { folder, .. } => Some(folder.as_path()),
        _ => None,
    };
    if opened.journal.complete().is_none() {
        opened.notes.extend(resume::join(&mut opened.journal, folders, pictures)?);
    }
    Ok(())
}

/// Checks that the input has not changed while it was read: the sound of one file could end up with the pictures of
/// another.
fn same_still(
    job: &Job,
    context: JobContext<'_>,
    before: &FileStats,
    identity: Option<&Identity>,
) -> Result<(), JobError> {
    let Some(identity) = identity.filter(|_| *before != FileStats::of(job, context.settings)) else { return Ok(()) };
    let now = match which(job, context) {
        // The file was read to its end, so its removal cannot have mixed anything.
        Err(IdentityError::Unreadable { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        now => now?,
    };
    // An equal identity means that the file was only touched.
    let changed = now.and_then(|now| now.changed(identity));
    changed.map_or(Ok(()), |what| Err(JobError::Changed { what }))
}

/// Returns the identity of the job; `None` for standard input, which cannot be identified again.
fn which(job: &Job, context: JobContext<'_>) -> Result<Option<Identity>, IdentityError> {
    if job.input == Input::Stdin {
        return Ok(None);
    }
    context.identify(job).map(Some)
}

/// Writes the list of contents into the folder of pictures; it marks the folder as complete.
fn say_contents(folder: &Path, stamp: Stamp) -> Result<(), JobError> {
    let contents = Contents::of(folder, stamp).and_then(|contents| contents.write(folder));
    contents.map_err(|source| JobError::Contents { folder: folder.into(), source })
}

/// Opens the progress of a job; `None` if the job cannot be resumed: a stream cannot be read twice, and a single
/// picture has no parts.
fn open_journal<'a>(
    job: &Job,
    context: JobContext<'_>,
    staged: &'a Staged,
    identity: Option<Identity>,
) -> Result<Option<Opened<'a>>, JobError> {
    let several = matches!(job.output, Output::Video(_) | Output::Sequence { .. });
    let Some(folder) = staged.folder() else { return Ok(None) };
    let Some(identity) = identity.filter(|_| several) else {
        // Another job's leftovers must not become part of this output.
        resume::make_room(folder)?;
        return Ok(None);
    };
    let shots = job.share.shots();
    Ok(Some(Journal::open(folder, identity, context.threads, context.options.resume, shots)?))
}

/// Returns the motion data that a job needs.
pub(super) fn wanted(job: &Job, context: JobContext<'_>) -> Result<Wanted, FlowError> {
    let JobContext { settings, supplied, engine, .. } = context;
    let list = supplied.cuts.clone();
    if engine != Engine::Optimise || matches!(job.input, Input::Picture(_)) {
        return Ok(Wanted { list, ..Wanted::default() });
    }
    let anchored = settings.temporal.weight > 0.0;
    let used = settings.init.next == NextInit::Warped || anchored || settings.temporal.is_reworked();
    let flow = match &supplied.flow {
        _ if !used => {
            if supplied.flow.is_some() {
                let message = "--flow is of no use: neither init.next = \"warped\" nor temporal.weight asks for motion";
                context.warn([message.into()]);
            }
            None
        }
        Some(files) => Some(Box::new(files.clone()) as Box<_>),
        None => Some(motion::estimate()?),
    };
    let far = settings.searched().to_vec();
    // Cuts are detected whether or not flow is used, so that every kind of init sees the same shots.
    let cuts = if list.is_none() { motion::estimate_cuts()? } else { None };
    Ok(Wanted { flow, cuts, rules: settings.temporal.consistency, list, far, ring: settings.temporal.ring, from: 0 })
}

/// Builds the stylizer and the ghost meter. If painted frames are kept (`resumable`), an interruption waits for the
/// current frame.
pub(super) fn make_tools<'a>(
    job: &Job,
    context: JobContext<'a>,
    work: &'a Path,
    resumable: bool,
) -> Result<PaintTools<'a>, StyleError> {
    let JobContext { settings, observer, .. } = context;
    match context.engine {
        Engine::Optimise => {}
        Engine::Identity => return Ok(PaintTools { stylizer: Box::new(fake::Identity), ghosts: None }),
        Engine::Bars => return Ok(PaintTools { stylizer: Box::new(Bars), ghosts: None }),
    }
    // A single picture has neither passes nor a ring.
    let several = !matches!(job.input, Input::Picture(_));
    let workshop = several.then_some(Workshop { folder: work, observer });
    // With several passes, a shot can be saved only at its end, so an interruption does not wait.
    let waits = resumable && !settings.temporal.is_reworked();
    let cancel = if waits { CancelToken::default() } else { context.cancel.clone() };
    let built = stylize::build_with(&mut context.worker.model(), settings, &cancel, workshop)?;
    context.note(built.notes);
    let ghosts = GhostMeter::new(Box::new(built.meter)).seldom();
    Ok(PaintTools { stylizer: built.stylizer, ghosts: Some(ghosts) })
}
