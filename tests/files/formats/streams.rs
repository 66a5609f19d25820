//! All streams other than the pictures.

use std::path::{Path, PathBuf};

use crate::common::clips::{Clip, numbers, tags_first};
use crate::common::{Desk, ffmpeg, probe};
use crate::formats::harness::{identity, same_times};

const SUBTITLES: &str =
    "1\n00:00:00,200 --> 00:00:00,700\nGuten Tag\n\n2\n00:00:00,900 --> 00:00:01,400\nAuf Wiedersehen\n\n";
const FONT: &[u8] = b"\0\x01\0\0 not much of a font, but bytes to keep";

/// Returns hashes of the packets of every stream except the painted video, including cover art.
fn hashes(path: &Path) -> Vec<String> {
    let arguments = "-map 0 -map -0:V -map -0:t? -c copy -f streamhash -hash md5 -".split(' ').map(AsRef::as_ref);
    let text = ffmpeg(["-i".as_ref(), path.as_os_str()].into_iter().chain(arguments));
    text.lines().map(|line| line.split_once(',').unwrap().1.to_owned()).collect()
}

fn hashes_of(path: &Path, stream: &str) -> String {
    let arguments = ["-map", stream, "-c", "copy", "-f", "hash", "-hash", "md5", "-"].map(AsRef::as_ref);
    ffmpeg(["-i".as_ref(), path.as_os_str()].into_iter().chain(arguments))
}

/// Returns the properties of the streams of a kind: codec, language, title, and whether it is the default.
fn about(path: &Path, kind: &str) -> Vec<String> {
    probe(path, kind, "stream=codec_name:stream_disposition=default,forced,attached_pic:stream_tags=language,title")
}

fn chapters(path: &Path) -> Vec<String> {
    probe(path, "V", "chapter=start_time,end_time:chapter_tags=title")
}

/// Returns the number of cover pictures.
fn covers(path: &Path) -> usize {
    probe(path, "v", "stream_disposition=attached_pic").iter().filter(|pic| *pic == "1").count()
}

/// Returns the text of subtitles, as SubRip.
fn text(path: &Path) -> String {
    let arguments = ["-map", "0:s:0", "-f", "srt", "-"].map(AsRef::as_ref);
    ffmpeg(["-i".as_ref(), path.as_os_str()].into_iter().chain(arguments)).replace("\r\n", "\n")
}

/// Makes a Matroska file with two audio streams, two subtitle streams, chapters, a font and cover art.
fn rich(desk: &Desk) -> (Clip, PathBuf) {
    std::fs::write(desk.path("in.srt"), SUBTITLES).unwrap();
    std::fs::write(desk.path("font.ttf"), FONT).unwrap();
    let list = ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=800\ntitle=Anfang\n\
                [CHAPTER]\nTIMEBASE=1/1000\nSTART=800\nEND=1600\ntitle=Ende\n";
    std::fs::write(desk.path("chapters.txt"), list).unwrap();
    desk.clip("cover.png", "-f lavfi -i testsrc=s=64x48 -frames:v 1");
    let at = |name: &str| desk.path(name).display().to_string();
    let (srt, chapters, cover, font) = (at("in.srt"), at("chapters.txt"), at("cover.png"), at("font.ttf"));
    let clip = Clip::of(40)
        .beside(&format!("-f lavfi -i sine=d=1.6 -f lavfi -i sine=f=880:d=1.6 -i {srt} -i {chapters}"))
        .and(&format!(
            "-map 0 -map 1 -map 2 -map 3 -map 3 -map_chapters 4 -c:a aac -c:s:0 subrip -c:s:1 ass \
             -attach {cover} -metadata:s:t:0 mimetype=image/png -metadata:s:t:0 filename=cover.png \
             -attach {font} -metadata:s:t:1 mimetype=font/ttf -metadata:s:t:1 filename=font.ttf \
             -metadata:s:a:0 language=ita -metadata:s:a:1 language=fra -metadata:s:a:1 title=Kommentar \
             -disposition:a:0 0 -disposition:a:1 default -metadata:s:s:0 language=ger -disposition:s:0 forced \
             -metadata title=Blumen"
        ));
    let path = clip.make(desk, "in.mkv");
    assert_eq!(covers(&path), 1);
    assert_eq!(probe(&path, "V", "format=nb_streams"), ["7"]);
    (clip, path)
}

#[test]
fn many_streams_from_matroska_to_matroska() {
    let desk = Desk::new();
    let (clip, input) = rich(&desk);
    let output = identity(&desk, &input, "out.mkv").done();
    assert_eq!(numbers(&output), clip.numbers());
    same_times(&input, &output);
    assert_eq!(hashes(&output), hashes(&input));
    assert_eq!(covers(&output), 1);
    for kind in ["a", "s", "t"] {
        assert_eq!(about(&output, kind), about(&input, kind));
    }
    assert_eq!(chapters(&output), chapters(&input));
    assert_eq!(probe(&output, "V", "format_tags=title"), ["Blumen"]);
    let font = desk.path("again.ttf");
    let mut dump = assert_cmd::Command::new("ffmpeg");
    // The command complains that there is no output file, but writes the attachment.
    dump.args(["-v", "error", "-dump_attachment:t:0"]).arg(&font).arg("-i").arg(&output).output().unwrap();
    assert_eq!(std::fs::read(font).unwrap(), FONT);
}

