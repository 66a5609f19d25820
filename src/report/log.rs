//! Writes log records (`tracing`) to stderr without disturbing the progress bar.

use std::io::{self, Write};

use anyhow::Context;
use indicatif::MultiProgress;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::{LogFormat, Style, Verbosity};

/// Sets up logging for the whole process. `filter` (from `STYLIZE_VIDEO_LOG`) overrides `-v` and `-q`.
///
/// # Errors
/// If `filter` is invalid, or logging is already set up.
pub fn init(style: &Style, filter: Option<&str>) -> anyhow::Result<()> {
    let filter = match filter {
        Some(text) => EnvFilter::try_new(text).with_context(|| format!("STYLIZE_VIDEO_LOG={text}"))?,
        None => EnvFilter::try_new(level(style.verbosity))?,
    };
    let writer = AroundBar(style.screen.clone());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    let done = match style.format {
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init(),
        LogFormat::Text => builder.without_time().with_target(false).with_ansi(style.terminal).compact().try_init(),
    };
    done.map_err(|error| anyhow::anyhow!("logging: {error}"))
}

/// Returns the log filter for a verbosity. With `-v`, other crates log one level less than this one.
fn level(verbosity: Verbosity) -> &'static str {
    match verbosity.0 {
        ..=-2 => "error",
        -1 | 0 => "warn",
        1 => "warn,stylize_video=info",
        2 => "info,stylize_video=debug",
        3.. => "debug,stylize_video=trace",
    }
}

/// Hides the bar while a record is written.
#[derive(Debug, Clone)]
struct AroundBar(MultiProgress);

impl Write for AroundBar {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Written in one go: tracing passes one record per call.
        self.0.suspend(|| io::stderr().write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl<'a> MakeWriter<'a> for AroundBar {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
