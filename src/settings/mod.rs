//! All settings that decide what the result looks like: one struct, resolved once and passed by reference.

mod device;
mod environment;
mod error;
mod file;
mod keys;
mod layers;
mod media;
mod merged;
mod motion;
mod origin;
mod preset;
mod range;
mod safe_options;
mod schema;
mod split;
mod strength;
mod temporal;
mod untrusted;
mod validate;

use serde::{Deserialize, Serialize};

pub use device::Device;
pub use environment::Environment;
pub use error::{SettingsError, UnknownPreset};
pub use file::{Places, document, overrides, read};
pub use keys::{Affects, Confined, KEYS, KeySpec, Owner, spec};
pub use layers::{Assignment, LayerInputs, Recorded, Resolved, StyleArg};
pub use media::{Crf, Deinterlace, Hdr, IfExists, InputSettings, OutputSettings};
pub use motion::{LongFlow, MotionSettings};
pub use origin::{Entry, Origin};
pub use preset::{Library, Listed, Preset, builtin_image};
pub use range::Range;
pub use schema::{default_of, join, nearest};
pub use split::{Marks, split};
pub use temporal::{ConsistencySettings, Distance, TemporalSettings};
pub use untrusted::filters;
pub use validate::{AUTO, BACKBONES, InvalidValue};

/// The resolved settings of a run. Every key can be set by a preset, the user's config, the environment
/// (`STYLIZE_VIDEO_LOSS_BETA=200`) and the command line (`--set loss.beta=200`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Seed of all random numbers.
    pub seed: u64,
    /// `auto` (CUDA if available, else the CPU), `cpu`, `cuda` or `cuda:N`.
    pub device: Device,
    /// From 0 (a tinted photograph) to 1 (all paint); 0.5 leaves the other settings unchanged.
    pub strength: f64,
    pub frame: FrameSettings,
    pub style: StyleSettings,
    pub content: ContentSettings,
    pub loss: LossSettings,
    pub network: NetworkSettings,
    pub optimizer: OptimizerSettings,
    pub init: InitSettings,
    pub temporal: TemporalSettings,
    pub motion: MotionSettings,
    pub input: InputSettings,
    pub output: OutputSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            device: Device::Auto,
            strength: strength::MIDDLE,
            frame: FrameSettings::default(),
            style: StyleSettings::default(),
            content: ContentSettings::default(),
            loss: LossSettings::default(),
            network: NetworkSettings::default(),
            optimizer: OptimizerSettings::default(),
            init: InitSettings::default(),
            temporal: TemporalSettings::default(),
            motion: MotionSettings::default(),
            input: InputSettings::default(),
            output: OutputSettings::default(),
        }
    }
}

/// `[frame]`: size of the optimised frame.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FrameSettings {
    /// Long side of the optimised frame in pixels, or `auto`. The output keeps the source's size.
    pub size: Size,
    /// Number of sizes at which a shot's first frame is painted, each half the next; 0 for as many as it takes to get
    /// down to a long side of about 80 pixels.
    pub sizes: u32,
}

/// Long side in pixels; `auto` fits the device (see `stylize::build`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SizeToml", into = "SizeToml")]
pub enum Size {
    #[default]
    Auto,
    Pixels(u32),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number of pixels or \"auto\"")]
enum SizeToml {
    Number(u32),
    Word(String),
}

impl TryFrom<SizeToml> for Size {
    type Error = String;

    fn try_from(value: SizeToml) -> Result<Self, String> {
        match value {
            SizeToml::Number(n @ 16..=16384) => Ok(Self::Pixels(n)),
            SizeToml::Word(word) if word == "auto" => Ok(Self::Auto),
            SizeToml::Number(n) => Err(format!("size {n} is out of range: use 16 to 16384 or \"auto\"")),
            SizeToml::Word(word) => Err(format!("size \"{word}\" is not known: use a number of pixels or \"auto\"")),
        }
    }
}

impl From<Size> for SizeToml {
    fn from(size: Size) -> Self {
        match size {
            Size::Auto => Self::Word("auto".into()),
            Size::Pixels(n) => Self::Number(n),
        }
    }
}

/// `[style]`: the pictures that define the style.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StyleSettings {
    /// One or more pictures; their Gram matrices are blended by weight (weights are normalised to sum 1).
    pub images: Vec<StyleImage>,
    /// Stroke size: a factor on the size of the style picture. At 1 it is as wide as the optimised frame is long, or as
    /// large in area, whichever is larger.
    pub scale: f64,
    /// `style`: the painting's colours. `content`: the clip's own colours (luma transfer).
    pub colour: Colour,
    /// Map the content's colours to the style's (mean and covariance) before the first iteration.
    pub match_colours: bool,
}

impl Default for StyleSettings {
    fn default() -> Self {
        Self { images: Vec::new(), scale: 1.0, colour: Colour::Style, match_colours: true }
    }
}

/// A style picture. In TOML: `"plate.webp"` or `{ image = "plate.webp", weight = 2.0 }`; the default weight is 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "StyleImageToml")]
pub struct StyleImage {
    /// A path, or `builtin:NAME` for a picture compiled into the program.
    pub image: String,
    pub weight: f64,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a path or { image = \"PATH\", weight = NUMBER }")]
