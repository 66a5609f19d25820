//! Runs the program in a temporary folder.

use std::process::{Child, Command, Output, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use crate::common::{Desk, send};

/// Options for the smallest possible amount of painting.
pub const PAINTED: &[&str] =
    &["--backbone", "patches", "--size", "64", "--iterations", "2,1", "--checkpoint", "5", "--device", "cpu"];
/// Options for a run without painting.
pub const KEPT: &[&str] = &["--stylizer", "identity"];
pub const CLIP: &str = "-f lavfi -i testsrc2=s=96x72:r=25:d=0.4";

pub fn command(desk: &Desk, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stylize-video"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("STYLIZE_VIDEO_")) {
        command.env_remove(name);
    }
    // One thread only: several threads that wait for each other on a busy machine take a hundred times as long.
    command.env("OMP_NUM_THREADS", "1").env("XDG_CONFIG_HOME", desk.path("config"));
    command.current_dir(desk.path("")).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The outcome of a run.
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub text: String,
}

impl Run {
    pub fn of(output: Output) -> Self {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!text.contains("panicked"), "{text}");
        Self { code: output.status.code(), stdout: String::from_utf8_lossy(&output.stdout).into_owned(), text }
    }

    /// Returns the JSON objects on stderr.
    pub fn events(&self) -> Vec<Value> {
        self.text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
    }

    pub fn names(&self) -> Vec<String> {
        self.events().iter().filter_map(|event| Some(event["event"].as_str()?.to_owned())).collect()
    }
}

pub fn run(desk: &Desk, arguments: &[&[&str]]) -> Run {
    Run::of(command(desk, &arguments.concat()).output().unwrap())
}

pub fn terminate(child: &Child) {
    // The run may have ended already.
    let _ = send(child, Signal::TERM);
}
