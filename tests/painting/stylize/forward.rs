//! The forward pass: it stops at the deepest requested layer, and no layer overwrites another.

use stylize_video::settings::BACKBONES;
use stylize_video::stylize::StyleError;
use stylize_video::stylize::backbone::{self, Backbone};
use tch::{Device, Kind, Tensor, no_grad};

use crate::stylize::{PLAIN, formula, gap, network};

fn every_network() -> Vec<Box<dyn Backbone>> {
    let weights = |name: &str| if name == "patches" { Default::default() } else { formula::weights(name) };
    let mut networks: Vec<_> = BACKBONES.iter().map(|&name| network(name, PLAIN, weights(name))).collect();
    let set = backbone::build("patches+squeezenet1_1", PLAIN, Device::Cpu, |name| Ok(weights(name)));
    networks.push(set.unwrap());
    networks
}

#[test]
fn a_layer_is_the_same_alone_in_company_and_in_any_order() {
    let picture = formula::picture(2, 40, 48);
    for network in every_network() {
        let all: Vec<usize> = (0..network.layers().len()).rev().collect();
        let together = no_grad(|| network.forward(&picture, &all)).unwrap();
        assert_eq!(together.len(), all.len());
        for (layer, found) in all.iter().zip(&together) {
            let alone = no_grad(|| network.forward(&picture, &[*layer])).unwrap();
            assert_eq!(gap(&alone[0], found), 0.0, "{} {}", network.name(), network.layers()[*layer]);
        }
    }
}

#[test]
fn a_convolution_survives_the_relu_after_it() {
    let picture = formula::picture(2, 40, 48);
    for (name, conv, relu) in [("vgg16", "conv1_1", "relu1_1"), ("squeezenet1_1", "conv1", "relu1")] {
        let network = network(name, PLAIN, formula::weights(name));
        let wanted = [network.layer(relu).unwrap(), network.layer(conv).unwrap()];
        let found = no_grad(|| network.forward(&picture, &wanted)).unwrap();
        assert!(found[1].min().double_value(&[]) < 0.0, "{conv} has negative values");
        assert_eq!(gap(&found[1].relu(), &found[0]), 0.0);
    }
}

#[test]
fn the_same_layer_twice_is_given_twice() {
    let network = network("squeezenet1_1", PLAIN, formula::weights("squeezenet1_1"));
    let found = no_grad(|| network.forward(&formula::picture(2, 40, 48), &[1, 4, 1])).unwrap();
    assert_eq!(found.len(), 3);
    assert_eq!(gap(&found[0], &found[2]), 0.0);
}

/// A 3 x 3 picture is too small for the second pooling: a forward pass that continued to it would fail.
#[test]
fn nothing_beyond_the_deepest_wanted_layer_is_computed() {
    let picture = formula::picture(2, 3, 3);
    for name in ["vgg16", "vgg19"] {
        let network = network(name, PLAIN, formula::weights(name));
        let (near, far) = (network.layer("relu2_2").unwrap(), network.layer("pool2").unwrap());
        assert_eq!(no_grad(|| network.forward(&picture, &[0, near])).unwrap()[1].size(), [1, 128, 1, 1]);
        assert!(network.forward(&picture, &[far]).is_err(), "the picture must be too small for {name}'s pool2");
    }
}

#[test]
fn asked_for_nothing_a_network_gives_nothing() {
    for network in every_network() {
        assert!(no_grad(|| network.forward(&formula::picture(2, 8, 8), &[])).unwrap().is_empty());
    }
}

#[test]
fn canonical_layers_exist_and_go_from_fine_to_coarse() {
    for network in every_network() {
        let places: Vec<_> = network.style_layers().into_iter().map(|name| network.layer(name).unwrap()).collect();
        // In a set, the layers alternate between the networks.
        assert!(places.is_sorted() || network.name().contains('+'), "{}: {places:?}", network.name());
        for name in network.content_layers() {
            network.layer(name).unwrap();
        }
    }
}

#[test]
fn an_unknown_layer_is_answered_with_the_known_ones() {
    for network in every_network() {
        let problem = network.layer("conv9_9").unwrap_err().to_string();
        assert!(problem.contains("conv9_9") && problem.contains(network.name()), "{problem}");
        for known in network.layers() {
            assert!(problem.contains(&known), "{problem}");
        }
    }
}

#[test]
fn an_unknown_network_is_answered_with_the_known_ones() {
    let problem = backbone::build("resnet", PLAIN, Device::Cpu, |_| Ok(Default::default())).err().unwrap().to_string();
    assert!(BACKBONES.iter().all(|name| problem.contains(name)), "{problem}");
}

#[test]
fn weights_that_lack_a_tensor_or_have_another_shape_are_named() {
    let build = |change: &dyn Fn(&mut backbone::NamedTensors)| {
        let mut weights = formula::weights("squeezenet1_1");
        change(&mut weights);
        match backbone::build("squeezenet1_1", PLAIN, Device::Cpu, |_| Ok(formula::copies(&weights))) {
            Err(problem @ StyleError::Weights { .. }) => problem.to_string(),
            other => panic!("expected an error about weights, got {:?}", other.err()),
        }
    };
    let missing = build(&|weights| drop(weights.remove("features.3.squeeze.bias")));
    assert!(missing.contains("squeezenet1_1") && missing.contains("features.3.squeeze.bias"), "{missing}");
    let shaped = build(&|weights| {
        weights.insert("features.0.weight".into(), Tensor::zeros([64, 3, 5, 5], (Kind::Float, Device::Cpu)));
    });
    assert!(shaped.contains("features.0.weight") && shaped.contains("[64, 3, 5, 5]"), "{shaped}");
}

/// A set runs each network on the same picture and returns the networks' own layers under their names.
#[test]
fn a_set_gives_what_its_networks_give() {
    let (picture, weights) = (formula::picture(2, 40, 48), |_: &str| Ok(formula::weights("squeezenet1_1")));
    let set = backbone::build("patches + squeezenet1_1", PLAIN, Device::Cpu, weights).unwrap();
    assert_eq!(set.name(), "patches+squeezenet1_1");
    let names = ["squeezenet1_1.fire3", "patches.relu2", "squeezenet1_1.relu1"];
    let wanted = names.map(|name| set.layer(name).unwrap());
    let found = no_grad(|| set.forward(&picture, &wanted)).unwrap();
    for (name, found) in names.iter().zip(&found) {
        let (network, layer) = name.split_once('.').unwrap();
        let alone = backbone::build(network, PLAIN, Device::Cpu, weights).unwrap();
        let place = alone.layer(layer).unwrap();
        assert_eq!(gap(&no_grad(|| alone.forward(&picture, &[place])).unwrap()[0], found), 0.0, "{name}");
    }
    assert_eq!(
        set.content_layers(),
        ["patches.half2", "patches.half1", "squeezenet1_1.fire2"],
        "the networks' own order"
    );
    assert_eq!(set.style_layers().len(), 3 + 5 + 3, "patches also looks at half the size");
}
