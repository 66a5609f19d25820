//! Writes picture streams without an intermediate file: animations, and raw video for other programs.

mod format;
mod setup;
mod verify;

use std::path::{Path, PathBuf};

use ffmpeg_next::format::Pixel;
use ffmpeg_next::format::context::Output;
use ffmpeg_next::{self as ffmpeg, Rational, encoder};

use super::codec::{Animation, Kind, Raw, alpha_lost};
use super::packet_writer::PacketWriter;
use super::to_encoder::{Form, ToEncoder};
use super::track::{Moment, Track};
use super::{EncodeError, Encoded, FrameSink};
use crate::label;
use crate::media::{Frame, MediaInfo, TimeBase, ffi};
use crate::settings::OutputSettings;

use format::rate;
use setup::setup;

pub(super) use format::DirectFormat;

/// A sink that encodes and writes each frame at once.
pub(super) struct DirectSink {
    path: PathBuf,
    way: DirectFormat,
    /// Whether the output is a file, which can be read back.
    is_file: bool,
    warnings: Vec<String>,
    track: Track,
    source_base: TimeBase,
    base: TimeBase,
    encoder: encoder::Video,
    to_encoder: ToEncoder,
    writer: PacketWriter,
    /// Whether transparent pixels would be lost without a warning at the start.
    loses_alpha: bool,
    /// pts of the frames so far, in ticks of `base`.
    pts: Vec<i64>,
    /// End of the last frame, in ticks of `base`.
    end: i64,
    /// Number of frames that could not be shown at their own time.
    moved: u64,
    /// Text that is inserted once the file is closed.
    label: Option<String>,
}

impl DirectSink {
    pub fn open_stdout(info: &MediaInfo, settings: &OutputSettings) -> Result<Self, EncodeError> {
        let format = if settings.format.is_empty() { "y4m" } else { &settings.format };
        match Kind::of(Path::new("-"), format)? {
            Kind::Raw(kind) => Self::open_at(Path::new("-"), true, (kind.into(), None), info, settings),
            Kind::File(_) | Kind::Animation(_) => Err(EncodeError::StdoutFormat { format: format.into() }),
        }
    }

    /// `label` is the text to embed in the file, if its format can hold one.
    pub fn open(
        path: &Path,
        way: DirectFormat,
        info: &MediaInfo,
        settings: &OutputSettings,
        label: Option<&str>,
    ) -> Result<Self, EncodeError> {
        Self::open_at(path, false, (way, label), info, settings)
    }

    fn open_at(
        path: &Path,
        is_stdout: bool,
        (way, label): (DirectFormat, Option<&str>),
        info: &MediaInfo,
        settings: &OutputSettings,
    ) -> Result<Self, EncodeError> {
        let base = way.base(info);
        let (setup, alpha, warnings) = setup(path, way, info, settings)?;
        let clocked = MediaInfo { base, ..info.clone() };
        let encoder = setup.open(path, &clocked)?.encoder;
        let (format, behind) = match way {
            // Each palette comes from its own frame alone, so no frame is held back.
            DirectFormat::Animation(Animation::Gif) => {
                let transparent = i32::from(alpha);
                let chain = format!(
                    ",split[a][b];[a]palettegen=stats_mode=single:reserve_transparent={transparent}[p];\
                     [b][p]paletteuse=new=1"
                );
                (if alpha { Pixel::BGRA } else { Pixel::BGRZ }, chain)
            }
            _ => (setup.format, String::new()),
        };
        let form = Form { format, color: setup.color, coded: setup.coded, base };
        let prepare = |error| EncodeError::libav(path, "preparing it", error);
        let to_encoder = ToEncoder::new(form, &behind).map_err(prepare)?;
        let create = |error| EncodeError::libav(path, "creating it", error);
        let output = if is_stdout { ffi::open_stdout(way.muxer()) } else { ffi::open_output(path, way.muxer()) };
        let mut output = output.map_err(create)?;
        let mut stream = output.add_stream_with(&encoder).map_err(create)?;
        stream.set_time_base(base);
        let rate = rate(info);
        stream.set_avg_frame_rate(Rational::new(rate.num, rate.den));
        if let Some(aspect) = info.sample_aspect {
            ffi::set_stream_aspect(&mut stream, aspect);
        }
        if let Some(label) = label.filter(|_| way == DirectFormat::Raw(Raw::Nut)) {
            set_label_in_parts(&mut output, label).map_err(create)?;
        }
        let unused = output.write_header_with(way.header()).map_err(create)?;
        super::mux::all_used(&unused).map_err(create)?;
        drop(unused);
        Ok(Self {
            path: path.into(),
            way,
            is_file: !is_stdout,
            warnings,
            track: Track::new(path, info),
            source_base: info.base,
            base,
            encoder,
            to_encoder,
            writer: PacketWriter::new(output, base),
            loses_alpha: !alpha && !info.samples.alpha,
            pts: Vec::new(),
            end: 0,
            moved: 0,
            label: label.filter(|_| matches!(way, DirectFormat::Animation(_))).map(str::to_owned),
        })
    }

