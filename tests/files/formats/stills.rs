//! Pictures as print shops, museums and phones make them.

use std::fs;
use std::path::Path;

use crate::common::Desk;
use crate::formats::harness::{identity, program};

fn pixel(path: &Path, x: u32, y: u32) -> [u8; 3] {
    image::open(path).unwrap().to_rgb8().get_pixel(x, y).0
}

fn is_red([r, g, b]: [u8; 3]) -> bool {
    r > 225 && g < 45 && b < 45
}

/// Makes a JPEG of 16x16 with four uniform components.
fn inks(values: [u8; 4], adobe: Option<u8>) -> Vec<u8> {
    let segment =
        |marker: u8, data: &[u8]| [&[0xff, marker], &(data.len() as u16 + 2).to_be_bytes()[..], data].concat();
    let mut out = vec![0xff, 0xd8];
    if let Some(transform) = adobe {
        out.extend(segment(0xee, &[b"Adobe\0\x64\0\0\0\0".as_slice(), &[transform]].concat()));
    }
    out.extend(segment(0xdb, &[&[0][..], &[8; 64]].concat()));
    let components: Vec<u8> = (1..=4).flat_map(|n| [n, 0x11, 0]).collect();
    out.extend(segment(0xc0, &[&[8, 0, 16, 0, 16, 4][..], &components].concat()));
    out.extend(segment(0xc4, &[&[0, 0, 0, 0, 9][..], &[0; 12], &(0..9).collect::<Vec<u8>>()].concat()));
    out.extend(segment(0xc4, &[&[0x10, 1][..], &[0; 15], &[0]].concat()));
    let selectors: Vec<u8> = (1..=4).flat_map(|n| [n, 0]).collect();
    out.extend(segment(0xda, &[&[4][..], &selectors, &[0, 63, 0]].concat()));
    let (mut bits, mut last) = (String::new(), [0_i32; 4]);
    for _ in 0..4 {
        for (value, last) in values.iter().zip(&mut last) {
            let step = i32::from(*value) - 128 - *last;
            *last += step;
            let size = 32 - step.unsigned_abs().leading_zeros() as usize;
            bits += &format!("{size:04b}");
            if size > 0 {
                let code = if step > 0 { step } else { step + (1 << size) - 1 };
                bits += &format!("{code:0size$b}");
            }
            bits.push('0');
        }
    }
    bits += &"1".repeat((8 - bits.len() % 8) % 8);
    for byte in bits.as_bytes().chunks(8) {
        let byte = byte.iter().fold(0_u8, |value, bit| value << 1 | (bit - b'0'));
        out.push(byte);
        if byte == 0xff {
            out.push(0);
        }
    }
    [out, vec![0xff, 0xd9]].concat()
}

#[test]
fn inks_with_the_marker_of_adobe() {
    let desk = Desk::new();
    for (name, bytes) in
        [("adobe.jpg", inks([255, 0, 0, 255], Some(0))), ("ycck.jpg", inks([179, 171, 0, 255], Some(2)))]
    {
        fs::write(desk.path(name), bytes).unwrap();
        let output = identity(&desk, &desk.path(name), &format!("{name}.png")).ended_well();
        assert!(is_red(pixel(&output, 8, 8)), "{name}: {:?}", pixel(&output, 8, 8));
    }
}

#[test]
fn inks_without_a_marker() {
    let desk = Desk::new();
    fs::write(desk.path("plain.jpg"), inks([0, 255, 255, 0], None)).unwrap();
    let output = identity(&desk, &desk.path("plain.jpg"), "out.png").warned(&[&["CMYK", "guess"]]);
    assert!(is_red(pixel(&output, 8, 8)), "{:?}", pixel(&output, 8, 8));
    // As a style picture, it is read in the same way.
    let mut command = program(&desk);
    command.args(["out.png", "-o", "painted.png", "--style", "plain.jpg", "--backbone", "patches", "--size", "32"]);
    assert!(command.args(["--iterations", "1", "--device", "cpu"]).output().unwrap().status.success());
}

