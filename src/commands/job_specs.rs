//! Resolves the entries of a job file (presets, settings, paths) into `JobSpec`s.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::batch::job_spec::JobSpec;
use crate::batch::jobfile::{JobEntry, JobFile};
use crate::batch::plan::{Folders, Globs, SkippedFiles};
use crate::job::Share;
use crate::settings::{Environment, LayerInputs, Library, Settings};

/// The command-line options that apply to a job file.
#[derive(Debug)]
pub struct FileRequest<'a> {
    pub file: &'a Path,
    /// `--set` options, which override the settings of the jobs.
    pub sets: &'a [String],
    pub watch: bool,
    pub settle: Option<Duration>,
    pub dry_run: bool,
}

/// Reads the specs in a job file, and the number of jobs to run at once.
///
/// # Errors
/// If there is a mistake in the file, in a preset or in a setting.
pub fn of_file(request: &FileRequest<'_>, environment: &Environment) -> anyhow::Result<(Vec<JobSpec>, usize)> {
    let (file, folder) = JobFile::read(request.file)?;
    let presets = preset_names(environment);
    let specs = file.jobs.into_iter().map(|job| spec(job, &folder, &presets, request, environment));
    Ok((specs.collect::<anyhow::Result<_>>()?, file.parallel.unwrap_or(1)))
}

fn spec(
    job: JobEntry,
    folder: &Path,
    presets: &[String],
    request: &FileRequest<'_>,
    environment: &Environment,
) -> anyhow::Result<JobSpec> {
    // A name is used unchanged; a path is relative to the job file.
    let is_path = |preset: &String| preset.contains('/') || preset.ends_with(".toml");
    let preset = job.preset.map(|preset| if is_path(&preset) { beside(folder, &preset) } else { preset });
    let resolved = Settings::resolve(&LayerInputs {
        environment: environment.clone(),
        preset,
        overrides: job.overrides,
        sets: request.sets.to_vec(),
        ..LayerInputs::default()
    })?;
    let output = job.output.map(|template| template.under(folder));
    let constant = output.as_ref().and_then(|template| template.constant()).map(PathBuf::from);
    Ok(JobSpec {
        inputs: job.inputs.iter().map(|input| folder.join(input)).collect(),
        template: output.filter(|_| constant.is_none()),
        output: constant,
        range: job.range,
        folders: Folders {
            recursive: job.recursive,
            include: Globs::parse("include", &job.include)?,
            exclude: Globs::parse("exclude", &job.exclude)?,
            search_always: request.watch,
            each: false,
            presets: presets.to_vec(),
            skipped: SkippedFiles::default(),
        },
        settle: request.settle,
        resolved,
        file: Some(if folder.as_os_str().is_empty() { ".".into() } else { folder.into() }),
        dry_run: request.dry_run,
        share: Share::Whole,
    })
}

fn beside(folder: &Path, path: &str) -> String {
    // The path must contain a separator, so that it is not taken for a preset name.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    folder.join(path).to_string_lossy().into_owned()
}

/// Returns the preset names that may appear in the names of results.
pub fn preset_names(environment: &Environment) -> Vec<String> {
    Library::new(environment).names()
}
