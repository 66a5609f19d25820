//! Ghosts: what moves still shows where it was a few frames ago. And places that stay unpainted.

use std::borrow::Cow;
use std::collections::VecDeque;

use rayon::prelude::*;

use super::features::{FeatureError, FeatureNetwork, Features};
use crate::media::{Pixels, area};
use crate::motion::Shot;

/// A frame is held against the source so many frames ago.
pub(super) const LAG: u64 = 4;
/// Larger frames are made this small first, so that a figure does not depend on the size of the video.
const LONGEST: usize = 480;
/// A network sees nothing in a picture with a shorter side.
const LEAST_SIDE: usize = 32;
/// A place moves where source frames differ by more than this on average around it, 0..=1.
const MOVES: f32 = 0.06;
/// Pixels to each side of one that the average is over: 9 x 9.
const AROUND: usize = 4;
/// Fewer moving places of the grid say nothing.
const LEAST_PLACES: usize = 30;
/// No ghost is larger: the frame is the source of [`LAG`] frames ago.
const MOST: f64 = 100.0;
/// Of fewer tiles there is no middle one to compare with.
const LEAST_TILES: usize = 4;

/// What a network sees of one frame, beside its source (for the definitions see [`super`]).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Seen {
    /// `None` where nothing moves, or there are no four frames of the shot before it.
    pub content_moving: Option<f64>,
    /// 0..=100; `None` as above.
    pub ghost: Option<f64>,
    /// 1 or more; `None` where the style is not known, or the frame has fewer than four tiles.
    pub unpainted: Option<f64>,
}

/// A source frame that later ones are held against.
struct Earlier {
    /// Of the shot, from 0, flashes not counted.
    number: u64,
    source: Pixels,
    features: Features,
}

/// Looks at a result beside its source with a network, frame by frame.
pub struct GhostMeter {
    network: Box<dyn FeatureNetwork>,
    every: u64,
    /// Frames of the shot so far, flashes not counted.
    count: u64,
    /// The newest last.
    past: VecDeque<Earlier>,
}

impl GhostMeter {
    /// Looks at each frame.
    pub fn new(network: Box<dyn FeatureNetwork>) -> Self {
        Self { network, every: 1, count: 0, past: VecDeque::new() }
    }

    /// Looks at every fourth frame of a shot only, from its first on: a quarter of the work.
    #[must_use]
    pub fn seldom(self) -> Self {
        Self { every: LAG, ..self }
    }

    /// The next frame of both, in display order and in any sizes of one aspect. There are no figures for flashes, nor for
    /// frames with a side under 32 pixels.
    ///
    /// # Errors
    /// What the network reports.
    pub fn next(&mut self, source: &Pixels, result: &Pixels, shot: Shot) -> Result<Seen, FeatureError> {
        match shot {
            Shot::Aside => return Ok(Seen::default()),
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

    /// The next frame begins a shot, or the frames before it are not known.
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

/// Which places of the grid of `features` move between two frames: the mean over 9 x 9 pixels of the largest difference
/// of a channel, brought to the grid by area, is above 0.06.
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

/// The mean of each sample and those at most `radius` columns and rows from it, as far as there are any.
fn mean_around(plane: &[f32], width: usize, radius: usize) -> Vec<f32> {
    let height = plane.len() / width.max(1);
    // Along lines of `length` samples that lie `step` apart, by the sums up to each.
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

/// `content_moving` and `ghost` over the places that move; `None` where these are too few, or there is nothing to see.
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
    // Where both differences are 0, the network sees no motion.
    let known = energy > 0.0 && apart + apart_from_earlier > 0.0;
    known.then(|| (apart / energy, (apart / apart_from_earlier).min(MOST)))
}

/// The largest of the tiles' distances over the middle one.
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
