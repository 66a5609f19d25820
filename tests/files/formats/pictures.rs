//! Pictures, sequences of pictures, and animations.

use std::path::{Path, PathBuf};

use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, DynamicImage, ImageBuffer, ImageFormat, Rgb, RgbImage, RgbaImage};

use crate::common::Desk;
use crate::common::clips::{Clip, decoded, numbers, of_video, shown};
use crate::formats::harness::{identity, same_times};

/// Makes a folder of pictures; `make` returns each picture by its number.
fn folder(desk: &Desk, count: u32, make: impl Fn(u32) -> DynamicImage) -> PathBuf {
    let folder = desk.path("in");
    std::fs::create_dir(&folder).unwrap();
    for number in 0..count {
        make(number).save(folder.join(format!("f{number}.png"))).unwrap();
    }
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    // The file that lists the pictures has separate tests.
    let mut names: Vec<String> = entries.filter(|name| name != ".stylize-video.json").collect();
    names.sort_by(|a, b| natord::compare(a, b));
    names
}

fn assert_same_pictures(before: &Path, after: &Path) {
    assert_eq!(names(before), names(after));
    for name in names(before) {
        let open = |folder: &Path| image::open(folder.join(&name)).unwrap();
        assert_eq!(open(before).color(), open(after).color(), "{name}");
        assert!(open(before) == open(after), "{name} is not the same");
    }
}

#[test]
fn png_sequence_of_8_bits() {
    let desk = Desk::new();
    let clip = Clip::of(12);
    let input = folder(&desk, 12, |n| RgbImage::from_raw(128, 96, clip.picture(n)).unwrap().into());
    let output = identity(&desk, &input, "out").done();
    assert_same_pictures(&input, &output);
}

#[test]
fn png_sequence_of_16_bits() {
    let desk = Desk::new();
    let input = folder(&desk, 3, |n| {
        let shade = |x: u32, y: u32| (x * 499 + y * 17 + n * 5) as u16;
        ImageBuffer::<Rgb<u16>, _>::from_fn(120, 40, |x, y| Rgb([shade(x, y), shade(y, x), 65535 - shade(x, 7)])).into()
    });
    let output = identity(&desk, &input, "out").done();
    assert_same_pictures(&input, &output);
}

#[test]
fn png_sequence_with_alpha() {
    let desk = Desk::new();
    let clip = Clip::of(4).see_through();
    let input = folder(&desk, 4, |n| RgbaImage::from_raw(128, 96, clip.picture(n)).unwrap().into());
    let output = identity(&desk, &input, "out").done();
    assert_same_pictures(&input, &output);
}

#[test]
fn sequence_by_a_glob() {
    let desk = Desk::new();
    let clip = Clip::of(11);
    let input = folder(&desk, 11, |n| RgbImage::from_raw(128, 96, clip.picture(n)).unwrap().into());
    std::fs::write(input.join("notes.txt"), "no picture").unwrap();
    let output = identity(&desk, &input.join("f*.png"), "out").done();
    // f2 before f10.
    let expected: Vec<String> = (0..11).map(|n| format!("f{n}.png")).collect();
    assert_eq!(names(&output), expected);
    let first = image::open(output.join("f10.png")).unwrap().to_rgb8();
    assert!(first.into_raw() == clip.picture(10));
}

#[test]
fn sequence_to_video() {
    let desk = Desk::new();
    let clip = Clip::of(12);
    let input = folder(&desk, 12, |n| RgbImage::from_raw(128, 96, clip.picture(n)).unwrap().into());
    let output = identity(&desk, &input, "out.mp4").done();
    assert_eq!(numbers(&output), clip.numbers());
    assert_eq!(shown(&output), (0..12).map(|n| f64::from(n) / 25.0).collect::<Vec<_>>());
}

#[test]
fn video_to_sequence() {
    let desk = Desk::new();
    let input = Clip::of(12).make(&desk, "in.mp4");
    std::fs::create_dir(desk.path("made")).unwrap();
    let whole = identity(&desk, &input, "out/f_%03d.png").run();
    assert_eq!(whole.code, 0, "{}", whole.stderr);
    let expected: Vec<String> = (1..13).map(|n| format!("f_{n:03}.png")).collect();
    assert_eq!(names(&desk.path("out")), expected);
    assert_eq!(numbers(&desk.path("out/f_005.png")), [4]);
    // A part keeps the numbers of the source's frames.
    let part = identity(&desk, &input, "part/f_%03d.jpg").with("--start 0.2 --frames 3").run();
    assert_eq!(part.code, 0, "{}", part.stderr);
    assert_eq!(names(&desk.path("part")), ["f_006.jpg", "f_007.jpg", "f_008.jpg"]);
    assert_eq!(numbers(&desk.path("part/f_006.jpg")), [5]);
}

