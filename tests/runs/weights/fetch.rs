//! Downloads: complete, cut off, resumed, with wrong contents, and refused.

use std::path::{Path, PathBuf};

use stylize_video::interrupt::CancelToken;
use stylize_video::weights::{
    self, Download, FetchOptions, FetchSource, Manifest, NoProgress, Progress, ServerFile, WeightsError,
};

use super::server::{Server, response, send, send_cut};
use super::{assert_is_fixture, fixture, tiny};

fn file() -> Vec<u8> {
    std::fs::read(fixture("legacy.pth")).unwrap()
}

/// The manifest of the tiny network, published as `file()`.
fn published() -> Manifest {
    let mut manifest = tiny();
    server_file(&mut manifest).sha256_prefix = weights::digest(&fixture("legacy.pth")).unwrap()[..8].to_owned();
    manifest
}

fn server_file(manifest: &mut Manifest) -> &mut ServerFile {
    match &mut manifest.download {
        Download::Server(file) => file,
        Download::Package(_) => panic!("the tiny network is on a server"),
    }
}

fn options(dir: &Path, url: &str) -> FetchOptions {
    let source = FetchSource::Publisher { base_url: Some(url.to_owned()), pythons: Vec::new() };
    FetchOptions { dir: dir.to_owned(), source, cancel: CancelToken::default() }
}

fn fetch(dir: &Path, url: &str) -> Result<PathBuf, WeightsError> {
    weights::fetch(&published(), &options(dir, url), &mut NoProgress)
}

fn assert_installed(dir: &Path) {
    let path = dir.join("tiny.safetensors");
    for (name, array) in weights::load(&path, &tiny()).unwrap() {
        assert_is_fixture(&array, &tiny().tensors[&name]);
    }
    assert_eq!(files(dir), ["tiny.safetensors"], "nothing else is left");
}

fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_good_file_is_installed() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|request| send(&file(), request));
    let path = fetch(dir.path(), &format!("{}/models/", server.url)).unwrap();
    assert_eq!(path, dir.path().join("tiny.safetensors"));
    assert_installed(dir.path());
    assert_eq!(server.asked()[0].line, "GET /models/tiny.pth");
}

#[test]
fn a_truncated_download_is_kept_and_resumed() {
    let dir = tempfile::tempdir().unwrap();
    let breaking = Server::start(|request| send_cut(&file(), request, 1000));
    let error = fetch(dir.path(), &breaking.url).unwrap_err();
    let WeightsError::Interrupted { got: 1000, expected: Some(total), .. } = &error else { panic!("{error}") };
    assert_eq!(*total, file().len() as u64);
    assert_eq!(files(dir.path()), ["tiny.pth.part"]);
    assert!(error.to_string().contains("tiny.pth.part"), "{error}");

    let server = Server::start(|request| send(&file(), request));
    fetch(dir.path(), &server.url).unwrap();
    assert_installed(dir.path());
    assert_eq!(server.asked()[0].range, Some(1000));
}

#[test]
fn a_server_that_ignores_range_sends_all_again() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("tiny.pth.part"), vec![7; 500]).unwrap();
    let server = Server::start(|_| response("200 OK", &format!("Content-Length: {}\r\n", file().len()), &file()));
    fetch(dir.path(), &server.url).unwrap();
    assert_installed(dir.path());
    assert_eq!(server.asked()[0].range, Some(500));
}

