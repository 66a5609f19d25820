//! The terms that tie a frame to earlier frames: value and gradient, and the warping of earlier frames.

use stylize_video::media::Pixels;
use stylize_video::motion::{Consistency, FlowField, Shot, Step, Transition};
use stylize_video::settings::{Distance, NextInit, Size};
use stylize_video::stylize::frame::loss::{LossTerm, Temporal, View};
use stylize_video::stylize::temporal::chain::{Chain, HistoryFrame};
use stylize_video::stylize::temporal::history::Anchor;
use stylize_video::stylize::tensor::to_planes;
use tch::{Device, Kind, Tensor};

use crate::stylize::pictures::{HEIGHT, WIDTH, difference, frame, only_start, paint, painter, quick};
use crate::stylize::{formula, number, numbers};

/// Returns weights of 0, 1 and values between.
fn weights(h: i64, w: i64) -> Tensor {
    (formula::uniform("mask", &[1, 1, h, w], 1.0) * 1.5).clamp(0.0, 1.0).to_kind(Kind::Double)
}

fn anchor(name: &str, h: i64, w: i64) -> Anchor {
    let warped = (formula::uniform(name, &[1, 3, h, w], 0.5) + 0.5).to_kind(Kind::Double);
    Anchor { warped, weights: weights(h, w) }
}

fn value(term: &Temporal, image: &Tensor) -> Tensor {
    term.evaluate(&View::new(image, &[])).unwrap()
}

#[test]
fn the_term_is_the_papers_and_its_gradient_is_right() {
    let (h, w) = (5, 7);
    let x = (formula::uniform("x", &[1, 3, h, w], 0.5) + 0.5).to_kind(Kind::Double);
    for distance in [Distance::Square, Distance::SmoothL1] {
        let anchors = || vec![anchor("a", h, w), anchor("b", h, w)];
        let term = Temporal::new(anchors(), 30.0, distance);
        // A reference computed with plain loops.
        let mut expected = 0.0;
        for Anchor { warped, weights } in anchors() {
            let (warped, weights, x) = (numbers(&warped), numbers(&weights), numbers(&x));
            for i in 0..x.len() {
                let d = (x[i] - warped[i]).abs();
                let cost = match distance {
                    Distance::Square => d * d,
                    Distance::SmoothL1 if d < 0.05 => d * d,
                    Distance::SmoothL1 => 2.0 * 0.05 * (d - 0.025),
                };
                expected += 30.0 * weights[i % 35] * cost / x.len() as f64;
            }
        }
        let got = number(&value(&term, &x));
        assert!((got - expected).abs() < 1e-12 * expected, "{distance:?}: {got} and {expected}");

        let image = x.detach().set_requires_grad(true);
        let gradient = Tensor::run_backward(&[value(&term, &image)], &[&image], false, false).swap_remove(0);
        let (gradient, mask) = (numbers(&gradient), numbers(&weights(h, w)));
        for (i, slope) in gradient.iter().enumerate() {
            // The gradient is nonzero only where the mask is. (It may vanish there too: between two anchors, by the
            // smooth L1.)
            assert!(*slope == 0.0 || mask[i % 35] > 0.0, "{distance:?} at {i}");
            assert!(*slope != 0.0 || mask[i % 35] == 0.0 || distance == Distance::SmoothL1, "{distance:?} at {i}");
            let moved = |by: f64| {
                let mut values = numbers(&x);
                values[i] += by;
                number(&value(&term, &Tensor::from_slice(&values).view([1, 3, h, w])))
            };
            let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
            assert!((difference - slope).abs() < 1e-7, "{distance:?} at {i}: {slope} and {difference}");
        }
    }
}

/// Returns the content of frame `t` of the chain below, which moves right by `step` pixels a frame.
fn ramp(step: f32, t: usize) -> Tensor {
    let row = Tensor::arange(12, (Kind::Float, Device::Cpu)) - f64::from(step) * t as f64;
    (row * 0.03 + 0.5).repeat([1, 3, 8, 1])
}

