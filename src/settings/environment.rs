//! The process's surroundings: environment, config folder, working folder. Read once and passed to everything else.

use std::path::PathBuf;

/// Prefix of this program's own environment variables.
pub const ENV_PREFIX: &str = "STYLIZE_VIDEO_";

/// The surroundings in which settings are resolved.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The `STYLIZE_VIDEO_*` variables of the environment, names unabridged.
    pub env: Vec<(String, String)>,
    /// The folder that holds `config.toml` and `presets/`, whether or not it exists.
    pub config_dir: Option<PathBuf>,
    /// The folder that relative paths of the command line and the environment refer to.
    pub cwd: PathBuf,
}

impl Environment {
    /// Reads the surroundings of this process.
    pub fn of_process() -> Self {
        let env = std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .filter(|(name, _)| name.starts_with(ENV_PREFIX))
            .collect();
        let config_dir = directories::ProjectDirs::from("", "", "stylize-video").map(|dirs| dirs.config_dir().into());
        // A deleted working folder is not an error: absolute paths still work.
        let cwd = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        Self { env, config_dir, cwd }
    }
}
