//! Tests with trained weights, in the folder in `STYLIZE_VIDEO_TEST_WEIGHTS`.

use stylize_video::stylize::backbone::NamedTensors;
use stylize_video::weights::{known, load};
use tch::Tensor;

use crate::common::outside_file;
use crate::stylize::pictures::{frame, quick, try_painter};
use crate::stylize::{PLAIN, network};

const FILE: &str = "squeezenet1_0.safetensors";

fn trained() -> NamedTensors {
    let file = outside_file("STYLIZE_VIDEO_TEST_WEIGHTS", FILE);
    let arrays = load(&file, &known("squeezenet1_0").unwrap()).unwrap();
    let tensor = |(name, array): (String, stylize_video::weights::Array)| {
        let shape: Vec<i64> = array.shape.iter().map(|&n| n as i64).collect();
        (name, Tensor::from_slice(&array.data).view(shape.as_slice()))
    };
    arrays.into_iter().map(tensor).collect()
}

#[test]
#[ignore = "needs STYLIZE_VIDEO_TEST_WEIGHTS"]
fn a_trained_network_paints() {
    let weights = trained();
    let mut settings = quick();
    settings.optimizer.iterations = [30, 30];
    settings.frame.sizes = 1;
    settings.style.match_colours = true;
    let mut painter = try_painter(network("squeezenet1_0", PLAIN, weights), &[(4, 1.0)], settings).unwrap();
    let stats = painter.stylize(&frame(1, 96, 128), &stylize_video::motion::Shot::New.into()).unwrap().stats;
    eprintln!("J fell from {} to {} in {} iterations", stats.initial_objective, stats.objective, stats.iterations);
    assert!(stats.objective < stats.initial_objective / 3.0);
}
