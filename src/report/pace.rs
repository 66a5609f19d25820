//! Measures the pace of painting and estimates the time left.

use std::collections::VecDeque;

/// Number of frames to average over: the first frame of a shot takes several times as long as the others.
const WINDOW: usize = 12;

/// The durations of the latest frames.
#[derive(Debug, Default)]
pub struct Pace(VecDeque<f64>);

impl Pace {
    pub fn add(&mut self, seconds: f64) {
        if self.0.len() == WINDOW {
            self.0.pop_front();
        }
        self.0.push_back(seconds);
    }

    /// Returns the average seconds per frame.
    pub fn per_frame(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len().max(1) as f64
    }

    /// Formats pace, time left and objective: `3.4 s/frame, 13 min left, J 0.0123`.
    pub fn describe(&self, frame: u64, frames: Option<u64>, objective: f64) -> String {
        let left = frames.filter(|total| *total > frame).map(|total| (total - frame) as f64 * self.per_frame());
        let left = left.map(|seconds| format!(", {} left", duration(seconds))).unwrap_or_default();
        format!("{:.2} s/frame{left}, J {}", self.per_frame(), short(objective))
    }

    /// Formats the state of a pass: `pass 2/3, frame 17, 3.4 s/frame, J 0.0123`.
    pub fn describe_pass(&self, [pass, passes]: [u32; 2], frame: u64, objective: f64) -> String {
        format!("pass {pass}/{passes}, frame {frame}, {}", self.describe(frame, None, objective))
    }
}

/// Formats a number of any magnitude with about four digits.
fn short(value: f64) -> String {
    if value == 0.0 || (0.01..10_000.0).contains(&value.abs()) { format!("{value:.4}") } else { format!("{value:.3e}") }
}

/// Formats a duration: `8.5 s`, `13 min`, `2 h 05 min`.
pub fn duration(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    match seconds {
        s if s < 100.0 => format!("{s:.1} s"),
        _ if minutes < 100 => format!("{minutes} min"),
        _ => format!("{} h {:02} min", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(duration(8.46), "8.5 s");
        assert_eq!(duration(780.0), "13 min");
        assert_eq!(duration(7500.0), "2 h 05 min");
    }

    #[test]
    fn the_first_frame_is_forgotten() {
        let mut pace = Pace::default();
        pace.add(100.0);
        for _ in 0..WINDOW {
            pace.add(2.0);
        }
        assert_eq!(pace.per_frame(), 2.0);
        assert_eq!(pace.describe(13, Some(113), 0.5), "2.00 s/frame, 3 min left, J 0.5000");
        assert_eq!(pace.describe(13, None, 1e-5), "2.00 s/frame, J 1.000e-5");
    }
}
