//! Input that is too large is rejected before it is read, and the error names the setting that allows it.

use std::time::{Duration, Instant};

use image::{GrayImage, ImageEncoder};

use crate::common::Desk;
use crate::common::clips::Clip;
use crate::formats::harness::{identity, program};

/// Makes a small file whose header claims a picture of this size.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let one = GrayImage::new(1, 1);
    image::codecs::png::PngEncoder::new(&mut bytes).write_image(&one, 1, 1, image::ExtendedColorType::L8).unwrap();
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    bytes
}

/// Computes the CRC-32 of a PNG chunk, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[test]
fn a_picture_that_would_fill_the_memory() {
    let desk = Desk::new();
    for (size, key) in [((30_000, 30_000), "input.max_pixels"), ((40_000, 2), "input.max_side")] {
        let path = desk.path("bomb.png");
        std::fs::write(&path, bomb(size.0, size.1)).unwrap();
        let began = Instant::now();
        let ended = identity(&desk, &path, "out.png").run();
        assert_eq!(ended.code, 1, "{}", ended.stderr);
        assert!(
            ended.stderr.contains(key) && ended.stderr.contains(&format!("{}x{}", size.0, size.1)),
            "{}",
            ended.stderr
        );
        Clip::of(1).make(&desk, "in.mp4");
        let args = ["in.mp4", "--style", "bomb.png", "--backbone", "patches", "--size", "64", "-o", "out.mp4"];
        let out = program(&desk).args(args).output().unwrap();
        let stderr = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(key), "{stderr}");
        assert!(began.elapsed() < Duration::from_secs(40));
        // FFmpeg reads an animation's size from the same place.
        let ended = identity(&desk, &path, "out.mp4").with("--input-format png_pipe").run();
        assert_eq!(ended.code, 1, "{}", ended.stderr);
    }
}

#[test]
fn each_limit_holds_and_can_be_raised() {
    let desk = Desk::new();
    let clip = Clip::of(10).beside("-f lavfi -i sine=duration=0.4").and("-c:a aac -map 0:v -map 1:a");
    let input = clip.make(&desk, "in.mkv");
    for (index, (key, low, high)) in [
        ("input.max_frames", "9", "10"),
        ("input.max_duration", "0.2", "1"),
        ("input.max_pixels", "12287", "12288"),
        ("input.max_side", "127", "128"),
        ("input.max_streams", "1", "2"),
    ]
    .into_iter()
    .enumerate()
    {
        // (Frames painted before the limit is reached are kept next to the output, as after any other failure.)
        let set = format!("{key}={low}");
        let args = ["--stylizer", "identity", "in.mkv", "-o", "low.mkv", "--no-resume", "--set", &set];
        let out = program(&desk).args(args).output().unwrap();
        let stderr = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(1), "{key}: {stderr}");
        assert!(stderr.contains(&format!("--set {key}=N allows more")), "{key}: {stderr}");
        assert!(!desk.path("low.mkv").exists());
        drop(std::fs::remove_dir_all(desk.path(".low.mkv.stylize")));
        let ended = identity(&desk, &input, &format!("high{index}.mkv")).with(&format!("--set {key}={high}")).run();
        assert_eq!(ended.code, 0, "{key}: {}", ended.stderr);
    }
    // Skipped frames do not count.
    let ended = identity(&desk, &input, "part.mkv").with("--set input.max_frames=4 --frames 4").run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}

#[test]
fn sequences_and_animations_have_the_same_limits() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("frames")).unwrap();
    Clip::of(5).coded("-c:v png").make(&desk, "frames/%03d.png");
    Clip::of(5).coded("-c:v libwebp_anim").make(&desk, "in.webp");
    for input in ["frames", "in.webp"] {
        for limit in ["max_frames=4", "max_pixels=100", "max_side=100"] {
            let ended = identity(&desk, &desk.path(input), "out.mp4").with(&format!("--set input.{limit}")).run();
            assert_eq!(ended.code, 1, "{input} {limit}: {}", ended.stderr);
            assert!(ended.stderr.contains("allows more"), "{input} {limit}: {}", ended.stderr);
        }
    }
}

/// A path can name an endless device, so text files have a size limit.
#[test]
fn texts_have_an_end() {
    let desk = Desk::new();
    Clip::of(2).make(&desk, "in.mp4");
    let large = "# x\n".repeat(1 << 21);
    std::fs::write(desk.path("large.toml"), &large).unwrap();
    for args in [["--preset", "/dev/zero"], ["--preset", "./large.toml"], ["--cuts", "large.toml"]] {
        let out =
            program(&desk).args(["--stylizer", "identity", "in.mp4", "-o", "out.mp4"]).args(args).output().unwrap();
        let stderr = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains("larger than"), "{args:?}: {stderr}");
    }
}
