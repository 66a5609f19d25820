//! The measured figures, on clips where their values are known.

use stylize_video::measure::{FrameFigures, Meter, Place, Summary};
use stylize_video::media::Pixels;
use stylize_video::motion::{Consistency, FlowField, Shot, Step, Transition};

use crate::motion::synth::{HEIGHT, Motion, WIDTH};

pub const STILL: Motion = Motion::Pan([0.0, 0.0]);
pub const RATE: f64 = 24.0;

/// Returns how frame `t` follows frame `from`, by the exact flow of a motion.
fn transition(motion: Motion, from: usize, t: usize) -> Transition {
    let step = Step::new(motion.flow(t, from), motion.flow(from, t), &Consistency::default());
    Transition { step: Some(step), ..Transition::from(Shot::Continues) }
}

pub fn transitions(motion: Motion, t: usize) -> Transition {
    if t == 0 { Shot::New.into() } else { transition(motion, t - 1, t) }
}

fn measure(motion: Motion, frames: usize, paint: impl Fn(&mut Pixels, usize)) -> (Vec<FrameFigures>, Summary) {
    let mut meter = Meter::new(RATE).with_long_term();
    let figures = (0..frames).map(|t| {
        let mut result = motion.frame(t);
        paint(&mut result, t);
        meter.push(motion.frame(t), result, &transitions(motion, t))
    });
    let figures = figures.collect();
    (figures, meter.finish())
}

fn add(pixels: &mut Pixels, value: f32) {
    pixels.rgb.iter_mut().for_each(|sample| *sample += value);
}

/// Adds grain that does not move with the picture and differs in each frame.
fn grain(pixels: &mut Pixels, t: usize) {
    for (i, value) in pixels.rgb.iter_mut().enumerate() {
        *value += 0.05 * ((i * 7919 + t * 104_729) % 1009) as f32 / 1009.0;
    }
}

/// Σ (a(p + w(p)) − b(p))² / Σ over the pixels of `counts`, in double precision and pixel by pixel: compares `moved`,
/// warped along `flow`, with `fixed`.
fn error(flow: &FlowField, counts: impl Fn(usize) -> bool, moved: &Pixels, fixed: &Pixels) -> f64 {
    let plane = WIDTH * HEIGHT;
    let (mut sum, mut count) = (0.0, 0.0);
    for i in (0..plane).filter(|&i| counts(i)) {
        let [u, v] = flow.vectors[i].map(f64::from);
        let (x, y) = ((i % WIDTH) as f64 + u, (i / WIDTH) as f64 + v);
        for channel in 0..3 {
            let at = |x: f64, y: f64| {
                let (x, y) = ((x as usize).min(WIDTH - 1), (y as usize).min(HEIGHT - 1));
                f64::from(moved.rgb[channel * plane + y * WIDTH + x])
            };
            let (fx, fy) = (x - x.floor(), y - y.floor());
            let row = |y: f64| at(x.floor(), y) * (1.0 - fx) + at(x.floor() + 1.0, y) * fx;
            let value = row(y.floor()) * (1.0 - fy) + row(y.floor() + 1.0) * fy;
            sum += (value - f64::from(fixed.rgb[channel * plane + i])).powi(2);
            count += 1.0;
        }
    }
    sum / count
}

#[test]
fn masked_figures_are_those_of_their_definitions() {
    for motion in [Motion::Pan([0.7, -1.3]), Motion::Zoom(1.02), Motion::Layers([4.3, 0.0]), Motion::Turn(0.02)] {
        let (figures, summary) = measure(motion, 12, grain);
        let painted = |t: usize| {
            let mut pixels = motion.frame(t);
            grain(&mut pixels, t);
            pixels
        };
        let rules = Consistency { blur: 0.0, ..Consistency::default() };
        let seen = Consistency { boundary_absolute: 1e30, ..rules };
        let (mut lai, mut ruder, mut coverage) = (0.0, 0.0, 0.0);
        for t in 1..12 {
            let (forth, back) = (motion.flow(t - 1, t), motion.flow(t, t - 1));
            let mask = rules.judge(&forth, &back);
            lai += error(&forth, |i| mask.weights[i] > 0.0, &painted(t), &painted(t - 1)) / 11.0;
            coverage += mask.coverage() / 11.0;
            let mask = seen.judge(&back, &forth);
            ruder += error(&back, |i| mask.weights[i] > 0.0, &painted(t - 1), &painted(t)) / 11.0;
        }
        let close = |found: f64, expected: f64| (found - expected).abs() < 1e-6 * expected + 1e-9;
        assert!(close(summary.e_warp.unwrap().result, lai), "{motion:?}: {:?}, not {lai}", summary.e_warp);
        assert!(close(summary.ruder_mse.unwrap().result, ruder), "{motion:?}: {:?}, not {ruder}", summary.ruder_mse);
        assert!(close(summary.coverage.unwrap(), coverage));
        let worst = figures.iter().filter_map(|f| Some((f.figures.e_warp?.result, f.frame)));
        let worst = worst.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
        assert_eq!((summary.worst[0].e_warp.result, summary.worst[0].frame), worst);
        assert_eq!((summary.worst.len(), figures[0].frame), (5, 1));
    }
}

