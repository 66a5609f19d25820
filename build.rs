//! Links libtorch's CUDA half, makes the programs find libtorch at run time without an environment variable, and lists
//! the weights' manifests.

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    // The bindings follow the FFmpeg they were made from; so does our use of them.
    println!("cargo:rustc-check-cfg=cfg(ffmpeg_8_0)");
    if std::env::var("DEP_FFMPEG_FFMPEG_8_0").is_ok_and(|found| found == "true") {
        println!("cargo:rustc-cfg=ffmpeg_8_0");
    }
    let libtorch = std::env::var_os("LIBTORCH").map(PathBuf::from).unwrap_or_default();
    let Ok(real) = libtorch.join("lib").canonicalize() else {
        eprintln!("there is no libtorch in '{}': run scripts/setup once (docs/setup.md)", libtorch.display());
        std::process::exit(1);
    };
    println!("cargo:rustc-env=LIBTORCH_VERSION={}", version(&libtorch));
    if let Err(error) = list_manifests() {
        eprintln!("the list of weights/*.toml cannot be written: {error}");
        std::process::exit(1);
    }
    // The real folder first: it stays valid when the checkout's link goes.
    for folder in [&real, &libtorch.join("lib")] {
        link_arg("-Xlinker");
        link_arg("-rpath");
        link_arg("-Xlinker");
        link_arg(&folder.display().to_string());
    }
    // Nothing refers to a symbol of it, so rustc's --as-needed would drop it: CUDA would look absent on every machine.
    let cuda = real.join("libtorch_cuda.so");
    if cuda.exists() {
        link_arg("-Wl,--push-state,--no-as-needed");
        link_arg(&cuda.display().to_string());
        link_arg("-Wl,--pop-state");
    }
}

/// Writes `manifests.rs` for `src/weights/manifest.rs`: the texts of all `weights/*.toml`, in the order of their names.
fn list_manifests() -> std::io::Result<()> {
    println!("cargo:rerun-if-changed=weights");
    let missing = |name: &str| std::io::Error::other(format!("{name} is not set"));
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).ok_or_else(|| missing(name));
    let entries = std::fs::read_dir(folder("CARGO_MANIFEST_DIR")?.join("weights"))?;
    let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let texts: Vec<String> = paths.iter().map(|path| format!("    include_str!({path:?}),\n")).collect();
    let list = format!("const COMPILED_IN: [&str; {}] = [\n{}];\n", texts.len(), texts.concat());
    std::fs::write(folder("OUT_DIR")?.join("manifests.rs"), list)
}

fn link_arg(arg: &str) {
    println!("cargo:rustc-link-arg={arg}");
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
