//! From settings to a stylizer: device, network, weights, style pictures.

use std::path::{Path, PathBuf};

use image::ImageError;
use rayon::prelude::*;
use tch::{Device, Tensor};

use super::backbone::{self, Backbone, NamedTensors, NetOptions};
use super::faces::{self, FaceFinder};
use super::meter_network::MeterNetwork;
use super::painter::Painter;
use super::studio::{Studio, StylePicture};
use super::sweeps::Sweeps;
use super::tensor::from_pixels;
use super::{StyleError, Stylizer, device};
use crate::bounded;
use crate::interrupt::CancelToken;
use crate::media::picture::{self, Bounds};
use crate::report::Observer;
use crate::settings::{AUTO, Settings, builtin_image};
use crate::weights::{self, SearchPath};

/// A stylizer, and what the user should know about it before a long run.
pub struct Built<'a> {
    pub stylizer: Box<dyn Stylizer + 'a>,
    /// What the result can be measured with; it knows the same style.
    pub meter: MeterNetwork,
    pub notes: Vec<String>,
}

/// What a clip of many passes needs beside its settings.
#[derive(Clone, Copy)]
pub struct Workshop<'a> {
    /// Folder for pictures between passes.
    pub folder: &'a Path,
    /// Hears of every frame of every pass.
    pub observer: &'a dyn Observer,
}

/// Builds the painter that `settings` describe; of one pass only without a `workshop`.
///
/// # Errors
/// No such device, unknown backbone or layer, weights missing or damaged, a style picture that cannot be read, a workshop
/// that cannot be used.
pub fn build<'a>(
    settings: &Settings,
    cancel: &CancelToken,
    workshop: Option<Workshop<'a>>,
) -> Result<Built<'a>, StyleError> {
    let device = device::resolve(settings.device)?;
    let (backbone, mut notes) = network(settings, device)?;
    notes.insert(0, format!("backbone {} on {}", backbone.name(), name_of(device)));
    let styles = read_styles(settings, device)?;
    let meter = MeterNetwork::new(&styles, &settings.style, device)?;
    let finder = face_finder(settings, device)?;
    notes.extend(finder.is_none().then(|| no_faces(settings)).flatten());
    let studio = Studio::new(backbone, styles, settings.clone(), device, cancel.clone())?.with_faces(finder);
    let painter = Painter::new(studio);
    let stylizer: Box<dyn Stylizer + 'a> = match workshop.filter(|_| settings.temporal.is_reworked()) {
        Some(Workshop { folder, observer }) => Box::new(Sweeps::new(painter, folder, observer)?),
        None => Box::new(painter),
    };
    Ok(Built { stylizer, meter, notes })
}

fn name_of(device: Device) -> String {
    match device {
        Device::Cuda(n) => format!("cuda:{n}"),
        _ => match device::threads() {
            1 => "the CPU, 1 thread".into(),
            threads => format!("the CPU, {threads} threads"),
        },
    }
}

/// What `auto` stands for where the weights of EfficientNet-Lite0 are installed: by the judge in `docs/networks.md` the
/// best set that was measured.
const PAIR: &str = "patches+efficientnet_lite0";

/// The networks that are used, joined by `+`: for `auto` the best set whose weights are installed.
pub fn chosen_backbone(settings: &Settings, places: &SearchPath) -> String {
    let installed = |name| weights::find(name, places).is_ok();
    match settings.network.backbone.as_str() {
        AUTO if installed("efficientnet_lite0") => PAIR.to_owned(),
        AUTO if installed("vgg19") => "vgg19".to_owned(),
        AUTO => "patches".to_owned(),
        named => backbone::names(named).collect::<Vec<_>>().join("+"),
    }
}

/// The networks asked for (see [`chosen_backbone`]), and what the user should know about the choice.
fn network(settings: &Settings, device: Device) -> Result<(Box<dyn Backbone>, Vec<String>), StyleError> {
    let places = SearchPath::new(Some(Path::new(&settings.network.weights_dir)));
    let name = chosen_backbone(settings, &places);
    let built = network_with(&name, settings, NetOptions::from(&settings.network), device)?;
    if settings.network.backbone != AUTO || name == PAIR {
        return Ok((built, Vec::new()));
    }
    let advice = format!(
        "{name} is used alone; {PAIR} paints better and needs 17 MB: stylize-video weights fetch efficientnet_lite0"
    );
    Ok((built, vec![advice]))
}

