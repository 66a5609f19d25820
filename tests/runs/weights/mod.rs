//! Weights: reading and importing files, valid and hostile, and fetching them from a server on the loopback.

mod commands;
mod fetch;
mod files;
mod hostile;
mod lite0;
mod mtcnn;
mod normed;
mod pip;
mod server;

use std::path::{Path, PathBuf};

use stylize_video::weights::{Array, Manifest, Place, PlaceKind, SearchPath};

/// Returns the path of a file in `tests/data/weights`, made by `scripts/make_weights_fixtures.py`.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/weights").join(name)
}

/// The manifest of the fixtures' network.
fn tiny() -> Manifest {
    Manifest::parse(&std::fs::read_to_string(fixture("tiny.toml")).unwrap()).unwrap()
}

fn search_path(dir: &Path) -> SearchPath {
    SearchPath::from_places(vec![Place { kind: PlaceKind::Named, dir: dir.to_owned() }])
}

/// The value of element `i` in every tensor of the fixtures.
fn number(i: usize) -> f32 {
    (i % 61) as f32 / 8.0 - 30.0 / 8.0
}

fn assert_is_fixture(array: &Array, shape: &[usize]) {
    assert_eq!(array.shape, shape);
    let count: usize = shape.iter().product();
    let expected: Vec<f32> = (0..count).map(number).collect();
    assert_eq!(array.data, expected);
}
