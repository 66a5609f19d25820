//! The provenance data in outputs.

use std::fs;

use crate::common::{Desk, probe};
use crate::provenance::{BARS, desk, good, place, run};

/// Checks what `info` says of an output painted with [`PAINT`].
///
/// [`PAINT`]: crate::provenance::PAINT
pub fn assert_says_how_it_was_made(desk: &Desk, output: &str) {
    let said: serde_json::Value =
        serde_json::from_str(&good(desk, &format!("info {} --json", place(output))).out).unwrap();
    assert_eq!(said["seed"], 5, "{output}");
    assert_eq!(said["preset"]["name"], "s");
    assert_eq!(said["painted"]["backbone"], "patches");
    assert_eq!(said["styles"][0]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(said["job"].as_str().unwrap().len(), 32);
    assert!(said["settings"].as_str().unwrap().contains("iterations = [2, 1]"));
}

#[test]
fn nothing_is_said_by_others() {
    let desk = desk();
    good(&desk, &format!("{BARS} in.mkv -o o.y4m"));
    for name in ["o.y4m", "in.mkv", "in.png", "."] {
        let said = run(&desk, &format!("info {name}"));
        assert!(said.code == 1 && said.err.contains("does not say how it was made"), "{name}: {}", said.err);
    }
    let said = run(&desk, "info none.mp4");
    assert!(said.code == 1 && said.err.contains("cannot read none.mp4"), "{}", said.err);
}

#[test]
fn the_sources_own_words_stay() {
    let desk = desk();
    for name in ["o.mp4", "o.mov", "o.mkv", "o.webm"] {
        good(&desk, &format!("--stylizer identity in.mkv -o {name}"));
        let path = desk.path(name);
        let tags = probe(&path, "v", "format_tags=title,comment").join(" ").to_lowercase();
        assert!(tags.contains("blumen") && tags.contains("rot"), "{name}: {tags}");
        good(&desk, &format!("verify in.mkv {name}"));
    }
}

#[test]
fn painted_again_a_file_speaks_of_its_last_job() {
    let desk = desk();
    for (first, second) in [("a.mkv", "b.mkv"), ("a.gif", "b.gif"), ("a.nut", "c.mkv"), ("a.mkv", "c.webm")] {
        good(&desk, &format!("{BARS} --if-exists replace in.mkv -o {first}"));
        good(&desk, &format!("{BARS} --seed 9 {first} -o {second}"));
        assert!(good(&desk, &format!("info {second}")).out.contains("\nseed       9\n"), "{second}");
        let all = fs::read(desk.path(second)).unwrap();
        let stamps = all.windows(15).filter(|bytes| *bytes == b"\"stylize_video\"").count();
        assert_eq!(stamps, 1, "{second}");
    }
    // With piped input, the output records how it was made, but no job identity to compare with.
    let mut shell = std::process::Command::new(env!("CARGO_BIN_EXE_stylize-video"));
    shell.args(["-", "-o"]).arg(desk.path("d.mkv")).args(BARS.split(' '));
    shell.stdin(fs::File::open(desk.path("in.mkv")).unwrap());
    assert!(shell.output().unwrap().status.success());
    assert!(good(&desk, "info d.mkv").out.contains("none: its input was a stream"));
}

#[test]
fn a_folder_knows_its_pictures() {
    let desk = desk();
    good(&desk, &format!("{BARS} in.mkv -o o/f_%03d.jpg"));
    let text = fs::read(desk.path("o/.stylize-video.json")).unwrap();
    let contents: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let names: Vec<&str> =
        contents["pictures"].as_array().unwrap().iter().map(|picture| picture["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["f_001.jpg", "f_002.jpg", "f_003.jpg"]);
    let length = fs::metadata(desk.path("o/f_001.jpg")).unwrap().len();
    assert_eq!(contents["pictures"][0]["bytes"], length);
    // The data file in the folder is not read as a picture of the sequence.
    good(&desk, &format!("{BARS} o -o again"));
    assert_eq!(fs::read_dir(desk.path("again")).unwrap().count(), 4);
}

#[test]
fn no_file_makes_a_terminal_obey() {
    let desk = desk();
    let folder = desk.path("evil");
    fs::create_dir(&folder).unwrap();
    good(&desk, &format!("{BARS} in.mkv -o o/f_%03d.png"));
    let contents = fs::read_to_string(desk.path("o/.stylize-video.json")).unwrap();
    let changed = contents.replace("\"monet\"", "\"mo\\u001b[31mnet\"");
    assert_ne!(contents, changed);
    fs::write(folder.join(".stylize-video.json"), changed).unwrap();
    let out = good(&desk, "info evil").out;
    assert!(out.contains("mo\\u{1b}[31mnet") && !out.contains('\u{1b}'), "{out}");
}
