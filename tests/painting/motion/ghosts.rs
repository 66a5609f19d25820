//! Ghosts and unpainted places, on clips for which the figures are known.

use assert_cmd::Command;
use image::RgbImage;
use serde_json::Value;
use stylize_video::measure::{FrameFigures, GhostMeter, Meter, Summary};
use stylize_video::media::Pixels;
use stylize_video::motion::{Consistency, FlowField, Shot, Step, Transition, flo};
use stylize_video::settings::StyleSettings;
use stylize_video::stylize::frame::style_pictures::StylePicture;
use stylize_video::stylize::meter_network::MeterNetwork;
use stylize_video::stylize::tensor::from_pixels;
use tch::Device;

use crate::motion::measure::{RATE, STILL, grey, transitions};
use crate::motion::synth::{HEIGHT, Motion, WIDTH};

const PAN: Motion = Motion::Pan([2.0, 1.0]);
const FRAMES: usize = 8;

fn ghosts(styles: &[StylePicture]) -> GhostMeter {
    GhostMeter::new(Box::new(MeterNetwork::new(styles, &StyleSettings::default(), Device::Cpu).unwrap()))
}

/// Measures the result of `paint` for each frame of a motion; `follow` can replace how a frame follows the previous
/// one.
fn measure(
    mut ghosts: GhostMeter,
    motion: Motion,
    paint: impl Fn(usize) -> Pixels,
    follow: impl Fn(usize) -> Transition,
) -> (Vec<FrameFigures>, Summary) {
    let mut meter = Meter::new(RATE);
    let figures = (0..FRAMES).map(|t| {
        let (source, result, transition) = (motion.frame(t), paint(t), follow(t));
        let seen = ghosts.next(&source, &result, transition.shot).unwrap();
        meter.push_seen(source, result, &transition, seen)
    });
    (figures.collect(), meter.finish())
}

/// Returns the frames, from 0, that are reported to have a ghost.
fn told(figures: &[FrameFigures]) -> Vec<usize> {
    (0..figures.len()).filter(|&t| figures[t].figures.ghost.is_some()).collect()
}

#[test]
fn the_source_itself_is_no_ghost() {
    let (figures, summary) = measure(ghosts(&[]), PAN, |t| PAN.frame(t), |t| transitions(PAN, t));
    assert_eq!((summary.ghost, summary.content_moving, summary.unpainted), (Some(0.0), Some(0.0), None));
    assert_eq!(told(&figures), [4, 5, 6, 7]);
    assert!(summary.worst_ghosts.is_empty() && summary.most_unpainted.is_none());
}

#[test]
fn a_source_that_is_late_is_all_ghost() {
    let late = |t: usize| PAN.frame(t.saturating_sub(4));
    let (_, summary) = measure(ghosts(&[]), PAN, late, |t| transitions(PAN, t));
    // The divisor is 0.
    assert_eq!(summary.ghost, Some(100.0));
    assert!(summary.content_moving.unwrap() > 0.2, "{summary:?}");
    // A painting that lags by two frames lies between the two cases.
    let (_, between) = measure(ghosts(&[]), PAN, |t| PAN.frame(t.saturating_sub(2)), |t| transitions(PAN, t));
    assert!((0.7..1.4).contains(&between.ghost.unwrap()), "{between:?}");
}

#[test]
fn half_of_both_is_a_ghost_of_one() {
    let half = |t: usize| {
        let (mut now, before) = (PAN.frame(t), PAN.frame(t.saturating_sub(4)));
        now.rgb.iter_mut().zip(&before.rgb).for_each(|(now, before)| *now = 0.5 * (*now + before));
        now
    };
    let (figures, summary) = measure(ghosts(&[]), PAN, half, |t| transitions(PAN, t));
    assert!((summary.ghost.unwrap() - 1.0).abs() < 0.15, "{summary:?}");
    assert_eq!(summary.worst_ghosts.len(), 4);
    let worst = figures.iter().filter_map(|told| told.figures.ghost).fold(0.0, f64::max);
    assert_eq!(summary.worst_ghosts[0].ghost, worst);
}

