//! Options that say how jobs are done and change nothing of what comes out.

use clap::{Args, ValueEnum};

use crate::batch::RunOptions;
use crate::identity::Fingerprint;

#[derive(Debug, Clone, Copy, Default, Args)]
pub struct RunOptionArgs {
    /// Start over, even if an interrupted run has left finished parts
    #[arg(long)]
    pub no_resume: bool,

    /// Keep the work folder (`.NAME.stylize`) beside the output
    #[arg(long)]
    pub keep_work: bool,

    /// What identifies the input: its length and samples of its bytes, or every byte
    #[arg(long, value_name = "HOW", default_value = "sampled")]
    pub fingerprint: FingerprintArg,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum FingerprintArg {
    #[default]
    Sampled,
    Full,
}

impl RunOptionArgs {
    pub fn options(self) -> RunOptions {
        let fingerprint = match self.fingerprint {
            FingerprintArg::Sampled => Fingerprint::Sampled,
            FingerprintArg::Full => Fingerprint::Full,
        };
        RunOptions { resume: !self.no_resume, keep_work: self.keep_work, fingerprint, ..RunOptions::default() }
    }
}
