//! Compares the nine best patches with a brute-force search, and surveys unusual pictures.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use stylize_video::explore::best::{Best, Place};
use stylize_video::explore::pictures::{Reading, entries, still};
use stylize_video::explore::state::{Key, State};
use stylize_video::explore::survey::{Plan, survey};
use stylize_video::explore::{Every, ExploreError};
use stylize_video::interrupt::CancelToken;
use stylize_video::media::Pixels;
use stylize_video::report::{Event, Observer};
use stylize_video::stylize::backbone::{Backbone, NamedTensors};
use stylize_video::stylize::probe::Probe;
use stylize_video::stylize::tensor::from_pixels;
use tch::{Device, no_grad};

use crate::explore::{PLAIN, formula, network, numbers, save};

pub const READING: Reading = Reading { every: Every::Frames(1), size: 320 };

/// Records the reported progress; can cancel after a given number of pictures.
#[derive(Default)]
pub struct Ear {
    pub events: Mutex<Vec<Event>>,
    pub stop: Option<(u64, CancelToken)>,
}

impl Observer for Ear {
    fn event(&self, event: &Event) {
        if let (Event::Progress { done, .. }, Some((after, cancel))) = (event, &self.stop)
            && done >= after
        {
            cancel.cancel(2);
        }
        self.events.lock().unwrap().push(event.clone());
    }
}

/// Surveys `inputs` in `folder`, resuming from earlier results.
pub fn run(
    probe: &Probe,
    layers: &[usize],
    inputs: &[PathBuf],
    folder: &Path,
    ear: &Ear,
) -> Result<State, ExploreError> {
    let plan = Plan { probe, layers, grams: &[], reading: READING, folder };
    let names = layers.iter().map(|&layer| probe.shapes()[layer].name.clone()).collect();
    let key = Key {
        backbone: probe.name().into(),
        weights: None,
        pooling: "max".into(),
        layers: names,
        every: "1".into(),
        size: READING.size,
        grams: false,
        entries: entries(inputs)?,
    };
    let channels: Vec<usize> = layers.iter().map(|&layer| probe.shapes()[layer].channels).collect();
    let mut state = State::load(folder, &key)?.unwrap_or_else(|| State::new(key, &channels));
    let cancel = ear.stop.as_ref().map(|(_, cancel)| cancel.clone()).unwrap_or_default();
    survey(&plan, &mut state, None, ear, &cancel)?;
    Ok(state)
}

pub fn probe(weights: NamedTensors) -> Probe {
    Probe::new(network("squeezenet1_1", PLAIN, weights), Device::Cpu).unwrap()
}

/// Makes pictures of 40 to 55 pixels; a third of them occur twice, which makes ties.
fn generate(folder: &Path, count: u32) {
    std::fs::create_dir_all(folder).unwrap();
    for n in 0..count {
        let kind = if n % 3 == 2 { n - 1 } else { n };
        let (width, height) = (40 + kind % 16, 40 + kind % 11);
        let value = |x: u32, y: u32, c: u32| ((x * (kind % 13) + y * (kind % 7 + c) + x * y * kind / 9) % 256) as u8;
        save(&folder.join(format!("{n}.png")), width, height, |x, y| [0, 1, 2].map(|c| value(x, y, c)));
    }
}

/// Sorts every activation of every picture and returns the nine best, at most one per picture.
fn brute(network: &dyn Backbone, layer: usize, files: &[PathBuf]) -> Vec<Vec<(f32, Place, i64, i64)>> {
    let mut units: Vec<Vec<(f32, Place, i64, i64)>> = Vec::new();
    for (entry, file) in files.iter().enumerate() {
        let image = still(file, READING.size).unwrap();
        let pixels = Pixels::from_rgb8(image.width() as usize, image.height() as usize, image.as_raw());
        let found = no_grad(|| network.forward(&from_pixels(&pixels, Device::Cpu).unwrap(), &[layer])).unwrap();
        let (_, channels, height, width) = found[0].size4().unwrap();
        units.resize(channels as usize, Vec::new());
        let values = numbers(&found[0]);
        for (unit, map) in values.chunks((height * width) as usize).enumerate() {
            let mut best: Option<(f32, i64, i64)> = None;
            for (at, &value) in map.iter().enumerate() {
                let (value, at) = (value as f32, at as i64);
                if value > 0.0 && best.is_none_or(|(most, ..)| value > most) {
                    best = Some((value, at / width, at % width));
                }
            }
            units[unit].extend(best.map(|(value, y, x)| (value, Place { entry, frame: 0 }, y, x)));
        }
    }
    for unit in &mut units {
        unit.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        unit.truncate(9);
    }
    units
}

fn found(state: &State, layer: usize) -> Vec<Vec<(f32, Place, i64, i64)>> {
    let row = |best: &Best| (best.value, best.place, best.y, best.x);
    state.layers[layer].units.iter().map(|nine| nine.iter().map(row).collect()).collect()
}

