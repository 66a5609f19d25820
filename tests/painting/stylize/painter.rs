//! The chain of frames: their starting pictures, the state that is kept, and the inputs that are rejected.

use stylize_video::interrupt::CancelToken;
use stylize_video::media::Pixels;
use stylize_video::motion::{FlowField, Shot, Step, Transition};
use stylize_video::settings::{Colour, FirstInit, LongFlow, Method, NextInit, Size};
use stylize_video::stylize::frame::effort::Effort;
use stylize_video::stylize::frame::frame_optimizer::{FrameOptimizer, Painted, Ties};
use stylize_video::stylize::frame::optimizer::Preconditioner;
use stylize_video::stylize::frame::phase::Phase;
use stylize_video::stylize::frame::scene::Scene;
use stylize_video::stylize::frame::style_pictures::StylePicture;
use stylize_video::stylize::tensor::{resize, to_pixels};
use stylize_video::stylize::video::single_pass::SinglePass;
use stylize_video::stylize::{Footage, FrameStats, StyleError, Stylizer, kept_bytes};
use tch::{Device, Kind, Tensor};

use crate::stylize::pictures::{
    HEIGHT, WIDTH, difference, frame, means, only_start, paint, painter, plate, quick, try_painter,
};
use crate::stylize::{PLAIN, network};

fn ordinary(kind: usize) -> Pixels {
    frame(kind, HEIGHT, WIDTH)
}

#[test]
fn the_same_command_gives_the_same_pixels() {
    for method in [Method::Lbfgs, Method::Adam] {
        let run = || {
            let mut settings = quick();
            settings.optimizer.method = method;
            settings.style.match_colours = true;
            paint(&mut painter(&[(4, 1.0)], settings), &[&ordinary(1), &ordinary(2)])
        };
        let (once, again) = (run(), run());
        for (a, b) in once.iter().zip(&again) {
            assert_eq!(a.pixels, b.pixels, "{method:?}");
            assert_eq!(a.stats, b.stats, "{method:?}");
        }
        assert!(difference(&once[0].pixels, &ordinary(1)) > 0.01, "something was painted");
        assert!(once.iter().all(|frame| frame.stats.objective < frame.stats.initial_objective));
    }
}

#[test]
fn a_frame_starts_from_the_one_before_it() {
    let (still, mut settings) = (ordinary(1), quick());
    settings.optimizer.iterations = [30, 2];
    let painted = paint(&mut painter(&[(4, 1.0)], settings), &[&still, &still, &still]);
    assert_eq!([30, 2, 2], [0, 1, 2].map(|i| painted[i].stats.iterations));
    for pair in painted.windows(2) {
        let (end, start) = (pair[0].stats.objective, pair[1].stats.initial_objective);
        let begin = painted[0].stats.initial_objective;
        assert!((end - start).abs() < 0.02 * (begin - end), "{begin} fell to {end}, next from {start}");
    }
}

#[test]
fn a_new_shot_knows_nothing_of_the_one_before_it() {
    let alone = painter(&[(4, 1.0)], quick()).stylize(&ordinary(2), &Shot::New.into()).unwrap();
    let mut painter = painter(&[(4, 1.0)], quick());
    painter.stylize(&ordinary(1), &Shot::New.into()).unwrap();
    let after = painter.stylize(&ordinary(2), &Shot::New.into()).unwrap();
    assert_eq!(alone.pixels, after.pixels);
    let continued = painter.stylize(&ordinary(1), &Shot::Continues.into()).unwrap();
    assert_eq!(continued.stats.iterations, 4);
}

#[test]
fn a_first_frame_that_claims_to_continue_starts_a_shot() {
    let alone = painter(&[(4, 1.0)], quick()).stylize(&ordinary(2), &Shot::New.into()).unwrap();
    let claimed = painter(&[(4, 1.0)], quick()).stylize(&ordinary(2), &Shot::Continues.into()).unwrap();
    assert_eq!(alone.pixels, claimed.pixels);
}

#[test]
fn another_size_starts_a_new_shot() {
    let (large, mut chain) = (frame(2, HEIGHT + 10, WIDTH + 4), painter(&[(4, 1.0)], quick()));
    let painted = paint(&mut chain, &[&ordinary(1), &large]);
    let alone = paint(&mut painter(&[(4, 1.0)], quick()), &[&large]);
    assert_eq!(painted[1].pixels, alone[0].pixels);
}