/// Returns a chain of flat pictures of these values, oldest first, all moving right by `step` pixels a frame.
fn chain(values: &[f64], offsets: &[u32], step: f32) -> Chain {
    let (w, h) = (12, 8);
    let rules = Consistency { blur: 0.0, ..Consistency::default() };
    let mut chain = Chain::new(offsets, rules);
    for (t, &value) in values.iter().enumerate() {
        let painted = Tensor::full([1, 3, h as i64, w as i64], value, (Kind::Float, Device::Cpu));
        chain.remember(HistoryFrame::first(painted, ramp(step, t), None).unwrap()).unwrap();
        let flow = |by: f32| FlowField::from_fn(w, h, |_, _| [by, 0.0]);
        chain.step(&Step::new(flow(-step), flow(step), &rules), &ramp(step, t + 1)).unwrap();
    }
    chain
}

#[test]
fn a_pixel_is_held_to_the_nearest_frame_that_saw_it() {
    // The left two columns were outside the previous frame, the next two outside the frame before it, and so on.
    let anchors = chain(&[0.1, 0.2, 0.3], &[1, 2, 3], 2.0)
        .earlier(&[3, 1, 2], &ramp(2.0, 3))
        .unwrap()
        .anchors(&[3, 1, 2])
        .unwrap();
    assert_eq!(anchors.len(), 3);
    let row = |tensor: &Tensor| numbers(tensor)[..12].to_vec();
    let first = row(&anchors[0].weights);
    assert_eq!(first, [0., 0., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1.]);
    // Older frames are not used where the previous frame is; where the previous frame shows nothing, they show nothing
    // here either.
    assert!(row(&anchors[1].weights).iter().chain(&row(&anchors[2].weights)).all(|&weight| weight == 0.0));
    assert!((row(&anchors[0].warped)[5] - 0.3).abs() < 1e-7, "the newest frame comes first");
    assert!((row(&anchors[1].warped)[5] - 0.2).abs() < 1e-7);
}

#[test]
fn what_a_front_layer_hid_is_held_to_the_frame_before_that() {
    // Of two steps, the first sees everything, and the second has no flow in the left half.
    let (w, h) = (12, 8);
    let rules = Consistency { blur: 0.0, ..Consistency::default() };
    let mut chain = Chain::new(&[1, 2], rules);
    let still = || FlowField::still(w, h);
    let far = FlowField::from_fn(w, h, |x, _| if x < 6 { [100.0, 0.0] } else { [0.0, 0.0] });
    // Something else covers this area.
    let ends = [0.9, 0.0].map(|value| Tensor::full([1, 3, 8, 6], value, (Kind::Float, Device::Cpu)));
    let covered = ramp(0.0, 0).maximum(&Tensor::cat(&ends, 3));
    for (value, forth, content) in [(0.1, still(), ramp(0.0, 0)), (0.2, far, covered)] {
        let painted = Tensor::full([1, 3, h as i64, w as i64], value, (Kind::Float, Device::Cpu));
        chain.remember(HistoryFrame::first(painted, content, None).unwrap()).unwrap();
        chain.step(&Step::new(still(), forth, &rules), &ramp(0.0, 0)).unwrap();
    }
    let anchors = chain.earlier(&[1, 2], &ramp(0.0, 0)).unwrap().anchors(&[1, 2]).unwrap();
    let near = numbers(&anchors[0].weights);
    assert_eq!((near[0], near[11]), (0.0, 1.0), "the left half is not consistent");
}

fn transition(width: usize, height: usize, vector: [f32; 2]) -> Transition {
    let flow = |[u, v]: [f32; 2]| FlowField::from_fn(width, height, move |_, _| [u, v]);
    let step = Step::new(flow(vector), flow([-vector[0], -vector[1]]), &Consistency::default());
    Transition { shot: Shot::Continues, step: Some(step), far: Vec::new() }
}

