//! MTCNN (Zhang, Zhang, Li & Qiao 2016): a cascade of three small networks, each of which examines the candidates of
//! the previous one more closely. The landmarks of the last network are left out.

use tch::Tensor;

use super::boxes::{Candidate, Share, distinct};
use crate::stylize::StyleError;
use crate::stylize::backbone::NamedTensors;
use crate::stylize::tensor::to_planes;

/// The name of the weights file, also used in errors.
pub const NAME: &str = "mtcnn";

/// Window size of the first network (`pnet`), in pixels, and the stride of its windows.
const CELL: f64 = 12.0;
const STEP: f64 = 2.0;
/// Input sizes of the second network (`rnet`) and the third (`onet`).
const REFINED: i64 = 24;
const FINAL: i64 = 48;
/// Size of the smallest face that is searched for, in pixels of the picture, and the scale factor of the image pyramid.
const SMALLEST: f64 = 20.0;
const SHRINK: f64 = 0.709;
/// Minimum score for each network.
const SURE: [f64; 3] = [0.5, 0.5, 0.6];
/// More candidates than this are a pattern, not faces; only the most confident ones are examined.
const MOST: usize = 256;

/// The three networks, with the weights of `facenet-pytorch`.
#[derive(Debug)]
pub(super) struct Mtcnn {
    weights: NamedTensors,
}

/// Scores `[N]` and box regressions `[N,4]` of crops, on the host.
struct Judged {
    scores: Vec<f32>,
    corrections: Vec<[f64; 4]>,
}

impl Mtcnn {
    pub fn new(weights: NamedTensors) -> Self {
        Self { weights }
    }

    /// Returns the same networks with shared weights.
    pub fn shared(&self) -> Self {
        let weights = self.weights.iter().map(|(name, weight)| (name.clone(), weight.shallow_clone()));
        Self { weights: weights.collect() }
    }

    /// Returns the faces in `image` `[1,3,H,W]`, RGB, 0..=1, the most confident first.
    ///
    /// # Errors
    /// Returns what libtorch reports, or names a missing tensor.
    pub fn find(&self, image: &Tensor) -> Result<Vec<Candidate>, StyleError> {
        // The value range that the networks were trained on.
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

    /// Returns the first network's candidates for faces of `CELL / scale` pixels in a picture scaled by `scale`.
    fn proposed(&self, image: &Tensor, scale: f64) -> Result<Vec<Candidate>, StyleError> {
        let x = self.filter("pnet", 1, image)?.f_max_pool2d([2, 2], [2, 2], [0, 0], [1, 1], true)?;
        let x = self.filter("pnet", 3, &self.filter("pnet", 2, &x)?)?;
        let scores = self.conv("pnet.conv4_1", &x)?.f_softmax(1, x.kind())?.f_narrow(1, 1, 1)?;
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

    /// Runs `network` (`rnet`, `onet`) on the `boxes` of `image`, each resampled to `side` x `side`.
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
        // The published weights expect columns before rows.
        let x = x.f_permute([0, 3, 2, 1])?.f_contiguous()?.f_view([boxes.len() as i64, -1])?;
        let x = self.dense(&format!("{network}.dense{last}"), &x)?;
        let x = self.bent(&format!("{network}.prelu{last}"), &x)?;
        let out = |part: u32| self.dense(&format!("{network}.dense{}_{part}", last + 1), &x);
        let scores = to_planes(&out(1)?.f_softmax(1, x.kind())?.f_narrow(1, 1, 1)?)?;
        let corrections = to_planes(&out(2)?)?;
        let corrections = corrections.as_chunks::<4>().0.iter().map(|by| by.map(f64::from)).collect();
        Ok(Judged { scores, corrections })
    }

    /// Applies convolution `number` of `network` and its PReLU, whose slope below 0 was learned for each map.
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

/// Returns the part of `square` that lies in `image` `[1,3,H,W]`, resampled to `[1,3,side,side]`.
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tch::{Device, IndexOp, Kind};

    use super::*;
    use crate::weights;

    /// Returns made-up weights in the published shapes, from a linear congruential generator.
    fn made_up() -> NamedTensors {
        let mut state = 1u64;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
        };
        let manifest = weights::known(NAME).unwrap();
        let tensor = |(name, shape): (&String, &Vec<usize>)| {
            let count: usize = shape.iter().product();
            let fan_in = shape[1..].iter().product::<usize>().max(1) as f32;
            let numbers: Vec<f32> = (0..count).map(|_| 3.0 * next() / fan_in.sqrt()).collect();
            let shape: Vec<i64> = shape.iter().map(|&side| side as i64).collect();
            (name.clone(), Tensor::from_slice(&numbers).view(shape.as_slice()))
        };
        manifest.tensors.iter().map(tensor).collect()
    }

