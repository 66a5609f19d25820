//! Face detection: finds the places in a scene where content gets a higher weight. People look at faces first, and a
//! few strokes too many ruin one.

mod boxes;
mod mtcnn;

use tch::{Kind, Tensor, no_grad};

use self::boxes::Candidate;
use self::mtcnn::Mtcnn;
use crate::stylize::StyleError;
use crate::stylize::backbone::NamedTensors;
use crate::stylize::temporal::history::WarpedFrame;
use crate::stylize::tensor::{luma, mean_where, resize};

pub use mtcnn::NAME;

/// Faces are searched in the frame enlarged by this factor, so that faces of 13 painted pixels are found.
const ENLARGED: f64 = 1.5;
/// Rotations of the picture in degrees, for tilted heads. [`Search::Quick`] uses the upright picture only.
const TILTS: [f64; 3] = [0.0, 20.0, -20.0];
/// An oval is larger than its box by this factor: hair and hat belong to a head.
const WIDER: f64 = 1.2;
/// Factor by which a face that is not found again fades from search to search.
const FADING: f64 = 0.9;
/// Standard deviation of the blur that extracts the paint's colours: as a share of the long side, and the minimum in
/// pixels.
const COLOUR: f64 = 0.01;
const LEAST_COLOUR: f64 = 1.0;

/// How thoroughly a frame is searched for faces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// Upright and tilted to both sides, each of them also mirrored.
    Thorough,
    /// Upright, and the mirror image.
    Quick,
}

/// How much evidence a face needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Several views must agree: a window that looks like a face in one view does not do so in most others.
    Usual,
    /// A single view can be enough.
    Little,
}

impl Doubt {
    /// Returns the mean score over all views up to which there is no face; twice this score is certainty.
    fn bound(self) -> f64 {
        match self {
            Self::Usual => 0.2,
            Self::Little => 0.05,
        }
    }
}

/// The face detector.
#[derive(Debug)]
pub struct FaceFinder {
    networks: Mtcnn,
}

impl FaceFinder {
    /// Creates the detector from the tensors of the weights file [`NAME`].
    pub fn new(weights: NamedTensors) -> Self {
        Self { networks: Mtcnn::new(weights) }
    }

    /// Returns the same detector with shared weights.
    #[must_use]
    pub fn shared(&self) -> Self {
        Self { networks: self.networks.shared() }
    }

    /// Returns a face map for `raw` `[1,3,H,W]`, RGB, 0..=1: `[1,1,H,W]`, 0..=1. In the centre of a face it is the
    /// confidence; it falls off towards the outline.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn find(&self, raw: &Tensor, search: Search, doubt: Doubt) -> Result<Tensor, StyleError> {
        no_grad(|| {
            let (_, _, h, w) = raw.size4()?;
            let enlarged = |length: i64| (length as f64 * ENLARGED).round() as i64;
            let large = resize(raw, enlarged(h), enlarged(w))?;
            let size = [enlarged(w), enlarged(h)];
            let tilts = if search == Search::Thorough { TILTS.as_slice() } else { &TILTS[..1] };
            let views =
                tilts.iter().flat_map(|&degrees| [false, true].map(|mirrored| View { degrees, mirrored, size }));
            let views: Vec<View> = views.collect();
            let mut seen = Vec::new();
            for view in &views {
                seen.extend(self.networks.find(&view.of(&large)?)?.iter().map(|face| view.seen(face)));
            }
            let mut share = Tensor::f_zeros([1, 1, h, w], (Kind::Float, raw.device()))?;
            for face in agreed(seen, views.len(), doubt) {
                tracing::debug!(?face, ?size, "face");
                share = share.f_maximum(&oval(&face, size, raw)?)?;
            }
            Ok(share)
        })
    }
}

/// Groups the detections of all `views` by face and returns one box for each group, ordered by its highest score. Its
/// score is the evidence of all views together: 0 up to the bound of `doubt`, 1 from twice the bound on.
fn agreed(mut seen: Vec<Candidate>, views: usize, doubt: Doubt) -> Vec<Candidate> {
    seen.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut groups: Vec<(Candidate, f64)> = Vec::new();
    for face in seen {
        match groups.iter_mut().find(|(surest, _)| surest.is_beside(&face)) {
            Some((_, sum)) => *sum += face.score,
            None => groups.push((face, face.score)),
        }
    }
    let score = |sum: f64| (sum / views as f64 / doubt.bound() - 1.0).clamp(0.0, 1.0);
    groups
        .into_iter()
        .map(|(face, sum)| Candidate { score: score(sum), ..face })
        .filter(|face| face.score > 0.0)
        .collect()
}

