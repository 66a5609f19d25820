//! Part of a video: pictures from one key frame to before another, in a file of their own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ffmpeg_next::format::context::Output;
use ffmpeg_next::{self as ffmpeg, Dictionary, Packet};

use super::EncodeError;
use super::codec::{Coder, Family};
use super::egress::{Egress, Form};
use super::mux;
use crate::media::{Pixels, TimeBase, ffi};

/// The kind of file that keeps pictures until the last pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Store {
    pub muxer: &'static str,
    /// Whether its timestamps are exact. The QuickTime family holds any time base.
    pub exact: bool,
}

impl Store {
    pub fn of(family: Family, alpha: bool) -> Self {
        match family {
            // The alpha lies beside the packets, where only Matroska keeps it. It rounds to milliseconds.
            Family::Vp9 if alpha => Self { muxer: "matroska", exact: false },
            Family::ProRes | Family::Ffv1 => Self { muxer: "mov", exact: true },
            _ => Self { muxer: "mp4", exact: true },
        }
    }

    /// Options for its header.
    pub fn options(self, base: TimeBase) -> Dictionary<'static> {
        if self.exact { mux::quicktime_options(base, &[]) } else { Dictionary::new() }
    }
}

/// An encoder and the file it writes. Its time stamps count from its first frame: every container holds those exactly.
pub(super) struct Segment {
    /// Of the output that it is for: errors name that.
    path: PathBuf,
    file: PathBuf,
    coder: Coder,
    egress: Egress,
    output: Output,
    base: TimeBase,
    /// Time base the muxer chose.
    output_base: TimeBase,
    /// Durations of the frames inside the encoder, by pts.
    durations: HashMap<i64, i64>,
}

impl Segment {
    /// Creates `file`.
    ///
    /// # Errors
    /// When it cannot be written, or the filters cannot be set up.
    pub fn create(path: &Path, file: PathBuf, coder: Coder, form: Form, store: Store) -> Result<Self, EncodeError> {
        let egress = Egress::new(form, "").map_err(|error| EncodeError::libav(path, "preparing it", error))?;
        let fail = |error| EncodeError::libav(path, "creating its intermediate file", error);
        let mut output = ffi::open_output(&file, store.muxer).map_err(fail)?;
        let mut stream = output.add_stream_with(&coder.encoder).map_err(fail)?;
        stream.set_time_base(form.base);
        let unused = output.write_header_with(store.options(form.base)).map_err(fail)?;
        mux::all_used(&unused).map_err(fail)?;
        drop(unused);
        let output_base = output.stream(0).map_or(form.base, |stream| stream.time_base().into());
        let (path, base, durations) = (path.into(), form.base, HashMap::new());
        Ok(Self { path, file, coder, egress, output, base, output_base, durations })
    }

    fn fail(&self, doing: &'static str) -> impl Fn(ffmpeg::Error) -> EncodeError + use<> {
        let path = self.path.clone();
        move |error| EncodeError::libav(&path, doing, error)
    }

    /// Takes the next frame: `pts` ticks after the first one.
    ///
    /// # Errors
    /// When it cannot be encoded or written.
    pub fn push(&mut self, pixels: &Pixels, pts: i64, duration: i64) -> Result<(), EncodeError> {
        self.durations.insert(pts, duration);
        let encode = self.fail("encoding");
        self.egress.push(pixels, pts).map_err(&encode)?;
        self.encode().map_err(encode)
    }

    /// Encodes the frames that are ready.
    fn encode(&mut self) -> Result<(), ffmpeg::Error> {
        while let Some(frame) = self.egress.pull()? {
            self.coder.send(&frame)?;
            self.drain()?;
        }
        Ok(())
    }

    /// Writes what the encoder has ready.
    fn drain(&mut self) -> Result<(), ffmpeg::Error> {
        loop {
            let mut packet = Packet::empty();
            match self.coder.encoder.receive_packet(&mut packet) {
                Ok(()) => {}
                Err(ffmpeg::Error::Eof | ffmpeg::Error::Other { errno: ffmpeg::error::EAGAIN }) => return Ok(()),
                Err(error) => return Err(error),
            }
            let duration = packet.pts().and_then(|pts| self.durations.remove(&pts));
            packet.set_duration(duration.unwrap_or_else(|| packet.duration()));
            packet.rescale_ts(self.base, self.output_base);
            packet.set_stream(0);
            packet.write_interleaved(&mut self.output)?;
        }
    }

    /// Empties the encoder and closes the file. Gives its path, and whether any picture was transparent.
    ///
    /// # Errors
    /// When the last of it cannot be encoded or written.
    pub fn close(mut self) -> Result<(PathBuf, bool), EncodeError> {
        let encode = self.fail("encoding");
        self.egress.flush().map_err(&encode)?;
        self.encode().map_err(&encode)?;
        self.coder.encoder.send_eof().map_err(&encode)?;
        self.drain().map_err(encode)?;
        let close = self.fail("closing its intermediate file");
        self.output.write_trailer().map_err(&close)?;
        ffi::flush_output(&mut self.output).map_err(close)?;
        Ok((self.file, self.egress.saw_transparency()))
    }
}
