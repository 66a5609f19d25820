//! The second pass: reads the winning pictures again, cuts out patches, projects activations and draws sheets.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::best::Place;
use super::pictures::{Found, Picture, read};
use super::sheet::{self, Layout, PER_SHEET, UnitTiles};
use super::state::State;
use super::survey::{Cache, Plan};
use super::{ExploreError, publish, tile};
use crate::interrupt::CancelToken;
use crate::report::{Event, Observer};
use crate::stylize::StyleError;
use crate::stylize::backbone::{Pick, Wanted};

/// Lists the sheets in the folder, so that an interrupted run does not draw them again.
const DRAWN: &str = "sheets.json";
/// Limit in bytes for tiles held in memory at once.
const HELD: usize = 96 << 20;

/// One sheet of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    pub file: String,
    /// Index into the state's layers.
    pub layer: usize,
    /// Units in the order of their blocks.
    pub units: Vec<usize>,
}

impl Sheet {
    pub fn layout(&self, plan: &Plan<'_>) -> Layout {
        Layout::new(field(plan, self.layer), self.units.len())
    }
}

fn field(plan: &Plan<'_>, layer: usize) -> usize {
    plan.probe.shapes()[plan.layers[layer]].field.size as usize
}

/// Returns the sheets for the `chosen` units of each layer.
pub fn sheets(state: &State, chosen: &[Vec<usize>]) -> Vec<Sheet> {
    let mut sheets = Vec::new();
    for (layer, (name, units)) in state.key.layers.iter().zip(chosen).enumerate() {
        let parts: Vec<&[usize]> = units.chunks(PER_SHEET).collect();
        for (index, part) in parts.iter().enumerate() {
            let file = if parts.len() == 1 { format!("{name}.png") } else { format!("{name}-{:02}.png", index + 1) };
            sheets.push(Sheet { file, layer, units: part.to_vec() });
        }
    }
    sheets
}

/// Draws `sheets`, except those that the folder has from an earlier run, and deletes sheets that are no longer wanted.
///
/// # Errors
/// Returns what libtorch reports, an error if a picture no longer exists or the folder cannot be written to, or
/// [`ExploreError::Cancelled`] (finished sheets are kept).
pub fn draw(
    plan: &Plan<'_>,
    state: &State,
    sheets: &[Sheet],
    cache: &Cache,
    observer: &dyn Observer,
    cancel: &CancelToken,
) -> Result<(), ExploreError> {
    let list = plan.folder.join(DRAWN);
    let former: Vec<Sheet> =
        std::fs::read(&list).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    for stale in former.iter().filter(|old| !sheets.iter().any(|sheet| sheet.file == old.file)) {
        // The name comes from a file: only delete files directly in this folder.
        if Path::new(&stale.file).file_name().is_some_and(|name| name == stale.file.as_str()) {
            let _ = std::fs::remove_file(plan.folder.join(&stale.file));
        }
    }
    let is_drawn = |sheet: &&Sheet| former.contains(sheet) && plan.folder.join(&sheet.file).is_file();
    let (mut drawn, missing): (Vec<&Sheet>, Vec<&Sheet>) = sheets.iter().partition(is_drawn);
    let views = |sheets: &[&Sheet]| sheets.iter().map(|sheet| picks(state, sheet).len() as u64).sum::<u64>();
    let mut progress = Progress { done: 0, total: views(&missing), last: Instant::now(), observer };
    for batch in batches(plan, &missing) {
        let tiles = tiles(plan, state, &batch, cache, &mut progress, cancel)?;
        for sheet in batch {
            let none = UnitTiles::default();
            let units: Vec<(usize, &UnitTiles)> =
                sheet.units.iter().map(|&unit| (unit, tiles.get(&(sheet.layer, unit)).unwrap_or(&none))).collect();
            sheet::draw(&plan.folder.join(&sheet.file), sheet.layout(plan), &units)?;
            drawn.push(sheet);
        }
        publish(&list, serde_json::to_string(&drawn).unwrap_or_default().as_bytes())?;
    }
    Ok(())
}

struct Progress<'a> {
    done: u64,
    total: u64,
    last: Instant,
    observer: &'a dyn Observer,
}

impl Progress<'_> {
    fn step(&mut self) {
        self.done += 1;
        let seconds = self.last.elapsed().as_secs_f64();
        self.last = Instant::now();
        let (done, total) = (self.done, Some(self.total));
        self.observer.event(&Event::Progress { what: "patches", done, total, seconds });
    }
}

