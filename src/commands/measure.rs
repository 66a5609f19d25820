//! `measure`: compares the steadiness of a result with that of its source, and detects ghosts of moving objects.

use std::collections::VecDeque;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, bail};
use serde::Serialize;

use crate::batch::plan;
use crate::decode::{self, FrameSource};
use crate::measure::{FeatureNetwork, FrameFigures, GhostMeter, Meter, Pair, Summary};
use crate::media::{Pixels, Range, Ratio};
use crate::motion::{self, Consistency, FlowEstimator, Pending, Wanted, Watched};
use crate::settings::InputSettings;

/// Number of frame pairs whose motion is estimated at the same time.
const IN_FLIGHT: usize = 4;
/// Frame rate to assume if the source does not state one.
const RATE: f64 = 25.0;

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    per_frame: &'a [FrameFigures],
}

/// Compares `result` with `source` and returns the report, as a table or as one JSON object. `flow` is a pattern of
/// `.flo` files with the source's motion, to use instead of an estimate; only the flow between neighbouring frames is
/// needed. `network` detects ghosts and, if it knows the style, unpainted places.
///
/// # Errors
/// If one of the two cannot be read, if their sizes or lengths differ, if there is no flow, or if the network fails.
pub fn measure(
    result: &Path,
    source: &Path,
    flow: Option<&Path>,
    network: Box<dyn FeatureNetwork>,
    json: bool,
) -> anyhow::Result<String> {
    let wanted = Wanted {
        flow: Some(estimator(flow)?),
        cuts: motion::estimate_cuts()?,
        rules: Consistency::default(),
        ..Wanted::default()
    };
    let (mut prefetch, mut watcher) = motion::watch(wanted)?;
    let (mut results, mut sources) = (open(result)?, open(source)?);
    let rate = sources.info().rate.map_or(RATE, Ratio::value);
    let mut pairs = Pairs {
        meter: Meter::new(rate).with_long_term(),
        ghosts: GhostMeter::new(network),
        waiting: VecDeque::new(),
        figures: Vec::new(),
    };
    let mut ahead: VecDeque<Pending> = VecDeque::new();
    let (begin, mut count) = (sources.begin(), 0);
    loop {
        let (painted, original) = match (results.next()?, sources.next()?) {
            (None, None) => break,
            (Some(painted), Some(original)) => (painted.pixels, original),
            (painted, _) => {
                let (short, long) = if painted.is_none() { (result, source) } else { (source, result) };
                let (short, long) = (short.display(), long.display());
                let frames = if count == 1 { "frame" } else { "frames" };
                bail!("{short} has only {count} {frames}, {long} has more: measure a whole result");
            }
        };
        count += 1;
        let painted = fitted(painted, &original.pixels)
            .with_context(|| format!("{} cannot be measured beside {}", result.display(), source.display()))?;
        let timing = original.timing;
        ahead.push_back(prefetch.look(&original.pixels, timing.base.seconds(timing.pts) - begin));
        pairs.waiting.push_back((original.pixels, painted));
        if ahead.len() > IN_FLIGHT
            && let Some(pending) = ahead.pop_front()
        {
            pairs.push(watcher.next(pending)?)?;
        }
    }
    for pending in ahead {
        pairs.push(watcher.next(pending)?)?;
    }
    pairs.push(watcher.finish()?)?;
    let (summary, figures) = (pairs.meter.finish(), pairs.figures);
    if json {
        return Ok(serde_json::to_string(&Report { summary: &summary, per_frame: &figures })? + "\n");
    }
    Ok(table(&summary))
}

/// Frames of both videos that wait for the source's motion.
struct Pairs {
    meter: Meter,
    ghosts: GhostMeter,
    /// Pairs of source and result.
    waiting: VecDeque<(Pixels, Pixels)>,
    figures: Vec<FrameFigures>,
}

impl Pairs {
    fn push(&mut self, watched: impl IntoIterator<Item = Watched>) -> anyhow::Result<()> {
        for (watched, (source, result)) in watched.into_iter().zip(std::iter::from_fn(|| self.waiting.pop_front())) {
            let seen = self.ghosts.next(&source, &result, watched.transition.shot)?;
            self.figures.push(self.meter.push_seen(source, result, &watched.transition, seen));
        }
        Ok(())
    }
}

