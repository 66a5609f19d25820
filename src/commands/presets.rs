//! `presets list|show|check`.

use std::path::PathBuf;

use serde::Serialize;

use super::print;
use crate::settings::{Library, Settings};

/// Prints a table of all presets.
///
/// # Errors
/// If stdout cannot be written to.
pub fn list(library: &Library) -> anyhow::Result<()> {
    let rows: Vec<[String; 3]> = library
        .list()
        .into_iter()
        .map(|(name, preset)| match preset {
            Ok(preset) => {
                let from = preset.path.map_or_else(|| "built in".into(), |path| path.display().to_string());
                [name, preset.description, from]
            }
            Err(error) => [name, "(broken)".into(), format!("{error}")],
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (name_width, description_width) = (width(0), width(1));
    let line = |[name, description, from]: &[String; 3]| {
        format!("{name:name_width$}  {description:description_width$}  {from}\n")
    };
    Ok(print(rows.iter().map(line).collect::<String>())?)
}

/// Prints a preset's settings, with the defaults filled in, as a preset file.
///
/// # Errors
/// If the preset does not exist or is invalid.
pub fn show(library: &Library, name: &str) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct Shown<'a> {
        #[serde(skip_serializing_if = "str::is_empty")]
        description: &'a str,
        #[serde(flatten)]
        settings: &'a Settings,
    }
    let preset = library.load(name)?;
    let settings = preset.settings()?;
    let text = toml::to_string(&Shown { description: &preset.description, settings: &settings })?;
    Ok(print(text)?)
}

/// Checks preset files and returns whether all are valid.
///
/// # Errors
/// If stdout cannot be written to. The errors of a file go to `complain`, with the file's name in them.
pub fn check(library: &Library, files: &[PathBuf], mut complain: impl FnMut(anyhow::Error)) -> anyhow::Result<bool> {
    let mut good = true;
    for file in files {
        match library.load_file(file).and_then(|preset| preset.settings()) {
            Ok(_) => print(format!("{}: ok\n", file.display()))?,
            Err(error) => {
                good = false;
                complain(error.into());
            }
        }
    }
    Ok(good)
}
