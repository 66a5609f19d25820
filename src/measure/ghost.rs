//! Ghosts (moving places still show where they were a few frames ago) and places that stay unpainted.

use std::borrow::Cow;
use std::collections::VecDeque;

use rayon::prelude::*;

use super::features::{FeatureError, FeatureNetwork, Features};
use crate::media::{Pixels, area};
use crate::motion::Shot;

/// Distance in frames to the earlier source frame that a frame is compared with.
pub(super) const LAG: u64 = 4;
/// Larger frames are first reduced to this long side, so that the figures do not depend on the size of the video.
const LONGEST: usize = 480;
/// A network sees nothing in a picture with a shorter side than this.
const LEAST_SIDE: usize = 32;
/// A place moves if source frames differ by more than this on average around it, in sample values of 0..=1.
const MOVES: f32 = 0.06;
/// Radius in pixels of the square that this average covers: 9 x 9.
const AROUND: usize = 4;
/// With fewer moving places on the grid, the figures mean nothing.
const LEAST_PLACES: usize = 30;
/// Upper limit of the ghost figure, reached when the frame equals the source of [`LAG`] frames ago.
const MOST: f64 = 100.0;
/// With fewer tiles, there is no meaningful median.
const LEAST_TILES: usize = 4;

/// The network's figures for one frame compared with its source (see [`super`] for the definitions).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Seen {
    /// `None` if nothing moves, or fewer than four frames of the shot come before.
    pub content_moving: Option<f64>,
    /// 0..=100; `None` as above.
    pub ghost: Option<f64>,
    /// 1 or more; `None` if the style is not known, or the frame has fewer than four tiles.
    pub unpainted: Option<f64>,
}

/// A source frame that later frames are compared with.
struct Earlier {
    /// Number within the shot, from 0, flashes not counted.
    number: u64,
    source: Pixels,
    features: Features,
}

/// Compares a result with its source frame by frame, using a network.
pub struct GhostMeter {
    network: Box<dyn FeatureNetwork>,
    every: u64,
    /// Number of frames of the shot so far, flashes not counted.
    count: u64,
    /// Earlier source frames, the newest last.
    past: VecDeque<Earlier>,
}

impl GhostMeter {
    /// Creates a meter that evaluates every frame.
    pub fn new(network: Box<dyn FeatureNetwork>) -> Self {
        Self { network, every: 1, count: 0, past: VecDeque::new() }
    }

    /// Evaluates only every fourth frame of a shot, starting with the first: a quarter of the work.
    #[must_use]
    pub fn seldom(self) -> Self {
        Self { every: LAG, ..self }
    }

    /// Takes the next frame of both videos, in display order; the sizes may differ, the aspect ratio must not. All
    /// figures are `None` for flashes, for frames with a side under 32 pixels after the reduction, and for results
    /// smaller than the reduced source.
    ///
    /// # Errors
    /// Returns what the network reports.
    pub fn next(&mut self, source: &Pixels, result: &Pixels, shot: Shot) -> Result<Seen, FeatureError> {
        match shot {
            Shot::Flash => return Ok(Seen::default()),
            Shot::New => self.end_shot(),
            Shot::Continues => {}
        }
        let number = self.count;
        self.count += 1;
        if !number.is_multiple_of(self.every) {
            return Ok(Seen::default());
        }
        let (width, height) = area::within(source.width, source.height, LONGEST);
        if width.min(height) < LEAST_SIDE || result.width < width || result.height < height {
            return Ok(Seen::default());
        }
        let source = sized(source, width, height);
        let features = self.network.features(&source)?;
        let (painted, tiles) = self.network.painted(&sized(result, width, height))?;
        self.past.retain(|earlier| earlier.number + LAG >= number);
        let earlier = self.past.front().filter(|earlier| {
            earlier.number + LAG == number && (earlier.source.width, earlier.source.height) == (width, height)
        });
        let figures = earlier.and_then(|earlier| {
            let moving = moving(&earlier.source, &source, &features);
            compare(&painted, &features, &earlier.features, &moving)
        });
        self.past.push_back(Earlier { number, source: source.into_owned(), features });
        Ok(Seen {
            content_moving: figures.map(|figures| figures.0),
            ghost: figures.map(|figures| figures.1),
            unpainted: worst_over_median(tiles),
        })
    }

    /// Ends the shot: the next frame begins a new one, or earlier frames are not known.
    pub fn end_shot(&mut self) {
        self.count = 0;
        self.past.clear();
    }
}

fn sized(pixels: &Pixels, width: usize, height: usize) -> Cow<'_, Pixels> {
    if (pixels.width, pixels.height) == (width, height) {
        return Cow::Borrowed(pixels);
    }
    let rgb = area::shrunk(&pixels.rgb, (pixels.width, pixels.height), (width, height));
    Cow::Owned(Pixels { width, height, rgb, alpha: None })
}

/// Returns which places on the grid of `features` move between two frames: there, the largest difference of a channel,
/// averaged over 9 x 9 pixels and resampled to the grid by area, is above 0.06.
fn moving(before: &Pixels, now: &Pixels, features: &Features) -> Vec<bool> {
    let plane = now.width * now.height;
    let largest = |i: usize| {
        let channel = |c: usize| (now.rgb[c * plane + i] - before.rgb[c * plane + i]).abs();
        channel(0).max(channel(1)).max(channel(2))
    };
    let changes: Vec<f32> = (0..plane).map(largest).collect();
    let means = mean_around(&changes, now.width, AROUND);
    let grid = area::shrunk(&means, (now.width, now.height), (features.width, features.height));
    grid.into_iter().map(|mean| mean > MOVES).collect()
}

