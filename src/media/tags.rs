//! Tags that describe one particular file or stream. They are not copied, and a copy may differ in them.

/// Key of this program's own tag, which records how a file was made.
pub(crate) const LABEL: &str = "stylize_video";

/// Such tags of a file.
pub(crate) const FILE_TAGS: [&str; 5] = ["major_brand", "minor_version", "compatible_brands", "encoder", LABEL];

/// Such tags of a stream.
pub(crate) const STREAM_TAGS: [&str; 10] = [
    "rotate",
    "encoder",
    "vendor_id",
    "duration",
    "bps",
    "number_of_frames",
    "number_of_bytes",
    "_statistics_writing_app",
    "_statistics_writing_date_utc",
    "_statistics_tags",
];

/// Tags that are wrong only for repainted pictures.
pub(crate) const PAINTED_TAGS: [&str; 1] = ["alpha_mode"];

/// Returns whether `key` is that of the label or of a further part of a long label.
pub(crate) fn is_label(key: &[u8]) -> bool {
    key.get(..LABEL.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(LABEL.as_bytes()))
}

/// Returns whether `key` is one of `tags`, with or without the language suffix of Matroska tags (`BPS-eng`).
pub(crate) fn is_one_of(key: &str, tags: &[&str]) -> bool {
    let key = key.to_ascii_lowercase();
    let bare = key.rsplit_once('-').filter(|(_, language)| language.len() == 3).map_or(key.as_str(), |(bare, _)| bare);
    (is_label(key.as_bytes()) && tags.contains(&LABEL)) || tags.contains(&key.as_str()) || tags.contains(&bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_language_do_not_matter() {
        assert!(is_one_of("BPS-eng", &STREAM_TAGS));
        assert!(is_one_of("Encoder", &FILE_TAGS) && is_one_of("ALPHA_MODE", &PAINTED_TAGS));
        assert!(is_one_of("STYLIZE_VIDEO_2", &FILE_TAGS) && !is_one_of("STYLIZE_VIDEO_2", &STREAM_TAGS));
        assert!(!is_one_of("title", &STREAM_TAGS));
        assert!(!is_one_of("title-eng", &STREAM_TAGS));
    }
}
