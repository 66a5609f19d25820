//! Options for machines that look after a run.

use std::path::PathBuf;

use clap::Args;

use crate::report::telemetry::{Command, Places};

#[derive(Debug, Clone, Default, Args)]
pub struct TelemetryArgs {
    /// Keep a JSON file of what has become of the jobs, replaced whole after each
    #[arg(long, value_name = "FILE.json", help_heading = "Unattended")]
    pub summary: Option<PathBuf>,

    /// Keep a file of metrics for Prometheus's textfile collector, replaced whole after each job
    #[arg(long, value_name = "FILE.prom", help_heading = "Unattended")]
    pub metrics: Option<PathBuf>,

    /// Run this command at the end of each job; STYLIZE_VIDEO_OUTCOME, _INPUT, _OUTPUT, _FRAMES, _SECONDS, _ERROR tell it
    #[arg(long, value_name = "CMD", value_parser = Command::parse, help_heading = "Unattended")]
    pub notify: Option<Command>,
}

impl TelemetryArgs {
    pub fn places(&self) -> Places {
        Places { summary: self.summary.clone(), metrics: self.metrics.clone(), notify: self.notify.clone() }
    }
}
