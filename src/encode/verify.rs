//! Reads the finished file again: what is published was seen to be whole, and to keep what its source has.

use std::path::Path;

use super::EncodeError;
use super::mux::{Muxed, Pictures};
use super::streams::Fate;
use crate::verify::{self, Allowed, Contents, Cut, Depth, Making, Weight};

/// What is known of how the pictures were made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Each packet of the source's video became a picture, and these are its pictures, unfiltered.
    pub every_frame: bool,
    /// The encoder was left to follow the source, and could.
    pub same_look: bool,
}

/// Reads the result, whose pictures are in slot `painted`, and then the source, each once and without decoding.
///
/// The pictures of the result must be those that were written, each at its time to the tick. All else is compared with
/// the source by [`verify::findings`]; so are, where `known` allows it, the times of the pictures that were read. Lost
/// or changed packets and streams, and times that do not agree, are an error. What is only said about them (tags,
/// dispositions, chapters, looks) gives a warning, one line each: it is no reason to lose hours of painting.
///
/// Not compared are: a source that cannot be opened again as it is (raw video, which has nothing but pictures); streams
/// that are left out, or made anew by the muxer; the packets of text of which some could not be converted. Where the
/// muxer refused damaged packets, it is unknown of which stream, and all differences are warnings.
pub(super) fn check(
    path: &Path,
    pictures: &Pictures,
    painted: usize,
    muxed: &Muxed,
    known: Known,
) -> Result<Vec<String>, EncodeError> {
    let differs = |what: String| EncodeError::Verify { path: path.into(), what };
    let video = muxed.streams.get(painted).and_then(|stream| stream.0);
    let result = Contents::read_video(path, video, Depth::Beside).map_err(|error| differs(error.to_string()))?;
    check_times(&result, pictures, muxed).map_err(differs)?;
    let Some(source) = &pictures.info.source else { return Ok(Vec::new()) };
    let Ok(original) = Contents::read_video(&source.path, Some(source.stream), Depth::Beside) else {
        return Ok(Vec::new());
    };
    let making = Making {
        allowed: allowed(muxed),
        cut: Cut { base: pictures.info.base, from: muxed.from, to: muxed.to, offset: muxed.offset },
        shift: muxed.shift.seconds(),
        frames: known.every_frame.then_some(pictures.pts),
        same_look: known.every_frame && known.same_look,
    };
    let mut warnings = Vec::new();
    for finding in verify::findings(original, &result, &making) {
        if finding.weight == Weight::Content && muxed.refused == 0 {
            return Err(differs(finding.difference.to_string()));
        }
        warnings.push(format!("the result differs from the source: {}", finding.difference));
    }
    Ok(warnings)
}

/// The pictures that are seen, against those that were written.
fn check_times(result: &Contents, pictures: &Pictures, muxed: &Muxed) -> Result<(), String> {
    let (base, found) = result.times().ok_or("pictures do not say when they are shown")?;
    if found.len() != pictures.pts.len() {
        return Err(format!("{} frames of {}", found.len(), pictures.pts.len()));
    }
    let delay = muxed.shift.ticks(base);
    for (index, (&pts, &found)) in pictures.pts.iter().zip(found).enumerate() {
        let expected = pictures.info.base.convert(pts + muxed.offset, base) + delay;
        if expected != found {
            let (expected, found) = (base.seconds(expected), base.seconds(found));
            return Err(format!("frame {index} is shown at {found} s instead of {expected} s"));
        }
    }
    Ok(())
}

fn allowed(muxed: &Muxed) -> Allowed {
    let chosen = |is_chosen: &dyn Fn(&Fate) -> bool| -> Vec<usize> {
        muxed.fates.iter().filter(|(_, fate)| is_chosen(fate)).map(|(source, _)| *source).collect()
    };
    Allowed {
        left_out: chosen(&|fate| matches!(fate, Fate::LeftOut(_) | Fate::Recreated)),
        reencoded: chosen(&|fate| matches!(fate, Fate::Converted { .. }) && muxed.has_notes),
    }
}
