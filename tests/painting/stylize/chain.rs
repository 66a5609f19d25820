//! The state that a frame takes over from earlier frames: strokes for newly visible areas, changes of light, held
//! areas, phases, and boil.

use stylize_video::media::Pixels;
use stylize_video::motion::{Consistency, FlowField, Shot, Step, Transition};
use stylize_video::settings::{NextInit, Size};
use stylize_video::stylize::frame::faces::remembered;
use stylize_video::stylize::frame::phase::Phase;
use stylize_video::stylize::temporal::boil::stirred;
use stylize_video::stylize::temporal::chain::{Chain, HistoryFrame};
use stylize_video::stylize::temporal::photometric::change_of_light;
use stylize_video::stylize::temporal::pinned::{PinnedPixels, levelled};
use stylize_video::stylize::tensor::blurred;
use tch::{Device, Kind, Tensor};

use crate::stylize::pictures::{HEIGHT, WIDTH, frame, painter, quick};
use crate::stylize::{formula, gap, number, numbers};

const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

fn flat(value: f64, channels: i64, h: i64, w: i64) -> Tensor {
    Tensor::full([1, channels, h, w], value, FLOAT)
}

fn still(w: usize, h: usize) -> Step {
    Step::new(FlowField::still(w, h), FlowField::still(w, h), &Consistency::default())
}

#[test]
fn blurring_is_a_gaussian_over_zeros() {
    let (h, w, sigma) = (9i64, 11i64, 1.3f64);
    let image = formula::uniform("blur", &[1, 2, h, w], 1.0).to_kind(Kind::Double);
    let got = numbers(&blurred(&image, sigma).unwrap());
    let values = numbers(&image);
    let radius = (2.5 * sigma).ceil() as i64;
    let kernel: Vec<f64> = (-radius..=radius).map(|d| (-((d * d) as f64) / (2.0 * sigma * sigma)).exp()).collect();
    let sum: f64 = kernel.iter().sum();
    for (i, got) in got.iter().enumerate() {
        let (plane, y, x) = (i as i64 / (h * w), i as i64 / w % h, i as i64 % w);
        let mut expected = 0.0;
        for dy in -radius..=radius {
            for dx in -radius..=radius {
                if (0..h).contains(&(y + dy)) && (0..w).contains(&(x + dx)) {
                    let weight = kernel[(dy + radius) as usize] * kernel[(dx + radius) as usize] / (sum * sum);
                    expected += weight * values[(plane * h * w + (y + dy) * w + x + dx) as usize];
                }
            }
        }
        assert!((got - expected).abs() < 1e-12, "{got} and {expected} at {i}");
    }
}

#[test]
fn light_is_read_where_both_show_the_same() {
    let (h, w) = (40, 60);
    let (before, now) = (flat(0.4, 3, h, w), flat(0.3, 3, h, w));
    // The left third shows a different object.
    let seen = Tensor::cat(&[flat(0.0, 1, h, 20), flat(1.0, 1, h, 40)], 3);
    let other = now.narrow(3, 0, 20) * 0.0 + 0.9;
    let now = Tensor::cat(&[other, now.narrow(3, 20, 40)], 3);
    let light = change_of_light(&now, &before, &seen).unwrap();
    let right = light.narrow(3, 20, 40);
    assert!(number(&(right + 0.1).abs().max()) < 1e-6, "a tenth darker up to the edge");
    assert_eq!(number(&change_of_light(&before, &before, &seen).unwrap().abs().max()), 0.0, "nothing changed");
}