#[test]
fn the_output_has_the_sources_size_whatever_is_optimised() {
    for size in [Size::Pixels(70), Size::Pixels(200), Size::Auto] {
        let mut settings = quick();
        settings.frame.size = size;
        let painted = paint(&mut painter(&[(4, 1.0)], settings), &[&frame(1, 90, 131)]);
        assert_eq!((painted[0].pixels.height, painted[0].pixels.width), (90, 131));
    }
}

#[test]
fn starts_are_what_they_are_called() {
    let start = |first, next, seed| {
        let mut settings = only_start();
        (settings.init.first, settings.init.next, settings.seed) = (first, next, seed);
        let painted = paint(&mut painter(&[(4, 1.0)], settings), &[&ordinary(1), &ordinary(2)]);
        [painted[0].pixels.clone(), painted[1].pixels.clone()]
    };
    let [first, next] = start(FirstInit::Content, NextInit::Previous, 1);
    assert_eq!(first, ordinary(1));
    assert!(difference(&next, &ordinary(2)) < 1e-6, "nothing is painted yet: only the content has changed");
    let [first, next] = start(FirstInit::Random, NextInit::Previous, 1);
    let (before, after) = (ordinary(1), ordinary(2));
    let carried = first.rgb.iter().zip(&before.rgb).zip(&after.rgb).map(|((g, b), a)| (g + (a - b)).clamp(0.0, 1.0));
    for (found, wanted) in next.rgb.iter().zip(carried) {
        assert!((found - wanted).abs() < 1e-6, "G(t-1) + C(t) - C(t-1), not the content alone: {found}, {wanted}");
    }
    let [first, next] = start(FirstInit::Style, NextInit::Content, 1);
    assert_eq!(first, to_pixels(&resize(&plate(4), HEIGHT as i64, WIDTH as i64).unwrap()).unwrap());
    assert_eq!(next, ordinary(2));
    let [noise, still] = start(FirstInit::Random, NextInit::Random, 1);
    assert_eq!(noise, still, "the same field in every frame: no flicker");
    assert_eq!(noise, start(FirstInit::Random, NextInit::Random, 1)[0]);
    assert!(difference(&noise, &start(FirstInit::Random, NextInit::Random, 2)[0]) > 0.5);
    for mean in means(&noise) {
        assert!((mean - 0.5).abs() < 0.03, "uniform noise, mean {mean}");
    }
}

#[test]
fn a_random_start_ends_in_a_painting_too() {
    let mut settings = quick();
    settings.init.first = FirstInit::Random;
    settings.optimizer.iterations = [40, 4];
    let stats = paint(&mut painter(&[(4, 1.0)], settings), &[&ordinary(1)])[0].stats;
    eprintln!("from noise: J fell from {} to {}", stats.initial_objective, stats.objective);
    assert!(stats.objective < 0.5 * stats.initial_objective);
}

#[test]
fn the_clips_own_colours_can_be_kept() {
    for matched in [false, true] {
        let mut settings = quick();
        settings.style.colour = Colour::Content;
        settings.style.match_colours = matched;
        let content = ordinary(1);
        let painted = &paint(&mut painter(&[(4, 1.0)], settings), &[&content])[0].pixels;
        let plane = WIDTH * HEIGHT;
        let mut compared = 0;
        for i in 0..plane {
            let colour = |p: &Pixels| [p.rgb[i], p.rgb[plane + i], p.rgb[2 * plane + i]];
            let (own, new) = (colour(&content), colour(painted));
            if new.iter().any(|v| *v <= 0.0 || *v >= 1.0) {
                continue;
            }
            compared += 1;
            assert!(((own[0] - own[1]) - (new[0] - new[1])).abs() < 1e-5, "red less green at {i}");
            assert!(((own[1] - own[2]) - (new[1] - new[2])).abs() < 1e-5, "green less blue at {i}");
        }
        assert!(compared > plane * 3 / 4, "{compared} of {plane} pixels are within range");
        assert!(difference(painted, &content) > 0.01, "the lightness is the painting's");
    }
}

