//! The `stylize-video measure` command.

use assert_cmd::Command;
use image::RgbImage;
use stylize_video::media::Pixels;
use stylize_video::motion::flo;

use crate::motion::synth::{HEIGHT, Motion, WIDTH};

const PAN: Motion = Motion::Pan([3.0, 1.0]);

/// Makes a folder of pictures in which every other picture is brighter by `light`.
fn pictures(folder: &std::path::Path, frames: usize, light: f32) {
    std::fs::create_dir_all(folder).unwrap();
    for t in 0..frames {
        let mut pixels: Pixels = PAN.frame(t);
        pixels.rgb.iter_mut().for_each(|value| *value = *value * 0.6 + light * (t % 2) as f32);
        let picture = RgbImage::from_raw(WIDTH as u32, HEIGHT as u32, pixels.to_rgb8()).unwrap();
        picture.save(folder.join(format!("{t}.png"))).unwrap();
    }
}

fn program(folder: &std::path::Path) -> Command {
    let mut command = Command::cargo_bin("stylize-video").unwrap();
    command.current_dir(folder);
    command
}

#[test]
fn figures_with_flow_from_files() {
    let desk = tempfile::tempdir().unwrap();
    pictures(&desk.path().join("source"), 4, 0.0);
    pictures(&desk.path().join("result"), 4, 0.2);
    for (from, to) in [(0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (3, 2)] {
        flo::write(&desk.path().join(format!("f_{}_{}.flo", from + 1, to + 1)), &PAN.flow(from, to)).unwrap();
    }
    let args = ["measure", "result", "--source", "source", "--flow", "f_%d_%d.flo"];
    let json = program(desk.path()).args(args).arg("--json").assert().success().get_output().stdout.clone();
    let report: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let result = report["e_warp"]["result"].as_f64().unwrap();
    // 0.2 is 51/255 exactly, less half a step of rounding.
    assert!((result - 0.04).abs() < 2e-4, "{report}");
    assert_eq!(report["e_warp"]["source"], 0.0);
    let frames = report["per_frame"].as_array().unwrap();
    assert_eq!((frames.len(), &frames[0]["frame"], &frames[0]["place"]), (4, &1.into(), &"new".into()));
    assert!(frames[0]["e_warp"].is_null() && (frames[1]["coverage"].as_f64().unwrap() - 0.95).abs() < 0.02, "{report}");
    assert_eq!(report["worst"].as_array().unwrap().len(), 3);
    let table = program(desk.path()).args(args).assert().success().get_output().stdout.clone();
    assert!(String::from_utf8(table).unwrap().starts_with("4 frames, 0 cuts\n"));
}

/// The source is still except for one white frame, which a cut follows.
#[test]
fn flashes_cuts_and_single_frames_are_told_of() {
    let desk = tempfile::tempdir().unwrap();
    let folder = desk.path().join("source");
    std::fs::create_dir(&folder).unwrap();
    for t in 0..12 {
        let still: Pixels =
            if t < 9 { PAN.frame(0) } else { crate::motion::synth::Motion::Layers([0.0, 0.0]).frame(0) };
        let mut bytes = still.to_rgb8();
        match t {
            4 => bytes.fill(255),
            // Another scene, and far brighter.
            9.. => bytes.iter_mut().for_each(|byte| *byte = 255 - *byte / 4),
            _ => bytes.iter_mut().for_each(|byte| *byte /= 2),
        }
        RgbImage::from_raw(WIDTH as u32, HEIGHT as u32, bytes)
            .unwrap()
            .save(folder.join(format!("{t:02}.png")))
            .unwrap();
    }
    let args = ["measure", "source", "--source", "source"];
    let table = program(desk.path()).args(args).assert().success().get_output().stdout.clone();
    let table = String::from_utf8(table).unwrap();
    assert!(table.starts_with("12 frames, 1 cut, 1 flash skipped\n"), "{table}");
    let one = desk.path().join("source/00.png");
    let args = ["measure", one.to_str().unwrap(), "--source", one.to_str().unwrap(), "--json"];
    let json = program(desk.path()).args(args).assert().success().get_output().stdout.clone();
    let report: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert!(report["frames"] == 1 && report["e_warp"].is_null() && report["coverage"].is_null(), "{report}");
}

#[test]
fn a_column_that_an_encoder_added_is_left_out() {
    let desk = tempfile::tempdir().unwrap();
    pictures(&desk.path().join("source"), 3, 0.0);
    let wide = desk.path().join("wide");
    std::fs::create_dir(&wide).unwrap();
    for t in 0..3 {
        let picture = image::open(desk.path().join(format!("source/{t}.png"))).unwrap().to_rgb8();
        let last = WIDTH as u32 - 1;
        RgbImage::from_fn(WIDTH as u32 + 1, HEIGHT as u32, |x, y| *picture.get_pixel(x.min(last), y))
            .save(wide.join(format!("{t}.png")))
            .unwrap();
    }
    for (from, to) in [(1, 2), (2, 1), (2, 3), (3, 2)] {
        flo::write(&desk.path().join(format!("{from}_{to}.flo")), &PAN.flow(from - 1, to - 1)).unwrap();
    }
    let args = ["measure", "wide", "--source", "source", "--flow", "%d_%d.flo", "--json"];
    let json = program(desk.path()).args(args).assert().success().get_output().stdout.clone();
    let report: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!((&report["fdb"], &report["e_warp"]["result"]), (&0.0.into(), &0.0.into()), "{report}");
}

#[test]
fn what_does_not_fit_is_said() {
    let desk = tempfile::tempdir().unwrap();
    pictures(&desk.path().join("source"), 3, 0.0);
    pictures(&desk.path().join("short"), 1, 0.0);
    std::fs::create_dir(desk.path().join("small")).unwrap();
    RgbImage::new(8, 8).save(desk.path().join("small/0.png")).unwrap();
    for (args, expected) in [
        (vec!["measure", "none.mp4", "--source", "source"], "none.mp4: no such file"),
        (vec!["measure", "small", "--source", "source"], "it is 8x8, the source 96x64"),
        (vec!["measure", "source", "--source", "source", "--flow", "f.flo"], "needs two numbers"),
        (vec!["measure", "source", "--source", "source", "--flow", "%d_%d.flo"], ".flo: the flow file cannot be read"),
        (
            vec!["measure", "short", "--source", "source", "--flow", "%d_%d.flo"],
            "short has only 1 frame, source has more",
        ),
    ] {
        let output = program(desk.path()).args(&args).assert().code(1).get_output().stderr.clone();
        let text = String::from_utf8(output).unwrap();
        assert!(text.contains(expected), "{args:?}: {text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}
