//! Passes in alternating directions: the state kept between them, the warping of paint, and clips that loop.

use std::path::Path;
use std::sync::Mutex;

use stylize_video::interrupt::CancelToken;
use stylize_video::media::Pixels;
use stylize_video::motion::{
    Consistency, FlowError, FlowEstimator, FlowField, Shot, Step, Transition, View, Wanted, watch,
};
use stylize_video::report::{Event, Observer};
use stylize_video::settings::{Colour, NextInit, Settings};
use stylize_video::stylize::frame::frame_optimizer::FrameOptimizer;
use stylize_video::stylize::frame::style_pictures::StylePicture;
use stylize_video::stylize::temporal::history::Anchor;
use stylize_video::stylize::video::multi_pass::{MultiPass, ScratchFile, blend};
use stylize_video::stylize::video::single_pass::SinglePass;
use stylize_video::stylize::{StyleError, Stylized, Stylizer};
use tch::{Device, Kind};

use crate::stylize::pictures::{HEIGHT, WIDTH, difference, frame, only_start, plate, quick};
use crate::stylize::{PLAIN, formula, network, numbers};

/// Records progress, and cancels after a given number of painted pictures.
#[derive(Default)]
struct Ear {
    events: Mutex<Vec<Event>>,
    cancel: CancelToken,
    cancel_after: usize,
}

impl Observer for Ear {
    fn event(&self, event: &Event) {
        let mut events = self.events.lock().unwrap();
        events.push(event.clone());
        if events.len() == self.cancel_after {
            self.cancel.cancel(2);
        }
    }
}

impl Ear {
    /// Returns pass and frame (from 1) of each painted picture.
    fn painted(&self) -> Vec<(u32, u64)> {
        let events = self.events.lock().unwrap();
        let told = events.iter().filter_map(|event| match event {
            Event::Pass { pass, frame, .. } => Some((*pass, *frame)),
            _ => None,
        });
        told.collect()
    }

    fn warnings(&self) -> usize {
        self.events.lock().unwrap().iter().filter(|event| matches!(event, Event::Warning { .. })).count()
    }
}

fn plain(settings: Settings, cancel: &CancelToken) -> SinglePass {
    let styles = vec![StylePicture { image: plate(4), weight: 1.0 }];
    let network = network("patches", PLAIN, Default::default());
    SinglePass::new(FrameOptimizer::new(network, styles, settings, Device::Cpu, cancel.clone()).unwrap())
}

/// A frame, and how it follows the previous frame.
type Given = (Pixels, Transition);

fn run(stylizer: &mut dyn Stylizer, clip: &[Given], closing: Option<Transition>) -> Result<Vec<Stylized>, StyleError> {
    let mut pictures = Vec::new();
    let mut done = |styled| {
        pictures.push(styled);
        Ok(())
    };
    for (pixels, transition) in clip {
        stylizer.push(pixels, transition, &mut done)?;
    }
    if let Some(closing) = closing {
        stylizer.close(closing);
    }
    stylizer.finish(&mut done)?;
    Ok(pictures)
}

fn sweep(
    settings: Settings,
    clip: &[Given],
    closing: Option<Transition>,
    ear: &Ear,
) -> Result<Vec<Stylized>, StyleError> {
    let folder = tempfile::tempdir().unwrap();
    let mut sweeps = MultiPass::new(plain(settings, &ear.cancel), folder.path(), ear)?;
    run(&mut sweeps, clip, closing)
}

fn swept(settings: Settings, clip: &[Given], closing: Option<Transition>) -> Vec<Stylized> {
    sweep(settings, clip, closing, &Ear::default()).unwrap()
}

/// Follows the previous frame with a uniform backward motion of `vector`.
fn moved(vector: [f32; 2]) -> Transition {
    let flow = |[u, v]: [f32; 2]| FlowField::from_fn(WIDTH, HEIGHT, move |_, _| [u, v]);
    let step = Step::new(flow(vector), flow([-vector[0], -vector[1]]), &rules());
    Transition { shot: Shot::Continues, step: Some(step), far: Vec::new() }
}

fn rules() -> Consistency {
    Consistency { blur: 0.0, ..Consistency::default() }
}

