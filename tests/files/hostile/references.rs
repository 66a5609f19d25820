//! Media that reference other files: no referenced file is opened unless the user names the format.

use std::path::Path;

use crate::common::Desk;
use crate::common::clips::{Clip, numbers};
use crate::formats::harness::{identity, program};

/// The first number of the pictures that must not appear.
const SECRET: u32 = 1000;

/// Makes a desk with a private video.
fn desk() -> Desk {
    let desk = Desk::new();
    Clip::of(4).from(SECRET).make(&desk, "secret.mp4");
    Clip::of(4).from(SECRET).make(&desk, "secret.ts");
    desk
}

fn has_secret(path: &Path) -> bool {
    numbers(path).iter().any(|&number| number >= SECRET)
}

/// Checks that the file is rejected and the error names its format. With `options` the same file shows the secret,
/// which proves that the file works.
fn is_refused(name: &str, text: &str, options: &str) {
    let desk = desk();
    let input = desk.path(name);
    std::fs::write(&input, text.replace("DESK", desk.path("").to_str().unwrap())).unwrap();
    let ended = identity(&desk, &input, "out.mp4").run();
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("is a list of other files"), "{}", ended.stderr);
    for command in ["shots", "verify"] {
        let mut run = program(&desk);
        run.arg(command).arg(&input);
        if command == "verify" {
            run.arg("secret.mp4");
        }
        let out = run.output().unwrap();
        assert_eq!(out.status.code(), Some(1), "{command}");
        assert!(String::from_utf8_lossy(&out.stderr).contains("is a list of other files"), "{command}");
    }
    let ended = identity(&desk, &input, "asked.mkv").with(options).run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(has_secret(&ended.output), "the file would not have worked");
}

#[test]
fn a_playlist_that_is_called_a_video() {
    let text = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:0.16,\n\
                DESK/secret.ts\n#EXT-X-ENDLIST\n";
    for name in ["in.mp4", "in.ts", "in.mkv"] {
        is_refused(name, text, "--input-format hls --input-opt allowed_extensions=ALL");
    }
}

#[test]
fn a_concat_script_that_is_called_a_video() {
    let text = "ffconcat version 1.0\nfile 'DESK/secret.mp4'\n";
    for name in ["in.mp4", "in.avi"] {
        is_refused(name, text, "--input-format concat --input-opt safe=0");
    }
}

#[test]
fn even_a_format_that_is_named_reaches_files_only() {
    let desk = desk();
    // A listener on the loopback: a rejected input must not even try to connect.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    let text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n");
    std::fs::write(desk.path("in.m3u8"), text).unwrap();
    let ended = identity(&desk, &desk.path("in.m3u8"), "out.mp4").with("--input-format hls").run();
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert!(listener.accept().is_err(), "somebody called");
}

#[test]
fn other_lists_and_devices() {
    let desk = desk();
    let sdp = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n\
               a=rtpmap:96 H264/90000\n";
    let mpd = "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" \
               profiles=\"urn:mpeg:dash:profile:isoff-on-demand:2011\"><Period><AdaptationSet mimeType=\"video/mp4\">\
               <Representation id=\"1\" bandwidth=\"1\"><BaseURL>secret.mp4</BaseURL></Representation></AdaptationSet>\
               </Period></MPD>\n";
    let vobsub = "# VobSub index file, v7 (do not modify this line!)\nsize: 720x576\n";
    for (name, text) in [("sdp.mp4", sdp), ("mpd.mp4", mpd), ("idx.mp4", vobsub), ("x.avs", "Version()\n")] {
        std::fs::write(desk.path(name), text).unwrap();
        let ended = identity(&desk, &desk.path(name), "out.mp4").run();
        assert!(ended.code == 1 || ended.code == 2, "{name}: {}", ended.stderr);
    }
}

