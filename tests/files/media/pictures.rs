//! Single pictures and sequences of pictures.

use image::{ImageBuffer, Rgb, RgbImage, RgbaImage};
use stylize_video::decode::{self, DecodeError};
use stylize_video::encode::Target;
use stylize_video::media::{Frame, Input, MediaInfo, Model, Names, Output, Range, Samples};
use stylize_video::settings::InputSettings;

use crate::common::{ALL, Desk, Failure, convert, frames, probe};

fn pattern(seed: u32) -> RgbImage {
    RgbImage::from_fn(37, 23, |x, y| Rgb([(x * 7 + seed) as u8, (y * 11) as u8, (x * y + seed) as u8]))
}

fn target(desk: &Desk, output: Output) -> Target {
    Target { output, work: desk.path(""), label: None }
}

#[test]
fn a_picture_comes_out_as_it_went_in() {
    let desk = Desk::new();
    pattern(3).save(desk.path("in.png")).unwrap();
    for name in ["out.png", "out.webp"] {
        let output = Output::Picture(desk.path(name));
        convert(&Input::Picture(desk.path("in.png")), &target(&desk, output), ALL, |_| {}).unwrap();
        assert_eq!(image::open(desk.path(name)).unwrap().to_rgb8(), pattern(3), "{name}");
    }
    let output = Output::Picture(desk.path("out.jpg"));
    convert(&Input::Picture(desk.path("in.png")), &target(&desk, output), ALL, |_| {}).unwrap();
    assert_eq!(image::image_dimensions(desk.path("out.jpg")).unwrap(), (37, 23));
}

#[test]
fn transparency_is_kept() {
    let desk = Desk::new();
    let picture = RgbaImage::from_fn(9, 5, |x, y| image::Rgba([x as u8 * 20, y as u8 * 40, 7, (x * y * 6) as u8]));
    picture.save(desk.path("in.png")).unwrap();
    let output = Output::Picture(desk.path("out.png"));
    convert(&Input::Picture(desk.path("in.png")), &target(&desk, output), ALL, |_| {}).unwrap();
    assert_eq!(image::open(desk.path("out.png")).unwrap().to_rgba8(), picture);
}

#[test]
fn sixteen_bits_are_read_exactly() {
    let desk = Desk::new();
    let picture = ImageBuffer::<Rgb<u16>, _>::from_fn(5, 4, |x, y| Rgb([x as u16 * 13001, y as u16 * 9001, 65535]));
    picture.save(desk.path("in.png")).unwrap();
    let mut source = decode::open(&Input::Picture(desk.path("in.png")), ALL, &InputSettings::default()).unwrap();
    let frame = source.next().unwrap().unwrap();
    assert!(source.next().unwrap().is_none());
    for (i, pixel) in picture.pixels().enumerate() {
        for channel in 0..3 {
            assert_eq!(frame.pixels.rgb[channel * 20 + i], f32::from(pixel.0[channel]) / 65535.0);
        }
    }
}

#[test]
fn jpeg_orientation_is_applied() {
    let desk = Desk::new();
    pattern(0).save(desk.path("plain.jpg")).unwrap();
    // An EXIF block that contains only orientation 6 (a quarter turn clockwise), right after the start marker.
    let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let path = desk.changed(&desk.path("plain.jpg"), "turned.jpg", |bytes| {
        bytes.splice(2..2, exif.iter().copied());
    });
    let source = decode::open(&Input::Picture(path), ALL, &InputSettings::default()).unwrap();
    assert_eq!((source.info().width, source.info().height), (23, 37));
}

fn sequence(desk: &Desk, count: u32) -> (Input, Vec<String>) {
    let folder = desk.path("pictures");
    std::fs::create_dir(&folder).unwrap();
    let names: Vec<String> = (0..count).map(|n| format!("p{n}.png")).collect();
    for (n, name) in (0..count).zip(&names) {
        pattern(n).save(folder.join(name)).unwrap();
    }
    let files = names.iter().map(|name| folder.join(name)).collect();
    (Input::Sequence { folder, files }, names)
}

#[test]
fn a_sequence_comes_out_as_it_went_in() {
    let desk = Desk::new();
    let (input, names) = sequence(&desk, 4);
    let output = Output::Sequence { folder: desk.path("out"), names: Names::Listed(names.clone()) };
    assert_eq!(convert(&input, &target(&desk, output.clone()), ALL, |_| {}).unwrap(), 4);
    for (n, name) in (0..).zip(&names) {
        assert_eq!(image::open(desk.path("out").join(name)).unwrap().to_rgb8(), pattern(n), "{name}");
    }
    // A part keeps the names of its pictures.
    std::fs::remove_dir_all(desk.path("out")).unwrap();
    convert(&input, &target(&desk, output), Range { start: 0.08, frames: Some(1) }, |_| {}).unwrap();
    let left: Vec<_> = std::fs::read_dir(desk.path("out")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["p2.png"]);
}

