//! A network with hand-set weights, so that its best patches and projections can be worked out on paper.
//!
//! SqueezeNet 1.1 up to its first fire module. Unit 0 of `conv1` is the red value at the middle of its 3x3 pixels, unit
//! 1 the red on the left minus the red on the right; all other units are 0. Squeeze unit 0 passes on unit 0. Unit 2 of
//! `fire2` (1x1 branch) passes that on; its unit 64 (the first of the 3x3 branch) is twice the value one position to
//! the left.

use stylize_video::explore::best::Place;
use stylize_video::stylize::backbone::{NamedTensors, Pick, Wanted};
use tch::{Kind, Tensor};

use crate::explore::nine::{Ear, probe, run};
use crate::explore::{PLAIN, formula, network, numbers, save};

const MEAN: f64 = 0.485f32 as f64;
const STD: f64 = 0.229f32 as f64;
/// A background that the normalised input maps below 0, so that only the dots are active.
const GROUND: u8 = 40;

fn by_hand() -> NamedTensors {
    let mut weights = formula::weights("squeezenet1_1");
    for tensor in weights.values_mut() {
        let _ = tensor.zero_();
    }
    let set = |key: &str, place: [i64; 4], value: f64| {
        let _ = weights[key].get(place[0]).get(place[1]).get(place[2]).narrow(0, place[3], 1).fill_(value);
    };
    set("features.0.weight", [0, 0, 1, 1], 1.0);
    set("features.0.weight", [1, 0, 1, 0], 1.0);
    set("features.0.weight", [1, 0, 1, 2], -1.0);
    set("features.3.squeeze.weight", [0, 0, 0, 0], 1.0);
    set("features.3.expand1x1.weight", [2, 0, 0, 0], 1.0);
    set("features.3.expand3x3.weight", [0, 0, 1, 0], 2.0);
    weights
}

/// Returns the network's normalised input for a red value.
fn read(red: u8) -> f64 {
    (f64::from(red) / 255.0 - MEAN) / STD
}

#[test]
fn the_best_patches_are_where_the_dots_are() {
    let desk = tempfile::tempdir().unwrap();
    let inputs = desk.path().join("in");
    std::fs::create_dir(&inputs).unwrap();
    // The conv1 unit at (y, x) is centred on pixel (2y+1, 2x+1).
    for n in 0..12u32 {
        let dot = (2 * (3 + n) + 1, 2 * (5 + n % 4) + 1);
        let red = 250 - 5 * ((n * 5) % 12) as u8;
        let pixel = |x, y| [if (x, y) == dot { red } else { GROUND }, 77, 200];
        save(&inputs.join(format!("{n:02}.png")), 48, 40, pixel);
    }
    let folder = desk.path().join("out");
    std::fs::create_dir(&folder).unwrap();
    let probe = probe(by_hand());
    let state = run(&probe, &[0], &[inputs], &folder, &Ear::default()).unwrap();
    let mut order: Vec<u32> = (0..12).collect();
    order.sort_by_key(|n| (n * 5) % 12);
    let found: Vec<_> = state.layers[0].units[0].iter().collect();
    assert_eq!(found.len(), 9);
    for (best, &n) in found.iter().zip(&order) {
        assert_eq!(best.place, Place { entry: n as usize, frame: 0 });
        assert_eq!((best.y, best.x), (i64::from(5 + n % 4), i64::from(3 + n)));
        let red = 250 - 5 * ((n * 5) % 12) as u8;
        assert!((f64::from(best.value) - read(red)).abs() < 1e-5, "{} {}", best.value, read(red));
    }
    assert_eq!(state.layers[0].units[7].iter().count(), 0, "a unit without weights is dead");
}

/// Returns the nonzero samples of a pick's projection: channel, row, column and value.
fn marks(layer: &str, pick: Pick, picture: &Tensor) -> Vec<(usize, usize, usize, f64)> {
    let network = network("squeezenet1_1", PLAIN, formula::doubled(by_hand()));
    let inspect = network.inspect().unwrap();
    let layer = network.layer(layer).unwrap();
    let size = inspect.field(layer, pick.unit).size as usize;
    let found = inspect.project(picture, &[Wanted { layer, picks: vec![pick] }]).unwrap();
    let mark = |(at, value): (usize, f64)| (at / (size * size), at / size % size, at % size, value);
    numbers(&found[0][0]).into_iter().enumerate().filter(|(_, value)| *value != 0.0).map(mark).collect()
}