fn estimator(files: Option<&Path>) -> anyhow::Result<Box<dyn FlowEstimator>> {
    Ok(match files {
        Some(pattern) => Box::new(motion::FloFiles::new(pattern)?),
        None => motion::estimate()?,
    })
}

fn open(path: &Path) -> anyhow::Result<Box<dyn FrameSource>> {
    let input = plan::classify(path)?;
    Ok(decode::open(&input, Range::default(), &InputSettings::default())?)
}

/// Crops a result to the size of the source: encoders that need even sizes repeat the last column or row.
fn fitted(painted: Pixels, original: &Pixels) -> anyhow::Result<Pixels> {
    let (width, height) = (original.width, original.height);
    if (painted.width, painted.height) == (width, height) {
        return Ok(painted);
    }
    if painted.width.checked_sub(width).is_none_or(|more| more > 1)
        || painted.height.checked_sub(height).is_none_or(|more| more > 1)
    {
        bail!("it is {}x{}, the source {width}x{height}: sizes must agree", painted.width, painted.height);
    }
    let rows = painted
        .rgb
        .chunks_exact(painted.width * painted.height)
        .flat_map(|plane| plane.chunks_exact(painted.width).take(height).flat_map(|row| row[..width].iter().copied()));
    Ok(Pixels { width, height, rgb: rows.collect(), alpha: None })
}

fn table(summary: &Summary) -> String {
    let pair = |pair: Option<Pair>, digits: usize| match pair {
        Some(Pair { result, source }) => format!("{result:>12.digits$} {source:>12.digits$}"),
        None => format!("{:>12} {:>12}", "-", "-"),
    };
    let single = |value: Option<f64>, digits: usize| match value {
        Some(value) => format!("{value:>12.digits$}"),
        None => format!("{:>12}", "-"),
    };
    let rows = [
        ("E_warp", pair(summary.e_warp, 7)),
        ("Ruder's MSE", pair(summary.ruder_mse, 7)),
        ("E_warp, 10 frames apart", pair(summary.long_term, 7)),
        ("flicker (1/255)", pair(summary.flicker, 3)),
        ("deviation where still (1/255)", pair(summary.still_deviation, 3)),
        ("E_warp, result over source", single(summary.ratio, 3)),
        ("luma drift (1/255 per 100 frames)", single(summary.luma_drift, 3)),
        ("furthest of it (1/255)", single(summary.luma_furthest, 3)),
        ("FDB", single(summary.fdb, 5)),
        ("ghost (1: the scene 4 frames ago)", single(summary.ghost, 3)),
        ("content, where it moves", single(summary.content_moving, 3)),
        ("unpainted: worst tile over median", single(summary.unpainted, 3)),
        ("coverage", single(summary.coverage, 3)),
        ("still", single(summary.still, 3)),
    ];
    let counted = |n: u64, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
    let mut heading = format!("{}, {}", counted(summary.frames, "frame"), counted(summary.cuts, "cut"));
    if summary.flashes > 0 {
        heading += &format!(
            ", {} skipped",
            if summary.flashes == 1 { "1 flash".into() } else { format!("{} flashes", summary.flashes) }
        );
    }
    let mut text = format!("{heading}\n{:34}{:>12} {:>12}\n", "", "result", "source");
    for (name, values) in rows {
        // Writing to a string never fails.
        let _ = writeln!(text, "{name:34}{values}");
    }
    let listed: Vec<String> =
        summary.worst.iter().map(|worst| format!("{} ({:.7})", worst.frame, worst.e_warp.result)).collect();
    if !listed.is_empty() {
        let _ = writeln!(text, "worst frames: {}", listed.join(", "));
    }
    let ghosts: Vec<String> =
        summary.worst_ghosts.iter().map(|worst| format!("{} ({:.3})", worst.frame, worst.ghost)).collect();
    if !ghosts.is_empty() {
        let _ = writeln!(text, "worst ghosts: {}", ghosts.join(", "));
    }
    if let Some(most) = summary.most_unpainted {
        let _ = writeln!(text, "most unpainted: {} ({:.3})", most.frame, most.unpainted);
    }
    text
}