#[test]
fn ten_frames_apart_is_the_composed_flow() {
    // The flow of a pan composes exactly: only pixels that leave the frame on the way are lost.
    let motion = Motion::Pan([1.0, 0.5]);
    let (figures, _) = measure(motion, 13, grain);
    let long: Vec<f64> = figures.iter().filter_map(|figures| Some(figures.figures.long_term?.result)).collect();
    assert_eq!(long.len(), 3);
    for (n, found) in long.iter().enumerate() {
        let (mut first, mut last) = (motion.frame(n), motion.frame(n + 10));
        grain(&mut first, n);
        grain(&mut last, n + 10);
        let flow = motion.flow(n, n + 10);
        let inside = |i: usize| i % WIDTH + 10 < WIDTH && i / WIDTH + 5 < HEIGHT;
        let expected = error(&flow, inside, &last, &first);
        assert!((found - expected).abs() < 1e-5 * expected, "{found}, not {expected}");
    }
}

#[test]
fn motion_boundaries_are_left_out_of_one_figure_only() {
    // Only the disc's outline is painted differently in each frame.
    let motion = Motion::Layers([6.0, 0.0]);
    let outline = |pixels: &mut Pixels, t: usize| {
        for i in 0..WIDTH * HEIGHT {
            let point = [(i % WIDTH) as f64, (i / WIDTH) as f64];
            let is = |x: f64| motion.in_front([point[0] + x, point[1]], t as f64);
            if is(-1.0) != is(1.0) {
                pixels.rgb[i] = (t % 2) as f32;
            }
        }
    };
    let (_, summary) = measure(motion, 4, outline);
    let (lai, ruder) = (summary.e_warp.unwrap(), summary.ruder_mse.unwrap());
    assert!(ruder.result > 1e-4 && lai.result < 0.2 * ruder.result, "{lai:?} {ruder:?}");
}

#[test]
fn the_source_itself_has_a_ratio_of_one() {
    for motion in [Motion::Pan([2.5, 1.0]), Motion::Zoom(1.02), Motion::Layers([4.3, 0.0])] {
        let (_, summary) = measure(motion, 14, |_, _| {});
        let warp = summary.e_warp.unwrap();
        assert_eq!((warp.result, summary.ratio), (warp.source, Some(1.0)));
        assert_eq!(summary.fdb, Some(0.0));
        assert!(warp.source < 2e-4, "{motion:?}: the exact flow leaves {}", warp.source);
        let coverage = summary.coverage.unwrap();
        assert!(coverage > 0.8 && coverage < 1.0, "{motion:?}: {coverage}");
    }
    // A motion by whole pixels leaves no error at all.
    assert_eq!(measure(Motion::Pan([2.0, 1.0]), 3, |_, _| {}).1.e_warp.unwrap().source, 0.0);
}

#[test]
fn flow_of_the_wrong_sign_would_be_seen() {
    let mut meter = Meter::new(RATE);
    for t in 0..4 {
        let frame = Motion::Pan([2.0, 1.0]).frame(t);
        meter.push(frame.clone(), frame, &transitions(Motion::Pan([-2.0, -1.0]), t));
    }
    let summary = meter.finish();
    assert!(summary.e_warp.unwrap().source > 0.01 && summary.ruder_mse.unwrap().source > 0.01);
}

#[test]
fn what_alternates_flickers_and_what_fades_does_not() {
    // Every other frame is brighter by 0.1: a flicker of twelve cycles a second, 0.05 about the mean.
    let (_, summary) = measure(Motion::Pan([3.0, 0.0]), 40, |pixels, t| add(pixels, 0.1 * (t % 2) as f32));
    let warp = summary.e_warp.unwrap();
    assert!((warp.result - 0.01).abs() < 1e-6 && warp.source == 0.0, "{warp:?}");
    // Frames ten apart are alike.
    assert!(summary.long_term.unwrap().result < 1e-10);
    let flicker = summary.flicker.unwrap();
    assert!((flicker.result - 0.05 * 255.0).abs() < 0.2 && flicker.source < 1e-3, "{flicker:?}");
    assert!((summary.fdb.unwrap() - 0.1).abs() < 1e-6);
    // Half a cycle a second with four times the amplitude: hardly any flicker.
    let slow = |t: usize| 0.2 * (std::f32::consts::PI * t as f32 / 24.0).sin();
    let (_, summary) = measure(STILL, 48, |pixels, t| add(pixels, slow(t)));
    assert!(summary.flicker.unwrap().result < 0.02 * 0.2 * 255.0, "{:?}", summary.flicker);
}

