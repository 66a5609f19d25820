//! Extrapolates from the cost of samples to the cost of a job.

use super::sample::Sample;

/// Share of the maximal iterations that a later frame takes, if no sample was painted: least, likely, most.
const LATER_SHARES: [f64; 3] = [0.2, 0.6, 1.0];
/// Relative error of a value that is scaled up from few iterations, because iterations differ.
const SCALING_ERROR: f64 = 0.2;
/// Relative error because the machine may be busier or less busy.
const LOAD_ERROR: f64 = 0.1;
/// Half-width of the range in standard errors.
const SPREAD: f64 = 2.0;
/// Assembling and rereading the result takes this share of the time for reading the source, plus this many seconds.
const FINISHING: (f64, f64) = (0.5, 0.3);

/// Costs of the parts of a job, in seconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Costs {
    pub startup: f64,
    /// The first frame of a shot: scaled up from the trial, or the mean of the samples.
    pub first: f64,
    /// Upper limit for a later frame, scaled up from the trial.
    pub next: f64,
    firsts: Vec<f64>,
    shots: Vec<Painted>,
}

/// Later frames of a shot that were painted with all their iterations.
#[derive(Debug, Clone, Default, PartialEq)]
struct Painted {
    /// Number of later frames in the shot.
    frames: f64,
    /// Seconds that each painted frame took.
    laters: Vec<f64>,
}

/// The work that is left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Work {
    pub frames: u64,
    /// Number of the frames that begin a shot.
    pub shots: u64,
    pub passes: u32,
    /// Seconds for reading the whole source.
    pub reading: f64,
}

/// Expected seconds, and the range in which they probably lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Time {
    pub seconds: f64,
    pub low: f64,
    pub high: f64,
}

impl Costs {
    /// Scales the costs of a trial with few iterations up to `[first, next]` iterations.
    pub fn of_trial(trial: &Sample, [first, next]: [u32; 2]) -> Self {
        let scaled = |taken: &super::sample::FrameTime, all: u32| {
            taken.seconds * f64::from(all.max(1)) / f64::from(taken.iterations.max(1))
        };
        let (head, tail) = trial.frames.split_first().map_or((None, &[][..]), |(head, tail)| (Some(head), tail));
        // The first frame also includes all warm-up, so its time is an upper limit.
        let first = head.map_or(0.0, |head| scaled(head, first));
        let next = tail.iter().map(|taken| scaled(taken, next)).fold(f64::INFINITY, f64::min);
        let next = if next.is_finite() { next } else { 0.0 };
        Self { startup: trial.startup, first, next, firsts: Vec::new(), shots: Vec::new() }
    }

    /// Adds a sample with all iterations from a shot of `length` frames.
    pub fn add(&mut self, sample: &Sample, length: u64) {
        let mut seconds = sample.frames.iter().map(|taken| taken.seconds);
        self.firsts.extend(seconds.next());
        let laters: Vec<f64> = seconds.collect();
        if !laters.is_empty() {
            self.shots.push(Painted { frames: length.saturating_sub(1).max(1) as f64, laters });
        }
    }

    /// Returns the mean seconds of a later frame and its standard error, for `all` later frames of a job. Each shot
    /// counts by its length; shots without a sample are assumed to vary as the sampled ones do.
    fn later(&self, all: f64) -> Option<(f64, f64)> {
        let known: f64 = self.shots.iter().map(|shot| shot.frames).sum();
        let means: Vec<(f64, f64, f64)> = self
            .shots
            .iter()
            .filter_map(|shot| mean(&shot.laters).map(|(mean, error)| (shot.frames / known, mean, error)))
            .collect();
        if means.is_empty() {
            return None;
        }
        let average: f64 = means.iter().map(|(share, mean, _)| share * mean).sum();
        let within: f64 = means.iter().map(|(share, _, error)| (share * error).powi(2)).sum();
        let between: f64 = means.iter().map(|(share, mean, _)| share * (mean - average).powi(2)).sum();
        let unknown = (1.0 - known / all.max(1.0)).max(0.0);
        Some((average, (within + unknown.powi(2) * between / means.len() as f64).sqrt()))
    }

    /// Replaces the scaled-up cost of a first frame by the mean of the samples, if there is one.
    pub fn use_mean_of_firsts(&mut self) {
        if let Some((mean, _)) = mean(&self.firsts) {
            self.first = mean;
        }
    }
}

/// Returns the mean and its standard error.
fn mean(values: &[f64]) -> Option<(f64, f64)> {
    let count = values.len() as f64;
    if values.is_empty() {
        return None;
    }
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((mean, if count > 1.0 { (squares / (count - 1.0) / count).sqrt() } else { mean * SCALING_ERROR }))
}

