//! Looking into the built-in network: what its units see, and its own backward rule.

use stylize_video::stylize::backbone::{Backbone, Inspect, Pick, Scatter, Wanted};
use tch::{Device, Kind, Tensor, no_grad};

use crate::{formula, numbers};

const HEIGHT: i64 = 192;
const WIDTH: i64 = 224;

fn net() -> Scatter {
    Scatter::new(Device::Cpu).unwrap()
}

/// The value of one unit.
fn value(features: &Tensor, unit: usize, y: i64, x: i64) -> f64 {
    features.double_value(&[0, unit as i64, y, x])
}

/// Units of each kind, of each layer: first, last and some between.
fn some(channels: usize) -> Vec<usize> {
    (0..channels).step_by(channels.div_ceil(9)).chain([channels - 1]).collect()
}

#[test]
fn a_unit_depends_on_its_field_and_nothing_else() {
    let net = net();
    let picture = formula::picture(2, HEIGHT as usize, WIDTH as usize);
    let shapes = net.shapes();
    let all: Vec<usize> = (0..shapes.len()).collect();
    let base = no_grad(|| net.forward(&picture, &all)).unwrap();
    for (layer, shape) in shapes.iter().enumerate() {
        let (_, channels, height, width) = base[layer].size4().unwrap();
        assert_eq!(channels as usize, shape.channels, "{}", shape.name);
        assert_eq!(net.map_size(layer, HEIGHT, WIDTH), Some([height, width]), "{}", shape.name);
        let mut active = 0;
        let (y, x) = (height / 2, width / 2);
        for unit in some(shape.channels).into_iter().step_by(3) {
            let field = net.field(layer, unit);
            let (rows, columns) = (field.at(y), field.at(x));
            let outside = formula::picture(5, HEIGHT as usize, WIDTH as usize);
            let (top, left) = (rows.start.clamp(0, HEIGHT), columns.start.clamp(0, WIDTH));
            let (bottom, right) = (rows.end.clamp(0, HEIGHT), columns.end.clamp(0, WIDTH));
            let window = |image: &Tensor| image.narrow(2, top, bottom - top).narrow(3, left, right - left);
            window(&outside).copy_(&window(&picture));
            let found = no_grad(|| net.forward(&outside, &[layer])).unwrap();
            let (want, got) = (value(&base[layer], unit, y, x), value(&found[0], unit, y, x));
            assert!((want - got).abs() < 1e-5 * want.abs().max(0.1), "{} unit {unit}: {want} {got}", shape.name);
            // A rectified unit that is not active may stay so.
            if want < 1e-2 {
                continue;
            }
            active += 1;
            let inside = picture.copy();
            window(&inside).copy_(&(window(&inside) * 0.3 + 0.1));
            let found = no_grad(|| net.forward(&inside, &[layer])).unwrap();
            assert!((value(&found[0], unit, y, x) - want).abs() > 1e-4, "{} unit {unit}", shape.name);
        }
        assert!(active > 1, "{}: hardly a unit was active", shape.name);
    }
}

#[test]
fn fields_are_no_larger_than_they_must_be() {
    let net = net();
    let picture = formula::picture(2, HEIGHT as usize, WIDTH as usize);
    for (layer, shape) in net.shapes().iter().enumerate().filter(|(layer, _)| [0, 1, 2, 5, 6].contains(layer)) {
        let size = net.map_size(layer, HEIGHT, WIDTH).unwrap();
        let y = size[0] / 2;
        let mut checked = 0;
        let image = picture.to_kind(Kind::Float).set_requires_grad(true);
        let features = net.forward(&image, &[layer]).unwrap().remove(0);
        for unit in some(shape.channels) {
            if net.refusal(layer, unit).is_some() {
                continue;
            }
            let field = net.field(layer, unit);
            // Two neighbours that are active, and see nothing beyond the picture.
            let row = numbers(&features.get(0).get(unit as i64).get(y));
            let inside = |x: i64| field.at(x).start >= 0 && field.at(x + 1).end <= WIDTH;
            let active = |x: &i64| inside(*x) && row[*x as usize] > 0.0 && row[*x as usize + 1] > 0.0;
            let Some(x) = (0..size[1] - 1).find(active) else { continue };
            checked += 1;
            // Over two neighbours, for the parity of what is enlarged.
            let reach = |x: i64| {
                let one = features.get(0).get(unit as i64).get(y).get(x);
                let gradient = Tensor::run_backward(&[one], &[&image], true, false).remove(0);
                let columns = numbers(&gradient.abs().amax([0, 1, 2].as_slice(), false));
                let touched: Vec<i64> = (0..WIDTH).filter(|&at| columns[at as usize] > 0.0).collect();
                (touched[0] - field.at(x).start, field.at(x).end - 1 - touched[touched.len() - 1])
            };
            let (even, odd) = (reach(x), reach(x + 1));
            assert_eq!((even.0.min(odd.0), even.1.min(odd.1)), (0, 0), "{} unit {unit}", shape.name);
        }
        assert!(checked > 2, "{}: hardly a unit was active", shape.name);
    }
}