#[test]
fn colours_are_matched_to_the_painting_once_per_shot() {
    let mut settings = only_start();
    settings.style.match_colours = true;
    settings.init.next = NextInit::Content;
    // A style picture of a narrow range, so that the mapped content is not clamped.
    let image = plate(4) * 0.2 + 0.6;
    let wanted = means(&to_pixels(&image).unwrap());
    let network = network("patches", PLAIN, Default::default());
    let styles = vec![StylePicture { image, weight: 1.0 }];
    let mut painter =
        SinglePass::new(FrameOptimizer::new(network, styles, settings, Device::Cpu, CancelToken::default()).unwrap());
    let painted = paint(&mut painter, &[&ordinary(1), &ordinary(1)]);
    for (found, wanted) in means(&painted[0].pixels).iter().zip(wanted) {
        assert!((found - wanted).abs() < 1e-3, "{found}, expected {wanted}");
    }
    // The map belongs to the shot, not to the frame: a darker frame stays darker.
    let mut dark = ordinary(1);
    dark.rgb.iter_mut().for_each(|v| *v -= 0.1);
    let darker = painter.stylize(&dark, &Shot::Continues.into()).unwrap().pixels;
    assert!(means(&darker).iter().zip(means(&painted[0].pixels)).all(|(dark, light)| *dark < light - 0.01));
}

#[test]
fn several_paintings_blend_by_weight() {
    let run = |styles: &[(usize, f64)]| paint(&mut painter(styles, quick()), &[&ordinary(1)]).swap_remove(0).pixels;
    let single = run(&[(4, 1.0)]);
    // Powers of two, so that the shares add up exactly.
    assert_eq!(run(&[(4, 2.0)]), single, "weights are relative");
    assert_eq!(run(&[(4, 1.0), (4, 3.0)]), single, "the same painting twice");
    assert_eq!(run(&[(4, 1.0), (5, 0.0)]), single, "a share of nothing");
    let (blend, turned) = (run(&[(4, 1.0), (5, 3.0)]), run(&[(5, 3.0), (4, 1.0)]));
    assert_eq!(blend, turned, "the order does not matter");
    assert!(difference(&blend, &single) > 1e-3);
    assert!(difference(&blend, &run(&[(4, 3.0), (5, 1.0)])) > 1e-3);
}

#[test]
fn tiny_pictures_work() {
    let mut settings = quick();
    settings.optimizer.iterations = [2, 2];
    settings.style.match_colours = true;
    for (h, w) in [(1, 1), (2, 2), (3, 200), (200, 3), (1, 4000)] {
        let painted = paint(&mut painter(&[(4, 1.0)], settings.clone()), &[&frame(1, h, w), &frame(2, h, w)]);
        for painted in painted {
            assert_eq!((painted.pixels.height, painted.pixels.width), (h, w));
            assert!(painted.pixels.rgb.iter().all(|v| (0.0..=1.0).contains(v)));
        }
    }
}

#[test]
fn flat_pictures_work() {
    let mut settings = quick();
    settings.style.match_colours = true;
    for value in [0.0, 0.5, 1.0] {
        let flat = Pixels { rgb: vec![value; 3 * 64 * 64], ..Pixels::black(64, 64) };
        let painted = paint(&mut painter(&[(4, 1.0)], settings.clone()), &[&flat, &flat]);
        assert!(painted.iter().all(|frame| frame.pixels.rgb.iter().all(|v| v.is_finite())), "{value}");
    }
}

#[test]
fn opacity_passes_through() {
    let mut see_through = ordinary(1);
    let alpha: Vec<f32> = (0..HEIGHT * WIDTH).map(|i| (i % 7) as f32 / 6.0).collect();
    let opaque = paint(&mut painter(&[(4, 1.0)], quick()), &[&see_through]);
    see_through.alpha = Some(alpha.clone());
    let painted = paint(&mut painter(&[(4, 1.0)], quick()), &[&see_through]);
    assert_eq!(opaque[0].pixels.alpha, None);
    assert_eq!(painted[0].pixels.alpha, Some(alpha));
    assert_eq!(painted[0].pixels.rgb, opaque[0].pixels.rgb, "never shown to the network");
}

