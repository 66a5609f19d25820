//! `info`: how a file was made.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, bail};

use super::print;
use crate::provenance::{self, Stamp};

/// Prints the stamp of a file or of a folder of pictures, as text or as JSON.
///
/// # Errors
/// When there is no such file, or it has none.
pub fn info(path: &Path, json: bool) -> anyhow::Result<()> {
    std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    let Some(stamp) = provenance::read(path) else {
        bail!(
            "{} does not say how it was made: it is not of stylize-video, or of another version of it, or another program \
             has written it since",
            path.display()
        );
    };
    let text = if json { serde_json::to_string_pretty(&stamp)? + "\n" } else { plain(&describe(&stamp)?) };
    Ok(print(text)?)
}

fn describe(stamp: &Stamp) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(text, "made by    stylize-video {}", line(&stamp.program))?;
    let hash = if stamp.preset.hash.is_empty() { String::new() } else { format!(" ({})", stamp.preset.hash) };
    writeln!(text, "preset     {}{}", line(&stamp.preset.name), line(&hash))?;
    for style in &stamp.styles {
        writeln!(text, "style      {} ({})", line(&style.image), line(&style.sha256))?;
    }
    match &stamp.painted {
        Some(painted) => writeln!(text, "network    {}", line(&painted.to_string()))?,
        None => writeln!(text, "network    none: nothing was painted")?,
    }
    writeln!(text, "seed       {}", stamp.seed)?;
    writeln!(text, "job        {}", stamp.job.as_deref().unwrap_or("none: its input was a stream"))?;
    writeln!(text, "\n{}", stamp.settings.trim_end())?;
    Ok(text)
}

/// What cannot begin a line of its own.
fn line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// Without what a terminal would obey: the file may be anybody's.
fn plain(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}
