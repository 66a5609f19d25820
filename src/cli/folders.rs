//! Options for many inputs and for runs that nobody watches.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::run_options::RunOptionArgs;
use super::unattended::UnattendedArgs;
use super::{StylizerArg, values};
use crate::batch::RunOptions;
use crate::batch::plan::{Folders, Globs, Passed, PlanError};

/// How folders are gone through.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Folders")]
pub struct FolderArgs {
    /// Also go through the folders in a folder
    #[arg(short, long)]
    pub recursive: bool,

    /// Take only these of a folder: *.mp4, 2026/**; can be given several times
    #[arg(long, value_name = "GLOB")]
    pub include: Vec<String>,

    /// Leave these of a folder out; can be given several times
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,

    /// Paint each picture of a folder by itself, also where it holds nothing but pictures: photos, not frames
    #[arg(long)]
    pub each: bool,

    /// Stay, and take what comes into the folders, until ctrl-c or SIGTERM
    #[arg(long, conflicts_with_all = ["dry_run", "plan"])]
    pub watch: bool,
}

/// How many jobs are done.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Folders")]
pub struct BatchArgs {
    /// Jobs at once [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub parallel: Option<u16>,

    /// Leave a file alone until it has not changed for so long, as 10s, 2min or 0 [default: 10s in folders and job files]
    #[arg(long, value_name = "TIME", value_parser = values::span)]
    pub settle: Option<Duration>,

    /// Try a job again, up to N times, that failed because the disk was full, a file system or the memory failed
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub retry: u32,

    /// Try again what has failed before and has not changed since
    #[arg(long)]
    pub retry_failed: bool,
}

/// A job file, and how it is done.
#[derive(Debug, Args)]
pub struct JobFileArgs {
    /// The jobs, as TOML (docs/unattended.md)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// A setting of all its jobs, over their own; can be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,

    /// Print what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Stay, and take what comes into the folders, until ctrl-c or SIGTERM
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
    pub stylizer: StylizerArg,
}

impl FolderArgs {
    /// With the names of the presets that there are.
    ///
    /// # Errors
    /// When one of the globs is none.
    pub fn folders(&self, presets: Vec<String>) -> Result<Folders, PlanError> {
        Ok(Folders {
            recursive: self.recursive,
            include: Globs::parse("--include", &self.include)?,
            exclude: Globs::parse("--exclude", &self.exclude)?,
            always: self.watch,
            each: self.each,
            presets,
            passed: Passed::default(),
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
