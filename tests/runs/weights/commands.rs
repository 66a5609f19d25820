//! The `weights` commands through the command line.

use std::path::Path;
use std::process::Command;

use stylize_video::commands;
use stylize_video::interrupt::CancelToken;
use stylize_video::weights::{NoProgress, WeightsError};

use super::server::{Server, response};
use super::{fixture, search_path};

fn list(dir: &Path) -> String {
    let mut out = Vec::new();
    commands::weights::list(&search_path(dir), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_list_says_where_and_how() {
    let dir = tempfile::tempdir().unwrap();
    let text = list(dir.path());
    for name in ["vgg19", "vgg16", "squeezenet1_0", "squeezenet1_1", "efficientnet_lite0", "mtcnn"] {
        assert!(text.contains(&format!("missing: stylize-video weights fetch {name}")), "{text}");
    }
    assert!(text.contains("548.1 MiB") && text.contains("BSD-3-Clause") && text.contains("Apache-2.0"), "{text}");
    let file = dir.path().join("vgg16.safetensors");
    std::fs::write(&file, "").unwrap();
    assert!(list(dir.path()).contains(&file.display().to_string()));
}

#[test]
fn the_path_is_one_line_or_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let mut out = Vec::new();
    assert!(commands::weights::path("vgg19", &search_path(dir.path()), &mut out).is_err());
    assert!(out.is_empty());
    let file = dir.path().join("vgg19.safetensors");
    std::fs::write(&file, "").unwrap();
    commands::weights::path("vgg19", &search_path(dir.path()), &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), format!("{}\n", file.display()));
}

#[test]
fn importing_a_file_of_no_network_says_which_is_nearest() {
    let dir = tempfile::tempdir().unwrap();
    let path = search_path(dir.path());
    let import = |name| commands::weights::import(&fixture("zip.pth"), name, &path, &mut Vec::new()).unwrap_err();
    assert!(matches!(import(None), WeightsError::NoMatch { .. }));
    assert!(import(Some("vgg19")).to_string().contains("tensor features.0.bias: expected [64], found [4]"));
    assert!(matches!(import(Some("vgg")), WeightsError::UnknownNetwork { .. }));
}

#[test]
fn an_unknown_name_fetches_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let names = ["vgg19".to_owned(), "vgg91".to_owned()];
    let path = search_path(dir.path());
    let error =
        commands::weights::fetch(&names, false, &path, &CancelToken::default(), &mut NoProgress, &mut Vec::new());
    assert!(matches!(error, Err(WeightsError::UnknownNetwork { .. })));
}

/// The two tests below run this in a separate process, because environment variables belong to a process.
#[test]
#[ignore = "a part of other tests"]
fn fetch_by_the_environment() {
    let dir = tempfile::tempdir().unwrap();
    let (names, path) = (["vgg19".to_owned()], search_path(dir.path()));
    let outcome =
        commands::weights::fetch(&names, false, &path, &CancelToken::default(), &mut NoProgress, &mut Vec::new());
    outcome.unwrap_err();
}

fn fetch_with(variables: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "weights::commands::fetch_by_the_environment", "--ignored"]);
    for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_mirror_is_asked_in_place_of_the_origin() {
    let mirror = Server::start(|_| response("404 Not Found", "Content-Length: 0\r\n", b""));
    fetch_with(&[("STYLIZE_VIDEO_WEIGHTS_URL", &format!("{}/mirror", mirror.url))]);
    assert_eq!(mirror.asked()[0].line, "GET /mirror/vgg19-dcbb9e9d.pth");
}

#[test]
fn the_proxy_of_the_environment_is_used() {
    let proxy = Server::start(|_| response("502 Bad Gateway", "Content-Length: 0\r\n", b""));
    // A host name that only a proxy could resolve.
    let mirror = ("STYLIZE_VIDEO_WEIGHTS_URL", "http://weights.invalid/models");
    fetch_with(&[mirror, ("HTTP_PROXY", &proxy.url)]);
    assert!(proxy.asked()[0].line.contains("weights.invalid"), "{:?}", proxy.asked());
    let asked = proxy.asked().len();
    fetch_with(&[mirror, ("HTTP_PROXY", &proxy.url), ("NO_PROXY", "weights.invalid")]);
    assert_eq!(proxy.asked().len(), asked);
}
