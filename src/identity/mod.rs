//! Which job a job is: everything that decides the bytes of its result, as hashes.
//!
//! What is not in it: names and times of files, where weights and style pictures lie, what to do with an output that is
//! there already. Two runs with one identity paint the same, so that one can go on with what the other has begun, and
//! what one has finished the other need not do again.

mod beside;
mod fingerprint;
mod witness;

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use fingerprint::{Fingerprint, of_file};
pub use witness::Witness;

use crate::batch::Engine;
use crate::batch::plan::Job;
use crate::files;
use crate::media::{Input, Names, Output, libav};
use crate::motion::Given;
use crate::settings::{IfExists, InputSettings, Settings, builtin_image};
use crate::stylize;
use crate::weights::{self, SearchPath};
use fingerprint::of_texts;

/// The parts of a job's identity: hexadecimal hashes, or short texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Versions of the program and of the libraries that decide about bytes.
    pub program: String,
    /// What the input holds.
    pub input: String,
    /// Which part of it is read.
    pub part: String,
    /// The settings, but for those that change nothing of the result; with the kind of device.
    pub settings: String,
    /// What the style pictures hold, and their shares.
    pub styles: String,
    /// The network and what its weights file holds.
    pub weights: String,
    /// Flow and cuts that the user brings.
    pub motion: String,
    /// The kind of output and the names of its pictures.
    pub output: String,
    /// What repaints.
    pub engine: String,
}

/// Why it cannot be told which job this is.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Device(#[from] stylize::StyleError),
}

impl Identity {
    /// 32 hexadecimal digits that stand for all of it.
    pub fn id(&self) -> String {
        of_texts(self.parts().map(|(_, part)| part)).chars().take(32).collect()
    }

    /// What is another since `before`, in words: "the settings and the style pictures have changed".
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

/// Finds out which job this is.
///
/// # Errors
/// When a file cannot be read, or there is no such device.
pub fn identify(
    job: &Job,
    settings: &Settings,
    given: &Given,
    engine: Engine,
    how: Fingerprint,
) -> Result<Identity, IdentityError> {
    Shared::of(settings, given, engine)?.identify(job, how)
}

/// What jobs with the same settings have in common: found out once for many of them, for weights are large.
#[derive(Debug)]
pub struct Shared {
    /// But for `input`, `part` and `output`, which are empty.
    common: Identity,
    /// `[input] format`.
    format: String,
}

impl Shared {
    /// # Errors
    /// As [`identify`].
    pub fn of(settings: &Settings, given: &Given, engine: Engine) -> Result<Self, IdentityError> {
        let paints = engine == Engine::Optimise;
        let common = Identity {
            program: program(),
            input: String::new(),
            part: String::new(),
            settings: settings_hash(settings, paints)?,
            styles: if paints { styles(settings)? } else { String::new() },
            weights: if paints { weights(settings)? } else { String::new() },
            motion: motion(settings, given)?,
            output: String::new(),
            engine: format!("{engine:?}").to_lowercase(),
        };
        Ok(Self { common, format: settings.input.format.clone() })
    }

    /// Which job it is.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub fn identify(&self, job: &Job, how: Fingerprint) -> Result<Identity, IdentityError> {
        let part = format!("{} {:?}", job.range.start, job.range.frames);
        let mut input = input(&job.input, how)?;
        let unreadable = |source| IdentityError::Unreadable { path: job.input_path().into(), source };
        let listed = beside::of_input(&job.input, &self.format).map_err(unreadable)?;
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
        // Names too: the pictures of the result are called by them.
        Input::Sequence { files, .. } => {
            let mut texts = Vec::with_capacity(2 * files.len());
            for file in files {
                texts.push(file.file_name().unwrap_or_default().to_string_lossy().into_owned());
                texts.push(read(file, how)?);
            }
            Ok(of_texts(texts.iter().map(String::as_str)))
        }
        // Nobody can look at it twice.
        Input::Stdin => Ok(String::new()),
    }
}

fn settings_hash(settings: &Settings, paints: bool) -> Result<String, IdentityError> {
    let mut kept = settings.clone();
    kept.output.if_exists = IfExists::Fail;
    // What they refuse has no result; what they let pass is the same.
    kept.input = InputSettings {
        format: kept.input.format,
        options: kept.input.options,
        filter: kept.input.filter,
        deinterlace: kept.input.deinterlace,
        hdr: kept.input.hdr,
        keep_clock: kept.input.keep_clock,
        ..InputSettings::default()
    };
    kept.output.strict_streams = false;
    kept.network.weights_dir.clear();
    // By what they hold, elsewhere.
    kept.style.images.clear();
    (kept.motion.flow, kept.motion.cuts) = (String::new(), String::new());
    let mut texts = vec![serde_json::to_string(&kept).unwrap_or_else(|_| format!("{kept:?}"))];
    texts.push(if paints { stylize::device::kind(settings.device)? } else { "none" }.to_owned());
    // Another look-up table is another result (`lut3d=file=warm.cube`).
    texts.extend(contents(&beside::of_settings(settings), Fingerprint::Sampled)?);
    Ok(of_texts(texts.iter().map(String::as_str)))
}

/// Names of files, each with what it holds.
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

/// SHA-256 of a style picture, hexadecimal.
///
/// # Errors
/// When it cannot be read.
pub fn style(image: &str) -> Result<String, IdentityError> {
    let hash = match image.strip_prefix("builtin:").and_then(builtin_image) {
        Some(bytes) => crate::files::hash(bytes).map(|(_, hash)| hash),
        None => of_file(Path::new(image), Fingerprint::Full),
    };
    hash.map_err(|source| IdentityError::Unreadable { path: PathBuf::from(image), source })
}

/// The networks' names, joined by `+`, behind a space their weights' hashes, joined likewise, and behind another one that
/// of the weights that find faces, where faces are looked for.
///
/// # Errors
/// When the weights cannot be read.
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
            // Weights are missing: the painting will say so.
            return Ok(names.clone());
        }
    }
    let mut text = format!("{names} {}", hashes.join("+"));
    if stylize::finds_faces(settings, &places)
        && let Ok(found) = weights::find(stylize::faces::NAME, &places)
    {
        text += &format!(" {}:{}", stylize::faces::NAME, read(&found.path, Fingerprint::Full)?);
    }
    Ok(text)
}

/// Of flow every file of the pattern counts: which are read depends on cuts and on how far back frames are held to.
fn motion(settings: &Settings, given: &Given) -> Result<String, IdentityError> {
    let mut texts = Vec::new();
    if !settings.motion.cuts.is_empty() {
        texts.push("cuts".to_owned());
        texts.push(read(Path::new(&settings.motion.cuts), Fingerprint::Full)?);
    }
    if let Some(flow) = &given.flow {
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

/// SHA-256, hexadecimal.
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
