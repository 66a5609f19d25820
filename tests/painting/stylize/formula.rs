//! Weights and pictures computed from a formula. `scripts/formula.py` computes the same values and documents the
//! formula.

use stylize_video::stylize::backbone::NamedTensors;
use stylize_video::weights::known;
use tch::{Kind, Tensor};

/// FNV-1a.
pub fn seed(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

/// Splitmix64 hash of a position, as a multiple of 2^-23 in -1..1.
fn spread(seed: u64, place: u64) -> f64 {
    let mut z = seed.wrapping_add(place.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    (z >> 40) as f64 / 8_388_608.0 - 1.0
}

/// Returns values distributed uniformly over -bound..bound.
pub fn uniform(name: &str, shape: &[i64], bound: f64) -> Tensor {
    let count = shape.iter().product::<i64>() as u64;
    let start = seed(name);
    let mut values = vec![0f32; count as usize];
    for (value, place) in values.iter_mut().zip(1..=count) {
        *value = (spread(start, place) * bound) as f32;
    }
    Tensor::from_slice(&values).view(shape)
}

/// Returns every weight tensor of a network, as 32-bit floats.
pub fn weights(network: &str) -> NamedTensors {
    let manifest = known(network).unwrap();
    let tensor = |(name, shape): (String, Vec<usize>)| {
        let shape: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
        let bound = if shape.len() == 4 { (6.0 / shape[1..].iter().product::<i64>() as f64).sqrt() } else { 0.1 };
        let tensor = uniform(&name, &shape, bound);
        (name, tensor)
    };
    manifest.tensors.into_iter().map(tensor).collect()
}

/// Returns copies of the tensors.
#[allow(dead_code, reason = "the bench builds each network once")]
pub fn copies(weights: &NamedTensors) -> NamedTensors {
    weights.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect()
}

/// Returns a picture `[1,3,H,W]` in 0..=1, 32-bit.
pub fn picture(kind: usize, height: usize, width: usize) -> Tensor {
    let mut values = Vec::with_capacity(3 * height * width);
    for c in 0..3 {
        for y in 0..height {
            for x in 0..width {
                let step = x * (3 + kind) + y * (5 + 3 * kind) + c * 53 + x * y * kind / 16;
                values.push(((step % 256) as f64 / 255.0) as f32);
            }
        }
    }
    Tensor::from_slice(&values).view([1, 3, height as i64, width as i64])
}

/// Returns the same numbers in double precision.
#[allow(dead_code, reason = "the bench measures in 32 bits")]
pub fn doubled(weights: NamedTensors) -> NamedTensors {
    weights.into_iter().map(|(name, tensor)| (name, tensor.to_kind(Kind::Double))).collect()
}
