//! `layers`: shows what a network has learned, by the user's own pictures.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::print;
use crate::explore::STATE_FILE;
use crate::explore::page::Activations;
use crate::explore::pictures::{self, Entry, Reading};
use crate::explore::rank::{self, LayerRank};
use crate::explore::state::{Key, State};
use crate::explore::survey::{Plan, survey};
use crate::explore::{Every, ExploreError, Units, gallery, maps, page};
use crate::interrupt::CancelToken;
use crate::media::Pixels;
use crate::report::{Event, Observer};
use crate::settings::{Pooling, Settings};
use crate::stylize::backbone::LayerShape;
use crate::stylize::probe::Probe;

/// The options of the command.
#[derive(Debug, Clone)]
pub struct Request {
    pub inputs: Vec<PathBuf>,
    pub output: PathBuf,
    /// Names of layers, or `all`.
    pub layers: Vec<String>,
    pub units: Units,
    pub reading: Reading,
    /// Whether units are ranked by the style pictures of the settings.
    pub ranked: bool,
    pub activations: Option<PathBuf>,
    pub restart: bool,
}

/// Prints the layers of the network that `settings` select.
///
/// # Errors
/// If the backbone is unknown, or stdout cannot be written to.
pub fn list(settings: &Settings) -> anyhow::Result<()> {
    let (name, shapes) = Probe::outline(settings)?;
    let width = shapes.iter().map(|shape| shape.name.len()).max().unwrap_or(0).max(5);
    let mut text =
        format!("{name}\n{:width$}  {:>8}  {:>6}  {:>15}\n", "layer", "channels", "stride", "receptive field");
    for LayerShape { name, channels, field } in &shapes {
        writeln!(text, "{name:width$}  {channels:>8}  {:>6}  {:>15}", field.jump, format!("{0} x {0}", field.size))?;
    }
    Ok(print(text)?)
}

/// Reads all inputs and writes the sheets and the page.
///
/// # Errors
/// See [`ExploreError`].
pub fn layers(
    request: &Request,
    settings: &Settings,
    observer: &dyn Observer,
    cancel: &CancelToken,
) -> anyhow::Result<()> {
    // Check everything that can be wrong with the command before the slow part.
    let entries = pictures::entries(&request.inputs)?;
    let size = request.reading.size;
    let portrait = match &request.activations {
        Some(path) => Some((path, still(path, size)?)),
        None => None,
    };
    let probe = Probe::open(settings)?;
    let style_layers = probe.style_layers()?;
    let (layers, grams) = chosen_layers(&probe, request, &style_layers)?;
    check_units(&request.units, &probe, &layers)?;
    let styles: Vec<(String, f64)> =
        settings.style.images.iter().map(|style| (style.image.clone(), style.weight)).collect();
    let styles = if request.ranked { rank::style_grams(&probe, &grams, &styles, size)? } else { Vec::new() };
    let folder = request.output.as_path();
    std::fs::create_dir_all(folder).map_err(|source| ExploreError::Write { path: folder.into(), source })?;
    let plan = Plan { probe: &probe, layers: &layers, grams: &grams, reading: request.reading, folder };
    let key = key(&plan, settings, request, entries);
    if request.restart {
        forget(folder)?;
    }
    let mut state = match State::load(folder, &key)? {
        Some(state) => state,
        None => {
            let channels: Vec<usize> = layers.iter().map(|&layer| probe.shapes()[layer].channels).collect();
            let mut state = State::new(key, &channels);
            // From here on, the folder belongs to this command.
            state.save(folder)?;
            state
        }
    };
    tell_start(observer, &state);
    let total =
        if state.is_done() { Some(state.pictures) } else { pictures::count(&state.key.entries, request.reading) };
    let cache = survey(&plan, &mut state, total, observer, cancel)?;
    let ranks = rank::rank(&probe, &state, &styles);
    let chosen = chosen_units(&request.units, &plan, &state, &ranks);
    let sheets = gallery::sheets(&state, &chosen);
    gallery::draw(&plan, &state, &sheets, &cache, observer, cancel)?;
    let activations = match portrait {
        Some((path, pixels)) => feature_maps(&plan, path, &pixels)?,
        None => Activations::default(),
    };
    page::write(&plan, &state, &sheets, &activations)?;
    if request.ranked {
        let names: Vec<String> = style_layers.iter().map(|&layer| probe.shapes()[layer].name.clone()).collect();
        print(rank::table(&ranks, &names))?;
    }
    tell_end(observer, &state, &sheets, &activations, folder);
    Ok(())
}

fn still(path: &Path, size: usize) -> Result<Pixels, ExploreError> {
    let image = pictures::still(path, size).map_err(|problem| ExploreError::Picture { path: path.into(), problem })?;
    Ok(Pixels::from_rgb8(image.width() as usize, image.height() as usize, image.as_raw()))
}

/// Returns the layers to show, and those whose Gram matrices are needed. If units are ranked, the style layers belong
/// to both.
fn chosen_layers(
    probe: &Probe,
    request: &Request,
    style_layers: &[usize],
) -> Result<(Vec<usize>, Vec<usize>), ExploreError> {
    let mut layers: Vec<usize> = if request.layers.iter().any(|name| name == "all") {
        (0..probe.shapes().len()).collect()
    } else {
        request.layers.iter().map(|name| probe.layer(name.trim())).collect::<Result<_, _>>()?
    };
    if request.ranked {
        layers.extend(style_layers);
    }
    layers.sort_unstable();
    layers.dedup();
    let grams = if request.ranked { layers.clone() } else { Vec::new() };
    Ok((layers, grams))
}

