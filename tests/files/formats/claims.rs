//! Durations that files claim, and signs that a file is truncated.

use std::path::Path;

use crate::common::clips::{Clip, numbers};
use crate::common::{Desk, probe};
use crate::formats::harness::identity;

const SOUND: &str = "-f lavfi -i sine=d=1.2";
const AAC: &str = "-map 0 -map 1 -c:a aac";

fn clip() -> Clip {
    Clip::of(30).beside(SOUND).and(AAC)
}

/// Checks that all frames arrive and the output is right, and that the claim is reported exactly where `told` is true.
fn whole(desk: &Desk, input: &Path, told: bool) {
    let name = format!("{}.mkv", input.file_name().unwrap().display());
    let ended = identity(desk, input, &name).run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(ended.stderr.contains(" claims "), told, "{}", ended.stderr);
    assert_eq!(numbers(&ended.output).len(), 30);
    let length: f64 = probe(&ended.output, "V", "format=duration")[0].parse().unwrap();
    assert!((1.1..1.4).contains(&length), "{length} s");
}

fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) -> usize {
    let places: Vec<usize> = (0..bytes.len() - from.len()).filter(|&at| bytes[at..].starts_with(from)).collect();
    places.iter().for_each(|&at| bytes[at..at + to.len()].copy_from_slice(to));
    places.len()
}

#[test]
fn stale_tags_of_the_whole_film() {
    let desk = Desk::new();
    let plain = clip().make(&desk, "plain.mkv");
    let input = desk.changed(&plain, "in.mkv", |bytes| {
        assert!(replace(bytes, b"00:00:01.", b"00:44:01.") > 0);
    });
    whole(&desk, &input, true);
}

/// Sets the duration in Matroska's header, in milliseconds.
fn claims(desk: &Desk, plain: &Path, name: &str, milliseconds: f64) -> std::path::PathBuf {
    desk.changed(plain, name, |bytes| {
        let at = bytes.windows(3).position(|id| id == [0x44, 0x89, 0x88]).unwrap();
        bytes[at + 3..at + 11].copy_from_slice(&milliseconds.to_be_bytes());
    })
}

#[test]
fn header_of_an_hour() {
    let desk = Desk::new();
    let plain = clip().make(&desk, "plain.mkv");
    let input = claims(&desk, &plain, "in.mkv", 3.6e6);
    whole(&desk, &input, true);
    // A really truncated file is still an error.
    let half = desk.changed(&input, "half.mkv", |bytes| bytes.truncate(bytes.len() * 6 / 10));
    identity(&desk, &half, "no.mkv").refused(&["half.mkv", "ends early"]);
}

#[test]
fn header_of_nonsense() {
    let desk = Desk::new();
    let plain = clip().make(&desk, "plain.mkv");
    for (name, milliseconds) in [("a.mkv", 2_147_483e3), ("b.mkv", 9.2e18), ("c.mkv", -5.0), ("d.mkv", f64::NAN)] {
        let input = claims(&desk, &plain, name, milliseconds);
        let ended = identity(&desk, &input, "out.mkv").with("--if-exists replace").run();
        assert_eq!(ended.code, 0, "{name}: {}", ended.stderr);
        assert_eq!(numbers(&ended.output).len(), 30, "{name}");
        std::fs::remove_file(ended.output).unwrap();
    }
}

#[test]
fn mp4_headers_of_all_ones() {
    let desk = Desk::new();
    let plain = clip().make(&desk, "plain.mp4");
    let input = desk.changed(&plain, "in.mp4", |bytes| {
        for (kind, offset) in [(b"mvhd", 16), (b"mdhd", 16), (b"tkhd", 20)] {
            let places: Vec<usize> = (0..bytes.len() - 4).filter(|&at| bytes[at..].starts_with(kind)).collect();
            places.iter().for_each(|&at| bytes[at + 4 + offset..at + 8 + offset].fill(0xff));
        }
    });
    whole(&desk, &input, true);
}

#[test]
fn flash_video_that_claims_an_hour() {
    let desk = Desk::new();
    let plain = clip().and("-bf 0").make(&desk, "plain.flv");
    let input = desk.changed(&plain, "in.flv", |bytes| {
        let at = bytes.windows(9).position(|name| name == b"duration\0").unwrap() + 9;
        bytes[at..at + 8].copy_from_slice(&3600_f64.to_be_bytes());
    });
    whole(&desk, &input, true);
}

