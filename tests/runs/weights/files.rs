//! Correct weight files, and files that are wrong in one respect.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use stylize_video::weights::{self, Imported, TensorProblem, WeightsError};

use super::{assert_is_fixture, fixture, number, tiny};
use crate::common::outside_file;

/// Writes the tiny network's tensors as safetensors of one dtype, followed by an extra tensor.
fn safetensors_file(dir: &Path, dtype: Dtype, encode: impl Fn(f32) -> Vec<u8>) -> PathBuf {
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    for (name, shape) in tiny().tensors {
        let bytes = (0..shape.iter().product()).flat_map(|i| encode(number(i))).collect();
        tensors.push((name, shape, bytes));
    }
    tensors.push(("head.fc.bias".into(), vec![1], encode(f32::NAN)));
    let views: Vec<_> = tensors
        .iter()
        .map(|(name, shape, bytes)| (name.as_str(), TensorView::new(dtype, shape.clone(), bytes).unwrap()))
        .collect();
    let path = dir.join("tiny.safetensors");
    std::fs::write(&path, safetensors::serialize(views, None::<HashMap<String, String>>).unwrap()).unwrap();
    path
}

fn assert_all_tensors(path: &Path) {
    let arrays = weights::load(path, &tiny()).unwrap();
    assert_eq!(arrays.len(), tiny().tensors.len());
    for (name, shape) in tiny().tensors {
        assert_is_fixture(&arrays[&name], &shape);
    }
}

#[test]
fn safetensors_of_every_float_are_read_exactly() {
    let dir = tempfile::tempdir().unwrap();
    assert_all_tensors(&safetensors_file(dir.path(), Dtype::F32, |n| n.to_le_bytes().to_vec()));
    assert_all_tensors(&safetensors_file(dir.path(), Dtype::F64, |n| f64::from(n).to_le_bytes().to_vec()));
    assert_all_tensors(&safetensors_file(dir.path(), Dtype::F16, |n| half::f16::from_f32(n).to_le_bytes().to_vec()));
    assert_all_tensors(&safetensors_file(dir.path(), Dtype::BF16, |n| half::bf16::from_f32(n).to_le_bytes().to_vec()));
}

#[test]
fn integers_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = safetensors_file(dir.path(), Dtype::I32, |n| (n as i32).to_le_bytes().to_vec());
    let error = weights::load(&path, &tiny()).unwrap_err();
    assert!(matches!(&error, WeightsError::BadTensor { problem: TensorProblem::Dtype { .. }, .. }), "{error}");
}

#[test]
fn both_formats_of_torch_save_are_imported_exactly() {
    for name in ["zip.pth", "legacy.pth", "mixed_zip.pth", "mixed_legacy.pth"] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/tiny.safetensors");
        let imported = weights::import(&fixture(name), &[tiny()], path.parent().unwrap()).unwrap();
        assert_eq!(imported, Imported { network: "tiny".into(), path: path.clone() }, "{name}");
        assert_all_tensors(&path);
    }
}

#[test]
fn importing_twice_gives_the_same_bytes_and_safetensors_can_be_imported_too() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = weights::import(&fixture("legacy.pth"), &[tiny()], one.path()).unwrap().path;
    let second = weights::import(&first, &[tiny()], two.path()).unwrap().path;
    assert_eq!(weights::digest(&first).unwrap(), weights::digest(&second).unwrap());
    assert_eq!(std::fs::read_dir(one.path()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn the_network_is_told_by_names_and_shapes() {
    let dir = tempfile::tempdir().unwrap();
    let mut manifests = weights::all();
    manifests.push(tiny());
    let imported = weights::import(&fixture("zip.pth"), &manifests, dir.path()).unwrap();
    assert_eq!(imported.network, "tiny");

    let error = weights::import(&fixture("zip.pth"), &weights::all(), dir.path()).unwrap_err();
    assert!(matches!(error, WeightsError::NoMatch { .. }), "{error}");
}

#[test]
fn a_tensor_that_does_not_fit_is_named() {
    let cases = [
        ("wrong_shape.pth", "features.2.weight: expected [2, 4, 1, 1], found [2, 3, 1, 1]"),
        ("missing.pth", "features.2.bias: it is missing"),
        ("not_finite.pth", "features.2.bias: number 1 is not finite"),
    ];
    for (file, expected) in cases {
        let dir = tempfile::tempdir().unwrap();
        let message = weights::import(&fixture(file), &[tiny()], dir.path()).unwrap_err().to_string();
        assert!(message.contains(expected) && message.contains(file), "{message}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is installed");
    }
}

#[test]
fn code_in_a_pickle_is_not_run() {
    let dir = tempfile::tempdir().unwrap();
    let error = weights::import(&fixture("danger.pth"), &[tiny()], dir.path()).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("danger.pth: tensor features.2.bias: it is not a tensor but a `posix.system`"),
        "{message}"
    );
    assert!(!Path::new("pickle_ran_code").exists());
}

#[test]
fn a_truncated_file_names_the_tensor_that_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let whole = weights::import(&fixture("zip.pth"), &[tiny()], dir.path()).unwrap().path;
    let bytes = std::fs::read(&whole).unwrap();
    let cut = dir.path().join("cut.safetensors");
    std::fs::write(&cut, &bytes[..bytes.len() - 1]).unwrap();
    let error = weights::load(&cut, &tiny()).unwrap_err();
    let WeightsError::BadTensor { tensor, problem: TensorProblem::Truncated { end, size }, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!((*end, *size), (bytes.len() as u64, bytes.len() as u64 - 1));
    assert!(tiny().tensors.contains_key(tensor));

    std::fs::write(&cut, &bytes[..20]).unwrap();
    assert!(weights::load(&cut, &tiny()).unwrap_err().to_string().contains("within its header"));
    std::fs::write(&cut, [bytes.as_slice(), b"more"].concat()).unwrap();
    assert!(weights::load(&cut, &tiny()).unwrap_err().to_string().contains("4 bytes follow"));
}

#[test]
fn a_torch_file_given_as_weights_says_to_import_it() {
    let message = weights::load(&fixture("zip.pth"), &tiny()).unwrap_err().to_string();
    assert!(message.contains("weights import"), "{message}");
    let message = weights::load(Path::new("/nowhere.safetensors"), &tiny()).unwrap_err().to_string();
    assert!(message.contains("cannot read /nowhere.safetensors"), "{message}");
}

#[test]
fn a_digest_is_sha256() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("abc");
    std::fs::write(&path, "abc").unwrap();
    let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(weights::digest(&path).unwrap(), expected);
}

#[test]
#[ignore = "needs STYLIZE_VIDEO_TEST_WEIGHTS"]
fn real_weights_are_recognised() {
    let file = outside_file("STYLIZE_VIDEO_TEST_WEIGHTS", "squeezenet1_0.safetensors");
    let target = tempfile::tempdir().unwrap();
    let imported = weights::import(&file, &weights::all(), target.path()).unwrap();
    assert_eq!(imported.network, "squeezenet1_0");
    let manifest = weights::known("squeezenet1_0").unwrap();
    let (before, after) = (weights::load(&file, &manifest).unwrap(), weights::load(&imported.path, &manifest).unwrap());
    assert!(before == after);

    let bytes = std::fs::read(&file).unwrap();
    let cut = target.path().join("cut.safetensors");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let message = weights::load(&cut, &manifest).unwrap_err().to_string();
    assert!(message.contains("tensor features.") && message.contains("cut off"), "{message}");
}
