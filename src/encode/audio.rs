//! What of the source, beside its pictures, goes into the output.

use std::path::Path;

use ffmpeg_next::error::EINVAL;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::{self as ffmpeg, Stream, codec, encoder, media};

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
    /// is an error: leaving it out is not for this program to decide. `work` takes a file for a moment.
    pub fn new(
        source: &Input,
        video: usize,
        path: &Path,
        container: Container,
        work: &Path,
    ) -> Result<Self, EncodeError> {
        let mut plan = Self::default();
        for stream in source.streams().filter(|stream| stream.index() != video) {
            let (medium, id) = (stream.parameters().medium(), stream.parameters().id());
            if medium == media::Type::Audio {
                plan.audio.push(stream.index());
            } else if id != codec::Id::BIN_DATA || source.nb_chapters() == 0 {
                // (Such data is MP4's own form of the chapters, which the muxer makes anew.)
                let kind = kind_of(medium, stream.disposition());
                let name = if id == codec::Id::None { "" } else { id.name() };
                plan.warnings.push(format!("stream {} ({kind} {name}) is not copied", stream.index()));
            }
        }
        let audio: Vec<Stream> = plan.audio.iter().filter_map(|&index| source.stream(index)).collect();
        match audio.iter().find(|stream| !holds(container, stream, work)) {
            None => Ok(plan),
            Some(stream) => Err(EncodeError::AudioCodec {
                path: path.into(),
                container: container.extension,
                codec: stream.parameters().id().name(),
                advice: advice(&audio, work),
            }),
        }
    }
}

/// Whether a container takes an audio stream. Asking is not enough (QuickTime claims Opus and then refuses it), so
/// a header is written on trial.
fn holds(container: Container, stream: &Stream, work: &Path) -> bool {
    if ffi::muxer_takes(container.muxer, stream.parameters().id()) == Some(false) {
        return false;
    }
    let file = work.join("trial");
    let trial = || -> Result<(), ffmpeg::Error> {
        let mut output = ffi::open_output(&file, container.muxer)?;
        let mut copy = output.add_stream(encoder::find(codec::Id::None))?;
        ffi::copy_stream(stream, &mut copy, &[])?;
        output.write_header().map(drop)
    };
    let taken = trial();
    // Left there, it would only be one more file in a folder that goes away.
    let _ = std::fs::remove_file(&file);
    // Trouble with the folder is not the stream's fault; it shows soon enough.
    !matches!(
        taken,
        Err(ffmpeg::Error::InvalidData | ffmpeg::Error::PatchWelcome | ffmpeg::Error::Other { errno: EINVAL })
    )
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
fn advice(audio: &[Stream], work: &Path) -> String {
    let holds_all = |container: &&Container| audio.iter().all(|stream| holds(**container, stream, work));
    let name = |container: &Container| format!("NAME.{}", container.extension);
    let names: Vec<String> = CONTAINERS.iter().filter(holds_all).map(name).collect();
    if names.is_empty() { "convert the source's audio first".into() } else { format!("use -o {}", names.join(" or ")) }
}
