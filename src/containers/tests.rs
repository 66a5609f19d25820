#![allow(clippy::unwrap_used)]

use std::io::Cursor;

use super::*;

/// A walk over a whole file: where each piece begins or what it is, in numbers.
type Walk = fn(&mut Cursor<Vec<u8>>) -> io::Result<Vec<u64>>;

fn over_boxes(file: &mut Cursor<Vec<u8>>) -> io::Result<Vec<u64>> {
    let mut walk = boxes::Boxes::new(file)?;
    let length = walk.length();
    let found = walk.by_ref().map(|found| found.map(|found| found.contents(length).map_or(0, |range| range.end)));
    found.collect()
}

fn over_elements(file: &mut Cursor<Vec<u8>>) -> io::Result<Vec<u64>> {
    ebml::Elements::new(file)?.map(|found| found.map(|found| found.end().unwrap_or(0))).collect()
}

fn over_riff(file: &mut Cursor<Vec<u8>>) -> io::Result<Vec<u64>> {
    riff::Chunks::new(file, riff::FIRST)?.map(|found| found.map(|found| found.end())).collect()
}

fn over_png(file: &mut Cursor<Vec<u8>>) -> io::Result<Vec<u64>> {
    png::Chunks::new(file, 8)?.map(|found| found.map(|found| found.contents().end)).collect()
}

fn over_gif(file: &mut Cursor<Vec<u8>>) -> io::Result<Vec<u64>> {
    let mut walk = gif::Extensions::new(file)?;
    let mut found = Vec::new();
    while let Some(label) = walk.next().transpose()? {
        found.push(u64::from(label));
        found.push(walk.contents(4)?.len() as u64);
    }
    Ok(found)
}

fn over_jpeg(file: &mut Cursor<Vec<u8>>) -> io::Result<Vec<u64>> {
    jpeg::Segments::new(file)?
        .map(|found| found.map(|found| found.contents().map_or(0, |contents| contents.end)))
        .collect()
}

/// A small file, its walk, and what is found in it.
fn files() -> [(Vec<u8>, Walk, &'static [u64]); 6] {
    let mp4 = b"\0\0\0\x0cftypisom\0\0\0\x01mdat\0\0\0\0\0\0\0\x12ab\0\0\0\x08moov\0\0\0\0free";
    let mkv = b"\x1a\x45\xdf\xa3\x81\x07\x18\x53\x80\x67\xff\x1f\x43\xb6\x75\x01\0\0\0\0\0\0\x02ab\xec\x40\x01\0";
    let webp = b"RIFF\x1f\0\0\0WEBPVP8X\x03\0\0\0abc\0ANMF\x04\0\0\0abcd";
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\x02IHDRab1234\0\0\0\0IEND1234";
    let gif = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff\x21\xff\x03abc\x02de\0\x21\xf9\x01a\0\x2c\0";
    let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xff\xfe\0\x03a\xff\xda\0\0";
    [
        (mp4.to_vec(), over_boxes, &[12, 30, 38, 0]),
        (mkv.to_vec(), over_elements, &[6, 0, 25, 29]),
        (webp.to_vec(), over_riff, &[23, 36]),
        (png.to_vec(), over_png, &[18, 30]),
        (gif.to_vec(), over_gif, &[0xff, 5, 0xf9, 1]),
        (jpeg.to_vec(), over_jpeg, &[8, 15]),
    ]
}

#[test]
fn a_walk_finds_every_piece() {
    for (file, walk, wanted) in files() {
        assert_eq!(walk(&mut Cursor::new(file)).unwrap(), wanted);
    }
}

/// No walk panics or goes on without moving forward: each piece takes at least two bytes.
#[test]
fn cut_off_files_and_wrong_sizes_do_no_harm() {
    for (file, walk, wanted) in files() {
        let bounded = |bytes: Vec<u8>| {
            let most = bytes.len();
            let found = walk(&mut Cursor::new(bytes)).unwrap_or_default();
            assert!(found.len() <= most, "{found:?}");
            found
        };
        for length in 0..file.len() {
            let found = bounded(file[..length].to_vec());
            assert!(found.len() <= wanted.len());
        }
        let sizes = [0, 1, 2, 7, u64::from(u32::MAX), u64::MAX - 1, u64::MAX];
        for place in 0..file.len() {
            for size in sizes {
                let short = u32::try_from(size).unwrap_or(u32::MAX);
                for written in [
                    size.to_be_bytes().to_vec(),
                    size.to_le_bytes().to_vec(),
                    short.to_be_bytes().to_vec(),
                    short.to_le_bytes().to_vec(),
                    vec![size as u8],
                ] {
                    let mut hostile = file.clone();
                    hostile.splice(place..file.len().min(place + written.len()), written);
                    bounded(hostile);
                }
            }
        }
    }
}

#[test]
fn sizes_that_overflow_end_the_walk() {
    let large = |size: u64| [b"\0\0\0\x01mdat".as_slice(), &size.to_be_bytes(), b"\0\0\0\x08moov"].concat();
    for size in [0, 1, 8, 15] {
        let mut file = Cursor::new(large(size));
        let found = boxes::Boxes::new(&mut file).unwrap().next().unwrap().unwrap();
        assert_eq!((found.contents(24), found.next()), (None, Some(size.max(8))), "smaller than its header");
    }
    for size in [25, u64::from(u32::MAX), u64::MAX] {
        let mut file = Cursor::new(large(size));
        let mut walk = boxes::Boxes::new(&mut file).unwrap();
        assert_eq!(walk.next().unwrap().unwrap().contents(24), None);
        assert!(walk.next().is_none(), "{size}");
    }
    // The largest known size of an element.
    let mut file = Cursor::new(b"\x1a\x45\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xfe\xec\x80".to_vec());
    let mut walk = ebml::Elements::new(&mut file).unwrap();
    assert_eq!(walk.next().unwrap().unwrap().end(), Some(12 + (1 << 56) - 2));
    assert!(walk.next().is_none());
}

#[test]
fn an_error_ends_the_walk() {
    let mut file = Cursor::new(b"\x01\x81\x00\xec\x80".to_vec());
    let mut walk = ebml::Elements::new(&mut file).unwrap();
    assert!(walk.next().unwrap().is_err() && walk.next().is_none());
    let mut file = Cursor::new(b"\0\0\0\x01mdat\0\0".to_vec());
    let mut walk = boxes::Boxes::new(&mut file).unwrap();
    assert!(walk.next().unwrap().is_err() && walk.next().is_none());
}