/// Combines the face map of this frame with the faded one of an earlier frame, so that a face that is missed once, half
/// turned away, is not painted over at once. Without a search (`found` is `None`), returns the earlier map unchanged.
/// `[1,1,H,W]`; `None` if there is neither.
///
/// # Errors
/// Returns what libtorch reports.
pub fn remembered(found: Option<Tensor>, brought: Option<&WarpedFrame>) -> Result<Option<Tensor>, StyleError> {
    Ok(match (found, brought) {
        (Some(found), Some(brought)) => Some(found.f_maximum(&brought.faces.f_mul_scalar(FADING)?)?),
        (None, Some(brought)) => Some(brought.faces.shallow_clone()),
        (found, None) => found,
    })
}

/// A version of the picture to search: rotated, mirrored.
#[derive(Debug, Clone, Copy)]
struct View {
    degrees: f64,
    mirrored: bool,
    /// Width and height of the picture in pixels.
    size: [i64; 2],
}

impl View {
    /// Returns this view of `image` `[1,3,H,W]`, in the same size.
    fn of(self, image: &Tensor) -> Result<Tensor, StyleError> {
        let image = if self.mirrored { image.f_flip([3])? } else { image.shallow_clone() };
        if self.degrees == 0.0 {
            return Ok(image);
        }
        let (sin, cos) = self.degrees.to_radians().sin_cos();
        let [w, h] = self.size.map(|side| side as f64);
        // In units of half the width and half the height.
        let turn = [cos, -sin * h / w, 0.0, sin * w / h, cos, 0.0].map(|part| part as f32);
        let turn = Tensor::f_from_slice(&turn)?.f_view([1, 2, 3])?.f_to_device(image.device())?;
        let grid = Tensor::f_affine_grid_generator(&turn, image.size(), false)?;
        // Bilinear; black beyond the edges.
        Ok(image.f_grid_sampler(&grid, 0, 0, false)?)
    }

    /// Maps a face from the view back to the picture. Width and height of its box stay those in the view.
    fn seen(self, face: &Candidate) -> Candidate {
        let (sin, cos) = self.degrees.to_radians().sin_cos();
        let [w, h] = self.size.map(|side| side as f64);
        let [x, y] = face.middle();
        let (x, y) = (x - w / 2.0, y - h / 2.0);
        let (turned, y) = (x * cos - y * sin, x * sin + y * cos);
        let x = if self.mirrored { -turned } else { turned };
        let (x, y) = (x + w / 2.0, y + h / 2.0);
        let (half_w, half_h) = (face.width() / 2.0, face.height() / 2.0);
        Candidate { left: x - half_w, right: x + half_w, top: y - half_h, bottom: y + half_h, ..*face }
    }
}

/// Returns the score of `face` times exp(-r^4 / 2), on the grid of `like` `[1,_,h,w]`. r is 1 on an ellipse 1.2 times
/// as wide and high as the box, which is given in pixels of a picture of `size` (width, height).
fn oval(face: &Candidate, size: [i64; 2], like: &Tensor) -> Result<Tensor, StyleError> {
    let (_, _, h, w) = like.size4()?;
    let line = |count: i64, length: i64, middle: f64, half: f64| -> Result<Tensor, StyleError> {
        let at = Tensor::f_arange(count, (Kind::Float, like.device()))?;
        let at = at.f_add_scalar(0.5)?.f_mul_scalar(length as f64 / count as f64)?.f_sub_scalar(middle)?;
        Ok(at.f_div_scalar((half * WIDER).max(1.0))?.f_square()?)
    };
    let [x, y] = face.middle();
    let across = line(w, size[0], x, face.width() / 2.0)?.f_view([1, 1, 1, w])?;
    let down = line(h, size[1], y, face.height() / 2.0)?.f_view([1, 1, h, 1])?;
    Ok(across.f_add(&down)?.f_square()?.f_mul_scalar(-0.5)?.f_exp()?.f_mul_scalar(face.score)?)
}

