//! Compares the estimated flow with the exact flow.

use stylize_video::media::Pixels;
use stylize_video::motion::{Consistency, Dis, FlowEstimator, FlowField, Luma, View};

use crate::motion::synth::{HEIGHT, Motion, WIDTH};

fn estimate(from: &Pixels, to: &Pixels) -> FlowField {
    let (from, to) = (Luma::of(from, 480), Luma::of(to, 480));
    Dis::new().unwrap().flow(View { number: 1, luma: &from }, View { number: 0, luma: &to }).unwrap()
}

/// Returns the mean endpoint error in pixels, at least 8 pixels from the edges and where the exact flow is known to be
/// visible.
fn error(motion: Motion, estimated: &FlowField, i: usize, j: usize) -> f64 {
    let exact = motion.flow(i, j);
    let (mut sum, mut count) = (0.0, 0);
    for y in 8..HEIGHT - 8 {
        for x in 8..WIDTH - 8 {
            if motion.is_seen(x, y, i, j) {
                let (a, b) = (exact.at(x, y), estimated.at(x, y));
                sum += f64::from((a[0] - b[0]).hypot(a[1] - b[1]));
                count += 1;
            }
        }
    }
    sum / f64::from(count)
}

#[test]
fn known_motion_is_found_with_its_sign() {
    let motions = [Motion::Pan([3.0, 0.0]), Motion::Pan([0.4, -1.7]), Motion::Zoom(1.04), Motion::Turn(0.04)];
    for motion in motions {
        for (i, j) in [(1, 0), (0, 1)] {
            let flow = estimate(&motion.frame(i), &motion.frame(j));
            let off = error(motion, &flow, i, j);
            assert!(off < 0.3, "{motion:?} from {i} to {j}: {off} pixels off");
        }
    }
}

#[test]
fn a_front_layer_moves_by_itself() {
    let motion = Motion::Layers([5.0, 1.0]);
    let flow = estimate(&motion.frame(1), &motion.frame(0));
    let off = error(motion, &flow, 1, 0);
    assert!(off < 0.8, "{off} pixels off");
    let back = estimate(&motion.frame(0), &motion.frame(1));
    let mask = Consistency::default().judge(&flow, &back);
    let mut believed = 0;
    let mut unseen = 0;
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            if !motion.is_seen(x, y, 1, 0) {
                unseen += 1;
                believed += usize::from(mask.weights[y * WIDTH + x] > 0.5);
            }
        }
    }
    assert!(believed * 4 < unseen, "{believed} of {unseen} occluded pixels are believed");
}

#[test]
fn the_same_pair_gives_the_same_flow_from_any_thread() {
    let motion = Motion::Turn(0.05);
    let (a, b) = (motion.frame(1), motion.frame(0));
    let flows: Vec<FlowField> = std::thread::scope(|scope| {
        // Each thread sets up its own estimator while others are already searching.
        let threads: Vec<_> = (0..12).map(|_| scope.spawn(|| estimate(&a, &b))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(flows.iter().all(|flow| *flow == flows[0]));
}

#[test]
fn tiny_and_flat_pictures_have_a_flow() {
    for (width, height) in [(1, 1), (3, 200), (16, 16), (31, 33)] {
        let flow = estimate(&Pixels::black(width, height), &Pixels::black(width, height));
        assert_eq!((flow.width, flow.height), (width, height));
        assert!(flow.vectors.iter().flatten().all(|value| value.is_finite()));
    }
}