#[test]
fn what_is_hidden_for_a_while_is_known_again_by_direct_motion_only() {
    let (w, h) = (24usize, 16usize);
    let rules = Consistency { blur: 0.0, ..Consistency::default() };
    let content = flat(0.5, 3, h as i64, w as i64);
    let build = |far: bool| {
        let mut chain = Chain::new(&[1, 2], rules);
        for (t, value) in [0.2, 0.8].into_iter().enumerate() {
            let painted = flat(value, 3, h as i64, w as i64);
            chain.remember(HistoryFrame::first(painted, content.shallow_clone(), None).unwrap()).unwrap();
            // Something covers the left half of the second frame, which therefore matches no other frame there.
            let lost = |x: usize| if x < 12 { [40.0, 0.0] } else { [0.0, 0.0] };
            let hidden = FlowField::from_fn(w, h, |x, _| lost(x));
            let step = if t == 0 {
                Step::new(hidden.clone(), FlowField::still(w, h), &rules)
            } else {
                Step::new(FlowField::still(w, h), hidden, &rules)
            };
            chain.step(&step, &content).unwrap();
        }
        if far {
            chain.look_back(&[(2, still(w, h))], w, h);
        }
        chain
    };
    let left = |tensor: &Tensor| number(&tensor.narrow(3, 2, 6).mean(Kind::Double));
    let composed = build(false);
    assert!(
        left(&composed.earlier(&[1], &content).unwrap().known.unwrap().seen) == 0.0,
        "the frame before did not see it"
    );
    let anchors = composed.earlier(&[1, 2], &content).unwrap().anchors(&[1, 2]).unwrap();
    assert!(anchors.iter().all(|anchor| left(&anchor.weights) == 0.0), "composed motion ends where it is hidden");
    let direct = build(true);
    let brought = direct.earlier(&[1], &content).unwrap().known.unwrap();
    assert!((left(&brought.seen) - 1.0).abs() < 1e-6 && (left(&brought.painted) - 0.2).abs() < 1e-6);
    let anchors = direct.earlier(&[1, 2], &content).unwrap().anchors(&[1, 2]).unwrap();
    assert!((left(&anchors[1].weights) - 1.0).abs() < 1e-6 && (left(&anchors[1].warped) - 0.2).abs() < 1e-6);
    // Where the previous frame shows the scene, it is the only anchor.
    let right = |tensor: &Tensor| number(&tensor.narrow(3, 16, 6).mean(Kind::Double));
    assert!(right(&anchors[0].weights) > 0.99 && right(&anchors[1].weights) < 0.01);
    // A different object at that position does not match.
    let row = (Tensor::arange(w as i64, FLOAT) * 0.8).sin() * 0.4 + 0.5;
    let other = row.repeat([1, 3, h as i64, 1]);
    assert!(left(&direct.earlier(&[1], &other).unwrap().known.unwrap().seen) < 0.5);
}

#[test]
fn what_comes_into_view_gets_strokes_and_is_not_held() {
    let (w, h) = (100usize, 40usize);
    let rules = Consistency::default();
    let strokes = formula::uniform("strokes", &[1, 3, h as i64, w as i64], 0.2);
    let content = flat(0.5, 3, h as i64, w as i64);
    let mut chain = Chain::new(&[1], rules);
    chain.remember(HistoryFrame::first(&content + &strokes, content.shallow_clone(), None).unwrap()).unwrap();
    let pan = |by: f32| FlowField::from_fn(w, h, |_, _| [by, 0.0]);
    chain.step(&Step::new(pan(8.0), pan(-8.0), &rules), &content).unwrap();
    let brought = chain.earlier(&[1], &content).unwrap().known.unwrap();
    let new = |tensor: &Tensor| tensor.narrow(3, 93, 7);
    assert_eq!(number(&new(&brought.maturity).abs().max()), 0.0);
    let start = stylize_video::stylize::frame::init::next(NextInit::Warped, 1);
    let style = flat(0.5, 3, 8, 8);
    let from = stylize_video::stylize::frame::init::Start {
        content: &content,
        style: &style,
        previous: None,
        warped: Some(&brought),
    };
    let start = start.start(&from).unwrap();
    let spread = |tensor: &Tensor| number(&tensor.std(true));
    let (there, here) = (spread(&start.narrow(3, 20, 40)), spread(&new(&start)));
    assert!(here > 0.7 * there && here < 1.3 * there, "strokes of {here} beside {there}");
}

