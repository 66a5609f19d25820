//! Reads the rotation of a video from its container.

use ffmpeg_next::{Stream, packet};

/// The rotation or mirroring that makes a stored picture upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rotation {
    /// The filters, to append to a filter chain: empty, or for example `,hflip`.
    pub filter: &'static str,
    /// Whether width and height are exchanged.
    pub swaps: bool,
}

impl Rotation {
    /// No rotation.
    pub const NONE: Self = Self { filter: "", swaps: false };

    /// Returns the filter's name for FFmpeg, or `none` if the picture is stored upright.
    pub fn name(self) -> &'static str {
        if self.filter.is_empty() { "none" } else { self.filter.trim_start_matches(',') }
    }

    /// Returns a warning if the display matrix of a stream is neither a quarter turn nor a mirroring.
    pub fn note(stream: &Stream) -> Option<String> {
        let [a, b, c, d] = Self::matrix(stream)?.map(|entry| i64::from(entry).abs());
        let (large, small) = ((a + d).max(b + c), (a + d).min(b + c));
        let is_odd = large == 0 || small * 50 > large;
        is_odd.then(|| "its display matrix is no quarter turn: its pictures are turned to the nearest".to_owned())
    }

    /// Returns the upper left 2x2 entries of the display matrix.
    fn matrix(stream: &Stream) -> Option<[i32; 4]> {
        let matrix = stream.side_data().find(|data| data.kind() == packet::side_data::Type::DisplayMatrix)?;
        let entry = |index: usize| -> Option<i32> {
            Some(i32::from_ne_bytes(matrix.data().get(4 * index..4 * index + 4)?.try_into().ok()?))
        };
        Some([entry(0)?, entry(1)?, entry(3)?, entry(4)?])
    }

    /// Reads the display matrix of a stream. Only quarter turns and mirrorings are supported; anything between is
    /// rounded to the nearest of them.
    pub fn of(stream: &Stream) -> Self {
        let [a, b, c, d] = Self::matrix(stream).unwrap_or([1, 0, 0, 1]);
        Self::from_matrix(a, b, c, d)
    }

    /// A stored point (x, y) is shown at (a x + c y, b x + d y), y downwards.
    fn from_matrix(a: i32, b: i32, c: i32, d: i32) -> Self {
        let swaps = i64::from(b).abs() + i64::from(c).abs() > i64::from(a).abs() + i64::from(d).abs();
        let filter = match (swaps, if swaps { c < 0 } else { a < 0 }, if swaps { b < 0 } else { d < 0 }) {
            (false, false, false) => "",
            (false, true, false) => ",hflip",
            (false, false, true) => ",vflip",
            (false, true, true) => ",hflip,vflip",
            (true, false, false) => ",transpose=dir=cclock_flip",
            (true, true, false) => ",transpose=dir=clock",
            (true, false, true) => ",transpose=dir=cclock",
            (true, true, true) => ",transpose=dir=clock_flip",
        };
        Self { filter, swaps }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarter_turns_and_mirrorings() {
        assert_eq!(Rotation::from_matrix(65536, 0, 0, 65536).filter, "");
        assert_eq!(Rotation::from_matrix(0, 65536, -65536, 0).filter, ",transpose=dir=clock");
        assert_eq!(Rotation::from_matrix(0, -65536, 65536, 0).filter, ",transpose=dir=cclock");
        assert_eq!(Rotation::from_matrix(-65536, 0, 0, -65536).filter, ",hflip,vflip");
        assert_eq!(Rotation::from_matrix(-65536, 0, 0, 65536).filter, ",hflip");
        assert!(Rotation::from_matrix(0, 65536, -65536, 0).swaps);
        assert!(!Rotation::from_matrix(i32::MIN, 0, 0, 1).swaps);
    }
}
