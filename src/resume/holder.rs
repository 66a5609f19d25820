//! The process that holds a work folder, as its lock file and messages say it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The process that holds a work folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    pub host: String,
    /// Start time in UTC, in the format of RFC 3339.
    pub since: String,
}

impl Holder {
    /// Returns this process.
    pub(super) fn me() -> Self {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let since = jiff::Timestamp::now().round(jiff::Unit::Second);
        Self { pid: std::process::id(), host, since: since.map(|now| now.to_string()).unwrap_or_default() }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text comes from a file, so it may contain anything.
        let plain = |text: &str| text.chars().filter(|c| !c.is_control()).take(100).collect::<String>();
        write!(f, "process {} on {}, since {}", self.pid, plain(&self.host), plain(&self.since))
    }
}
