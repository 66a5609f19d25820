//! Options for unattended runs: --plan, schedule, telemetry.

use clap::Args;

pub use super::schedule::ScheduleArgs;
pub use super::telemetry::TelemetryArgs;

#[derive(Debug, Clone, Default, Args)]
pub struct UnattendedArgs {
    /// Estimate what the jobs would take (time, memory, disk) from a sample of each, and write nothing
    #[arg(long, conflicts_with = "dry_run", help_heading = "Unattended")]
    pub plan: bool,

    #[command(flatten)]
    pub schedule: ScheduleArgs,

    #[command(flatten)]
    pub telemetry: TelemetryArgs,
}
