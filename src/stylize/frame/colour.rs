//! Colour handling: matches one picture's colours to another's, or keeps the clip's own.

use tch::{Device, Kind, Tensor};

use crate::media::LUMA;
use crate::stylize::StyleError;

/// Keeps the covariances of grey or flat pictures invertible; (1/255)^2 is too small to see.
const RIDGE: f64 = 1.0 / (255.0 * 255.0);
/// No colour difference is amplified more than this. The chroma of a black-and-white film is a compression residue:
/// matched fully to a painting's chroma, it turns into patches of yellow that come and go.
const MOST_GAIN: f64 = 3.0;

/// Mean `[3,1]` and covariance `[3,3]` of a picture's RGB pixels, float64 on the CPU.
struct Statistics {
    mean: Tensor,
    covariance: Tensor,
}

fn statistics(image: &Tensor) -> Result<Statistics, StyleError> {
    let pixels = image.f_detach()?.f_to_device(Device::Cpu)?.f_to_kind(Kind::Double)?.f_reshape([3, -1])?;
    let count = pixels.size()[1] as f64;
    let mean = pixels.f_mean_dim(1, true, Kind::Double)?;
    let centred = pixels.f_sub(&mean)?;
    let ridge = Tensor::f_eye(3, (Kind::Double, Device::Cpu))?.f_mul_scalar(RIDGE)?;
    let covariance = centred.f_matmul(&centred.f_tr()?)?.f_div_scalar(count)?.f_add(&ridge)?;
    Ok(Statistics { mean, covariance })
}

/// A power of a symmetric positive `[3,3]` matrix.
fn power(matrix: &Tensor, exponent: f64) -> Result<Tensor, StyleError> {
    let (values, vectors) = matrix.f_linalg_eigh("L")?;
    let scaled = vectors.f_mul(&values.f_clamp_min(1e-12)?.f_pow_tensor_scalar(exponent)?.f_unsqueeze(0)?)?;
    Ok(scaled.f_matmul(&vectors.f_tr()?)?)
}

/// The affine map x -> A x + b on RGB.
#[derive(Debug)]
pub struct ColourMap {
    /// `[3,3,1,1]`
    matrix: Tensor,
    /// `[3]`
    offset: Tensor,
}

impl ColourMap {
    /// The linear Monge-Kantorovich map between the two pictures' RGB Gaussians: of all linear maps that give
    /// `from` the mean and covariance of `to`, the one that moves colours least.
    /// A = S^-1/2 (S^1/2 T S^1/2)^1/2 S^-1/2 for covariances S of `from` and T of `to`, its eigenvalues bounded by 3.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn between(from: &Tensor, to: &Tensor) -> Result<Self, StyleError> {
        let (source, target) = (statistics(from)?, statistics(to)?);
        let root = power(&source.covariance, 0.5)?;
        let inverse = power(&source.covariance, -0.5)?;
        let middle = power(&root.f_matmul(&target.covariance)?.f_matmul(&root)?, 0.5)?;
        let (gains, axes) = inverse.f_matmul(&middle)?.f_matmul(&inverse)?.f_linalg_eigh("L")?;
        let gains = gains.f_clamp_max(MOST_GAIN)?.f_unsqueeze(0)?;
        let matrix = axes.f_mul(&gains)?.f_matmul(&axes.f_tr()?)?;
        let offset = target.mean.f_sub(&matrix.f_matmul(&source.mean)?)?;
        let device = from.device();
        Ok(Self {
            matrix: matrix.f_reshape([3, 3, 1, 1])?.f_to_kind(Kind::Float)?.f_to_device(device)?,
            offset: offset.f_reshape(3)?.f_to_kind(Kind::Float)?.f_to_device(device)?,
        })
    }

    /// Returns the same map; the tensors are shared.
    pub fn shared(&self) -> Self {
        Self { matrix: self.matrix.shallow_clone(), offset: self.offset.shallow_clone() }
    }

    /// Applies the map to `[1,3,H,W]` and clamps to 0..=1.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn apply(&self, image: &Tensor) -> Result<Tensor, StyleError> {
        let mapped = image.f_conv2d(&self.matrix, Some(&self.offset), [1, 1], [0, 0], [1, 1], 1)?;
        Ok(mapped.f_clamp(0.0, 1.0)?)
    }
}