/// Returns the mean around each sample, over at most `radius` columns and rows to each side within the picture.
fn mean_around(plane: &[f32], width: usize, radius: usize) -> Vec<f32> {
    let height = plane.len() / width.max(1);
    // Averages along lines of `length` samples that lie `step` apart, using prefix sums.
    let along = |plane: &[f32], length: usize, step: usize, first: &dyn Fn(usize) -> usize| -> Vec<f32> {
        let mut means = vec![0.0; plane.len()];
        for line in 0..plane.len() / length.max(1) {
            let at = |i: usize| first(line) + i * step;
            let mut sums = vec![0.0f64];
            (0..length).for_each(|i| sums.push(sums[i] + f64::from(plane[at(i)])));
            for i in 0..length {
                let (from, to) = (i.saturating_sub(radius), (i + radius + 1).min(length));
                means[at(i)] = ((sums[to] - sums[from]) / (to - from) as f64) as f32;
            }
        }
        means
    };
    let rows = along(plane, width, 1, &|row| row * width);
    along(&rows, height, width, &|column| column)
}

/// Returns `content_moving` and `ghost` over the moving places; `None` if they are too few or without energy.
fn compare(painted: &Features, now: &Features, earlier: &Features, moving: &[bool]) -> Option<(f64, f64)> {
    if moving.iter().filter(|moves| **moves).count() < LEAST_PLACES {
        return None;
    }
    let plane = moving.len().max(1);
    let of_map = |((painted, now), earlier): ((&[f32], &[f32]), &[f32])| {
        let mut sums = [0.0; 3];
        for i in (0..plane).filter(|&i| moving[i]) {
            let [painted, now, earlier] = [painted[i], now[i], earlier[i]].map(f64::from);
            sums[0] += (painted - now).powi(2);
            sums[1] += now.powi(2);
            sums[2] += (painted - earlier).powi(2);
        }
        sums
    };
    let maps = painted.values.par_chunks_exact(plane).zip(now.values.par_chunks_exact(plane));
    let sums: Vec<[f64; 3]> = maps.zip(earlier.values.par_chunks_exact(plane)).map(of_map).collect();
    let [apart, energy, apart_from_earlier] =
        sums.iter().fold([0.0; 3], |sum, of_map| [0, 1, 2].map(|i| sum[i] + of_map[i]));
    // If both differences are 0, the network sees no motion.
    let known = energy > 0.0 && apart + apart_from_earlier > 0.0;
    known.then(|| (apart / energy, (apart / apart_from_earlier).min(MOST)))
}

/// Returns the largest distance of a tile divided by the median distance.
fn worst_over_median(mut tiles: Vec<f64>) -> Option<f64> {
    if tiles.len() < LEAST_TILES {
        return None;
    }
    tiles.sort_by(f64::total_cmp);
    let (below, above) = ((tiles.len() - 1) / 2, tiles.len() / 2);
    let median = 0.5 * (tiles[below] + tiles[above]);
    tiles.last().filter(|_| median > 0.0).map(|worst| worst / median)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_over_what_is_there() {
        let plane: Vec<f32> = (0..35).map(|i| (i * i % 11) as f32).collect();
        let means = mean_around(&plane, 7, 1);
        for (x, y) in [(0, 0), (3, 2), (6, 4), (6, 1)] {
            let near = (0..35).filter(|i| (i % 7usize).abs_diff(x) <= 1 && (i / 7usize).abs_diff(y) <= 1);
            let values: Vec<f32> = near.map(|i| plane[i]).collect();
            let mean = values.iter().sum::<f32>() / values.len() as f32;
            assert!((means[y * 7 + x] - mean).abs() < 1e-5, "{x} {y}");
        }
    }

    fn features(values: Vec<f32>) -> Features {
        Features { channels: 2, height: 4, width: values.len() / 8, values }
    }

    #[test]
    fn sums_are_those_of_the_definitions() {
        let values = |seed: usize| features((0..80).map(|i| ((i * seed + 3) % 17) as f32 / 17.0).collect());
        let (painted, now, earlier) = (values(5), values(7), values(11));
        let moving: Vec<bool> = (0..40).map(|i| i % 4 != 0).collect();
        let sum = |a: &Features, b: Option<&Features>| -> f64 {
            let of = |i: usize| f64::from(a.values[i]) - b.map_or(0.0, |b| f64::from(b.values[i]));
            (0..80).filter(|i| moving[i % 40]).map(|i| of(i).powi(2)).sum()
        };
        let (content, ghost) = compare(&painted, &now, &earlier, &moving).unwrap();
        assert!((content - sum(&painted, Some(&now)) / sum(&now, None)).abs() < 1e-9);
        assert!((ghost - sum(&painted, Some(&now)) / sum(&painted, Some(&earlier))).abs() < 1e-9);
        assert_eq!(compare(&earlier, &now, &earlier, &moving).unwrap().1, MOST, "nothing but the earlier frame");
        assert_eq!(compare(&now, &now, &now, &moving), None, "all the same");
        let few: Vec<bool> = (0..40).map(|i| i < LEAST_PLACES - 1).collect();
        assert_eq!(compare(&painted, &now, &earlier, &few), None);
    }

    #[test]
    fn the_worst_tile_is_told_by_the_middle_one() {
        assert_eq!(worst_over_median(vec![0.2, 0.9, 0.3, 0.4, 0.3]), Some(3.0));
        assert_eq!(worst_over_median(vec![0.25, 1.0, 0.75, 0.25]), Some(2.0));
        assert_eq!((worst_over_median(vec![0.1, 0.2, 0.3]), worst_over_median(Vec::new())), (None, None));
        assert_eq!(worst_over_median(vec![0.0; 6]), None);
    }
}