#[test]
fn a_part_file_that_is_already_whole_needs_no_bytes() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("tiny.pth.part"), file()).unwrap();
    let server = Server::start(|request| send(&file(), request));
    fetch(dir.path(), &server.url).unwrap();
    assert_installed(dir.path());
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_part_file_longer_than_the_file_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("tiny.pth.part"), vec![7; file().len() + 9]).unwrap();
    let server = Server::start(|request| send(&file(), request));
    fetch(dir.path(), &server.url).unwrap();
    assert_installed(dir.path());
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn a_wrong_digest_names_both_and_deletes_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|request| {
        let mut file = file();
        file[700] ^= 1;
        send(&file, request)
    });
    let error = fetch(dir.path(), &server.url).unwrap_err();
    let WeightsError::WrongDigest { expected, found, .. } = &error else { panic!("{error}") };
    assert_eq!(expected, &server_file(&mut published()).sha256_prefix);
    assert_eq!(found.len(), 64);
    assert!(error.to_string().contains(expected) && error.to_string().contains(found));
    assert!(files(dir.path()).is_empty());
}

#[test]
fn the_resumed_beginning_is_checked_too() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("tiny.pth.part"), vec![7; 500]).unwrap();
    let server = Server::start(|request| send(&file(), request));
    assert!(matches!(fetch(dir.path(), &server.url), Err(WeightsError::WrongDigest { .. })));
    fetch(dir.path(), &server.url).unwrap();
    assert_installed(dir.path());
}

#[test]
fn a_missing_file_and_a_sick_server_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    for (status, advice) in [("404 Not Found", "no such file"), ("503 Service Unavailable", "try again later")] {
        let server = Server::start(move |_| response(status, "Content-Length: 0\r\n", b""));
        let error = fetch(dir.path(), &server.url).unwrap_err();
        assert!(matches!(error, WeightsError::Status { .. }), "{error}");
        let message = error.to_string();
        assert!(message.contains(&status[..3]) && message.contains(advice), "{message}");
        assert!(message.contains(&server.url), "{message}");
    }
}

#[test]
fn no_server_says_what_to_look_at() {
    let dir = tempfile::tempdir().unwrap();
    let url = Server::start(|_| Vec::new()).url.clone();
    let error = fetch(dir.path(), &url).unwrap_err();
    assert!(matches!(error, WeightsError::Network { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("HTTPS_PROXY") && message.contains("STYLIZE_VIDEO_WEIGHTS_URL"), "{message}");
}

#[test]
fn redirects_are_followed_with_the_range() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("tiny.pth.part"), &file()[..600]).unwrap();
    let server = Server::start(|request| match request.line.as_str() {
        "GET /tiny.pth" => response("302 Found", "Location: /elsewhere\r\nContent-Length: 0\r\n", b""),
        _ => send(&file(), request),
    });
    fetch(dir.path(), &server.url).unwrap();
    assert_installed(dir.path());
    let asked = server.asked();
    assert_eq!((asked[1].line.as_str(), asked[1].range), ("GET /elsewhere", Some(600)));
}

#[test]
fn a_range_that_was_not_asked_for_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("tiny.pth.part"), &file()[..600]).unwrap();
    let server = Server::start(|_| {
        response("206 Partial Content", "Content-Length: 5\r\nContent-Range: bytes 0-4/10\r\n", b"12345")
    });
    let error = fetch(dir.path(), &server.url).unwrap_err();
    assert!(matches!(error, WeightsError::BadAnswer { .. }), "{error}");
}

#[test]
fn a_good_file_of_another_network_is_not_installed() {
    let dir = tempfile::tempdir().unwrap();
    let mut manifest = published();
    manifest.tensors.insert("features.9.bias".into(), vec![3]);
    let server = Server::start(|request| send(&file(), request));
    let error = weights::fetch(&manifest, &options(dir.path(), &server.url), &mut NoProgress).unwrap_err();
    assert!(error.to_string().contains("tensor features.9.bias: it is missing"), "{error}");
}

/// Cancels at the first progress report and records what it was given.
struct Cancelling(CancelToken, bool);

impl Progress for Cancelling {
    fn advance(&mut self, file: &str, _: u64, total: Option<u64>) {
        assert_eq!((file, total), ("tiny.pth", Some(super::fetch::file().len() as u64)));
        self.0.cancel(2);
    }

    fn finish(&mut self) {
        self.1 = true;
    }
}

