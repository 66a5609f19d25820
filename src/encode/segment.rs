//! A segment: an intermediate file that starts with a key frame and holds part of the video.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use ffmpeg_next::{self as ffmpeg, Dictionary, picture};

use super::EncodeError;
use super::codec::{Coder, Family};
use super::mux;
use super::packet_writer::PacketWriter;
use super::to_encoder::{Form, ToEncoder};
use crate::media::{Pixels, TimeBase, ffi};

/// The container of the intermediate files that hold the pictures until the last pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Store {
    pub muxer: &'static str,
    /// Whether its timestamps are exact: the QuickTime family holds any time base.
    pub exact: bool,
}

impl Store {
    pub fn of(family: Family, alpha: bool) -> Self {
        let muxer = family.parts(alpha);
        // Matroska rounds times to milliseconds.
        Self { muxer, exact: muxer != "matroska" }
    }

    /// Returns the muxer options.
    pub fn options(self, base: TimeBase) -> Dictionary<'static> {
        if self.exact { mux::quicktime_options(base, &[]) } else { Dictionary::new() }
    }
}

/// An encoder and the file it writes. Timestamps count from its first frame: every container holds those exactly.
pub(super) struct Segment {
    /// Path of the final output, for error messages.
    path: PathBuf,
    file: PathBuf,
    coder: Coder,
    to_encoder: ToEncoder,
    writer: PacketWriter,
    base: TimeBase,
    last: Option<i64>,
    /// pts of frames after a long pause, which become key frames: a frame shown earlier must not be coded after one of
    /// them, because containers store the distance in few bits.
    apart: HashSet<i64>,
}

/// Length of a long pause, in seconds.
const PAUSE: f64 = 10.0;

impl Segment {
    /// Creates `file` and writes its header.
    ///
    /// # Errors
    /// If it cannot be written, or the filters cannot be set up.
    pub fn create(path: &Path, file: PathBuf, coder: Coder, form: Form, store: Store) -> Result<Self, EncodeError> {
        let to_encoder = ToEncoder::new(form, "").map_err(|error| EncodeError::libav(path, "preparing it", error))?;
        let fail = |error| EncodeError::libav(path, "creating its intermediate file", error);
        let mut output = ffi::open_output(&file, store.muxer).map_err(fail)?;
        let mut stream = output.add_stream_with(&coder.encoder).map_err(fail)?;
        stream.set_time_base(form.base);
        let unused = output.write_header_with(store.options(form.base)).map_err(fail)?;
        mux::all_used(&unused).map_err(fail)?;
        drop(unused);
        Ok(Self {
            path: path.into(),
            file,
            coder,
            to_encoder,
            writer: PacketWriter::new(output, form.base),
            base: form.base,
            last: None,
            apart: HashSet::new(),
        })
    }

    fn fail(&self, doing: &'static str) -> impl Fn(ffmpeg::Error) -> EncodeError + use<> {
        let path = self.path.clone();
        move |error| EncodeError::libav(&path, doing, error)
    }

    /// Takes the next frame, which is shown `pts` ticks after the first one.
    ///
    /// # Errors
    /// If it cannot be encoded or written.
    pub fn push(&mut self, pixels: &Pixels, pts: i64, duration: i64) -> Result<(), EncodeError> {
        self.writer.expect(pts, duration);
        if self.last.replace(pts).is_some_and(|last| self.base.seconds(pts - last) > PAUSE) {
            self.apart.insert(pts);
        }
        let encode = self.fail("encoding");
        self.to_encoder.push(pixels, pts).map_err(&encode)?;
        self.encode().map_err(encode)
    }

    /// Encodes the frames that are ready and writes their packets.
    fn encode(&mut self) -> Result<(), ffmpeg::Error> {
        while let Some(mut frame) = self.to_encoder.pull()? {
            if frame.pts().is_some_and(|pts| self.apart.remove(&pts)) {
                frame.set_kind(picture::Type::I);
            }
            self.coder.send(&frame)?;
            self.writer.drain(&mut self.coder.encoder)?;
        }
        Ok(())
    }

    /// Drains the encoder and closes the file. Returns its path, and whether any picture was transparent.
    ///
    /// # Errors
    /// If the last frames cannot be encoded or written.
    pub fn close(mut self) -> Result<(PathBuf, bool), EncodeError> {
        let encode = self.fail("encoding");
        self.to_encoder.flush().map_err(&encode)?;
        self.encode().map_err(&encode)?;
        self.coder.encoder.send_eof().map_err(&encode)?;
        self.writer.drain(&mut self.coder.encoder).map_err(encode)?;
        let close = self.fail("closing its intermediate file");
        self.writer.output.write_trailer().map_err(&close)?;
        ffi::flush_output(&mut self.writer.output).map_err(close)?;
        Ok((self.file, self.to_encoder.saw_transparency()))
    }
}
