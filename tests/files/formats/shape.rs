//! Sizes, rotation, pixel aspect ratios and fields.

use std::path::Path;

use crate::common::Desk;
use crate::common::clips::{Clip, numbers, of_video, shown, turn};
use crate::formats::harness::{identity, kept, same_times};

const ONE: i32 = 65536;
const LAST: i32 = 0x4000_0000;

fn size(path: &Path) -> String {
    of_video(path, "width,height")
}

/// Checks that a clip stored rotated by `filter`, with the `matrix` that rotates it back, is upright in every
/// container.
fn upright(filter: &str, matrix: [i32; 9]) {
    let desk = Desk::new();
    let clip = Clip::of(12).filter(filter).and("-crf 8");
    let plain = clip.make(&desk, "plain.mp4");
    let input = desk.changed(&plain, "in.mp4", |bytes| turn(bytes, matrix));
    for name in ["out.mp4", "out.mkv"] {
        let output = identity(&desk, &input, name).done();
        assert_eq!(size(&output), "128,96");
        assert_eq!(numbers(&output), clip.numbers(), "upright in a player that heeds the matrix");
        assert_eq!(of_video(&output, "side_data_list"), "", "and in one that does not");
        same_times(&input, &output);
    }
}

#[test]
fn rotated_by_90() {
    upright("transpose=cclock", [0, ONE, 0, -ONE, 0, 0, 128 * ONE, 0, LAST]);
}

#[test]
fn rotated_by_180() {
    upright("hflip,vflip", [-ONE, 0, 0, 0, -ONE, 0, 128 * ONE, 96 * ONE, LAST]);
}

#[test]
fn rotated_by_270() {
    upright("transpose=clock", [0, -ONE, 0, ONE, 0, 0, 0, 96 * ONE, LAST]);
}

#[test]
fn sample_aspect_4_3() {
    let desk = Desk::new();
    let clip = Clip::of(10).filter("setsar=4/3");
    let input = clip.make(&desk, "in.mp4");
    for name in ["out.mp4", "out.mkv", "out.mov"] {
        let output = identity(&desk, &input, name).done();
        assert_eq!(of_video(&output, "width,height,sample_aspect_ratio"), "128,96,4:3", "{name}");
        assert_eq!(numbers(&output), clip.numbers());
    }
}

#[test]
fn anamorphic_webm() {
    let desk = Desk::new();
    let clip = Clip::of(10).filter("setsar=4/3").coded("-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -crf 12");
    let input = clip.make(&desk, "in.webm");
    let output = identity(&desk, &input, "out.webm").done();
    assert_eq!(numbers(&output), clip.numbers());
    let aspect = of_video(&output, "sample_aspect_ratio");
    let (num, den) = aspect.split_once(':').unwrap();
    let shown = 128.0 * num.parse::<f64>().unwrap() / den.parse::<f64>().unwrap();
    assert!((shown - 128.0 * 4.0 / 3.0).abs() < 1.0, "shown {shown} wide");
}

#[test]
fn odd_size() {
    let desk = Desk::new();
    let clip = Clip::of(10).size(131, 97).coded("-c:v ffv1 -pix_fmt yuv420p");
    let input = clip.make(&desk, "in.mkv");
    for (name, options, expected) in
        [("out.mp4", "", "132,98"), ("out.webm", "", "131,97"), ("out.mkv", "--codec ffv1", "131,97")]
    {
        let output = identity(&desk, &input, name).with(options).done();
        assert_eq!(size(&output), expected, "{name}");
        assert_eq!(numbers(&output), clip.numbers());
        same_times(&input, &output);
    }
}

#[test]
fn one_pixel() {
    let desk = Desk::new();
    let input = Clip::of(3).size(1, 1).coded("-c:v ffv1 -pix_fmt gbrp").make(&desk, "in.mkv");
    for (name, options, expected) in [("out.mp4", "", "2,2"), ("out.mkv", "--codec ffv1", "1,1")] {
        let output = identity(&desk, &input, name).with(options).done();
        assert_eq!(size(&output), expected, "{name}");
        assert_eq!(shown(&output).len(), 3);
    }
}

#[test]
fn eight_k() {
    let desk = Desk::new();
    let clip = Clip::of(1).filter("scale=7680:4320:flags=neighbor").and("-preset ultrafast -crf 30");
    let input = clip.make(&desk, "in.mp4");
    let output = identity(&desk, &input, "out.mp4").with("--encoder-opt preset=ultrafast --crf 30").done();
    assert_eq!(size(&output), "7680,4320");
    assert_eq!(numbers(&output), [0]);
}

#[test]
fn frame_size_that_changes() {
    let desk = Desk::new();
    let (small, large) = (Clip::of(12), Clip::of(13).from(12).size(192, 144).and("-output_ts_offset 0.48"));
    let mut bytes = std::fs::read(small.make(&desk, "small.ts")).unwrap();
    bytes.extend(std::fs::read(large.make(&desk, "large.ts")).unwrap());
    let both = desk.path("both.ts");
    std::fs::write(&both, bytes).unwrap();
    let output = identity(&desk, &both, "out.mp4").ended_well();
    assert_eq!(size(&output), "128,96");
    assert_eq!(numbers(&output), (0..25).collect::<Vec<_>>());
}

/// Makes pictures whose two fields show the same moment, coded and flagged as interlaced.
fn interlaced(desk: &Desk) -> (Clip, std::path::PathBuf) {
    let clip = Clip::of(20).filter("setfield=tff").coded("-c:v mpeg2video -flags +ildct+ilme -q:v 2 -bf 2");
    let path = clip.make(desk, "in.ts");
    assert_eq!(of_video(&path, "field_order"), "tt");
    (clip, path)
}

#[test]
fn interlaced_is_deinterlaced() {
    let desk = Desk::new();
    let (clip, input) = interlaced(&desk);
    let ended = identity(&desk, &input, "out.mp4").run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("interlaced") && ended.stderr.contains("bwdif"), "{}", ended.stderr);
    assert_eq!(numbers(&ended.output), clip.numbers());
    assert_eq!(of_video(&ended.output, "field_order"), "progressive");
    same_times(&input, &ended.output);
}

#[test]
fn interlaced_can_be_refused() {
    let desk = Desk::new();
    let (_, input) = interlaced(&desk);
    identity(&desk, &input, "out.mp4").with("--set input.deinterlace=refuse").refused(&["in.ts", "interlaced"]);
    let output = identity(&desk, &input, "off.mp4").with("--set input.deinterlace=off").ended_well();
    assert_eq!(shown(&output).len(), 20);
}

#[test]
fn y4m() {
    kept(&Clip::of(15).coded("-pix_fmt yuv420p"), "in.y4m", &["out.mp4", "out.mkv"]);
}

#[test]
fn raw_video_by_options() {
    let desk = Desk::new();
    let clip = Clip::of(15).coded("-f rawvideo -pix_fmt yuv420p");
    let input = clip.make(&desk, "in.yuv");
    let options = "--input-format rawvideo --input-opt video_size=128x96 --input-opt pixel_format=yuv420p \
                   --input-opt framerate=50";
    let output = identity(&desk, &input, "out.mp4").with(options).done();
    assert_eq!(numbers(&output), clip.numbers());
    assert_eq!(shown(&output), (0..15).map(|n| f64::from(n) / 50.0).collect::<Vec<_>>());
}
