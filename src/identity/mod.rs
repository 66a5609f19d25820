//! The identity of a job: everything that decides the bytes of its result, as hashes.
//!
//! It leaves out names and times of files, the folders of weights and style pictures, and the policy for an existing
//! output. Two runs with the same identity paint the same result, so one can resume what the other has begun, and a
//! finished job need not be repeated.

mod file_stat;
mod fingerprint;
mod referenced_files;
mod reuse;

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use file_stat::FileStats;
pub use fingerprint::{Fingerprint, of_file};
pub use reuse::LastShared;

use crate::files;
use crate::job::{Engine, Job};
use crate::media::{Input, Names, Output, libav};
use crate::motion::SuppliedMotion;
use crate::settings::{Affects, Settings, builtin_image};
use crate::stylize;
use crate::weights::{self, SearchPath};
use fingerprint::of_texts;

/// The identity of a job, part by part: hexadecimal hashes, or short texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Versions of the program and of the libraries that affect the result.
    pub program: String,
    /// Hash of the input's content; empty for standard input.
    pub input: String,
    /// The range of the input that is read.
    pub part: String,
    /// Hash of the settings that affect the result, the kind of device and the files that filters and encoders read.
    pub settings: String,
    /// Hash of the style pictures and their weights.
    pub styles: String,
    /// The networks and the hashes of their weights files, see [`weights()`].
    pub weights: String,
    /// Hash of the flow and cuts that the user supplies.
    pub motion: String,
    /// The kind of output and, for a sequence, the names of its pictures.
    pub output: String,
    /// The engine that repaints the frames.
    pub engine: String,
}

/// Why the identity of a job cannot be determined.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Device(#[from] stylize::StyleError),
}

impl Identity {
    /// Returns 32 hexadecimal digits that stand for all parts.
    pub fn id(&self) -> String {
        of_texts(self.parts().map(|(_, part)| part)).chars().take(32).collect()
    }

    /// Says what has changed since `before`: "the settings and the style pictures have changed". `None` if nothing has.
    pub fn changed(&self, before: &Self) -> Option<String> {
        let pairs = self.parts().into_iter().zip(before.parts());
        let names: Vec<&str> = pairs.filter(|(now, then)| now.1 != then.1).map(|((name, _), _)| name).collect();
        let (last, others) = names.split_last()?;
        let singular = others.is_empty() && !last.ends_with('s');
        let list = if others.is_empty() { (*last).to_owned() } else { format!("{} and {last}", others.join(", ")) };
        Some(format!("{list} {} changed", if singular { "has" } else { "have" }))
    }

    fn parts(&self) -> [(&'static str, &str); 9] {
        [
            ("the program's or its libraries' version", &self.program),
            ("the input", &self.input),
            ("the part of the input", &self.part),
            ("the settings", &self.settings),
            ("the style pictures", &self.styles),
            ("the network or its weights", &self.weights),
            ("the given flow or cuts", &self.motion),
            ("the kind of output", &self.output),
            ("the stylizer", &self.engine),
        ]
    }
}

/// Determines the identity of a job.
///
/// # Errors
/// If a file cannot be read, or the device does not exist.
pub fn identify(
    job: &Job,
    settings: &Settings,
    supplied: &SuppliedMotion,
    engine: Engine,
    how: Fingerprint,
) -> Result<Identity, IdentityError> {
    Shared::of(settings, supplied, engine)?.identify(job, how)
}

/// The parts that jobs with the same settings share. They are computed once, because hashing weights is slow.
#[derive(Debug)]
pub struct Shared {
    /// The shared parts; `input`, `part` and `output` are empty.
    common: Identity,
    /// The setting `[input] format`.
    format: String,
}

impl Shared {
    /// Computes the shared parts.
    ///
    /// # Errors
    /// As for [`identify`].
    pub fn of(settings: &Settings, supplied: &SuppliedMotion, engine: Engine) -> Result<Self, IdentityError> {
        let paints = engine == Engine::Optimise;
        let common = Identity {
            program: program(),
            input: String::new(),
            part: String::new(),
            settings: settings_hash(settings, paints)?,
            styles: if paints { styles(settings)? } else { String::new() },
            weights: if paints { weights(settings)? } else { String::new() },
            motion: motion(settings, supplied)?,
            output: String::new(),
            engine: format!("{engine:?}").to_lowercase(),
        };
        Ok(Self { common, format: settings.input.format.clone() })
    }