#[test]
fn a_cancelled_run_ends_the_frame() {
    let (cancel, network) = (CancelToken::default(), network("patches", PLAIN, Default::default()));
    let styles = vec![StylePicture { image: plate(4), weight: 1.0 }];
    let mut painter =
        SinglePass::new(FrameOptimizer::new(network, styles, quick(), Device::Cpu, cancel.clone()).unwrap());
    cancel.cancel(2);
    assert!(matches!(painter.stylize(&ordinary(1), &Shot::New.into()), Err(StyleError::Cancelled)));
}

#[test]
fn what_cannot_be_painted_is_refused() {
    let refused = |styles: &[(usize, f64)], change: &dyn Fn(&mut stylize_video::settings::Settings)| {
        let mut settings = quick();
        change(&mut settings);
        try_painter(network("patches", PLAIN, Default::default()), styles, settings).err().unwrap()
    };
    assert!(matches!(refused(&[], &|_| ()), StyleError::NoStyle));
    let unknown = refused(&[(4, 1.0)], &|settings| settings.network.content_layers = vec!["relu9_9".into()]);
    let text = unknown.to_string();
    assert!(matches!(unknown, StyleError::UnknownLayer { .. }), "{text}");
    assert!(text.contains("relu9_9") && text.contains("relu1") && text.contains("half2"), "{text}");
}

#[test]
fn numbers_that_are_not_finite_are_errors_not_panics() {
    for matched in [false, true] {
        let mut settings = quick();
        settings.style.match_colours = matched;
        let mut broken = ordinary(1);
        broken.rgb[100] = f32::NAN;
        let end = painter(&[(4, 1.0)], settings).stylize(&broken, &Shot::New.into());
        assert!(matches!(end, Err(StyleError::NotFinite(_) | StyleError::Torch(_))), "{:?}", end.err());
    }
    let mut settings = quick();
    settings.loss.beta = f64::INFINITY;
    let end = painter(&[(4, 1.0)], settings).stylize(&ordinary(1), &Shot::New.into());
    assert!(matches!(end, Err(StyleError::NotFinite(_))), "{:?}", end.err());
}

#[test]
fn chosen_layers_are_the_ones_that_count() {
    let run = |change: &dyn Fn(&mut stylize_video::settings::Settings)| {
        let mut settings = quick();
        change(&mut settings);
        paint(&mut painter(&[(4, 1.0)], settings), &[&ordinary(1)]).swap_remove(0).pixels
    };
    let own = run(&|_| ());
    let named = run(&|settings| {
        settings.network.style_layers = ["relu1", "half1", "relu2", "relu3", "relu4"].map(str::to_owned).into();
    });
    assert_eq!(own, named);
    let other = run(&|settings| settings.network.content_layers = vec!["relu1".into()]);
    assert!(difference(&own, &other) > 1e-4);
    let three = run(&|settings| settings.network.style_layers = vec!["relu2".into(); 3]);
    assert!(difference(&own, &three) > 1e-4, "any number of layers");
    let fine = run(&|settings| settings.loss.style_weights = [1.0, 0.0, 0.0, 0.0, 0.0]);
    assert!(difference(&own, &fine) > 1e-3);
}

#[test]
fn a_new_outline_is_kept_and_the_rest_is_painted_as_ever() {
    let mut settings = quick();
    settings.optimizer.iterations = [8, 12];
    let painter = painter(&[(4, 1.0)], settings);
    let frame_optimizer = painter.frame_optimizer();
    let raw = frame_optimizer.raw(&ordinary(1)).unwrap();
    let look = frame_optimizer.look(&raw).unwrap();
    let start = frame_optimizer.raw(&ordinary(2)).unwrap();
    let (_, _, h, w) = raw.size4().unwrap();
    let moving = raw.narrow(1, 0, 1).zeros_like();
    let _ = moving.narrow(2, 20, 16).narrow(3, 20, 16).fill_(1.0);
    let paint = |moving: Option<Tensor>| {
        let scene = Scene { content: raw.shallow_clone(), faces: None, is_painted: true, moving };
        let all = Effort {
            iterations: 12,
            at_least: 0,
            target: None,
            phase: Phase::CENTRED,
            preconditioner: Preconditioner::Picture,
        };
        frame_optimizer.paint(&look, &scene, &start, Ties::default(), all).unwrap()
    };
    let (plain, kept) = (paint(None), paint(Some(moving.shallow_clone())));
    let from_scene = |painted: &Painted, mask: &Tensor| {
        let squares = (&painted.image - &raw).square() * mask;
        f64::try_from(squares.sum(Kind::Float) / mask.sum(Kind::Float)).unwrap()
    };
    let (before, now) = (from_scene(&plain, &moving), from_scene(&kept, &moving));
    assert!(now < 0.7 * before, "{now} of {before}");
    let rest = moving.ones_like() - moving.max_pool2d([33, 33], [1, 1], [16, 16], [1, 1], false);
    let (before, now) = (from_scene(&plain, &rest), from_scene(&kept, &rest));
    assert!(now > 0.7 * before, "{now} of {before}, of {h} x {w}");
    assert!(kept.stats.temporal > 0.0 && plain.stats.temporal == 0.0, "its term is told apart from J");
}

