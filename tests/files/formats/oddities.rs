//! Streams and shapes that phones, drones and broadcasters produce.

use std::path::{Path, PathBuf};

use crate::common::clips::{Clip, numbers, shown};
use crate::common::{Desk, probe};
use crate::formats::harness::{identity, program};

fn kinds(path: &Path) -> Vec<String> {
    probe(path, "", "stream=codec_type")
}

/// Makes a MOV whose second audio stream has a codec that FFmpeg does not know.
fn spatial(desk: &Desk, options: &str) -> PathBuf {
    let clip = Clip::of(25).beside("-f lavfi -i sine=d=1").and(options);
    let plain = clip.make(desk, "plain.mov");
    desk.changed(&plain, "in.mov", |bytes| {
        let last = bytes.windows(4).rposition(|name| name == b"stsd").unwrap();
        let at = last + bytes[last..].windows(4).position(|name| name == b"mp4a").unwrap();
        bytes[at..at + 4].copy_from_slice(b"apac");
        let at = at + bytes[at..].windows(4).position(|name| name == b"esds").unwrap();
        bytes[at..at + 4].copy_from_slice(b"dapa");
    })
}

#[test]
fn second_sound_of_an_unknown_codec() {
    let desk = Desk::new();
    let input = spatial(&desk, "-map 0 -map 1 -map 1 -c:a aac");
    for name in ["out.mov", "out.mp4", "out.mkv"] {
        let ended = identity(&desk, &input, name).run();
        assert_eq!(ended.code, 0, "{name}: {}", ended.stderr);
        assert_eq!(numbers(&ended.output).len(), 25);
        let sounds = kinds(&ended.output).iter().filter(|kind| *kind == "audio").count();
        assert!(sounds == 2 || (sounds == 1 && ended.stderr.contains("left out")), "{name}: {}", ended.stderr);
    }
    identity(&desk, &input, "no.mkv").with("--strict-streams").refused(&["apac"]);
}

#[test]
fn only_sound_of_an_unknown_codec() {
    let desk = Desk::new();
    let input = spatial(&desk, "-map 0 -map 1 -c:a aac");
    // No decoder exists for this sound, so it is no reason to reject the pictures.
    let ended = identity(&desk, &input, "out.mkv").run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("apac"), "{}", ended.stderr);
}

#[test]
fn sound_that_the_container_cannot_hold_beside_one_that_it_can() {
    let desk = Desk::new();
    let clip = Clip::of(25).beside("-f lavfi -i sine=d=1 -f lavfi -i sine=f=880:d=1");
    let input = clip.and("-map 0 -map 1 -map 2 -c:a:0 libopus -c:a:1 aac").make(&desk, "in.mkv");
    let output = identity(&desk, &input, "out.webm").warned(&[&["aac", "left out"]]);
    assert_eq!(probe(&output, "a", "stream=codec_name"), ["opus"]);
    identity(&desk, &input, "no.webm").with("--strict-streams").refused(&["aac"]);
}

#[test]
fn sound_is_converted_where_it_is_asked_for() {
    let desk = Desk::new();
    for (made, sound, output, codec) in [
        ("a.mp4", "-c:a aac", "a.webm", "opus"),
        ("b.avi", "-c:a pcm_u8", "b.mp4", "aac"),
        ("c.mkv", "-c:a pcm_s16le", "c.mp4", "aac"),
        ("d.mkv", "-c:a libvorbis -ac 2", "d.mov", "aac"),
    ] {
        let clip = Clip::of(50).beside("-f lavfi -i sine=d=2").and(&format!("-map 0 -map 1 {sound}"));
        let input = clip.make(&desk, made);
        let refused = identity(&desk, &input, &format!("no-{output}")).run();
        if refused.code == 0 {
            // This FFmpeg can write the stream without conversion.
            continue;
        }
        assert!(refused.stderr.contains("--convert-audio"), "{}", refused.stderr);
        let output = identity(&desk, &input, output).with("--convert-audio").warned(&[&["converted to", codec]]);
        assert_eq!(probe(&output, "a", "stream=codec_name"), [codec]);
        assert_eq!(numbers(&output).len(), 50);
        let times: Vec<f64> = probe(&output, "a", "packet=pts_time").iter().filter_map(|t| t.parse().ok()).collect();
        assert!((1.85..2.1).contains(&(times[times.len() - 1] - times[0])), "{times:?}");
        assert!((times[0] - shown(&output)[0]).abs() < 0.12, "{times:?}");
    }
}

#[test]
fn a_large_preview_picture_as_a_video_track() {
    let desk = Desk::new();
    let film = Clip::of(50).size(64, 48).coded("-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -crf 20 -b:v 0");
    let film = film.make(&desk, "film.webm").display().to_string();
    let preview = desk.clip("p.jpg", "-f lavfi -i testsrc2=s=1280x720 -frames:v 1 -q:v 2").display().to_string();
    for (name, inputs, flags) in [
        ("last.mkv", [&film, &preview], "-disposition:v:0 0 -disposition:v:1 default"),
        ("first.mkv", [&preview, &film], "-disposition:v:0 default -disposition:v:1 0"),
        ("mute.mkv", [&preview, &film], "-disposition:v:0 0 -disposition:v:1 0"),
    ] {
        let [a, b] = inputs;
        let input = desk.clip(name, &format!("-i {a} -i {b} -map 0 -map 1 -c copy {flags}"));
        let ended = identity(&desk, &input, &format!("out-{name}")).run();
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert!(ended.stderr.contains("done, 50 frames"), "{name}: {}", ended.stderr);
    }
}