    /// Determines the identity of one of the jobs.
    ///
    /// # Errors
    /// If the input cannot be read.
    pub fn identify(&self, job: &Job, how: Fingerprint) -> Result<Identity, IdentityError> {
        let part = format!("{} {:?}", job.range.start, job.range.frames);
        let mut input = input(&job.input, how)?;
        let unreadable = |source| IdentityError::Unreadable { path: job.input_path().into(), source };
        let listed = referenced_files::of_input(&job.input, &self.format).map_err(unreadable)?;
        if !listed.is_empty() {
            let listed = contents(&listed, how)?;
            input = of_texts([input.as_str()].into_iter().chain(listed.iter().map(String::as_str)));
        }
        Ok(Identity { input, part, output: output(&job.output), ..self.common.clone() })
    }
}

fn program() -> String {
    let flow = if cfg!(feature = "opencv") { "" } else { ", without opencv" };
    let (torch, ffmpeg) = (stylize::device::libtorch_version(), libav::libraries());
    let ffmpeg = ffmpeg.iter().map(|(name, version)| format!(", {name} {version}")).collect::<String>();
    format!("{}, libtorch {torch}{ffmpeg}{flow}", env!("CARGO_PKG_VERSION"))
}

fn read(path: &Path, how: Fingerprint) -> Result<String, IdentityError> {
    of_file(path, how).map_err(|source| IdentityError::Unreadable { path: path.into(), source })
}

fn input(input: &Input, how: Fingerprint) -> Result<String, IdentityError> {
    match input {
        Input::Video(path) | Input::Picture(path) => read(path, how),
        // Names count too: the result's pictures are named after them.
        Input::Sequence { files, .. } => {
            let mut texts = Vec::with_capacity(2 * files.len());
            for file in files {
                texts.push(file.file_name().unwrap_or_default().to_string_lossy().into_owned());
                texts.push(read(file, how)?);
            }
            Ok(of_texts(texts.iter().map(String::as_str)))
        }
        // Standard input cannot be read twice.
        Input::Stdin => Ok(String::new()),
    }
}

fn settings_hash(settings: &Settings, paints: bool) -> Result<String, IdentityError> {
    // What the others affect is hashed elsewhere, or with the kind of device.
    let kept = settings.reset(|key| key.affects_bytes != Affects::Value);
    let mut texts = vec![serde_json::to_string(&kept).unwrap_or_else(|_| format!("{kept:?}"))];
    texts.push(if paints { stylize::device::kind(settings.device)? } else { "none" }.to_owned());
    // Another look-up table gives another result (`lut3d=file=warm.cube`).
    texts.extend(contents(&referenced_files::of_settings(settings), Fingerprint::Sampled)?);
    Ok(of_texts(texts.iter().map(String::as_str)))
}

/// Returns the name of each file with the hash of its content.
fn contents(files: &[PathBuf], how: Fingerprint) -> Result<Vec<String>, IdentityError> {
    let content = |file: &PathBuf| Ok(format!("{} {}", name_of(file), read(file, how)?));
    files.iter().map(content).collect()
}

fn name_of(file: &Path) -> Cow<'_, str> {
    file.file_name().unwrap_or_default().to_string_lossy()
}

fn styles(settings: &Settings) -> Result<String, IdentityError> {
    let mut texts = Vec::new();
    for style in &settings.style.images {
        texts.push(self::style(&style.image)?);
        texts.push(style.weight.to_string());
    }
    Ok(of_texts(texts.iter().map(String::as_str)))
}

/// Returns the SHA-256 of a style picture, hexadecimal.
///
/// # Errors
/// If it cannot be read.
pub fn style(image: &str) -> Result<String, IdentityError> {
    let hash = match image.strip_prefix("builtin:").and_then(builtin_image) {
        Some(bytes) => crate::files::hash(bytes).map(|(_, hash)| hash),
        None => of_file(Path::new(image), Fingerprint::Full),
    };
    hash.map_err(|source| IdentityError::Unreadable { path: PathBuf::from(image), source })
}

/// Returns the networks' names joined by `+`, a space, and the hashes of their weights joined by `+`. If faces are
/// looked for, another space, the face network's name, `:` and the hash of its weights follow. If weights are missing,
/// only the names.
///
/// # Errors
/// If the weights cannot be read.
pub fn weights(settings: &Settings) -> Result<String, IdentityError> {
    let places = SearchPath::new(Some(Path::new(&settings.network.weights_dir)));
    let names = stylize::chosen_backbone(settings, &places);
    let mut hashes = Vec::new();
    for name in stylize::backbone::names(&names) {
        if let Some(bytes) = stylize::backbone::shipped_weights(name) {
            hashes.push(of_bytes(bytes));
        } else if let Ok(found) = weights::find(name, &places) {
            hashes.push(read(&found.path, Fingerprint::Full)?);
        } else {
            // Weights are missing; the engine reports that.
            return Ok(names.clone());
        }
    }
    let mut text = format!("{names} {}", hashes.join("+"));
    if stylize::finds_faces(settings, &places)
        && let Ok(found) = weights::find(stylize::frame::faces::NAME, &places)
    {
        text += &format!(" {}:{}", stylize::frame::faces::NAME, read(&found.path, Fingerprint::Full)?);
    }
    Ok(text)
}

/// Hashes the given cuts and flow. All flow files of the pattern count: which of them are read depends on the cuts and
/// on how far back a frame is compared with earlier ones.
fn motion(settings: &Settings, supplied: &SuppliedMotion) -> Result<String, IdentityError> {
    let mut texts = Vec::new();
    if !settings.motion.cuts.is_empty() {
        texts.push("cuts".to_owned());
        texts.push(read(Path::new(&settings.motion.cuts), Fingerprint::Full)?);
    }
    if let Some(flow) = &supplied.flow {
        let listed = flow.all();
        let listed = listed.map_err(|source| IdentityError::Unreadable { path: flow.path(0, 1), source })?;
        texts.push(format!("flow {}", listed.len()));
        for (number, path) in listed.iter().enumerate() {
            texts.push(format!("{number} {}", path.file_name().unwrap_or_default().to_string_lossy()));
            texts.push(read(path, Fingerprint::Sampled)?);
        }
    }
    Ok(if texts.is_empty() { String::new() } else { of_texts(texts.iter().map(String::as_str)) })
}

/// Returns the SHA-256 of `bytes`, hexadecimal.
fn of_bytes(bytes: &[u8]) -> String {
    files::hex(&Sha256::digest(bytes))
}

fn output(output: &Output) -> String {
    let extension = |path: &Path| path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    match output {
        Output::Video(path) => format!("video {}", extension(path)),
        Output::Picture(path) => format!("picture {}", extension(path)),
        Output::Sequence { names: Names::Numbered(name), .. } => format!("pictures {}", name.with(0)),
        Output::Sequence { names: Names::Listed(names), .. } => {
            format!("pictures {}", of_texts(names.iter().map(String::as_str)))
        }
        Output::Stdout => "stream".into(),
    }
}
