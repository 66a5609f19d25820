//! How the samples of a video map to colours.

use ffmpeg_next::chroma::Location;
use ffmpeg_next::color::{Primaries, Range, Space, TransferCharacteristic};

use super::samples::Model;

/// How YUV and RGB samples are interpreted. Matrix and range are always set, since every conversion needs them;
/// primaries and transfer stay `Unspecified` where the stream does not specify them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColorInfo {
    /// The matrix between RGB and YUV.
    pub matrix: Space,
    /// Whether samples use the full range (0..=255) rather than the limited range (16..=235).
    pub full_range: bool,
    pub primaries: Primaries,
    pub transfer: TransferCharacteristic,
    /// Position of the chroma samples in 4:2:0. Conversions assume "left" in both directions, and the tag is passed on
    /// unchanged.
    pub siting: Location,
}

impl ColorInfo {
    /// BT.709, limited range: the default for SDR video.
    pub const BT709: Self = Self {
        matrix: Space::BT709,
        full_range: false,
        primaries: Primaries::BT709,
        transfer: TransferCharacteristic::BT709,
        siting: Location::Unspecified,
    };

    /// Fills in what a stream does not specify. Untagged video gets the BT.709 matrix if it is at least 1280 wide or
    /// more than 576 high, else that of BT.601, and limited range, as in common players. With an HDR transfer curve it
    /// gets the BT.2020 matrix.
    pub fn resolve(
        width: u32,
        height: u32,
        matrix: Space,
        range: Range,
        primaries: Primaries,
        transfer: TransferCharacteristic,
    ) -> Self {
        let large = width >= 1280 || height > 576;
        let hdr = matches!(transfer, TransferCharacteristic::SMPTE2084 | TransferCharacteristic::ARIB_STD_B67);
        let matrix = match matrix {
            Space::Unspecified | Space::Reserved if hdr => Space::BT2020NCL,
            Space::Unspecified | Space::Reserved if large => Space::BT709,
            Space::Unspecified | Space::Reserved => Space::SMPTE170M,
            known => known,
        };
        let primaries = match primaries {
            Primaries::Reserved | Primaries::Reserved0 => Primaries::Unspecified,
            told => told,
        };
        let transfer = match transfer {
            TransferCharacteristic::Reserved | TransferCharacteristic::Reserved0 => TransferCharacteristic::Unspecified,
            told => told,
        };
        Self { matrix, full_range: range == Range::JPEG, primaries, transfer, siting: Location::Unspecified }
    }

    /// Returns the colour description of the YUV output made from a source of this model.
    ///
    /// YUV keeps its own. RGB and grey, which have no matrix, become limited-range BT.709. Primaries and transfer
    /// curves are never converted, so tags that would look different are kept (wide-gamut primaries, gamma 2.2, gamma
    /// 2.8, sRGB); those that look like BT.709 become BT.709.
    pub fn written(self, model: Model) -> Self {
        if model == Model::Yuv {
            let matrix = match self.matrix {
                // It is read with the non-constant-luminance matrix, so it no longer has constant luminance.
                Space::BT2020CL => Space::BT2020NCL,
                Space::RGB => Space::BT709,
                matrix => matrix,
            };
            return Self { matrix, ..self };
        }
        let primaries = match self.primaries {
            wide @ (Primaries::BT2020 | Primaries::SMPTE431 | Primaries::SMPTE432) => wide,
            _ => Primaries::BT709,
        };
        let transfer = match self.transfer {
            other @ (TransferCharacteristic::GAMMA22
            | TransferCharacteristic::GAMMA28
            | TransferCharacteristic::IEC61966_2_1) => other,
            _ => TransferCharacteristic::BT709,
        };
        Self { primaries, transfer, ..Self::BT709 }
    }

    /// Returns the name of the HDR transfer curve; `None` for SDR.
    pub fn hdr(self) -> Option<&'static str> {
        match self.transfer {
            TransferCharacteristic::SMPTE2084 => Some("PQ"),
            TransferCharacteristic::ARIB_STD_B67 => Some("HLG"),
            _ => None,
        }
    }

    /// Returns the name of the matrix in FFmpeg's `scale` filter; `None` if the filter cannot convert it.
    pub fn scale_matrix(self) -> Option<&'static str> {
        match self.matrix {
            Space::BT709 => Some("bt709"),
            Space::SMPTE170M | Space::BT470BG => Some("bt601"),
            Space::FCC => Some("fcc"),
            Space::SMPTE240M => Some("smpte240m"),
            // Constant luminance is not a linear matrix, so it is excluded.
            Space::BT2020NCL => Some("bt2020"),
            // Already RGB: the filter ignores the matrix.
            Space::RGB => Some("bt709"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn untagged(width: u32, height: u32) -> ColorInfo {
        let transfer = TransferCharacteristic::Unspecified;
        ColorInfo::resolve(width, height, Space::Unspecified, Range::Unspecified, Primaries::Unspecified, transfer)
    }

    #[test]
    fn untagged_video_follows_its_size() {
        assert_eq!(untagged(720, 576).matrix, Space::SMPTE170M);
        assert_eq!(untagged(1280, 544).matrix, Space::BT709);
        assert_eq!(untagged(720, 1280).matrix, Space::BT709);
        assert!(!untagged(720, 576).full_range);
    }

    #[test]
    fn yuv_stays_as_it_is() {
        let sd = ColorInfo { primaries: Primaries::Unspecified, full_range: true, ..untagged(720, 576) };
        assert_eq!(sd.written(Model::Yuv), sd);
        let constant = ColorInfo { matrix: Space::BT2020CL, ..ColorInfo::BT709 };
        assert_eq!(constant.written(Model::Yuv).matrix, Space::BT2020NCL);
    }

    #[test]
    fn rgb_becomes_bt709_but_wide_gamut_stays_tagged() {
        let wide = ColorInfo { primaries: Primaries::BT2020, matrix: Space::RGB, full_range: true, ..ColorInfo::BT709 };
        assert_eq!(wide.written(Model::Rgb), ColorInfo { primaries: Primaries::BT2020, ..ColorInfo::BT709 });
        assert_eq!(untagged(64, 64).written(Model::Grey), ColorInfo::BT709);
    }
}
