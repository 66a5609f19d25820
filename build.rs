//! Links libtorch's CUDA half and makes the programs find libtorch at run time without an environment variable.

use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    let libtorch = std::env::var_os("LIBTORCH").map(PathBuf::from).unwrap_or_default();
    let Ok(real) = libtorch.join("lib").canonicalize() else {
        eprintln!("there is no libtorch in '{}': run scripts/setup once (docs/setup.md)", libtorch.display());
        std::process::exit(1);
    };
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

fn link_arg(arg: &str) {
    println!("cargo:rustc-link-arg={arg}");
}
