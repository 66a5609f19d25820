#![allow(clippy::unwrap_used)]

use std::fs;

use image::{DynamicImage, ImageFormat, RgbImage, RgbaImage};

use super::*;

const TEXT: &str = "{\"a\":\"<&>\\u00e4\"}";

fn picture(format: ImageFormat, alpha: bool) -> Vec<u8> {
    let mut file = io::Cursor::new(Vec::new());
    let picture = if alpha {
        DynamicImage::from(RgbaImage::from_fn(7, 5, |x, y| image::Rgba([x as u8, y as u8, 3, 40 * x as u8])))
    } else {
        DynamicImage::from(RgbImage::from_fn(7, 5, |x, y| image::Rgb([x as u8, y as u8, 3])))
    };
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn read_bytes(bytes: &[u8]) -> Option<String> {
    let desk = tempfile::tempdir().unwrap();
    let path = desk.path().join("a");
    fs::write(&path, bytes).unwrap();
    read(&path).unwrap()
}

#[test]
fn pictures_keep_their_pixels_and_hold_a_text() {
    let long = "x".repeat(200_000);
    for (format, alpha) in [
        (ImageFormat::Png, false),
        (ImageFormat::Png, true),
        (ImageFormat::Jpeg, false),
        (ImageFormat::WebP, false),
        (ImageFormat::WebP, true),
    ] {
        let plain = picture(format, alpha);
        assert_eq!(read_bytes(&plain), None, "{format:?}");
        for text in [TEXT, &long] {
            let labelled = in_picture(plain.clone(), text).unwrap();
            assert_eq!(read_bytes(&labelled).as_deref(), Some(text), "{format:?}");
            let (a, b) = (image::load_from_memory(&plain).unwrap(), image::load_from_memory(&labelled).unwrap());
            assert_eq!(a, b, "{format:?}");
        }
    }
}

#[test]
fn a_box_comes_behind_all_others() {
    let desk = tempfile::tempdir().unwrap();
    let path = desk.path().join("a.mp4");
    let plain = b"\0\0\0\x0cftypisom\0\0\0\x01mdat\0\0\0\0\0\0\0\x12ab";
    fs::write(&path, plain).unwrap();
    assert_eq!(read(&path).unwrap(), None);
    in_file(&path, TEXT).unwrap();
    assert_eq!(read(&path).unwrap().as_deref(), Some(TEXT));
    assert!(fs::read(&path).unwrap().starts_with(plain));
}

#[test]
fn a_gif_repeats_first_and_speaks_then() {
    let desk = tempfile::tempdir().unwrap();
    let path = desk.path().join("a.gif");
    let head = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0";
    let body = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0\x3b";
    fs::write(&path, [head.as_slice(), body].concat()).unwrap();
    assert_eq!(read(&path).unwrap(), None);
    in_file(&path, TEXT).unwrap();
    let bytes = fs::read(&path).unwrap();
    assert!(bytes.starts_with(head) && bytes.ends_with(body));
    assert_eq!(read(&path).unwrap().as_deref(), Some(TEXT));
}

#[test]
fn an_animation_speaks_behind_its_first_picture() {
    let chunk = |name: &[u8; 4], data: &[u8]| {
        let sum = crc32fast::hash(&[name.as_slice(), data].concat());
        [&(data.len() as u32).to_be_bytes(), name.as_slice(), data, &sum.to_be_bytes()].concat()
    };
    let signature = b"\x89PNG\r\n\x1a\n".to_vec();
    let head = [signature, chunk(b"IHDR", &[1; 13]), chunk(b"acTL", &[1; 8]), chunk(b"fcTL", &[1; 26])].concat();
    let first = [head, chunk(b"IDAT", b"abc"), chunk(b"IDAT", b"de")].concat();
    for rest in [chunk(b"IEND", &[]), [chunk(b"fcTL", &[1; 26]), chunk(b"fdAT", b"xyz"), chunk(b"IEND", &[])].concat()]
    {
        let labelled = in_picture([first.as_slice(), &rest].concat(), TEXT).unwrap();
        assert!(labelled.starts_with(&first) && labelled.ends_with(&rest));
        assert_eq!(read_bytes(&labelled).as_deref(), Some(TEXT));
    }
}

#[test]
fn damaged_files_have_no_text_and_do_no_harm() {
    let (png, jpeg, webp) =
        (picture(ImageFormat::Png, true), picture(ImageFormat::Jpeg, false), picture(ImageFormat::WebP, true));
    for plain in [png, jpeg, webp] {
        let labelled = in_picture(plain, TEXT).unwrap();
        for length in 0..labelled.len() {
            read_bytes(&labelled[..length]);
        }
        for place in 0..labelled.len() {
            let mut flipped = labelled.clone();
            flipped[place] ^= 0xff;
            read_bytes(&flipped);
        }
    }
    // A chunk that claims a length of four gigabytes.
    assert_eq!(read_bytes(b"\x89PNG\r\n\x1a\n\xff\xff\xff\xfftEXtabc"), None);
    assert_eq!(read_bytes(b"RIFF\xff\xff\xff\xffWEBPXMP \xff\xff\xff\xffabc"), None);
    assert_eq!(read_bytes(b"\0\0\0\x01ftyp\xff\xff\xff\xff\xff\xff\xff\xff"), None);
    assert_eq!(read_bytes(b""), None);
    assert_eq!(read(Path::new("/")).unwrap(), None, "a folder");
}
