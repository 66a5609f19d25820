//! Options that say how jobs are done and change nothing of what comes out.

use clap::Args;

use crate::batch::Habits;
use crate::identity::Fingerprint;

#[derive(Debug, Clone, Copy, Default, Args)]
pub struct HabitArgs {
    /// Begin anew, whatever an interrupted run has painted
    #[arg(long)]
    pub no_resume: bool,

    /// Leave the work folder (`.NAME.stylize`) beside the output
    #[arg(long)]
    pub keep_work: bool,
}

impl HabitArgs {
    pub fn habits(self) -> Habits {
        Habits { resume: !self.no_resume, keep_work: self.keep_work, fingerprint: Fingerprint::Sampled }
    }
}
