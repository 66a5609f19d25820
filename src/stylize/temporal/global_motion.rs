//! Global camera motion, for pixels whose own flow is lost: on a plain wall flow goes astray, but the wall moves with
//! the room.

use tch::Tensor;

use super::photometric::alike;
use crate::motion::{FlowField, Step};
use crate::stylize::StyleError;
use crate::stylize::tensor::{from_planes, to_planes};

/// In pixels: slower camera motion counts as rest.
const REST: f32 = 0.5;
/// Bin width in pixels of the histogram of vectors.
const BIN: f32 = 0.25;
/// Longest vector component that the histogram covers, in pixels.
const FASTEST: f32 = 64.0;

/// Smoothed contents (0..=1) that differ by less are the same. Larger than the change that a film's key frames cause on
/// a plain wall.
const SAME: f64 = 0.02;

/// Returns the motion of the whole scene from a frame (`content` `[1,3,H,W]`) to the previous one, in pixels: the
/// median of the reliable vectors, weighted by the local contrast, since flow knows nothing where there is nothing to
/// see. `None` if no vector with contrast is reliable.
///
/// # Errors
/// Returns what libtorch reports.
pub fn global_motion(step: &Step, content: &Tensor) -> Result<Option<[f32; 2]>, StyleError> {
    let contrast = to_planes(&contrast(content)?)?;
    let bins = (2.0 * FASTEST / BIN) as usize + 1;
    let mut counts = [vec![0.0f64; bins], vec![0.0f64; bins]];
    for ((vector, &weight), &contrast) in step.back.vectors.iter().zip(&step.reliability.weights).zip(&contrast) {
        if weight > 0.5 {
            for (counts, component) in counts.iter_mut().zip(vector) {
                let bin = ((component.clamp(-FASTEST, FASTEST) + FASTEST) / BIN).round() as usize;
                counts[bin] += f64::from(contrast);
            }
        }
    }
    let [Some(right), Some(down)] = counts.map(|counts| middle(&counts)) else { return Ok(None) };
    let motion = [right, down].map(|bin| bin as f32 * BIN - FASTEST);
    Ok(Some(if motion[0].hypot(motion[1]) < REST { [0.0; 2] } else { motion }))
}

/// Index of the weighted median; `None` if all counts are 0.
fn middle(counts: &[f64]) -> Option<usize> {
    let half = 0.5 * counts.iter().sum::<f64>();
    let mut sum = 0.0;
    counts.iter().position(|count| {
        sum += count;
        half > 0.0 && sum >= half
    })
}

/// Squared differences to the right and down, summed over the colours, `[1,1,H,W]`; 0 at the right and bottom edges.
fn contrast(content: &Tensor) -> Result<Tensor, StyleError> {
    let (_, _, h, w) = content.size4()?;
    let across = content.f_narrow(3, 1, w - 1)?.f_sub(&content.f_narrow(3, 0, w - 1)?)?;
    let down = content.f_narrow(2, 1, h - 1)?.f_sub(&content.f_narrow(2, 0, h - 1)?)?;
    let (across, down) = (across.f_constant_pad_nd([0, 1, 0, 0])?, down.f_constant_pad_nd([0, 0, 0, 1])?);
    let squares = across.f_square()?.f_add(&down.f_square()?)?;
    Ok(squares.f_sum_dim_intlist([1i64].as_slice(), true, content.kind())?)
}

