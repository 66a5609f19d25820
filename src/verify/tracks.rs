//! Compares the streams other than the painted one.

use ffmpeg_next::codec::Id;
use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::media;

use super::allowed::Allowed;
use super::clock::Clock;
use super::container::Container;
use super::contents::{Contents, Stream, Track};
use super::difference::{Difference, Finding, Weight, or_none, same};
use super::packets;
use super::payload::is_text;
use crate::media::tags::{PAINTED_TAGS, STREAM_TAGS, is_one_of};

/// Compares stream by stream. `a` does not contain the streams that are left out.
pub(super) fn compare(
    a: &[&Track],
    b: &[Track],
    containers: (Container, Container),
    clock: Clock,
    allowed: &Allowed,
) -> Vec<Finding> {
    if let Err(finding) = compare_numbers(a, b) {
        return vec![finding];
    }
    let mut found = Vec::new();
    for (a, b) in a.iter().zip(b) {
        let place = a.stream.name();
        if let Err(difference) = same(&place, "the kind of stream", a.stream.kind(), b.stream.kind()) {
            found.push(Finding { weight: weight(a.stream.medium), difference });
            continue;
        }
        let mut label = |result: Result<(), Difference>| {
            found.extend(result.err().map(|difference| Finding { weight: Weight::Label, difference }));
        };
        label(compare_words(&a.stream, &b.stream, containers.1));
        if allowed.reencoded.contains(&a.stream.index) {
            continue;
        }
        if !is_converted(a.stream.codec, b.stream.codec) {
            // MP4 has one name for both layers.
            let is_layer = |codec| matches!(codec, Id::MP2 | Id::MP3);
            if !(is_layer(a.stream.codec) && is_layer(b.stream.codec)) {
                label(same(&place, "the codec", a.stream.codec.name(), b.stream.codec.name()));
            }
            label(compare_parameters(&a.stream, &b.stream));
        }
        found.extend(packets::compare(a, b, containers, clock).err());
    }
    found
}

/// Returns how serious the loss of a stream is: losing data changes nothing that is seen or heard.
fn weight(medium: media::Type) -> Weight {
    match medium {
        media::Type::Audio | media::Type::Subtitle | media::Type::Video => Weight::Content,
        media::Type::Data | media::Type::Attachment | media::Type::Unknown => Weight::Label,
    }
}

/// Compares the number of streams of each kind.
fn compare_numbers(a: &[&Track], b: &[Track]) -> Result<(), Finding> {
    use media::Type::{Attachment, Audio, Data, Subtitle, Unknown, Video};
    for medium in [Audio, Subtitle, Video, Data, Attachment, Unknown] {
        let of_kind = |stream: &&Stream| stream.medium == medium;
        let a: Vec<&Stream> = a.iter().map(|track| &track.stream).filter(of_kind).collect();
        let b: Vec<&Stream> = b.iter().map(|track| &track.stream).filter(of_kind).collect();
        let list = |streams: &[&Stream]| {
            let names: Vec<String> = streams
                .iter()
                .map(|stream| match stream.language() {
                    Some(language) => format!("{} {language}", stream.codec.name()),
                    None => stream.codec.name().into(),
                })
                .collect();
            if names.is_empty() { "0".into() } else { format!("{} ({})", names.len(), names.join(", ")) }
        };
        if a.len() != b.len() {
            let kind = a.first().or(b.first()).map_or("", |stream| stream.kind());
            let other = if medium == Video { "other " } else { "" };
            let place = format!("{other}{kind} streams");
            let weight = if a.len() > b.len() { weight(medium) } else { Weight::Label };
            return Err(Finding { weight, difference: Difference::new(place, "their number", list(&a), list(&b)) });
        }
    }
    Ok(())
}

/// Whether one subtitle text format was converted to another.
fn is_converted(a: Id, b: Id) -> bool {
    a != b && is_text(a) && is_text(b) && (a == Id::MOV_TEXT || b == Id::MOV_TEXT)
}

