//! A job reports how steady its result is.

use assert_cmd::Command;
use image::RgbImage;
use serde_json::Value;

use crate::motion::synth::{HEIGHT, Motion, WIDTH};

const FRAMES: usize = 5;

/// Paints a short pan with few iterations. Returns the printed text and the desk.
fn run(next: &str, format: &str) -> (String, tempfile::TempDir) {
    let desk = tempfile::tempdir().unwrap();
    std::fs::create_dir(desk.path().join("source")).unwrap();
    for t in 0..FRAMES {
        let picture = RgbImage::from_raw(WIDTH as u32, HEIGHT as u32, Motion::Pan([1.0, 0.5]).frame(t).to_rgb8());
        picture.unwrap().save(desk.path().join(format!("source/{t}.png"))).unwrap();
    }
    let set = format!("init.next=\"{next}\"");
    let weight = if next == "warped" { "temporal.weight=2000" } else { "temporal.weight=0" };
    let mut command = Command::cargo_bin("stylize-video").unwrap();
    command.current_dir(desk.path()).args(["--log-format", format, "--size", "auto", "--device", "cpu", "--seed", "1"]);
    command.args([
        "--iterations",
        "3,2",
        "--set",
        &set,
        "--set",
        weight,
        "--backbone",
        "patches",
        "source",
        "-o",
        "result/%d.png",
    ]);
    let told = command.assert().success().get_output().stderr.clone();
    (String::from_utf8(told).unwrap(), desk)
}

fn events(told: &str, kind: &str) -> Vec<Value> {
    let events = told.lines().map(|line| serde_json::from_str(line).unwrap());
    events.filter(|event: &Value| event["event"] == kind).collect()
}

#[cfg(feature = "opencv")]
#[test]
fn its_figures_are_those_of_measure() {
    let (told, desk) = run("warped", "json");
    let frames = events(&told, "frame");
    assert_eq!(frames.len(), FRAMES, "{told}");
    assert!(frames[0]["e_warp"].is_null() && frames[0]["coverage"].is_null(), "{}", frames[0]);
    let finished = &events(&told, "finished")[0];
    let summary = &finished["steadiness"];
    let measured = Command::cargo_bin("stylize-video")
        .unwrap()
        .current_dir(desk.path())
        .args(["measure", "result", "--source", "source", "--json"])
        .assert()
        .success()
        .get_output()
        .stdout
        .clone();
    let measured: Value = serde_json::from_slice(&measured).unwrap();
    // The job measures its paintings before they are rounded to 8 bits and, at this size, at full resolution.
    let close = |a: &Value, b: &Value| {
        let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
        (a - b).abs() <= 0.02 * a + 1e-5
    };
    for (t, frame) in frames.iter().enumerate().skip(1) {
        for figure in ["e_warp", "ruder_mse"] {
            let (a, b) = (&frame[figure], &measured["per_frame"][t][figure]);
            assert!(close(&a["result"], &b["result"]) && close(&a["source"], &b["source"]), "{figure} {t}: {a} {b}");
        }
        assert!(close(&frame["coverage"], &measured["per_frame"][t]["coverage"]));
    }
    // Ghosts are measured in every fourth frame.
    for (t, frame) in frames.iter().enumerate() {
        assert_eq!(frame["ghost"].is_null(), t != 4, "{frame}");
        assert_eq!(frame["unpainted"], Value::Null, "too few tiles");
    }
    for figure in ["ghost", "content_moving"] {
        let of_last = &measured["per_frame"][4][figure];
        assert!(
            close(&summary[figure], of_last) && frames[4][figure] == summary[figure],
            "{figure}: {summary} {measured}"
        );
    }
    assert!(close(&summary["e_warp"]["result"], &measured["e_warp"]["result"]), "{summary}\n{measured}");
    assert_eq!((&summary["frames"], &summary["worst"][0]["frame"]), (&FRAMES.into(), &measured["worst"][0]["frame"]));
}

#[cfg(feature = "opencv")]
#[test]
fn it_ends_with_a_line() {
    let (told, _desk) = run("warped", "text");
    let last = told.trim_end().lines().last().unwrap();
    assert!(last.starts_with("steadiness: along the motion, a frame differs from the one before by "), "{told}");
    assert!(last.contains("; what moves: ghost 0.") && last.ends_with("(below 1: the scene of now)"), "{told}");
}

#[test]
fn without_motion_nothing_is_told() {
    let (told, _desk) = run("previous", "json");
    let frames = events(&told, "frame");
    assert_eq!(frames.len(), FRAMES);
    assert!(frames.iter().all(|frame| frame["e_warp"].is_null() && frame["coverage"].is_null()));
    assert!(events(&told, "finished")[0]["steadiness"].is_null());
}