#[test]
fn a_thin_faint_bar_that_the_flow_missed_leaves_no_ghost() {
    let (w, h) = (64i64, 40i64);
    let scene = |bar: i64| {
        let scene = formula::uniform("ground", &[1, 3, h, w], 0.02) + 0.5;
        let _ = scene.narrow(3, bar, 1).f_add_scalar_(0.1).unwrap();
        scene
    };
    let (before, now) = (scene(28), scene(34));
    let mut chain = Chain::new(&[1], Consistency::default());
    chain.remember(HistoryFrame::first(before.shallow_clone(), before.shallow_clone(), None).unwrap()).unwrap();
    chain.step(&still(w as usize, h as usize), &now).unwrap();
    let brought = chain.earlier(&[1], &now).unwrap().known.unwrap();
    for bar in [28, 34] {
        for (what, found) in [("seen", &brought.seen), ("held", &brought.weights), ("mature", &brought.maturity)] {
            let most = number(&found.narrow(3, bar, 1).max());
            assert!(most < 0.02, "{what} at {bar}: {most}");
        }
    }
    assert!(number(&brought.seen.narrow(3, 0, 20).min()) > 0.99, "the ground beside is what it was");
    let start = stylize_video::stylize::frame::init::next(NextInit::Warped, 1);
    let style = flat(0.5, 3, 8, 8);
    let from = stylize_video::stylize::frame::init::Start {
        content: &now,
        style: &style,
        previous: None,
        warped: Some(&brought),
    };
    let apart = gap(&start.start(&from).unwrap(), &now);
    assert!(apart < 0.02, "the start shows the bar where it is now, and nowhere else: {apart}");
}

#[test]
fn what_is_held_has_no_gradient_and_the_rest_its_own() {
    let (w, h) = (40i64, 30i64);
    let content = flat(0.5, 3, h, w);
    let painted = formula::uniform("painted", &[1, 3, h, w], 0.3) + 0.5;
    let lock = PinnedPixels::new(&painted, &content).unwrap();
    // The right half moves.
    let resting: Vec<f32> = (0..w * h).map(|i| if i % w < 20 { 1.0 } else { 0.0 }).collect();
    let held = lock.hold(&content, &resting, &flat(1.0, 1, h, w), 1.0).unwrap();
    let x = (formula::uniform("x", &[1, 3, h, w], 0.3) + 0.5).set_requires_grad(true);
    let picture = held.apply(&x).unwrap();
    let left = |t: &Tensor| t.narrow(3, 0, 12);
    assert_eq!(number(&(left(&picture) - left(&painted)).abs().max()), 0.0, "held to the bit");
    let squares = picture.square().sum(Kind::Float);
    let gradient = Tensor::run_backward(&[squares], &[&x], false, false).swap_remove(0);
    assert_eq!(number(&left(&gradient).abs().max()), 0.0);
    let right = |t: &Tensor| t.narrow(3, 20, 20);
    assert!(number(&(right(&gradient) - right(&x) * 2.0).abs().max()) < 1e-6, "free");
    // At the soft edge, the gradient is checked by finite differences, in double precision.
    let double = |t: &Tensor| t.detach().to_kind(Kind::Double);
    let weights = numbers(&held.weights);
    let soft = weights.iter().position(|&s| s > 0.0 && s < 1.0).expect("a soft edge");
    let (p, x0, s) = (numbers(&double(&painted))[soft], numbers(&double(&x))[soft], weights[soft]);
    let value = |x: f64| (x + s * (p - x)).powi(2);
    let slope = (value(x0 + 1e-6) - value(x0 - 1e-6)) / 2e-6;
    assert!((numbers(&gradient)[soft] - slope).abs() < 1e-5, "{} and {slope}", numbers(&gradient)[soft]);
}

