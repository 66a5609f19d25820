//! Timestamps that start far from zero, go backwards, jump or stand still.

use std::path::{Path, PathBuf};

use crate::common::clips::{Clip, numbers, shown};
use crate::common::{Desk, probe};
use crate::formats::harness::{Ended, identity, program};

const SOUND: &str = "-f lavfi -i sine=d=1.2";
const TS: &str = "-map 0 -map 1 -c:a mp2";

/// Returns the seconds from the first picture to the first audio packet.
fn lead(path: &Path) -> f64 {
    sound(path)[0] - shown(path)[0]
}

fn sound(path: &Path) -> Vec<f64> {
    probe(path, "a:0", "packet=pts_time").iter().filter_map(|time| time.split(',').next()?.parse().ok()).collect()
}

fn noted(ended: &Ended, words: &str) -> bool {
    ended.stderr.lines().any(|line| !line.starts_with("warning: ") && line.contains(words))
}

fn verified(desk: &Desk, a: &Path, b: &Path) {
    let output = program(desk).arg("verify").args([a, b]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Checks that all streams begin together at 0, that the shift is reported, and that `verify` accepts it.
fn moved(desk: &Desk, input: &Path, outputs: &[&str]) {
    let count = numbers(input).len();
    for name in outputs {
        let ended = identity(desk, input, name).run();
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert!(noted(&ended, "clock begins at"), "{}", ended.stderr);
        let output = ended.output;
        assert_eq!(numbers(&output).len(), count);
        assert!(shown(&output)[0] < 0.2, "{:?}", shown(&output)[0]);
        let all: f64 = probe(&output, "V", "format=duration")[0].parse().unwrap();
        assert!(all < 3.0, "{all} s");
        assert!((lead(input) - lead(&output)).abs() < 0.003, "{} then {}", lead(input), lead(&output));
        verified(desk, input, &output);
    }
}

#[test]
fn broadcast_clock() {
    let desk = Desk::new();
    let input = Clip::of(30).beside(SOUND).and(TS).and("-output_ts_offset 24549.835").make(&desk, "in.ts");
    moved(&desk, &input, &["out.mkv", "out.mp4"]);
    let kept = identity(&desk, &input, "kept.mkv").with("--keep-clock").done();
    assert!((shown(&kept)[0] - shown(&input)[0]).abs() < 0.001);
    verified(&desk, &input, &kept);
}

#[test]
fn wall_clock() {
    let desk = Desk::new();
    let clip = Clip::of(30).beside(SOUND).and("-map 0 -map 1 -c:a aac -bf 0 -output_ts_offset 1700000000");
    moved(&desk, &clip.make(&desk, "in.mkv"), &["out.mkv", "out.mp4"]);
}

#[test]
fn clock_of_a_quarter_of_an_hour() {
    let desk = Desk::new();
    let clip = Clip::of(30).beside(SOUND).and("-map 0 -map 1 -c:a aac -output_ts_offset 900");
    moved(&desk, &clip.clone().make(&desk, "in.mov"), &["out.mp4"]);
    // For a part, the start counts from the first picture.
    let input = clip.make(&desk, "in.mkv");
    let part = identity(&desk, &input, "part.mp4").with("--start 0.4 --frames 5").ended_well();
    assert_eq!(numbers(&part), [10, 11, 12, 13, 14]);
}

#[test]
fn chapters_on_a_far_clock() {
    let desk = Desk::new();
    let list = ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=5000000\nEND=5000600\ntitle=a\n[CHAPTER]\nTIMEBASE=1/1000\n\
                START=5000600\nEND=5001200\ntitle=b\n";
    std::fs::write(desk.path("chapters.txt"), list).unwrap();
    let plain = Clip::of(30).beside(SOUND).and("-map 0 -map 1 -c:a aac").make(&desk, "plain.mkv");
    let arguments = format!(
        "-output_ts_offset 5000 -i {} -i {} -map 0 -map_chapters 1 -c copy",
        plain.display(),
        desk.path("chapters.txt").display()
    );
    let arguments = arguments.replace("-output_ts_offset 5000 ", "") + " -output_ts_offset 5000";
    let input = desk.clip("in.mkv", &arguments);
    let output = identity(&desk, &input, "out.mkv").ended_well();
    let begins = probe(&output, "V", "chapter=start_time");
    assert_eq!(begins.len(), 2, "{begins:?}");
    let begin: f64 = begins[1].parse().unwrap();
    assert!((begin - 0.6).abs() < 0.05 || begin > 4999.0 && shown(&output)[0] > 4999.0, "{begins:?}");
}

/// Concatenates files byte for byte.
fn glued(desk: &Desk, name: &str, parts: &[PathBuf]) -> PathBuf {
    let bytes: Vec<u8> = parts.iter().flat_map(|part| std::fs::read(part).unwrap()).collect();
    std::fs::write(desk.path(name), bytes).unwrap();
    desk.path(name)
}

fn parts(desk: &Desk, ending: &str, offsets: &[&str], options: &str) -> Vec<PathBuf> {
    let part = |(number, offset): (usize, &&str)| {
        let first = 25 * number as u32;
        let clip = Clip::of(25).from(first).beside("-f lavfi -i sine=d=1").and(options);
        clip.and(&format!("-output_ts_offset {offset}")).make(desk, &format!("part{number}.{ending}"))
    };
    offsets.iter().enumerate().map(part).collect()
}

/// Checks that all frames are in order, 40 ms apart, with matching sound and one note.
fn goes_on(desk: &Desk, input: &Path, count: u32) {
    for name in ["out.mkv", "out.mp4"] {
        let ended = identity(desk, input, name).run();
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert_eq!(ended.stderr.matches("clock breaks off after").count(), 1, "{}", ended.stderr);
        assert!(!ended.stderr.contains("warning: "), "{}", ended.stderr);
        let output = ended.output;
        assert_eq!(numbers(&output), (0..count).collect::<Vec<_>>());
        let times = shown(&output);
        assert!(times.windows(2).all(|pair| (pair[1] - pair[0] - 0.04).abs() < 0.002), "{times:?}");
        let sound = sound(&output);
        let (begin, end) = (sound[0], sound[sound.len() - 1]);
        assert!((end - begin - f64::from(count) * 0.04).abs() < 0.15, "sound from {begin} to {end}");
        assert!(sound.windows(2).all(|pair| pair[1] - pair[0] < 0.09), "sound has gaps: {sound:?}");
    }
}

#[test]
fn joined_transport_streams() {
    let desk = Desk::new();
    let parts = parts(&desk, "ts", &["0", "0"], TS);
    goes_on(&desk, &glued(&desk, "in.ts", &parts), 50);
}

#[test]
fn three_recordings_joined() {
    let desk = Desk::new();
    let parts = parts(&desk, "ts", &["700", "100", "3000"], TS);
    let input = glued(&desk, "in.ts", &parts);
    goes_on(&desk, &input, 75);
}

#[test]
fn joined_program_streams() {
    let desk = Desk::new();
    let options = format!("{TS} -c:v mpeg2video -q:v 2 -bf 2");
    let parts = parts(&desk, "mpg", &["0", "0"], &options);
    let input = glued(&desk, "in.mpg", &parts);
    let ended = identity(&desk, &input, "out.mkv").run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let times = shown(&ended.output);
    assert!(times.len() >= 48 && times.windows(2).all(|pair| pair[1] - pair[0] > 0.03), "{times:?}");
    assert!(times[times.len() - 1] - times[0] < 2.2, "{times:?}");
}

#[test]
fn joined_flash_videos() {
    let desk = Desk::new();
    let parts = parts(&desk, "flv", &["0", "0"], "-map 0 -map 1 -c:a aac -bf 0");
    let mut bytes = std::fs::read(&parts[0]).unwrap();
    // Like recorders that append to a file: tags after tags.
    bytes.extend(&std::fs::read(&parts[1]).unwrap()[13..]);
    std::fs::write(desk.path("in.flv"), bytes).unwrap();
    let ended = identity(&desk, &desk.path("in.flv"), "out.mkv").run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(noted(&ended, "clock breaks off"), "{}", ended.stderr);
    assert_eq!(numbers(&ended.output), (0..50).collect::<Vec<_>>());
    let times = shown(&ended.output);
    assert!(times.windows(2).all(|pair| (pair[1] - pair[0] - 0.04).abs() < 0.003), "{times:?}");
}

#[test]
fn pictures_that_pause_while_sound_goes_on() {
    let desk = Desk::new();
    // This looks like a jump of the clock, but the camera was covered: the continuous sound shows it.
    let clip = Clip::of(20)
        .beside("-f lavfi -i sine=d=16")
        .and("-map 0 -map 1 -c:a mp2 -fps_mode passthrough -enc_time_base 1:90000 -bf 0");
    let clip = clip.filter("settb=1/90000,setpts=N*3600+if(gte(N\\,10)\\,1350000)");
    let input = clip.make(&desk, "in.ts");
    let output = identity(&desk, &input, "out.mkv").done();
    let times = shown(&output);
    assert_eq!(times.len(), 20);
    assert!((times[10] - times[9] - 15.04).abs() < 0.01, "{times:?}");
}

#[test]
fn equal_times() {
    let desk = Desk::new();
    let clip = Clip::of(20).coded("-c:v mjpeg -q:v 2 -bsf:v setts=pts=floor(N/2)*80:dts=floor(N/2)*80");
    let input = clip.make(&desk, "in.mkv");
    assert!(probe(&input, "v", "packet=pts").windows(2).any(|pair| pair[0] == pair[1]), "no equal times");
    for name in ["out.mp4", "out.mkv"] {
        let output = identity(&desk, &input, name).ended_well();
        let times = shown(&output);
        assert_eq!(numbers(&output), clip.numbers());
        assert!(times.windows(2).all(|pair| (pair[1] - pair[0] - 0.04).abs() < 0.002), "{times:?}");
    }
}

#[test]
fn long_pauses_of_fine_ticks() {
    let desk = Desk::new();
    let clip = Clip::of(7).filter("settb=1/1000,setpts=N*100000");
    let clip = clip.and("-bf 0 -fps_mode passthrough -enc_time_base 1:1000 -video_track_timescale 10000000");
    let input = clip.make(&desk, "in.mp4");
    for name in ["out.mp4", "out.mkv", "out.gif"] {
        let output = identity(&desk, &input, name).ended_well();
        let times = shown(&output);
        assert_eq!(times.len(), 7, "{name}");
        assert!(times.windows(2).all(|pair| (pair[1] - pair[0] - 100.0).abs() < 0.011), "{name}: {times:?}");
    }
}

#[test]
fn a_pause_of_a_minute() {
    let desk = Desk::new();
    let clip = Clip::of(24).filter("settb=1/1000,setpts=N*40+if(gte(N\\,11)\\,60000)");
    let input = clip.and("-bf 3 -fps_mode passthrough -enc_time_base 1:1000").make(&desk, "in.mp4");
    for name in ["out.mp4", "out.mkv"] {
        let output = identity(&desk, &input, name).ended_well();
        assert_eq!(numbers(&output), (0..24).collect::<Vec<_>>(), "{name}");
        let times = shown(&output);
        assert!((times[11] - times[10] - 60.04).abs() < 0.002, "{name}: {times:?}");
    }
}

#[test]
fn raw_streams() {
    let desk = Desk::new();
    for (name, options) in [
        ("camera.264", "-c:v libx264 -crf 12 -pix_fmt yuv420p -f h264"),
        ("camera.hevc", "-c:v libx265 -crf 12 -pix_fmt yuv420p -x265-params log-level=none -f hevc"),
        ("camera.m4v", "-c:v mpeg4 -q:v 2 -bf 2 -f m4v"),
        ("camera.mjpeg", "-c:v mjpeg -q:v 2 -f mjpeg"),
        ("camera.m2v", "-c:v mpeg2video -q:v 2 -bf 2"),
    ] {
        let clip = Clip::of(25).coded(options);
        let input = clip.make(&desk, name);
        let ended = identity(&desk, &input, "out.mp4").with("--if-exists replace").run();
        assert_eq!(ended.code, 0, "{name}: {}", ended.stderr);
        assert!(noted(&ended, "25 frames a second are assumed"), "{name}: {}", ended.stderr);
        assert_eq!(numbers(&ended.output), clip.numbers(), "{name}");
        let times = shown(&ended.output);
        assert!(times.windows(2).all(|pair| (pair[1] - pair[0] - 0.04).abs() < 0.001), "{name}: {times:?}");
        std::fs::remove_file(ended.output).unwrap();
    }
}

#[test]
fn packed_b_frames() {
    let desk = Desk::new();
    let clip = Clip::of(50).coded("-c:v libxvid -bf 2 -g 50 -q:v 2").beside("-f lavfi -i sine=d=2");
    let input = clip.and("-map 0 -map 1 -c:a mp3").make(&desk, "in.avi");
    let output = identity(&desk, &input, "out.mkv").ended_well();
    let times = shown(&output);
    assert!(times.len() >= 48, "{}", times.len());
    assert!(times.windows(2).all(|pair| (pair[1] - pair[0] - 0.04).abs() < 0.002), "{times:?}");
}
