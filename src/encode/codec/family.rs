//! The codecs that video can be written with, and every fact about one that does not depend on its encoder.

use ffmpeg_next::codec::Id;

/// A video codec, whatever the encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::encode) enum Family {
    H264,
    Hevc,
    Av1,
    Vp9,
    ProRes,
    Ffv1,
    Gif,
    Apng,
    WebP,
    /// Uncompressed.
    Raw,
}

/// Where full range can be signalled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FullRange {
    /// In the bit stream.
    Stream,
    /// In some containers.
    Container,
    /// Nowhere: readers of these formats assume a fixed range.
    Nowhere,
}

/// The facts about a codec.
#[derive(Debug, Clone, Copy)]
struct Facts {
    /// Name in the settings.
    name: &'static str,
    id: Id,
    full_range: FullRange,
    /// FFmpeg's muxer of the parts that hold the pictures until the last pass.
    parts: &'static str,
    /// The same for pictures with alpha.
    parts_with_alpha: &'static str,
    /// Codec tag in the QuickTime family, if players do not know the one that FFmpeg writes.
    quicktime_tag: Option<[u8; 4]>,
    /// Whether it is an intermediate codec: a source that has it keeps it with `codec = "auto"`.
    is_intermediate: bool,
}

impl Facts {
    const fn new(name: &'static str, id: Id) -> Self {
        Self {
            name,
            id,
            full_range: FullRange::Nowhere,
            parts: "mp4",
            parts_with_alpha: "mp4",
            quicktime_tag: None,
            is_intermediate: false,
        }
    }

    /// A codec for players.
    const fn delivery(name: &'static str, id: Id) -> Self {
        Self { full_range: FullRange::Stream, ..Self::new(name, id) }
    }

    /// A codec for editing.
    const fn intermediate(name: &'static str, id: Id) -> Self {
        Self { parts: "mov", parts_with_alpha: "mov", is_intermediate: true, ..Self::new(name, id) }
    }
}

impl Family {
    /// Codecs that a setting may name.
    pub const ALL: [Self; 6] = [Self::H264, Self::Hevc, Self::Av1, Self::Vp9, Self::ProRes, Self::Ffv1];

    const fn facts(self) -> Facts {
        match self {
            Self::H264 => Facts::delivery("h264", Id::H264),
            // Apple's players do not know the other name, hev1.
            Self::Hevc => Facts { quicktime_tag: Some(*b"hvc1"), ..Facts::delivery("hevc", Id::HEVC) },
            Self::Av1 => Facts::delivery("av1", Id::AV1),
            // VP9 keeps alpha in packet side data, which only Matroska stores.
            Self::Vp9 => Facts { parts_with_alpha: "matroska", ..Facts::delivery("vp9", Id::VP9) },
            Self::ProRes => Facts::intermediate("prores", Id::PRORES),
            Self::Ffv1 => Facts { full_range: FullRange::Container, ..Facts::intermediate("ffv1", Id::FFV1) },
            Self::Gif => Facts::new("gif", Id::GIF),
            Self::Apng => Facts::new("apng", Id::APNG),
            Self::WebP => Facts::new("webp", Id::WEBP),
            Self::Raw => Facts::new("raw", Id::RAWVIDEO),
        }
    }

    /// Returns the codec with FFmpeg's `id`, if a setting may name it.
    pub fn of(id: Id) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.facts().id == id)
    }

    /// Name in the settings.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// Whether full range can be signalled, in the bit stream or in a container that records it or not.
    pub fn tags_range(self, container_does: bool) -> bool {
        match self.facts().full_range {
            FullRange::Stream => true,
            FullRange::Container => container_does,
            FullRange::Nowhere => false,
        }
    }

    /// Returns FFmpeg's muxer of the parts that hold the pictures until the last pass.
    pub fn parts(self, alpha: bool) -> &'static str {
        if alpha { self.facts().parts_with_alpha } else { self.facts().parts }
    }

    /// Returns the codec tag for the QuickTime family, if it is not the one that FFmpeg writes.
    pub fn quicktime_tag(self) -> Option<[u8; 4]> {
        self.facts().quicktime_tag
    }

    /// Whether it is an intermediate codec, made for editing.
    pub fn is_intermediate(self) -> bool {
        self.facts().is_intermediate
    }
}

#[cfg(test)]
mod tests {
    use super::Family;

    #[test]
    fn a_codec_is_found_by_its_number() {
        for family in Family::ALL {
            assert_eq!(Family::of(family.facts().id), Some(family));
        }
    }
}