/// An HEVC stream with a picture of layer 1 after each picture of layer 0.
#[test]
fn a_second_layer_of_hevc() {
    let desk = Desk::new();
    let options = "-c:v libx265 -preset ultrafast -x265-params log-level=error:bframes=0:repeat-headers=1 -f hevc";
    let base = std::fs::read(Clip::of(10).coded(options).make(&desk, "base.hevc")).unwrap();
    let begins: Vec<usize> = (0..base.len() - 3).filter(|&at| base[at..].starts_with(&[0, 0, 1])).collect();
    let mut bytes = Vec::new();
    for (index, &at) in begins.iter().enumerate() {
        let end = begins.get(index + 1).copied().unwrap_or(base.len());
        let unit = &base[at..end];
        bytes.extend(unit);
        // Repeats each slice as a slice of another layer.
        if unit[3] >> 1 & 63 < 32 {
            let mut other = unit.to_vec();
            other[4] |= 1 << 3;
            bytes.extend(other);
        }
    }
    std::fs::write(desk.path("in.hevc"), bytes).unwrap();
    let output = identity(&desk, &desk.path("in.hevc"), "out.mp4").warned(&[&["second layer", "transparency"]]);
    assert_eq!(numbers(&output).len(), 10);
    identity(&desk, &desk.path("in.hevc"), "no.mp4").with("--strict-streams").refused(&["transparency"]);
}

#[test]
fn shape_of_pixels_that_changes() {
    let desk = Desk::new();
    let part = |name: &str, aspect: &str, offset: &str| {
        let clip = Clip::of(12).size(176, 144).filter(&format!("setsar={aspect}"));
        clip.coded("-c:v mpeg2video -q:v 2 -bf 0").and(&format!("-output_ts_offset {offset}")).make(&desk, name)
    };
    let (a, b) = (part("a.ts", "16/15", "0"), part("b.ts", "64/45", "0.48"));
    let bytes = [std::fs::read(a).unwrap(), std::fs::read(b).unwrap()].concat();
    std::fs::write(desk.path("in.ts"), bytes).unwrap();
    let output = identity(&desk, &desk.path("in.ts"), "out.mkv").warned(&[&["shape", "bars"]]);
    let count = shown(&output).len();
    assert_eq!(count, shown(&desk.path("in.ts")).len());
    // 16:9 within 4:3 leaves bars above and below.
    let grey = crate::common::clips::decoded(&output, "", "crop=16:4:80:138,scale=1:1:flags=area", "gray");
    assert!(grey[0] > 60 && grey[count - 2] < 40, "no bar: {grey:?}");
}

#[test]
fn very_small_pictures() {
    let desk = Desk::new();
    for (width, height) in [(8, 8), (6, 6), (4, 4), (2, 2), (2, 40), (40, 2), (1, 9)] {
        let name = format!("{width}x{height}.mkv");
        let input =
            desk.clip(&name, &format!("-f lavfi -i color=red:s={width}x{height}:r=25:d=0.2,format=yuv444p -c:v ffv1"));
        for ending in ["mkv", "mp4"] {
            let output = identity(&desk, &input, &format!("out-{width}x{height}.{ending}")).ended_well();
            assert_eq!(shown(&output).len(), 5, "{}", output.display());
        }
    }
}

#[test]
fn strips_are_painted() {
    let desk = Desk::new();
    for size in ["640x8", "8x640", "12x12"] {
        let input = desk.clip(&format!("{size}.mkv"), &format!("-f lavfi -i testsrc=s={size}:r=25:d=0.08 -c:v ffv1"));
        let mut command = program(&desk);
        command.arg(&input).args(["-o", "out.mkv", "--backbone", "patches", "--size", "64", "--iterations", "1,1"]);
        let output = command.args(["--device", "cpu", "--if-exists", "replace"]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() || text.contains("at least"), "{size}: {text}");
    }
}

#[test]
fn film_with_pulldown_flags() {
    let desk = Desk::new();
    let plain = Clip::of(48).rate("30000/1001").coded("-c:v mpeg2video -bf 0 -g 12 -q:v 2 -f mpeg2video");
    let plain = plain.make(&desk, "plain.m2v");
    desk.changed(&plain, "soft.m2v", |bytes| {
        let pattern = [(1, 1), (0, 0), (0, 1), (1, 0)];
        let mut picture = 0;
        let places: Vec<usize> = (0..bytes.len() - 9).filter(|&at| bytes[at..].starts_with(&[0, 0, 1, 0xb5])).collect();
        for at in places {
            match bytes[at + 4] >> 4 {
                1 => bytes[at + 5] &= !0x08,
                8 => {
                    let (top, repeat): (u8, u8) = pattern[picture % 4];
                    bytes[at + 7] = bytes[at + 7] & !0x82 | top << 7 | repeat << 1;
                    bytes[at + 8] |= 0x80;
                    picture += 1;
                }
                _ => {}
            }
        }
    });
    let soft = desk.path("soft.m2v").display().to_string();
    let input = desk.clip("in.vob", &format!("-fflags +genpts -i {soft} -c copy -f dvd"));
    let output = identity(&desk, &input, "out.mkv").ended_well();
    let times = shown(&output);
    assert_eq!(times.len(), 48);
    assert!(times.windows(2).all(|pair| (0.032..0.052).contains(&(pair[1] - pair[0]))), "{times:?}");
}
