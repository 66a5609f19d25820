//! Every frame is present, with the right pts.

use crate::common::clips::{Clip, numbers, shown};
use crate::common::{Desk, probe};
use crate::formats::harness::{half_tick, identity, kept, same_times};

const SOUND: &str = "-f lavfi -i sine=d=1.2";

/// Returns the seconds from the first picture to the first audio packet.
fn lead(path: &std::path::Path) -> f64 {
    probe(path, "a:0", "packet=pts_time")[0].parse::<f64>().unwrap() - shown(path)[0]
}

/// Like [`kept`], and checks that the sound keeps its offset to the pictures.
fn kept_with_sound(clip: Clip, name: &str, outputs: &[&str]) {
    let desk = Desk::new();
    let input = clip.beside(SOUND).and("-map 0 -map 1 -c:a aac").make(&desk, name);
    for output in outputs {
        let output = identity(&desk, &input, output).done();
        assert_eq!(numbers(&output), numbers(&input));
        same_times(&input, &output);
        let (before, after) = (lead(&input), lead(&output));
        assert!((before - after).abs() < 2.0 * half_tick(&output), "sound at {before}, then at {after}");
    }
}

#[test]
fn b_frames() {
    kept(&Clip::of(40).and("-bf 3 -x264-params b-adapt=0"), "in.mp4", &["out.mp4", "out.mkv", "out.mov"]);
}

#[test]
fn open_gop() {
    let desk = Desk::new();
    let clip = Clip::of(60).and("-bf 3 -x264-params open-gop=1:keyint=12:min-keyint=12:scenecut=0:b-adapt=0");
    let input = clip.make(&desk, "in.mp4");
    let output = identity(&desk, &input, "out.mp4").done();
    assert_eq!(numbers(&output), clip.numbers());
    same_times(&input, &output);
    // From the middle of a group of pictures whose first pictures in display order need the previous group.
    let part = identity(&desk, &input, "part.mp4").with("--start 1.4 --frames 9").done();
    assert_eq!(numbers(&part), (35..44).collect::<Vec<_>>());
}

#[test]
fn variable_frame_rate() {
    let clip = Clip::of(50).timed(90_000, "N*3600+1170*mod(N\\,3)+if(gt(N\\,20)\\,25011)");
    kept(&clip.and("-video_track_timescale 90000"), "in.mp4", &["out.mp4", "out.mkv", "out.mov", "out.webm"]);
}

#[test]
fn start_after_zero() {
    kept_with_sound(Clip::of(30).and("-bf 2 -output_ts_offset 3.5"), "in.mp4", &["out.mp4", "out.mkv"]);
}

#[test]
fn start_before_zero() {
    // Within a minute of its clock's wraparound, a transport stream is assumed to have begun before zero.
    let clip = Clip::of(30).and("-bf 2 -muxdelay 0 -output_ts_offset 95442");
    let desk = Desk::new();
    assert!(shown(&clip.make(&desk, "in.ts"))[0] < -1.0);
    kept_with_sound(clip, "in.ts", &["out.mp4", "out.mkv"]);
}

#[test]
fn edit_list_that_hides_the_first_frames() {
    let desk = Desk::new();
    let input = Clip::of(30).and("-output_ts_offset -0.4 -avoid_negative_ts disabled").make(&desk, "in.mov");
    let visible = numbers(&input);
    assert!(visible.len() < 30 && visible.last() == Some(&29), "{visible:?}");
    let output = identity(&desk, &input, "out.mov").done();
    assert_eq!(numbers(&output), visible);
    same_times(&input, &output);
}

#[test]
fn gaps() {
    let clip = Clip::of(12).timed(1000, "N*40+2300*floor(N/4)").and("-video_track_timescale 1000");
    kept(&clip, "in.mp4", &["out.mp4", "out.mkv", "out.mov"]);
}

#[test]
fn mpeg_ts() {
    kept_with_sound(Clip::of(30).and("-bf 2"), "in.ts", &["out.mp4", "out.mkv", "out.mov"]);
}

#[test]
fn mpeg_ts_whose_clock_wraps_around() {
    // The 33-bit clock of 90 kHz wraps after 95443.7 s.
    let clip = Clip::of(30).and("-bf 2 -muxdelay 0 -output_ts_offset 95443.2");
    kept_with_sound(clip, "in.ts", &["out.mp4", "out.mkv"]);
}

#[test]
fn avi_without_time_stamps() {
    let desk = Desk::new();
    let clip = Clip::of(30).coded("-c:v mpeg4 -bf 2 -q:v 2");
    let input = clip.make(&desk, "in.avi");
    assert!(probe(&input, "v", "packet=pts").iter().any(|pts| pts == "N/A"), "it has time stamps");
    for name in ["out.mp4", "out.mkv"] {
        let output = identity(&desk, &input, name).done();
        assert_eq!(numbers(&output), clip.numbers());
        let times = shown(&output);
        for pair in times.windows(2) {
            assert!((pair[1] - pair[0] - 0.04).abs() < 2.0 * half_tick(&output), "{times:?}");
        }
    }
}

#[test]
fn one_frame() {
    kept(&Clip::of(1), "in.mp4", &["out.mp4", "out.mkv", "out.mov", "out.webm"]);
}

#[test]
fn one_frame_a_second() {
    kept(&Clip::of(5).rate("1"), "in.mp4", &["out.mp4", "out.mkv"]);
}

#[test]
fn frames_240_a_second() {
    kept(&Clip::of(60).rate("240"), "in.mp4", &["out.mp4", "out.mkv"]);
}

#[test]
fn no_audio() {
    let desk = Desk::new();
    let clip = Clip::of(20);
    let input = clip.make(&desk, "in.mp4");
    let output = identity(&desk, &input, "out.mp4").done();
    assert_eq!(numbers(&output), clip.numbers());
    // The last frame lasts as long as the others.
    assert_eq!(probe(&output, "V", "stream=codec_type,duration"), ["video,0.800000"]);
    assert_eq!(probe(&output, "V", "format=nb_streams"), ["1"]);
}