/// Replaces the flow of a pixel by the camera's motion where forward and backward flow disagree but the camera's motion
/// leads to the same contents. Flow behaves like that on a plain wall that nothing hides. `content` and `before` are
/// the new frame and the previous one, `[1,3,H,W]`.
///
/// # Errors
/// Returns what libtorch reports.
pub fn follow(step: &mut Step, content: &Tensor, before: &Tensor) -> Result<(), StyleError> {
    if step.reliability.seen.iter().all(|&seen| seen >= 0.5) {
        return Ok(());
    }
    let Some([right, down]) = global_motion(step, content)? else { return Ok(()) };
    let (width, height) = (step.back.width, step.back.height);
    let way = FlowField::from_fn(width, height, |_, _| [right, down]);
    let inside = |i: usize| way.contains(way.target(i % width, i / width));
    let mask: Vec<f32> = (0..width * height).map(|i| if inside(i) { 1.0 } else { 0.0 }).collect();
    let [h, w] = [height as i64, width as i64];
    let carried = from_planes(&way.warp(&to_planes(before)?), 3, h, w, content.device())?;
    // Beyond the edge there is nothing to compare with; black there would leak into the smoothed pixels next to it.
    let carried = carried.f_where_self(&from_planes(&mask, 1, h, w, content.device())?.f_gt(0.5)?, content)?;
    let same = to_planes(&alike(content, &carried, SAME)?)?;
    let Step { back, forth, reliability } = step;
    for (i, &same) in same.iter().enumerate() {
        if same > 0.5 && reliability.seen[i] < 0.5 && mask[i] > 0.5 {
            let [x, y] = way.target(i % width, i / width);
            back.vectors[i] = [right, down];
            forth.vectors[y.round() as usize * width + x.round() as usize] = [-right, -down];
            reliability.seen[i] = 1.0;
            reliability.weights[i] = 1.0;
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::motion::Consistency;

    const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);
    const W: usize = 60;
    const H: usize = 40;

    /// A plain wall above a striped floor that moved right by `by` pixels, with a box on the wall at column `at`.
    fn room(by: i64, at: i64) -> Tensor {
        let stripes = (Tensor::arange(W as i64, FLOAT) - by as f64) * 0.7;
        let floor = (stripes.sin() * 0.3 + 0.5).repeat([1, 3, 10, 1]);
        let wall = Tensor::full([1, 3, 30, W as i64], 0.6, FLOAT);
        let _ = wall.narrow(3, at, 10).narrow(2, 5, 10).fill_(0.1);
        Tensor::cat(&[wall, floor], 2)
    }

    /// Flow that is right on the floor and wrong on the wall.
    fn astray(by: f32) -> Step {
        let flow = |sign: f32| {
            FlowField::from_fn(W, H, move |x, y| match y {
                30.. => [sign * by, 0.0],
                _ => [sign * by + 9.0 + (x % 7) as f32, 3.0],
            })
        };
        Step::new(flow(-1.0), flow(1.0), &Consistency { blur: 0.0, ..Consistency::default() })
    }

    fn share(of: &[f32], keep: impl Fn(usize, usize) -> bool) -> f64 {
        let (mut sum, mut count) = (0.0, 0.0);
        for (_, value) in of.iter().enumerate().filter(|(i, _)| keep(i % W, i / W)) {
            (sum, count) = (sum + f64::from(*value), count + 1.0);
        }
        sum / count
    }

    #[test]
    fn a_wall_whose_flow_is_lost_goes_with_the_room() {
        for by in [0, 3, 12] {
            let (before, now) = (room(0, 20), room(by, 20 + by));
            let mut step = astray(by as f32);
            assert_eq!(global_motion(&step, &now).unwrap(), Some([-(by as f32), 0.0]));
            let wall = |x: usize, y: usize| y < 28 && x >= by as usize + 2;
            assert!(share(&step.reliability.seen, wall) < 0.2);
            follow(&mut step, &now, &before).unwrap();
            assert!(share(&step.reliability.seen, wall) > 0.99, "moved by {by}");
            assert_eq!(step.back.at(40, 20), [-(by as f32), 0.0]);
            if by > 0 {
                assert_eq!(
                    share(&step.reliability.seen, |x, y| y < 28 && x < by as usize),
                    0.0,
                    "not in the other frame"
                );
            }
        }
    }

    #[test]
    fn what_was_hidden_does_not() {
        // The camera rests and the box moves: the wall that it uncovers was not seen.
        let (before, now) = (room(0, 20), room(0, 32));
        let mut step = astray(0.0);
        follow(&mut step, &now, &before).unwrap();
        assert_eq!(share(&step.reliability.seen, |x, y| (23..27).contains(&x) && (8..12).contains(&y)), 0.0);
        assert_eq!(share(&step.reliability.seen, |x, y| (35..39).contains(&x) && (8..12).contains(&y)), 0.0);
        assert_eq!(share(&step.reliability.seen, |x, y| x > 48 && y < 20), 1.0);
    }

    #[test]
    fn without_contrast_nothing_is_known_of_the_camera() {
        let flat = Tensor::full([1, 3, H as i64, W as i64], 0.5, FLOAT);
        assert_eq!(global_motion(&astray(0.0), &flat).unwrap(), None);
    }
}
