//! State of a survey, saved in the output folder: an interrupted run resumes, a finished one can be drawn again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use serde::{Deserialize, Serialize};

use super::best::{Nine, Place};
use super::pictures::Entry;
use super::{ExploreError, STATE_FILE, publish};

/// Format version; increased when the file's meaning changes.
const VERSION: u32 = 1;

/// Everything that the results depend on; a run with another key cannot reuse them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Key {
    pub backbone: String,
    /// The weights file, identified in the same way as an input.
    pub weights: Option<Entry>,
    pub pooling: String,
    pub layers: Vec<String>,
    pub every: String,
    pub size: usize,
    /// Whether Gram matrices are summed, for `--style`.
    pub grams: bool,
    pub entries: Vec<Entry>,
}

impl Key {
    /// Returns the first relevant difference, as the option or setting that the user knows, or `None`.
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

/// Results for one layer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerState {
    pub units: Vec<Nine>,
    /// Number of pictures that were too small for the layer.
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

/// All results so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    version: u32,
    pub key: Key,
    /// The first picture that has not been processed; past the last entry when all have been.
    pub next: Place,
    pub pictures: u64,
    /// Inputs that could not be read, and why.
    pub broken: Vec<(PathBuf, String)>,
    pub layers: Vec<LayerState>,
    /// Gram matrices by layer, for `--style`; stored in a separate file next to the state file.
    #[serde(skip)]
    pub grams: BTreeMap<String, GramSum>,
    /// Name of that file, and the number of pictures in each sum.
    gram_file: Option<String>,
    gram_pictures: BTreeMap<String, u64>,
}

impl State {
    /// Creates an empty state. `channels` is the number of units of each layer of the key.
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

    /// Returns whether every picture has been processed.
    pub fn is_done(&self) -> bool {
        self.next.entry >= self.key.entries.len()
    }

    /// Loads the state that an earlier run left in `folder`; it must have the same `key`.
    ///
    /// # Errors
    /// If the state has another key or is damaged, or the folder holds files but no state.
    pub fn load(folder: &Path, key: &Key) -> Result<Option<Self>, ExploreError> {
        let path = folder.join(STATE_FILE);
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
            // Left by `--restart`.
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

    /// Saves the state atomically: after an interruption, either the old or the new state is complete.
    ///
    /// # Errors
    /// If the folder cannot be written to.
    pub fn save(&mut self, folder: &Path) -> Result<(), ExploreError> {
        let former = self.gram_file.take();
        if !self.grams.is_empty() {
            // The file name is new each time: the old sums stay until the state file that refers to the new ones is
            // written.
            let name = format!("grams-{}.safetensors", self.pictures);
            let path = folder.join(&name);
            let bytes = write_grams(&self.grams)
                .map_err(|error| ExploreError::State { path: path.clone(), problem: error.to_string() })?;
            publish(&path, &bytes)?;
            self.gram_pictures = self.grams.iter().map(|(layer, sum)| (layer.clone(), sum.pictures)).collect();
            self.gram_file = Some(name);
        }
        let path = folder.join(STATE_FILE);
        let text = serde_json::to_vec(&*self)
            .map_err(|error| ExploreError::State { path: path.clone(), problem: error.to_string() })?;
        publish(&path, &text)?;
        if let Some(former) = former.filter(|former| Some(former) != self.gram_file.as_ref()) {
            // A leftover file would only cost disk space.
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