#[test]
fn many_streams_from_matroska_to_mp4() {
    let desk = Desk::new();
    let (clip, input) = rich(&desk);
    let output = identity(&desk, &input, "out.mp4").warned(&[&["ass", "mkv"], &["ttf", "mkv"]]);
    assert_eq!(numbers(&output), clip.numbers());
    same_times(&input, &output);
    for stream in ["0:a:0", "0:a:1", "0:v:1"] {
        assert_eq!(hashes_of(&output, stream), hashes_of(&input, stream), "{stream}");
    }
    assert_eq!(covers(&output), 1);
    assert_eq!(probe(&output, "a", "stream_tags=language"), ["ita", "fra"]);
    assert_eq!(probe(&output, "a", "stream_disposition=default"), ["0", "1"]);
    assert_eq!(probe(&output, "s", "stream=codec_name:stream_tags=language"), ["mov_text,ger"]);
    assert_eq!(text(&output), text(&input));
    assert_eq!(chapters(&output), chapters(&input));
    assert_eq!(probe(&output, "V", "format_tags=title"), ["Blumen"]);
}

#[test]
fn strict_streams() {
    let desk = Desk::new();
    let (_, input) = rich(&desk);
    identity(&desk, &input, "out.mp4").with("--strict-streams").refused(&["ass", "mkv"]);
    identity(&desk, &input, "out.mkv").with("--strict-streams").done();
}

#[test]
fn cover_art_first() {
    let desk = Desk::new();
    desk.clip("cover.png", "-f lavfi -i testsrc=s=64x48 -frames:v 1");
    let clip = Clip::of(20)
        .beside(&format!("-i {} -f lavfi -i sine=d=0.8", desk.path("cover.png").display()))
        .and("-map 0 -map 1 -map 2 -c:v:1 copy -disposition:v:1 attached_pic -c:a aac");
    let plain = clip.make(&desk, "plain.mp4");
    let input = desk.changed(&plain, "in.mp4", |bytes| tags_first(bytes));
    assert_eq!(probe(&input, "0", "stream_disposition=attached_pic"), ["1"], "the cover is stream 0");
    for name in ["out.mp4", "out.mkv"] {
        let output = identity(&desk, &input, name).done();
        assert_eq!(numbers(&output), clip.numbers());
        same_times(&input, &output);
        let mut expected = hashes(&input);
        let mut got = hashes(&output);
        expected.sort();
        got.sort();
        assert_eq!(got, expected, "{name}");
        assert_eq!(covers(&output), 1, "{name}");
    }
}

#[test]
fn subrip_to_mov_text() {
    let desk = Desk::new();
    std::fs::write(desk.path("in.srt"), SUBTITLES).unwrap();
    let clip = Clip::of(40).beside(&format!("-i {}", desk.path("in.srt").display())).and("-map 0 -map 1 -c:s subrip");
    let input = clip.make(&desk, "in.mkv");
    let output = identity(&desk, &input, "out.mp4").ended_well();
    assert_eq!(probe(&output, "s", "stream=codec_name"), ["mov_text"]);
    assert_eq!(text(&output), SUBTITLES);
}

#[test]
fn mov_text_to_subrip() {
    let desk = Desk::new();
    std::fs::write(desk.path("in.srt"), SUBTITLES).unwrap();
    let clip = Clip::of(40).beside(&format!("-i {}", desk.path("in.srt").display())).and("-map 0 -map 1 -c:s mov_text");
    let input = clip.make(&desk, "in.mp4");
    let output = identity(&desk, &input, "out.mkv").ended_well();
    assert_eq!(probe(&output, "s", "stream=codec_name"), ["subrip"]);
    assert_eq!(text(&output), SUBTITLES);
    let same = identity(&desk, &input, "same.mp4").done();
    assert_eq!(hashes(&same), hashes(&input), "where nothing needs converting, nothing is");
}

#[test]
fn timecode_track() {
    let desk = Desk::new();
    let clip = Clip::of(20).and("-timecode 01:02:03:04");
    let input = clip.make(&desk, "in.mov");
    assert_eq!(probe(&input, "d", "stream=codec_tag_string"), ["tmcd"]);
    let output = identity(&desk, &input, "out.mov").done();
    assert_eq!(probe(&output, "d", "stream_tags=timecode"), ["01:02:03:04"]);
    assert_eq!(numbers(&output), clip.numbers());
}

#[test]
fn webm_refuses_aac() {
    let desk = Desk::new();
    let input = Clip::of(20).beside("-f lavfi -i sine=d=0.8").and("-map 0 -map 1 -c:a aac").make(&desk, "in.mp4");
    identity(&desk, &input, "out.webm").refused(&["webm", "aac", "mp4", "mkv"]);
}

#[test]
fn opus_in_webm() {
    let desk = Desk::new();
    let clip = Clip::of(20)
        .beside("-f lavfi -i sine=d=0.8")
        .coded("-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -map 0 -map 1 -c:a libopus");
    let input = clip.make(&desk, "in.webm");
    let output = identity(&desk, &input, "out.webm").done();
    assert_eq!(hashes(&output), hashes(&input));
    assert_eq!(numbers(&output), clip.numbers());
    same_times(&input, &output);
}