/// Groups sheets whose tiles are held in memory together.
fn batches<'a>(plan: &Plan<'_>, sheets: &[&'a Sheet]) -> Vec<Vec<&'a Sheet>> {
    let mut batches: Vec<Vec<&Sheet>> = Vec::new();
    let mut held = 0;
    for &sheet in sheets {
        let side = sheet.layout(plan).side;
        // Nine patches and nine projections with three floats per pixel.
        let bytes = sheet.units.len() * 18 * 12 * side * side;
        match batches.last_mut() {
            Some(batch) if held + bytes <= HELD => {
                batch.push(sheet);
                held += bytes;
            }
            _ => {
                batches.push(vec![sheet]);
                held = bytes;
            }
        }
    }
    batches
}

/// Returns what a sheet shows: picture, unit, rank among the unit's nine, and activation.
fn picks(state: &State, sheet: &Sheet) -> Vec<(Place, usize, usize, Pick)> {
    let units = &state.layers[sheet.layer].units;
    let of_unit = |&unit: &usize| {
        let nine = units.get(unit).into_iter().flat_map(|nine| nine.iter().enumerate());
        nine.map(move |(rank, best)| (best.place, unit, rank, Pick { unit, y: best.y, x: best.x, value: best.value }))
    };
    sheet.units.iter().flat_map(of_unit).collect()
}

/// Tiles of each unit, keyed by layer and unit number.
type Tiles = BTreeMap<(usize, usize), UnitTiles>;

/// Activations to show from one picture: for each layer, ranks and activations.
type Work = BTreeMap<usize, Vec<(usize, Pick)>>;

fn tiles(
    plan: &Plan<'_>,
    state: &State,
    batch: &[&Sheet],
    cache: &Cache,
    progress: &mut Progress<'_>,
    cancel: &CancelToken,
) -> Result<Tiles, ExploreError> {
    let mut work: BTreeMap<Place, Work> = BTreeMap::new();
    let mut tiles = Tiles::new();
    for sheet in batch {
        for (place, unit, rank, pick) in picks(state, sheet) {
            work.entry(place).or_default().entry(sheet.layer).or_default().push((rank, pick));
            let tiles = tiles.entry((sheet.layer, unit)).or_default();
            tiles.patches.push(Vec::new());
            tiles.projections.push(Vec::new());
        }
    }
    let mut one = |picture: &Picture| match work.get(&picture.place) {
        Some(work) => show(plan, picture, work, &mut tiles, progress, cancel).map_err(|error| match error {
            StyleError::Cancelled => ExploreError::Cancelled { pictures: state.pictures },
            error => error.into(),
        }),
        None => Ok(()),
    };
    let mut absent: BTreeSet<Place> = BTreeSet::new();
    for &place in work.keys() {
        match cache.get(place) {
            Some(picture) => one(picture)?,
            None => drop(absent.insert(place)),
        }
    }
    let Some(&first) = absent.first() else { return Ok(tiles) };
    let entries = &state.key.entries;
    std::thread::scope(|scope| {
        for found in read(scope, entries, plan.reading, first, Some(absent.clone())) {
            match found {
                Found::Picture(picture) => {
                    absent.remove(&picture.place);
                    one(&picture)?;
                }
                // If a video breaks off before a wanted picture, that picture is reported as missing below.
                Found::Broken { .. } => {}
            }
        }
        Ok::<(), ExploreError>(())
    })?;
    match absent.first() {
        None => Ok(tiles),
        Some(place) => Err(ExploreError::Picture {
            path: entries[place.entry].path.clone(),
            problem: format!("its frame {} is gone since it was looked at; start over with --restart", place.frame + 1),
        }),
    }
}

/// Cuts out and projects everything that is shown of one picture.
fn show(
    plan: &Plan<'_>,
    picture: &Picture,
    work: &Work,
    tiles: &mut Tiles,
    progress: &mut Progress<'_>,
    cancel: &CancelToken,
) -> Result<(), StyleError> {
    let wanted: Vec<Wanted> = work
        .iter()
        .map(|(&layer, picks)| Wanted {
            layer: plan.layers[layer],
            picks: picks.iter().map(|(_, pick)| *pick).collect(),
        })
        .collect();
    let layers: Vec<(usize, &Vec<(usize, Pick)>)> = work.iter().map(|(&layer, picks)| (layer, picks)).collect();
    let mut next = vec![0; layers.len()];
    plan.probe.project(&picture.floats(), &wanted, &mut |index, projection| {
        if cancel.is_cancelled() {
            return Err(StyleError::Cancelled);
        }
        let (layer, picks) = layers[index];
        let (rank, pick) = picks[next[index]];
        next[index] += 1;
        let side = tile::side(field(plan, layer));
        let field = plan.probe.field(plan.layers[layer], pick.unit);
        let size = field.size as usize;
        let patch = tile::patch(&picture.pixels, field.at(pick.x).start, field.at(pick.y).start, size);
        if let Some(tiles) = tiles.get_mut(&(layer, pick.unit)) {
            tiles.patches[rank] = tile::resized(&patch, size, side);
            tiles.projections[rank] = tile::resized(&projection, size, side);
        }
        progress.step();
        Ok(())
    })
}
