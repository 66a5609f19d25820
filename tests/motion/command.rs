//! `stylize-video measure`, as typed.

use assert_cmd::Command;
use image::RgbImage;
use stylize_video::media::Pixels;
use stylize_video::motion::flo;

use crate::synth::{HEIGHT, Motion, WIDTH};

const PAN: Motion = Motion::Pan([3.0, 1.0]);

/// A folder of pictures, the whole picture made brighter by `light` in every other one.
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
    assert_eq!(report["per_frame"].as_array().unwrap().len(), 4);
    assert_eq!(report["worst"].as_array().unwrap().len(), 3);
    let table = program(desk.path()).args(args).assert().success().get_output().stdout.clone();
    assert!(String::from_utf8(table).unwrap().starts_with("4 frames, 0 cuts\n"));
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
        (
            vec!["measure", "source", "--source", "source", "--flow", "%d_%d.flo"],
            "_2.flo: the flow file cannot be read",
        ),
        (
            vec!["measure", "short", "--source", "source", "--flow", "%d_%d.flo"],
            "short has only 1 frames, source has more",
        ),
    ] {
        let output = program(desk.path()).args(&args).assert().code(1).get_output().stderr.clone();
        let text = String::from_utf8(output).unwrap();
        assert!(text.contains(expected), "{args:?}: {text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}
