//! `stylize-video verify`: checks whether one file keeps everything that another has.

use std::path::Path;

use super::print;
use crate::report::sanitised;
use crate::verify::{Allowed, Contents, Depth, compare};

/// Compares `b` with its source `a` and prints the result: what was compared, or the first difference. With `json`, it
/// prints one object with `same`, `a`, `b` and either `compared` or `difference`. Returns whether `b` keeps all of `a`.
///
/// # Errors
/// If one of the files cannot be read, or stdout cannot be written to.
pub fn verify(a: &Path, b: &Path, allowed: &Allowed, json: bool) -> anyhow::Result<bool> {
    let mut source = Contents::read(a, Depth::Decoded)?;
    let result = Contents::read(b, Depth::Decoded)?;
    // A clock that begins far from 0 may have been kept, or moved to begin at 0.
    if source.begins_far() && !result.begins_far() {
        source = Contents::read_moved_to_zero(a, Depth::Decoded)?;
    }
    let found = compare(&source, &result, allowed);
    let line = match (&found, json) {
        (Ok(summary), true) => {
            serde_json::json!({ "same": true, "a": a.to_string_lossy(), "b": b.to_string_lossy(), "compared": summary })
                .to_string()
        }
        (Err(difference), true) => {
            let (a, b) = (a.to_string_lossy(), b.to_string_lossy());
            serde_json::json!({ "same": false, "a": a, "b": b, "difference": difference }).to_string()
        }
        (Ok(summary), false) => format!("{}: keeps all of {}: {summary}", b.display(), a.display()),
        (Err(difference), false) => format!("{}: does not keep all of {}: {difference}", b.display(), a.display()),
    };
    print(format!("{}\n", sanitised(&line)))?;
    Ok(found.is_ok())
}