#[test]
fn a_cancelled_download_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|request| send(&file(), request));
    let options = options(dir.path(), &server.url);
    let mut progress = Cancelling(options.cancel.clone(), false);
    let error = weights::fetch(&published(), &options, &mut progress).unwrap_err();
    assert!(matches!(error, WeightsError::Cancelled { .. }), "{error}");
    assert!(progress.1, "the bar is taken away");
    assert_eq!(files(dir.path()), ["tiny.pth.part"]);
}

#[test]
fn two_at_once_do_not_mix() {
    let dir = tempfile::tempdir().unwrap();
    let part = std::fs::File::create(dir.path().join("tiny.pth.part")).unwrap();
    part.lock().unwrap();
    let error = fetch(dir.path(), "http://127.0.0.1:1").unwrap_err();
    assert!(matches!(error, WeightsError::Busy { .. }), "{error}");
}

/// Answers like the hub: headers with the commit, then a redirect to the storage of large files.
#[test]
fn the_hub_is_asked_once_and_then_its_cache() {
    let (dir, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let original = weights::import(&fixture("legacy.pth"), &[tiny()], dir.path()).unwrap().path;
    let bytes = std::fs::read(&original).unwrap();
    std::fs::remove_file(original).unwrap();
    let server = Server::start(move |request| match request.line.as_str() {
        "GET /tests/tiny/resolve/main/model.safetensors" => response(
            "302 Found",
            "Location: /large\r\nx-repo-commit: abcdef\r\nx-linked-etag: \"123\"\r\nContent-Length: 0\r\n",
            b"",
        ),
        "GET /large" if request.range == Some(0) => {
            let mut answer = send(&bytes, request);
            let line = b"206 Partial Content\r\n".len() + b"HTTP/1.1 ".len();
            answer.splice(line..line, *b"x-repo-commit: abcdef\r\netag: \"123\"\r\n");
            answer
        }
        _ => send(&bytes, request),
    });
    let source = FetchSource::Hub { endpoint: Some(server.url.clone()), cache: Some(cache.path().to_owned()) };
    let options = FetchOptions { dir: dir.path().to_owned(), source, cancel: CancelToken::default() };
    weights::fetch(&tiny(), &options, &mut NoProgress).unwrap();
    assert_installed(dir.path());

    let asked = server.asked().len();
    std::fs::remove_file(dir.path().join("tiny.safetensors")).unwrap();
    weights::fetch(&tiny(), &options, &mut NoProgress).unwrap();
    assert_installed(dir.path());
    assert_eq!(server.asked().len(), asked, "the second time comes from the cache");
}

#[test]
fn a_hub_without_the_file_or_without_a_server_names_the_repository() {
    let (dir, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start(|_| response("404 Not Found", "Content-Length: 0\r\n", b""));
    for endpoint in [server.url.clone(), Server::start(|_| Vec::new()).url.clone()] {
        let source = FetchSource::Hub { endpoint: Some(endpoint), cache: Some(cache.path().to_owned()) };
        let options = FetchOptions { dir: dir.path().to_owned(), source, cancel: CancelToken::default() };
        let error = weights::fetch(&tiny(), &options, &mut NoProgress).unwrap_err();
        assert!(matches!(&error, WeightsError::Hub { repo, .. } if repo == "tests/tiny"), "{error}");
        assert!(error.to_string().contains("HF_ENDPOINT"), "{error}");
    }
    assert!(files(dir.path()).is_empty());
}

#[test]
fn a_network_that_is_not_on_the_hub_says_so() {
    let source = FetchSource::from_env(true);
    let options = FetchOptions { dir: PathBuf::new(), source, cancel: CancelToken::default() };
    let manifest = weights::known("squeezenet1_0").unwrap();
    let message = weights::fetch(&manifest, &options, &mut NoProgress).unwrap_err().to_string();
    assert!(message.contains("squeezenet1_0 is not on the model hub"), "{message}");
}