/// Returns `picture` shifted right and up by whole pixels, with `other` in the uncovered areas.
fn moved(picture: &Pixels, other: &Pixels, right: usize, up: usize) -> Pixels {
    let mut out = other.clone();
    for i in 0..picture.rgb.len() {
        let (x, y) = (i % WIDTH, i % (WIDTH * HEIGHT) / WIDTH);
        if x >= right && y + up < HEIGHT {
            out.rgb[i] = picture.rgb[i + up * WIDTH - right];
        }
    }
    out
}

#[test]
fn the_start_is_the_frame_before_carried_along_and_the_content_where_nothing_was_seen() {
    let mut settings = only_start();
    settings.init.next = NextInit::Warped;
    settings.frame.size = Size::Pixels(WIDTH as u32);
    let one = frame(1, HEIGHT, WIDTH);
    let two = moved(&one, &frame(2, HEIGHT, WIDTH), 3, 2);
    let mut painter = painter(&[(4, 1.0)], settings);
    // With no iterations, the first frame equals its content.
    paint(&mut painter, &[&one]);
    let got = painter.stylize(&two, &transition(WIDTH, HEIGHT, [-3.0, 2.0])).unwrap().pixels;
    assert!(difference(&got, &two) < 0.02, "both are the new content: one carried, one itself");
    // Exact to the bit where it was warped, away from the soft edge and from the area that affects the estimate of
    // light.
    for (i, &value) in got.rgb.iter().enumerate() {
        let (x, y) = (i % WIDTH, i % (WIDTH * HEIGHT) / WIDTH);
        assert!(x < 16 || y + 16 >= HEIGHT || value == two.rgb[i], "({x}, {y})");
    }
}

#[test]
fn the_painting_fades_with_its_scene() {
    let mut settings = only_start();
    settings.init.next = NextInit::Warped;
    settings.frame.size = Size::Pixels(WIDTH as u32);
    // Painted once, then only warped.
    settings.optimizer.iterations = [8, 0];
    let bright = frame(1, HEIGHT, WIDTH);
    let mut dark = bright.clone();
    dark.rgb.iter_mut().for_each(|value| *value -= 0.1);
    let mut painter = painter(&[(4, 1.0)], settings);
    let first = paint(&mut painter, &[&bright]).swap_remove(0).pixels;
    let later = painter.stylize(&dark, &transition(WIDTH, HEIGHT, [0.0; 2])).unwrap().pixels;
    for (a, b) in first.rgb.iter().zip(&later.rgb).filter(|(a, _)| **a > 0.11) {
        assert!((a - b - 0.1).abs() < 1e-5, "{a} became {b}");
    }
}

#[test]
fn the_term_keeps_moving_pixels_what_they_were() {
    let one = frame(1, HEIGHT, WIDTH);
    let two = moved(&one, &frame(2, HEIGHT, WIDTH), 4, 0);
    let run = |weight: f64| {
        let mut settings = quick();
        settings.frame.size = Size::Pixels(WIDTH as u32);
        settings.optimizer.iterations = [6, 6];
        settings.init.next = NextInit::Warped;
        settings.temporal.weight = weight;
        let mut painter = painter(&[(4, 1.0)], settings);
        let first = paint(&mut painter, &[&one]).swap_remove(0).pixels;
        let later = painter.stylize(&two, &transition(WIDTH, HEIGHT, [-4.0, 0.0])).unwrap().pixels;
        let inside = (0..first.rgb.len()).filter(|i| i % WIDTH >= 8);
        inside.map(|i| f64::from((later.rgb[i] - first.rgb[i - 4]).powi(2))).sum::<f64>()
    };
    let (free, held) = (run(0.0), run(100_000.0));
    assert!(held < free / 10.0, "moved by {held} with the term, {free} without");
}

/// Returns a still picture with independent errors of up to `noise` for each sample of each frame. Each error is the
/// mean of `draws` draws: uniform with one, bell-shaped with several.
fn noisy(noise: f32, draws: usize, seed: usize) -> Pixels {
    let mut picture = frame(1, HEIGHT, WIDTH);
    // A hash of the position (Steele et al. 2014), -1..=1.
    let draw = |place: usize| {
        let mut z = (place + 1) as u64;
        z = z.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (z >> 40) as f32 / 8_388_608.0 - 1.0
    };
    let samples = picture.rgb.len();
    for (i, value) in picture.rgb.iter_mut().enumerate() {
        let sum: f32 = (0..draws).map(|k| draw((seed * draws + k) * samples + i)).sum();
        *value += noise * sum / draws as f32;
    }
    picture
}