#[test]
fn the_constant_is_refused_and_nothing_else() {
    let net = net();
    for (layer, shape) in net.shapes().iter().enumerate() {
        let refused: Vec<usize> = (0..shape.channels).filter(|&unit| net.refusal(layer, unit).is_some()).collect();
        assert_eq!(refused.len(), usize::from(layer < 5), "{}", shape.name);
        let features = no_grad(|| net.forward(&formula::picture(3, 64, 64), &[layer])).unwrap();
        let constant = |unit: &usize| features[0].get(0).get(*unit as i64).std(false).double_value(&[]) == 0.0;
        assert_eq!((0..shape.channels).filter(constant).collect::<Vec<_>>(), refused, "{}", shape.name);
    }
}

/// A first-order unit is a linear map of the picture (with its sign, or its phase, held): projected with value v, the
/// projection's product with the picture is v times what the unit is of the picture less its constants.
#[test]
fn a_linear_units_projection_is_its_filter() {
    let net = net();
    let picture = formula::picture(2, 64, 96);
    let features = no_grad(|| net.forward(&picture, &[0])).unwrap();
    // The strongest of the rectified responses, whose filters have no mean: the product is the response itself.
    for unit in [0usize, 5, 17, 33, 40] {
        let map = features[0].get(0).get(unit as i64);
        let at = map.argmax(None, false).int64_value(&[]);
        let (y, x) = (at / 96, at % 96);
        let value = map.double_value(&[y, x]);
        assert!(value > 0.1);
        let picks = vec![Pick { unit, y, x, value: 1.0 }];
        let projection = net.project(&picture, &[Wanted { layer: 0, picks }]).unwrap().remove(0).remove(0);
        let (field, mut product) = (net.field(0, unit), 0.0);
        let (size, patch) = (field.size, numbers(&projection));
        for (index, weight) in patch.iter().enumerate() {
            let index = index as i64;
            let (c, py, px) =
                (index / (size * size), index / size % size + field.at(y).start, index % size + field.at(x).start);
            if (0..64).contains(&py) && (0..96).contains(&px) {
                product += weight * picture.double_value(&[0, c, py, px]);
            }
        }
        // At a border the mirrored pixels lie within the field as well.
        assert!((product - value).abs() < 1e-3 * value, "unit {unit}: {product}, not {value}");
    }
}

/// The signal between the two orders of moduli is rectified: what is left is the part that excites, so the projection
/// differs from the gradient there, and only there.
#[test]
fn the_second_order_is_rectified_in_between() {
    let net = net();
    let picture = formula::picture(2, 96, 96);
    let layer = 1;
    let image = picture.shallow_clone().set_requires_grad(true);
    let features = net.forward(&image, &[layer]).unwrap().remove(0);
    let channels = net.shapes()[layer].channels;
    let compare = |unit: usize| {
        // Where it is most active, away from the borders.
        let map = features.get(0).get(unit as i64).narrow(0, 16, 16).narrow(1, 16, 16);
        let at = map.argmax(None, false).int64_value(&[]);
        let (y, x) = (16 + at / 16, 16 + at % 16);
        let one = features.get(0).get(unit as i64).get(y).get(x);
        let gradient = Tensor::run_backward(&[one], &[&image], true, false).remove(0);
        let picks = vec![Pick { unit, y, x, value: 1.0 }];
        let projection = net.project(&picture, &[Wanted { layer, picks }]).unwrap().remove(0).remove(0);
        let field = net.field(layer, unit);
        let (top, left) = (field.at(y).start.max(0), field.at(x).start.max(0));
        let cut = gradient.get(0).narrow(1, top, field.size).narrow(2, left, field.size);
        let gap = (&projection - &cut).norm().double_value(&[]) / cut.norm().double_value(&[]);
        assert!(projection.norm().double_value(&[]) > 0.0);
        gap
    };
    for unit in [0, 30, 96, 100, 130] {
        assert!(compare(unit) < 1e-5, "unit {unit} is of the first order");
    }
    for unit in [channels - 1, channels - 20] {
        assert!(compare(unit) > 0.05, "unit {unit} is of the second order");
    }
}
