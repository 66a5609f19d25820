//! Shot detection on synthetic clips: cuts, flashes, fades, and motion too fast to track.

use stylize_video::media::Pixels;
use stylize_video::motion::{Shot, Wanted, Watched, estimate_cuts, watch};

const WIDTH: usize = 192;
const HEIGHT: usize = 108;

/// Returns the watcher's result for the frames. It finds cuts with optical flow, or by brightness alone.
fn watched(frames: &[Pixels], by_flow: bool) -> Vec<Watched> {
    let cuts = if by_flow { estimate_cuts().unwrap() } else { None };
    let (mut prefetch, mut watcher) = watch(Wanted { cuts, ..Wanted::default() }).unwrap();
    let pendings: Vec<_> = frames.iter().enumerate().map(|(t, frame)| prefetch.look(frame, t as f64 / 25.0)).collect();
    let mut all: Vec<Watched> = pendings.into_iter().flat_map(|pending| watcher.next(pending).unwrap()).collect();
    all.extend(watcher.finish().unwrap());
    let numbers: Vec<u64> = all.iter().map(|watched| watched.number).collect();
    assert_eq!(numbers, (0..frames.len() as u64).collect::<Vec<_>>(), "every frame once, in order");
    all
}

/// Returns the frames that begin shots, and the flashes.
fn found(frames: &[Pixels], by_flow: bool) -> (Vec<u64>, Vec<u64>) {
    let all = watched(frames, by_flow);
    let of =
        |shot: Shot| all.iter().filter(move |watched| watched.transition.shot == shot).map(|watched| watched.number);
    (of(Shot::New).collect(), of(Shot::Flash).collect())
}

/// Like [`found`]; also checks that brightness alone gives the same result.
fn found_either_way(frames: &[Pixels]) -> (Vec<u64>, Vec<u64>) {
    let by_flow = found(frames, cfg!(feature = "opencv"));
    assert_eq!(by_flow, found(frames, false), "by brightness alone");
    by_flow
}

