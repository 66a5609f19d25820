//! Colours through both conversions. An identity round trip would hide a wrong matrix, so each direction is compared
//! with what `ffmpeg` makes of the same numbers, told the matrix.

use crate::common::{ALL, Desk, decoded_by_ffmpeg, frames, probe, psnr};
use stylize_video::encode::{self, Target};
use stylize_video::media::{ColorInfo, Frame, MediaInfo, Output, Pixels, Ratio, Samples, TimeBase, Timing};
use stylize_video::settings::{Crf, OutputSettings};

const COLOURS: [[u8; 3]; 8] = [
    [230, 20, 20],
    [20, 230, 20],
    [20, 20, 230],
    [230, 230, 20],
    [20, 230, 230],
    [230, 20, 230],
    [128, 128, 128],
    [250, 120, 10],
];
const WIDTH: usize = 256;
const HEIGHT: usize = 32;

/// Bars 32 wide.
fn bars() -> Vec<u8> {
    (0..HEIGHT).flat_map(|_| (0..WIDTH).flat_map(|x| COLOURS[x / 32])).collect()
}

/// The middle of each bar must have its colour.
fn assert_bars(rgb: &[u8], what: &str) {
    for (bar, colour) in COLOURS.iter().enumerate() {
        let at = 3 * (HEIGHT / 2 * WIDTH + 32 * bar + 16);
        let got = &rgb[at..at + 3];
        let error = colour.iter().zip(got).map(|(&a, &b)| a.abs_diff(b)).max().unwrap();
        assert!(error <= 4, "{what}: bar {bar} is {got:?} instead of {colour:?}");
    }
}

/// A clip of bars, made with a matrix and a range, tagged or not.
fn decode(matrix: &str, range: &str, tags: &str, size: &str) -> (MediaInfo, Vec<u8>) {
    let desk = Desk::new();
    std::fs::write(desk.path("bars.raw"), bars()).unwrap();
    let arguments = format!(
        "-f rawvideo -pix_fmt rgb24 -s {WIDTH}x{HEIGHT} -i {} -vf \
         scale={size}:flags=neighbor+accurate_rnd+full_chroma_inp:out_color_matrix={matrix}:out_range={range},format=yuv420p \
         -c:v libx264 -qp 1 {tags}",
        desk.path("bars.raw").display()
    );
    let input = desk.clip("in.mp4", &arguments);
    let (info, frames) = frames(&input, ALL).unwrap();
    (info, frames[0].pixels.to_rgb8())
}

fn same_size() -> String {
    format!("{WIDTH}:{HEIGHT}")
}

#[test]
fn bt709_is_read_by_its_tag() {
    let (_, rgb) = decode("bt709", "tv", "-colorspace bt709", &same_size());
    assert_bars(&rgb, "BT.709");
}

#[test]
fn bt601_is_read_by_its_tag() {
    let (_, rgb) = decode("bt601", "tv", "-colorspace smpte170m", &same_size());
    assert_bars(&rgb, "BT.601");
}

#[test]
fn small_untagged_video_is_bt601() {
    let (info, rgb) = decode("bt601", "tv", "", &same_size());
    assert_bars(&rgb, "untagged");
    assert_eq!(info.color.scale_matrix(), Some("bt601"));
}

#[test]
fn large_untagged_video_is_bt709() {
    let (info, rgb) = decode("bt709", "tv", "", "1280:32");
    assert_eq!(info.color.scale_matrix(), Some("bt709"));
    // Five times as wide: the middle of the first bar.
    let at = 3 * (16 * 1280 + 80);
    let error = COLOURS[0].iter().zip(&rgb[at..]).map(|(&a, &b)| a.abs_diff(b)).max().unwrap();
    assert!(error <= 4, "{:?}", &rgb[at..at + 3]);
}

