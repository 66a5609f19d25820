//! The figures on clips where their values are known.

use stylize_video::measure::{FrameFigures, Meter, Summary};
use stylize_video::media::Pixels;
use stylize_video::motion::{FlowError, FlowEstimator, FlowField, View};

use crate::synth::{HEIGHT, Motion, WIDTH};

/// The exact flow of a motion, at the size that is asked for.
struct Known(Motion);

impl FlowEstimator for Known {
    fn flow(&self, from: View<'_>, to: View<'_>) -> Result<FlowField, FlowError> {
        Ok(self.0.flow(from.number as usize, to.number as usize).resized(from.luma.width, from.luma.height))
    }
}

const STILL: Motion = Motion::Pan([0.0, 0.0]);

fn measure(motion: Motion, frames: usize, paint: impl Fn(&mut Pixels, usize)) -> (Vec<FrameFigures>, Summary) {
    let mut meter = Meter::new(Box::new(Known(motion)));
    let figures = (0..frames).map(|t| {
        let mut result = motion.frame(t);
        paint(&mut result, t);
        meter.push(motion.frame(t), result).unwrap()
    });
    let figures = figures.collect();
    (figures, meter.finish())
}

fn add(pixels: &mut Pixels, value: f32) {
    pixels.rgb.iter_mut().for_each(|sample| *sample += value);
}

#[test]
fn the_source_itself_has_a_ratio_of_one() {
    for motion in [Motion::Pan([2.5, 1.0]), Motion::Zoom(1.02), Motion::Layers([4.3, 0.0])] {
        let (figures, summary) = measure(motion, 14, |_, _| {});
        let warp = summary.e_warp.unwrap();
        assert_eq!((warp.result, summary.ratio), (warp.source, Some(1.0)));
        assert_eq!(summary.fdb, 0.0);
        assert!(warp.source < 2e-4, "{motion:?}: the exact flow leaves {}", warp.source);
        assert_eq!(figures.iter().filter(|figures| figures.long_term.is_some()).count(), 4);
        assert!(summary.coverage > 0.8 && summary.coverage < 1.0, "{motion:?}: {}", summary.coverage);
    }
    // Whole pixels: nothing is left at all.
    assert_eq!(measure(Motion::Pan([2.0, 1.0]), 3, |_, _| {}).1.e_warp.unwrap().source, 0.0);
}

#[test]
fn flow_of_the_wrong_sign_would_be_seen() {
    let mut meter = Meter::new(Box::new(Known(Motion::Pan([-2.0, -1.0]))));
    for t in 0..4 {
        let frame = Motion::Pan([2.0, 1.0]).frame(t);
        meter.push(frame.clone(), frame).unwrap();
    }
    assert!(meter.finish().e_warp.unwrap().source > 0.01);
}

#[test]
fn e_warp_is_the_mean_square_that_was_added() {
    // Every other frame is brighter by 0.1.
    let (_, summary) = measure(Motion::Pan([3.0, 0.0]), 12, |pixels, t| add(pixels, 0.1 * (t % 2) as f32));
    let warp = summary.e_warp.unwrap();
    assert!((warp.result - 0.01).abs() < 1e-6 && warp.source == 0.0, "{warp:?}");
    // Ten frames apart both are alike.
    assert!(summary.long_term.unwrap().result < 1e-10);
    // The second difference of 0, 0.1, 0 is 0.2.
    assert!((summary.flicker.unwrap().result - 0.2 * 255.0).abs() < 1e-3);
    assert!((summary.fdb - 0.1).abs() < 1e-6);
}

#[test]
fn drift_is_the_slope_of_still_pixels() {
    let (_, summary) = measure(STILL, 25, |pixels, t| add(pixels, 0.0004 * t as f32));
    assert!((summary.luma_drift.unwrap() - 0.0004 * 255.0 * 100.0).abs() < 0.01, "{:?}", summary.luma_drift);
    // Uniform over n values: step * sqrt((n^2 - 1) / 12).
    let deviation = 0.0004 * ((25.0_f64 * 25.0 - 1.0) / 12.0).sqrt() * 255.0;
    assert!((summary.still_deviation.unwrap() - deviation).abs() < 1e-3, "{:?}", summary.still_deviation);
    assert_eq!(measure(STILL, 5, |_, _| {}).1.luma_drift, Some(0.0));
    // On a pan nothing stands still.
    assert_eq!(measure(Motion::Pan([2.0, 0.0]), 5, |_, _| {}).1.luma_drift, None);
}

#[test]
fn a_cut_is_left_out() {
    struct Broken;
    impl FlowEstimator for Broken {
        fn flow(&self, from: View<'_>, to: View<'_>) -> Result<FlowField, FlowError> {
            let cut = from.number.max(to.number) == 3;
            let far = if cut { [1000.0, 0.0] } else { [0.0, 0.0] };
            Ok(FlowField::from_fn(from.luma.width, from.luma.height, |_, _| far))
        }
    }
    let mut meter = Meter::new(Box::new(Broken));
    let grey = |value: f32| Pixels { rgb: vec![value; 3 * WIDTH * HEIGHT], ..Pixels::black(WIDTH, HEIGHT) };
    let figures: Vec<FrameFigures> =
        (0..6).map(|t| meter.push(grey(0.2), grey(if t < 3 { 0.3 } else { 0.9 })).unwrap()).collect();
    let counted: Vec<bool> = figures.iter().map(|figures| figures.e_warp.is_some()).collect();
    assert_eq!(counted, [false, true, true, false, true, true]);
    let summary = meter.finish();
    assert_eq!((summary.cuts, summary.frames), (1, 6));
    assert_eq!(summary.e_warp.unwrap().result, 0.0);
    assert_eq!((summary.luma_drift, summary.still_deviation), (Some(0.0), Some(0.0)));
}