#[test]
fn a_sequence_becomes_a_video() {
    let desk = Desk::new();
    let (input, _) = sequence(&desk, 4);
    let output = Output::Video(desk.path("out.mp4"));
    convert(&input, &target(&desk, output), ALL, |_| {}).unwrap();
    assert_eq!(probe(&desk.path("out.mp4"), "v", "packet=pts_time").len(), 4);
    assert_eq!(probe(&desk.path("out.mp4"), "v", "stream=avg_frame_rate"), ["25/1"]);
    assert_eq!(probe(&desk.path("out.mp4"), "v", "format=duration"), ["0.160000"]);
}

#[test]
fn pictures_of_two_sizes_are_no_sequence() {
    let desk = Desk::new();
    let (input, names) = sequence(&desk, 3);
    RgbImage::new(40, 23).save(desk.path("pictures/p2.png")).unwrap();
    let output = Output::Sequence { folder: desk.path("out"), names: Names::Listed(names) };
    let error = convert(&input, &target(&desk, output), ALL, |_| {}).unwrap_err();
    assert!(matches!(error, Failure::Decode(DecodeError::Sizes { .. })));
    let text = error.to_string();
    assert!(text.contains("p2.png: is 40x23") && text.contains("p0.png is 37x23"), "{text}");
}

#[test]
fn no_picture_at_all() {
    let desk = Desk::new();
    std::fs::write(desk.path("text.png"), "hello").unwrap();
    std::fs::write(desk.path("empty.png"), "").unwrap();
    let text = |name: &str| match decode::open(&Input::Picture(desk.path(name)), ALL, &InputSettings::default()) {
        Ok(_) => panic!("{name} was read"),
        Err(error) => error.to_string(),
    };
    assert!(text("text.png").contains("text.png: is not a picture"));
    assert!(text("empty.png").contains("empty.png: the file is empty"));
    assert!(text("none.png").contains("none.png: there is no such file"));
}

/// Returns the media info and the first frame of an input.
fn first(input: &Input, settings: &InputSettings) -> (MediaInfo, Frame) {
    let mut source = decode::open(input, ALL, settings).unwrap();
    let frame = source.next().unwrap().unwrap();
    (source.info().clone(), frame)
}

#[test]
fn tiff_and_bmp_are_read_exactly() {
    let desk = Desk::new();
    let deep = ImageBuffer::<image::Rgba<u16>, _>::from_fn(5, 4, |x, y| {
        image::Rgba([x as u16 * 13001, y as u16 * 9001, 65535, 65535 - x as u16 * 7])
    });
    deep.save(desk.path("deep.tiff")).unwrap();
    let (info, frame) = first(&Input::Picture(desk.path("deep.tiff")), &InputSettings::default());
    assert_eq!((info.samples.depth, info.samples.alpha, info.samples.model), (16, true, Model::Rgb));
    for (i, pixel) in deep.pixels().enumerate() {
        for channel in 0..3 {
            assert_eq!(frame.pixels.rgb[channel * 20 + i], f32::from(pixel.0[channel]) / 65535.0);
        }
        assert_eq!(frame.pixels.alpha.as_ref().unwrap()[i], f32::from(pixel.0[3]) / 65535.0);
    }
    pattern(5).save(desk.path("in.bmp")).unwrap();
    let (info, frame) = first(&Input::Picture(desk.path("in.bmp")), &InputSettings::default());
    assert_eq!((info.samples, frame.pixels.to_rgb8()), (Samples::RGB8, pattern(5).into_raw()));
    image::GrayImage::from_pixel(3, 2, image::Luma([77])).save(desk.path("grey.png")).unwrap();
    let (info, _) = first(&Input::Picture(desk.path("grey.png")), &InputSettings::default());
    assert_eq!((info.samples.model, info.samples.depth), (Model::Grey, 8));
}

#[test]
fn linear_light_gets_the_curve_of_srgb() {
    let desk = Desk::new();
    let linear = ImageBuffer::<Rgb<f32>, _>::from_fn(4, 1, |x, _| Rgb([[0.0, 0.002, 0.214_04, 7.5][x as usize]; 3]));
    image::DynamicImage::ImageRgb32F(linear).save(desk.path("in.exr")).unwrap();
    let (info, frame) = first(&Input::Picture(desk.path("in.exr")), &InputSettings::default());
    assert_eq!(info.samples.depth, 32);
    for (got, expected) in frame.pixels.rgb.iter().zip([0.0, 0.025_84, 0.5, 1.0]) {
        assert!((got - expected).abs() < 1e-3, "{got} for {expected}");
    }
}

