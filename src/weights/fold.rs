//! Folds batch norm into the convolution before it, in float64.

use std::collections::BTreeMap;

use super::{Array, BatchNorm, Manifest, TensorProblem};

const PARTS: [&str; 4] = ["weight", "bias", "running_mean", "running_var"];

/// Returns the tensors of the published file, with their shapes: each convolution without bias, and its batch norm.
/// Tensors without batch norm are the same as in the installed file.
pub(super) fn published(manifest: &Manifest, norm: &BatchNorm) -> BTreeMap<String, Vec<usize>> {
    let mut tensors = manifest.tensors.clone();
    for (name, normed) in &norm.convolutions {
        let Some(shape) = tensors.remove(&format!("{name}.weight")) else { continue };
        tensors.remove(&format!("{name}.bias"));
        for part in PARTS {
            tensors.insert(format!("{}.{part}", normed.norm), shape[..1].to_vec());
        }
        tensors.insert(format!("{}.weight", normed.convolution), shape);
    }
    tensors
}

/// Converts published tensors to installed ones: weight times `s`, and bias `beta - mean s`, where `s` is `gamma /
/// sqrt(variance + epsilon)` of the output channel.
///
/// # Errors
/// The published tensor that is missing or does not fold into finite numbers.
pub(super) fn fold(
    mut arrays: BTreeMap<String, Array>,
    norm: &BatchNorm,
) -> Result<BTreeMap<String, Array>, (String, TensorProblem)> {
    for (name, normed) in &norm.convolutions {
        let mut take = |tensor: String| arrays.remove(&tensor).ok_or((tensor, TensorProblem::Missing));
        let mut weight = take(format!("{}.weight", normed.convolution))?;
        let [gamma, beta, mean, variance] = PARTS.map(|part| take(format!("{}.{part}", normed.norm)));
        let (gamma, beta, mean, variance) = (gamma?.data, beta?.data, mean?.data, variance?.data);
        let scales: Vec<f64> =
            gamma.iter().zip(&variance).map(|(&g, &v)| f64::from(g) / (f64::from(v) + norm.epsilon).sqrt()).collect();
        if let Some(index) = scales.iter().position(|scale| !scale.is_finite()) {
            return Err((format!("{}.running_var", normed.norm), TensorProblem::NotFinite { index }));
        }
        let per_channel = (weight.data.len() / scales.len().max(1)).max(1);
        for (channel, scale) in weight.data.chunks_mut(per_channel).zip(&scales) {
            channel.iter_mut().for_each(|number| *number = (f64::from(*number) * scale) as f32);
        }
        let bias: Vec<f32> = beta
            .iter()
            .zip(mean.iter().zip(&scales))
            .map(|(&beta, (&mean, scale))| (f64::from(beta) - f64::from(mean) * scale) as f32)
            .collect();
        let bias = Array { shape: vec![bias.len()], data: bias };
        for (array, published) in
            [(&weight, format!("{}.weight", normed.convolution)), (&bias, format!("{}.bias", normed.norm))]
        {
            if let Some(index) = array.data.iter().position(|number| !number.is_finite()) {
                return Err((published, TensorProblem::NotFinite { index }));
            }
        }
        arrays.insert(format!("{name}.weight"), weight);
        arrays.insert(format!("{name}.bias"), bias);
    }
    Ok(arrays)
}
