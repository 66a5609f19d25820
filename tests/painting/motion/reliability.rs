//! The reliability mask on exact flow: its values, its side and its direction.

use stylize_video::motion::{Consistency, FlowField, Reliability};

use crate::motion::synth::{HEIGHT, Motion, WIDTH};

fn judge(motion: Motion, i: usize, j: usize) -> Reliability {
    Consistency::default().judge(&motion.flow(i, j), &motion.flow(j, i))
}

#[test]
fn an_integer_pan_uncovers_exactly_one_band() {
    // Everything moves 3 pixels to the right and 2 up: frame 0 does not show the left 3 columns and lowest 2 rows of
    // frame 1.
    let mask = judge(Motion::Pan([3.0, -2.0]), 1, 0);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let uncovered = x < 3 || y >= HEIGHT - 2;
            assert_eq!(mask.weights[y * WIDTH + x] == 0.0, uncovered, "({x}, {y})");
        }
    }
    let band = 1.0 - ((WIDTH - 3) * (HEIGHT - 2)) as f32 / (WIDTH * HEIGHT) as f32;
    assert!((mask.inconsistent - band).abs() < 1e-6);
    // Away from the uncovered band, the weight is full.
    assert_eq!(mask.weights[10 * WIDTH + 20], 1.0);
    // In the opposite direction, the opposite edges are uncovered.
    let other = judge(Motion::Pan([3.0, -2.0]), 0, 1);
    assert_eq!((other.weights[30 * WIDTH], other.weights[30 * WIDTH + WIDTH - 1]), (1.0, 0.0));
}

#[test]
fn nothing_moves_and_all_is_reliable() {
    let still = FlowField::still(WIDTH, HEIGHT);
    let mask = Consistency::default().judge(&still, &still);
    assert!(mask.weights.iter().all(|&weight| weight == 1.0));
    assert_eq!((mask.inconsistent, mask.coverage()), (0.0, 1.0));
}

#[test]
fn what_the_front_layer_uncovers_is_not_reliable() {
    let motion = Motion::Layers([6.0, 0.0]);
    let mask = judge(motion, 1, 0);
    let (mut unseen, mut missed, mut wrong) = (0, 0, 0);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let weight = mask.weights[y * WIDTH + x];
            if !motion.is_seen(x, y, 1, 0) {
                unseen += 1;
                missed += usize::from(weight > 0.0);
            } else {
                // Motion is discontinuous at the disc's outline, so the mask may be low there too.
                let near = (-4..=4).any(|dy: i32| {
                    (-4..=4).any(|dx: i32| {
                        let point = [f64::from(x as i32 + dx), f64::from(y as i32 + dy)];
                        [0.0, 1.0]
                            .iter()
                            .any(|&t| motion.in_front(point, t) != motion.in_front([x as f64, y as f64], t))
                    })
                });
                wrong += usize::from(!near && weight < 1.0);
            }
        }
    }
    assert!(unseen > 100, "the clip has {unseen} occluded pixels");
    assert_eq!(missed, 0, "occluded pixels that are believed");
    assert_eq!(wrong, 0, "pixels far from any outline that are not");
}

#[test]
fn the_uncovered_side_is_behind_the_front_layer() {
    // The disc moves to the right: in frame 1, the area that it uncovered is on its left.
    let motion = Motion::Layers([6.0, 0.0]);
    let mask = judge(motion, 1, 0);
    let row = (HEIGHT / 2) * WIDTH;
    let centre = WIDTH / 2 + 6;
    let low = |from: usize, to: usize| (from..to).filter(|x| mask.weights[row + x] == 0.0).count();
    assert!(low(centre - 21, centre - 14) >= 5, "left of the disc");
    // On the disc's right, frame 0 shows everything that frame 1 does: only the outline is uncertain.
    assert!(low(centre + 14, centre + 22) <= 3, "right of the disc");
}

#[test]
fn zoom_and_turn_are_reliable_inside() {
    for motion in [Motion::Zoom(1.03), Motion::Turn(0.03), Motion::Zoom(0.97)] {
        let mask = judge(motion, 3, 2);
        for y in 8..HEIGHT - 8 {
            for x in 8..WIDTH - 8 {
                assert_eq!(mask.weights[y * WIDTH + x], 1.0, "{motion:?} at ({x}, {y})");
            }
        }
    }
}

#[test]
fn composed_flow_is_the_direct_one() {
    for motion in [Motion::Pan([1.25, -0.5]), Motion::Zoom(1.02), Motion::Turn(-0.02)] {
        let direct = motion.flow(4, 0);
        let steps = (0..4).rev().map(|j| motion.flow(j + 1, j)).reduce(|path, step| path.then(&step)).unwrap();
        for (composed, direct) in steps.vectors.iter().zip(&direct.vectors) {
            if composed[0].is_finite() {
                let off = (composed[0] - direct[0]).hypot(composed[1] - direct[1]);
                assert!(off < 1e-3, "{motion:?}: {composed:?} and {direct:?}");
            }
        }
        let known = steps.vectors.iter().filter(|vector| vector[0].is_finite()).count();
        assert!(known * 10 > WIDTH * HEIGHT * 8, "{motion:?}");
    }
}

#[test]
fn a_cut_is_inconsistent() {
    // Flow between unrelated pictures: vectors that are not consistent forwards and backwards.
    let noise = |seed: usize| {
        FlowField::from_fn(WIDTH, HEIGHT, |x, y| {
            let value = |salt: usize| ((x * 7919 + y * 104_729 + salt * 31) % 41) as f32 - 20.0;
            [value(seed), value(seed + 5)]
        })
    };
    let mask = Consistency::default().judge(&noise(1), &noise(2));
    assert!(mask.inconsistent > 0.88, "{}", mask.inconsistent);
}
