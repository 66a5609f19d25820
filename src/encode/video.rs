//! Frames as a video file: first the pictures alone, then one pass that joins them with the source's audio.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ffmpeg_next::format::context::Output;
use ffmpeg_next::{self as ffmpeg, Dictionary, Packet};

use super::codec::{self, Chosen, Coder, Container, Family};
use super::egress::{Egress, Form};
use super::mux::{self, Pictures};
use super::streams::Plan;
use super::track::Track;
use super::{EncodeError, Encoded, FrameSink, verify};
use crate::media::{Frame, MediaInfo, TimeBase, ffi};
use crate::settings::OutputSettings;

/// Encodes to an intermediate file, then muxes.
///
/// Colours and the form of the samples are as the source's, as far as the encoder has them: see [`codec::choose`].
pub(super) struct VideoSink {
    path: PathBuf,
    container: Container,
    info: MediaInfo,
    track: Track,
    plan: Plan,
    warnings: Vec<String>,
    coder: Coder,
    egress: Egress,
    /// Whether transparency that is met is lost and nobody has said so.
    loses_alpha: bool,
    store: Store,
    /// Its time stamps count from the first frame: every container holds those exactly.
    intermediate: PathBuf,
    output: Output,
    /// Time base the muxer chose for the intermediate.
    output_base: TimeBase,
    /// Timestamps of the frames pushed, in the source's ticks.
    pts: Vec<i64>,
    last_duration: Option<i64>,
    /// Durations of the frames inside the encoder, by pts.
    durations: HashMap<i64, i64>,
}

impl VideoSink {
    pub fn open(
        path: &Path,
        container: Container,
        work: &Path,
        info: &MediaInfo,
        settings: &OutputSettings,
    ) -> Result<Self, EncodeError> {
        let plan = match &info.source {
            Some(source) => {
                let mut input = ffi::open_source(source)
                    .map_err(|error| EncodeError::libav(&source.path, "opening it again", error))?;
                Plan::new(&mut input, info, path, container, work, settings.strict_streams)?
            }
            None => Plan::default(),
        };
        let Chosen { coder, family, format, color, coded, warnings } = codec::choose(path, container, info, settings)?;
        let form = Form { format, color, coded, base: info.base };
        let egress = Egress::new(form, "").map_err(|error| EncodeError::libav(path, "preparing it", error))?;
        let alpha = ffi::samples_of(format).alpha;
        let store = Store::of(family, alpha);
        let intermediate = work.join(format!("{}.pictures", container.extension));
        let fail = |error| EncodeError::libav(path, "creating its intermediate file", error);
        let mut output = ffi::open_output(&intermediate, store.muxer).map_err(fail)?;
        let mut stream = output.add_stream_with(&coder.encoder).map_err(fail)?;
        stream.set_time_base(info.base);
        let options = if store.exact { mux::quicktime_options(info.base, &[]) } else { Dictionary::new() };
        let unused = output.write_header_with(options).map_err(fail)?;
        mux::all_used(&unused).map_err(fail)?;
        drop(unused);
        let output_base = output.stream(0).map_or(info.base, |stream| stream.time_base().into());
        Ok(Self {
            path: path.into(),
            container,
            info: info.clone(),
            track: Track::new(path, info),
            warnings: warnings.into_iter().chain(plan.warnings.iter().cloned()).collect(),
            plan,
            coder,
            egress,
            loses_alpha: !alpha && (info.codec == "gif" || !info.samples.alpha),
            store,
            intermediate,
            output,
            output_base,
            pts: Vec::new(),
            last_duration: None,
            durations: HashMap::new(),
        })
    }

    fn fail(&self, doing: &'static str) -> impl Fn(ffmpeg::Error) -> EncodeError + use<> {
        let path = self.path.clone();
        move |error| EncodeError::libav(&path, doing, error)
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
            packet.rescale_ts(self.info.base, self.output_base);
            packet.set_stream(0);
            packet.write_interleaved(&mut self.output)?;
        }
    }

    fn close_intermediate(&mut self) -> Result<(), EncodeError> {
        let encode = self.fail("encoding");
        self.egress.flush().map_err(&encode)?;
        self.encode().map_err(&encode)?;
        self.coder.encoder.send_eof().map_err(&encode)?;
        self.drain().map_err(encode)?;
        let close = |error| EncodeError::libav(&self.path, "closing its intermediate file", error);
        self.output.write_trailer().map_err(close)?;
        ffi::flush_output(&mut self.output).map_err(close)
    }
}

impl FrameSink for VideoSink {
    fn push(&mut self, frame: Frame) -> Result<(), EncodeError> {
        let moment = self.track.take(&frame)?;
        self.durations.insert(moment.since_first, moment.duration);
        self.last_duration = Some(moment.duration);
        self.pts.push(moment.pts);
        let encode = self.fail("encoding");
        self.egress.push(&frame.pixels, moment.since_first).map_err(&encode)?;
        self.encode().map_err(encode)
    }

    fn finish(mut self: Box<Self>) -> Result<Encoded, EncodeError> {
        let (Some(last_duration), false) = (self.last_duration, self.pts.is_empty()) else {
            return Err(EncodeError::NoFrame { path: self.path });
        };
        self.close_intermediate()?;
        let mut warnings = Vec::new();
        if self.loses_alpha && self.egress.saw_transparency() {
            warnings.push(codec::ALPHA_LOST.into());
        }
        let Self { path, container, info, plan, intermediate, output, pts, store, .. } = *self;
        drop(output);
        let pictures = Pictures { file: &intermediate, exact: store.exact, pts: &pts, last_duration, info: &info };
        let muxed = mux::join(&path, container, &pictures, &plan)?;
        verify::check(&path, &pictures, plan.painted(), &muxed)?;
        std::fs::remove_file(&intermediate).map_err(|source| EncodeError::io(&intermediate, source))?;
        warnings.extend(muxed.warnings);
        Ok(Encoded { frames: pts.len() as u64, warnings })
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// The kind of file that keeps the pictures until the last pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Store {
    muxer: &'static str,
    /// Whether its timestamps are exact. The QuickTime family holds any time base.
    exact: bool,
}

impl Store {
    fn of(family: Family, alpha: bool) -> Self {
        match family {
            // The alpha lies beside the packets, where only Matroska keeps it. It rounds to milliseconds.
            Family::Vp9 if alpha => Self { muxer: "matroska", exact: false },
            Family::ProRes | Family::Ffv1 => Self { muxer: "mov", exact: true },
            _ => Self { muxer: "mp4", exact: true },
        }
    }
}
