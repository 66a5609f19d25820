//! What of the source, beside its pictures, goes into the output.

use std::path::Path;

use ffmpeg_next::format::context::Input;
use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::{codec, media};

use super::EncodeError;
use super::codec::{CONTAINERS, Container};
use crate::media::ffi;

/// The streams that are copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Indices of the source's audio streams.
    pub audio: Vec<usize>,
    /// What is left behind, one line each.
    pub warnings: Vec<String>,
}

impl Plan {
    /// Decides for every stream of the source but the one that is stylised. Audio that the container cannot hold
    /// is an error: leaving it out is not for this program to decide.
    pub fn new(source: &Input, video: usize, path: &Path, container: Container) -> Result<Self, EncodeError> {
        let mut plan = Self::default();
        let codecs: Vec<codec::Id> = source
            .streams()
            .map(|stream| stream.parameters())
            .filter(|parameters| parameters.medium() == media::Type::Audio)
            .map(|parameters| parameters.id())
            .collect();
        for stream in source.streams().filter(|stream| stream.index() != video) {
            let (medium, id) = (stream.parameters().medium(), stream.parameters().id());
            if id == codec::Id::BIN_DATA && source.nb_chapters() > 0 {
                // MP4's own form of the chapters, which the muxer makes anew.
                continue;
            }
            if medium != media::Type::Audio {
                let kind = kind_of(medium, stream.disposition());
                let name = if id == codec::Id::None { "" } else { id.name() };
                plan.warnings.push(format!("stream {} ({kind} {name}) is not copied", stream.index()));
            } else if ffi::muxer_takes(container.muxer, id) == Some(false) {
                let container_name = container.extension;
                let advice = advice(&codecs);
                let (path, codec) = (path.into(), id.name());
                return Err(EncodeError::AudioCodec { path, container: container_name, codec, advice });
            } else {
                plan.audio.push(stream.index());
            }
        }
        Ok(plan)
    }
}

fn kind_of(medium: media::Type, disposition: Disposition) -> &'static str {
    match medium {
        media::Type::Video if disposition.contains(Disposition::ATTACHED_PIC) => "cover picture",
        media::Type::Video => "video",
        media::Type::Subtitle => "subtitles",
        media::Type::Attachment => "attachment",
        _ => "data",
    }
}

/// Which other file names would do.
fn advice(codecs: &[codec::Id]) -> String {
    let holds_all =
        |container: &Container| codecs.iter().all(|&codec| ffi::muxer_takes(container.muxer, codec) != Some(false));
    let names: Vec<String> = CONTAINERS
        .iter()
        .filter(|container| holds_all(container))
        .map(|container| format!("NAME.{}", container.extension))
        .collect();
    if names.is_empty() { "convert the source's audio first".into() } else { format!("use -o {}", names.join(" or ")) }
}
