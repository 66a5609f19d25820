//! `verify` on the command line: exit codes and output.

use assert_cmd::Command;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::{contains, is_empty};

use crate::common::Desk;
use crate::verify::{H264, VIDEO, copy, file, make, rich};

fn program() -> Command {
    let mut command = Command::cargo_bin("stylize-video").unwrap();
    command.arg("verify");
    command
}

#[test]
fn kept() {
    let desk = Desk::new();
    let input = rich(&desk, "in.mp4");
    let output = copy(&desk, &input, "", "out.mp4");
    let line = "out.mp4: keeps all of ";
    program()
        .args([&input, &output])
        .assert()
        .code(0)
        .stderr(is_empty())
        .stdout(contains(line).and(contains("50 frames, 64x48; 3 other streams with ")).and(contains("2 chapters")));
    let found = program().arg("--json").args([&input, &output]).assert().code(0);
    let found: serde_json::Value = serde_json::from_slice(&found.get_output().stdout).unwrap();
    assert_eq!(found["same"], true);
    assert_eq!(found["compared"]["frames"], 50);
}

#[test]
fn lost() {
    let desk = Desk::new();
    let input = rich(&desk, "in.mp4");
    let output = make(&desk, &[&input], "-map 0 -map -0:a:1 -map_metadata 0 -c copy", "out.mp4");
    let line = "out.mp4: does not keep all of ";
    let found = program().args([&input, &output]).assert().code(1).stderr(is_empty()).stdout(contains(line));
    assert_eq!(String::from_utf8_lossy(&found.get_output().stdout).lines().count(), 1);
    let found = program().arg("--json").args([&input, &output]).assert().code(1);
    let found: serde_json::Value = serde_json::from_slice(&found.get_output().stdout).unwrap();
    assert_eq!(found["same"], false);
    assert_eq!(found["difference"]["place"], "audio streams");
    assert_eq!(found["difference"]["b"], "1 (aac ita)");
    program().args(["--left-out", "2"]).args([&input, &output]).assert().code(0);
}

#[test]
fn files_that_cannot_be_read() {
    let desk = Desk::new();
    let video = desk.clip("in.mp4", &format!("{VIDEO} {H264}"));
    let text = file(&desk, "text.mp4", "this is no video");
    let empty = file(&desk, "empty.mp4", "");
    let sound = desk.clip("sound.m4a", "-f lavfi -i sine=d=1");
    let cases = [
        (desk.path("missing.mp4"), "no such file"),
        (text, "not a media file"),
        (empty, "0 bytes"),
        (sound, "no video stream"),
        (desk.path(""), "is a folder"),
    ];
    for (path, why) in cases {
        for pair in [[&video, &path], [&path, &video]] {
            let found = program().args(pair).assert().code(1).stdout(is_empty()).stderr(contains(why));
            assert_eq!(String::from_utf8_lossy(&found.get_output().stderr).lines().count(), 1);
        }
    }
}
