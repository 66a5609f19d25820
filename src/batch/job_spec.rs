//! Job specs: which outputs to make from which inputs, as a command line or one job of a job file requests.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::plan::{self, Folders, PlanError, Planned, Request, Template};
use super::{JobGroup, RunOptions, UpToDateCheck};
use crate::job::{Engine, Job, Share};
use crate::media::{Input, Output, Range};
use crate::motion::{SuppliedMotion, SuppliedMotionError};
use crate::provenance;
use crate::settings::Resolved;

/// A request to make outputs from inputs. In watch mode it is planned again and again.
#[derive(Debug, Clone)]
pub struct JobSpec {
    pub inputs: Vec<PathBuf>,
    pub output: Option<PathBuf>,
    /// Replaces `output`.
    pub template: Option<Template>,
    pub range: Range,
    pub folders: Folders,
    /// See [`Request::settle`].
    pub settle: Option<Duration>,
    pub resolved: Resolved,
    /// The folder of the job file that contains the spec; `None` for a command line.
    pub file: Option<PathBuf>,
    pub dry_run: bool,
    /// The share of the job to do; anything but the whole is for a single input.
    pub share: Share,
}

/// A mistake in a job spec.
#[derive(Debug, thiserror::Error)]
pub enum JobSpecError {
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    SuppliedMotion(#[from] SuppliedMotionError),
    #[error("--shots and --join take one input; here are {0}")]
    SeveralShared(usize),
    #[error("--shots and --join need an output that is made of parts; {0} is not")]
    NoParts(&'static str),
    #[error("--shots does not go with --loop: such a clip is painted as one shot")]
    Ring,
}

impl JobSpecError {
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Plan(error) => error.exit_code(),
            Self::SuppliedMotion(_) | Self::SeveralShared(_) | Self::NoParts(_) | Self::Ring => 2,
        }
    }
}

impl JobSpec {
    fn request(&self) -> Request<'_> {
        let settings = &self.resolved.settings;
        Request {
            inputs: &self.inputs,
            output: self.output.as_deref(),
            input_format: &settings.input.format,
            preset: &self.resolved.preset,
            format: &settings.output.format,
            range: self.range,
            if_exists: self.resolved.if_exists,
            dry_run: self.dry_run,
            folders: &self.folders,
            template: self.template.as_ref(),
            settle: self.settle,
            unattended: self.file.is_some(),
            globs: self.file.is_some(),
        }
    }

    /// Plans the jobs that are due now, without creating any folder.
    ///
    /// # Errors
    /// If the command or the job file contains a mistake.
    fn draft(&self, engine: Engine, options: RunOptions) -> Result<JobGroup, JobSpecError> {
        let request = self.request();
        let motion = &self.resolved.settings.motion;
        // A mistake in the supplied motion data is reported before one in file names. The inputs are counted again
        // below, because a folder may turn out to be several inputs.
        let supplied = SuppliedMotion::read(motion, self.inputs.len(), self.range)?;
        let mut planned = plan::draft(&request)?;
        planned.retain(|planned| !planned.job().is_some_and(is_result));
        SuppliedMotion::check_inputs(motion, planned.len())?;
        self.share_out(&mut planned)?;
        let check = UpToDateCheck {
            settings: &self.resolved.settings,
            supplied: &supplied,
            engine,
            fingerprint: options.fingerprint,
            tidies: !self.dry_run && !options.keep_work,
        };
        let planned = check.recognise(planned);
        let named =
            request.outputs().filter(|folder| !folder.as_os_str().is_empty() && plan::check_holder(folder).is_ok());
        let first = || self.inputs.iter().find(|input| input.is_dir()).cloned();
        let failure_log = named.or_else(|| self.file.clone()).or_else(first);
        let named = if self.file.is_some() { Vec::new() } else { self.inputs.clone() };
        Ok(JobGroup { planned, resolved: self.resolved.clone(), supplied, failure_log, named })
    }

    /// Gives the jobs their share.
    fn share_out(&self, planned: &mut [Planned]) -> Result<(), JobSpecError> {
        if self.share == Share::Whole {
            return Ok(());
        }
        if planned.len() > 1 {
            return Err(JobSpecError::SeveralShared(planned.len()));
        }
        for job in planned.iter_mut().filter_map(Planned::job_mut) {
            match (&job.input, &job.output) {
                (Input::Stdin, _) | (_, Output::Stdout) => return Err(JobSpecError::NoParts("a stream")),
                (Input::Picture(_), _) | (_, Output::Picture(_)) => {
                    return Err(JobSpecError::NoParts("a single picture"));
                }
                _ if self.share.shots().is_some() && self.resolved.settings.temporal.ring => {
                    return Err(JobSpecError::Ring);
                }
                _ => job.share = self.share.clone(),
            }
        }
        Ok(())
    }

    /// Returns the folders that new files arrive in, and whether their subfolders count.
    pub fn inboxes(&self) -> impl Iterator<Item = (PathBuf, bool)> {
        self.inputs.iter().filter_map(|input| {
            let folder = input.ancestors().find(|folder| folder.is_dir())?;
            Some((folder.to_path_buf(), self.folders.recursive || folder != input))
        })
    }
}