    /// Returns a picture `[1,3,h,w]` whose samples depend on channel, row and column.
    fn picture(h: i64, w: i64) -> Tensor {
        let ramp = Tensor::arange(3 * h * w, (Kind::Float, Device::Cpu));
        ((ramp * 0.37).sin() * 0.5).view([1, 3, h, w])
    }

    type Maps = Vec<Vec<Vec<f64>>>;

    fn maps(x: &Tensor) -> Maps {
        let (_, c, h, w) = x.size4().unwrap();
        let at = |c, y, x_| x.double_value(&[0, c, y, x_]);
        (0..c).map(|c| (0..h).map(|y| (0..w).map(|x| at(c, y, x)).collect()).collect()).collect()
    }

    /// The networks as the paper describes them, in plain loops with 64-bit floats.
    struct Plain(NamedTensors);

    impl Plain {
        fn numbers(&self, name: &str) -> Vec<f64> {
            to_planes(&self.0[name]).unwrap().into_iter().map(f64::from).collect()
        }

        fn filter(&self, name: &str, number: u32, x: &Maps) -> Maps {
            let (weight, bent) = (format!("{name}.conv{number}.weight"), format!("{name}.prelu{number}.weight"));
            let sides = self.0[&weight].size();
            let (out, side) = (sides[0] as usize, sides[2] as usize);
            let (h, w) = (x[0].len() + 1 - side, x[0][0].len() + 1 - side);
            let (numbers, i_count) = (self.numbers(&weight), x.len());
            let (bias, bent) = (self.numbers(&format!("{name}.conv{number}.bias")), self.numbers(&bent));
            let value = |o: usize, y: usize, x_: usize| {
                let mut sum = bias[o];
                for (i, map) in x.iter().enumerate() {
                    let kernel = &numbers[(o * i_count + i) * side * side..][..side * side];
                    for (place, number) in kernel.iter().enumerate() {
                        sum += map[y + place / side][x_ + place % side] * number;
                    }
                }
                if sum < 0.0 { sum * bent[o] } else { sum }
            };
            (0..out).map(|o| (0..h).map(|y| (0..w).map(|x| value(o, y, x)).collect()).collect()).collect()
        }

        /// Max pooling with stride 2; windows at the right and lower edge may be cut off.
        fn pooled(x: &Maps, side: usize) -> Maps {
            let count = |length: usize| (length - side).div_ceil(2) + 1;
            let (h, w) = (x[0].len(), x[0][0].len());
            let largest = |map: &Vec<Vec<f64>>, y: usize, x: usize| {
                let rows = map[2 * y..(2 * y + side).min(h)].iter();
                rows.flat_map(|row| &row[2 * x..(2 * x + side).min(w)]).copied().fold(f64::MIN, f64::max)
            };
            let map = |map: &Vec<Vec<f64>>| {
                (0..count(h)).map(|y| (0..count(w)).map(|x| largest(map, y, x)).collect()).collect()
            };
            x.iter().map(map).collect()
        }

        fn dense(&self, name: &str, x: &[f64]) -> Vec<f64> {
            let (weight, bias) = (self.numbers(&format!("{name}.weight")), self.numbers(&format!("{name}.bias")));
            let row = |o: usize| weight[o * x.len()..][..x.len()].iter().zip(x).map(|(a, b)| a * b).sum::<f64>();
            bias.iter().enumerate().map(|(o, bias)| row(o) + bias).collect()
        }