#[test]
fn where_nothing_moves_there_is_no_ghost() {
    let (figures, summary) = measure(ghosts(&[]), STILL, |t| grey(0.1 * t as f32), |t| transitions(STILL, t));
    assert_eq!((told(&figures), summary.ghost, summary.content_moving), (Vec::new(), None, None));
    // A picture that is too small for the network has no value either.
    let tiny = Pixels::black(8, 8);
    let seen = ghosts(&[]).next(&tiny, &tiny, Shot::New).unwrap();
    assert_eq!(seen.content_moving, None);
}

#[test]
fn a_cut_begins_again_and_a_flash_is_skipped() {
    // A cut that is reported, or unknown motion at a cut that was not detected.
    let unknown = FlowField::from_fn(WIDTH, HEIGHT, |_, _| [f32::NAN; 2]);
    let step = Step::new(unknown.clone(), unknown, &Consistency::default());
    let unseen = Transition { step: Some(step), ..Transition::from(Shot::Continues) };
    for cut in [Transition::from(Shot::New), unseen] {
        let follow = |t: usize| if t == 2 { cut.clone() } else { transitions(PAN, t) };
        assert_eq!(told(&measure(ghosts(&[]), PAN, |t| PAN.frame(t), follow).0), [6, 7]);
    }
    let flash = |t: usize| if t == 2 { Shot::Flash.into() } else { transitions(PAN, t) };
    assert_eq!(told(&measure(ghosts(&[]), PAN, |t| PAN.frame(t), flash).0), [5, 6, 7]);
}

#[test]
fn a_run_looks_at_every_fourth_frame() {
    let (figures, _) = measure(ghosts(&[]).seldom(), PAN, |t| PAN.frame(t), |t| transitions(PAN, t));
    assert_eq!(told(&figures), [4]);
}

const WIDE: usize = 256;
const HIGH: usize = 192;

/// Draws a uniform texture of coloured grains a few pixels wide.
fn grains(seed: usize) -> Pixels {
    let mut pixels = Pixels::black(WIDE, HIGH);
    for (i, value) in pixels.rgb.iter_mut().enumerate() {
        let (plane, y, x) = (i / (WIDE * HIGH), i / WIDE % HIGH, i % WIDE);
        let cell = (x / 3 + 101 * (y / 3) + 7919 * plane + 104_729 * seed) as u64;
        let mixed = cell.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        *value = ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 56) as f32 / 255.0;
    }
    pixels
}

/// Draws a complete but slightly pale painting in the style of the grains.
fn painted(seed: usize) -> Pixels {
    let mut pixels = grains(seed);
    pixels.rgb.iter_mut().for_each(|value| *value = 0.15 + 0.7 * *value);
    pixels
}

/// Like [`painted`], with one tile left flat.
fn with_a_flat_tile(seed: usize) -> Pixels {
    let mut pixels = painted(seed);
    for (i, value) in pixels.rgb.iter_mut().enumerate() {
        let (y, x) = (i / WIDE % HIGH, i % WIDE);
        if (64..128).contains(&y) && (128..192).contains(&x) {
            *value = 0.5;
        }
    }
    pixels
}

#[test]
fn a_tile_left_flat_is_unpainted() {
    let style = StylePicture { image: from_pixels(&grains(1), Device::Cpu).unwrap(), weight: 1.0 };
    let mut ghosts = ghosts(&[style]);
    let mut look = |result: Pixels| ghosts.next(&grains(2), &result, Shot::New).unwrap().unpainted.unwrap();
    let (intact, flat) = (look(painted(3)), look(with_a_flat_tile(3)));
    assert!((1.0..1.5).contains(&intact) && flat > 1.5, "intact {intact}, flat {flat}");
}

fn program(folder: &std::path::Path) -> Command {
    let mut command = Command::cargo_bin("stylize-video").unwrap();
    command.current_dir(folder);
    command
}

fn save(pixels: &Pixels, path: &std::path::Path) {
    let (width, height) = (pixels.width as u32, pixels.height as u32);
    RgbImage::from_raw(width, height, pixels.to_rgb8()).unwrap().save(path).unwrap();
}

fn output(folder: &std::path::Path, args: &[&str]) -> String {
    let told = program(folder).args(args).assert().success().get_output().stdout.clone();
    String::from_utf8(told).unwrap()
}