#[test]
fn jpeg_with_exif_orientation() {
    let desk = Desk::new();
    // Stored with a quarter turn to the left; orientation 6 means a turn to the right.
    let upright = RgbImage::from_raw(128, 96, Clip::of(1).picture(0x2d96)).unwrap();
    image::imageops::rotate270(&upright).save(desk.path("plain.jpg")).unwrap();
    let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let input = desk.changed(&desk.path("plain.jpg"), "in.jpg", |bytes| {
        bytes.splice(2..2, exif.iter().copied());
    });
    for name in ["out.png", "out.jpg"] {
        let output = identity(&desk, &input, name).done();
        assert_eq!(image::image_dimensions(&output).unwrap(), (128, 96));
        assert_eq!(numbers(&output), [0x2d96], "{name} is upright");
    }
}

#[test]
fn other_kinds_of_pictures() {
    let desk = Desk::new();
    let clip = Clip::of(1);
    let png = desk.path("in.png");
    RgbImage::from_raw(128, 96, clip.picture(77)).unwrap().save(&png).unwrap();
    for (name, exact) in [("in.webp", true), ("in.tiff", true), ("in.exr", false)] {
        let options = match name {
            "in.webp" => "-c:v libwebp -lossless 1 -pix_fmt bgra",
            "in.exr" => "-pix_fmt gbrpf32le",
            _ => "-pix_fmt rgb24",
        };
        let input = desk.clip(name, &format!("-i {} {options}", png.display()));
        let output = identity(&desk, &input, &format!("{name}.png")).ended_well();
        assert_eq!(numbers(&output), [77], "{name}");
        let got = image::open(&output).unwrap().to_rgb8().into_raw();
        assert!(!exact || got == clip.picture(77), "{name} is not the same");
    }
}

/// Makes an animation with uneven delays, in hundredths of a second.
fn uneven(codec: &str) -> Clip {
    Clip::of(9).filter("settb=1/100,setpts=N*6+4*mod(N\\,3)").coded(&format!("{codec} -fps_mode passthrough"))
}

#[test]
fn gif_with_uneven_delays() {
    let desk = Desk::new();
    let clip = uneven("-enc_time_base 1:100 -final_delay 30");
    let input = clip.make(&desk, "in.gif");
    for name in ["out.gif", "out.mp4"] {
        let output = identity(&desk, &input, name).done();
        assert_eq!(numbers(&output), clip.numbers(), "{name}");
        same_times(&input, &output);
    }
}

#[test]
fn apng() {
    let desk = Desk::new();
    let clip = uneven("-c:v apng -f apng -plays 0 -enc_time_base 1:100");
    let input = clip.make(&desk, "in.apng");
    for name in ["out.apng", "out.mp4"] {
        let output = identity(&desk, &input, name).done();
        assert_eq!(numbers(&output), clip.numbers(), "{name}");
        same_times(&input, &output);
    }
    let exact = |path: &Path| decoded(path, "", "null", "rgb24");
    assert!(exact(&input) == exact(&desk.path("out.apng")), "not bit for bit");
}

#[test]
fn webp_animation() {
    let desk = Desk::new();
    let clip = Clip::of(8);
    let input = clip.make(&desk, "in.mp4");
    let output = identity(&desk, &input, "out.webp").done();
    // FFmpeg 5.1 cannot read these.
    let file = std::io::BufReader::new(std::fs::File::open(&output).unwrap());
    let decoder = WebPDecoder::new(file).unwrap();
    assert!(decoder.has_animation());
    let frames = decoder.into_frames().collect_frames().unwrap();
    assert_eq!(frames.len(), 8);
    for (number, frame) in frames.into_iter().enumerate() {
        assert_eq!(frame.delay().numer_denom_ms(), (40, 1), "frame {number}");
        let still = desk.path("still.png");
        frame.into_buffer().save_with_format(&still, ImageFormat::Png).unwrap();
        assert_eq!(numbers(&still), [number as u32]);
    }
}

#[test]
fn video_to_gif() {
    let desk = Desk::new();
    let clip = Clip::of(10);
    let input = clip.make(&desk, "in.mp4");
    let output = identity(&desk, &input, "out.gif").done();
    assert_eq!(numbers(&output), clip.numbers());
    assert_eq!(of_video(&output, "codec_name,width,height"), "gif,128,96");
    same_times(&input, &output);
}
