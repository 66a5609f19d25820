//! Inputs that the user names are recognised by content.

use std::fs;

use crate::common::clips::{Clip, numbers};
use crate::common::{Desk, probe};
use crate::formats::harness::{identity, program};

#[test]
fn endings_of_cameras_and_old_programs() {
    let desk = Desk::new();
    for (made, called, options) in [
        ("a.vob", "MOV003.MOD", "-c:v mpeg2video -q:v 2 -f vob"),
        ("b.vob", "clip.TOD", "-c:v mpeg2video -q:v 2 -f vob"),
        ("c.flv", "clip.f4v", "-c:v libx264 -crf 12 -pix_fmt yuv420p"),
        ("d.mov", "clip.qt", "-c:v libx264 -crf 12 -pix_fmt yuv420p"),
        ("e.3gp", "phone.3g2", "-c:v libx264 -crf 12 -pix_fmt yuv420p"),
        ("f.ogv", "film.ogm", "-c:v libtheora -q:v 10"),
        ("g.mp4", "VID_0001.insv", "-c:v libx264 -crf 12 -pix_fmt yuv420p"),
        ("h.mp4", "GL010001.LRV", "-c:v libx264 -crf 12 -pix_fmt yuv420p"),
        ("i.avi", "film.divx", "-c:v mpeg4 -q:v 2"),
    ] {
        let clip = Clip::of(8).coded(options);
        fs::rename(clip.make(&desk, made), desk.path(called)).unwrap();
        let output = identity(&desk, &desk.path(called), &format!("{called}.mkv")).ended_well();
        assert!(numbers(&output).len() >= 6, "{called}");
    }
}

#[test]
fn any_name_at_all() {
    let desk = Desk::new();
    let video = Clip::of(8).make(&desk, "a.mp4");
    let picture = desk.clip("a.png", "-f lavfi -i testsrc=s=64x48 -frames:v 1");
    for name in ["film", "film.bin", "film.jpg", "film.txt", "film.mp4.part"] {
        fs::copy(&video, desk.path(name)).unwrap();
        let output = identity(&desk, &desk.path(name), &format!("{name}.mkv")).done();
        assert_eq!(numbers(&output).len(), 8, "{name}");
    }
    for name in ["photo", "photo.mp4", "photo.tmp", "photo.jpg"] {
        fs::copy(&picture, desk.path(name)).unwrap();
        let output = identity(&desk, &desk.path(name), &format!("{name}.out.png")).done();
        assert_eq!(image::open(output).unwrap(), image::open(&picture).unwrap(), "{name}");
    }
    fs::write(desk.path("notes.xyz"), "nothing that could be painted\n".repeat(50)).unwrap();
    identity(&desk, &desk.path("notes.xyz"), "no.mp4").refused(&["notes.xyz", "no input"]);
}

#[test]
fn what_folders_offer_is_listed() {
    let desk = Desk::new();
    let output = program(&desk).arg("doctor").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find(|line| line.contains("folders offer files that end in")).unwrap();
    for ending in
        ["mp4", "mod", "tod", "dv", "rm", "f4v", "qt", "3g2", "ogm", "divx", "h264", "hevc", "insv", "lrv", "264"]
    {
        assert!(line.contains(&format!(" {ending},")) || line.contains(&format!(" {ending}\n")), "{ending}: {line}");
    }
    for ending in ["mp3", "wav", "flac", "srt", "ass", "txt", "png", "jpg", "m3u8", "mpd", "yuv"] {
        assert!(!line.contains(&format!(" {ending},")), "{ending}: {line}");
    }
}

#[test]
fn apng_with_a_hidden_first_picture() {
    let desk = Desk::new();
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let named = [kind.as_slice(), data].concat();
        [&(data.len() as u32).to_be_bytes(), named.as_slice(), &crc32fast::hash(&named).to_be_bytes()].concat()
    };
    let flat = |rgb: [u8; 3]| {
        let path = desk.path("flat.png");
        image::RgbImage::from_pixel(16, 16, image::Rgb(rgb)).save(&path).unwrap();
        let bytes = fs::read(path).unwrap();
        let at = bytes.windows(4).position(|name| name == b"IDAT").unwrap();
        let size = u32::from_be_bytes(bytes[at - 4..at].try_into().unwrap()) as usize;
        bytes[at + 4..at + 4 + size].to_vec()
    };
    let header = [&16_u32.to_be_bytes()[..], &16_u32.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let control = |number: u32| {
        let size = [number, 16, 16, 0, 0].map(u32::to_be_bytes).concat();
        // A delay of 10/0 s, which means 10/100 s.
        chunk(b"fcTL", &[&size[..], &[0, 10, 0, 0, 0, 0]].concat())
    };
    let data = |number: u32, rgb| chunk(b"fdAT", &[&number.to_be_bytes()[..], &flat(rgb)].concat());
    let bytes = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &header),
        chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]),
        chunk(b"IDAT", &flat([255, 0, 0])),
        control(0),
        data(1, [0, 255, 0]),
        control(2),
        data(3, [0, 0, 255]),
        chunk(b"IEND", &[]),
    ]
    .concat();
    for name in ["in.png", "in.apng"] {
        fs::write(desk.path(name), &bytes).unwrap();
        let output = identity(&desk, &desk.path(name), &format!("{name}.mkv")).with("--codec ffv1").ended_well();
        let times = probe(&output, "V", "frame=best_effort_timestamp_time");
        assert_eq!(times, ["0.000000", "0.100000"], "{name}");
        let rgb = crate::common::clips::decoded(&output, "", "crop=1:1:8:8", "rgb24");
        assert_eq!(rgb, [0, 255, 0, 0, 0, 255], "{name}");
    }
}
