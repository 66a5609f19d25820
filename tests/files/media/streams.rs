//! The source's audio streams and tags in the output.

use std::path::Path;

use crate::common::{ALL, Desk, Failure, audio_hashes, ffmpeg, probe, real_clip, times};
use stylize_video::encode;
use stylize_video::media::Range;

const VIDEO: &str = "-f lavfi -i testsrc2=s=64x48:r=25:d=2";

fn assert_same_audio(input: &Path, output: &Path) {
    let hashes = audio_hashes(input);
    assert!(!hashes.is_empty());
    assert_eq!(audio_hashes(output), hashes, "audio of {}", output.display());
}

/// Returns the seconds from the first picture to the first packet of the first audio stream.
fn lead(path: &Path) -> f64 {
    let audio: f64 = probe(path, "a:0", "packet=pts_time")[0].parse().unwrap();
    audio - times(path)[0]
}

#[test]
fn audio_is_copied_bit_for_bit() {
    let desk = Desk::new();
    let input = desk.clip(
        "in.mp4",
        &format!(
            "{VIDEO} -f lavfi -i sine=d=2 -f lavfi -i sine=f=880:d=2 -map 0 -map 1 -map 2 -c:v libx264 -bf 2 -c:a aac \
             -metadata:s:a:0 language=ita -metadata:s:a:1 language=fra -disposition:a:0 0 -disposition:a:1 default \
             -metadata title=Blumen"
        ),
    );
    for extension in ["mp4", "mkv", "mov"] {
        let output = desk.transcode(&input, &format!("out.{extension}"), ALL).unwrap();
        assert_same_audio(&input, &output);
        let slack = if extension == "mkv" { 0.0011 } else { 0.0001 };
        assert!((lead(&input) - lead(&output)).abs() < slack, "{extension}: {} and {}", lead(&input), lead(&output));
        assert_eq!(probe(&output, "a", "stream_tags=language"), ["ita", "fra"]);
        assert_eq!(probe(&output, "a", "stream_disposition=default"), ["0", "1"]);
        assert_eq!(probe(&output, "v", "format_tags=title"), ["Blumen"]);
    }
}

#[test]
fn opus_goes_to_webm() {
    let desk = Desk::new();
    let input = desk.clip(
        "in.webm",
        &format!("{VIDEO} -f lavfi -i sine=d=2 -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus"),
    );
    let output = desk.transcode(&input, "out.webm", ALL).unwrap();
    assert_same_audio(&input, &output);
    assert_eq!(probe(&output, "v", "stream=codec_name"), ["vp9"]);
    assert_eq!(times(&output), times(&input));
    assert!((lead(&input) - lead(&output)).abs() < 0.0011);
    // To a container that stores the audio delay differently, and back.
    let mp4 = desk.transcode(&input, "out.mp4", ALL).unwrap();
    assert!((lead(&input) - lead(&mp4)).abs() < 0.0011, "{} and {}", lead(&input), lead(&mp4));
    let again = desk.transcode(&mp4, "again.mkv", ALL).unwrap();
    assert!((lead(&mp4) - lead(&again)).abs() < 0.0011, "{} and {}", lead(&mp4), lead(&again));
}

#[test]
fn delayed_audio_stays_delayed() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", &format!("{VIDEO} -itsoffset 0.7 -f lavfi -i sine=d=1 -c:v libx264 -c:a aac"));
    for name in ["out.mp4", "out.mkv"] {
        let output = desk.transcode(&input, name, ALL).unwrap();
        assert_same_audio(&input, &output);
        assert!((lead(&input) - lead(&output)).abs() < 0.0011, "{name}: {} and {}", lead(&input), lead(&output));
    }
}

#[test]
fn a_part_takes_its_part_of_the_audio() {
    let desk = Desk::new();
    let input =
        desk.clip("in.mp4", &format!("{VIDEO} -f lavfi -i sine=d=2 -c:v libx264 -c:a aac -movflags +faststart"));
    let output = desk.transcode(&input, "out.mp4", Range { start: 1.0, frames: Some(10) }).unwrap();
    let sound: Vec<f64> = probe(&output, "a:0", "packet=pts_time").iter().map(|time| time.parse().unwrap()).collect();
    let whole: Vec<f64> = probe(&input, "a:0", "packet=pts_time").iter().map(|time| time.parse().unwrap()).collect();
    let expected: Vec<f64> = whole.iter().map(|time| time - 1.0).filter(|time| (0.0..0.4).contains(time)).collect();
    assert_eq!(sound.len(), expected.len());
    for (got, expected) in sound.iter().zip(&expected) {
        assert!((got - expected).abs() < 0.0001, "{got} and {expected}");
    }
}

#[test]
fn chapters_are_copied() {
    let desk = Desk::new();
    let list = desk.path("chapters.txt");
    let text = ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=800\ntitle=Anfang\n\
                [CHAPTER]\nTIMEBASE=1/1000\nSTART=800\nEND=2000\ntitle=Ende\n";
    std::fs::write(&list, text).unwrap();
    let input = desk.path("in.mkv");
    let arguments = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=2", "-i"].map(std::ffi::OsStr::new);
    let rest = ["-map_metadata", "1", "-c:v", "libx264"].map(std::ffi::OsStr::new);
    ffmpeg(arguments.into_iter().chain([list.as_os_str()]).chain(rest).chain([input.as_os_str()]));
    for name in ["out.mp4", "out.mkv"] {
        let output = desk.transcode(&input, name, ALL).unwrap();
        let chapters = probe(&output, "v", "chapter=start_time,end_time:chapter_tags=title");
        assert_eq!(chapters, ["0.000000,0.800000,Anfang", "0.800000,2.000000,Ende"], "{name}");
    }
}

#[test]
fn audio_a_container_cannot_hold_is_refused_before_any_work() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", &format!("{VIDEO} -f lavfi -i sine=d=2 -c:v libx264 -c:a aac"));
    let error = desk.transcode(&input, "out.webm", ALL).unwrap_err();
    assert!(matches!(error, Failure::Encode(encode::EncodeError::AudioCodec { .. })));
    let text = error.to_string();
    assert!(
        text.ends_with("webm cannot hold the source's aac audio; use -o NAME.mp4 or NAME.mkv or NAME.mov"),
        "{text}"
    );
}

#[test]
#[ignore = "needs STYLIZE_VIDEO_TEST_MEDIA"]
fn real_audio() {
    let input = real_clip("friday.mp4");
    let desk = Desk::new();
    let output = desk.transcode(&input, "out.mp4", ALL).unwrap();
    assert_eq!(times(&output), times(&input));
    assert_same_audio(&input, &output);
}