/// Makes an uncompressed TIFF of three samples per pixel, 8 bits each, all pixels equal.
fn tiff(meaning: u16, sample: [u8; 3]) -> Vec<u8> {
    let (width, height) = (8_u16, 8_u16);
    let count = u32::from(width) * u32::from(height) * 3;
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let entries = [
        entry(256, 3, 1, width.into()),
        entry(257, 3, 1, height.into()),
        entry(258, 3, 3, 8 + count),
        entry(259, 3, 1, 1),
        entry(262, 3, 1, meaning.into()),
        entry(273, 4, 1, 8),
        entry(277, 3, 1, 3),
        entry(278, 3, 1, height.into()),
        entry(279, 4, 1, count),
    ];
    let pixels: Vec<u8> = (0..64).flat_map(|_| sample).collect();
    let head = [b"II*\0".as_slice(), &(8 + count + 6).to_le_bytes()].concat();
    let bits = [8_u16; 3].map(u16::to_le_bytes).concat();
    [head, pixels, bits, (entries.len() as u16).to_le_bytes().to_vec(), entries.concat(), vec![0; 4]].concat()
}

#[test]
fn tiff_in_lab() {
    let desk = Desk::new();
    // Red, with a and b stored signed, and stored with an offset.
    for (name, meaning, sample) in [("cie.tif", 8, [138, 81, 70]), ("icc.tif", 9, [138, 209, 198])] {
        fs::write(desk.path(name), tiff(meaning, sample)).unwrap();
        let output = identity(&desk, &desk.path(name), &format!("{name}.png")).ended_well();
        assert!(is_red(pixel(&output, 4, 4)), "{name}: {:?}", pixel(&output, 4, 4));
    }
}

fn with_chunk(png: &[u8], kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let named = [kind.as_slice(), data].concat();
    let chunk = [&(data.len() as u32).to_be_bytes(), named.as_slice(), &crc32fast::hash(&named).to_be_bytes()].concat();
    // After the 25-byte header chunk.
    [&png[..33], &chunk, &png[33..]].concat()
}

#[test]
fn gamma_of_a_png() {
    let desk = Desk::new();
    image::RgbImage::from_pixel(8, 8, image::Rgb([128, 128, 128])).save(desk.path("plain.png")).unwrap();
    let plain = fs::read(desk.path("plain.png")).unwrap();
    for (name, gamma, expected) in [("linear.png", 100_000_u32, 188), ("mac.png", 55_556, 147)] {
        fs::write(desk.path(name), with_chunk(&plain, b"gAMA", &gamma.to_be_bytes())).unwrap();
        let output = identity(&desk, &desk.path(name), &format!("out-{name}")).ended_well();
        let got = i32::from(pixel(&output, 4, 4)[0]);
        assert!((got - expected).abs() <= 2, "{name}: {got}");
    }
    // The gamma values of sRGB and of video change nothing.
    for (name, gamma) in [("srgb.png", 45_455_u32), ("video.png", 50_994)] {
        fs::write(desk.path(name), with_chunk(&plain, b"gAMA", &gamma.to_be_bytes())).unwrap();
        let output = identity(&desk, &desk.path(name), &format!("out-{name}")).done();
        assert_eq!(pixel(&output, 4, 4), [128; 3], "{name}");
    }
}

#[test]
fn colour_profiles() {
    let desk = Desk::new();
    let with = |profile: &moxcms::ColorProfile| {
        use image::ImageEncoder;
        let mut bytes = Vec::new();
        let mut encoder = image::codecs::png::PngEncoder::new(&mut bytes);
        encoder.set_icc_profile(profile.encode().unwrap()).unwrap();
        encoder.write_image(&[200, 100, 50].repeat(64), 8, 8, image::ExtendedColorType::Rgb8).unwrap();
        bytes
    };
    fs::write(desk.path("wide.png"), with(&moxcms::ColorProfile::new_display_p3())).unwrap();
    let output = identity(&desk, &desk.path("wide.png"), "out-wide.png").ended_well();
    let [r, g, b] = pixel(&output, 4, 4);
    assert!(r > 208 && g < 100 && b < 50, "{:?}", [r, g, b]);
    fs::write(desk.path("same.png"), with(&moxcms::ColorProfile::new_srgb())).unwrap();
    let output = identity(&desk, &desk.path("same.png"), "out-same.png").done();
    assert_eq!(pixel(&output, 4, 4), [200, 100, 50]);
}