/// Whether faces are looked for: where they are to count for more, and the weights that find them are installed.
pub fn finds_faces(settings: &Settings, places: &SearchPath) -> bool {
    settings.faces() != 1.0 && weights::find(faces::NAME, places).is_ok()
}

fn face_finder(settings: &Settings, device: Device) -> Result<Option<FaceFinder>, StyleError> {
    let places = SearchPath::new(Some(Path::new(&settings.network.weights_dir)));
    if !finds_faces(settings, &places) {
        return Ok(None);
    }
    Ok(Some(FaceFinder::new(read_weights(faces::NAME, &places, device)?)))
}

/// Who fetched other weights is told what is missing.
fn no_faces(settings: &Settings) -> Option<String> {
    let places = SearchPath::new(Some(Path::new(&settings.network.weights_dir)));
    let wanted = settings.faces() != 1.0 && chosen_backbone(settings, &places) == PAIR;
    wanted
        .then(|| "faces are painted like anything else; to keep them (2 MB): stylize-video weights fetch mtcnn".into())
}

/// The networks `name`, with options in place of the settings' own.
pub(super) fn network_with(
    name: &str,
    settings: &Settings,
    options: NetOptions,
    device: Device,
) -> Result<Box<dyn Backbone>, StyleError> {
    let places = SearchPath::new(Some(Path::new(&settings.network.weights_dir)));
    backbone::build(name, options, device, |name| read_weights(name, &places, device))
}

fn read_weights(name: &str, places: &SearchPath, device: Device) -> Result<NamedTensors, StyleError> {
    let manifest = weights::known(name)?;
    let found = weights::find(name, places)?;
    tracing::info!(path = %found.path.display(), "weights");
    weights::load(&found.path, &manifest)?
        .into_iter()
        .map(|(key, array)| {
            let shape: Vec<i64> = array.shape.iter().map(|&n| n as i64).collect();
            Ok((key, Tensor::f_from_slice(&array.data)?.f_view(shape.as_slice())?.f_to_device(device)?))
        })
        .collect()
}

/// The style pictures that `settings` name, in their own sizes.
pub(super) fn read_styles(settings: &Settings, device: Device) -> Result<Vec<StylePicture>, StyleError> {
    let (images, bounds) = (&settings.style.images, Bounds::of(&settings.input));
    let pictures = images.par_iter().map(|style| read_style(&style.image, bounds)).collect::<Result<Vec<_>, _>>()?;
    let styles = pictures
        .iter()
        .zip(images)
        .map(|(pixels, style)| Ok(StylePicture { image: from_pixels(pixels, device)?, weight: style.weight }));
    styles.collect()
}

/// A style picture from a file, or `builtin:NAME`.
pub(super) fn read_style(image: &str, bounds: Bounds) -> Result<crate::media::Pixels, StyleError> {
    let bad = |problem: String| StyleError::StylePicture { path: PathBuf::from(image), problem };
    let bytes = match image.strip_prefix("builtin:") {
        Some(name) => builtin_image(name).ok_or_else(|| bad("there is no such built-in picture".into()))?.to_vec(),
        None => bounded::read(Path::new(image), bounded::PICTURE).map_err(|error| bad(error.to_string()))?,
    };
    match picture::look(&bytes, bounds) {
        // What is transparent does not count.
        Ok(found) => {
            found.warnings.iter().for_each(|warning| tracing::warn!(image, "{warning}"));
            Ok(picture::without_holes(found.pixels))
        }
        Err(ImageError::Limits(_)) => Err(bad(format!(
            "it is larger than the {} pixels ({} along a side) that are allowed; make it smaller, or allow more with \
             --set input.max_pixels=N, --set input.max_side=N",
            bounds.pixels, bounds.side
        ))),
        Err(error) => Err(bad(format!("{error}; use a PNG, JPEG or WebP file"))),
    }
}
