//! MTCNN (Zhang, Zhang, Li & Qiao 2016): three small networks, each of which looks more closely at what the one before
//! took for a face. Without the last one's landmarks.

use tch::{Kind, Tensor};

use super::boxes::{Candidate, Share, distinct};
use crate::stylize::StyleError;
use crate::stylize::backbone::NamedTensors;
use crate::stylize::tensor::to_planes;

/// What the weights file is called, and what errors name.
pub const NAME: &str = "mtcnn";

/// Side in pixels of what the first network looks at, in its steps of `STEP`.
const CELL: f64 = 12.0;
const STEP: f64 = 2.0;
/// Sides of what the other two look at.
const REFINED: i64 = 24;
const FINAL: i64 = 48;
/// Side of the smallest face that is looked for, in pixels of the picture, and what each size is of the one before.
const SMALLEST: f64 = 20.0;
const SHRINK: f64 = 0.709;
/// How sure each network must be.
const SURE: [f64; 3] = [0.5, 0.5, 0.5];
/// More candidates than this are no faces but a pattern; the surest are looked at.
const MOST: usize = 256;

/// The three networks, with the weights of `facenet-pytorch`.
#[derive(Debug)]
pub(super) struct Mtcnn {
    weights: NamedTensors,
}

/// Scores `[N]` and corrections `[N,4]` of crops, on the host.
struct Judged {
    scores: Vec<f32>,
    corrections: Vec<[f64; 4]>,
}

impl Mtcnn {
    pub fn new(weights: NamedTensors) -> Self {
        Self { weights }
    }

    /// The faces in `image` `[1,3,H,W]`, RGB, 0..=1, the surest first.
    ///
    /// # Errors
    /// What libtorch reports; a missing tensor.
    pub fn find(&self, image: &Tensor) -> Result<Vec<Candidate>, StyleError> {
        // The networks were trained on this range.
        let image = image.f_mul_scalar(255.0)?.f_sub_scalar(127.5)?.f_div_scalar(128.0)?;
        let (_, _, h, w) = image.size4()?;
        let mut found = Vec::new();
        let mut scale = CELL / SMALLEST;
        while h.min(w) as f64 * scale >= CELL {
            let side = |length: i64| (length as f64 * scale + 1.0) as i64;
            let small = image.f_adaptive_avg_pool2d([side(h), side(w)])?;
            found.extend(distinct(self.proposed(&small, scale)?, 0.5, Share::Union));
            scale *= SHRINK;
        }
        let mut found: Vec<Candidate> = distinct(found, 0.7, Share::Union);
        for (network, side, sure) in [("rnet", REFINED, SURE[1]), ("onet", FINAL, SURE[2])] {
            found.truncate(MOST);
            let squares: Vec<Candidate> = found.into_iter().map(Candidate::squared).collect();
            let judged = self.judge(network, &image, &squares, side)?;
            let surer = squares.into_iter().zip(judged.scores.into_iter().zip(judged.corrections));
            let surer = surer.filter(|(_, (score, _))| f64::from(*score) > sure);
            let surer =
                surer.map(|(square, (score, by))| Candidate { score: f64::from(score), ..square }.corrected(by));
            let share = if network == "onet" { Share::Smaller } else { Share::Union };
            found = distinct(surer.collect(), 0.7, share);
        }
        Ok(found)
    }

    /// What the first network takes for faces of `CELL / scale` pixels, in a picture that was scaled by `scale`.
    fn proposed(&self, image: &Tensor, scale: f64) -> Result<Vec<Candidate>, StyleError> {
        let x = self.filter("pnet", 1, image)?.f_max_pool2d([2, 2], [2, 2], [0, 0], [1, 1], true)?;
        let x = self.filter("pnet", 3, &self.filter("pnet", 2, &x)?)?;
        let scores = self.conv("pnet.conv4_1", &x)?.f_softmax(1, Kind::Float)?.f_narrow(1, 1, 1)?;
        let (_, _, _, columns) = scores.size4()?;
        let (scores, by) = (to_planes(&scores)?, to_planes(&self.conv("pnet.conv4_2", &x)?)?);
        let count = scores.len();
        let sure = scores.iter().enumerate().filter(|(_, score)| f64::from(**score) > SURE[0]);
        Ok(sure
            .map(|(at, &score)| {
                let corner = |place: usize| ((STEP * place as f64 + 1.0) / scale).floor();
                let (left, top) = (corner(at % columns as usize), corner(at / columns as usize));
                let side = (CELL / scale).floor();
                let whole = Candidate { left, top, right: left + side, bottom: top + side, score: f64::from(score) };
                whole.corrected([0, 1, 2, 3].map(|axis| f64::from(by[axis * count + at])))
            })
            .collect())
    }

