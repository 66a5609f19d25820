//! Reads the finished file back: only a file that is whole and keeps what its source has is published.

use std::path::Path;

use super::EncodeError;
use super::mux::Muxed;
use super::streams::Fate;
use super::timeline::Pictures;
use crate::media::{Source, ffi};
use crate::verify::{self, Allowed, Contents, Cut, Depth, Making, Weight};

/// What is known about how the pictures were made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Each packet of the source's video became one of these pictures, unfiltered.
    pub every_frame: bool,
    /// The encoder could follow the source's format and colours, and no setting asked for others.
    pub same_look: bool,
}

/// Reads the result, whose pictures are in slot `painted`, and then the source, each once and without decoding.
///
/// The pictures of the result must be those that were written, each at its time to the tick. [`verify::findings`]
/// compares everything else with the source, and, if `known` allows it, the times of the pictures. Lost or changed
/// packets and streams, and times that do not agree, are an error. Differences in metadata (tags, dispositions,
/// chapters, colour properties) give a warning, one line each: they are no reason to lose hours of painting.
///
/// Not compared are: a source that FFmpeg opens only with a given format or options (raw video, which has only
/// pictures); streams that are left out, or that the muxer makes itself; the packets of text that could not be
/// converted whole, and of converted sound. If the muxer refused damaged packets, it is unknown of which stream, and
/// all differences are warnings.
pub(super) fn check(
    path: &Path,
    pictures: &Pictures,
    painted: usize,
    muxed: &Muxed,
    known: Known,
) -> Result<Vec<String>, EncodeError> {
    let differs = |what: String| EncodeError::Verify { path: path.into(), what };
    let video = muxed.streams.get(painted).and_then(|stream| stream.0);
    let result =
        Contents::read_on(path, video, Depth::AllButVideo, true).map_err(|error| differs(error.to_string()))?;
    check_times(&result, pictures, muxed).map_err(differs)?;
    let told = |source: &&Source| source.format.is_empty() && source.options.is_empty();
    let Some(source) = pictures.info.source.as_ref().filter(told) else { return Ok(Vec::new()) };
    let Ok(original) = Contents::read_on(&source.path, Some(source.stream), Depth::AllButVideo, source.keep_clock)
    else {
        return Ok(Vec::new());
    };
    // Converted sound may begin a little before the pictures, which delays the whole file.
    let converted =
        |(_, fate): &(usize, Fate)| matches!(fate, Fate::Converted { codec, .. } if !ffi::is_text_subtitle(*codec));
    let has_sound = muxed.fates.iter().any(converted);
    let making = Making {
        allowed: allowed(muxed),
        cut: Cut { base: pictures.info.base, from: muxed.from, to: muxed.to, offset: muxed.offset },
        shift: muxed.shift.seconds(),
        frames: known.every_frame.then_some(pictures.pts),
        same_look: known.every_frame && known.same_look && !has_sound,
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

/// Compares the number and times of the pictures in the result with those that were written.
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
        reencoded: chosen(&|fate| match fate {
            Fate::Converted { codec, .. } => muxed.has_notes || !ffi::is_text_subtitle(*codec),
            _ => false,
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::PathBuf;
    use std::process::Command;

    use super::super::codec::CONTAINERS;
    use super::super::mux;
    use super::super::streams::Plan;
    use super::*;
    use crate::media::{ColorInfo, MediaInfo, Range, Ratio, Samples, TimeBase};
    use crate::settings::OutputSettings;

    const VIDEO: &str = "-f lavfi -i testsrc2=s=64x48:r=25:d=2 -c:v libx264 -preset veryfast";

    /// A result made from a source of 50 frames, 512 ticks each, with sound.
    struct Made {
        folder: tempfile::TempDir,
        result: PathBuf,
        info: MediaInfo,
        pts: Vec<i64>,
        muxed: Muxed,
    }

    impl Made {
        fn new(range: Range, pts: Vec<i64>) -> Self {
            crate::media::init();
            let folder = tempfile::tempdir().unwrap();
            let more = "-bf 2 -video_track_timescale 12800 -map 1 -map 0 -c:a aac -metadata title=Blumen";
            let source = ffmpeg(&folder, "in.mp4", &format!("-f lavfi -i sine=d=2 {VIDEO} {more}"));
            let painted = ffmpeg(&folder, "painted", &format!("{VIDEO} -bf 0 -frames:v {} -f mp4", pts.len()));
            let info = MediaInfo {
                width: 64,
                height: 48,
                frames: None,
                base: TimeBase::new(1, 12800),
                rate: Some(Ratio::new(25, 1)),
                sample_aspect: None,
                color: ColorInfo::BT709,
                samples: Samples::RGB8,
                codec: "h264",
                first: 0,
                source: Some(Source {
                    path: source.clone(),
                    format: String::new(),
                    options: Vec::new(),
                    stream: 0,
                    keep_clock: false,
                    lost: None,
                    range,
                }),
            };
            let container = *CONTAINERS.iter().find(|container| container.extension == "mp4").unwrap();
            let result = folder.path().join("out.mp4");
            let strict = OutputSettings { strict_streams: true, ..OutputSettings::default() };
            let mut input = crate::media::ffi::open_input(&source).unwrap();
            let plan = Plan::new(&mut input, &info, &result, container, folder.path(), &strict).unwrap();
            let pictures = Pictures { file: &painted, exact: false, pts: &pts, last_duration: 512, info: &info };
            let muxed = mux::join(&result, container, &pictures, &plan, None).unwrap();
            Self { result, info, pts, muxed, folder }
        }

        fn whole() -> Self {
            Self::new(Range::default(), (0..50).map(|frame| frame * 512).collect())
        }

        fn check(&self, result: &Path) -> Result<Vec<String>, String> {
            let pictures =
                Pictures { file: result, exact: false, pts: &self.pts, last_duration: 512, info: &self.info };
            let known = Known { every_frame: true, same_look: false };
            check(result, &pictures, 0, &self.muxed, known).map_err(|error| error.to_string())
        }

        /// Returns a copy of the result that FFmpeg has changed with `arguments`.
        fn changed(&self, arguments: &str) -> PathBuf {
            let arguments = format!("-i {} -map 0 -c copy {arguments}", self.result.display());
            ffmpeg(&self.folder, "changed.mp4", &arguments)
        }
    }

    fn ffmpeg(folder: &tempfile::TempDir, name: &str, arguments: &str) -> PathBuf {
        let path = folder.path().join(name);
        let mut command = Command::new("ffmpeg");
        command.args(["-nostdin", "-y", "-v", "error"]).args(arguments.split_whitespace()).arg(&path);
        assert!(command.status().unwrap().success());
        path
    }

    #[test]
    fn a_result_that_lacks_something_is_refused() {
        let made = Made::whole();
        assert_eq!(made.check(&made.result), Ok(Vec::new()));
        assert_eq!(made.check(&made.changed("")), Ok(Vec::new()));
        for (arguments, expected) in [
            ("-bsf:a noise=drop='eq(n,40)'", "stream 1 (audio, aac): the number of packets is"),
            ("-bsf:a noise=amount='if(eq(n,12),20,0)'", "its content is"),
            ("-bsf:a setts=ts=TS+4410", "its time is"),
            ("-map -0:a", "audio streams: their number is 1 (aac) in the first file, 0 in the second"),
            ("-bsf:v noise=drop='eq(n,49)'", "49 frames of 50"),
            ("-bsf:v setts=pts='PTS+256*eq(PTS,5120)'", "frame 10 is shown at 0.42 s instead of 0.4 s"),
        ] {
            let refused = made.check(&made.changed(arguments)).unwrap_err();
            assert!(refused.starts_with("changed.mp4: the finished file is not what was written ("), "{refused}");
            assert!(refused.contains(expected), "{arguments}: {refused}");
        }
    }

    #[test]
    fn words_that_are_lost_are_told() {
        let made = Made::whole();
        let told = made.check(&made.changed("-metadata title=")).unwrap();
        let line = "the result differs from the source: file: the tag `title` is `Blumen` in the first file, none in \
                    the second";
        assert_eq!(told, [line]);
    }

    #[test]
    fn frames_that_were_not_read_are_missed() {
        // Painted and written as they came, but the source has more frames, or has them at other times.
        let lost = Made::new(Range::default(), (0..49).map(|frame| frame * 512).collect());
        let refused = lost.check(&lost.result).unwrap_err();
        assert!(refused.contains("stream 0 (video): the number of frames is 50 in the first file, 49 in"), "{refused}");
        let late = |frame: i64| frame * 512 + if frame == 30 { 128 } else { 0 };
        let moved = Made::new(Range::default(), (0..50).map(late).collect());
        let refused = moved.check(&moved.result).unwrap_err();
        assert!(
            refused.contains("frame 31 of the source: its time is 1.2 s in the first file, 1.21 s in"),
            "{refused}"
        );
        // For a part of the source, the frames outside it are not missed.
        let range = Range { start: 0.4, frames: Some(20) };
        let part = Made::new(range, (10..30).map(|frame| frame * 512).collect());
        assert_eq!(part.check(&part.result), Ok(Vec::new()));
        let short = Made::new(range, (10..31).filter(|frame| *frame != 20).map(|frame| frame * 512).collect());
        let refused = short.check(&short.result).unwrap_err();
        assert!(refused.contains("frame 21 of the source: its time is 0.8 s in the first file, 0.84 s"), "{refused}");
    }
}