fn check_units(units: &Units, probe: &Probe, layers: &[usize]) -> Result<(), ExploreError> {
    let Units::These(numbers) = units else { return Ok(()) };
    let shapes = layers.iter().map(|&layer| &probe.shapes()[layer]);
    let (Some(widest), Some(&unit)) = (shapes.max_by_key(|shape| shape.channels), numbers.last()) else {
        return Ok(());
    };
    if unit < widest.channels {
        return Ok(());
    }
    Err(ExploreError::NoSuchUnit { unit, layer: widest.name.clone(), channels: widest.channels })
}

fn key(plan: &Plan<'_>, settings: &Settings, request: &Request, entries: Vec<Entry>) -> Key {
    let weights = plan.probe.weights_file(settings);
    Key {
        backbone: plan.probe.name().to_owned(),
        weights: weights.and_then(|path| pictures::entry(path, false).ok()),
        pooling: if settings.network.pooling == Pooling::Max { "max" } else { "avg" }.to_owned(),
        layers: plan.layers.iter().map(|&layer| plan.probe.shapes()[layer].name.clone()).collect(),
        every: match request.reading.every {
            Every::Frames(n) => n.to_string(),
            Every::Seconds(s) => format!("{s}s"),
        },
        size: request.reading.size,
        grams: request.ranked,
        entries,
    }
}

/// Discards the earlier results in a folder, but only if this command made it: any other folder is left unchanged and
/// refused later.
fn forget(folder: &Path) -> Result<(), ExploreError> {
    let state = folder.join(STATE_FILE);
    if !state.is_file() {
        return Ok(());
    }
    let failed = |source| ExploreError::Write { path: folder.into(), source };
    for found in std::fs::read_dir(folder).map_err(failed)? {
        let path = found.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ours = name == "sheets.json" || (name.starts_with("grams-") && name.ends_with(".safetensors"));
        if ours {
            std::fs::remove_file(&path).map_err(failed)?;
        }
    }
    // Written last: from now on the folder counts as empty.
    std::fs::write(&state, b"{}").map_err(failed)
}

fn tell_start(observer: &dyn Observer, state: &State) {
    let message = match (state.is_done(), state.pictures) {
        (true, _) if state.key.entries.is_empty() => return,
        (true, n) => format!("all {n} pictures were looked at before: only what is drawn changes"),
        (false, 0) => return,
        (false, n) => format!("continues after {n} pictures"),
    };
    observer.event(&Event::Note { message });
}

/// Returns the units to show for each layer, in order.
fn chosen_units(units: &Units, plan: &Plan<'_>, state: &State, ranks: &[LayerRank]) -> Vec<Vec<usize>> {
    if state.key.entries.is_empty() {
        // Only feature maps were requested.
        return vec![Vec::new(); plan.layers.len()];
    }
    let of_layer = |(&layer, found): (&usize, &crate::explore::state::LayerState)| -> Vec<usize> {
        let shape = &plan.probe.shapes()[layer];
        match units {
            Units::All => (0..shape.channels).collect(),
            Units::These(numbers) => numbers.iter().copied().filter(|&unit| unit < shape.channels).collect(),
            Units::Count(count) => {
                let order: Vec<usize> = match ranks.iter().find(|rank| rank.layer == shape.name) {
                    Some(rank) => rank.shares.iter().map(|(unit, _)| *unit).collect(),
                    None => {
                        let mut order: Vec<usize> = (0..shape.channels).collect();
                        let peak = |unit: usize| found.units[unit].peak();
                        order.sort_by(|&a, &b| peak(b).total_cmp(&peak(a)).then(a.cmp(&b)));
                        order
                    }
                };
                order.into_iter().take(*count).collect()
            }
        }
    };
    plan.layers.iter().zip(&state.layers).map(of_layer).collect()
}

fn feature_maps(plan: &Plan<'_>, path: &Path, pixels: &Pixels) -> Result<Activations, ExploreError> {
    let mut sheets = Vec::new();
    for &layer in plan.layers {
        // One layer at a time: all maps of a deep network take gigabytes.
        for (layer, found) in plan.probe.maps(pixels, &[layer])? {
            let name = &plan.probe.shapes()[layer].name;
            let file = maps::draw(plan.folder, path, name, &found)?;
            let file = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            sheets.push((name.clone(), file));
        }
    }
    Ok(Activations { picture: path.file_name().unwrap_or_default().to_string_lossy().into_owned(), sheets })
}

fn tell_end(
    observer: &dyn Observer,
    state: &State,
    sheets: &[gallery::Sheet],
    activations: &Activations,
    folder: &Path,
) {
    if let Some(most) = state.layers.iter().map(|layer| layer.too_small).max().filter(|n| *n > 0) {
        let message = format!("{most} pictures were too small for some layers; index.html says which");
        observer.event(&Event::Warning { message });
    }
    if !state.broken.is_empty() {
        let message = format!("{} of {} inputs could not be read", state.broken.len(), state.key.entries.len());
        observer.event(&Event::Warning { message });
    }
    let mut made = Vec::new();
    if !state.key.entries.is_empty() {
        made.push(format!("{} pictures, {} sheets", state.pictures, sheets.len()));
    }
    if !activations.sheets.is_empty() {
        made.push(format!("feature maps of {} layers of {}", activations.sheets.len(), activations.picture));
    }
    let message = format!("{}: open {}", made.join("; "), page::path(folder).display());
    observer.event(&Event::Note { message });
}
