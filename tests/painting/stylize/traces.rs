//! Figures for moving objects in a painting: how close it is to their positions, and what is left of them at earlier
//! positions. Pictures are `[1,3,H,W]`; lists of paintings cover a clip's last third.

use stylize_video::media::{LUMA, Pixels};
use stylize_video::stylize::backbone::Backbone;
use stylize_video::stylize::tensor::from_pixels;
use tch::{Device, Kind, Tensor, no_grad};

use crate::stylize::scenes::{Scenery, WIDTH};
use crate::stylize::{number, numbers};

/// The layer in which ghosts are measured: the second of four convolutions, on a grid of every second pixel. The
/// content layer `half2` is this layer, halved.
const LAYER: &str = "relu2";
/// A ghost is an image of the frame this many frames earlier.
pub const BEFORE: usize = 4;
/// The first frame of the last third.
pub const SETTLED: usize = 8;
/// A source moves where the mean over 9 x 9 pixels of the largest colour difference exceeds this.
const MOVES: f64 = 0.06;
/// Paint within this many pixels of an object is influenced by the object.
const RIM: i64 = 3;

/// A painted frame with its source, in the colours used for painting.
pub struct Shown {
    pub painted: Tensor,
    pub content: Tensor,
    /// The source 4 frames earlier; the first frame for the earliest frames.
    pub earlier: Tensor,
}

pub fn raw(frames: &[Pixels], t: usize) -> Tensor {
    from_pixels(&frames[t], Device::Cpu).unwrap()
}

/// In moving areas, compares the distance of the last third's paintings to their sources with their distance to the
/// sources 4 frames earlier, as squared distances of activations. A value above 1 means a ghost that is stronger than
/// the object.
pub fn ghost(frames: &[Pixels], shown: &[Shown], network: &dyn Backbone) -> f64 {
    let layer = network.layer(LAYER).unwrap();
    let features = |image: &Tensor| no_grad(|| network.forward(image, &[layer]).unwrap().swap_remove(0));
    let (mut near, mut far) = (0.0, 0.0);
    for (t, Shown { painted, content, earlier }) in (SETTLED..).zip(shown) {
        let difference = (raw(frames, t) - raw(frames, t - BEFORE)).abs().amax([1], true);
        let mean = difference.avg_pool2d([9, 9], [1, 1], [4, 4], false, false, None);
        let result = features(painted);
        let size = result.size();
        let places = mean.gt(MOVES).to_kind(Kind::Float).adaptive_avg_pool2d([size[2], size[3]]);
        let apart = |scene: &Tensor| number(&((&result - features(scene)).square() * &places).sum(Kind::Double));
        near += apart(content);
        far += apart(earlier);
    }
    near / far
}

/// Returns where frame `t` and the `more` frames before it are uncovered, but something was there earlier: `[1,1,H,W]`,
/// 0 or 1.
fn left_behind(covered: &[Tensor], t: usize, more: usize) -> Tensor {
    let been = covered[..t - more].iter().map(|shares| shares.gt(0.5)).reduce(|a, b| a.logical_or(&b)).unwrap();
    let gone = covered[t - more..=t].iter().map(|shares| shares.le(0.0)).reduce(|a, b| a.logical_and(&b)).unwrap();
    been.logical_and(&gone).to_kind(Kind::Float)
}

/// Returns the root of E_warp in levels of 255 between neighbours of the last third, along the known flow (the ground
/// rests), where something was before and both frames show the ground. `None` where no such area exists.
pub fn unrest(covered: &[Tensor], pictures: &[&Tensor]) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for (t, pair) in (SETTLED + 1..).zip(pictures.windows(2)) {
        let places = left_behind(covered, t, 1);
        sum += number(&((pair[1] - pair[0]).square() * &places).sum(Kind::Double));
        count += 3.0 * number(&places.sum(Kind::Double));
    }
    (count > 0.0).then(|| 255.0 * (sum / count).sqrt())
}

/// Returns how much of an object is left at its earlier position: the difference between the paintings of the last
/// third and `bare`, a painting of the ground alone, as a share of the object's contrast with the ground when last
/// seen. Unlike E_warp, this also finds traces that never change again. `contents` covers all frames.
pub fn stain(covered: &[Tensor], shown: &[&Tensor], bare: &Tensor, contents: &[&Tensor]) -> Option<f64> {
    let (mut sum, mut squares) = (0.0, 0.0);
    let never = never(covered);
    for (t, painted) in (SETTLED..).zip(shown) {
        let places = left_behind(covered, t, 0);
        let mut last = contents[t].shallow_clone();
        for (content, shares) in contents[..t].iter().zip(covered) {
            last = content.where_self(&shares.gt(0.5), &last);
        }
        let contrast = (last - contents[t]) * &places;
        let off = *painted - bare;
        // Ground that was never covered may be lighter or redder as a whole.
        let usual = (&off * &never).sum_dim_intlist([2i64, 3].as_slice(), true, Kind::Float) / never.sum(Kind::Float);
        sum += number(&((off - usual) * &contrast).sum(Kind::Double));
        squares += number(&contrast.square().sum(Kind::Double));
    }
    (squares > 0.0).then(|| sum / squares)
}