        /// Returns the score and the box regression of a crop.
        fn judge(&self, name: &str, crop: &Tensor) -> (f64, Vec<f64>) {
            let x = Self::pooled(&self.filter(name, 1, &maps(crop)), 3);
            let mut x = self.filter(name, 3, &Self::pooled(&self.filter(name, 2, &x), 3));
            let last = if name == "onet" { 5 } else { 4 };
            if name == "onet" {
                x = self.filter(name, 4, &Self::pooled(&x, 2));
            }
            let mut flat = Vec::new();
            for column in 0..x[0][0].len() {
                for row in 0..x[0].len() {
                    flat.extend(x.iter().map(|map| map[row][column]));
                }
            }
            let hidden = self.dense(&format!("{name}.dense{last}"), &flat).into_iter().enumerate();
            let bent = self.numbers(&format!("{name}.prelu{last}.weight"));
            let hidden: Vec<f64> = hidden.map(|(i, x)| if x < 0.0 { x * bent[i] } else { x }).collect();
            let out = |part: u32| self.dense(&format!("{name}.dense{}_{part}", last + 1), &hidden);
            let logits = out(1);
            (1.0 / (1.0 + (logits[0] - logits[1]).exp()), out(2))
        }
    }

    #[test]
    fn the_two_that_look_closely_compute_what_plain_loops_compute() {
        let (networks, plain) = (Mtcnn::new(made_up()), Plain(made_up()));
        for (name, side) in [("rnet", REFINED), ("onet", FINAL)] {
            let image = picture(side, side);
            // The whole picture; boxes are 1-based, as in the published code.
            let whole = Candidate { left: 1.0, top: 1.0, right: side as f64, bottom: side as f64, score: 1.0 };
            let judged = networks.judge(name, &image, &[whole, whole], side).unwrap();
            let (score, by) = plain.judge(name, &image);
            for place in 0..2 {
                assert!((f64::from(judged.scores[place]) - score).abs() < 1e-4, "{name}: {score}");
                for (found, wanted) in judged.corrections[place].iter().zip(&by) {
                    assert!((found - wanted).abs() < 1e-3, "{name}: {found} {wanted}");
                }
            }
        }
    }

    #[test]
    fn the_first_one_proposes_what_plain_loops_propose() {
        let weights = made_up();
        // Makes every position a confident candidate.
        let _ = weights["pnet.conv4_1.bias"].i(1).fill_(50.0);
        let (h, w) = (17, 23);
        let image = picture(h, w);
        let found = Mtcnn::new(weights).proposed(&image, 0.5).unwrap();
        let plain = Plain(made_up());
        let x = plain.filter(
            "pnet",
            3,
            &plain.filter("pnet", 2, &Plain::pooled(&plain.filter("pnet", 1, &maps(&image)), 2)),
        );
        assert_eq!(found.len(), x[0].len() * x[0][0].len());
        let (row, column) = (1, 2);
        let place = found[row * x[0][0].len() + column];
        let here: Vec<f64> = x.iter().map(|map| map[row][column]).collect();
        let by = plain.dense("pnet.conv4_2", &here);
        // Windows of 12 pixels with stride 2, in a picture of half the size.
        let wanted = [10.0 + 24.0 * by[0], 6.0 + 24.0 * by[1], 34.0 + 24.0 * by[2], 30.0 + 24.0 * by[3]];
        for (found, wanted) in [place.left, place.top, place.right, place.bottom].iter().zip(wanted) {
            assert!((found - wanted).abs() < 0.02, "{place:?} {wanted}");
        }
    }

    #[test]
    fn a_missing_tensor_is_named() {
        let mut weights = made_up();
        weights.remove("rnet.dense5_1.bias");
        let networks = Mtcnn::new(weights);
        let whole = Candidate { left: 1.0, top: 1.0, right: 24.0, bottom: 24.0, score: 1.0 };
        let error = networks.judge("rnet", &picture(24, 24), &[whole], REFINED).err().unwrap();
        assert!(error.to_string().contains("rnet.dense5_1.bias"), "{error}");
    }

    #[test]
    fn flat_pictures_and_tiny_ones_are_no_trouble() {
        let networks = Mtcnn::new(made_up());
        for (h, w) in [(8, 8), (19, 300), (64, 64)] {
            networks.find(&Tensor::full([1, 3, h, w], 0.5, (Kind::Float, Device::Cpu))).unwrap();
        }
    }
}
