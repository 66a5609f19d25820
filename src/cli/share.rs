//! Options that divide one job among several processes.

use std::path::PathBuf;

use clap::Args;

use crate::job::{Share, Shots};

#[derive(Debug, Clone, Default, Args)]
pub struct ShareArgs {
    /// Paint only shots I to before J, counted from 0, and keep their parts in a work folder for --join (docs/resume.md)
    #[arg(long, value_name = "I..J", conflicts_with_all = ["watch", "plan"], help_heading = "Unattended")]
    pub shots: Option<Shots>,

    /// Paint nothing: make the output of the parts in this work folder of --shots; can be given several times
    #[arg(long, value_name = "DIR", conflicts_with_all = ["shots", "watch", "plan"], help_heading = "Unattended")]
    pub join: Vec<PathBuf>,
}

impl ShareArgs {
    /// The share of the job that this run does.
    pub fn share(&self) -> Share {
        match self.shots {
            Some(shots) => Share::Shots(shots),
            None if self.join.is_empty() => Share::Whole,
            None => Share::Join(self.join.clone()),
        }
    }
}
