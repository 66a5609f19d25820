//! Damaged files and files that are not videos: one clear line, never a panic, never an output that only looks
//! complete.

use std::path::{Path, PathBuf};

use crate::common::Desk;
use crate::common::clips::{Clip, numbers, random, shown};
use crate::formats::harness::{Ended, identity};

/// A clip with frequent key frames, so that damage does not spoil all later frames.
fn clip() -> Clip {
    Clip::of(50).and("-g 10 -bf 2")
}

fn cut(desk: &Desk, whole: &Path, name: &str) -> PathBuf {
    desk.changed(whole, name, |bytes| bytes.truncate(bytes.len() * 6 / 10))
}

/// Checks that a truncated file is rejected. With `--max-corrupt`, the readable part is used and the rest is reported.
fn first_part_is_told(clip: &Clip, name: &str) {
    let desk = Desk::new();
    let half = cut(&desk, &clip.make(&desk, &format!("whole-{name}")), name);
    identity(&desk, &half, "no.mp4").failed(&[name, "ends early"]);
    let output = identity(&desk, &half, "out.mp4").with("--max-corrupt 1000").warned(&[&["frames"]]);
    let read = numbers(&output);
    assert!((15..50).contains(&read.len()), "{read:?}");
    assert!(read.windows(2).all(|pair| pair[0] < pair[1]), "{read:?}");
}

#[test]
fn truncated_with_the_index_in_front() {
    first_part_is_told(&clip().and("-movflags +faststart"), "in.mp4");
}

#[test]
fn truncated_matroska() {
    first_part_is_told(&clip(), "in.mkv");
}

#[test]
fn truncated_with_the_index_at_the_end() {
    let desk = Desk::new();
    let half = cut(&desk, &clip().make(&desk, "whole.mp4"), "in.mp4");
    identity(&desk, &half, "out.mp4").refused(&["in.mp4"]);
}

#[test]
fn flipped_bits() {
    let desk = Desk::new();
    // Small, because it is processed many times.
    let whole = Clip::of(10).size(64, 48).and("-g 5 -bf 1").make(&desk, "whole.mp4");
    for seed in 0..20 {
        let mut random = random(seed);
        let input = desk.changed(&whole, "in.mp4", |bytes| {
            for _ in 0..1 + random(12) {
                let (at, bit) = (random(bytes.len()), random(8));
                bytes[at] ^= 1 << bit;
            }
        });
        // `run` checks that there is no panic, no hang and no output together with an error.
        let Ended { code, stderr, output, .. } = identity(&desk, &input, "out.mp4").run();
        match code {
            0 => {
                assert!(!shown(&output).is_empty(), "seed {seed}");
                std::fs::remove_file(output).unwrap();
            }
            1 => assert_eq!(stderr.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{stderr}"),
            code => panic!("seed {seed}: exit code {code}: {stderr}"),
        }
    }
}

#[test]
fn corrupted_packets() {
    let desk = Desk::new();
    let whole = clip().and("-movflags +faststart").make(&desk, "whole.mp4");
    let input = desk.changed(&whole, "in.mp4", |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle..middle + 2000].fill(0x55);
    });
    identity(&desk, &input, "no.mp4").failed(&["in.mp4", "--max-corrupt"]);
    let output = identity(&desk, &input, "out.mp4").with("--max-corrupt 50").warned(&[&["damaged"]]);
    let times = shown(&output);
    assert!(times.len() >= 40, "{} frames of 50", times.len());
    // Frames outside the damage have their original contents and times.
    for time in [0.0, 1.96] {
        assert!(times.iter().any(|shown| (shown - time).abs() < 0.001), "{times:?}");
    }
}

/// Checks that the file is rejected by a line that names it.
fn refused(name: &str, bytes: &[u8], words: &[&str]) {
    let desk = Desk::new();
    std::fs::write(desk.path(name), bytes).unwrap();
    let words: Vec<&str> = words.iter().copied().chain([name]).collect();
    identity(&desk, &desk.path(name), "out.mp4").refused(&words);
}

#[test]
fn zero_bytes() {
    refused("in.mp4", b"", &["empty"]);
    refused("in.mkv", b"", &["empty"]);
}

#[test]
fn text_file() {
    refused("in.mp4", "hello, this is no video\n".repeat(60).as_bytes(), &["not a media file"]);
    refused("in.mkv", "hello, this is no video\n".repeat(60).as_bytes(), &["not a media file"]);
}

#[test]
fn audio_only() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", "-f lavfi -i sine=d=1 -c:a aac");
    identity(&desk, &input, "out.mp4").refused(&["in.mp4", "no video"]);
}

#[test]
fn audio_with_a_cover() {
    let desk = Desk::new();
    let cover = desk.clip("cover.png", "-f lavfi -i testsrc=s=64x48 -frames:v 1");
    let arguments = "-f lavfi -i sine=d=1 -i COVER -map 0 -map 1 -c:a aac -c:v copy -disposition:v:0 attached_pic";
    let input = desk.clip("in.mp4", &arguments.replace("COVER", &cover.display().to_string()));
    identity(&desk, &input, "out.mp4").refused(&["in.mp4", "no video"]);
}

#[test]
fn missing_file() {
    let desk = Desk::new();
    identity(&desk, &desk.path("in.mp4"), "out.mp4").refused(&["in.mp4", "no such file"]);
}

#[test]
fn pages_of_ogg_whose_sum_is_wrong() {
    let desk = Desk::new();
    let whole = Clip::of(50).coded("-c:v libtheora -q:v 10 -g 10").make(&desk, "whole.ogv");
    let input = desk.changed(&whole, "in.ogv", |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
    });
    // FFmpeg skips this page silently.
    identity(&desk, &input, "no.mkv").failed(&["in.ogv", "damaged"]);
    identity(&desk, &input, "out.mkv").with("--max-corrupt 50").warned(&[&["damaged"]]);
}
