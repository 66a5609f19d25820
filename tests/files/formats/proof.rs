//! `stylize-video verify`: a copy keeps everything except the look.

use std::path::Path;

use crate::common::clips::Clip;
use crate::common::{Desk, ffmpeg, real_clip};
use crate::formats::harness::{identity, program};

/// Returns the exit code and all printed text.
fn verify(desk: &Desk, a: &Path, b: &Path) -> (i32, String) {
    let output = program(desk).arg("verify").arg(a).arg(b).output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code().unwrap(), text)
}

fn assert_clean(desk: &Desk, a: &Path, b: &Path) {
    let (code, text) = verify(desk, a, b);
    assert_eq!(code, 0, "{}: {text}", b.display());
}

/// Checks that a real clip is preserved. Only its beginning, because a debug build takes long for pictures of this
/// size; the whole clip where `STYLIZE_VIDEO_TEST_WHOLE` is set.
fn real(name: &str, outputs: &[&str]) {
    let whole = real_clip(name);
    let desk = Desk::new();
    let input = match std::env::var_os("STYLIZE_VIDEO_TEST_WHOLE") {
        Some(_) => whole,
        None => desk.clip("in.mp4", &format!("-i {} -map 0 -c copy -t 1", whole.display())),
    };
    for output in outputs {
        let output = identity(&desk, &input, output).with("--encoder-opt preset=ultrafast").done();
        assert_clean(&desk, &input, &output);
    }
}

#[test]
#[ignore = "needs STYLIZE_VIDEO_TEST_MEDIA"]
fn flower_verifies() {
    real("flower.mp4", &["out.mp4", "out.mkv"]);
}

#[test]
#[ignore = "needs STYLIZE_VIDEO_TEST_MEDIA"]
fn friday_verifies() {
    real("friday.mp4", &["out.mp4", "out.mkv"]);
}

#[test]
#[ignore = "needs STYLIZE_VIDEO_TEST_MEDIA"]
fn real_aac_into_webm() {
    for name in ["flower.mp4", "friday.mp4"] {
        identity(&Desk::new(), &real_clip(name), "out.webm").refused(&["webm", "aac"]);
    }
}

#[test]
fn verify_finds_what_is_lost() {
    let desk = Desk::new();
    let input = Clip::of(20)
        .beside("-f lavfi -i sine=d=0.8 -f lavfi -i sine=f=880:d=0.8")
        .and("-map 0 -map 1 -map 2 -c:a aac -metadata:s:a:1 language=fra")
        .make(&desk, "in.mkv");
    let output = identity(&desk, &input, "out.mkv").done();
    assert_clean(&desk, &input, &output);
    let changes = [
        ("frames.mkv", "-map 0 -c copy -c:v libx264 -vf select=lt(n\\,19)", "frame"),
        ("times.mkv", "-map 0 -c copy -bsf:v setts=ts=TS+if(eq(N\\,9)\\,13\\,0)", "frame"),
        ("stream.mkv", "-map 0 -map -0:a:1 -c copy", "audio"),
        ("packets.mkv", "-map 0 -c copy -bsf:a:0 noise=amount=3", "audio"),
        ("language.mkv", "-map 0 -c copy -metadata:s:a:1 language=ita", "language"),
        ("shape.mkv", "-map 0 -c copy -aspect 2:1", "shape of a pixel"),
    ];
    for (name, options, word) in changes {
        let changed = desk.path(name);
        let options = options.split(' ').map(AsRef::as_ref);
        ffmpeg(["-i".as_ref(), output.as_os_str()].into_iter().chain(options).chain([changed.as_os_str()]));
        let (code, text) = verify(&desk, &input, &changed);
        assert_eq!(code, 1, "{name}: {text}");
        assert!(text.to_lowercase().contains(word), "{name}: {text}");
    }
    let (code, text) = verify(&desk, &input, &desk.path("none.mkv"));
    assert!(code == 1 && text.contains("none.mkv"), "{code}: {text}");
}
