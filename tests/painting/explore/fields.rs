//! Receptive fields by perturbation: when a line of pixels changes, exactly those units change whose receptive fields
//! contain it, in every layer of every network, along both axes.

use stylize_video::settings::{BACKBONES, Padding, Pooling};
use stylize_video::stylize::backbone::{self, Backbone, NamedTensors, NetOptions};
use stylize_video::weights::known;
use tch::{Device, Kind, Tensor, no_grad};

use crate::explore::numbers;

/// Weights that are all positive, each sum a mean, so that every change reaches every unit that depends on it.
fn means(name: &str) -> NamedTensors {
    let tensor = |(key, shape): (String, Vec<usize>)| {
        let shape: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
        let value = if shape.len() == 4 { 1.0 / shape[1..].iter().product::<i64>() as f64 } else { 0.0 };
        (key, Tensor::full(shape, value, (Kind::Float, Device::Cpu)))
    };
    // A network without its own manifest has the tensor shapes of the first network of its kind.
    known(name).or_else(|_| known("squeezenet1_0")).unwrap().tensors.into_iter().map(tensor).collect()
}

/// Returns which positions of which units of each layer change when line `line` of the picture along `dim` changes.
fn changed(network: &dyn Backbone, picture: &Tensor, base: &[Tensor], dim: i64, line: i64) -> Vec<Vec<Vec<bool>>> {
    let layers: Vec<usize> = (0..base.len()).collect();
    let other = picture.copy();
    let _ = other.narrow(dim, line, 1).g_add_scalar_(1e6);
    let found = no_grad(|| network.forward(&other, &layers)).unwrap();
    let across = if dim == 2 { 3 } else { 2 };
    let differs = |(found, base): (&Tensor, &Tensor)| {
        let gap = ((found - base) / base.abs().clamp_min(1e-3)).abs().amax([0, across].as_slice(), false);
        let length = gap.size()[1] as usize;
        numbers(&gap).chunks(length).map(|unit| unit.iter().map(|gap| *gap > 1e-6).collect()).collect()
    };
    found.iter().zip(base).map(differs).collect()
}

/// Compares along the long side of a long thin picture; the short side is just large enough for every layer.
fn compare(network: &dyn Backbone, dim: i64, picture: &Tensor, lines: &[i64]) {
    let inspect = network.inspect().unwrap();
    let shapes = inspect.shapes();
    let layers: Vec<usize> = (0..shapes.len()).collect();
    let base = no_grad(|| network.forward(picture, &layers)).unwrap();
    for ((layer, found), shape) in layers.iter().zip(&base).zip(&shapes) {
        assert_eq!(found.size()[1] as usize, shape.channels, "{}: channels", shape.name);
        let (_, _, height, width) = picture.size4().unwrap();
        let size = inspect.map_size(*layer, height, width).unwrap();
        assert_eq!(found.size()[2..], size, "{}: size", shape.name);
    }
    for &line in lines {
        for (layer, units) in changed(network, picture, &base, dim, line).into_iter().enumerate() {
            let shape = &shapes[layer];
            let mut reached = 0;
            for (unit, positions) in units.iter().enumerate() {
                let field = inspect.field(layer, unit);
                assert!(field.size <= shape.field.size && field.jump == shape.field.jump, "{}", shape.name);
                for (position, &changed) in positions.iter().enumerate() {
                    let sees = field.at(position as i64).contains(&line);
                    assert_eq!(
                        changed,
                        sees,
                        "{} {} unit {unit} at {position}, line {line}",
                        network.name(),
                        shape.name
                    );
                    reached += usize::from(changed);
                }
            }
            assert!(reached > 0 || shape.field.jump > shape.field.size, "{}: nobody saw line {line}", shape.name);
        }
    }
}

/// Returns a picture that is constant along the short side and long enough for the deepest receptive field.
fn along(dim: i64, length: i64) -> Tensor {
    let shape = if dim == 2 { [1, 3, length, 33] } else { [1, 3, 33, length] };
    Tensor::full(shape, 0.9, (Kind::Float, Device::Cpu))
}

fn both_axes(name: &str, pooling: Pooling, length: i64, lines: &[i64]) {
    let options = NetOptions { pooling, padding: Padding::Zeros, antialias: true };
    let network = backbone::build(name, options, Device::Cpu, |name| Ok(means(name))).unwrap();
    for dim in [2, 3] {
        compare(network.as_ref(), dim, &along(dim, length), lines);
    }
}

#[test]
fn squeezenets_see_what_they_say() {
    let others = |name: &&str| !["patches", "vgg16", "vgg19", "efficientnet_lite0"].contains(name);
    for name in BACKBONES.into_iter().filter(others) {
        both_axes(name, Pooling::Max, 401, &[0, 200, 213, 400]);
        both_axes(name, Pooling::Avg, 300, &[151]);
    }
}

#[test]
fn vggs_see_what_they_say() {
    both_axes("vgg16", Pooling::Max, 448, &[223, 0]);
    both_axes("vgg19", Pooling::Max, 600, &[301]);
}

#[test]
fn every_network_is_looked_into() {
    for name in BACKBONES {
        let options = crate::explore::PLAIN;
        let network = backbone::build(name, options, Device::Cpu, |name| Ok(means(name))).unwrap();
        let shapes = network.inspect().unwrap().shapes();
        let names: Vec<String> = shapes.iter().map(|shape| shape.name.clone()).collect();
        assert_eq!(names, network.layers());
        assert!(shapes.windows(2).all(|pair| pair[0].field.size <= pair[1].field.size), "{name}: later sees more");
    }
}
