//! Colours through both conversions. An identity round trip would hide a wrong matrix, so each direction is compared
//! with `ffmpeg`'s result for the same numbers and an explicit matrix.

use crate::common::{ALL, Desk, decoded_by_ffmpeg, frames, probe, psnr};
use stylize_video::encode::{self, Target};
use stylize_video::media::{ColorInfo, Frame, MediaInfo, Model, Output, Pixels, Ratio, Samples, TimeBase, Timing};
use stylize_video::settings::{Crf, OutputSettings};
use stylize_video::stylize::fake::BARS as COLOURS;

const WIDTH: usize = 256;
const HEIGHT: usize = 32;

/// Bars, each 32 pixels wide.
fn bars() -> Vec<u8> {
    (0..HEIGHT).flat_map(|_| (0..WIDTH).flat_map(|x| COLOURS[x / 32])).collect()
}

/// Checks the colour at the middle of each bar.
fn assert_bars(rgb: &[u8], what: &str) {
    for (bar, colour) in COLOURS.iter().enumerate() {
        let at = 3 * (HEIGHT / 2 * WIDTH + 32 * bar + 16);
        let got = &rgb[at..at + 3];
        let error = colour.iter().zip(got).map(|(&a, &b)| a.abs_diff(b)).max().unwrap();
        assert!(error <= 4, "{what}: bar {bar} is {got:?} instead of {colour:?}");
    }
}

/// Decodes a clip of bars, made with a matrix and a range, with or without tags.
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
    // Five times as wide: this is the middle of the first bar.
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

/// Describes a source of three frames.
fn described(color: ColorInfo, samples: Samples, codec: &'static str) -> MediaInfo {
    MediaInfo {
        width: WIDTH,
        height: HEIGHT,
        frames: Some(3),
        base: TimeBase::new(1, 25),
        rate: Some(Ratio::new(25, 1)),
        sample_aspect: None,
        color,
        samples,
        codec,
        first: 0,
        source: None,
    }
}

/// Paints three frames of bars into a file.
fn paint(desk: &Desk, name: &str, info: &MediaInfo, settings: &OutputSettings) -> Vec<String> {
    let target = Target { output: Output::Video(desk.path(name)), work: desk.path(""), label: None };
    let mut sink = encode::open(&target, info, settings).unwrap_or_else(|error| panic!("{error}"));
    let mut warnings = sink.warnings().to_vec();
    for index in 0..3 {
        let timing = Timing { pts: index, duration: Some(1), base: info.base };
        let pixels = Pixels::from_rgb8(WIDTH, HEIGHT, &bars());
        sink.push(Frame { pixels, timing, index: index as u64 }).unwrap();
    }
    let encoded = sink.finish().unwrap();
    assert_eq!(encoded.frames, 3, "{name}");
    warnings.extend(encoded.warnings);
    warnings
}

fn crf(crf: u8) -> OutputSettings {
    OutputSettings { crf: Crf::Value(crf), ..OutputSettings::default() }
}

/// Returns the BT.709 luma of the first frame as `ffmpeg` decodes it by its tags, and the luma of the bars themselves.
fn lumas(desk: &Desk, path: &std::path::Path, matrix: &str, range: &str) -> (Vec<u8>, Vec<u8>) {
    let chain = format!("scale=in_color_matrix={matrix}:in_range={range}:flags=bicubic+accurate_rnd+full_chroma_int");
    let decoded = decoded_by_ffmpeg(desk, path, &chain);
    let luma = |rgb: &[u8]| -> Vec<u8> {
        let weigh = |c: &[u8]| 0.2126 * f64::from(c[0]) + 0.7152 * f64::from(c[1]) + 0.0722 * f64::from(c[2]);
        rgb.chunks_exact(3).map(|colour| weigh(colour).round() as u8).collect()
    };
    // Chroma of half the width unavoidably blurs the two columns on each side of an edge between bars.
    let inside = |luma: Vec<u8>| -> Vec<u8> {
        luma.into_iter()
            .take(WIDTH * HEIGHT)
            .enumerate()
            .filter(|(i, _)| (4..28).contains(&(i % 32)))
            .map(|(_, y)| y)
            .collect()
    };
    (inside(luma(&decoded)), inside(luma(&bars())))
}

