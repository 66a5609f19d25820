//! Small square images: patches of a picture, and projections, all of a layer at one size.

use image::RgbImage;

use crate::media::area;

/// Grey value in patches for the area outside a picture.
const OUTSIDE: u8 = 128;
/// Largest side of a tile: smaller fields are enlarged by an integer factor up to this, larger ones reduced to it.
const LARGEST: usize = 96;

/// Returns the side in pixels of the tiles of a layer with a receptive field of `field` pixels.
pub fn side(field: usize) -> usize {
    if field <= LARGEST { field * (LARGEST / field.max(1)) } else { LARGEST }
}

/// Cuts out the square of `size` pixels at (`left`, `top`), which may extend beyond the picture; returns planes of
/// `[3,size,size]` in 0..=255.
pub fn patch(picture: &RgbImage, left: i64, top: i64, size: usize) -> Vec<f32> {
    let mut planes = vec![f32::from(OUTSIDE); 3 * size * size];
    for y in 0..size {
        for x in 0..size {
            let (Ok(px), Ok(py)) = (u32::try_from(left + x as i64), u32::try_from(top + y as i64)) else { continue };
            if let Some(pixel) = picture.get_pixel_checked(px, py) {
                for (channel, &value) in pixel.0.iter().enumerate() {
                    planes[channel * size * size + y * size + x] = f32::from(value);
                }
            }
        }
    }
    planes
}

/// Resizes planes of `[3,size,size]` as [`plane`] does.
pub fn resized(planes: &[f32], size: usize, to: usize) -> Vec<f32> {
    planes.chunks_exact((size * size).max(1)).flat_map(|one| plane(one, [size; 2], [to; 2])).collect()
}

/// Resizes one plane from width and height `from` to `to`: enlarged by repeating samples, or reduced to the mean of the
/// area that each sample covers.
pub fn plane(values: &[f32], from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
    if from[0] > to[0] {
        return area::shrunk(values, from.into(), to.into());
    }
    let first = |axis: usize, at: usize| at * from[axis] / to[axis];
    (0..to[0] * to[1]).map(|i| values[first(1, i / to[0]) * from[0] + first(0, i % to[0])]).collect()
}

/// Returns half the value range in which the projections of one unit are shown. All nine share it, so that they can be
/// compared; it is the median of their own ranges, so that a single strong one does not leave the others grey.
pub fn contrast<'a>(projections: impl Iterator<Item = &'a [f32]>) -> f32 {
    let mut own: Vec<f32> = projections.filter_map(range).collect();
    own.sort_by(f32::total_cmp);
    own.get(own.len() / 2).copied().unwrap_or(1.0)
}

/// Returns the 99.5th percentile of a projection's nonzero absolute values; `None` if all samples are zero or that
/// value is not finite.
fn range(projection: &[f32]) -> Option<f32> {
    let mut values: Vec<f32> = projection.iter().map(|value| value.abs()).filter(|value| *value > 0.0).collect();
    let place = values.len() * 995 / 1000;
    if values.is_empty() {
        return None;
    }
    let (_, value, _) = values.select_nth_unstable_by(place, f32::total_cmp);
    Some(*value).filter(|value| value.is_finite())
}

/// Converts a projection to planes in 0..=255: grey is zero, brighter is more of a colour, darker less.
pub fn shown(projection: &[f32], contrast: f32) -> Vec<f32> {
    projection.iter().map(|value| 127.5 + 127.5 * (value / contrast).clamp(-1.0, 1.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_whole_multiples_or_no_larger_than_the_largest() {
        assert_eq!([1, 7, 24, 35, 59, 96, 97, 252].map(side), [96, 91, 96, 70, 59, 96, 96, 96]);
    }

    #[test]
    fn a_patch_beyond_the_border_is_grey_there() {
        let picture = RgbImage::from_fn(4, 3, |x, y| image::Rgb([x as u8 * 10, y as u8 * 10, 7]));
        let planes = patch(&picture, -1, 1, 3);
        assert_eq!(planes[..9], [128.0, 0.0, 10.0, 128.0, 0.0, 10.0, 128.0, 128.0, 128.0]);
        assert_eq!(planes[18..], [128.0, 7.0, 7.0, 128.0, 7.0, 7.0, 128.0, 128.0, 128.0]);
    }

    #[test]
    fn sizes_change_by_repeating_or_by_means() {
        let plane: Vec<f32> = [1.0, 2.0, 3.0, 4.0].repeat(3);
        assert_eq!(resized(&plane, 2, 4)[..8], [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0]);
        assert_eq!(resized(&plane, 2, 1), [2.5, 2.5, 2.5]);
        let whole: Vec<f32> = (0..75).map(|i| i as f32).collect();
        assert_eq!(resized(&whole, 5, 5), whole);
        assert_eq!(resized(&whole, 5, 3).len(), 27);
    }

    #[test]
    fn all_nine_have_one_contrast() {
        let [weak, usual, strong] = [0.5f32, -2.0, 9.0].map(|value| vec![value; 1000]);
        let scale = contrast([&strong, &weak, &usual].into_iter().map(Vec::as_slice));
        assert_eq!(scale, 2.0);
        assert_eq!(shown(&[0.0, 1.0, -2.0, 9.0], scale), [127.5, 191.25, 0.0, 255.0]);
        // A single spike does not determine the contrast.
        let mut spiked = vec![1.0f32; 1000];
        spiked[17] = 100.0;
        assert_eq!(contrast([spiked.as_slice()].into_iter()), 1.0);
        assert_eq!(contrast([[0.0f32; 4].as_slice()].into_iter()), 1.0);
    }
}
