//! Descriptions of streams for messages.

use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::{Stream, codec, media};
use isolang::Language;

use crate::media::ffi;

/// Describes a stream: `stream 3 (subtitles hdmv_pgs_subtitle, German)`.
pub(in crate::encode) fn describe(stream: &Stream) -> String {
    let (medium, id) = (stream.parameters().medium(), stream.parameters().id());
    let kind = match medium {
        media::Type::Audio => "audio",
        media::Type::Video if stream.disposition().contains(Disposition::ATTACHED_PIC) => "cover picture",
        media::Type::Video => "video",
        media::Type::Subtitle => "subtitles",
        media::Type::Attachment => "attachment",
        _ => "data",
    };
    let mut text = format!("stream {} ({kind}", stream.index());
    let tags = stream.metadata();
    match tags.get("filename").filter(|_| medium == media::Type::Attachment) {
        Some(filename) => text += &format!(" {filename}"),
        None if id == codec::Id::None => text += &unnamed(stream),
        None => text += &format!(" {}", id.name()),
    }
    if let Some(language) = tags.get("language").and_then(language) {
        text += &format!(", {language}");
    }
    text + ")"
}

/// Returns the container's name of a codec that FFmpeg does not know, ` "apac"`; empty if it has none.
fn unnamed(stream: &Stream) -> String {
    let tag = ffi::codec_tag(stream);
    let is_name = tag.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    if is_name { format!(" \"{}\"", String::from_utf8_lossy(&tag).trim()) } else { String::new() }
}

/// Returns the codec of a stream, by FFmpeg's name or else the container's.
pub(super) fn codec_name(stream: &Stream) -> String {
    match stream.parameters().id() {
        codec::Id::None => format!("unknown{}", unnamed(stream)),
        known => known.name().to_owned(),
    }
}

/// Joins items with commas and a last word: `a, b and c`.
pub(in crate::encode) fn list(items: &[String], last: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [begin @ .., end] => format!("{} {last} {end}", begin.join(", ")),
    }
}

/// Returns MIME type and extension of a codec's picture files, if Matroska readers accept them as a cover.
pub(super) fn picture_type(id: codec::Id) -> Option<(&'static str, &'static str)> {
    match id {
        codec::Id::MJPEG => Some(("image/jpeg", "jpg")),
        codec::Id::PNG => Some(("image/png", "png")),
        codec::Id::GIF => Some(("image/gif", "gif")),
        codec::Id::TIFF => Some(("image/tiff", "tiff")),
        _ => None,
    }
}

/// Returns the English name of a language tag (`ger`, `de`, `de-AT`), or else the tag; `None` if it is undetermined.
fn language(tag: &str) -> Option<String> {
    /// ISO 639-2 has two codes for some languages: pairs of the bibliographic and the usual code.
    const BIBLIOGRAPHIC: [(&str, &str); 20] = [
        ("alb", "sqi"),
        ("arm", "hye"),
        ("baq", "eus"),
        ("bur", "mya"),
        ("chi", "zho"),
        ("cze", "ces"),
        ("dut", "nld"),
        ("fre", "fra"),
        ("geo", "kat"),
        ("ger", "deu"),
        ("gre", "ell"),
        ("ice", "isl"),
        ("mac", "mkd"),
        ("mao", "mri"),
        ("may", "msa"),
        ("per", "fas"),
        ("rum", "ron"),
        ("slo", "slk"),
        ("tib", "bod"),
        ("wel", "cym"),
    ];
    let code = tag.split(['-', '_']).next().unwrap_or(tag).to_lowercase();
    if matches!(code.as_str(), "" | "und") {
        return None;
    }
    let usual =
        BIBLIOGRAPHIC.iter().find(|(bibliographic, _)| *bibliographic == code).map_or(code.as_str(), |(_, u)| u);
    let found = Language::from_639_3(usual).or_else(|| Language::from_639_1(usual));
    Some(found.map_or(tag, |language| language.to_name()).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_have_names() {
        assert_eq!(language("ger").as_deref(), Some("German"));
        assert_eq!(language("deu").as_deref(), Some("German"));
        assert_eq!(language("fr-CA").as_deref(), Some("French"));
        assert_eq!(language("xx1").as_deref(), Some("xx1"));
        assert_eq!(language("und"), None);
    }

    #[test]
    fn lists_read_like_a_sentence() {
        let items = |n: usize| ["a", "b", "c"][..n].iter().map(|&item| item.to_owned()).collect::<Vec<_>>();
        assert_eq!(list(&items(1), "and"), "a");
        assert_eq!(list(&items(3), "or"), "a, b or c");
    }
}