#[test]
fn the_level_is_kept_and_the_strokes_are_new() {
    let (w, h) = (120usize, 48usize);
    let (wide, high) = (w as i64, h as i64);
    let content = flat(0.5, 3, high, wide);
    let before = &content + formula::uniform("before", &[1, 3, high, wide], 0.2);
    let mut chain = Chain::new(&[1], Consistency::default());
    chain.remember(HistoryFrame::first(before.shallow_clone(), content.shallow_clone(), None).unwrap()).unwrap();
    chain.step(&still(w, h), &content).unwrap();
    let brought = chain.earlier(&[1], &content).unwrap().known.unwrap();
    // Repainted with other strokes, lighter and redder everywhere.
    let strokes = formula::uniform("after", &[1, 3, high, wide], 0.2);
    let colour = Tensor::from_slice(&[0.03f32, 0.02, 0.01]).view([1, 3, 1, 1]);
    let painted = &content + &strokes + colour;
    let mean = |t: &Tensor| numbers(&t.mean_dim([2i64, 3].as_slice(), false, Kind::Float));
    let free = levelled(&painted, &brought, None).unwrap();
    for (found, wanted) in mean(&free).iter().zip(mean(&before)) {
        assert!((found - wanted).abs() < 0.002, "{found}, {wanted} before");
    }
    let fine = |t: &Tensor| t - blurred(t, 4.0).unwrap();
    let inner = |t: &Tensor| t.narrow(2, 12, 24).narrow(3, 12, 96);
    let size = |t: &Tensor| number(&inner(&fine(t)).norm());
    let (lost, strokes) = (size(&(&free - &painted)), size(&painted));
    assert!(lost < 0.1 * strokes, "its own strokes: {lost} of {strokes}");
    // Where everything is held, not a bit changes.
    let lock = PinnedPixels::new(&painted, &content).unwrap();
    let held = lock.hold(&content, &vec![1.0; w * h], &flat(1.0, 1, high, wide), 1.0).unwrap();
    assert!(levelled(&painted, &brought, Some(&held)).unwrap().equal(&painted));
}

#[test]
fn phases_move_a_picture_and_end_centred() {
    let phases: Vec<Phase> = Phase::spread(5).collect();
    assert_eq!(phases[4], Phase::CENTRED);
    let image = formula::uniform("phase", &[1, 3, 12, 14], 1.0);
    let mut places = std::collections::BTreeSet::new();
    for phase in phases {
        let moved = phase.apply(&image).unwrap();
        assert_eq!(moved.size(), [1, 3, 20, 22]);
        let whole = |&(top, left): &(i64, i64)| gap(&moved.narrow(2, top, 12).narrow(3, left, 14), &image) == 0.0;
        places.extend((0..=8).flat_map(|top| (0..=8).map(move |left| (top, left))).find(whole));
    }
    assert_eq!(places.len(), 5, "each holds the whole picture, in a place of its own");
    let small = formula::uniform("phase", &[1, 3, 8, 30], 1.0);
    assert_eq!(Phase::CENTRED.apply(&small).unwrap().size(), small.size(), "too small to be mirrored");
}

#[test]
fn boil_stirs_each_frame_its_own_way_and_the_same_way_twice() {
    let start = flat(0.5, 3, 60, 80);
    let stir = |boil: f64, seed: u64, frame: u64| stirred(&start, boil, seed, frame).unwrap();
    let rms = |a: &Tensor, b: &Tensor| number(&(a - b).square().mean(Kind::Double).sqrt());
    assert_eq!(rms(&stir(0.0, 1, 1), &start), 0.0);
    assert_eq!(rms(&stir(0.5, 1, 1), &stir(0.5, 1, 1)), 0.0);
    assert!(rms(&stir(0.5, 1, 1), &stir(0.5, 1, 2)) > 0.05);
    assert!(rms(&stir(0.5, 1, 1), &stir(0.5, 2, 1)) > 0.05);
    assert!((rms(&stir(0.5, 1, 1), &start) - 0.1).abs() < 0.005 && rms(&stir(0.2, 1, 1), &start) < 0.045);
}

