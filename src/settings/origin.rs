//! Where a value was written, so that errors can point at it.

use std::fmt;

/// The place where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A line of a TOML file, counted from 1. `name` is the path as the user wrote it.
    File { name: String, line: usize },
    /// An environment variable.
    Variable(String),
    /// A command-line option, `--size`.
    Option(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { name, line } => write!(f, "{name}:{line}"),
            Self::Variable(name) | Self::Option(name) => f.write_str(name),
        }
    }
}

/// One setting of one layer: its key, value and place.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Dotted key, `loss.beta`.
    pub key: String,
    pub value: toml::Value,
    pub origin: Origin,
}
