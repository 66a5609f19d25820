//! The `stylize-video layers` command.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command as Process, Stdio};

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;
use rustix::process::Signal;

use crate::common::send;
use crate::explore::save;

/// Returns the program, isolated from the user's own settings.
fn program(desk: &Path) -> Command {
    let mut command = Command::cargo_bin("stylize-video").unwrap();
    command.env("XDG_CONFIG_HOME", desk).env("OMP_NUM_THREADS", "1").current_dir(desk);
    command
}

/// Makes a clip of two seconds at 10 frames a second, two pictures and a broken picture.
pub fn material(desk: &Path) {
    let folder = desk.join("in");
    std::fs::create_dir(&folder).unwrap();
    let made = Process::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=s=96x64:r=10:d=2", "-pix_fmt", "yuv420p"])
        .arg(folder.join("clip.mp4"))
        .status()
        .unwrap();
    assert!(made.success());
    save(&folder.join("a & <b>.png"), 80, 60, |x, y| [(x * 3) as u8, (y * 4) as u8, ((x * y) % 256) as u8]);
    save(&folder.join("stripes.png"), 60, 80, |x, _| if x % 8 < 4 { [250, 240, 20] } else { [20, 30, 90] });
    std::fs::write(folder.join("torn.jpg"), b"\xff\xd8\xff\xe0 torn").unwrap();
}

fn size(path: &Path) -> (u32, u32) {
    image::image_dimensions(path).unwrap()
}

#[test]
fn the_list_needs_no_weights() {
    let desk = tempfile::tempdir().unwrap();
    let list = |name: &str| {
        let found = program(desk.path()).args(["layers", "--list", "--backbone", name]).assert().success();
        String::from_utf8(found.get_output().stdout.clone()).unwrap()
    };
    let row = |text: &str, layer: &str| -> Vec<String> {
        let line = text.lines().find(|line| line.starts_with(&format!("{layer} "))).unwrap();
        line.split_whitespace().map(str::to_owned).collect()
    };
    // From the literature: receptive fields of 3, 5, 10, 14, 24 ... 252 pixels.
    let vgg = list("vgg19");
    for (layer, channels, stride, field) in [
        ("conv1_1", "64", "1", "3"),
        ("conv2_2", "128", "2", "14"),
        ("conv3_4", "256", "4", "48"),
        ("conv5_4", "512", "16", "252"),
    ] {
        assert_eq!(row(&vgg, layer), [layer, channels, stride, field, "x", field]);
    }
    let vgg16 = list("vgg16");
    for (layer, field) in [("conv4_3", "92"), ("conv5_3", "196")] {
        assert_eq!(row(&vgg16, layer)[3], field);
    }
    assert_eq!(row(&list("squeezenet1_0"), "conv1"), ["conv1", "96", "2", "7", "x", "7"]);
    assert_eq!(row(&list("patches"), "relu2")[..3], ["relu2", "96", "2"]);
    program(desk.path()).args(["layers", "--list", "--backbone", "resnet"]).assert().code(2);
}

#[test]
fn a_run_makes_sheets_and_a_page_and_goes_on() {
    let desk = tempfile::tempdir().unwrap();
    material(desk.path());
    let base = ["layers", "in", "--backbone", "patches", "--layers", "half2,relu1", "--every", "0.5s", "-o", "out"];
    let out = desk.path().join("out");
    program(desk.path())
        .args(base)
        .args(["--units", "3,40,51"])
        .assert()
        .success()
        .stderr(contains("torn.jpg").and(contains("1 of 4 inputs could not be read")).and(contains("6 pictures")));
    // Receptive fields of 23 pixels at four times their size: three blocks in a row, of two grids of three tiles each.
    let grid = 3 * 92 + 2 * 2;
    assert_eq!(size(&out.join("half2.png")), (10 + 3 * (2 * grid + 10 + 10), 10 + 13 + grid + 10));
    // relu1 has 48 units, so only two of the requested numbers exist. Receptive fields of 7 pixels, at 13 times their
    // size.
    assert_eq!(size(&out.join("relu1.png")).0, 10 + 2 * (2 * (3 * 91 + 4) + 10 + 10));
    let page = std::fs::read_to_string(out.join("index.html")).unwrap();
    for part in
        ["half2.png", "clip.mp4", "torn.jpg", "a &amp; &lt;b&gt;.png", "receptive field", "<svg", "1 input skipped"]
    {
        assert!(
            page.contains(part)
                || page.contains(&part.replace("&amp;", "&").replace("&lt;", "\\u003c").replace("&gt;", ">")),
            "{part}"
        );
    }
    assert!(!page.contains("http://") && !page.contains("https://"), "the page needs no network");
    let state = std::fs::read(out.join("layers.json")).unwrap();
    // Other units: the survey is not repeated.
    program(desk.path())
        .args(base)
        .args(["--units", "all"])
        .assert()
        .success()
        .stderr(contains("all 6 pictures were looked at before"));
    assert_eq!(std::fs::read(out.join("layers.json")).unwrap(), state);
    assert!(!out.join("half2.png").exists(), "96 units are on three sheets now");
    assert!(out.join("half2-03.png").exists());
    program(desk.path()).args(base).args(["--size", "64"]).assert().code(2).stderr(contains("--size changed"));
    program(desk.path()).args(base).args(["--size", "64", "--restart"]).assert().success();
    assert_ne!(std::fs::read(out.join("layers.json")).unwrap(), state);
}

