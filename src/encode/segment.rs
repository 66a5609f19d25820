//! Part of a video: pictures from one key frame to before another, in a file of their own.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use ffmpeg_next::{self as ffmpeg, Dictionary, picture};

use super::EncodeError;
use super::codec::{Coder, Family};
use super::egress::{Egress, Form};
use super::lane::Lane;
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
    lane: Lane,
    base: TimeBase,
    last: Option<i64>,
    /// Frames after a long pause: nothing that is shown before one may be coded after it, for containers count the distance
    /// in few bits.
    apart: HashSet<i64>,
}

/// Seconds of a long pause.
const PAUSE: f64 = 10.0;

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
        Ok(Self {
            path: path.into(),
            file,
            coder,
            egress,
            lane: Lane::new(output, form.base),
            base: form.base,
            last: None,
            apart: HashSet::new(),
        })
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
        self.lane.expect(pts, duration);
        if self.last.replace(pts).is_some_and(|last| self.base.seconds(pts - last) > PAUSE) {
            self.apart.insert(pts);
        }
        let encode = self.fail("encoding");
        self.egress.push(pixels, pts).map_err(&encode)?;
        self.encode().map_err(encode)
    }

    /// Encodes the frames that are ready.
    fn encode(&mut self) -> Result<(), ffmpeg::Error> {
        while let Some(mut frame) = self.egress.pull()? {
            if frame.pts().is_some_and(|pts| self.apart.remove(&pts)) {
                frame.set_kind(picture::Type::I);
            }
            self.coder.send(&frame)?;
            self.lane.drain(&mut self.coder.encoder)?;
        }
        Ok(())
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
        self.lane.drain(&mut self.coder.encoder).map_err(encode)?;
        let close = self.fail("closing its intermediate file");
        self.lane.output.write_trailer().map_err(&close)?;
        ffi::flush_output(&mut self.lane.output).map_err(close)?;
        Ok((self.file, self.egress.saw_transparency()))
    }
}
