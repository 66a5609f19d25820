//! Fills the transparent parts of a picture that is used for its texture only.

use crate::media::Pixels;

/// A pixel with less opacity than this counts as transparent.
const OPAQUE: f32 = 0.5;

/// Fills transparent parts with their opaque neighbours, mirrored, so that neither the colours hidden under them nor
/// the hole itself count as texture. A picture that is opaque everywhere or transparent everywhere keeps its samples.
/// The result has no alpha.
#[must_use]
pub fn without_holes(mut pixels: Pixels) -> Pixels {
    let Some(alpha) = pixels.alpha.take() else { return pixels };
    let (width, height) = (pixels.width, pixels.height);
    let seen = |x: usize, y: usize| alpha[y * width + x] >= OPAQUE;
    let rows: Vec<Option<(Vec<usize>, usize)>> = (0..height).map(|y| row(width, |x| seen(x, y))).collect();
    let Some(whole) = row(height, |y| rows[y].is_some()) else { return pixels };
    if alpha.iter().all(|&alpha| alpha >= OPAQUE) {
        return pixels;
    }
    let plane = width * height;
    let before = pixels.rgb.clone();
    for y in 0..height {
        let from = whole.0[y];
        let Some((columns, _)) = &rows[from] else { continue };
        for (x, &column) in columns.iter().enumerate() {
            for channel in 0..3 {
                pixels.rgb[channel * plane + y * width + x] = before[channel * plane + from * width + column];
            }
        }
    }
    pixels
}

/// Returns, for each position on a line, the position whose sample is shown there: itself if it counts, else its mirror
/// image in the nearest run of positions that count. Also returns the number of runs; `None` if no position counts.
fn row(length: usize, counts: impl Fn(usize) -> bool) -> Option<(Vec<usize>, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for place in (0..length).filter(|&place| counts(place)) {
        match runs.last_mut() {
            Some((_, end)) if *end == place => *end += 1,
            _ => runs.push((place, place + 1)),
        }
    }
    let far = |(begin, end): (usize, usize), place: usize| {
        if place < begin { begin - place } else { (place + 1).saturating_sub(end) }
    };
    let shown = (0..length).map(|place| {
        let (begin, end) = runs.iter().copied().min_by_key(|&run| far(run, place))?;
        let width = end - begin;
        let into = match far((begin, end), place) {
            0 => return Some(place),
            // The mirroring repeats back and forth inside the run.
            distance => (distance - 1) % (2 * width),
        };
        let into = if into < width { into } else { 2 * width - 1 - into };
        Some(if place < begin { begin + into } else { end - 1 - into })
    });
    Some((shown.collect::<Option<Vec<_>>>()?, runs.len()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn holes_show_their_neighbours_mirrored() {
        let opaque = [false, false, true, true, false, false, false, true];
        let (shown, _) = row(8, |place| opaque[place]).unwrap();
        assert_eq!(shown, [3, 2, 2, 3, 3, 2, 7, 7]);
        assert_eq!(row(3, |_| false), None);
    }

    #[test]
    fn hidden_colours_are_gone() {
        let rgb = [[0.2, 0.4, 9.0, 9.0], [0.2, 0.4, 9.0, 9.0], [0.2, 0.4, 9.0, 9.0]].concat();
        let holey = Pixels { width: 2, height: 2, rgb, alpha: Some(vec![1.0, 1.0, 0.0, 0.0]) };
        let whole = without_holes(holey);
        assert_eq!(whole.rgb[..4], [0.2, 0.4, 0.2, 0.4]);
        let clear = Pixels { width: 1, height: 1, rgb: vec![0.5; 3], alpha: Some(vec![0.0]) };
        assert_eq!(without_holes(clear).rgb, [0.5; 3]);
    }
}
