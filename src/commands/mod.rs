//! The subcommands, and the options that print information instead of painting.

pub mod doctor;
pub mod dry_run;
pub mod info;
pub mod job_specs;
pub mod layers;
pub mod measure;
pub mod plan;
pub mod presets;
pub mod shots;
pub mod verify;
pub mod weights;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;

use crate::report::{Event, Observer, Verbosity, sanitised_lines};

/// Writes to stdout with control characters escaped. A reader that stops early (`| head -1`) is not an error.
///
/// # Errors
/// If writing fails for another reason.
pub fn print(text: impl AsRef<[u8]>) -> io::Result<()> {
    let text = String::from_utf8_lossy(text.as_ref());
    let mut out = io::stdout().lock();
    match out.write_all(sanitised_lines(&text).as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Reports the files in folders that are neither videos nor pictures: their number or, with `-v`, their names.
pub fn report_skipped(files: &BTreeSet<PathBuf>, verbosity: Verbosity, observer: &dyn Observer) {
    if files.is_empty() {
        return;
    }
    if verbosity.0 > 0 {
        for file in files {
            observer.event(&Event::Note { message: format!("{}: skipped, no video and no picture", file.display()) });
        }
        return;
    }
    let files = if files.len() == 1 { "1 file".to_owned() } else { format!("{} files", files.len()) };
    let message =
        format!("{files} skipped: neither a video nor a picture (-v lists them; a file that you name is opened)");
    observer.event(&Event::Note { message });
}
