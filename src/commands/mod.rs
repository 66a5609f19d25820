//! The subcommands, and what the options print instead of working.

pub mod doctor;
pub mod estimate;
pub mod info;
pub mod layers;
pub mod measure;
pub mod plan;
pub mod presets;
pub mod shots;
pub mod verify;
pub mod weights;

use std::io::{self, Write};

use crate::report::plain_lines;

/// Writes to stdout, control characters spelled out. A reader that has seen enough (`| head -1`) is no error.
///
/// # Errors
/// When writing fails for another reason.
pub fn print(text: impl AsRef<[u8]>) -> io::Result<()> {
    let text = String::from_utf8_lossy(text.as_ref());
    let mut out = io::stdout().lock();
    match out.write_all(plain_lines(&text).as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}