fn settings(passes: u32) -> Settings {
    let mut settings = quick();
    settings.init.next = NextInit::Warped;
    settings.temporal.passes = passes;
    settings.temporal.weight = 2000.0;
    settings.temporal.consistency = rules();
    settings
}

/// Settings with a small style weight, so that few iterations come near the minimum and tests compare only the paint.
fn settled(passes: u32) -> Settings {
    let mut settings = settings(passes);
    settings.style.match_colours = true;
    settings.loss.beta = 60.0;
    settings.loss.tv = 0.05;
    settings.content.luminance = 0.0;
    settings.optimizer.iterations = [60, 8];
    settings.optimizer.tolerance = 1e-3;
    settings
}

/// The camera's motion to the right, in pixels per frame.
const SPEED: usize = 10;

/// Returns a pan over smooth waves with a period of [`WIDTH`] pixels, so that frame 8 equals frame 0.
fn pan(count: usize) -> Vec<Given> {
    let sample = |t: usize, i: usize| {
        let (channel, x, y) = (i / (WIDTH * HEIGHT), i % WIDTH + SPEED * t, i % (WIDTH * HEIGHT) / WIDTH);
        let turn = std::f64::consts::TAU * (x % WIDTH) as f64 / WIDTH as f64;
        let wave = |k: f64, down: f64| (k * turn + down * y as f64 + k * channel as f64).sin();
        (0.5 + 0.1 * (wave(1.0, 0.05) + wave(3.0, -0.13) + wave(7.0, 0.31) + wave(2.0, 0.21))) as f32
    };
    let picture = |t| {
        let rgb = (0..3 * WIDTH * HEIGHT).map(|i| sample(t, i)).collect();
        Pixels { width: WIDTH, height: HEIGHT, rgb, alpha: None }
    };
    let transition = |t| if t == 0 { Shot::New.into() } else { moved([SPEED as f32, 0.0]) };
    (0..count).map(|t| (picture(t), transition(t))).collect()
}

/// Returns the mean squared difference along the pan's motion, from a frame to the next.
fn e_warp(before: &Pixels, after: &Pixels) -> f64 {
    let shown = (0..before.rgb.len()).filter(|i| i % WIDTH >= SPEED);
    let squares = shown.clone().map(|i| f64::from(before.rgb[i] - after.rgb[i - SPEED]).powi(2));
    squares.sum::<f64>() / shown.count() as f64
}

#[test]
fn a_reel_gives_back_what_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let mut reel = ScratchFile::new(folder.path()).unwrap();
    let bits = |samples: &[f32]| samples.iter().map(|sample| sample.to_bits()).collect::<Vec<_>>();
    let odd = [0.1, -0.0, f32::NAN, -f32::NAN, f32::INFINITY, f32::MIN_POSITIVE / 2.0, 1.0];
    let long: Vec<f32> = (0..50_000).map(|i| (i as f32).sin()).collect();
    let (first, second, third) = (reel.append(&odd).unwrap(), reel.append(&long).unwrap(), reel.append(&[]).unwrap());
    assert_eq!(bits(&reel.read(second).unwrap()), bits(&long));
    assert_eq!(bits(&reel.read(first).unwrap()), bits(&odd));
    let other: Vec<f32> = long.iter().map(|v| v * 2.0).collect();
    reel.replace(second, &other).unwrap();
    let fourth = reel.append(&odd[..2]).unwrap();
    assert_eq!(bits(&reel.read(second).unwrap()), bits(&other));
    assert_eq!(bits(&reel.read(fourth).unwrap()), bits(&odd[..2]));
    assert_eq!(bits(&reel.read(first).unwrap()), bits(&odd), "its neighbours are what they were");
    assert!(reel.read(third).unwrap().is_empty());
}