enum StyleImageToml {
    Plain(String),
    Weighted(WeightedImage),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WeightedImage {
    image: String,
    #[serde(default = "one")]
    weight: f64,
}

fn one() -> f64 {
    1.0
}

impl From<StyleImageToml> for StyleImage {
    fn from(value: StyleImageToml) -> Self {
        match value {
            StyleImageToml::Plain(image) => Self { image, weight: 1.0 },
            StyleImageToml::Weighted(WeightedImage { image, weight }) => Self { image, weight },
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    Style,
    Content,
}

/// `[content]`: what is preserved of the scene in addition to its activations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContentSettings {
    /// Share of the content's own fine detail, 0..=1, added to a picture when it is enlarged to the next size.
    pub detail: f64,
    /// Weight in J of the luminance term, which keeps light and dark in place.
    pub luminance: f64,
    /// Weight in J of the chroma term, which keeps large patches of colour in place. It has no effect on a scene
    /// without colours or if `style.match_colours` is false.
    pub chroma: f64,
    /// Factor by which faces count more in the content and luminance terms; 1 is no more than anything else. Needs the
    /// weights of the face detection networks.
    pub faces: f64,
    /// Also use the finest style layer as a content layer: plain areas stay plain, and thin objects are preserved.
    pub finest: bool,
}

impl Default for ContentSettings {
    fn default() -> Self {
        Self { detail: 1.0, luminance: 0.9, chroma: 1.0, faces: 12.0, finest: true }
    }
}

/// `[loss]`: J(G) = alpha J_content + beta sum_l lambda_l J_style_l + tv J_tv + flatness J_flatness.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LossSettings {
    pub convention: Convention,
    pub alpha: f64,
    pub beta: f64,
    /// lambda_l from fine to coarse, mapped onto the actual number of style layers.
    pub style_weights: [f64; 5],
    /// Weight of the total variation of G: the mean squared difference of neighbouring pixels plus 4 times the mean
    /// square of fine colour.
    pub tv: f64,
    /// Weight of the flatness term: what is flat in the style pictures is flat in the painting.
    pub flatness: f64,
}

impl Default for LossSettings {
    fn default() -> Self {
        Self {
            convention: Convention::Relative,
            alpha: 1.0,
            beta: 470.0,
            style_weights: [0.2; 5],
            tv: 10.0,
            flatness: 100.0,
        }
    }
}

/// Normalisation of content and style distances; the formulas are in `stylize::frame::loss`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Convention {
    /// F-P|^2/|P|^2 and |G-A|^2/|A|^2: one pair of weights suits every network and size.
    Relative,
    /// Gatys et al. 2015: 1/2 sum and 1/(4 C^2 M^2).
    Gatys,
    /// Ng's lecture notes: 1/2 sum and 1/(2 nH nW nC).
    Lecture,
    /// jcjohnson/neural-style: means.
    NeuralStyle,
}

/// `[network]`: the pre-trained network whose features are compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkSettings {
    /// `auto` (the best set whose weights are installed), or names of [`BACKBONES`] joined by `+`.
    pub backbone: String,
    /// Folder with weights files, searched before all others; empty for none.
    pub weights_dir: String,
    pub pooling: Pooling,
    pub padding: Padding,
    /// Blur before a stride halves a feature map, if the network supports it.
    pub antialias: bool,
    /// Style layers from fine to coarse, any number (in a set of networks: `network.layer`); empty for the network's
    /// defaults.
    pub style_layers: Vec<String>,
    /// Content layers; empty for the network's defaults.
    pub content_layers: Vec<String>,
}

impl Default for NetworkSettings {
    fn default() -> Self {
        Self {
            backbone: "auto".into(),
            weights_dir: String::new(),
            pooling: Pooling::Max,
            padding: Padding::Reflect,
            antialias: true,
            style_layers: Vec::new(),
            content_layers: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    Max,
    Avg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Padding {
    Reflect,
    Zeros,
    Replicate,
}

/// `[optimizer]`: gradient descent on G's pixels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OptimizerSettings {
    pub method: Method,
    /// Iterations at each size of a shot's first frame (`frame.sizes`), and of the frames after it: `[first, next]`.
    pub iterations: [u32; 2],
    /// Stop when J's relative change over `check_every` evaluations falls below this, or when a later frame's J is as
    /// low as that of its shot's first frame; 0 never stops early.
    pub tolerance: f64,
    /// Evaluations between two checks of J.
    pub check_every: u32,
    /// Correction pairs kept by L-BFGS.
    pub history: u32,
    /// Step size of Adam, in pixel units (0..=1).
    pub learning_rate: f64,
}

impl Default for OptimizerSettings {
    fn default() -> Self {
        Self {
            method: Method::Lbfgs,
            iterations: [48, 8],
            tolerance: 1e-3,
            check_every: 10,
            history: 20,
            learning_rate: 0.02,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    Lbfgs,
    Adam,
}

/// `[init]`: the image that G starts from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InitSettings {
    /// The first frame of a shot.
    pub first: FirstInit,
    /// The frames after it.
    pub next: NextInit,
}

impl Default for InitSettings {
    fn default() -> Self {
        Self { first: FirstInit::Content, next: NextInit::Warped }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FirstInit {
    Content,
    Random,
    Style,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NextInit {
    /// The previous painted frame, warped along the motion; areas it does not show start from the content.
    Warped,
    Previous,
    Content,
    Random,
}
