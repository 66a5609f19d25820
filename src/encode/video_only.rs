//! Reports the streams that are left out of outputs that hold pictures only.

use std::path::Path;

use super::EncodeError;
use super::streams::{describe_stream, list};
use crate::media::{MediaInfo, ffi};

/// Returns a line that lists the source's other streams, which are left out; `format` names the kind of output.
///
/// # Errors
/// With `strict`, if there is anything to leave out. If the source cannot be opened again.
pub(super) fn left_out(
    path: &Path,
    format: &'static str,
    info: &MediaInfo,
    strict: bool,
) -> Result<Option<String>, EncodeError> {
    let Some(source) = &info.source else { return Ok(None) };
    let input = ffi::open_source(source);
    let input = input.map_err(|error| EncodeError::libav(&source.path, "opening it again", error))?;
    let others: Vec<String> = input
        .streams()
        .filter(|stream| stream.index() != source.stream)
        .map(|stream| describe_stream(&stream))
        .collect();
    match others.len() {
        0 => Ok(None),
        _ if strict => Err(EncodeError::PicturesOnly { path: path.into(), format, others: list(&others, "and") }),
        count => {
            let verb = if count == 1 { "is" } else { "are" };
            Ok(Some(format!("{} {verb} left out: {format} holds pictures only", list(&others, "and"))))
        }
    }
}
