//! Ranks units by their relevance to a style: shares of the Gram distance between the footage and the painting, and the
//! lambdas that follow from the distances.

use std::fmt::Write;

use super::ExploreError;
use super::pictures::scaled;
use super::state::State;
use crate::stylize::probe::{Probe, style_picture};

/// Distance between the footage and the style in one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerRank {
    pub layer: String,
    /// sum (G-A)^2 / sum A^2, as in the loss convention `relative`.
    pub distance: f64,
    /// Units and their shares of the distance, which sum to 1, largest first.
    pub shares: Vec<(usize, f64)>,
}

/// Returns the style's Gram matrices, blended by weight, with the index of their layer.
///
/// # Errors
/// If a picture cannot be read, or what libtorch reports.
pub fn style_grams(
    probe: &Probe,
    layers: &[usize],
    styles: &[(String, f64)],
    size: usize,
) -> Result<Vec<(usize, Vec<f64>)>, ExploreError> {
    let total: f64 = styles.iter().map(|(_, weight)| weight).sum();
    let mut blended: Vec<(usize, Vec<f64>)> = Vec::new();
    for (image, weight) in styles {
        let picture = scaled(&style_picture(image)?, size);
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let pixels = crate::media::Pixels::from_rgb8(width, height, picture.as_raw());
        for sight in probe.look(&pixels, layers, layers)? {
            let gram = sight.gram.unwrap_or_default();
            let slot = match blended.iter_mut().find(|(layer, _)| *layer == sight.layer) {
                Some((_, slot)) => slot,
                None => {
                    blended.push((sight.layer, vec![0.0; gram.len()]));
                    let last = blended.len() - 1;
                    &mut blended[last].1
                }
            };
            slot.iter_mut().zip(gram).for_each(|(slot, value)| *slot += f64::from(value) * weight / total);
        }
    }
    Ok(blended)
}

/// Ranks the units of each layer for which both the footage and the style were large enough.
pub fn rank(probe: &Probe, state: &State, styles: &[(usize, Vec<f64>)]) -> Vec<LayerRank> {
    let one = |(layer, style): &(usize, Vec<f64>)| {
        let name = probe.shapes()[*layer].name.clone();
        let sum = state.grams.get(&name).filter(|sum| sum.pictures > 0)?;
        let footage: Vec<f64> = sum.sum.iter().map(|value| value / sum.pictures as f64).collect();
        Some(compare(name, sum.channels, &footage, style))
    };
    styles.iter().filter_map(one).collect()
}

/// Compares two Gram matrices; a unit's share is its row's part of sum (G-A)^2.
fn compare(layer: String, channels: usize, footage: &[f64], style: &[f64]) -> LayerRank {
    let rows = footage.chunks(channels).zip(style.chunks(channels));
    let parts: Vec<f64> = rows.map(|(g, a)| g.iter().zip(a).map(|(g, a)| (g - a).powi(2)).sum()).collect();
    let total: f64 = parts.iter().sum();
    let energy: f64 = style.iter().map(|a| a * a).sum();
    let share = |part: f64| if total > 0.0 { part / total } else { 0.0 };
    let mut shares: Vec<(usize, f64)> = parts.iter().map(|&part| share(part)).enumerate().collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    LayerRank { layer, distance: total / energy.max(1e-24), shares }
}

/// Returns the lambdas with which every style layer contributes equally on the unpainted footage: lambda_l proportional
/// to 1/E_l, with sum 1. A layer that is close already (E_l below a thousandth of the largest) is not raised further.
/// `None` if a layer is missing, or nothing differs.
pub fn lambdas(ranks: &[LayerRank], style_layers: &[String]) -> Option<Vec<f64>> {
    let find = |name: &String| ranks.iter().find(|rank| rank.layer == *name).map(|rank| rank.distance);
    let distances: Vec<f64> = style_layers.iter().map(find).collect::<Option<_>>()?;
    let largest = distances.iter().copied().fold(0.0, f64::max);
    if largest <= 0.0 || !largest.is_finite() {
        return None;
    }
    let inverse: Vec<f64> = distances.iter().map(|distance| distance.max(largest * 1e-3).recip()).collect();
    let sum: f64 = inverse.iter().sum();
    Some(inverse.iter().map(|value| value / sum).collect())
}

/// Formats the ranking as text, with lines for a preset.
pub fn table(ranks: &[LayerRank], style_layers: &[String]) -> String {
    let mut text = String::from("Units by their share of the Gram distance between the footage and the style:\n\n");
    let width = ranks.iter().map(|rank| rank.layer.len()).max().unwrap_or(0).max(5);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{:width$}  {:>9}  unit (share)", "layer", "E");
    for rank in ranks {
        let units: Vec<String> =
            rank.shares.iter().take(9).map(|(unit, share)| format!("{unit} ({:.1} %)", 100.0 * share)).collect();
        let _ = writeln!(text, "{:width$}  {:>9.4}  {}", rank.layer, rank.distance, units.join(", "));
    }
    match lambdas(ranks, style_layers) {
        Some(lambdas) => {
            let numbers: Vec<String> = lambdas.iter().map(|value| format!("{value:.3}")).collect();
            let _ = write!(
                text,
                "\nWith these each layer pulls alike on the footage as it is; raise the layers whose units show what \
                 you want:\n\n[loss]\nconvention = \"relative\"\nstyle_weights = [{}]    # {}\n",
                numbers.join(", "),
                style_layers.join(", ")
            );
        }
        None => text.push_str("\nNo lambdas: footage and style do not differ, or are too small for a style layer.\n"),
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rows_of_the_distance() {
        let rank = compare("a".into(), 2, &[1.0, 2.0, 2.0, 5.0], &[1.0, 0.0, 0.0, 2.0]);
        // (G-A)^2: 0 4 / 4 9.
        assert_eq!(rank.shares, [(1, 13.0 / 17.0), (0, 4.0 / 17.0)]);
        assert_eq!(rank.distance, 17.0 / 5.0);
    }

    #[test]
    fn each_layer_pulls_alike() {
        let names = ["a", "b", "c", "d", "e"].map(str::to_owned);
        let ranks: Vec<LayerRank> = names
            .iter()
            .zip([0.5, 1.0, 2.0, 4.0, 0.0])
            .map(|(name, distance)| LayerRank { layer: name.clone(), distance, shares: Vec::new() })
            .collect();
        let found = lambdas(&ranks, &names).unwrap();
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let pulls: Vec<f64> = found.iter().zip(&ranks).map(|(lambda, rank)| lambda * rank.distance).take(4).collect();
        assert!(pulls.iter().all(|pull| (pull - pulls[0]).abs() < 1e-12), "{pulls:?}");
        assert!(found[4] / found[3] <= 1000.0 + 1e-9);
        assert_eq!(lambdas(&ranks[..4], &names), None);
        assert!(table(&ranks, &names).contains("style_weights = ["));
    }
}