/// Compares the decoder parameters that both files state.
fn compare_parameters(stream_a: &Stream, stream_b: &Stream) -> Result<(), Difference> {
    let place = stream_a.name();
    let (a, b) = (&stream_a.parameters, &stream_b.parameters);
    let (rate_a, rate_b) = (a.sample_rate, b.sample_rate);
    // AAC with SBR may be described by the rate of its core, half of the output rate.
    let is_core =
        stream_a.codec == Id::AAC && (rate_a == rate_b.saturating_mul(2) || rate_b == rate_a.saturating_mul(2));
    if rate_a > 0 && rate_b > 0 && !is_core {
        same(&place, "the sample rate", rate_a, rate_b)?;
    }
    if a.channels > 0 && b.channels > 0 {
        same(&place, "the number of channels", a.channels, b.channels)?;
    }
    if stream_a.medium == media::Type::Video {
        let size = |width: u32, height: u32| format!("{width}x{height}");
        same(&place, "the size", size(a.width, a.height), size(b.width, b.height))?;
    }
    // For these codecs, all containers keep the decoder setup unchanged.
    let is_kept = matches!(stream_a.codec, Id::AAC | Id::ALAC | Id::FLAC | Id::VORBIS | Id::ASS | Id::SSA);
    if is_kept && !a.extradata.is_empty() && !b.extradata.is_empty() && a.extradata != b.extradata {
        let bytes = |data: &[u8]| format!("{} bytes ({:016x})", data.len(), super::payload::hash(data));
        return Err(Difference::new(place, "the codec's setup", bytes(&a.extradata), bytes(&b.extradata)));
    }
    Ok(())
}

/// Compares language, tags and dispositions.
pub(super) fn compare_words(a: &Stream, b: &Stream, container: Container) -> Result<(), Difference> {
    let place = a.name();
    let language = a.language();
    if language.is_none_or(|language| container.holds_language(language)) && language != b.language() {
        return Err(Difference::new(place, "the language", or_none(language), or_none(b.language())));
    }
    let skip = |key: &str| key == "language" || is_one_of(key, &STREAM_TAGS) || is_one_of(key, &PAINTED_TAGS);
    a.tags.kept_by(&b.tags, &place, container, Container::holds_stream_tag, skip)?;
    // The default flag is compared across all streams, by `compare_defaults`.
    let flags = container.dispositions() - Disposition::DEFAULT;
    let told = |stream: &Stream| Disposition::from_bits_truncate(stream.dispositions) & flags;
    same(&place, "the disposition", list(told(a)), list(told(b)))
}

/// Compares which stream of each kind is the default. If A has no default, containers may mark the first stream.
pub(super) fn compare_defaults(a: &Contents, b: &Contents, wanted: &[&Track]) -> Result<(), Difference> {
    if !b.container.dispositions().contains(Disposition::DEFAULT) {
        return Ok(());
    }
    let is_default = |stream: &Stream| stream.dispositions & Disposition::DEFAULT.bits() != 0;
    for medium in [media::Type::Video, media::Type::Audio, media::Type::Subtitle] {
        let of_kind = |pair: &(&Stream, &Stream)| pair.0.medium == medium;
        let others = wanted.iter().map(|track| &track.stream).zip(b.tracks.iter().map(|track| &track.stream));
        let pairs: Vec<_> = std::iter::once((&a.video.stream, &b.video.stream)).chain(others).filter(of_kind).collect();
        let none = !pairs.iter().any(|(a, _)| is_default(a));
        for (index, (a, b)) in pairs.into_iter().enumerate() {
            if is_default(a) != is_default(b) && !(none && index == 0) {
                let text = |stream| if is_default(stream) { "default" } else { "not default" };
                return Err(Difference::new(a.name(), "the disposition", text(a), text(b)));
            }
        }
    }
    Ok(())
}

fn list(dispositions: Disposition) -> String {
    let names: Vec<String> = dispositions.iter_names().map(|(name, _)| name.to_lowercase()).collect();
    if names.is_empty() { "none".into() } else { names.join("+") }
}
