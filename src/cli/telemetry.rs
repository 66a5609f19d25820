//! Options for machines that look after a run.

use std::path::PathBuf;

use clap::Args;

use crate::report::telemetry::{Command, Places};

#[derive(Debug, Clone, Default, Args)]
pub struct TelemetryArgs {
    /// Write the outcome of all jobs to this JSON file, replaced as a whole after each job
    #[arg(long, value_name = "FILE.json", help_heading = "Unattended")]
    pub summary: Option<PathBuf>,

    /// Write metrics for Prometheus's textfile collector to this file, replaced as a whole after each job
    #[arg(long, value_name = "FILE.prom", help_heading = "Unattended")]
    pub metrics: Option<PathBuf>,

    /// Run this command after each job, with STYLIZE_VIDEO_OUTCOME, _INPUT, _OUTPUT, _FRAMES, _SECONDS and _ERROR set
    #[arg(long, value_name = "CMD", value_parser = Command::parse, help_heading = "Unattended")]
    pub notify: Option<Command>,
}

impl TelemetryArgs {
    pub fn places(&self) -> Places {
        Places { summary: self.summary.clone(), metrics: self.metrics.clone(), notify: self.notify.clone() }
    }
}