/// Returns frames of two shots, each of them a pan.
fn shots() -> Vec<(Pixels, Transition)> {
    let pan = |by: f32| FlowField::from_fn(WIDTH, HEIGHT, |_, _| [by, 0.0]);
    let transition = |t: usize| match t % 3 {
        0 => Shot::New.into(),
        _ => Transition {
            shot: Shot::Continues,
            step: Some(Step::new(pan(-2.0), pan(2.0), &Consistency::default())),
            far: Vec::new(),
        },
    };
    (0..6).map(|t| (frame(t, HEIGHT, WIDTH), transition(t))).collect()
}

#[test]
fn halves_cut_at_a_cut_are_painted_as_the_whole_is() {
    let paint = |shots: &[(Pixels, Transition)]| -> Vec<Pixels> {
        let mut settings = quick();
        settings.frame.size = Size::Pixels(WIDTH as u32);
        settings.temporal.boil = 0.2;
        let mut painter = painter(&[(4, 1.0)], settings);
        shots.iter().map(|(frame, transition)| painter.stylize(frame, transition).unwrap().pixels).collect()
    };
    let all = shots();
    let whole = paint(&all);
    assert_eq!(whole, [paint(&all[..3]), paint(&all[3..])].concat());
    assert_eq!(whole, paint(&all), "and again the same");
    let (first, last) = (&whole[0].rgb, &whole[2].rgb);
    assert!(first.iter().zip(last).any(|(a, b)| (a - b).abs() > 0.01), "different frames");
}

#[test]
fn more_boil_moves_more() {
    let change = |boil: f64| {
        let mut settings = quick();
        settings.temporal.boil = boil;
        let mut painter = painter(&[(4, 1.0)], settings);
        let picture = frame(1, HEIGHT, WIDTH);
        let rest = Transition { shot: Shot::Continues, step: Some(still(WIDTH, HEIGHT)), far: Vec::new() };
        let first = painter.stylize(&picture, &Shot::New.into()).unwrap().pixels;
        let later = painter.stylize(&picture, &rest).unwrap().pixels;
        first.rgb.iter().zip(&later.rgb).map(|(a, b)| f64::from((a - b).powi(2))).sum::<f64>()
    };
    let (none, little, much) = (change(0.0), change(0.3), change(1.0));
    assert!(none == 0.0 && little > 0.0 && much > 4.0 * little, "{none} {little} {much}");
}

#[test]
fn a_face_moves_with_what_it_is_part_of_and_fades_where_it_is_not_found_again() {
    let (w, h) = (60usize, 40usize);
    let rules = Consistency::default();
    let content = flat(0.5, 3, h as i64, w as i64);
    let faces = flat(0.0, 1, h as i64, w as i64);
    let _ = faces.narrow(3, 20, 10).narrow(2, 10, 10).fill_(0.8);
    let mut chain = Chain::new(&[1], rules);
    chain
        .remember(HistoryFrame::first(content.shallow_clone(), content.shallow_clone(), Some(&faces)).unwrap())
        .unwrap();
    // Five pixels to the right.
    let (back, forth) = ([-5.0f32, 0.0], [5.0f32, 0.0]);
    let field = |by: [f32; 2]| FlowField::from_fn(w, h, |_, _| by);
    chain.step(&Step::new(field(back), field(forth), &rules), &content).unwrap();
    let brought = chain.earlier(&[1], &content).unwrap().known.unwrap();
    let at = |faces: &Tensor, x: i64| faces.double_value(&[0, 0, 15, x]);
    assert!((at(&brought.faces, 30) - 0.8).abs() < 1e-3 && at(&brought.faces, 22).abs() < 1e-3);
    let found = flat(0.0, 1, h as i64, w as i64);
    let _ = found.narrow(3, 0, 10).fill_(0.6);
    let both = remembered(Some(found), Some(&brought)).unwrap().unwrap();
    assert!((at(&both, 30) - 0.9 * 0.8).abs() < 1e-3 && (at(&both, 5) - 0.6).abs() < 1e-6);
    let same = remembered(None, Some(&brought)).unwrap().unwrap();
    assert!((at(&same, 30) - 0.8).abs() < 1e-3, "without a search nothing fades");
    assert!(remembered(None, None).unwrap().is_none(), "faces are not looked for");
}
