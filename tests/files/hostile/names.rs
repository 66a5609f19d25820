//! File names are bytes: no shell, pattern or terminal interprets them.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::common::Desk;
use crate::common::clips::Clip;
use crate::formats::harness::program;

/// Returns names that could cause trouble.
fn names() -> Vec<OsString> {
    let long = "l".repeat(246);
    let texts = [
        "-lead.mp4",
        "--help.mp4",
        "new\nline.mp4",
        "50% off.mp4",
        "%s%n.mp4",
        "$(touch pwned).mp4",
        "`touch pwned`.mp4",
        "'; touch pwned; '.mp4",
        "a|touch pwned.mp4",
        "sp ace \"quoted\".mp4",
        "back\\slash.mp4",
        "colon:and@at.mp4",
        "[brackets]*.mp4",
        "\u{1b}[2J\u{1b}]0;title\u{7}.mp4",
        "cod\u{202e}4pm.mp4",
        "ümläut und 日本.mp4",
        "...mp4",
    ];
    let mut names: Vec<OsString> = texts.iter().map(OsString::from).collect();
    names.push(OsStr::from_bytes(b"\xff\xfe\x80.mp4").to_owned());
    names.push(format!("{long}.mp4").into());
    names
}

#[test]
fn any_name_is_read_and_written() {
    let desk = Desk::new();
    let clip = Clip::of(2).make(&desk, "plain.mp4");
    let out = desk.path("out");
    std::fs::create_dir(&out).unwrap();
    for name in names() {
        std::fs::rename(&clip, desk.path("").join(&name)).unwrap();
        let run =
            program(&desk).args(["--stylizer", "identity", "-o"]).arg(out.join(&name)).arg("--").arg(&name).output();
        std::fs::rename(desk.path("").join(&name), &clip).unwrap();
        let run = run.unwrap();
        let stderr = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(0), "{name:?}: {stderr}");
        assert!(out.join(&name).is_file(), "{name:?}");
        let obeyed = |character: char| (character.is_control() && character != '\n') || character == '\u{202e}';
        assert!(!stderr.contains(obeyed), "{name:?}: {stderr:?}");
        assert_eq!(stderr.lines().filter(|line| line.contains("done")).count(), 1, "{name:?}: {stderr}");
    }
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), names().len(), "nothing else was written");
    assert!(!desk.path("pwned").exists() && !out.join("pwned").exists(), "a shell was at work");
}

#[test]
fn tags_are_printed_as_text() {
    let desk = Desk::new();
    let one = Clip::of(2).and("-metadata title=\u{1b}[2Jone").make(&desk, "a.mkv");
    let two = Clip::of(2).and("-metadata title=\u{1b}[2Jtwo").make(&desk, "b.mkv");
    let out = program(&desk).arg("verify").args([&one, &two]).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(text.contains("\\u{1b}[2J"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn messages_about_what_is_not_there_are_one_line() {
    let desk = Desk::new();
    let out = program(&desk).args(["--", "no\nerror: all is lost\u{1b}c.mp4"]).output().unwrap();
    let stderr = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(1));
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(!stderr.contains('\u{1b}'), "{stderr:?}");
}

#[test]
fn links_in_a_circle_are_an_error() {
    let desk = Desk::new();
    symlink("loop.mp4", desk.path("loop.mp4")).unwrap();
    std::fs::create_dir(desk.path("frames")).unwrap();
    symlink(".", desk.path("frames/again.png")).unwrap();
    for input in ["loop.mp4", "frames"] {
        let out = program(&desk).args(["--stylizer", "identity", input, "-o", "out.mp4"]).output().unwrap();
        assert_eq!(out.status.code(), Some(1), "{input}: {}", String::from_utf8_lossy(&out.stderr));
    }
}

/// A symbolic link at an output's path is replaced; its target stays unchanged.
#[test]
fn an_output_is_not_written_through_a_link() {
    let desk = Desk::new();
    Clip::of(2).make(&desk, "in.mp4");
    std::fs::create_dir(desk.path("elsewhere")).unwrap();
    let precious = desk.path("elsewhere/precious.mp4");
    std::fs::write(&precious, "precious").unwrap();
    symlink(&precious, desk.path("out.mp4")).unwrap();
    let run = |more: &[&str]| {
        let args = ["--stylizer", "identity", "in.mp4", "-o", "out.mp4"];
        program(&desk).args(args).args(more).output().unwrap().status.code()
    };
    assert_eq!(run(&[]), Some(1), "it exists");
    assert_eq!(std::fs::read(&precious).unwrap(), b"precious");
    assert_eq!(run(&["--if-exists", "replace"]), Some(0));
    assert_eq!(std::fs::read(&precious).unwrap(), b"precious");
    assert!(desk.path("out.mp4").symlink_metadata().unwrap().is_file());
    // The same holds for a dangling link.
    symlink(desk.path("elsewhere/new.mp4"), desk.path("gone.mp4")).unwrap();
    let args = ["--stylizer", "identity", "in.mp4", "-o", "gone.mp4", "--if-exists", "replace"];
    assert_eq!(program(&desk).args(args).output().unwrap().status.code(), Some(0));
    assert!(!desk.path("elsewhere/new.mp4").exists());
}

/// The program starts no shell, so no file name can reach one.
#[test]
fn no_shell_is_in_the_sources() {
    fn look(folder: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                look(&path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            for shell in ["\"sh\"", "/bin/sh", "\"bash\"", "\"cmd\")", "libc::system", "popen"] {
                assert!(!text.contains(shell), "{}: {shell}", path.display());
            }
        }
    }
    look(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
}