#[test]
fn a_style_is_ranked_and_feature_maps_are_drawn() {
    let desk = tempfile::tempdir().unwrap();
    material(desk.path());
    let stripes = desk.path().join("in/stripes.png");
    let found = program(desk.path())
        .args(["layers", "in/clip.mp4", "--every", "10", "--backbone", "patches", "--layers", "conv2", "-o", "out"])
        .arg("--style")
        .arg(&stripes)
        .arg("--activations")
        .arg(&stripes)
        .assert()
        .success();
    let text = String::from_utf8(found.get_output().stdout.clone()).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("style_weights = [")).unwrap();
    let numbers: Vec<f64> = line.split(']').next().unwrap().split(", ").map(|number| number.parse().unwrap()).collect();
    assert_eq!(numbers.len(), 5);
    assert!((numbers.iter().sum::<f64>() - 1.0).abs() < 0.003, "{numbers:?}");
    // The five style layers are shown as well.
    for file in ["relu4.png", "conv2.png", "activations-stripes-relu1.png", "index.html"] {
        assert!(desk.path().join("out").join(file).is_file(), "{file}");
    }
    // 48 feature maps of 60x80 pixels, 30 in a row.
    assert_eq!(size(&desk.path().join("out/activations-stripes-relu1.png")).0, 6 + 30 * 66);
    // The printed lines are valid in a preset without changes.
    let lines: Vec<&str> = text.lines().skip_while(|line| *line != "[loss]").collect();
    std::fs::write(desk.path().join("mine.toml"), format!("extends = \"monet\"\n{}\n", lines.join("\n"))).unwrap();
    program(desk.path()).args(["presets", "check", "mine.toml"]).assert().success();
}

#[test]
fn feature_maps_need_no_other_input() {
    let desk = tempfile::tempdir().unwrap();
    material(desk.path());
    program(desk.path())
        .args(["layers", "--activations", "in/stripes.png", "--backbone", "patches", "--layers", "relu3", "-o", "out"])
        .assert()
        .success();
    assert!(desk.path().join("out/activations-stripes-relu3.png").is_file());
}

#[test]
fn mistakes_are_found_first() {
    let desk = tempfile::tempdir().unwrap();
    material(desk.path());
    for (arguments, code, told) in [
        (vec!["layers"], 2, "INPUT"),
        (vec!["layers", "gone.png", "--backbone", "patches"], 1, "gone.png"),
        (vec!["layers", "in", "--backbone", "patches", "--layers", "conv9"], 2, "relu1"),
        (vec!["layers", "in", "--backbone", "patches", "--units", "3,500"], 2, "units 0 to 175"),
        (vec!["layers", "in", "--backbone", "patches", "--every", "0"], 2, "0.5s"),
        (vec!["layers", "in", "--backbone", "patches", "--activations", "in/torn.jpg"], 1, "torn.jpg"),
        (vec!["layers", "in", "--backbone", "patches", "--style", "gone.jpg"], 2, "gone.jpg"),
        (vec!["layers", "in", "--backbone", "patches", "-o", "in"], 2, "choose another"),
    ] {
        program(desk.path()).args(&arguments).assert().code(code).stderr(contains(told));
    }
    assert!(!desk.path().join("layers").join("layers.json").exists());
}

#[test]
fn a_signal_stops_it_and_the_same_command_goes_on() {
    let desk = tempfile::tempdir().unwrap();
    let made = Process::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=6", "-pix_fmt", "yuv420p"])
        .arg(desk.path().join("clip.mp4"))
        .status()
        .unwrap();
    assert!(made.success());
    let arguments = |out: &'static str| {
        ["layers", "clip.mp4", "--backbone", "patches", "--layers", "relu2", "--log-format", "json", "-o", out]
    };
    let mut running = Process::new(assert_cmd::cargo::cargo_bin("stylize-video"))
        .args(arguments("cut"))
        .env("XDG_CONFIG_HOME", desk.path())
        .env("OMP_NUM_THREADS", "1")
        .current_dir(desk.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(running.stderr.take().unwrap()).lines();
    lines.find(|line| line.as_ref().unwrap().contains("\"done\":7,")).unwrap().unwrap();
    send(&running, Signal::INT).unwrap();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(running.wait().unwrap().code(), Some(130), "{rest:?}");
    assert!(rest.last().unwrap().contains("the same command continues"), "{rest:?}");
    program(desk.path()).args(arguments("cut")).assert().success().stderr(contains("continues after"));
    program(desk.path()).args(arguments("whole")).assert().success();
    for file in ["layers.json", "relu2.png", "index.html"] {
        let read = |folder: &str| std::fs::read(desk.path().join(folder).join(file)).unwrap();
        assert!(read("cut") == read("whole"), "{file} is as if nothing had happened");
    }
}