#[test]
fn avi_that_claims_more_frames() {
    let desk = Desk::new();
    let plain =
        Clip::of(30).coded("-c:v mpeg4 -q:v 2").beside(SOUND).and("-map 0 -map 1 -c:a mp3").make(&desk, "plain.avi");
    let input = desk.changed(&plain, "in.avi", |bytes| {
        let main = bytes.windows(4).position(|name| name == b"avih").unwrap() + 8;
        bytes[main + 16..main + 20].copy_from_slice(&90_000_u32.to_le_bytes());
        let stream = bytes.windows(4).position(|name| name == b"strh").unwrap() + 8;
        bytes[stream + 32..stream + 36].copy_from_slice(&90_000_u32.to_le_bytes());
    });
    let ended = identity(&desk, &input, "out.mkv").run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(numbers(&ended.output).len(), 30);
}

/// Checks that a truncated file is an error; where its sizes reveal the truncation, before any frame is painted.
fn cut(name: &str, clip: &Clip, early: bool) {
    let desk = Desk::new();
    let whole = clip.make(&desk, &format!("whole-{name}"));
    let half = desk.changed(&whole, name, |bytes| bytes.truncate(bytes.len() * 6 / 10));
    let order = identity(&desk, &half, "no.mkv");
    if early { order.refused(&[name, "ends early"]) } else { order.failed(&[name, "--max-corrupt"]) }
}

#[test]
fn cut_flash_video() {
    cut("in.flv", &clip().and("-bf 0"), true);
}

#[test]
fn cut_avi() {
    cut("in.avi", &Clip::of(30).coded("-c:v mpeg4 -q:v 2").beside(SOUND).and("-map 0 -map 1 -c:a mp3"), true);
}

#[test]
fn cut_fragmented_mp4() {
    cut("in.mp4", &clip().and("-movflags frag_keyframe+empty_moov+default_base_moof -g 10"), true);
}

#[test]
fn cut_live_matroska() {
    cut("in.mkv", &clip().and("-live 1 -g 10"), true);
}

#[test]
fn cut_windows_media() {
    cut("in.wmv", &Clip::of(30).coded("-c:v wmv2 -q:v 2").beside(SOUND).and("-map 0 -map 1 -c:a wmav2"), true);
}

#[test]
fn cut_ogg() {
    cut(
        "in.ogv",
        &Clip::of(30).coded("-c:v libtheora -q:v 10").beside(SOUND).and("-map 0 -map 1 -c:a libvorbis"),
        true,
    );
}

#[test]
fn cut_nut() {
    cut("in.nut", &Clip::of(30).coded("-c:v mpeg4 -q:v 2"), false);
}

#[test]
fn one_picture_with_ten_seconds_of_sound() {
    let desk = Desk::new();
    let input = Clip::of(1).beside("-f lavfi -i sine=d=10").and(AAC).make(&desk, "in.mp4");
    let output = identity(&desk, &input, "out.mp4").done();
    assert_eq!(numbers(&output), [0]);
    let length: f64 = probe(&output, "V", "format=duration")[0].parse().unwrap();
    assert!((9.9..10.2).contains(&length), "{length} s");
}

#[test]
fn chapters_and_cues_beyond_the_end() {
    let desk = Desk::new();
    let chapter = |start: u32, end: u32, title: &str| {
        format!("[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={end}\ntitle={title}\n")
    };
    let list = [
        chapter(0, 900, "a"),
        chapter(800, 800, "b"),
        chapter(700, 7_517_200, "c"),
        chapter(3_600_000, 3_700_000, "d"),
    ];
    std::fs::write(desk.path("c.txt"), format!(";FFMETADATA1\n{}", list.concat())).unwrap();
    std::fs::write(desk.path("s.srt"), "1\n00:00:00,500 --> 13:15:00,000\nlong\n\n").unwrap();
    let at = |name: &str| desk.path(name).display().to_string();
    let clip = Clip::of(30).beside(&format!("-i {} -i {}", at("c.txt"), at("s.srt")));
    let input = clip.and("-map 0 -map 2 -map_metadata 1 -map_chapters 1 -c:s subrip").make(&desk, "in.mkv");
    for (name, more, count) in
        [("a.mkv", "", 30), ("a.mp4", "", 30), ("b.mkv", "--frames 10", 10), ("b.mp4", "--frames 10", 10)]
    {
        let ended = identity(&desk, &input, name).with(more).run();
        assert_eq!(ended.code, 0, "{name}: {}", ended.stderr);
        assert!(ended.stderr.contains(&format!("{count} frames")), "{name}: {}", ended.stderr);
        assert_eq!(numbers(&ended.output).len(), count, "{name}");
    }
}
