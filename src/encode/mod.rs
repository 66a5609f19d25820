//! Encode: a sink of frames, whatever the output is.

mod beside;
mod codec;
mod concat;
mod delay;
mod direct;
mod egress;
mod error;
mod feed;
mod filter;
mod header;
mod images;
mod interleave;
mod lane;
mod mux;
mod part;
mod reel;
mod rehearsal;
mod riff;
mod segment;
mod streams;
mod track;
mod verify;
mod video;

use std::path::{Path, PathBuf};

pub use error::EncodeError;
pub use part::{Part, Piece, Shown};

use codec::Kind;
use direct::DirectSink;

use crate::media::{self, Frame, MediaInfo, Output};
use crate::settings::OutputSettings;

/// Takes frames in display order and, at the end, leaves a finished, verified temporary output.
pub trait FrameSink: Send {
    fn push(&mut self, frame: Frame) -> Result<(), EncodeError>;
    /// Ends a part of the output here: what was pushed since the last one is then on the disk for good, in files of the
    /// work folder. `None` where there is nothing new, or the output cannot be written in parts.
    ///
    /// Where parts end decides what bytes the output gets: it must not depend on how often a run was interrupted.
    fn seal(&mut self) -> Result<Option<Part>, EncodeError> {
        Ok(None)
    }
    /// To be called before [`FrameSink::finish`] where the frames pushed are all that the source has in the part that
    /// was read, unfiltered: the result is then held against the source's own times.
    fn expect_every_frame(&mut self) {}
    /// Drains the encoder, closes the file, adds what the source has beside its pictures, verifies the result.
    fn finish(self: Box<Self>) -> Result<Encoded, EncodeError>;
    /// What the output will lack, one line each; known from the start.
    fn warnings(&self) -> &[String] {
        &[]
    }
}

/// What a sink wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Frames that were pushed.
    pub frames: u64,
    /// What came out otherwise than it went in, one line each, where only the end told.
    pub warnings: Vec<String>,
}

/// Where a sink writes: not to the final place, which only a finished result may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The paths to write, inside a temporary folder beside the final output, named like it.
    pub output: Output,
    /// That folder; intermediate files go there too. It exists.
    pub work: PathBuf,
    /// What the output says of itself, in ASCII, where its kind can (see [`crate::label`]).
    pub label: Option<String>,
}

/// Opens an output for frames as `info` describes them.
///
/// Everything that can be known to fail is an error here, before any slow work: an unknown extension, a missing
/// encoder, settings that do not go together, audio that the container cannot hold, a folder that cannot be written.
pub fn open(target: &Target, info: &MediaInfo, settings: &OutputSettings) -> Result<Box<dyn FrameSink>, EncodeError> {
    open_parts(target, info, settings, None)
}

/// As [`open`], for an output that is to be sealed in parts: it goes on after `parts` that a former run with the same
/// settings has sealed in the same work folder.
///
/// # Errors
/// As there; when the parts are not those of such an output.
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

/// What a reel has to make up for, where parts are wanted.
fn in_parts(
    sink: Box<dyn FrameSink>,
    target: &Target,
    info: &MediaInfo,
    parts: Option<&[Part]>,
) -> Result<Box<dyn FrameSink>, EncodeError> {
    // What went down a pipe is gone.
    let parts = parts.filter(|_| target.output != Output::Stdout);
    match parts {
        Some(parts) => reel::ReelSink::around(sink, target, info, parts),
        None => Ok(sink),
    }
}

/// As [`open_parts`], for frames that are filtered already.
fn open_sink(
    target: &Target,
    info: &MediaInfo,
    settings: &OutputSettings,
    parts: Option<&[Part]>,
) -> Result<Box<dyn FrameSink>, EncodeError> {
    let label = target.label.as_deref();
    let direct = |path: &Path, way: direct::Way| {
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