#[test]
fn grey_with_alpha_and_a_palette_with_holes() {
    let desk = Desk::new();
    let alpha =
        |path: &Path| -> Vec<u8> { image::open(path).unwrap().to_rgba8().pixels().map(|pixel| pixel.0[3]).collect() };
    let clear = |x: u32| if x < 32 { 0 } else { 255 };
    let grey = image::GrayAlphaImage::from_fn(64, 64, |x, y| image::LumaA([(2 * x + y) as u8, clear(x)]));
    grey.save(desk.path("grey.png")).unwrap();
    let holes = "-f lavfi -i testsrc2=s=64x64:r=1:d=1 -vf format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='if(lt(X,32),0,255)',\
                 split[a][b];[a]palettegen=reserve_transparent=1[p];[b][p]paletteuse -frames:v 1";
    desk.clip("palette.png", holes);
    for name in ["grey.png", "palette.png"] {
        let output = identity(&desk, &desk.path(name), &format!("out-{name}")).ended_well();
        assert_eq!(alpha(&output), alpha(&desk.path(name)), "{name}");
    }
}

#[test]
fn what_is_transparent_in_a_style_does_not_count() {
    let desk = Desk::new();
    desk.clip("in.png", "-f lavfi -i testsrc=s=48x48 -frames:v 1 -update 1");
    // The pictures differ only in the colours under their transparent areas.
    let style = |hidden: [u8; 3]| {
        image::RgbaImage::from_fn(48, 48, |x, y| {
            let light = if (x / 4 + y / 4) % 2 == 0 { 220 } else { 40 };
            if x < 24 {
                image::Rgba([hidden[0], hidden[1], hidden[2], 0])
            } else {
                image::Rgba([light, light / 2, 90, 255])
            }
        })
    };
    let painted = |name: &str, hidden: [u8; 3]| {
        style(hidden).save(desk.path(&format!("{name}.png"))).unwrap();
        let mut command = program(&desk);
        command.args(["in.png", "-o", &format!("out-{name}.png"), "--style", &format!("{name}.png")]);
        command.args(["--backbone", "patches", "--size", "48", "--iterations", "2", "--device", "cpu"]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        image::open(desk.path(&format!("out-{name}.png"))).unwrap().to_rgb8()
    };
    assert!(painted("red", [255, 0, 0]) == painted("blue", [0, 0, 255]), "hidden colours are painted");
}

#[test]
fn avif_is_read() {
    let desk = Desk::new();
    let input =
        desk.clip("in.avif", "-f lavfi -i color=red:s=64x48 -frames:v 1 -c:v libaom-av1 -cpu-used 8 -still-picture 1");
    let ended = identity(&desk, &input, "out.png").run();
    if ended.code != 0 {
        assert!(ended.stderr.contains("convert it: "), "{}", ended.stderr);
        return;
    }
    assert!(is_red(pixel(&ended.output, 8, 8)), "{:?}", pixel(&ended.output, 8, 8));
    // For a picture that this FFmpeg cannot read, the error names a converter.
    let mut bytes = fs::read(&input).unwrap();
    bytes[8..12].copy_from_slice(b"heic");
    bytes.iter_mut().skip(16).take(8).for_each(|byte| *byte = b'x');
    fs::write(desk.path("in.heic"), &bytes[..200]).unwrap();
    identity(&desk, &desk.path("in.heic"), "no.png").refused(&["heic", "convert it: "]);
}
