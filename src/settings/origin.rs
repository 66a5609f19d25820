//! Where a value was written, so that an error can point at it.

use std::fmt;

/// The place a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A line of a TOML file, counted from 1. `name` is the path as the user wrote it.
    File { name: String, line: usize },
    /// An environment variable.
    Variable(String),
    /// An option of the command line, `--size`.
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

/// One setting of one layer: a leaf of the schema, its value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Dotted, `loss.beta`.
    pub key: String,
    pub value: toml::Value,
    pub origin: Origin,
}