    fn fail(&self, doing: &'static str) -> impl Fn(ffmpeg::Error) -> EncodeError + use<> {
        let path = self.path.clone();
        move |error| EncodeError::libav(&path, doing, error)
    }

    /// Returns the pts of a frame in ticks of `base`. It is rounded from the beginning, so errors do not add up.
    fn place(&mut self, moment: Moment) -> i64 {
        let exact = self.source_base.convert(moment.since_first, self.base);
        let next = self.pts.last().map_or(0, |last| last + 1);
        let pts = if self.way == DirectFormat::Raw(Raw::Y4m) { next } else { exact.max(next) };
        // A constant rate moves times that were rounded before by up to half a frame; that does not count.
        let off = (self.base.seconds(pts) - self.source_base.seconds(moment.since_first)).abs();
        self.moved += u64::from(off > 0.6 * self.base.seconds(1));
        let end = self.source_base.convert(moment.since_first + moment.duration, self.base).max(pts + 1);
        self.writer.expect(pts, end - pts);
        self.end = end;
        self.pts.push(pts);
        pts
    }

    fn encode(&mut self) -> Result<(), ffmpeg::Error> {
        while let Some(frame) = self.to_encoder.pull()? {
            self.encoder.send_frame(&frame)?;
            self.drain()?;
        }
        Ok(())
    }

    fn drain(&mut self) -> Result<(), ffmpeg::Error> {
        self.writer.drain(&mut self.encoder)?;
        // The reader of the pipe should get the frame now.
        if self.is_file { Ok(()) } else { ffi::flush_output(&mut self.writer.output) }
    }

    fn close(&mut self) -> Result<(), EncodeError> {
        let encode = self.fail("encoding");
        self.to_encoder.flush().map_err(&encode)?;
        self.encode().map_err(&encode)?;
        self.encoder.send_eof().map_err(&encode)?;
        self.drain().map_err(&encode)?;
        let close = self.fail("closing it");
        if let (DirectFormat::Animation(Animation::Gif | Animation::Apng), Some(last)) = (self.way, self.pts.last()) {
            let ticks = self.end - last;
            let delay = match self.way {
                DirectFormat::Animation(Animation::Gif) => ticks.to_string(),
                _ => format!("{}/{}", ticks * i64::from(self.base.num), self.base.den),
            };
            ffi::set_muxer_option(&mut self.writer.output, c"final_delay", &delay).map_err(&close)?;
        }
        self.writer.output.write_trailer().map_err(&close)?;
        ffi::flush_output(&mut self.writer.output).map_err(close)
    }

    fn closing_warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.loses_alpha && self.to_encoder.saw_transparency() {
            warnings.push(alpha_lost());
        }
        let moved = self.moved;
        match self.way {
            DirectFormat::Raw(Raw::Y4m) if moved > 0 => warnings.push(format!(
                "Y4M has a constant frame rate: {moved} frames are not shown when they were; --format nut keeps times"
            )),
            DirectFormat::Animation(Animation::Gif) if moved > 0 => warnings.push(format!(
                "GIF shows at most 100 frames a second: {moved} frames come late; --post-filter fps=50 leaves some out"
            )),
            _ => {}
        }
        warnings
    }
}

impl FrameSink for DirectSink {
    fn push(&mut self, frame: Frame) -> Result<(), EncodeError> {
        let moment = self.track.take(&frame)?;
        let pts = self.place(moment);
        let encode = self.fail("writing it");
        self.to_encoder.push(&frame.pixels, pts).map_err(&encode)?;
        self.encode().map_err(encode)
    }

    fn finish(mut self: Box<Self>) -> Result<Encoded, EncodeError> {
        if self.pts.is_empty() {
            return Err(EncodeError::NoFrame { path: self.path });
        }
        self.close()?;
        if let Some(label) = &self.label {
            label::in_file(&self.path, label).map_err(|error| EncodeError::io(&self.path, error))?;
        }
        if self.is_file {
            verify::verify(&self.path, self.way, &self.pts, self.base)?;
        }
        Ok(Encoded { frames: self.track.frames, warnings: self.closing_warnings() })
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// Splits the label over several tags: FFmpeg reads no more than a thousand bytes of a NUT tag.
fn set_label_in_parts(output: &mut Output, label: &str) -> Result<(), ffmpeg::Error> {
    label::parts(label).into_iter().try_for_each(|(key, part)| ffi::set_file_tag(output, &key, part))
}