/// Every colour case: the output has the source's tags, and the painted colours are correct under those tags.
#[test]
fn colours_follow_the_source() {
    use ffmpeg_next::color::{Primaries, Space, TransferCharacteristic};
    let spaces = [
        (
            Space::SMPTE170M,
            Primaries::SMPTE170M,
            TransferCharacteristic::SMPTE170M,
            "bt601",
            "smpte170m,smpte170m,smpte170m",
        ),
        (Space::BT709, Primaries::BT709, TransferCharacteristic::BT709, "bt709", "bt709,bt709,bt709"),
        (Space::BT2020NCL, Primaries::BT2020, TransferCharacteristic::BT2020_10, "bt2020", "bt2020nc,bt2020-10,bt2020"),
        (
            Space::BT470BG,
            Primaries::Unspecified,
            TransferCharacteristic::Unspecified,
            "bt601",
            "bt470bg,unknown,unknown",
        ),
    ];
    for (matrix, primaries, transfer, scale, tags) in spaces {
        for full_range in [false, true] {
            for (chroma, name) in [((1, 1), "420"), ((1, 0), "422"), ((0, 0), "444")] {
                for depth in [8, 10] {
                    let desk = Desk::new();
                    let color = ColorInfo { matrix, full_range, primaries, transfer, ..ColorInfo::BT709 };
                    let samples = Samples { model: Model::Yuv, depth, chroma, alpha: false };
                    let warnings = paint(&desk, "out.mp4", &described(color, samples, "h264"), &crf(10));
                    let range = if full_range { "pc" } else { "tv" };
                    let deep = if depth == 10 { "10le" } else { "" };
                    let what = format!("{scale} {range} yuv{name}p{deep}");
                    assert_eq!(warnings, Vec::<String>::new(), "{what}");
                    let entries = "stream=codec_name,pix_fmt,color_range,color_space,color_transfer,color_primaries";
                    let codec = if depth == 10 { "hevc" } else { "h264" };
                    // FFmpeg's 8-bit decoders have separate pixel format names for full range.
                    let full = if full_range && depth == 8 { "j" } else { "" };
                    let expected = format!("{codec},yuv{full}{name}p{deep},{range},{tags}");
                    assert_eq!(probe(&desk.path("out.mp4"), "v", entries), [expected], "{what}");
                    let (found, painted) = lumas(&desk, &desk.path("out.mp4"), scale, range);
                    let quality = psnr(&found, &painted);
                    assert!(quality >= 48.0, "{what}: luma at {quality} dB");
                }
            }
        }
    }
}

#[test]
fn rgb_becomes_bt709_and_says_so() {
    for name in ["out.mp4", "out.mkv", "out.mov", "out.webm"] {
        let desk = Desk::new();
        paint(&desk, name, &described(ColorInfo::BT709, Samples::RGB8, ""), &crf(4));
        let tags =
            probe(&desk.path(name), "v", "stream=color_range,color_space,color_transfer,color_primaries,pix_fmt");
        assert_eq!(tags, ["yuv420p,tv,bt709,bt709,bt709"], "{name}");
        let chain = "scale=in_color_matrix=bt709:in_range=tv:flags=accurate_rnd+full_chroma_int";
        assert_bars(&decoded_by_ffmpeg(&desk, &desk.path(name), chain), name);
    }
}

/// Ten bits are preserved to within one code value: swscale's floats are precise enough.
#[test]
fn ten_bits_stay_ten_bits() {
    let desk = Desk::new();
    let source = "-f lavfi -i gradients=s=128x96:r=25:d=0.2:c0=0x905030:c1=0x3060a0:seed=3 -pix_fmt yuv420p10le -c:v ffv1 -colorspace bt709";
    let input = desk.clip("in.mkv", source);
    let output = desk.transcode(&input, "out.mkv", ALL).unwrap();
    assert_eq!(probe(&output, "v", "stream=codec_name,pix_fmt"), ["ffv1,yuv420p10le"]);
    let raw = |path: &std::path::Path| -> Vec<u16> {
        let raw = desk.path("frames.raw");
        let arguments = ["-i".as_ref(), path.as_os_str(), "-f".as_ref(), "rawvideo".as_ref(), raw.as_os_str()];
        crate::common::ffmpeg(arguments);
        std::fs::read(&raw).unwrap().chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect()
    };
    let (before, after) = (raw(&input), raw(&output));
    assert_eq!(before.len(), after.len());
    let frame = 128 * 96 * 3 / 2;
    let luma =
        |samples: &[u16]| samples.chunks_exact(frame).flat_map(|frame| &frame[..128 * 96]).copied().collect::<Vec<_>>();
    let worst = luma(&before).iter().zip(luma(&after)).map(|(a, b)| a.abs_diff(b)).max().unwrap();
    assert!(worst <= 1, "luma is off by {worst}");
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
