//! What a survey knows so far, kept in the output folder: an interrupted run goes on, a finished one is drawn again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use serde::{Deserialize, Serialize};

use super::best::{Nine, Place};
use super::pictures::Entry;
use super::{ExploreError, publish};

/// Name of the file in the output folder.
pub const FILE: &str = "layers.json";
/// Raised when the file's meaning changes.
const VERSION: u32 = 1;

/// What the numbers depend on: a run with another key cannot go on with them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Key {
    pub backbone: String,
    /// The weights file, as an input is known.
    pub weights: Option<Entry>,
    pub pooling: String,
    pub layers: Vec<String>,
    pub every: String,
    pub size: usize,
    /// Whether Gram matrices are gathered, for `--style`.
    pub grams: bool,
    pub entries: Vec<Entry>,
}

impl Key {
    /// What differs, in the user's words; `None` when nothing does.
    fn difference(&self, other: &Self) -> Option<&'static str> {
        let Self { backbone, weights, pooling, layers, every, size, grams, entries } = self;
        [
            (*backbone != other.backbone, "--backbone"),
            (*weights != other.weights, "the weights file"),
            (*pooling != other.pooling, "network.pooling"),
            (*layers != other.layers, "--layers"),
            (*every != other.every, "--every"),
            (*size != other.size, "--size"),
            (*grams && !other.grams, "--style"),
            (*entries != other.entries, "the inputs"),
        ]
        .into_iter()
        .find_map(|(differs, what)| differs.then_some(what))
    }
}

/// What is known of one layer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerState {
    pub units: Vec<Nine>,
    /// Pictures that were too small for the layer.
    pub too_small: u64,
}

/// The sum of a layer's Gram matrices.
#[derive(Debug, Clone, PartialEq)]
pub struct GramSum {
    pub channels: usize,
    pub pictures: u64,
    /// `[C,C]`.
    pub sum: Vec<f64>,
}

/// All that is known so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    version: u32,
    pub key: Key,
    /// The first picture that has not been looked at; past the last entry once all have.
    pub next: Place,
    pub pictures: u64,
    /// Inputs that could not be read, and why.
    pub broken: Vec<(PathBuf, String)>,
    pub layers: Vec<LayerState>,
    /// Gram matrices by layer, for `--style`; beside this file in one of their own.
    #[serde(skip)]
    pub grams: BTreeMap<String, GramSum>,
    /// Name of that file, and how many pictures each sum has.
    gram_file: Option<String>,
    gram_pictures: BTreeMap<String, u64>,
}

impl State {
    /// Nothing seen yet. `channels` of each layer of the key.
    pub fn new(key: Key, channels: &[usize]) -> Self {
        let layer = |&channels: &usize| LayerState { units: vec![Nine::default(); channels], too_small: 0 };
        let layers = channels.iter().map(layer).collect();
        Self {
            version: VERSION,
            key,
            next: Place { entry: 0, frame: 0 },
            pictures: 0,
            broken: Vec::new(),
            layers,
            grams: BTreeMap::new(),
            gram_file: None,
            gram_pictures: BTreeMap::new(),
        }
    }

    /// Whether every picture has been looked at.
    pub fn is_done(&self) -> bool {
        self.next.entry >= self.key.entries.len()
    }

    /// What a former run left in `folder`, if it is of the same `key`.
    ///
    /// # Errors
    /// A run of another key, a damaged file, a folder with other things in it.
    pub fn load(folder: &Path, key: &Key) -> Result<Option<Self>, ExploreError> {
        let path = folder.join(FILE);
        let damaged = |problem: String| ExploreError::State { path: path.clone(), problem };
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let held = std::fs::read_dir(folder).is_ok_and(|mut found| found.next().is_some());
                return if held { Err(ExploreError::ForeignFolder { folder: folder.into() }) } else { Ok(None) };
            }
            Err(error) => return Err(damaged(error.to_string())),
        };
        if bytes == b"{}" {
            // What `--restart` leaves.
            return Ok(None);
        }
        let mut state: Self = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if state.version != VERSION {
            return Err(damaged(format!("it is of version {}, not {VERSION}", state.version)));
        }
        if let Some(what) = key.difference(&state.key) {
            return Err(ExploreError::OtherRun { folder: folder.into(), what: what.into() });
        }
        if let Some(name) = &state.gram_file {
            let file = folder.join(name);
            let bytes = std::fs::read(&file).map_err(|error| damaged(format!("{name}: {error}")))?;
            state.grams =
                read_grams(&bytes, &state.gram_pictures).map_err(|problem| damaged(format!("{name}: {problem}")))?;
        }
        Ok(Some(state))
    }

    /// Keeps what is known, all of it or what was known before.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn save(&mut self, folder: &Path) -> Result<(), ExploreError> {
        let former = self.gram_file.take();
        if !self.grams.is_empty() {
            // A name of its own each time: the old sums stay until the numbers that belong to the new ones are there.
            let name = format!("grams-{}.safetensors", self.pictures);
            let path = folder.join(&name);
            let bytes = write_grams(&self.grams)
                .map_err(|error| ExploreError::State { path: path.clone(), problem: error.to_string() })?;
            publish(&path, &bytes)?;
            self.gram_pictures = self.grams.iter().map(|(layer, sum)| (layer.clone(), sum.pictures)).collect();
            self.gram_file = Some(name);
        }
        let path = folder.join(FILE);
        let text = serde_json::to_vec(&*self)
            .map_err(|error| ExploreError::State { path: path.clone(), problem: error.to_string() })?;
        publish(&path, &text)?;
        if let Some(former) = former.filter(|former| Some(former) != self.gram_file.as_ref()) {
            // Left behind it would cost space, no more.
            let _ = std::fs::remove_file(folder.join(former));
        }
        Ok(())
    }
}

fn write_grams(grams: &BTreeMap<String, GramSum>) -> Result<Vec<u8>, safetensors::SafeTensorError> {
    let bytes: Vec<(&String, usize, Vec<u8>)> = grams
        .iter()
        .map(|(layer, gram)| (layer, gram.channels, gram.sum.iter().flat_map(|v| v.to_le_bytes()).collect()))
        .collect();
    let views = bytes
        .iter()
        .map(|(layer, channels, bytes)| Ok((*layer, TensorView::new(Dtype::F64, vec![*channels; 2], bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    serialize(views, None)
}

fn read_grams(bytes: &[u8], pictures: &BTreeMap<String, u64>) -> Result<BTreeMap<String, GramSum>, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let gram = |(layer, &pictures): (&String, &u64)| {
        let view = file.tensor(layer).map_err(|error| error.to_string())?;
        let &[channels, same] = view.shape() else { return Err(format!("{layer} is no matrix")) };
        if view.dtype() != Dtype::F64 || channels != same {
            return Err(format!("{layer} is no Gram matrix"));
        }
        let sum = view.data().as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
        Ok((layer.clone(), GramSum { channels, pictures, sum }))
    };
    pictures.iter().map(gram).collect()
}