/// Makes an animation with `delays` in milliseconds; frame `n` is a square of grey `40 n`, its last half transparent.
fn animation(desk: &Desk, delays: &[u32]) -> std::path::PathBuf {
    let mut chunks = Vec::new();
    let mut chunk = |name: &[u8; 4], data: &[u8]| {
        chunks.extend_from_slice(name);
        chunks.extend_from_slice(&(data.len() as u32).to_le_bytes());
        chunks.extend_from_slice(data);
        chunks.extend(std::iter::repeat_n(0, data.len() % 2));
    };
    let size = |pixels: u32| (pixels - 1).to_le_bytes()[..3].to_vec();
    // Flags: animation and alpha.
    chunk(b"VP8X", &[vec![0x12, 0, 0, 0], size(8), size(8)].concat());
    chunk(b"ANIM", &[0; 6]);
    for (n, delay) in (0..).zip(delays) {
        let alpha = if n + 1 == delays.len() { 128 } else { 255 };
        let picture = RgbaImage::from_pixel(8, 8, image::Rgba([40 * n as u8, 40 * n as u8, 40 * n as u8, alpha]));
        picture.save(desk.path("one.webp")).unwrap();
        let one = std::fs::read(desk.path("one.webp")).unwrap();
        let at = one.windows(4).position(|name| name == b"VP8L").unwrap();
        // Without blending: the picture replaces the previous one.
        let head = [vec![0; 6], size(8), size(8), delay.to_le_bytes()[..3].to_vec(), vec![2]].concat();
        chunk(b"ANMF", &[head, one[at..].to_vec()].concat());
    }
    let mut file = b"RIFF".to_vec();
    file.extend_from_slice(&(chunks.len() as u32 + 4).to_le_bytes());
    file.extend_from_slice(b"WEBP");
    file.extend_from_slice(&chunks);
    std::fs::write(desk.path("in.webp"), file).unwrap();
    desk.path("in.webp")
}

#[test]
fn an_animated_webp_is_read_with_its_times_and_alpha() {
    let desk = Desk::new();
    let input = animation(&desk, &[40, 120, 70, 0, 30]);
    let (info, all) = frames(&input, ALL).unwrap();
    assert_eq!((info.width, info.height, info.frames, info.samples.alpha), (8, 8, Some(5), true));
    let timings: Vec<_> = all.iter().map(|frame| (frame.timing.pts, frame.timing.duration.unwrap())).collect();
    assert_eq!(timings, [(0, 40), (40, 120), (160, 70), (230, 100), (330, 30)]);
    for (n, frame) in all.iter().enumerate() {
        assert_eq!(frame.pixels.to_rgb8()[0], 40 * n as u8);
        let alpha = if n == 4 { 128.0 / 255.0 } else { 1.0 };
        assert_eq!(frame.pixels.alpha.as_ref().unwrap()[63], alpha);
    }
    let (info, part) = frames(&input, Range { start: 0.1, frames: Some(2) }).unwrap();
    assert_eq!((info.first, info.frames, part.len(), part[0].timing.pts), (2, Some(2), 2, 160));
    assert!(matches!(frames(&input, Range { start: 9.0, frames: None }), Err(DecodeError::StartsAfterEnd { .. })));
    // A truncated file is an error, not a shorter animation.
    let half = desk.changed(&input, "half.webp", |bytes| bytes.truncate(bytes.len() * 2 / 3));
    let error = frames(&half, ALL).map(|(_, frames)| frames.len()).unwrap_err();
    assert!(error.to_string().contains("half.webp"), "{error}");
}

#[test]
fn filters_on_pictures() {
    let desk = Desk::new();
    pattern(3).save(desk.path("in.png")).unwrap();
    let settings = InputSettings { filter: "crop=10:8:4:2".into(), ..InputSettings::default() };
    let (info, frame) = first(&Input::Picture(desk.path("in.png")), &settings);
    assert_eq!((info.width, info.height), (10, 8));
    for y in 0..8 {
        for x in 0..10 {
            let expected = pattern(3).get_pixel(x + 4, y + 2).0;
            let at = 3 * (y * 10 + x) as usize;
            let got = &frame.pixels.to_rgb8()[at..at + 3];
            assert!(expected.iter().zip(got).all(|(a, b)| a.abs_diff(*b) <= 1), "{got:?} for {expected:?}");
        }
    }
    let (input, _) = sequence(&desk, 6);
    let every_second = InputSettings { filter: "select=not(mod(n\\,2))".into(), ..InputSettings::default() };
    let mut source = decode::open(&input, ALL, &every_second).unwrap();
    let mut pts = Vec::new();
    while let Some(frame) = source.next().unwrap() {
        pts.push(frame.timing.base.seconds(frame.timing.pts));
    }
    assert_eq!(pts, [0.0, 0.08, 0.16]);
    let wrong = InputSettings { filter: "nosuch".into(), ..InputSettings::default() };
    assert!(matches!(decode::open(&input, ALL, &wrong).map(|_| ()), Err(DecodeError::Filter { .. })));
}
