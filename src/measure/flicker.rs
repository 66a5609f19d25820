//! Flicker: changes faster than 5 Hz in pixels that are followed along their motion.

use std::f64::consts::{PI, SQRT_2};

use crate::motion::FlowField;

/// Slower changes are not flicker, in Hz.
const CUTOFF: f64 = 5.0;
/// Number of frames for which a pixel must have been followed before it counts: by then the filter's start has decayed.
const SETTLED: f32 = 3.0;

/// A second-order Butterworth high-pass at [`CUTOFF`] (bilinear transform, prewarped).
#[derive(Debug, Clone, Copy)]
pub(super) struct HighPass {
    b0: f32,
    a1: f32,
    a2: f32,
}

impl HighPass {
    /// Creates the filter for `rate` frames per second; `None` if the rate is too low to show changes that fast.
    pub fn new(rate: f64) -> Option<Self> {
        if rate.is_nan() || rate <= 2.0 * CUTOFF {
            return None;
        }
        let k = (PI * CUTOFF / rate).tan();
        let norm = 1.0 / (1.0 + SQRT_2 * k + k * k);
        Some(Self {
            b0: norm as f32,
            a1: (2.0 * (k * k - 1.0) * norm) as f32,
            a2: ((1.0 - SQRT_2 * k + k * k) * norm) as f32,
        })
    }

    /// Returns the state for a value that has always been constant: the filter's output is 0.
    fn rested(self, value: f32) -> [f32; 2] {
        [-self.b0 * value, self.b0 * value]
    }

    /// Returns the output for the next value, and the new state (transposed direct form II; b is b0 (1, −2, 1)).
    fn next(self, value: f32, [first, second]: [f32; 2]) -> (f32, [f32; 2]) {
        let passed = self.b0 * value + first;
        (passed, [-2.0 * self.b0 * value - self.a1 * passed + second, self.b0 * value - self.a2 * passed])
    }
}

/// Follows the luma of every pixel of the source and the result. The filter state is warped along the flow from frame
/// to frame, like the picture.
#[derive(Debug)]
pub(super) struct Flicker {
    filter: HighPass,
    /// States of the result and of the source: two planes each, on the grid of the newest frame.
    states: [Vec<f32>; 2],
    /// Number of frames for which each pixel has been followed, at most [`SETTLED`].
    age: Vec<f32>,
}

impl Flicker {
    /// Starts with the first frame of a shot: luma of the result and of the source.
    pub fn begin(filter: HighPass, lumas: [&[f32]; 2]) -> Self {
        let rested = |luma: &[f32]| {
            let of = |n: usize| luma.iter().map(move |&value| filter.rested(value)[n]);
            of(0).chain(of(1)).collect()
        };
        Self { filter, states: lumas.map(rested), age: vec![0.0; lumas[0].len()] }
    }

    /// Takes the next frame. `back` leads from it to the previous frame; `weights` is above 0 where that flow is
    /// reliable. Returns the root mean square of the filter's output for the result and the source, in the unit of the
    /// lumas; `None` while no pixel has been followed for long enough.
    pub fn next(&mut self, lumas: [&[f32]; 2], back: &FlowField, weights: &[f32]) -> Option<[f64; 2]> {
        let age = back.warp(&self.age);
        let known = |i: usize| weights[i] > 0.0;
        self.age = (0..age.len()).map(|i| if known(i) { (age[i] + 1.0).min(SETTLED) } else { 0.0 }).collect();
        // A new neighbour lowers the interpolated age, and it also spoils the interpolated state.
        let settled: Vec<bool> =
            self.age.iter().zip(&age).map(|(&now, &before)| now > 0.0 && before >= SETTLED - 0.01).collect();
        let filter = self.filter;
        let mut result = [0.0; 2];
        for ((state, luma), result) in self.states.iter_mut().zip(lumas).zip(&mut result) {
            let mut carried = back.warp(state);
            let (first, second) = carried.split_at_mut(luma.len());
            let mut sum = 0.0;
            for (i, &value) in luma.iter().enumerate() {
                let (passed, next) =
                    if known(i) { filter.next(value, [first[i], second[i]]) } else { (0.0, filter.rested(value)) };
                [first[i], second[i]] = next;
                if settled[i] {
                    sum += f64::from(passed).powi(2);
                }
            }
            *state = carried;
            *result = sum;
        }
        let count = settled.iter().filter(|&&settled| settled).count();
        (count > 0).then(|| result.map(|sum| (sum / count as f64).sqrt()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Returns the amplitude of the filter's output for a sine of amplitude 1, once the start has decayed.
    fn gain(frequency: f64, rate: f64) -> f64 {
        let filter = HighPass::new(rate).unwrap();
        let mut state = filter.rested(0.0);
        let mut sum = 0.0;
        let count = 4000;
        for t in 0..count + 200 {
            let value = (2.0 * PI * frequency / rate * f64::from(t) + 0.3).sin();
            let (passed, next) = filter.next(value as f32, state);
            state = next;
            if t >= 200 {
                sum += f64::from(passed).powi(2);
            }
        }
        (2.0 * sum / f64::from(count)).sqrt()
    }

    #[test]
    fn what_is_faster_than_five_hertz_passes() {
        for rate in [24.0, 30.0, 60.0] {
            // |H|^2 = 1 / (1 + (tan(pi fc / fs) / tan(pi f / fs))^4).
            let exact = |f: f64| (1.0 + ((PI * 5.0 / rate).tan() / (PI * f / rate).tan()).powi(4)).recip().sqrt();
            for frequency in [1.0, 2.5, 5.0, 8.0, 11.0] {
                let found = gain(frequency, rate);
                assert!((found - exact(frequency)).abs() < 0.01, "{frequency} of {rate} Hz: {found}");
            }
            assert!((exact(5.0) - 0.5_f64.sqrt()).abs() < 1e-12);
        }
        assert!(gain(1.0, 24.0) < 0.05);
        assert!(HighPass::new(10.0).is_none() && HighPass::new(f64::NAN).is_none());
    }

    #[test]
    fn a_pixel_is_followed_along_its_motion() {
        // Everything moves one pixel to the right per frame, and each object keeps its luma: nothing flickers.
        let row = |t: usize| -> Vec<f32> { (0..16).map(|x| ((x + 40 - t) as f32 * 1.7).sin()).collect() };
        let back = FlowField::from_fn(16, 1, |_, _| [-1.0, 0.0]);
        let weights: Vec<f32> = (0..16).map(|x| if x == 0 { 0.0 } else { 1.0 }).collect();
        let mut along = Flicker::begin(HighPass::new(24.0).unwrap(), [&row(0), &row(0)]);
        let mut across = Flicker::begin(HighPass::new(24.0).unwrap(), [&row(0), &row(0)]);
        let still = FlowField::still(16, 1);
        for t in 1..10 {
            let found = along.next([&row(t), &row(t)], &back, &weights);
            let wrong = across.next([&row(t), &row(t)], &still, &[1.0; 16]);
            assert_eq!(found.is_some(), t > 3, "frame {t}");
            assert!(found.is_none_or(|[value, _]| value < 1e-6), "frame {t}: {found:?}");
            assert!(wrong.is_none_or(|[value, _]| value > 0.1), "frame {t}: {wrong:?}");
        }
    }
}
