//! The first pass over all pictures: finds the strongest activations of each unit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use super::ExploreError;
use super::best::{Best, Nine, Place};
use super::pictures::{Found, Picture, Reading, read};
use super::state::{GramSum, State};
use crate::interrupt::CancelToken;
use crate::report::{Event, Observer};
use crate::stylize::probe::{Probe, Sight};

/// Interval between saves of the state.
const SAVED_EVERY: Duration = Duration::from_secs(20);
/// Limit in bytes for pictures that stay in memory for the second pass.
const CACHE: usize = 96 << 20;

/// Parameters of a survey.
pub struct Plan<'a> {
    pub probe: &'a Probe,
    /// Indices of the layers in the state's key, in the same order.
    pub layers: &'a [usize],
    /// Layers whose Gram matrices are summed.
    pub grams: &'a [usize],
    pub reading: Reading,
    pub folder: &'a Path,
}

/// In-memory cache of pictures that are among some unit's nine strongest, limited in size.
#[derive(Debug, Default)]
pub struct Cache {
    pictures: BTreeMap<Place, Picture>,
    bytes: usize,
}

impl Cache {
    pub fn get(&self, place: Place) -> Option<&Picture> {
        self.pictures.get(&place)
    }

    /// Adds a picture; if the cache is full, first drops those that are no longer among any unit's nine.
    fn keep(&mut self, picture: Picture, state: &State) {
        let bytes = picture.pixels.len();
        if self.bytes + bytes > CACHE {
            let winners = winners(state);
            self.pictures.retain(|place, _| winners.contains(place));
            self.bytes = self.pictures.values().map(|picture| picture.pixels.len()).sum();
        }
        if self.bytes + bytes <= CACHE {
            self.bytes += bytes;
            self.pictures.insert(picture.place, picture);
        }
    }
}

/// Returns every picture that is among some unit's nine.
fn winners(state: &State) -> BTreeSet<Place> {
    state.layers.iter().flat_map(|layer| &layer.units).flat_map(Nine::iter).map(|best| best.place).collect()
}

/// Runs all pictures that `state` does not cover yet through the network and saves the state in the folder.
///
/// # Errors
/// Returns what libtorch reports, an error if the folder cannot be written to, [`ExploreError::Cancelled`] (the state
/// is saved first), or an error if no input could be read.
pub fn survey(
    plan: &Plan<'_>,
    state: &mut State,
    total: Option<u64>,
    observer: &dyn Observer,
    cancel: &CancelToken,
) -> Result<Cache, ExploreError> {
    let mut cache = Cache::default();
    let entries = state.key.entries.clone();
    std::thread::scope(|scope| {
        let found = read(scope, &entries, plan.reading, state.next, None);
        let mut saved = Instant::now();
        let mut began = Instant::now();
        for found in found {
            if cancel.is_cancelled() {
                state.save(plan.folder)?;
                return Err(ExploreError::Cancelled { pictures: state.pictures });
            }
            match found {
                Found::Broken { entry, error } => {
                    observer.event(&Event::Warning { message: format!("skipped: {error}") });
                    state.broken.push((entries[entry].path.clone(), error));
                    state.next = Place { entry: entry + 1, frame: 0 };
                }
                Found::Picture(picture) => {
                    let Place { entry, frame } = picture.place;
                    let sights = plan.probe.look(&picture.floats(), plan.layers, plan.grams)?;
                    if take(plan, state, &picture, sights) {
                        cache.keep(picture, state);
                    }
                    state.pictures += 1;
                    state.next = Place { entry, frame: frame + 1 };
                    let (done, seconds) = (state.pictures, began.elapsed().as_secs_f64());
                    observer.event(&Event::Progress { what: "pictures", done, total, seconds });
                    began = Instant::now();
                }
            }
            if saved.elapsed() > SAVED_EVERY {
                state.save(plan.folder)?;
                saved = Instant::now();
            }
        }
        state.next = Place { entry: entries.len(), frame: 0 };
        state.save(plan.folder)
    })?;
    match state.broken.first() {
        Some((_, first)) if state.pictures == 0 => {
            Err(ExploreError::NothingRead { tried: entries.len(), first: first.clone() })
        }
        _ => Ok(cache),
    }
}

/// Records a picture's activations; returns whether the picture is now among any unit's nine.
fn take(plan: &Plan<'_>, state: &mut State, picture: &Picture, sights: Vec<Sight>) -> bool {
    let mut won = false;
    let mut seen = vec![false; plan.layers.len()];
    for sight in sights {
        let Some(index) = plan.layers.iter().position(|&layer| layer == sight.layer) else { continue };
        seen[index] = true;
        for pick in &sight.peaks {
            let Some(nine) = state.layers[index].units.get_mut(pick.unit) else { continue };
            let (place, seconds) = (picture.place, picture.seconds);
            won |= nine.offer(Best { value: pick.value, place, seconds, y: pick.y, x: pick.x });
        }
        if let Some(gram) = sight.gram {
            let name = plan.probe.shapes()[sight.layer].name.clone();
            let channels = sight.peaks.len();
            let sum = state.grams.entry(name).or_insert_with(|| GramSum {
                channels,
                pictures: 0,
                sum: vec![0.0; channels * channels],
            });
            sum.pictures += 1;
            sum.sum.iter_mut().zip(&gram).for_each(|(sum, &value)| *sum += f64::from(value));
        }
    }
    for (layer, _) in state.layers.iter_mut().zip(seen).filter(|(_, seen)| !seen) {
        layer.too_small += 1;
    }
    won
}