    /// What `network` (`rnet`, `onet`) says of the `boxes` of `image`, each resampled to `side` x `side`.
    fn judge(&self, network: &str, image: &Tensor, boxes: &[Candidate], side: i64) -> Result<Judged, StyleError> {
        if boxes.is_empty() {
            return Ok(Judged { scores: Vec::new(), corrections: Vec::new() });
        }
        let crops = boxes.iter().map(|square| crop(image, square, side)).collect::<Result<Vec<_>, _>>()?;
        let crops = Tensor::f_cat(&crops, 0)?;
        let pooled = |x: &Tensor, by: i64| x.f_max_pool2d([by, by], [2, 2], [0, 0], [1, 1], true);
        let x = pooled(&self.filter(network, 1, &crops)?, 3)?;
        let x = pooled(&self.filter(network, 2, &x)?, 3)?;
        let x = self.filter(network, 3, &x)?;
        let (x, last) = match network {
            "onet" => (self.filter(network, 4, &pooled(&x, 2)?)?, 5),
            _ => (x, 4),
        };
        // The published weights want columns before rows.
        let x = x.f_permute([0, 3, 2, 1])?.f_contiguous()?.f_view([boxes.len() as i64, -1])?;
        let x = self.dense(&format!("{network}.dense{last}"), &x)?;
        let x = self.bent(&format!("{network}.prelu{last}"), &x)?;
        let out = |part: u32| self.dense(&format!("{network}.dense{}_{part}", last + 1), &x);
        let scores = to_planes(&out(1)?.f_softmax(1, Kind::Float)?.f_narrow(1, 1, 1)?)?;
        let corrections = to_planes(&out(2)?)?;
        let corrections = corrections.as_chunks::<4>().0.iter().map(|by| by.map(f64::from)).collect();
        Ok(Judged { scores, corrections })
    }

    /// Convolution `number` of `network` and its rectifier, whose slope below 0 was learned for each map (PReLU).
    fn filter(&self, network: &str, number: u32, x: &Tensor) -> Result<Tensor, StyleError> {
        let x = self.conv(&format!("{network}.conv{number}"), x)?;
        self.bent(&format!("{network}.prelu{number}"), &x)
    }

    fn conv(&self, name: &str, x: &Tensor) -> Result<Tensor, StyleError> {
        let (weight, bias) = (self.weight(name, "weight")?, self.weight(name, "bias")?);
        Ok(x.f_conv2d(weight, Some(bias), [1, 1], [0, 0], [1, 1], 1)?)
    }

    fn dense(&self, name: &str, x: &Tensor) -> Result<Tensor, StyleError> {
        Ok(x.f_linear(self.weight(name, "weight")?, Some(self.weight(name, "bias")?))?)
    }

    fn bent(&self, name: &str, x: &Tensor) -> Result<Tensor, StyleError> {
        Ok(x.f_prelu(self.weight(name, "weight")?)?)
    }

    fn weight(&self, name: &str, part: &str) -> Result<&Tensor, StyleError> {
        let key = format!("{name}.{part}");
        self.weights
            .get(&key)
            .ok_or_else(|| StyleError::Weights { backbone: NAME.to_owned(), problem: format!("there is no {key}") })
    }
}

/// What of `square` lies in `image` `[1,3,H,W]`, as `[1,3,side,side]`.
fn crop(image: &Tensor, square: &Candidate, side: i64) -> Result<Tensor, StyleError> {
    let (_, _, h, w) = image.size4()?;
    let within = |from: f64, to: f64, length: i64| {
        let from = (from as i64 - 1).clamp(0, length - 1);
        (from, ((to as i64).clamp(from + 1, length)) - from)
    };
    let (left, width) = within(square.left, square.right, w);
    let (top, height) = within(square.top, square.bottom, h);
    Ok(image.f_narrow(2, top, height)?.f_narrow(3, left, width)?.f_adaptive_avg_pool2d([side, side])?)
}
