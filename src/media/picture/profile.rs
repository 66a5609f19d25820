//! Converts samples from their ICC colour profile to sRGB.

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use crate::media::{Model, Pixels};

/// A profile whose colours differ from sRGB by no more than this, which is invisible, counts as sRGB.
const SAME: f32 = 1.6 / 255.0;

/// Converts samples to sRGB and returns a note for the user; `None` if no conversion was necessary.
///
/// # Errors
/// Returns why the profile cannot be used.
pub(super) fn apply(pixels: &mut Pixels, profile: &[u8], model: Model) -> Result<Option<String>, &'static str> {
    let profile = ColorProfile::new_from_slice(profile).map_err(|_| "it cannot be read")?;
    let layout = match (profile.color_space, model) {
        (DataColorSpace::Rgb, _) => Layout::Rgb,
        (DataColorSpace::Gray, Model::Grey) => Layout::Gray,
        _ => return Err("it is for other samples than these"),
    };
    let channels = if layout == Layout::Rgb { 3 } else { 1 };
    let srgb = ColorProfile::new_srgb();
    let made = profile.create_transform_f32(layout, &srgb, Layout::Rgb, TransformOptions::default());
    let transform = made.map_err(|_| "it is of a kind that is not known here")?;
    if channels == 3 && is_same(|from, to| transform.transform(from, to).is_ok()) {
        return Ok(None);
    }
    let plane = pixels.width * pixels.height;
    let mut before: Vec<f32> = Vec::with_capacity(channels * pixels.width);
    let mut after = vec![0.0; 3 * pixels.width];
    for row in 0..pixels.height {
        before.clear();
        let begin = row * pixels.width;
        for at in begin..begin + pixels.width {
            before.extend((0..channels).map(|channel| pixels.rgb[channel * plane + at]));
        }
        transform.transform(&before, &mut after).map_err(|_| "it cannot be applied")?;
        for (at, rgb) in (begin..).zip(after.chunks_exact(3)) {
            for (channel, &value) in rgb.iter().enumerate() {
                pixels.rgb[channel * plane + at] = super::unit(value);
            }
        }
    }
    Ok(Some("its colour profile is turned into sRGB".into()))
}

/// Returns whether a transform leaves a grid of colours unchanged.
fn is_same(transform: impl Fn(&[f32], &mut [f32]) -> bool) -> bool {
    const STEPS: usize = 6;
    let level = |step: usize| step as f32 / (STEPS - 1) as f32;
    let colours: Vec<f32> = (0..STEPS * STEPS * STEPS)
        .flat_map(|n| [level(n % STEPS), level(n / STEPS % STEPS), level(n / STEPS / STEPS)])
        .collect();
    let mut after = vec![0.0; colours.len()];
    transform(&colours, &mut after) && colours.iter().zip(&after).all(|(before, after)| (before - after).abs() <= SAME)
}

/// Converts 8-bit inks (0: none), four per pixel, to sRGB in 0..=1, three per pixel; `None` if the profile is not for
/// CMYK.
pub(super) fn of_inks(inks: &[u8], profile: &[u8]) -> Option<Vec<f32>> {
    let profile = ColorProfile::new_from_slice(profile).ok()?;
    if profile.color_space != DataColorSpace::Cmyk {
        return None;
    }
    let srgb = ColorProfile::new_srgb();
    let transform =
        profile.create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgb, TransformOptions::default()).ok()?;
    let mut after = vec![0; inks.len() / 4 * 3];
    transform.transform(inks, &mut after).ok()?;
    Some(after.into_iter().map(|value| f32::from(value) / 255.0).collect())
}