#[test]
fn a_reel_that_cannot_be_says_where_and_what_would_help() {
    let error = ScratchFile::new(Path::new("/nowhere/at all")).unwrap_err().to_string();
    for part in ["/nowhere/at all", "--passes 1", "free disk space"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn the_blend_is_the_papers() {
    let (h, w) = (5i64, 7i64);
    let picture = |name| (formula::uniform(name, &[1, 3, h, w], 0.5) + 0.5).to_kind(Kind::Double);
    let (own, other) = (picture("own"), picture("other"));
    let weights = (formula::uniform("mask", &[1, 1, h, w], 1.0) * 1.5).clamp(0.0, 1.0).to_kind(Kind::Double);
    let got = numbers(&blend(&own, &[Anchor { warped: other.copy(), weights: weights.copy() }]).unwrap());
    let (own, other, weights) = (numbers(&own), numbers(&other), numbers(&weights));
    let delta = 0.5;
    for i in 0..got.len() {
        let c = weights[i % 35];
        let expected = delta * c * other[i] + ((1.0 - delta) + delta * (1.0 - c)) * own[i];
        assert!((got[i] - expected).abs() < 1e-15, "{} and {expected}", got[i]);
        assert!(c > 0.0 || got[i] == own[i], "what the neighbour does not show is left alone");
    }
    assert!(weights.contains(&0.0) && weights.contains(&1.0));
}

#[test]
fn one_pass_is_the_plain_painter() {
    let mut clip = pan(4);
    clip.push((frame(2, HEIGHT, WIDTH), Shot::New.into()));
    clip.push((frame(2, HEIGHT, WIDTH), moved([0.0, 0.0])));
    clip[1].0.alpha = Some((0..WIDTH * HEIGHT).map(|i| (i % 7) as f32 / 7.0).collect());
    for colour in [Colour::Style, Colour::Content] {
        let mut settings = settings(1);
        settings.style.colour = colour;
        settings.style.match_colours = true;
        // A different painting size, so that frames are scaled both ways.
        settings.frame.size = stylize_video::settings::Size::Pixels(90);
        let expected = run(&mut plain(settings.clone(), &CancelToken::default()), &clip, None).unwrap();
        let got = swept(settings, &clip, None);
        assert_eq!(got.len(), 6);
        for (got, expected) in got.iter().zip(&expected) {
            assert_eq!(got.pixels, expected.pixels);
            assert_eq!(got.stats, expected.stats);
        }
    }
}

#[test]
fn passes_go_to_and_fro_shot_by_shot() {
    let mut clip = pan(3);
    clip.extend(pan(1));
    clip.extend(pan(2));
    let ear = Ear::default();
    let pictures = sweep(settings(3), &clip, None, &ear).unwrap();
    assert_eq!(pictures.len(), 6);
    let first = [(1, 1), (1, 2), (1, 3), (2, 2), (2, 1), (3, 2), (3, 3)];
    let rest = [(1, 4), (1, 5), (1, 6), (2, 5), (3, 6)];
    assert_eq!(ear.painted(), [&first[..], &rest[..]].concat(), "a pass's first frame stays as it is");
    let alone = swept(settings(3), &clip[..3], None);
    for (a, b) in alone.iter().zip(&pictures) {
        assert_eq!(a.pixels, b.pixels, "a shot knows nothing of the next one");
    }
    assert_eq!(pictures[1].stats.iterations, 3 * 4, "all passes count");
}

/// Returns three still shots, with different sizes; with no iterations, each frame stays unchanged.
fn still_shots() -> Vec<Given> {
    let still = || moved([0.0, 0.0]);
    let mut clip = vec![(frame(1, HEIGHT, WIDTH), Shot::New.into()), (frame(1, HEIGHT, WIDTH), still())];
    clip.push((frame(3, HEIGHT + 4, WIDTH + 8), Shot::New.into()));
    clip.extend([(frame(2, HEIGHT, WIDTH), Shot::New.into()), (frame(2, HEIGHT, WIDTH), still())]);
    clip[1].0.alpha = Some(vec![0.25; WIDTH * HEIGHT]);
    clip
}

#[test]
fn pictures_come_in_the_order_of_their_contents() {
    let clip = still_shots();
    for (passes, ring) in [(1, false), (2, false), (3, false), (3, true)] {
        let mut settings = only_start();
        settings.init.next = NextInit::Content;
        settings.temporal.passes = passes;
        settings.temporal.ring = ring;
        let pictures = swept(settings, &clip, Some(Shot::New.into()));
        assert_eq!(pictures.len(), clip.len());
        for (picture, (content, _)) in pictures.iter().zip(&clip) {
            assert_eq!(picture.pixels.alpha, content.alpha);
            assert!(difference(&picture.pixels, content) < 1e-6, "{passes} passes");
        }
    }
}

#[test]
fn a_backward_pass_carries_paint_into_what_the_pan_uncovers() {
    let (clip, late) = (pan(6), 5);
    let (once, twice) = (swept(settled(1), &clip, None), swept(settled(2), &clip, None));
    // The columns that came into view in frame 1, there and in the last frame, where they have long been painted.
    let columns = WIDTH - SPEED..WIDTH;
    let apart = |pictures: &[Stylized]| {
        let (early, late_pixels) = (&pictures[1].pixels, &once[late].pixels);
        let places = (0..3 * HEIGHT).flat_map(|row| columns.clone().map(move |x| row * WIDTH + x));
        places.map(|i| f64::from(early.rgb[i] - late_pixels.rgb[i - SPEED * (late - 1)]).powi(2)).sum::<f64>()
    };
    let ratio = apart(&twice) / apart(&once);
    eprintln!("freshly uncovered, distance to the paint that it gets later: {ratio:.3} of what one pass leaves");
    assert!(ratio < 0.5, "{ratio}");
}

/// Returns E_warp from each frame to the next.
fn profile(pictures: &[Stylized]) -> Vec<f64> {
    pictures.windows(2).map(|pair| e_warp(&pair[0].pixels, &pair[1].pixels)).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn more_passes_are_steadier_and_paint_no_less() {
    let clip = pan(5);
    let [once, thrice] = [1, 3].map(|passes| swept(settled(passes), &clip, None));
    let j = |pictures: &[Stylized]| mean(&pictures.iter().map(|picture| picture.stats.objective).collect::<Vec<_>>());
    let (before, after) = (mean(&profile(&once)), mean(&profile(&thrice)));
    eprintln!("E_warp {before:.2e} and {after:.2e}, J {:.3} and {:.3}", j(&once), j(&thrice));
    assert!(after < 0.5 * before && j(&thrice) < j(&once));
}

#[test]
fn a_loop_has_no_seam() {
    let clip = pan(WIDTH / SPEED);
    let run = |ring: bool| {
        let mut settings = settled(5);
        settings.temporal.ring = ring;
        let pictures = swept(settings, &clip, ring.then(|| moved([SPEED as f32, 0.0])));
        (e_warp(&pictures[clip.len() - 1].pixels, &pictures[0].pixels), profile(&pictures))
    };
    let ((seam, inner), (open_seam, open_inner)) = (run(true), run(false));
    let scaled = |errors: &[f64]| errors.iter().map(|error| (1e6 * error).round()).collect::<Vec<_>>();
    eprintln!("E_warp over the seam and within: {seam:.2e}, {:?} 1e-6", scaled(&inner));
    eprintln!("not as a ring: {open_seam:.2e}, {:?} 1e-6", scaled(&open_inner));
    assert!(seam <= 1.5 * mean(&inner), "the seam shows");
    assert!(inner.iter().all(|&error| error <= 2.5 * mean(&inner)), "it went elsewhere");
    assert!(open_seam > 10.0 * mean(&open_inner) && open_seam > 10.0 * seam, "without, it would show");
}

#[test]
fn a_ring_with_cuts_begins_at_one() {
    // Two frames, a cut, then two frames that continue into the first two.
    let mut clip = pan(4);
    clip[2].1 = Shot::New.into();
    let mut settings = settings(2);
    settings.temporal.ring = true;
    let (ear, closing) = (Ear::default(), moved([SPEED as f32, 0.0]));
    let pictures = sweep(settings, &clip, Some(closing.clone()), &ear).unwrap();
    assert_eq!(ear.painted(), [(1, 3), (1, 4), (1, 1), (1, 2), (2, 1), (2, 4), (2, 3)]);
    assert_eq!(ear.warnings(), 0);
    // The same four frames in the order in which they follow each other.
    let mut turned = [&clip[2..], &clip[..2]].concat();
    turned[2].1 = closing;
    let expected = swept(self::settings(2), &turned, None);
    for (i, picture) in pictures.iter().enumerate() {
        assert_eq!(picture.pixels, expected[(i + 2) % 4].pixels, "frame {}", i + 1);
    }
}

#[test]
fn a_clip_that_does_not_loop_is_painted_as_it_is_and_told_of() {
    let clip = pan(4);
    let ear = Ear::default();
    let mut settings = settings(1);
    let expected = swept(settings.clone(), &clip, None);
    settings.temporal.ring = true;
    let pictures = sweep(settings.clone(), &clip, Some(Shot::New.into()), &ear).unwrap();
    assert_eq!(ear.warnings(), 1);
    assert_eq!(pictures.len(), 4);
    for (a, b) in pictures.iter().zip(&expected) {
        assert_eq!(a.pixels, b.pixels);
    }
    // A single frame follows itself: no warning.
    let ear = Ear::default();
    assert_eq!(sweep(settings, &clip[..1], None, &ear).unwrap().len(), 1);
    assert_eq!(ear.warnings(), 0);
}

#[test]
fn the_same_clip_gives_the_same_bytes() {
    let run = |ring: bool| {
        let mut settings = settings(3);
        settings.temporal.ring = ring;
        swept(settings, &pan(5), ring.then(|| moved([SPEED as f32, 0.0])))
    };
    for ring in [false, true] {
        for (a, b) in run(ring).iter().zip(&run(ring)) {
            assert_eq!((&a.pixels, a.stats), (&b.pixels, b.stats));
        }
    }
}

#[test]
fn every_pass_can_be_interrupted() {
    // After the second picture of the first, second and third pass over three frames.
    for after in [2, 4, 6] {
        let ear = Ear { cancel_after: after, ..Ear::default() };
        let end = sweep(settings(3), &pan(3), None, &ear);
        assert!(matches!(end, Err(StyleError::Cancelled)), "{:?}", end.err());
        assert_eq!(ear.painted().len(), after);
    }
}

/// Flow that depends only on which frames are requested.
struct Known;

impl FlowEstimator for Known {
    fn flow(&self, from: View<'_>, to: View<'_>) -> Result<FlowField, FlowError> {
        let by = to.number as f32 - from.number as f32;
        Ok(FlowField::from_fn(from.luma.width, from.luma.height, move |_, _| [by, 0.0]))
    }
}

#[test]
fn a_watcher_of_a_ring_tells_how_the_first_frame_follows_from_the_last() {
    let closing_of = |ring: bool, count: usize| {
        let wanted = Wanted { flow: Some(Box::new(Known)), rules: rules(), ring, ..Wanted::default() };
        let (mut prefetch, mut watcher) = watch(wanted).unwrap();
        for t in 0..count {
            watcher.next(prefetch.look(&frame(1, HEIGHT, WIDTH), t as f64)).unwrap();
        }
        watcher.finish().unwrap();
        watcher.closing().unwrap()
    };
    let closing = closing_of(true, 4).unwrap();
    assert_eq!(closing.shot, Shot::Continues);
    let step = closing.step.unwrap();
    // On the grid of the first frame, to the last frame and back.
    assert_eq!((step.back.at(3, 3), step.forth.at(3, 3)), ([3.0, 0.0], [-3.0, 0.0]));
    assert!(closing_of(true, 1).is_none() && closing_of(false, 4).is_none());
    // A motion so large that the two frames share almost nothing.
    assert_eq!(closing_of(true, WIDTH).unwrap().shot, Shot::New);
}

#[test]
fn a_flash_is_painted_once_and_the_shot_goes_on_around_it() {
    let mut clip = pan(3);
    let without = swept(settings(2), &clip, None);
    clip.insert(2, (frame(2, HEIGHT, WIDTH), Shot::Flash.into()));
    let ear = Ear::default();
    let pictures = sweep(settings(2), &clip, None, &ear).unwrap();
    assert_eq!(ear.painted(), [(1, 1), (1, 2), (1, 3), (1, 4), (2, 2), (2, 1)]);
    for (with, without) in [0, 1, 3].into_iter().zip(&without) {
        assert_eq!(pictures[with].pixels, without.pixels);
    }
    assert_eq!(pictures[2].stats.iterations, 8, "as a first frame");
    // The same without passes.
    let plain = run(&mut plain(settings(1), &CancelToken::default()), &clip, None).unwrap();
    let once = swept(settings(1), &clip, None);
    assert!(plain.iter().zip(&once).all(|(plain, once)| plain.pixels == once.pixels));
}