#[test]
fn what_stands_still_does_not_drift() {
    for (noise, draws) in [(0.0, 1), (2.0 / 255.0, 1), (8.0 / 255.0, 4)] {
        let mut settings = quick();
        settings.init.next = NextInit::Warped;
        let mut painter = painter(&[(4, 1.0)], settings);
        let first = paint(&mut painter, &[&noisy(noise, draws, 0)]).swap_remove(0).pixels;
        for t in 1..12 {
            let later = painter.stylize(&noisy(noise, draws, t), &transition(WIDTH, HEIGHT, [0.0; 2])).unwrap().pixels;
            let moved = difference(&first, &later);
            assert!(moved <= f64::from(noise), "frame {t} is {moved} from the first, noise {noise}");
        }
    }
}

/// A pan of one pixel a frame: nothing rests, so nothing is held to its first painting. After a first frame of the default
/// length, brightness stays. After a short one, later frames go on painting and the picture drifts by about one level,
/// which the temporal term holds back in part.
#[test]
fn what_moves_along_does_not_drift() {
    let drift = drift_along_the_motion(stylize_video::settings::Settings::default().optimizer.iterations[0], 600.0);
    assert!(drift.abs() < 0.5, "{drift} levels of 255 in 100 frames");
    let (held, free) = (drift_along_the_motion(12, 600.0), drift_along_the_motion(12, 0.0));
    assert!(free.abs() > 0.5, "{free} levels of 255 in 100 frames: the pan tells nothing");
    assert!(held.abs() < 0.8 * free.abs(), "{held} with the temporal term, {free} without");
}

/// Returns by how many levels of 255 the pan's brightness would change in 100 frames, after a first frame of `first`
/// iterations.
fn drift_along_the_motion(first: u32, weight: f64) -> f64 {
    let mut settings = quick();
    settings.frame.size = Size::Pixels(WIDTH as u32);
    settings.init.next = NextInit::Warped;
    settings.optimizer.iterations = [first, 6];
    settings.optimizer.tolerance = 0.0;
    settings.temporal.weight = weight;
    let (one, other) = (frame(1, HEIGHT, WIDTH), frame(2, HEIGHT, WIDTH));
    let mut painter = painter(&[(4, 1.0)], settings);
    let frames: u32 = 9;
    // Covers only the part that all frames show: the scene's first columns, away from the frame's edge.
    let level = |picture: &Pixels, right: usize| {
        let columns = 4..WIDTH - 2 * frames as usize;
        let inside = (0..picture.rgb.len()).filter(|i| columns.contains(&(i % WIDTH)));
        let (sum, count) = inside.fold((0.0, 0), |(sum, n), i| (sum + f64::from(picture.rgb[i + right]), n + 1));
        255.0 * sum / f64::from(count)
    };
    let first = level(&paint(&mut painter, &[&one]).swap_remove(0).pixels, 0);
    let mut last = first;
    for right in 1..=frames as usize {
        let scene = moved(&one, &other, right, 0);
        let painted = painter.stylize(&scene, &transition(WIDTH, HEIGHT, [-1.0, 0.0])).unwrap().pixels;
        last = level(&painted, right);
    }
    100.0 * (last - first) / f64::from(frames)
}

#[test]
fn planes_come_back_from_a_tensor_in_order() {
    let tensor = Tensor::from_slice(&[1f32, 2.0, 3.0, 4.0, 5.0, 6.0]).view([1, 3, 1, 2]);
    assert_eq!(to_planes(&tensor).unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    // Also with another memory layout.
    assert_eq!(to_planes(&tensor.permute([0, 1, 3, 2])).unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}