/// Returns the text after a row's name.
fn row(table: &str, name: &str) -> String {
    let line = table.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {table}"));
    line[name.len()..].trim().to_owned()
}

const GHOST: &str = "ghost (1: the scene 4 frames ago)";
const UNPAINTED: &str = "unpainted: worst tile over median";

#[test]
fn the_command_tells_of_ghosts() {
    let desk = tempfile::tempdir().unwrap();
    for folder in ["source", "late"] {
        std::fs::create_dir(desk.path().join(folder)).unwrap();
        for t in 0..6 {
            let shown = if folder == "late" { 4usize.max(t) - 4 } else { t };
            save(&PAN.frame(shown), &desk.path().join(format!("{folder}/{t}.png")));
        }
    }
    for t in 1..6 {
        for (from, to) in [(t - 1, t), (t, t - 1)] {
            flo::write(&desk.path().join(format!("{}_{}.flo", from + 1, to + 1)), &PAN.flow(from, to)).unwrap();
        }
    }
    let args = ["measure", "late", "--source", "source", "--flow", "%d_%d.flo"];
    let table = output(desk.path(), &args);
    assert_eq!((row(&table, GHOST), row(&table, UNPAINTED)), ("100.000".into(), "-".into()), "{table}");
    assert_eq!(row(&table, "worst ghosts:"), "5 (100.000), 6 (100.000)");
    let json: Value = serde_json::from_str(&output(desk.path(), &[&args[..], &["--json"]].concat())).unwrap();
    assert_eq!(
        (&json["ghost"], &json["unpainted"], &json["most_unpainted"]),
        (&100.0.into(), &Value::Null, &Value::Null)
    );
    assert_eq!((&json["worst_ghosts"][0]["frame"], &json["per_frame"][3]["ghost"]), (&5.into(), &Value::Null));
    assert!(json["per_frame"][4]["content_moving"].as_f64().unwrap() > 0.2, "{json}");
}

#[test]
fn the_command_tells_of_unpainted_places_where_it_knows_the_style() {
    let desk = tempfile::tempdir().unwrap();
    for (name, pixels) in
        [("style", grains(1)), ("source", grains(2)), ("intact", painted(3)), ("flat", with_a_flat_tile(3))]
    {
        save(&pixels, &desk.path().join(format!("{name}.png")));
    }
    let told = |args: &[&str]| output(desk.path(), &[&["measure", "--source", "source.png"], args].concat());
    let json = |args: &[&str]| -> Value { serde_json::from_str(&told(&[args, &["--json"]].concat())).unwrap() };
    let intact = json(&["intact.png", "--style", "style.png"]);
    let found = intact["unpainted"].as_f64().unwrap();
    assert!((1.0..1.5).contains(&found), "{intact}");
    assert_eq!((&intact["per_frame"][0]["unpainted"], &intact["most_unpainted"]["frame"]), (&found.into(), &1.into()));
    let flat = told(&["flat.png", "--style", "style.png"]);
    let found = row(&flat, UNPAINTED);
    assert!(found.parse::<f64>().unwrap() > 1.5 && row(&flat, "most unpainted:") == format!("1 ({found})"), "{flat}");
    let unknown = told(&["flat.png"]);
    assert!(row(&unknown, UNPAINTED) == "-" && !unknown.contains("most unpainted"), "{unknown}");
    assert!(json(&["flat.png", "--preset", "mosaic"])["unpainted"].is_f64());
}

#[test]
fn a_style_that_is_not_there_is_named() {
    let desk = tempfile::tempdir().unwrap();
    save(&grains(1), &desk.path().join("a.png"));
    std::fs::write(desk.path().join("broken.png"), "no picture").unwrap();
    for (args, code, expected) in [
        (["--style", "nowhere.jpg"], 2, "nowhere.jpg"),
        (["--style", "broken.png"], 1, "style picture "),
        (["--preset", "monett"], 2, "monett"),
    ] {
        let mut command = program(desk.path());
        command.args(["measure", "a.png", "--source", "a.png"]).args(args);
        let told = String::from_utf8(command.assert().code(code).get_output().stderr.clone()).unwrap();
        assert!(told.contains(expected) && told.lines().count() == 1, "{told}");
    }
}