/// Returns smooth noise in 0..=1 at a point of the plane. Each seed gives another pattern.
fn noise(seed: u64, x: f64, y: f64) -> f64 {
    let corner = |x: i64, y: i64| {
        let mut hash = (x as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (y as u64).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
        hash = (hash ^ seed.wrapping_mul(0x1656_67b1_9e37_79f9)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash ^= hash >> 32;
        (hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53) >> 40) as f64 / (1u64 << 24) as f64
    };
    let (left, top) = (x.floor(), y.floor());
    let ease = |t: f64| t * t * (3.0 - 2.0 * t);
    let (fx, fy) = (ease(x - left), ease(y - top));
    let row = |y: i64| corner(left as i64, y) * (1.0 - fx) + corner(left as i64 + 1, y) * fx;
    row(top as i64) * (1.0 - fy) + row(top as i64 + 1) * fy
}

/// Draws a textured scene. `place` is the left edge of the camera's view in pixels, `blur` the distance in pixels that
/// the camera moves while the shutter is open.
fn scene(seed: u64, place: f64, blur: f64) -> Pixels {
    let mut pixels = Pixels::black(WIDTH, HEIGHT);
    let shutter = (blur / 4.0).ceil().max(1.0) as usize;
    for i in 0..WIDTH * HEIGHT {
        let (x, y) = ((i % WIDTH) as f64 + place, (i / WIDTH) as f64);
        let at = |x: f64| {
            let octaves = [(48.0, 0.4), (17.0, 0.3), (6.0, 0.3)];
            octaves.iter().map(|(size, share)| share * noise(seed, x / size + 1000.0, y / size)).sum::<f64>()
        };
        let value = (0..shutter).map(|k| at(x + blur * k as f64 / shutter as f64)).sum::<f64>() / shutter as f64;
        for channel in 0..3 {
            pixels.rgb[channel * WIDTH * HEIGHT + i] = value as f32;
        }
    }
    pixels
}

/// Draws a slow pan over a scene.
fn shot(seed: u64, frames: usize) -> Vec<Pixels> {
    (0..frames).map(|t| scene(seed, 1.5 * t as f64, 0.0)).collect()
}

fn mapped(mut pixels: Pixels, change: impl Fn(f32) -> f32) -> Pixels {
    pixels.rgb.iter_mut().for_each(|value| *value = change(*value));
    pixels
}

fn grey(value: f32) -> Pixels {
    mapped(Pixels::black(WIDTH, HEIGHT), |_| value)
}

/// Returns the scene darkened.
fn dark(frames: Vec<Pixels>) -> Vec<Pixels> {
    frames.into_iter().map(|frame| mapped(frame, |value| 0.4 * value)).collect()
}

#[test]
fn a_still_clip_and_a_pan_are_one_shot() {
    let still = vec![scene(1, 0.0, 0.0); 6];
    assert_eq!(found_either_way(&still), (vec![0], vec![]));
    assert_eq!(found_either_way(&shot(1, 8)), (vec![0], vec![]));
    assert_eq!(found_either_way(&[scene(1, 0.0, 0.0)]), (vec![0], vec![]));
    assert_eq!(found_either_way(&[]), (vec![], vec![]));
}

#[test]
fn a_cut_between_shots_that_both_move() {
    let clip = [dark(shot(1, 5)), shot(2, 5)].concat();
    assert_eq!(found_either_way(&clip), (vec![0, 5], vec![]));
    // A cut also counts at the last frame, although no later frame confirms it.
    assert_eq!(found_either_way(&clip[..6]), (vec![0, 5], vec![]));
}

#[test]
#[cfg(feature = "opencv")]
fn a_cut_to_a_shot_as_bright_is_found_by_flow() {
    let clip = [shot(1, 5), shot(2, 5)].concat();
    let all = watched(&clip, true);
    assert!(all[5].score < 20.0, "the score alone would find it: {}", all[5].score);
    assert!(all[5].unseen.unwrap() > 0.88);
    assert_eq!(found(&clip, true), (vec![0, 5], vec![]));
    assert_eq!(found(&clip, false), (vec![0], vec![]));
}

#[test]
fn one_shot_after_another_of_a_frame_each_is_found() {
    let clip = [dark(shot(1, 4)), shot(2, 1), vec![mapped(scene(3, 0.0, 0.0), |value| 1.0 - 0.3 * value)]].concat();
    let clip = [clip, dark(shot(4, 4))].concat();
    assert_eq!(found_either_way(&clip), (vec![0, 4, 5, 6], vec![]));
}

#[test]
fn a_flash_is_set_aside() {
    let mut clip = shot(1, 10);
    clip[4] = grey(1.0);
    assert_eq!(found_either_way(&clip), (vec![0], vec![4]));
    // As the second frame, and right before the end.
    for at in [1, 8] {
        let mut clip = shot(1, 10);
        clip[at] = mapped(clip[at].clone(), |value| 0.85 + 0.1 * value);
        assert_eq!(found_either_way(&clip), (vec![0], vec![at as u64]), "frame {at}");
    }
    // Two flashes with one frame between them.
    clip[6] = grey(0.0);
    assert_eq!(found_either_way(&clip), (vec![0], vec![4, 6]));
    // No later frame shows that the last frame is only a flash, so it counts as a cut.
    assert_eq!(found_either_way(&clip[..5]), (vec![0, 4], vec![]));
}

#[test]
fn a_flash_beside_a_cut_leaves_the_cut_where_it_is() {
    let clip = [dark(shot(1, 5)), shot(2, 6)].concat();
    let flashed = |at: usize| {
        let mut clip = clip.clone();
        clip[at] = grey(1.0);
        clip
    };
    // One frame after the first frame of the new shot.
    assert_eq!(found_either_way(&flashed(6)), (vec![0, 5], vec![6]));
    // One frame before the last frame of the old shot.
    assert_eq!(found_either_way(&flashed(3)), (vec![0, 5], vec![3]));
}

#[test]
#[cfg(feature = "opencv")]
fn a_frame_of_another_scene_is_a_flash_too() {
    let mut clip = shot(1, 8);
    clip[4] = scene(9, 0.0, 0.0);
    assert_eq!(found(&clip, true), (vec![0], vec![4]));
}

#[test]
fn a_fade_and_a_dissolve_are_no_cuts() {
    let (from, to) = (shot(1, 24), shot(2, 24));
    let blend = |t: usize| {
        let share = ((t as f32 - 6.0) / 12.0).clamp(0.0, 1.0);
        let mut pixels = from[t].clone();
        pixels.rgb.iter_mut().zip(&to[t].rgb).for_each(|(a, b)| *a += share * (b - *a));
        pixels
    };
    assert_eq!(found_either_way(&(0..24).map(blend).collect::<Vec<_>>()), (vec![0], vec![]));
    let fade = |t: usize| mapped(from[t].clone(), |value| value * (1.0 - (t as f32 - 6.0) / 12.0).clamp(0.0, 1.0));
    assert_eq!(found_either_way(&(0..20).map(fade).collect::<Vec<_>>()), (vec![0], vec![]));
}

#[test]
fn a_whip_pan_is_no_cut() {
    for frames in [4, 6] {
        let mut clip = shot(1, 5);
        let mut place = 1.5 * 4.0;
        for _ in 0..frames {
            place += WIDTH as f64 / 4.0;
            clip.push(scene(1, place, WIDTH as f64 / 4.0));
        }
        clip.extend((1..6).map(|t| scene(1, place + 1.5 * f64::from(t), 0.0)));
        assert_eq!(found_either_way(&clip), (vec![0], vec![]), "{frames} frames of it");
        // The clip may end within the pan.
        assert_eq!(found_either_way(&clip[..5 + frames]), (vec![0], vec![]));
    }
}

#[test]
#[cfg(feature = "opencv")]
fn the_whip_pan_of_that_test_is_more_than_flow_can_follow() {
    let all = watched(&[scene(1, 0.0, 0.0), scene(1, 48.0, 48.0), scene(1, 96.0, 48.0)], true);
    assert!(all[1].unseen.unwrap() > 0.88, "it could be followed: {:?}", all[1].unseen);
}

#[test]
fn odd_pictures_are_no_reason_to_panic() {
    let sized = |width: usize, height: usize| Pixels::black(width, height);
    for frames in [
        vec![sized(1, 1); 3],
        vec![sized(1, 40), sized(1, 40), sized(40, 1), sized(40, 1)],
        vec![mapped(sized(8, 8), |_| f32::NAN); 3],
    ] {
        let sizes = frames.windows(2).filter(|pair| pair[0].width != pair[1].width).count();
        assert_eq!(found_either_way(&frames).0.len(), 1 + sizes);
    }
    let sizes = [shot(1, 3), vec![sized(64, 64); 2]].concat();
    assert_eq!(found_either_way(&sizes), (vec![0, 3], vec![]));
}
