//! Encode: a sink of frames, whatever the output is.

mod codec;
mod delay;
mod direct;
mod egress;
mod error;
mod feed;
mod filter;
mod header;
mod images;
mod interleave;
mod mux;
mod riff;
mod streams;
mod track;
mod verify;
mod video;

use std::path::PathBuf;

pub use error::EncodeError;

use codec::Kind;
use direct::DirectSink;

use crate::media::{self, Frame, MediaInfo, Output};
use crate::settings::OutputSettings;

/// Takes frames in display order and, at the end, leaves a finished, verified temporary output.
pub trait FrameSink: Send {
    fn push(&mut self, frame: Frame) -> Result<(), EncodeError>;
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
}

/// Opens an output for frames as `info` describes them.
///
/// Everything that can be known to fail is an error here, before any slow work: an unknown extension, a missing
/// encoder, settings that do not go together, audio that the container cannot hold, a folder that cannot be written.
pub fn open(target: &Target, info: &MediaInfo, settings: &OutputSettings) -> Result<Box<dyn FrameSink>, EncodeError> {
    media::init();
    if settings.filter.is_empty() {
        open_sink(target, info, settings)
    } else {
        Ok(Box::new(filter::FilterSink::open(target, info, settings)?))
    }
}

/// As [`open`], for frames that are filtered already.
fn open_sink(target: &Target, info: &MediaInfo, settings: &OutputSettings) -> Result<Box<dyn FrameSink>, EncodeError> {
    match &target.output {
        Output::Video(path) => match Kind::of(path, &settings.format)? {
            Kind::File(container) => {
                Ok(Box::new(video::VideoSink::open(path, container, &target.work, info, settings)?))
            }
            Kind::Animation(kind) => Ok(Box::new(DirectSink::open(path, kind.into(), info, settings)?)),
            Kind::Raw(kind) => Ok(Box::new(DirectSink::open(path, kind.into(), info, settings)?)),
        },
        Output::Stdout => Ok(Box::new(DirectSink::open_stdout(info, settings)?)),
        Output::Picture(path) => Ok(Box::new(images::PictureSink::open(path, info, settings)?)),
        Output::Sequence { folder, names } => Ok(Box::new(images::SequenceSink::open(folder, names, info, settings)?)),
    }
}