#[test]
fn full_range_is_honoured() {
    let (info, rgb) = decode("bt709", "pc", "-colorspace bt709 -color_range pc", &same_size());
    assert!(info.color.full_range);
    assert_bars(&rgb, "full range");
}

#[test]
fn output_is_bt709_and_says_so() {
    for name in ["out.mp4", "out.mkv", "out.mov", "out.webm"] {
        let desk = Desk::new();
        let base = TimeBase::new(1, 25);
        let info = MediaInfo {
            width: WIDTH,
            height: HEIGHT,
            frames: Some(3),
            base,
            rate: Some(Ratio::new(25, 1)),
            sample_aspect: None,
            color: ColorInfo::BT709,
            samples: Samples::RGB8,
            codec: "",
            first: 0,
            source: None,
        };
        let target = Target { output: Output::Video(desk.path(name)), work: desk.path("") };
        let settings = OutputSettings { crf: Crf::Value(4), ..OutputSettings::default() };
        let mut sink = encode::open(&target, &info, &settings).unwrap();
        for index in 0..3 {
            let timing = Timing { pts: index, duration: Some(1), base };
            let pixels = Pixels::from_rgb8(WIDTH, HEIGHT, &bars());
            sink.push(Frame { pixels, timing, index: index as u64 }).unwrap();
        }
        assert_eq!(sink.finish().unwrap().frames, 3);
        let tags =
            probe(&desk.path(name), "v", "stream=color_range,color_space,color_transfer,color_primaries,pix_fmt");
        assert_eq!(tags, ["yuv420p,tv,bt709,bt709,bt709"], "{name}");
        let chain = "scale=in_color_matrix=bt709:in_range=tv:flags=accurate_rnd+full_chroma_int";
        assert_bars(&decoded_by_ffmpeg(&desk, &desk.path(name), chain), name);
    }
}

#[test]
fn formats_of_all_kinds() {
    let clips = [
        ("in.gif", "-vf format=rgb24,split[a][b];[a]palettegen[p];[b][p]paletteuse"),
        ("in10.mp4", "-c:v libx264 -pix_fmt yuv420p10le -crf 4"),
        ("in444.mp4", "-c:v libx264 -pix_fmt yuv444p -crf 4"),
        ("in.mov", "-c:v prores_ks -profile:v 3"),
        ("alpha.mov", "-c:v prores_ks -profile:v 4 -pix_fmt yuva444p10le"),
        ("grey.mkv", "-c:v ffv1 -pix_fmt gray"),
        ("grey16.mkv", "-c:v ffv1 -pix_fmt gray16le"),
        ("grey.png", "-c:v apng -f apng -pix_fmt gray"),
        ("rgb.mkv", "-c:v ffv1 -pix_fmt gbrp"),
        ("rgb16.mkv", "-c:v ffv1 -pix_fmt gbrp16le"),
        ("bgr0.avi", "-c:v rawvideo -pix_fmt bgr24"),
        ("jpeg.avi", "-c:v mjpeg -q:v 2"),
        ("in.webm", "-c:v libvpx -crf 4 -b:v 5M"),
        ("in.png", "-c:v apng -f apng"),
    ];
    for (name, options) in clips {
        let desk = Desk::new();
        let input = desk.clip(name, &format!("-f lavfi -i testsrc=s=98x66:r=25:d=0.4 {options}"));
        let (_, frames) = frames(&input, ALL).unwrap();
        assert_eq!(frames.len(), 10, "{name}");
        let chain =
            "scale=in_color_matrix=bt601:flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp,format=rgb24";
        let reference = decoded_by_ffmpeg(&desk, &input, chain);
        for index in [0, 9] {
            let rgb = frames[index].pixels.to_rgb8();
            let quality = psnr(&rgb, &reference[index * rgb.len()..(index + 1) * rgb.len()]);
            assert!(quality > 40.0, "{name}: frame {index} at {quality} dB");
        }
        desk.transcode(&input, "out.mp4", ALL).unwrap();
    }
}