/// Draws red dots on a dark ground.
fn dots(places: &[(i64, i64, f64)]) -> Tensor {
    let picture = Tensor::full([1, 3, 40, 48], 0.1, (Kind::Double, tch::Device::Cpu));
    for &(y, x, red) in places {
        let _ = picture.get(0).get(0).get(y).narrow(0, x, 1).fill_(red);
    }
    picture
}

#[test]
fn projections_are_the_filters_at_the_switches() {
    let close = |found: &[(usize, usize, usize, f64)], want: &[(usize, usize, usize, f64)]| {
        assert_eq!(found.len(), want.len(), "{found:?}");
        for (found, want) in found.iter().zip(want) {
            assert_eq!((found.0, found.1, found.2), (want.0, want.1, want.2));
            assert!((found.3 - want.3).abs() < 1e-6 * want.3.abs(), "{found:?}, not {want:?}");
        }
    };
    let pick = |unit, y, x| Pick { unit, y, x, value: 3.0 };
    let picture = dots(&[(13, 15, 0.9)]);
    // The filter itself: one pixel and two pixels.
    close(&marks("conv1", pick(0, 6, 7), &picture), &[(0, 1, 1, 3.0 / STD)]);
    close(&marks("conv1", pick(1, 6, 7), &picture), &[(0, 1, 0, 3.0 / STD), (0, 1, 2, -3.0 / STD)]);
    // conv1's feature map has its maximum at (6, 7). Of the overlapping 3x3 windows of pool1, which begin at (2y, 2x),
    // window (2, 3) has it in its last row and second column: pixel (13, 15) of the receptive field that begins at (8,
    // 12).
    close(&marks("pool1", pick(0, 2, 3), &picture), &[(0, 5, 3, 3.0 / STD)]);
    // The same position in another window of the same unit: (3, 3) begins at conv1's row 6, pixel 12.
    close(&marks("pool1", pick(0, 3, 3), &picture), &[(0, 1, 3, 3.0 / STD)]);
    // The 1x1 branch sees the same as pool1; the 3x3 branch takes twice the position to the left.
    close(&marks("fire2", pick(2, 2, 3), &picture), &[(0, 5, 3, 3.0 / STD)]);
    close(&marks("fire2", pick(64, 2, 4), &picture), &[(0, 9, 3, 6.0 / STD)]);
    // In a window without a dot, the switch is the window's first position.
    close(&marks("pool1", pick(0, 8, 8), &picture), &[(0, 1, 1, 3.0 / STD)]);
}

#[test]
fn a_signal_is_rectified_and_the_forward_pass_is_not_asked() {
    let mut weights = by_hand();
    // Squeeze unit 0 has a negative weight for unit 0: its backward signal is negative and stops at relu1.
    let _ = weights.get_mut("features.3.squeeze.weight").unwrap().get(0).get(0).fill_(-1.0);
    let picture = dots(&[(13, 15, 0.9)]);
    let project = |weights: NamedTensors, layer: &str| {
        let network = network("squeezenet1_1", PLAIN, formula::doubled(weights));
        let layer = network.layer(layer).unwrap();
        let picks = vec![Pick { unit: 2, y: 2, x: 3, value: 1.0 }];
        let found = network.inspect().unwrap().project(&picture, &[Wanted { layer, picks }]).unwrap();
        numbers(&found[0][0]).into_iter().filter(|value| *value != 0.0).count()
    };
    assert_eq!(project(weights, "fire2"), 0);
    // A gradient would also be 0 here, because the forward pass is negative everywhere. A deconvnet considers only the
    // signal.
    let mut weights = by_hand();
    let _ = weights.get_mut("features.0.bias").unwrap().get(0).fill_(-100.0);
    assert_eq!(project(weights, "fire2"), 1);
}

#[test]
fn a_unit_at_the_border_sees_beyond_the_picture() {
    // The receptive field of VGG's first unit extends one pixel beyond the picture; nothing is projected there.
    let network = network("vgg16", PLAIN, formula::weights("vgg16"));
    let picture = formula::picture(1, 20, 20);
    let inspect = network.inspect().unwrap();
    let pick = Pick { unit: 3, y: 0, x: 19, value: 1.0 };
    let found = inspect.project(&picture, &[Wanted { layer: 0, picks: vec![pick] }]).unwrap();
    let patch = numbers(&found[0][0]);
    let field = inspect.field(0, 3);
    assert_eq!((field.at(0).start, field.at(19).end), (-1, 21));
    for (at, value) in patch.iter().enumerate() {
        let outside = at / 3 % 3 == 0 || at % 3 == 2;
        assert_eq!(*value == 0.0, outside, "{at}: {value}");
    }
}
