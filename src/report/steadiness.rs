//! Formats the steadiness and ghosting of a result in one line.

use crate::measure::Summary;

/// The number of least steady frames to list.
const NAMED: usize = 3;

/// The lowest number of frames from which a drift per 100 frames is reported.
const LONG_ENOUGH: u64 = 25;

/// The share of the picture, 0..=1, that must stand still for its drift to be meaningful.
const STILL_ENOUGH: f64 = 0.1;

/// Returns the line `steadiness: ...`, or `None` if no two frames could be compared.
pub fn line(summary: &Summary) -> Option<String> {
    let (e_warp, coverage) = summary.e_warp.zip(summary.coverage)?;
    // E_warp is a mean square; its root is the error of a sample.
    let levels = |mean_square: f64| 255.0 * mean_square.sqrt();
    let mut line = format!(
        "steadiness: along the motion, a frame differs from the one before by {:.1}/255 (the source by {:.1}), measured on {:.0} % of the picture",
        levels(e_warp.result),
        levels(e_warp.source),
        100.0 * coverage
    );
    let says_something = summary.frames >= LONG_ENOUGH && summary.still.is_some_and(|still| still >= STILL_ENOUGH);
    if let Some(drift) = summary.luma_drift.filter(|_| says_something) {
        let way = if drift < 0.0 { "darker" } else { "brighter" };
        line += &format!("; what stands still gets {way} by {:.1}/255 in 100 frames", drift.abs());
    }
    let named: Vec<String> = summary.worst.iter().take(NAMED).map(|worst| worst.frame.to_string()).collect();
    if named.len() > 1 {
        line += &format!("; least steady: frames {}", named.join(", "));
    }
    if let Some(ghost) = summary.ghost {
        line += &format!("; what moves: ghost {ghost:.2} (below 1: the scene of now)");
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Meter, Pair, Worst};

    #[test]
    fn the_line_reads_well() {
        let mut summary = Meter::new(25.0).finish();
        assert_eq!(line(&summary), None);
        let pair =
            |result: f64, source: f64| Pair { result: (result / 255.0).powi(2), source: (source / 255.0).powi(2) };
        summary.coverage = Some(0.957);
        summary.e_warp = Some(pair(3.3, 2.0));
        let begin = "steadiness: along the motion, a frame differs from the one before by 3.3/255 (the source by 2.0), measured on 96 % of the picture";
        assert_eq!(line(&summary).as_deref(), Some(begin));
        summary.luma_drift = Some(-0.44);
        summary.still = Some(0.6);
        summary.frames = 24;
        assert_eq!(line(&summary).as_deref(), Some(begin), "too short to tell a drift");
        summary.frames = 25;
        summary.worst = [9, 2, 4, 1].map(|frame| Worst { frame, e_warp: pair(5.0, 2.0) }).into();
        let end = "; what stands still gets darker by 0.4/255 in 100 frames; least steady: frames 9, 2, 4";
        assert_eq!(line(&summary), Some(format!("{begin}{end}")));
        summary.still = Some(0.02);
        assert!(line(&summary).is_some_and(|line| !line.contains("stands still")), "a pan");
        summary.ghost = Some(0.456);
        assert!(
            line(&summary).is_some_and(|line| line.ends_with("; what moves: ghost 0.46 (below 1: the scene of now)"))
        );
    }
}
