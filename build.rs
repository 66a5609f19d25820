//! Makes the binary find libtorch at run time without an environment variable.

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    let Some(libtorch) = std::env::var_os("LIBTORCH").map(PathBuf::from) else {
        println!("cargo:rustc-env=LIBTORCH_VERSION=of unknown version");
        println!("cargo:warning=LIBTORCH is not set: run scripts/setup once");
        return;
    };
    println!("cargo:rustc-env=LIBTORCH_VERSION={}", version(&libtorch));
    // The real folder first: it stays valid when the checkout's link goes.
    for folder in [libtorch.canonicalize().ok(), Some(libtorch)].into_iter().flatten() {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}", folder.join("lib").display());
    }
}

/// From `build-version` (the zip from pytorch.org) or `version.py` (PyPI's package): the first quoted or bare version.
fn version(libtorch: &Path) -> String {
    let read = |name: &str| std::fs::read_to_string(libtorch.join(name)).ok();
    let python = |text: String| {
        let line = text.lines().find(|line| line.starts_with("__version__"))?;
        line.split(['\'', '"']).nth(1).map(str::to_owned)
    };
    read("build-version")
        .map(|text| text.trim().to_owned())
        .or_else(|| read("version.py").and_then(python))
        .unwrap_or_else(|| "of unknown version".into())
}
