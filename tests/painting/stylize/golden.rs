//! Compares the activations of every layer with torchvision's (`scripts/make_golden_activations.py`).

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use stylize_video::settings::{Padding, Pooling};
use stylize_video::stylize::backbone::{NamedTensors, NetOptions};
use stylize_video::weights::{digest, known};
use tch::{Tensor, no_grad};

use crate::stylize::{formula, network, number, numbers};

#[derive(Deserialize)]
struct Golden {
    height: usize,
    width: usize,
    variants: BTreeMap<String, Vec<GoldenLayer>>,
}

#[derive(Deserialize)]
struct GoldenLayer {
    name: String,
    shape: Vec<i64>,
    mean: f64,
    rms: f64,
    values: Vec<f64>,
}

fn golden(name: &str) -> Golden {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden").join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn options(variant: &str) -> NetOptions {
    let (pooling, padding) = match variant {
        "plain" | "strided" => (Pooling::Max, Padding::Zeros),
        "average" => (Pooling::Avg, Padding::Zeros),
        "reflect" => (Pooling::Max, Padding::Reflect),
        "replicate" => (Pooling::Max, Padding::Replicate),
        other => panic!("unknown variant {other}"),
    };
    NetOptions { pooling, padding, antialias: variant != "strided" }
}

/// Returns the largest deviation from the reference as a share of the layer's root mean square.
fn deviation(found: &Tensor, layer: &GoldenLayer) -> f64 {
    assert_eq!(found.size(), layer.shape, "{}", layer.name);
    let found = found.to_kind(tch::Kind::Double);
    let flat = numbers(&found);
    let start = u128::from(formula::seed(&layer.name));
    let values = layer.values.iter().enumerate().map(|(k, want)| {
        let place = (start + k as u128 * 2_654_435_761) % flat.len() as u128;
        (flat[place as usize] - want).abs()
    });
    let mean = (number(&found.mean(None)) - layer.mean).abs();
    let rms = (number(&found.square().mean(None)).sqrt() - layer.rms).abs();
    values.chain([mean, rms]).fold(0.0, f64::max) / layer.rms
}

/// Compares every layer of every variant in double precision, and the plain network also in 32 bits, as it ships.
fn compare(name: &str) {
    let golden = golden(name);
    let weights = formula::weights(name);
    compare_variant(name, &golden, "plain", &weights, 2e-5);
    // Only the input's normalisation is 32-bit here.
    let weights = formula::doubled(weights);
    for variant in golden.variants.keys() {
        compare_variant(name, &golden, variant, &weights, 5e-7);
    }
}

/// Compares every layer, all in one pass. In 32 bits, rounding errors add up to about 1e-5 over 16 convolutions.
fn compare_variant(name: &str, golden: &Golden, variant: &str, weights: &NamedTensors, tolerance: f64) {
    let layers = &golden.variants[variant];
    let copies = formula::copies(weights);
    let kind = copies.values().next().unwrap().kind();
    let picture = formula::picture(1, golden.height, golden.width).to_kind(kind);
    let network = network(name, options(variant), copies);
    let names: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(network.layers(), names, "{name}: the layers' names and order");
    let wanted: Vec<usize> = (0..layers.len()).collect();
    let found = no_grad(|| network.forward(&picture, &wanted)).unwrap();
    let mut worst = (0.0, "");
    for (found, layer) in found.iter().zip(layers) {
        let deviation = deviation(found, layer);
        assert!(deviation < tolerance, "{name} {variant} {}: {deviation:e} of rms", layer.name);
        worst = if deviation > worst.0 { (deviation, &layer.name) } else { worst };
    }
    eprintln!("{name} {variant} {kind:?}: at most {:.1e} of rms, at {}", worst.0, worst.1);
}

#[test]
fn vgg16_computes_what_torchvision_computes() {
    compare("vgg16");
}

#[test]
fn vgg19_computes_what_torchvision_computes() {
    compare("vgg19");
}

#[test]
fn squeezenet1_0_computes_what_torchvision_computes() {
    compare("squeezenet1_0");
}

#[test]
fn squeezenet1_1_computes_what_torchvision_computes() {
    compare("squeezenet1_1");
}

/// Depthwise convolutions, residual blocks, blurred halvings and plain strides (`scripts/make_golden_lite0.py`).
#[test]
fn efficientnet_lite0_computes_what_its_reference_computes() {
    compare("efficientnet_lite0");
}

/// The project's own network has one set of weights, which is compiled in. This checks its numbers and, in 32 bits, its
/// activations (`scripts/make_golden_patches.py`).
#[test]
fn patches_computes_what_its_file_says() {
    let golden = golden("patches");
    for (variant, layers) in &golden.variants {
        let network = network("patches", options(variant), NamedTensors::new());
        let names: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
        assert_eq!(network.layers(), names, "the layers' names and order");
        let picture = formula::picture(1, golden.height, golden.width);
        let wanted: Vec<usize> = (0..layers.len()).collect();
        let found = no_grad(|| network.forward(&picture, &wanted)).unwrap();
        for (found, layer) in found.iter().zip(layers) {
            let deviation = deviation(found, layer);
            assert!(deviation < 2e-5, "patches {variant} {}: {deviation:e} of rms", layer.name);
        }
    }
}

/// Whoever retrains the network must update this digest, and thereby record that pictures made with it change.
#[test]
fn patches_is_the_network_that_was_measured() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("weights/patches.safetensors");
    let hash = digest(&file).unwrap();
    assert_eq!(hash, "0aa5a884049992ab9bd154f2a17ca6abec35a761f55e3ed1858e4c100881f27e");
}

#[test]
fn manifests_and_networks_number_the_layers_alike() {
    for name in ["vgg16", "vgg19", "squeezenet1_0", "squeezenet1_1"] {
        let layers = network(name, options("plain"), formula::weights(name)).layers();
        for (layer, index) in known(name).unwrap().layers {
            assert_eq!(layers[index], layer, "{name}");
        }
    }
}
