//! Encoding: sinks that take painted frames and write the output, whatever its kind.
//!
//! Writes only inside the temporary folder of [`Target`]; moving the result to its final place is up to the caller.

mod codec;
mod concat;
mod delay;
mod direct;
mod error;
mod filter;
mod header;
mod images;
mod interleave;
mod mux;
mod packet_writer;
mod part;
mod passthrough;
mod rehearsal;
mod replay_sink;
mod riff;
mod segment;
mod streams;
mod timeline;
mod to_encoder;
mod track;
mod verify;
mod video;
mod video_only;

use std::path::{Path, PathBuf};

pub use codec::registry::{Listed, codec_names, listed};
pub use error::EncodeError;
pub use part::{Part, Piece, Shown};

use codec::Kind;
use direct::DirectSink;

use crate::media::{self, Frame, MediaInfo, Output};
use crate::settings::OutputSettings;

/// Takes frames in display order and, at the end, leaves a finished, verified temporary output.
pub trait FrameSink: Send {
    fn push(&mut self, frame: Frame) -> Result<(), EncodeError>;
    /// Ends a part of the output here. Everything pushed since the previous part is then on disk, in files of the work
    /// folder. Returns `None` if nothing was pushed since, or if the output cannot be written in parts.
    ///
    /// The bytes of the output depend on where parts end, so that must not depend on how often a run was interrupted.
    fn seal(&mut self) -> Result<Option<Part>, EncodeError> {
        Ok(None)
    }
    /// Says that the pushed frames are all frames of the part that was read, unfiltered, so that the result is compared
    /// with the source's own times. Call it before [`FrameSink::finish`].
    fn expect_every_frame(&mut self) {}
    /// Drains the encoder, closes the file, adds the source's other streams and metadata, and verifies the result.
    fn finish(self: Box<Self>) -> Result<Encoded, EncodeError>;
    /// What the output will lack, one line each; known when the sink is opened.
    fn warnings(&self) -> &[String] {
        &[]
    }
}

/// What a sink has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Number of frames that were pushed.
    pub frames: u64,
    /// Differences from the source that only showed at the end, one line each.
    pub warnings: Vec<String>,
}

/// Where a sink writes. This is not the final place, which only a finished result may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The paths to write: inside a temporary folder next to the final output, with the same names.
    pub output: Output,
    /// The temporary folder, which exists. Intermediate files go there too.
    pub work: PathBuf,
    /// The text to embed in the output, in ASCII, if the format can hold one (see [`crate::label`]).
    pub label: Option<String>,
}

/// Opens an output for frames that match `info`.
///
/// # Errors
/// Reports whatever can be known to fail before any slow work: an unknown extension, a missing encoder, contradictory
/// settings, audio that the container cannot hold, a folder that cannot be written.
pub fn open(target: &Target, info: &MediaInfo, settings: &OutputSettings) -> Result<Box<dyn FrameSink>, EncodeError> {
    open_parts(target, info, settings, None)
}

/// Like [`open`], for an output that is sealed in parts. Continues after `parts`, which a previous run with the same
/// settings has sealed in the same work folder.
///
/// # Errors
/// As for [`open`]; also if the parts do not belong to this output.
pub fn open_after(
    target: &Target,
    info: &MediaInfo,
    settings: &OutputSettings,
    parts: &[Part],
) -> Result<Box<dyn FrameSink>, EncodeError> {
    open_parts(target, info, settings, Some(parts))
}

fn open_parts(
    target: &Target,
    info: &MediaInfo,
    settings: &OutputSettings,
    parts: Option<&[Part]>,
) -> Result<Box<dyn FrameSink>, EncodeError> {
    media::init();
    let lost = info.source.as_ref().and_then(|source| source.lost.clone()).filter(|_| settings.strict_streams);
    if let Some(what) = lost {
        return Err(EncodeError::Lost { path: target.output.path().into(), what });
    }
    if settings.filter.is_empty() {
        return open_sink(target, info, settings, parts);
    }
    in_parts(Box::new(filter::FilterSink::open(target, info, settings)?), target, info, parts)
}

/// Wraps `sink`, which cannot write parts itself, in a [`replay_sink::ReplaySink`] if parts are wanted.
fn in_parts(
    sink: Box<dyn FrameSink>,
    target: &Target,
    info: &MediaInfo,
    parts: Option<&[Part]>,
) -> Result<Box<dyn FrameSink>, EncodeError> {
    // Bytes that went down a pipe cannot be taken back.
    let parts = parts.filter(|_| target.output != Output::Stdout);
    match parts {
        Some(parts) => replay_sink::ReplaySink::around(sink, target, info, parts),
        None => Ok(sink),
    }
}

/// Like [`open_parts`], for frames that are already filtered.
fn open_sink(
    target: &Target,
    info: &MediaInfo,
    settings: &OutputSettings,
    parts: Option<&[Part]>,
) -> Result<Box<dyn FrameSink>, EncodeError> {
    let label = target.label.as_deref();
    let direct = |path: &Path, way: direct::DirectFormat| {
        in_parts(Box::new(DirectSink::open(path, way, info, settings, label)?), target, info, parts)
    };
    match &target.output {
        Output::Video(path) => match Kind::of(path, &settings.format)? {
            Kind::File(container) => {
                let sink = video::VideoSink::open(path, container, &target.work, info, settings)?;
                Ok(Box::new(sink.labelled(label).with(parts.unwrap_or_default())?))
            }
            Kind::Animation(kind) => direct(path, kind.into()),
            Kind::Raw(kind) => direct(path, kind.into()),
        },
        Output::Stdout => Ok(Box::new(DirectSink::open_stdout(info, settings)?)),
        Output::Picture(path) => Ok(Box::new(images::PictureSink::open(path, info, settings, label)?)),
        Output::Sequence { folder, names } => {
            let sink = images::SequenceSink::open(folder, names, info, settings)?;
            Ok(Box::new(sink.labelled(label).in_work(&target.work).with(parts.unwrap_or_default())))
        }
    }
}
