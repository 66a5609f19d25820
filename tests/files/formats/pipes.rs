//! `-`: streams on standard input and output.

use std::path::{Path, PathBuf};

use crate::common::clips::{Clip, decoded, numbers};
use crate::common::{Desk, probe};
use crate::formats::harness::{identity, same_times};

/// Saves the output of a pipe in a file.
fn caught(desk: &Desk, name: &str, bytes: &[u8]) -> PathBuf {
    let path = desk.path(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn from_stdin(options: &str, name: &str) {
    let desk = Desk::new();
    let clip = Clip::of(15).coded(options);
    let input = clip.make(&desk, name);
    let bytes = std::fs::read(&input).unwrap();
    let output = identity(&desk, Path::new("-"), "out.mp4").stdin(bytes).done();
    assert_eq!(numbers(&output), clip.numbers());
    same_times(&input, &output);
}

#[test]
fn y4m_on_stdin() {
    from_stdin("-pix_fmt yuv420p", "in.y4m");
}

#[test]
fn nut_on_stdin() {
    from_stdin("-c:v libx264 -preset veryfast -bf 2 -pix_fmt yuv420p", "in.nut");
}

#[test]
fn y4m_on_stdout() {
    let desk = Desk::new();
    let clip = Clip::of(15);
    let input = clip.make(&desk, "in.mp4");
    let bytes = identity(&desk, &input, "-").with("--format y4m").piped();
    assert!(bytes.starts_with(b"YUV4MPEG2 W128 H96 "), "nothing comes before the stream");
    let output = caught(&desk, "caught.y4m", &bytes);
    assert_eq!(numbers(&output), clip.numbers());
    same_times(&input, &output);
    // Without lossy encoding: only chroma was scaled up and down.
    let quality = crate::common::psnr(&decoded(&input, "", "null", ""), &decoded(&output, "", "null", ""));
    assert!(quality > 45.0, "{quality} dB");
}

#[test]
fn nut_on_stdout() {
    let desk = Desk::new();
    let clip = Clip::of(20).timed(90_000, "N*3600+1170*mod(N\\,3)").and("-video_track_timescale 90000");
    let input = clip.make(&desk, "in.mp4");
    let output = caught(&desk, "caught.nut", &identity(&desk, &input, "-").with("--format nut").piped());
    assert_eq!(numbers(&output), clip.numbers());
    same_times(&input, &output);
    assert_eq!(probe(&output, "V", "format=format_name"), ["nut"]);
}

#[test]
fn pipe_through() {
    let desk = Desk::new();
    let clip = Clip::of(10).coded("-pix_fmt yuv420p");
    let input = clip.make(&desk, "in.y4m");
    let bytes = std::fs::read(&input).unwrap();
    let bytes = identity(&desk, Path::new("-"), "-").with("--format y4m").stdin(bytes).piped();
    assert_eq!(numbers(&caught(&desk, "caught.y4m", &bytes)), clip.numbers());
}