#[test]
fn drift_is_the_slope_of_still_pixels() {
    let (_, summary) = measure(STILL, 25, |pixels, t| add(pixels, 0.0004 * t as f32));
    assert!((summary.luma_drift.unwrap() - 0.0004 * 255.0 * 100.0).abs() < 0.01, "{:?}", summary.luma_drift);
    assert!((summary.luma_furthest.unwrap() - 0.0004 * 255.0 * 24.0).abs() < 0.01, "{:?}", summary.luma_furthest);
    // The standard deviation of a uniform distribution over n values: step * sqrt((n^2 - 1) / 12).
    let deviation = 0.0004 * ((25.0_f64 * 25.0 - 1.0) / 12.0).sqrt() * 255.0;
    let found = summary.still_deviation.unwrap();
    assert!((found.result - deviation).abs() < 1e-3 && found.source == 0.0, "{found:?}");
    assert_eq!((measure(STILL, 5, |_, _| {}).1.luma_drift, summary.still), (Some(0.0), Some(1.0)));
    // A change in the source itself is not drift.
    let mut meter = Meter::new(RATE);
    for t in 0..10 {
        let mut frame = STILL.frame(t);
        add(&mut frame, -0.01 * t as f32);
        meter.push(frame.clone(), frame, &transitions(STILL, t));
    }
    assert_eq!(meter.finish().luma_drift, Some(0.0));
    // On a pan, nothing stands still.
    let (_, summary) = measure(Motion::Pan([2.0, 0.0]), 5, |_, _| {});
    assert_eq!((summary.luma_drift, summary.still, summary.still_deviation), (None, Some(0.0), None));
}

pub fn grey(value: f32) -> Pixels {
    Pixels { rgb: vec![value; 3 * WIDTH * HEIGHT], ..Pixels::black(WIDTH, HEIGHT) }
}

#[test]
fn a_cut_is_left_out() {
    // A cut that is reported, or unknown motion at a cut that was not detected.
    let unknown = FlowField::from_fn(WIDTH, HEIGHT, |_, _| [f32::NAN; 2]);
    let step = Step::new(unknown.clone(), unknown, &Consistency::default());
    let unseen = Transition { step: Some(step), ..Transition::from(Shot::Continues) };
    for cut in [Transition::from(Shot::New), unseen] {
        let mut meter = Meter::new(RATE).with_long_term();
        let places: Vec<Place> = (0..26)
            .map(|t| {
                let transition = if t == 13 { cut.clone() } else { transitions(STILL, t) };
                meter.push(grey(0.2), grey(if t < 13 { 0.3 } else { 0.9 }), &transition).place
            })
            .collect();
        let new: Vec<usize> = (0..26).filter(|&t| places[t] == Place::New).collect();
        assert_eq!(new, [0, 13]);
        let summary = meter.finish();
        assert_eq!((summary.cuts, summary.frames, summary.flashes), (1, 26, 0));
        for figure in [summary.e_warp, summary.ruder_mse, summary.long_term, summary.still_deviation, summary.flicker] {
            assert!(figure.unwrap().result < 1e-12, "{summary:?}");
        }
        assert_eq!((summary.luma_drift, summary.luma_furthest), (Some(0.0), Some(0.0)));
    }
}

#[test]
fn a_flash_is_passed_over() {
    let motion = Motion::Pan([1.0, 0.0]);
    let mut meter = Meter::new(RATE);
    for t in 0..12 {
        let transition = match t {
            6 => Shot::Flash.into(),
            7 => transition(motion, 5, 7),
            _ => transitions(motion, t),
        };
        let frame = if t == 6 { grey(1.0) } else { motion.frame(t) };
        let told = meter.push(frame.clone(), frame, &transition);
        assert_eq!(told.figures.e_warp.is_some(), t != 0 && t != 6, "frame {t}");
    }
    let summary = meter.finish();
    assert_eq!((summary.cuts, summary.flashes, summary.e_warp.unwrap().result), (0, 1, 0.0));
    assert!(summary.flicker.unwrap().result < 1e-3, "{:?}", summary.flicker);
}

#[test]
fn of_one_frame_nothing_is_told() {
    let (figures, summary) = measure(STILL, 1, |_, _| {});
    assert_eq!((figures[0].place, summary.frames, summary.cuts), (Place::New, 1, 0));
    assert_eq!((summary.coverage, summary.fdb, summary.e_warp, summary.luma_drift), (None, None, None, None));
    assert!(summary.worst.is_empty());
    let (_, none) = measure(STILL, 0, |_, _| {});
    assert_eq!(none.frames, 0);
}

#[test]
fn frames_of_another_size_begin_a_shot() {
    let mut meter = Meter::new(RATE);
    meter.push(STILL.frame(0), STILL.frame(0), &transitions(STILL, 0));
    let small = Pixels::black(8, 8);
    assert_eq!(meter.push(small.clone(), small, &transitions(STILL, 1)).place, Place::New);
}
