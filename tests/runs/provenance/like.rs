//! The `--like` option.

use std::fs;

use stylize_video::label;
use stylize_video::provenance::{self, Stamp};

use crate::common;
use crate::provenance::said::assert_says_how_it_was_made;
use crate::provenance::{BARS, KINDS, PAINT, bytes, desk, good, place, run};

#[test]
fn every_video_says_how_it_was_made_and_is_made_again() {
    made_again(&KINDS[..8]);
}

#[test]
fn every_picture_says_how_it_was_made_and_is_made_again() {
    made_again(&KINDS[8..]);
}

/// Paints each kind, reads the record in it, and paints the same bytes with `--like`.
fn made_again(kinds: &[(&str, &str)]) {
    let desk = desk();
    for (input, output) in kinds {
        good(&desk, &format!("{PAINT} {input} -o {output}"));
        assert_says_how_it_was_made(&desk, output);
        if output.contains('%') {
            // Each picture of a folder contains the data, too; without --json, `info` prints text.
            let text = good(&desk, "info o/f_002.png").out;
            assert!(text.contains("network    patches"), "{text}");
        }
        let before = bytes(&desk.path(place(output)));
        fs::rename(desk.path(place(output)), desk.path("like")).unwrap();
        good(&desk, &format!("--like like {input} -o {output}"));
        assert!(bytes(&desk.path(place(output))) == before, "{output}");
        let like = desk.path("like");
        if like.is_dir() { fs::remove_dir_all(like).unwrap() } else { fs::remove_file(like).unwrap() }
    }
}

#[test]
fn it_stands_in_place_of_all_but_options() {
    let desk = desk();
    good(&desk, "--stylizer bars --preset sketch --set loss.beta=77 --iterations 3,2 in.png -o a.png");
    // The user's own settings differ.
    fs::create_dir_all(desk.path("config/stylize-video")).unwrap();
    fs::write(desk.path("config/stylize-video/config.toml"), "[loss]\nbeta = 1\n[network]\nweights_dir = \"w\"\n")
        .unwrap();
    let out = good(&desk, "--like a.png --iterations 9,8 --print-settings").out;
    assert!(out.contains("beta = 77.0") && out.contains("iterations = [9, 8]"), "{out}");
    assert!(out.contains("builtin:sketch.webp") && out.contains("config/stylize-video/w\""), "{out}");
    // The output's name contains the preset's name.
    good(&desk, &format!("{BARS} --like a.png in.png"));
    assert!(desk.path("in.sketch.png").is_file());
    let said = run(&desk, "--like a.png --preset monet in.png");
    assert!(said.code == 2 && said.err.contains("cannot be used with"), "{}", said.err);
}

#[test]
fn what_means_something_else_now_is_refused() {
    let desk = desk();
    good(&desk, &format!("{PAINT} in.png -o a.png"));
    let refused = |options: &str, words: &str| {
        let said = run(&desk, options);
        assert!(said.code == 2 && said.err.contains(words), "{options}: {}", said.err);
        assert!(!desk.path("b.png").exists());
    };
    refused("--like none.png in.png -o b.png", "cannot read it");
    refused("--like in.png in.png -o b.png", "does not say how it was made");
    fs::rename(desk.path("s.png"), desk.path("t.png")).unwrap();
    refused("--like a.png in.png -o b.png", "s.png does not exist");
    fs::copy(desk.path("in.png"), desk.path("s.png")).unwrap();
    refused("--like a.png in.png -o b.png", "s.png is not the one that it was painted after");
    good(&desk, "--like a.png --style t.png in.png -o b.png");
}

#[test]
fn other_weights_are_refused() {
    let desk = desk();
    good(&desk, &format!("{PAINT} in.mkv -o o/f_%03d.png"));
    let path = desk.path("o/.stylize-video.json");
    let text = fs::read_to_string(&path).unwrap();
    let other = text.replace("\"backbone\": \"patches\"", "\"backbone\": \"vgg16\"");
    assert_ne!(text, other);
    fs::write(path, other).unwrap();
    let said = run(&desk, "--like o in.mkv -o b.mp4");
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(
        said.err.contains("painted with vgg16 (") && said.err.contains("here it would be patches ("),
        "{}",
        said.err
    );
    // A network that the user chooses is not reported.
    let said = run(&desk, "--like o --backbone vgg19 --weights-dir none in.mkv -o b.mp4");
    assert!(!said.err.contains("it was painted with"), "{}", said.err);
}

/// Changes the provenance data in a picture by `change`.
fn forge(desk: &common::Desk, change: impl FnOnce(&mut Stamp)) {
    good(desk, &format!("{BARS} --if-exists replace in.png -o honest.png"));
    let mut stamp = provenance::read(&desk.path("honest.png")).unwrap();
    change(&mut stamp);
    fs::copy(desk.path("in.png"), desk.path("forged.png")).unwrap();
    label::in_file(&desk.path("forged.png"), &stamp.text()).unwrap();
}

#[test]
fn what_a_file_says_of_itself_writes_and_opens_nothing() {
    let desk = desk();
    let victim = desk.path("victim");
    fs::write(&victim, "mine").unwrap();
    let mine = victim.display();
    for (key, value) in [
        ("encoder_options = []", format!("encoder_options = [\"flags=+pass1\", \"stats={mine}\"]")),
        ("filter = \"\"", format!("filter = \"metadata=mode=print:file={mine}\"")),
        ("protocols = []", "protocols = [\"http\"]".into()),
        ("max_frames = 10000000", "max_frames = 10000001".into()),
        ("flow = \"\"", format!("flow = \"{mine}\"")),
        ("format = \"\"", "format = \"concat\"".into()),
    ] {
        forge(&desk, |stamp| {
            assert!(stamp.settings.contains(key), "{key}: {}", stamp.settings);
            stamp.settings = stamp.settings.replacen(key, &value, 1);
        });
        let said = run(&desk, &format!("{BARS} --like forged.png in.mkv -o o.mp4"));
        assert!(said.code == 2 && said.err.contains("only you can set this"), "{value}: {}", said.err);
        // A user who wants this sets it explicitly.
        if key.starts_with("max_frames") {
            good(&desk, &format!("{BARS} --like forged.png --set input.{key} in.mkv -o o.mp4").replace(" = ", "="));
        }
    }
    assert_eq!(fs::read(&victim).unwrap(), b"mine");
    // The data cannot name files in other places or inject a line either.
    forge(&desk, |stamp| stamp.preset.name = "/../../elsewhere".into());
    assert_eq!(run(&desk, "info forged.png").code, 1);
    forge(&desk, |stamp| stamp.program = "1\nnetwork    vgg19 (trusted)".into());
    let said = good(&desk, "info forged.png");
    assert!(!said.out.lines().any(|line| line.starts_with("network    vgg19")), "{}", said.out);
}
