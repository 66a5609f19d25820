//! Sizes, rotation, pixel aspect ratios and interlacing.

use crate::common::{ALL, Desk, decoded_by_ffmpeg, frames, probe, psnr};

const SOURCE: &str = "-f lavfi -i testsrc2=s=64x48:r=25:d=0.4";

/// Writes a display matrix into the first track of an MP4 (FFmpeg's own option for it changed between versions).
fn turn(bytes: &mut [u8], matrix: [i32; 9]) {
    let header = bytes.windows(4).position(|name| name == b"tkhd").unwrap();
    for (index, value) in matrix.into_iter().enumerate() {
        let at = header + 4 + 40 + 4 * index;
        bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
    }
}

#[test]
fn rotated_video_is_upright() {
    const ONE: i32 = 65536;
    const LAST: i32 = 0x4000_0000;
    let desk = Desk::new();
    let plain = desk.clip("plain.mp4", &format!("{SOURCE} -c:v libx264 -crf 8"));
    let turns = [
        ([0, ONE, 0, -ONE, 0, 0, 48 * ONE, 0, LAST], "transpose=clock", (48, 64)),
        ([0, -ONE, 0, ONE, 0, 0, 0, 64 * ONE, LAST], "transpose=cclock", (48, 64)),
        ([-ONE, 0, 0, 0, -ONE, 0, 64 * ONE, 48 * ONE, LAST], "hflip,vflip", (64, 48)),
        ([ONE, 0, 0, 0, -ONE, 0, 0, 48 * ONE, LAST], "vflip", (64, 48)),
    ];
    for (matrix, filter, size) in turns {
        let input = desk.changed(&plain, "turned.mp4", |bytes| turn(bytes, matrix));
        let (info, frames) = frames(&input, ALL).unwrap();
        assert_eq!((info.width, info.height), size, "{filter}");
        assert_eq!(frames.len(), 10);
        let chain = format!("scale=in_color_matrix=bt601:flags=bicubic+accurate_rnd+full_chroma_int,{filter}");
        let reference = decoded_by_ffmpeg(&desk, &plain, &chain);
        let bytes = frames[0].pixels.to_rgb8();
        let quality = psnr(&bytes, &reference[..bytes.len()]);
        assert!(quality > 40.0, "{filter}: {quality} dB");
        let output = desk.transcode(&input, "out.mp4", ALL).unwrap();
        assert_eq!(probe(&output, "v:0", "stream=width,height"), [format!("{},{}", size.0, size.1)]);
        assert!(probe(&output, "v:0", "stream_side_data=rotation").is_empty(), "no matrix is left");
    }
}

#[test]
fn odd_sizes() {
    let desk = Desk::new();
    let input = desk.clip("in.mkv", "-f lavfi -i testsrc=s=67x43:r=25:d=0.4 -c:v ffv1 -pix_fmt yuv420p");
    let (info, _) = frames(&input, ALL).unwrap();
    assert_eq!((info.width, info.height), (67, 43));
    // H.264 repeats the last column and row; VP9 does not need to.
    let h264 = desk.transcode(&input, "out.mp4", ALL).unwrap();
    assert_eq!(probe(&h264, "v:0", "stream=width,height"), ["68,44"]);
    let vp9 = desk.transcode(&input, "out.webm", ALL).unwrap();
    assert_eq!(probe(&vp9, "v:0", "stream=width,height"), ["67,43"]);
    let bytes = decoded_by_ffmpeg(&desk, &h264, "scale=in_color_matrix=bt601:flags=neighbor");
    let row = &bytes[..68 * 3];
    let near = |a: &[u8], b: &[u8]| a.iter().zip(b).all(|(&a, &b)| a.abs_diff(b) < 12);
    assert!(near(&row[66 * 3..67 * 3], &row[67 * 3..]), "the new column looks like the last one");
    let whole = desk.clip("in.mp4", "-f lavfi -i testsrc=s=67x43:r=25:d=0.4 -c:v libx264 -pix_fmt yuv444p -crf 8");
    let h264 = desk.transcode(&whole, "whole.mp4", ALL).unwrap();
    assert_eq!(probe(&h264, "v:0", "stream=width,height,pix_fmt"), ["67,43,yuv444p"], "nothing to repeat");
}

#[test]
fn pixel_shape_is_kept_and_turned() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", &format!("{SOURCE} -vf setsar=16/11 -c:v libx264"));
    // WebM stores the display size in whole pixels: 93 for 64 * 16 / 11.
    for (name, aspect) in [("out.mp4", "16:11"), ("out.mkv", "16:11"), ("out.webm", "93:64")] {
        let output = desk.transcode(&input, name, ALL).unwrap();
        assert_eq!(probe(&output, "v:0", "stream=sample_aspect_ratio"), [aspect], "{name}");
    }
    let turned =
        desk.changed(&input, "turned.mp4", |bytes| turn(bytes, [0, 65536, 0, -65536, 0, 0, 0, 0, 0x4000_0000]));
    let output = desk.transcode(&turned, "turned-out.mp4", ALL).unwrap();
    assert_eq!(probe(&output, "v:0", "stream=sample_aspect_ratio"), ["11:16"]);
}

#[test]
fn interlaced_video_is_deinterlaced() {
    let desk = Desk::new();
    let input = desk.clip(
        "in.ts",
        "-f lavfi -i testsrc2=s=96x64:r=50:d=0.4 -vf tinterlace=interleave_top,fieldorder=tff \
         -c:v mpeg2video -flags +ildct+ilme -q:v 2",
    );
    let (_, progressive) = frames(&input, ALL).unwrap();
    assert_eq!(progressive.len(), 10);
    let output = desk.transcode(&input, "out.mp4", ALL).unwrap();
    assert_eq!(probe(&output, "v:0", "packet=pts").len(), 10);
    // Combing: neighbouring rows differ more than rows two apart.
    let comb = |rgb: &[u8]| -> i64 {
        let row = |y: usize| &rgb[y * 96 * 3..(y + 1) * 96 * 3];
        let differ =
            |a: usize, b: usize| -> i64 { row(a).iter().zip(row(b)).map(|(&a, &b)| i64::from(a.abs_diff(b))).sum() };
        (0..62).map(|y| differ(y, y + 1) - differ(y, y + 2)).sum()
    };
    let raw = decoded_by_ffmpeg(&desk, &input, "null");
    let size = 96 * 64 * 3;
    let (before, after) = (comb(&raw[5 * size..6 * size]), comb(&progressive[5].pixels.to_rgb8()));
    assert!(after < before, "combing {before} before, {after} after");
}

#[test]
fn a_size_that_changes_is_scaled_to_the_first() {
    let desk = Desk::new();
    let small = desk.clip("small.ts", &format!("{SOURCE} -c:v libx264"));
    let large = desk.clip("large.ts", "-f lavfi -i testsrc2=s=96x80:r=25:d=0.4 -c:v libx264 -output_ts_offset 0.4");
    let mut bytes = std::fs::read(&small).unwrap();
    bytes.extend(std::fs::read(&large).unwrap());
    let both = desk.path("both.ts");
    std::fs::write(&both, bytes).unwrap();
    let (info, frames) = frames(&both, ALL).unwrap();
    assert_eq!(frames.len(), 20);
    assert!(frames.iter().all(|frame| (frame.pixels.width, frame.pixels.height) == (info.width, info.height)));
}