#[test]
fn the_terms_of_a_frame_add_up_to_its_objective() {
    for method in [Method::Lbfgs, Method::Adam] {
        let mut settings = quick();
        settings.optimizer.method = method;
        settings.style.match_colours = true;
        for frame in paint(&mut painter(&[(4, 1.0)], settings), &[&ordinary(1), &ordinary(2)]) {
            let terms: Vec<(&str, f64)> = frame.stats.terms.iter().collect();
            let names: Vec<&str> = terms.iter().map(|(name, _)| *name).collect();
            assert_eq!(names[..6], ["content", "style", "variation", "flatness", "luminance", "chroma"]);
            assert!(names[6..] == ["outlines"] || names[6..] == ["outlines", "temporal"], "{names:?}");
            let sum: f64 = terms[..6].iter().map(|(_, value)| value).sum();
            let apart: f64 = terms[6..].iter().map(|(_, value)| value).sum();
            let FrameStats { objective, temporal, .. } = frame.stats;
            assert!((sum - objective).abs() < 1e-4 * objective, "{method:?}: {terms:?}, J {objective}");
            assert!((apart - temporal).abs() < 1e-4 * objective, "{method:?}: {terms:?}, {temporal}");
            assert!(terms[..2].iter().all(|(_, value)| *value > 0.0), "{terms:?}");
        }
    }
    let start = paint(&mut painter(&[(4, 1.0)], only_start()), &[&ordinary(1)]);
    assert_eq!(start[0].stats.terms.iter().count(), 0, "nothing was optimised");
}

#[test]
fn a_snapshot_is_as_large_as_the_figure_says() {
    // The history is full after three frames.
    for (long, method) in [(LongFlow::Direct, Method::Lbfgs), (LongFlow::Composed, Method::Adam)] {
        let mut settings = quick();
        settings.temporal.offsets = vec![1, 3];
        settings.optimizer.iterations = [60, 12];
        (settings.motion.long, settings.optimizer.method) = (long, method);
        let mut painter = painter(&[(4, 1.0)], settings.clone());
        let rules = settings.temporal.consistency;
        let still = || FlowField { width: WIDTH, height: HEIGHT, vectors: vec![[0.0; 2]; WIDTH * HEIGHT] };
        for frame in 1..=5 {
            let shot = if frame == 1 { Shot::New } else { Shot::Continues };
            let step = (frame > 1).then(|| Step::new(still(), still(), &rules));
            painter.stylize(&ordinary(1), &Transition { step, ..shot.into() }).unwrap();
            let kept = painter.snapshot().unwrap().unwrap().bytes();
            let footage =
                Footage { width: WIDTH, height: HEIGHT, frames: 9, longest_shot: frame, flow: [WIDTH, HEIGHT] };
            let said = kept_bytes(&settings, footage).unwrap();
            // A shot's first frame has no pending motion yet: two floats a pixel.
            let pending = if frame == 1 { 8 * (WIDTH * HEIGHT) as u64 } else { 0 };
            // Single numbers are not in the figure.
            let numbers = (kept + pending).checked_sub(said).unwrap();
            assert!(numbers < 300, "{long:?} frame {frame}: {kept} bytes, {said} in the figure");
        }
    }
}