/// Combines the painting's lightness with the content's colours: content + (luma of painted - luma of content), per
/// pixel. Both pictures are `[1,3,H,W]`.
///
/// # Errors
/// Returns what libtorch reports.
pub fn keep_colours(painted: &Tensor, content: &Tensor) -> Result<Tensor, StyleError> {
    let weights = Tensor::f_from_slice(&LUMA)?.f_view([1, 3, 1, 1])?.f_to_device(painted.device())?;
    let difference =
        painted.f_sub(content)?.f_mul(&weights)?.f_sum_dim_intlist([1i64].as_slice(), true, Kind::Float)?;
    Ok(content.f_add(&difference)?.f_clamp(0.0, 1.0)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_map_gives_the_mean_and_covariance_of_its_target() {
        tch::manual_seed(3);
        let options = (Kind::Float, Device::Cpu);
        let from = Tensor::rand([1, 3, 40, 30], options) * 0.3 + 0.2;
        let mix = Tensor::from_slice(&[0.5f32, 0.3, 0.1, 0.1, 0.4, 0.1, 0.0, 0.2, 0.3]).view([3, 3, 1, 1]);
        let to = Tensor::rand([1, 3, 20, 50], options).conv2d(&mix, None::<&Tensor>, [1, 1], [0, 0], [1, 1], 1);
        let mapped = ColourMap::between(&from, &to).unwrap().apply(&from).unwrap();
        let (found, wanted) = (statistics(&mapped).unwrap(), statistics(&to).unwrap());
        assert!(f64::try_from((found.mean - wanted.mean).abs().max()).unwrap() < 2e-3);
        assert!(f64::try_from((found.covariance - wanted.covariance).abs().max()).unwrap() < 1e-3);
    }

    #[test]
    fn what_compression_left_of_a_grey_picture_is_not_painted_as_colour() {
        tch::manual_seed(3);
        let options = (Kind::Float, Device::Cpu);
        let grey = Tensor::rand([1, 1, 40, 30], options).expand([1, 3, 40, 30], false);
        let noise = (Tensor::rand([1, 3, 40, 30], options) - 0.5) * (4.0 / 255.0);
        let to = Tensor::rand([1, 3, 20, 50], options) * 0.5 + 0.25;
        let map = ColourMap::between(&(&grey + &noise), &to).unwrap();
        let chroma = |x: Tensor| {
            f64::try_from((&x - x.mean_dim(1, true, Kind::Float)).square().mean(Kind::Float).sqrt()).unwrap()
        };
        let (before, after) = (chroma(&grey + &noise), chroma(map.apply(&(&grey + &noise)).unwrap()));
        assert!(after <= 3.01 * before, "{before} became {after}");
    }

    #[test]
    fn a_flat_picture_is_mapped_without_nan() {
        let flat = Tensor::full([1, 3, 8, 8], 0.5, (Kind::Float, Device::Cpu));
        let to = Tensor::rand([1, 3, 8, 8], (Kind::Float, Device::Cpu));
        let mapped = ColourMap::between(&flat, &to).unwrap().apply(&flat).unwrap();
        assert!(bool::try_from(mapped.isfinite().all()).unwrap());
    }

    #[test]
    fn kept_colours_have_the_paintings_luma_and_the_contents_chroma() {
        let content = Tensor::full([1, 3, 2, 2], 0.4, (Kind::Float, Device::Cpu));
        let painted = Tensor::from_slice(&[0.6f32, 0.5, 0.4]).view([1, 3, 1, 1]).expand([1, 3, 2, 2], false);
        let luma = 0.2126 * 0.6 + 0.7152 * 0.5 + 0.0722 * 0.4;
        let kept = keep_colours(&painted, &content).unwrap();
        assert!(f64::try_from((kept - luma).abs().max()).unwrap() < 1e-6, "grey content stays grey, with the new luma");
    }
}