#[test]
fn a_name_is_no_pattern_and_no_protocol() {
    let desk = desk();
    // FFmpeg would read x1.gif, x2.gif, ...
    Clip::of(3).coded("-f gif").make(&desk, "plain.gif");
    std::fs::rename(desk.path("plain.gif"), desk.path("x%d.gif")).unwrap();
    Clip::of(3).from(SECRET).coded("-f gif").make(&desk, "x1.gif");
    let ended = identity(&desk, &desk.path("x%d.gif"), "out.mp4").run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(!has_secret(&ended.output));
    for name in [
        "http://127.0.0.1:1/y.mp4",
        "concat:secret.mp4|secret.mp4",
        "subfile,,start,0,end,0,,:secret.mp4",
        "data:video/mp4;base64,AAAA.mp4",
        "crypto:secret.mp4",
        "file:secret.mp4",
        "pipe:0.mp4",
    ] {
        let out = program(&desk).args(["--stylizer", "identity", name, "-o", "out2.mp4"]).output().unwrap();
        let stderr = String::from_utf8_lossy(&out.stderr);
        let address = name.starts_with("http");
        assert_eq!(out.status.code(), Some(if address { 2 } else { 1 }), "{name}: {stderr}");
        assert!(
            stderr.contains(if address { "an address cannot be an input" } else { "no such file" }),
            "{name}: {stderr}"
        );
    }
}

#[test]
fn an_attachment_stays_inside_the_output() {
    let desk = desk();
    std::fs::create_dir(desk.path("deep")).unwrap();
    std::fs::write(desk.path("font.ttf"), "a font").unwrap();
    let clip = Clip::of(3).make(&desk, "in.mkv");
    let attach = format!(
        "-i {} -map 0 -c copy -attach {} -metadata:s:t mimetype=font/ttf -metadata:s:t filename=../../evil.ttf",
        clip.display(),
        desk.path("font.ttf").display()
    );
    let input = desk.clip("deep/attached.mkv", &attach);
    let ended = identity(&desk, &input, "deep/out.mkv").run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(!desk.path("evil.ttf").exists() && !desk.path("../evil.ttf").exists());
    let names: Vec<_> = std::fs::read_dir(desk.path("deep")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

/// Makes the first track of a MOV with `moov` at the end take its pictures from `secret.mov` in the same folder.
fn refer_to_secret(bytes: &mut Vec<u8>) {
    let mut alias = vec![0; 150];
    // As many levels up as down: the same folder.
    (alias[131], alias[133]) = (1, 1);
    let target = b"x:y:secret.mov";
    alias.extend([0, 2, 0, target.len() as u8]);
    alias.extend(target);
    alias.extend([0xff, 0xff, 0, 0]);
    let entry = [&(12 + alias.len() as u32).to_be_bytes(), b"alis".as_slice(), &[0; 4], &alias].concat();
    let dref = bytes.windows(4).rposition(|name| name == b"dref").unwrap();
    let more = entry.len() as u32 - 12;
    for name in [b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"] {
        let at = bytes[..dref + 4].windows(4).rposition(|found| found == name).unwrap() - 4;
        let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) + more;
        bytes[at..at + 4].copy_from_slice(&size.to_be_bytes());
    }
    bytes.splice(dref + 12..dref + 24, entry);
}

#[test]
fn a_movie_whose_pictures_lie_in_another() {
    let desk = Desk::new();
    // Raw pictures all have the same size, so they lie at the same offsets in both files.
    let raw = |clip: Clip| clip.coded("-c:v rawvideo -pix_fmt rgb24");
    raw(Clip::of(4).from(SECRET)).make(&desk, "secret.mov");
    let plain = raw(Clip::of(4)).make(&desk, "plain.mov");
    let input = desk.changed(&plain, "in.mov", refer_to_secret);
    let ended = identity(&desk, &input, "asked.mkv").with("--input-opt enable_drefs=1").run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(has_secret(&ended.output), "the file would not have worked");
    let ended = identity(&desk, &input, "out.mkv").run();
    assert!(ended.code == 1 || !has_secret(&ended.output), "{}", ended.stderr);
}
