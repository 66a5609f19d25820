//! Knows what each container can store, as FFmpeg's muxers write it.

use std::path::Path;

use ffmpeg_next::codec::Id;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::format::stream::Disposition;

use crate::media::ffi::read;

const MAC_LANGUAGES: [&str; 16] =
    ["eng", "fra", "ger", "ita", "dut", "spa", "dan", "por", "nor", "jpn", "fin", "tur", "kor", "pol", "hun", "rus"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Mp4,
    Mov,
    Matroska,
    Webm,
    Avi,
    /// Nothing but pictures: GIF, animated PNG and WebP, raw streams.
    Bare,
    /// MPEG-TS and everything else.
    Other,
}

impl Container {
    pub fn of(input: &Input, path: &Path) -> Self {
        let format = input.format();
        let name = format.name();
        let has = |word: &str| name.split(',').any(|part| part == word);
        if has("mov") {
            let brand = read::file_tags(input).into_iter().find(|(key, _)| key == "major_brand");
            return if brand.is_some_and(|(_, brand)| brand.trim() != "qt") { Self::Mp4 } else { Self::Mov };
        }
        if has("matroska") {
            // FFmpeg does not distinguish the two.
            let webm = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("webm"));
            return if webm { Self::Webm } else { Self::Matroska };
        }
        match name {
            "avi" => Self::Avi,
            "gif" | "apng" | "webp_pipe" | "yuv4mpegpipe" | "h264" | "hevc" | "ivf" | "rawvideo" => Self::Bare,
            _ => Self::Other,
        }
    }

    pub fn is_quicktime(self) -> bool {
        matches!(self, Self::Mp4 | Self::Mov)
    }

    /// Whether time always starts at 0, whatever the time of the first frame.
    pub fn has_no_start(self) -> bool {
        matches!(self, Self::Bare | Self::Avi)
    }

    pub fn holds_language(self, language: &str) -> bool {
        match self {
            // QuickTime numbers its languages; these are FFmpeg's names of the most common ones.
            Self::Mov => MAC_LANGUAGES.contains(&language),
            // Three letters packed into 15 bits.
            Self::Mp4 => language.len() == 3 && language.bytes().all(|letter| letter.is_ascii_lowercase()),
            Self::Matroska | Self::Webm => true,
            Self::Avi | Self::Bare | Self::Other => false,
        }
    }

    /// Whether the container can store a stream tag with this name, other than the language.
    pub fn holds_stream_tag(self, key: &str) -> bool {
        match self {
            Self::Mp4 | Self::Mov => matches!(key, "handler_name" | "timecode"),
            // Matroska stores only one date, that of the file.
            Self::Matroska | Self::Webm => key != "creation_time",
            Self::Avi | Self::Bare | Self::Other => false,
        }
    }

    pub fn holds_file_tag(self, key: &str) -> bool {
        const MP4: [&str; 28] = [
            "title",
            "artist",
            "album_artist",
            "composer",
            "album",
            "date",
            "comment",
            "genre",
            "copyright",
            "grouping",
            "lyrics",
            "description",
            "synopsis",
            "show",
            "episode_id",
            "network",
            "keywords",
            "episode_sort",
            "season_number",
            "media_type",
            "hd_video",
            "gapless_playback",
            "compilation",
            "track",
            "disc",
            "location",
            "location-eng",
            "creation_time",
        ];
        const MOV: [&str; 11] = [
            "title",
            "artist",
            "album",
            "date",
            "comment",
            "genre",
            "copyright",
            "make",
            "model",
            "location",
            "creation_time",
        ];
        match self {
            Self::Mp4 => MP4.contains(&key),
            Self::Mov => MOV.contains(&key),
            Self::Matroska | Self::Webm => true,
            Self::Avi => matches!(key, "title" | "artist" | "comment" | "copyright" | "date" | "genre"),
            Self::Bare | Self::Other => false,
        }
    }

    /// Returns the dispositions that the container has a flag for.
    pub fn dispositions(self) -> Disposition {
        let roles = Disposition::DUB
            | Disposition::COMMENT
            | Disposition::FORCED
            | Disposition::HEARING_IMPAIRED
            | Disposition::VISUAL_IMPAIRED;
        match self {
            Self::Mp4 => Disposition::DEFAULT | roles,
            Self::Matroska => Disposition::DEFAULT | Disposition::ORIGINAL | roles,
            Self::Mov => Disposition::DEFAULT,
            Self::Webm => Disposition::DEFAULT | Disposition::FORCED,
            Self::Avi | Self::Bare | Self::Other => Disposition::empty(),
        }
    }
}

/// Whether a codec's frames can have alpha at all (its encoders may still be set to leave it out).
pub(super) fn holds_alpha(codec: Id) -> bool {
    matches!(
        codec,
        Id::PRORES | Id::PNG | Id::APNG | Id::GIF | Id::WEBP | Id::FFV1 | Id::VP8 | Id::VP9 | Id::QTRLE | Id::UTVIDEO
    )
}

/// Whether a codec supports only 8 bits per sample.
pub(super) fn is_shallow(codec: Id) -> bool {
    matches!(codec, Id::GIF | Id::WEBP | Id::VP8 | Id::MPEG4 | Id::MJPEG)
}
