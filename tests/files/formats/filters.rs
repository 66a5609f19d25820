//! FFmpeg's own filters before and after the painting.

use crate::common::Desk;
use crate::common::clips::{Clip, numbers, of_video, shown};
use crate::formats::harness::{identity, same_times};

#[test]
fn pre_filter_crop() {
    let desk = Desk::new();
    let clip = Clip::of(12);
    let input = clip.make(&desk, "in.mp4");
    let output = identity(&desk, &input, "out.mp4").with("--pre-filter crop=128:80:0:0").done();
    assert_eq!(of_video(&output, "width,height"), "128,80");
    assert_eq!(numbers(&output), clip.numbers());
    same_times(&input, &output);
}

#[test]
fn pre_filter_fps() {
    let desk = Desk::new();
    let input = Clip::of(20).make(&desk, "in.mp4");
    let output = identity(&desk, &input, "out.mp4").with("--pre-filter fps=12.5:round=down").done();
    let read = numbers(&output);
    assert_eq!(read.len(), 10);
    assert!(read.windows(2).all(|pair| pair[1] - pair[0] == 2), "{read:?}");
    assert_eq!(shown(&output), (0..10).map(|n| f64::from(n) * 0.08).map(micro).collect::<Vec<_>>());
}

/// Rounds to the precision that `ffprobe` prints.
fn micro(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}

#[test]
fn post_filter_scale() {
    let desk = Desk::new();
    let clip = Clip::of(12);
    let input = clip.make(&desk, "in.mp4");
    let output = identity(&desk, &input, "out.mp4").with("--post-filter scale=192:-2").done();
    assert_eq!(of_video(&output, "width,height"), "192,144");
    assert_eq!(numbers(&output), clip.numbers());
    same_times(&input, &output);
}

#[test]
fn filter_that_is_none() {
    let desk = Desk::new();
    let input = Clip::of(3).make(&desk, "in.mp4");
    identity(&desk, &input, "out.mp4").with("--pre-filter crpo=64:48").refused(&["crpo"]);
    identity(&desk, &input, "out.mp4").with("--post-filter scale=a:b").refused(&["scale=a:b"]);
}