/// Returns whether a job's input is a result that lies in the output folder. Its source may be gone, and without this
/// check it would be painted again and again. A result in a separate inbox is an ordinary input.
fn is_result(job: &Job) -> bool {
    let folder = |path: &Path| path.parent().map(plan::place);
    let (input, output) = (job.input_path(), job.output.path());
    job.found && folder(input) == folder(output) && provenance::read(input).is_some()
}

/// Drops inputs that are outputs of another spec, unless the user named them. If that spec does not make the output
/// in this run, the file may be anyone's, so it is dropped only if its metadata mark it as a result.
fn forget_results(groups: &mut [JobGroup]) {
    let mut outputs: HashMap<PathBuf, Vec<(usize, bool)>> = HashMap::new();
    for (number, group) in groups.iter().enumerate() {
        for (planned, job) in group.planned.iter().filter_map(|planned| Some((planned, planned.job()?))) {
            let made = (number, matches!(planned, Planned::Run(_)));
            outputs.entry(plan::place(job.output.path())).or_default().push(made);
        }
    }
    for (number, group) in groups.iter_mut().enumerate() {
        let is_made = |job: &Job| {
            let mut makers = outputs.get(&plan::place(job.input_path())).into_iter().flatten();
            makers.any(|&(other, runs)| other != number && (runs || provenance::read(job.input_path()).is_some()))
        };
        group.planned.retain(|planned| !planned.job().is_some_and(|job| job.found && is_made(job)));
    }
}

/// Plans the jobs of all specs.
///
/// # Errors
/// If the command or the job file contains a mistake, or if two specs have the same output.
pub fn plan_all(specs: &[JobSpec], engine: Engine, options: RunOptions) -> Result<Vec<JobGroup>, JobSpecError> {
    let mut groups: Vec<JobGroup> = specs.iter().map(|spec| spec.draft(engine, options)).collect::<Result<_, _>>()?;
    forget_results(&mut groups);
    let jobs =
        groups.iter().enumerate().flat_map(|(number, group)| group.planned.iter().map(move |one| (number, one.job())));
    let mut taken: HashMap<PathBuf, (usize, &Job)> = HashMap::new();
    for (number, job) in jobs.filter_map(|(number, job)| Some((number, job?))) {
        // Collisions within one spec were checked before.
        let before = taken.insert(plan::place(job.output.path()), (number, job));
        if let Some((_, other)) = before.filter(|(other, _)| *other != number) {
            let path = |job: &Job| -> PathBuf { Path::to_path_buf(job.input_path()) };
            let output = job.output.path().to_path_buf();
            return Err(PlanError::Collision { first: path(other), second: path(job), output }.into());
        }
    }
    for (group, spec) in groups.iter_mut().zip(specs) {
        group.planned = plan::placed(std::mem::take(&mut group.planned), spec.dry_run);
    }
    Ok(groups)
}
