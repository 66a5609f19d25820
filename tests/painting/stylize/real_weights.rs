//! Tests with trained weights, where available: `STYLIZE_VIDEO_TEST_WEIGHTS` names the folder; by default they are
//! expected next to the checkout.

use std::path::{Path, PathBuf};

use stylize_video::stylize::backbone::NamedTensors;
use stylize_video::weights::{known, load};
use tch::Tensor;

use crate::stylize::pictures::{frame, quick, try_painter};
use crate::stylize::{PLAIN, network};

const FILE: &str = "squeezenet1_0.safetensors";

fn trained() -> Option<NamedTensors> {
    let named = std::env::var_os("STYLIZE_VIDEO_TEST_WEIGHTS").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/weights");
    let file = named.unwrap_or(beside).join(FILE);
    if !file.is_file() {
        eprintln!("skipped: no {} (set STYLIZE_VIDEO_TEST_WEIGHTS to a folder that has it)", file.display());
        return None;
    }
    let arrays = load(&file, &known("squeezenet1_0").unwrap()).unwrap();
    let tensor = |(name, array): (String, stylize_video::weights::Array)| {
        let shape: Vec<i64> = array.shape.iter().map(|&n| n as i64).collect();
        (name, Tensor::from_slice(&array.data).view(shape.as_slice()))
    };
    Some(arrays.into_iter().map(tensor).collect())
}

#[test]
fn a_trained_network_paints() {
    let Some(weights) = trained() else { return };
    let mut settings = quick();
    settings.optimizer.iterations = [30, 30];
    settings.frame.sizes = 1;
    settings.style.match_colours = true;
    let mut painter = try_painter(network("squeezenet1_0", PLAIN, weights), &[(4, 1.0)], settings).unwrap();
    let stats = painter.stylize(&frame(1, 96, 128), &stylize_video::motion::Shot::New.into()).unwrap().stats;
    eprintln!("J fell from {} to {} in {} iterations", stats.initial_objective, stats.objective, stats.iterations);
    assert!(stats.objective < stats.initial_objective / 3.0);
}
