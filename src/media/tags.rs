//! Tags that belong to a file or stream itself: they are not copied, and a copy is not wrong for having others.

/// Says how a file was made, where it is ours.
pub(crate) const LABEL: &str = "stylize_video";

/// Of a file.
pub(crate) const FILE_TAGS: [&str; 5] = ["major_brand", "minor_version", "compatible_brands", "encoder", LABEL];

/// Of a stream.
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

/// Wrong for new pictures only.
pub(crate) const PAINTED_TAGS: [&str; 1] = ["alpha_mode"];

/// Whether `key` is the label's, or one of those that a long label is in.
pub(crate) fn is_label(key: &[u8]) -> bool {
    key.get(..LABEL.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(LABEL.as_bytes()))
}

/// Whether `key` is one of `tags`, also with the language that Matroska's tags may have (`BPS-eng`).
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