#[test]
fn the_nine_best_of_200_pictures_are_those_of_brute_force() {
    let desk = tempfile::tempdir().unwrap();
    let (inputs, folder) = (desk.path().join("in"), desk.path().join("out"));
    generate(&inputs, 200);
    std::fs::create_dir(&folder).unwrap();
    let probe = probe(formula::weights("squeezenet1_1"));
    let layers = [probe.layer("conv1").unwrap(), probe.layer("fire3").unwrap()];
    // In two runs, the first of them cancelled.
    let cancel = CancelToken::default();
    let ear = Ear { stop: Some((70, cancel)), ..Ear::default() };
    let inputs = [inputs];
    assert!(matches!(run(&probe, &layers, &inputs, &folder, &ear), Err(ExploreError::Cancelled { .. })));
    let state = run(&probe, &layers, &inputs, &folder, &Ear::default()).unwrap();
    assert_eq!(state.pictures, 200);
    assert!(state.is_done());
    let files: Vec<PathBuf> = (0..200).map(|n| inputs[0].join(format!("{n}.png"))).collect();
    let network = network("squeezenet1_1", PLAIN, formula::weights("squeezenet1_1"));
    for (index, &layer) in layers.iter().enumerate() {
        let wanted = brute(network.as_ref(), layer, &files);
        let ties = wanted.iter().flat_map(|unit| unit.windows(2)).filter(|pair| pair[0].0 == pair[1].0).count();
        assert!(ties > 20, "only {ties} ties");
        assert_eq!(found(&state, index), wanted, "layer {layer}");
    }
}

#[test]
fn odd_pictures_are_passed_over_and_counted() {
    let desk = tempfile::tempdir().unwrap();
    let inputs = desk.path().join("in");
    generate(&inputs, 4);
    std::fs::write(inputs.join("1.png"), b"\x89PNG\r\n\x1a\nno more").unwrap();
    std::fs::write(inputs.join("broken.mp4"), b"no video").unwrap();
    std::fs::write(inputs.join("notes.txt"), b"not for the eye").unwrap();
    // One picture is too small for every layer, one for all but the first layers.
    save(&inputs.join("dot.png"), 1, 1, |_, _| [9, 9, 9]);
    save(&inputs.join("small.png"), 9, 9, |x, y| [(x * 20) as u8, (y * 20) as u8, 99]);
    let weights = formula::weights("squeezenet1_1");
    // Unit 5 is dead.
    let _ = weights["features.0.weight"].get(5).zero_();
    let _ = weights["features.0.bias"].get(5).fill_(-1.0);
    let probe = probe(weights);
    let layers: Vec<usize> = ["conv1", "relu1", "fire9"].iter().map(|name| probe.layer(name).unwrap()).collect();
    let ear = Ear::default();
    let folder = desk.path().join("out");
    std::fs::create_dir(&folder).unwrap();
    let state = run(&probe, &layers, &[inputs], &folder, &ear).unwrap();
    assert_eq!(state.pictures, 5, "three sound ones, the dot and the small one");
    let broken: Vec<String> =
        state.broken.iter().map(|(path, _)| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(broken, ["1.png", "broken.mp4"]);
    let events = ear.events.lock().unwrap();
    let warned =
        |name: &str| events.iter().any(|event| matches!(event, Event::Warning { message } if message.contains(name)));
    assert!(warned("1.png") && warned("broken.mp4"));
    let small: Vec<u64> = state.layers.iter().map(|layer| layer.too_small).collect();
    assert_eq!(small, [1, 1, 2]);
    let kept = |layer: usize, unit: usize| state.layers[layer].units[unit].iter().count();
    assert_eq!((kept(0, 5), kept(1, 5)), (0, 0), "a dead unit has no activation");
    assert!((0..64).all(|unit| kept(0, unit) <= 4), "fewer than nine pictures");
    assert!((0..64).any(|unit| kept(0, unit) == 4));
}

#[test]
fn what_cannot_be_gone_through_is_said_at_once() {
    let desk = tempfile::tempdir().unwrap();
    let empty = desk.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    std::fs::write(empty.join("notes.txt"), b"nothing").unwrap();
    for (input, wanted) in [
        (PathBuf::from("-"), "standard input"),
        (empty, "no picture or video"),
        (desk.path().join("gone.png"), "no such file"),
    ] {
        let error = entries(&[input]).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
    let torn = desk.path().join("torn.png");
    std::fs::write(&torn, b"torn").unwrap();
    let probe = probe(formula::weights("squeezenet1_1"));
    let folder = desk.path().join("out");
    std::fs::create_dir(&folder).unwrap();
    let error = run(&probe, &[0], &[torn], &folder, &Ear::default()).unwrap_err().to_string();
    assert!(error.contains("none of the 1 inputs") && error.contains("torn.png"), "{error}");
}

#[test]
fn another_run_in_the_same_folder_is_refused() {
    let desk = tempfile::tempdir().unwrap();
    let (inputs, folder) = (desk.path().join("in"), desk.path().join("out"));
    generate(&inputs, 2);
    std::fs::create_dir(&folder).unwrap();
    let probe = probe(formula::weights("squeezenet1_1"));
    let inputs = [inputs];
    run(&probe, &[0], &inputs, &folder, &Ear::default()).unwrap();
    let error = run(&probe, &[1], &inputs, &folder, &Ear::default()).unwrap_err();
    assert!(error.to_string().contains("--layers"), "{error}");
    generate(&inputs[0], 3);
    let error = run(&probe, &[0], &inputs, &folder, &Ear::default()).unwrap_err();
    assert!(error.to_string().contains("the inputs changed"), "{error}");
    std::fs::write(folder.join("layers.json"), b"{ torn").unwrap();
    let error = run(&probe, &[0], &inputs, &folder, &Ear::default()).unwrap_err();
    assert!(error.to_string().contains("--restart"), "{error}");
    let foreign = desk.path().join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("letter.txt"), b"dear").unwrap();
    let error = run(&probe, &[0], &inputs, &foreign, &Ear::default()).unwrap_err();
    assert!(error.to_string().contains("choose another"), "{error}");
}