/// Returns how much is left of the object's effect on the paint around it in frame 0: the difference between the
/// paintings of the last third and `bare`, as a share of the difference between `first`, the painting of frame 0, and
/// `bare`. It is measured on ground that was never covered, within 3 pixels of the object in frame 0 but not later.
/// `None` where no such ground exists.
pub fn halo(covered: &[Tensor], shown: &[&Tensor], bare: &Tensor, first: &Tensor) -> Option<f64> {
    let side = 2 * RIM + 1;
    let near = |t: usize| covered[t].max_pool2d([side, side], [1, 1], [RIM, RIM], [1, 1], false).gt(0.0);
    let done = first - bare;
    let never = never(covered);
    let (mut sum, mut squares) = (0.0, 0.0);
    for (t, painted) in (SETTLED..).zip(shown) {
        let places = near(0).logical_and(&near(t).logical_not()).to_kind(Kind::Float) * &never;
        let then = &done * &places;
        sum += number(&((*painted - bare) * &then).sum(Kind::Double));
        squares += number(&then.square().sum(Kind::Double));
    }
    (squares > 0.0).then(|| sum / squares)
}

/// Returns where no object ever was: `[1,1,H,W]`, 0 or 1.
fn never(covered: &[Tensor]) -> Tensor {
    let clear = covered.iter().map(|shares| shares.le(0.0)).reduce(|a, b| a.logical_and(&b)).unwrap();
    clear.to_kind(Kind::Float)
}

/// Returns the full width at half maximum, in pixels, of the bar's darkening across the bar, and that maximum. `shown`
/// are pictures of the last third, `bare` is one of the ground alone.
pub fn bar(scenery: &Scenery, shown: &[&Tensor], bare: &Tensor) -> [f64; 2] {
    const REACH: usize = 40;
    let luma = |image: &Tensor| {
        let weights = Tensor::from_slice(&LUMA).view([1, 3, 1, 1]);
        numbers(&(image * weights).sum_dim_intlist([1i64].as_slice(), true, Kind::Float))
    };
    let ground = luma(bare);
    let darker: Vec<Vec<f64>> =
        shown.iter().map(|image| luma(image).iter().zip(&ground).map(|(a, b)| b - a).collect()).collect();
    let at = |plane: &[f64], [x, y]: [f64; 2]| {
        let (left, top, fx, fy) = (x as usize, y as usize, x.fract(), y.fract());
        let row = |y: usize| plane[y * WIDTH + left] * (1.0 - fx) + plane[y * WIDTH + left + 1] * fx;
        row(top) * (1.0 - fy) + row(top + 1) * fy
    };
    // In quarters of a pixel, with the bar's middle at REACH.
    let profile: Vec<f64> = (0..=2 * REACH)
        .map(|quarter| {
            let across = (quarter as f64 - REACH as f64) / 4.0;
            let values = (SETTLED..).zip(&darker).flat_map(|(t, plane)| {
                scenery.beside_bar(t, across).into_iter().map(|point| at(plane, point)).collect::<Vec<_>>()
            });
            let values: Vec<f64> = values.collect();
            values.iter().sum::<f64>() / values.len() as f64
        })
        .collect();
    // The ground on both sides, 7 to 10 pixels away.
    let beside: Vec<f64> = profile[..=12].iter().chain(&profile[2 * REACH - 12..]).copied().collect();
    let base = beside.iter().sum::<f64>() / beside.len() as f64;
    let inner = REACH - 8..=REACH + 8;
    let top = inner.max_by(|&a, &b| profile[a].total_cmp(&profile[b])).unwrap();
    let half = 0.5 * (profile[top] + base);
    // The distance from the maximum to half of it, in quarters of a pixel.
    let fall = |next: &dyn Fn(usize) -> Option<usize>| {
        let (mut place, mut way) = (top, 0.0);
        while let Some(further) = next(place).filter(|&further| further < profile.len()) {
            if profile[further] < half {
                return way + (profile[place] - half) / (profile[place] - profile[further]);
            }
            (place, way) = (further, way + 1.0);
        }
        way
    };
    let width = fall(&|place| place.checked_sub(1)) + fall(&|place| Some(place + 1));
    [width / 4.0, profile[top] - base]
}
