//! `measure`: how steady a result is, beside its source.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, bail};
use serde::Serialize;

use crate::batch::plan;
use crate::decode::{self, FrameSource};
use crate::measure::{FrameFigures, Meter, Pair, Summary};
use crate::media::{Pixels, Range};
use crate::motion::{self, FlowEstimator};
use crate::settings::InputSettings;

/// So many of the worst frames are listed.
const WORST: usize = 5;

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    worst: Vec<FrameFigures>,
    per_frame: &'a [FrameFigures],
}

/// Measures `result` beside `source` and gives the report, a table or one JSON object. `flow` is a pattern of `.flo`
/// files of the source's motion in place of an estimate.
///
/// # Errors
/// When one of the two cannot be read, they are not of one size and length, or there is no flow.
pub fn measure(result: &Path, source: &Path, flow: Option<&Path>, json: bool) -> anyhow::Result<String> {
    let mut meter = Meter::new(estimator(flow)?);
    let (mut results, mut sources) = (open(result)?, open(source)?);
    let mut figures = Vec::new();
    loop {
        let (painted, original) = match (results.next()?, sources.next()?) {
            (None, None) => break,
            (Some(painted), Some(original)) => (painted.pixels, original.pixels),
            (painted, _) => {
                let (short, long) = if painted.is_none() { (result, source) } else { (source, result) };
                let (short, long) = (short.display(), long.display());
                bail!("{short} has only {} frames, {long} has more: measure a whole result", figures.len());
            }
        };
        let painted = fitted(painted, &original)
            .with_context(|| format!("{} cannot be measured beside {}", result.display(), source.display()))?;
        figures.push(meter.push(original, painted)?);
    }
    let summary = meter.finish();
    if json {
        let report = Report { summary: &summary, worst: worst(&figures), per_frame: &figures };
        return Ok(serde_json::to_string(&report)? + "\n");
    }
    Ok(table(&summary, &worst(&figures)))
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

/// Encoders that need even sizes repeat the last column or row: that is left out.
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

/// The frames of the largest E_warp, worst first.
fn worst(figures: &[FrameFigures]) -> Vec<FrameFigures> {
    let error = |figures: &FrameFigures| figures.e_warp.map_or(0.0, |pair| pair.result);
    let mut sorted: Vec<FrameFigures> = figures.iter().copied().filter(|figures| figures.e_warp.is_some()).collect();
    sorted.sort_by(|a, b| error(b).total_cmp(&error(a)));
    sorted.truncate(WORST);
    sorted
}

fn table(summary: &Summary, worst: &[FrameFigures]) -> String {
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
        ("E_warp, 10 frames apart", pair(summary.long_term, 7)),
        ("flicker (1/255)", pair(summary.flicker, 3)),
        ("E_warp, result over source", single(summary.ratio, 3)),
        ("luma drift (1/255 per 100 frames)", single(summary.luma_drift, 3)),
        ("deviation where still (1/255)", single(summary.still_deviation, 3)),
        ("FDB", single(Some(summary.fdb), 5)),
        ("coverage", single(Some(summary.coverage), 3)),
    ];
    let mut text =
        format!("{} frames, {} cuts\n{:34}{:>12} {:>12}\n", summary.frames, summary.cuts, "", "result", "source");
    for (name, values) in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:34}{values}");
    }
    let listed: Vec<String> = worst
        .iter()
        .map(|figures| format!("{} ({:.7})", figures.frame + 1, figures.e_warp.map_or(0.0, |pair| pair.result)))
        .collect();
    if !listed.is_empty() {
        let _ = writeln!(text, "worst frames: {}", listed.join(", "));
    }
    text
}
