//! Pictures and sequences of them.

use image::{ImageBuffer, Rgb, RgbImage, RgbaImage};
use stylize_video::decode::{self, DecodeError};
use stylize_video::encode::Target;
use stylize_video::media::{Input, Names, Output, Range};
use stylize_video::settings::InputSettings;

use crate::common::{ALL, Desk, Failure, convert, probe};

fn pattern(seed: u32) -> RgbImage {
    RgbImage::from_fn(37, 23, |x, y| Rgb([(x * 7 + seed) as u8, (y * 11) as u8, (x * y + seed) as u8]))
}

fn target(desk: &Desk, output: Output) -> Target {
    Target { output, work: desk.path("") }
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
    // An EXIF block with nothing but orientation 6 (a quarter turn clockwise), right after the start marker.
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
