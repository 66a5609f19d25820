//! Errors of resolving settings: each says where, what, and what was probably meant.

use std::path::PathBuf;

use super::Origin;

/// An error in a preset, the user's config, the environment or the options.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },

    /// Not valid TOML.
    #[error("{at}: {message}")]
    Syntax { at: Origin, message: String },

    #[error("{at}: unknown key {key}{}", meant(nearest.as_deref()))]
    UnknownKey { at: Origin, key: String, nearest: Option<String> },

    #[error("{name}: no setting has this name{}", meant(nearest.as_deref()))]
    UnknownVariable { name: String, nearest: Option<String> },

    /// A value of the wrong type or out of range.
    #[error("{at}: {key}: {message}")]
    Value { at: Origin, key: String, message: String },

    /// A setting that a preset file or a record may not make.
    #[error(
        "{at}: {key}: only you can set this: {message}; give it on the command line (or, beside a preset, in your config.toml)"
    )]
    Confined { at: Origin, key: String, message: String },

    #[error("--set {text}: write KEY=VALUE, as in --set loss.beta=200")]
    Assignment { text: String },

    #[error("{key} is set twice: by {first} and by {second}")]
    Twice { key: String, first: Origin, second: Origin },

    #[error(transparent)]
    UnknownPreset(Box<UnknownPreset>),

    #[error("{at}: presets extend each other in a circle: {}", chain.join(" -> "))]
    Circle { at: Origin, chain: Vec<String> },

    #[error("{at}: presets extend each other more than {limit} deep")]
    TooDeep { at: Origin, limit: usize },

    #[error("{}: only paths in UTF-8 can stand in settings", path.display())]
    NotUtf8 { path: PathBuf },

    #[error("no style picture: give --preset NAME or --style PICTURE")]
    NoStyle,
}

/// A preset name that is not known.
#[derive(Debug, thiserror::Error)]
#[error(
    "{}unknown preset `{name}`{}; known presets: {}; searched {}",
    at.as_ref().map(|at| format!("{at}: ")).unwrap_or_default(),
    nearest.as_ref().map(|name| format!(" (did you mean {name}?)")).unwrap_or_default(),
    names.join(", "),
    searched(folder.as_deref()),
)]
pub struct UnknownPreset {
    /// Where the name was written; `None` for the command line and the default.
    pub at: Option<Origin>,
    pub name: String,
    pub nearest: Option<String>,
    /// Every available name.
    pub names: Vec<String>,
    /// The user's folder of presets.
    pub folder: Option<PathBuf>,
}

impl SettingsError {
    /// Returns 2: every error of this kind is a usage error.
    pub fn exit_code(&self) -> u8 {
        2
    }
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(": did you mean {name}?")).unwrap_or_default()
}

fn searched(folder: Option<&std::path::Path>) -> String {
    match folder {
        Some(folder) => format!("{} and the built-in presets", folder.display()),
        None => "the built-in presets".into(),
    }
}
