//! Options for folders, batches and job files.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::run_options::RunOptionArgs;
use super::unattended::UnattendedArgs;
use super::values;
use crate::batch::RunOptions;
use crate::batch::plan::{Folders, Globs, PlanError, SkippedFiles};
use crate::job::Engine;

/// Options for searching folders.
#[derive(Debug, Clone, Default, Args)]
pub struct FolderArgs {
    /// Include folders inside folders
    #[arg(short, long, help_heading = "Folders")]
    pub recursive: bool,

    /// Take only matching files of a folder: *.mp4, 2026/**; can be given several times
    #[arg(long, value_name = "GLOB", help_heading = "Folders")]
    pub include: Vec<String>,

    /// Leave out matching files of a folder; can be given several times
    #[arg(long, value_name = "GLOB", help_heading = "Folders")]
    pub exclude: Vec<String>,

    /// Paint each picture by itself, even in a folder of only pictures, which would be the frames of one video
    #[arg(long, help_heading = "Folders")]
    pub each: bool,

    /// Keep running and paint what arrives in the folders, until ctrl-c or SIGTERM
    #[arg(long, conflicts_with_all = ["dry_run", "plan"], help_heading = "Folders")]
    pub watch: bool,
}

/// Options for running several jobs.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct BatchArgs {
    /// Number of jobs at the same time [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256), help_heading = "Folders")]
    pub parallel: Option<u16>,

    /// Wait until a file has not changed for this long: 10s, 2min or 0 [default: 10s in folders and job files]
    #[arg(long, value_name = "TIME", value_parser = values::span, help_heading = "Folders")]
    pub settle: Option<Duration>,

    /// Try a job up to N more times if a full disk, a file system or a lack of memory made it fail [default: 0]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, help_heading = "Folders")]
    pub retry: u32,

    /// Try inputs again that failed before and have not changed since
    #[arg(long, help_heading = "Folders")]
    pub retry_failed: bool,
}

/// A job file and the options for running it.
#[derive(Debug, Args)]
pub struct JobFileArgs {
    /// The jobs, as TOML (docs/unattended.md)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Setting for all jobs, in place of their own; can be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,

    /// Print what a run would do, and do nothing else
    #[arg(long)]
    pub dry_run: bool,

    /// Keep running and paint what arrives in the folders, until ctrl-c or SIGTERM
    #[arg(long, conflicts_with_all = ["dry_run", "plan"])]
    pub watch: bool,

    #[command(flatten)]
    pub options: RunOptionArgs,

    #[command(flatten)]
    pub batch: BatchArgs,

    #[command(flatten)]
    pub unattended: UnattendedArgs,

    /// For tests, as without a job file
    #[arg(long, value_enum, default_value_t, hide = true)]
    pub stylizer: Engine,
}

impl FolderArgs {
    /// Converts to the search options; `presets` holds the names of the known presets.
    ///
    /// # Errors
    /// If a glob is invalid.
    pub fn folders(&self, presets: Vec<String>) -> Result<Folders, PlanError> {
        Ok(Folders {
            recursive: self.recursive,
            include: Globs::parse("--include", &self.include)?,
            exclude: Globs::parse("--exclude", &self.exclude)?,
            search_always: self.watch,
            each: self.each,
            presets,
            skipped: SkippedFiles::default(),
        })
    }
}

impl BatchArgs {
    /// These over `options`; `parallel` where no option says how many.
    pub fn options(self, options: RunOptions, parallel: usize) -> RunOptions {
        let parallel = self.parallel.map_or(parallel, usize::from);
        RunOptions { parallel, retries: self.retry, retry_failed: self.retry_failed, ..options }
    }
}
