//! Turns the jobs of a job file into batch orders.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::batch::jobfile::{JobEntry, JobFile};
use crate::batch::order::Order;
use crate::batch::plan::{Folders, Globs, Passed};
use crate::settings::{Ambient, LayerInputs, Library, Settings};

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

/// Reads the orders in a job file, and the number of jobs to run at once.
///
/// # Errors
/// If there is a mistake in the file, in a preset or in a setting.
pub fn of_file(request: &FileRequest<'_>, ambient: &Ambient) -> anyhow::Result<(Vec<Order>, usize)> {
    let (file, folder) = JobFile::read(request.file)?;
    let presets = preset_names(ambient);
    let orders = file.jobs.into_iter().map(|job| order(job, &folder, &presets, request, ambient));
    Ok((orders.collect::<anyhow::Result<_>>()?, file.parallel.unwrap_or(1)))
}

fn order(
    job: JobEntry,
    folder: &Path,
    presets: &[String],
    request: &FileRequest<'_>,
    ambient: &Ambient,
) -> anyhow::Result<Order> {
    // A name is used unchanged; a path is relative to the job file.
    let is_path = |preset: &String| preset.contains('/') || preset.ends_with(".toml");
    let preset = job.preset.map(|preset| if is_path(&preset) { beside(folder, &preset) } else { preset });
    let resolved = Settings::resolve(&LayerInputs {
        ambient: ambient.clone(),
        preset,
        overrides: job.overrides,
        sets: request.sets.to_vec(),
        ..LayerInputs::default()
    })?;
    let output = job.output.map(|template| template.under(folder));
    let constant = output.as_ref().and_then(|template| template.constant()).map(PathBuf::from);
    Ok(Order {
        inputs: job.inputs.iter().map(|input| folder.join(input)).collect(),
        template: output.filter(|_| constant.is_none()),
        output: constant,
        range: job.range,
        folders: Folders {
            recursive: job.recursive,
            include: Globs::parse("include", &job.include)?,
            exclude: Globs::parse("exclude", &job.exclude)?,
            always: request.watch,
            each: false,
            presets: presets.to_vec(),
            passed: Passed::default(),
        },
        settle: request.settle,
        resolved,
        file: Some(if folder.as_os_str().is_empty() { ".".into() } else { folder.into() }),
        dry_run: request.dry_run,
    })
}

fn beside(folder: &Path, path: &str) -> String {
    // The path must contain a separator, so that it is not taken for a preset name.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    folder.join(path).to_string_lossy().into_owned()
}

/// Returns the preset names that may appear in the names of results.
pub fn preset_names(ambient: &Ambient) -> Vec<String> {
    Library::new(ambient).names()
}