/// Estimates how long `work` takes, which includes startup and finishing the result.
pub fn estimate_time(costs: &Costs, work: Work) -> Time {
    let laters = work.frames.saturating_sub(work.shots) as f64;
    let shots = work.shots.min(work.frames) as f64;
    let [least, likely, most] = match costs.later(laters) {
        Some((mean, error)) => [(mean - SPREAD * error).max(0.0), mean, mean + SPREAD * error],
        None => LATER_SHARES.map(|share| share * costs.next),
    };
    let first_error = if costs.firsts.is_empty() { SCALING_ERROR } else { 0.0 };
    let finishing = FINISHING.0 * work.reading + FINISHING.1;
    // A frame of a later pass takes as long as a later frame, but at least `later_pass_minimum`.
    let total = |first: f64, later: f64, later_pass_minimum: f64| {
        let pass = shots * first + laters * later;
        // Later passes paint every frame as a later one.
        let passes = f64::from(work.passes.saturating_sub(1)) * work.frames as f64 * later.max(later_pass_minimum);
        costs.startup + finishing + pass + passes
    };
    let seconds = total(costs.first, likely, 0.0);
    let low = total(costs.first * (1.0 - first_error), least, 0.0) * (1.0 - LOAD_ERROR);
    let high = total(costs.first * (1.0 + first_error), most, costs.next) * (1.0 + LOAD_ERROR);
    Time { seconds, low, high }
}

#[cfg(test)]
mod tests {
    use super::super::sample::FrameTime;
    use super::*;

    fn sample(startup: f64, frames: &[(u32, f64)]) -> Sample {
        let frames = frames.iter().map(|&(iterations, seconds)| FrameTime { iterations, seconds }).collect();
        Sample { startup, frames, bytes_per_frame: None }
    }

    #[test]
    fn few_iterations_are_scaled_up() {
        let costs = Costs::of_trial(&sample(1.0, &[(6, 3.0), (3, 2.0), (3, 1.5)]), [60, 15]);
        assert_eq!((costs.startup, costs.first, costs.next), (1.0, 30.0, 7.5));
        let none = Costs::of_trial(&sample(0.0, &[]), [60, 15]);
        assert_eq!((none.first, none.next), (0.0, 0.0));
        let time = estimate_time(&costs, Work { frames: 11, shots: 1, passes: 1, reading: 0.0 });
        assert!(time.low < time.seconds && time.seconds < time.high, "{time:?}");
        assert!((time.seconds - (1.3 + 30.0 + 10.0 * 4.5)).abs() < 1e-9, "{time:?}");
    }

    #[test]
    fn what_was_painted_counts() {
        let mut costs = Costs::of_trial(&sample(1.0, &[(6, 3.0), (3, 2.0)]), [60, 15]);
        costs.add(&sample(0.0, &[(60, 20.0), (5, 2.0), (5, 4.0)]), 6);
        costs.add(&sample(0.0, &[(60, 24.0), (5, 3.0)]), 6);
        costs.use_mean_of_firsts();
        let time = estimate_time(&costs, Work { frames: 12, shots: 2, passes: 1, reading: 2.0 });
        assert!((time.seconds - (1.0 + 1.3 + 2.0 * 22.0 + 10.0 * 3.0)).abs() < 1e-9, "{time:?}");
        let nothing = estimate_time(&costs, Work { frames: 0, shots: 0, passes: 1, reading: 0.0 });
        assert!(nothing.seconds < 2.0);
    }

    #[test]
    fn a_shot_counts_by_its_length() {
        let mut costs = Costs::of_trial(&sample(0.0, &[(6, 3.0), (3, 2.0)]), [60, 15]);
        costs.add(&sample(0.0, &[(60, 20.0), (5, 2.0), (5, 2.0)]), 31);
        costs.add(&sample(0.0, &[(60, 20.0), (5, 6.0), (5, 6.0)]), 11);
        costs.use_mean_of_firsts();
        assert_eq!(costs.later(40.0), Some((3.0, 0.0)));
        let (seconds, error) = costs.later(400.0).expect("frames were painted");
        assert_eq!(seconds, 3.0);
        // Nine tenths of the frames are in shots without a sample. The deviation between the two sampled shots is
        // sqrt(3). The error of their mean is that over sqrt(2), the root of their number.
        assert!((error - 0.9 * 1.5f64.sqrt()).abs() < 1e-9, "{error}");
    }
}