/// Returns `content` `[1,3,H,W]` with the large-scale colours of `paint` `[1,3,H,W]` on faces (`faces`, `[1,1,H,W]`,
/// 0..=1), keeping its own luminance. Otherwise a face with a higher content weight would stay grey in a painting of
/// black-and-white film.
///
/// # Errors
/// Returns what libtorch reports.
pub fn in_colours_of(paint: &Tensor, content: &Tensor, faces: &Tensor) -> Result<Tensor, StyleError> {
    let (_, _, h, w) = content.size4()?;
    let difference = paint.f_sub(content)?;
    let difference = difference.f_sub(&luma(&difference)?)?;
    let sigma = (COLOUR * h.max(w) as f64).max(LEAST_COLOUR);
    let smooth = mean_where(&difference, &faces.f_ones_like()?, sigma)?;
    Ok(content.f_add(&smooth.f_mul(faces)?)?.f_clamp(0.0, 1.0)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tch::{Device, IndexOp};

    use super::*;
    use crate::stylize::tensor::blurred;

    /// Returns column and row of the brightest pixel of `[1,1,H,W]`.
    fn brightest(image: &Tensor) -> [i64; 2] {
        let (_, _, _, w) = image.size4().unwrap();
        let at = image.argmax(None, false).int64_value(&[]);
        [at % w, at / w]
    }

    #[test]
    fn what_a_view_shows_is_found_where_it_is_in_the_picture() {
        let image = Tensor::zeros([1, 3, 60, 90], (Kind::Float, Device::Cpu));
        let _ = image.i((.., .., 12..17, 61..66)).fill_(1.0);
        for degrees in TILTS {
            for mirrored in [false, true] {
                let view = View { degrees, mirrored, size: [90, 60] };
                let shown = blurred(&view.of(&image).unwrap().narrow(1, 0, 1), 2.0).unwrap();
                let [x, y] = brightest(&shown).map(|at| at as f64 + 0.5);
                let face = Candidate { left: x - 2.0, right: x + 2.0, top: y - 3.0, bottom: y + 3.0, score: 1.0 };
                let [x, y] = view.seen(&face).middle();
                assert!((x - 63.5).abs() < 1.0 && (y - 14.5).abs() < 1.0, "{view:?}: {x} {y}");
            }
        }
    }

    #[test]
    fn an_oval_is_as_sure_as_the_face_and_ends_at_its_outline() {
        let like = Tensor::zeros([1, 3, 40, 80], (Kind::Float, Device::Cpu));
        let face = Candidate { left: 60.0, right: 100.0, top: 20.0, bottom: 80.0, score: 0.8 };
        let share = oval(&face, [160, 80], &like).unwrap();
        let at = |x: i64, y: i64| share.double_value(&[0, 0, y, x]);
        assert_eq!(share.size(), [1, 1, 40, 80]);
        assert!((at(40, 25) - 0.8).abs() < 1e-3);
        // 12 columns from the centre, on the ellipse that is 1.2 times as wide: exp(-1/2).
        let [inner, outer] = [28, 27].map(|x| at(x, 25) / at(40, 25));
        assert!(inner > 0.6065 && outer < 0.6065, "{inner} {outer}");
        assert!(at(22, 25) < 0.1 && at(40, 0) < 0.2);
    }

    #[test]
    fn what_one_view_alone_takes_for_a_face_is_none() {
        let face = |x: f64, score| Candidate { left: x - 10.0, right: x + 10.0, top: 0.0, bottom: 25.0, score };
        let alone = agreed(vec![face(30.0, 0.9)], 6, Doubt::Usual);
        assert!(alone.is_empty(), "{alone:?}");
        // 1.8 / 6 is half-way between 0.2 and 0.4.
        let [found] = agreed(vec![face(30.0, 0.8), face(33.0, 1.0)], 6, Doubt::Usual)[..] else { panic!("one face") };
        assert!((found.score - 0.5).abs() < 1e-9 && found.middle()[0] == 33.0, "{found:?}");
        let two = agreed(vec![face(30.0, 0.9), face(60.0, 0.8), face(31.0, 0.9)], 2, Doubt::Usual);
        assert_eq!(agreed(vec![face(30.0, 0.9)], 6, Doubt::Little).len(), 1);
        assert_eq!(two.iter().map(|face| face.score).collect::<Vec<_>>(), [1.0, 1.0]);
    }

    #[test]
    fn a_face_has_its_own_light_and_the_colours_of_paint() {
        let ramp = Tensor::arange(64 * 64, (Kind::Float, Device::Cpu)).view([1, 1, 64, 64]) / (64.0 * 64.0);
        let content = (&ramp * 0.2 + 0.4).repeat([1, 3, 1, 1]);
        let paint = Tensor::from_slice(&[0.8f32, 0.5, 0.2]).view([1, 3, 1, 1]).repeat([1, 1, 64, 64]);
        let faces = Tensor::zeros([1, 1, 64, 64], (Kind::Float, Device::Cpu));
        let _ = faces.i((.., .., .., 32..)).fill_(1.0);
        let coloured = in_colours_of(&paint, &content, &faces).unwrap();
        let (own, wanted) = (luma(&coloured).unwrap(), luma(&content).unwrap());
        assert!((own - wanted).abs().max().double_value(&[]) < 1e-5);
        assert!((coloured.i((.., .., .., ..32)) - content.i((.., .., .., ..32))).abs().max().double_value(&[]) == 0.0);
        let red = coloured.i((0, 0, 32, 48)) - coloured.i((0, 2, 32, 48));
        assert!((red.double_value(&[]) - 0.6).abs() < 1e-5);
    }
}
