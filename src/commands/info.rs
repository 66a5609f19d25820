//! `info`: prints how a file was made.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, bail};

use super::print;
use crate::provenance::{self, Stamp};
use crate::report::{sanitised, sanitised_lines};

/// Prints the provenance record of a file or of a folder of pictures, as text or as JSON.
///
/// # Errors
/// If the file does not exist, or has no record.
pub fn info(path: &Path, json: bool) -> anyhow::Result<()> {
    std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    let Some(stamp) = provenance::read(path) else {
        bail!(
            "{} does not say how it was made: it was not made by this version of stylize-video, or another program \
             rewrote it",
            path.display()
        );
    };
    let text = if json {
        serde_json::to_string_pretty(&stamp)? + "\n"
    } else {
        sanitised_lines(&describe(&stamp)?).into_owned()
    };
    Ok(print(text)?)
}

fn describe(stamp: &Stamp) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(text, "made by    stylize-video {}", sanitised(&stamp.program))?;
    let hash = if stamp.preset.hash.is_empty() { String::new() } else { format!(" ({})", stamp.preset.hash) };
    writeln!(text, "preset     {}{}", sanitised(&stamp.preset.name), sanitised(&hash))?;
    for style in &stamp.styles {
        writeln!(text, "style      {} ({})", sanitised(&style.image), sanitised(&style.sha256))?;
    }
    match &stamp.painted {
        Some(painted) => writeln!(text, "network    {}", sanitised(&painted.to_string()))?,
        None => writeln!(text, "network    none: nothing was painted")?,
    }
    writeln!(text, "seed       {}", stamp.seed)?;
    writeln!(text, "job        {}", stamp.job.as_deref().unwrap_or("none: its input was a stream"))?;
    writeln!(text, "\n{}", stamp.settings.trim_end())?;
    Ok(text)
}
