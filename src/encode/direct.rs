//! Pictures alone, straight into their file or pipe: animations, and raw video for other programs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ffmpeg_next::color::Space;
use ffmpeg_next::format::Pixel;
use ffmpeg_next::format::context::Output;
use ffmpeg_next::{self as ffmpeg, Dictionary, Packet, Rational, encoder};

use super::codec::registry::{APNG, Encoder, Family, GIF, NUT, WEBP, Y4M};
use super::codec::{ALPHA_LOST, Animation, Kind, Options, Raw, Setup, fit};
use super::egress::{Egress, Form};
use super::track::{Moment, Track};
use super::{EncodeError, Encoded, FrameSink, riff};
use crate::media::{ColorInfo, Frame, MediaInfo, Model, Ratio, Samples, TimeBase, ffi};
use crate::settings::OutputSettings;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Animation(Animation),
    Raw(Raw),
}

impl From<Animation> for Way {
    fn from(kind: Animation) -> Self {
        Self::Animation(kind)
    }
}

impl From<Raw> for Way {
    fn from(kind: Raw) -> Self {
        Self::Raw(kind)
    }
}

impl Way {
    fn encoder(self) -> &'static Encoder {
        match self {
            Self::Animation(Animation::Gif) => &GIF,
            Self::Animation(Animation::Apng) => &APNG,
            Self::Animation(Animation::WebP) => &WEBP,
            Self::Raw(Raw::Y4m) => &Y4M,
            Self::Raw(Raw::Nut) => &NUT,
        }
    }

    fn muxer(self) -> &'static str {
        match self {
            Self::Animation(Animation::Gif) => "gif",
            Self::Animation(Animation::Apng) => "apng",
            Self::Animation(Animation::WebP) => "webp",
            Self::Raw(Raw::Y4m) => "yuv4mpegpipe",
            Self::Raw(Raw::Nut) => "nut",
        }
    }

    /// The clock of the format.
    fn base(self, info: &MediaInfo) -> TimeBase {
        match self {
            Self::Animation(Animation::Gif) => TimeBase::new(1, 100),
            Self::Animation(Animation::WebP) => TimeBase::new(1, 1000),
            Self::Animation(Animation::Apng) | Self::Raw(Raw::Nut) => info.base,
            Self::Raw(Raw::Y4m) => {
                let rate = rate(info);
                TimeBase::new(rate.den, rate.num)
            }
        }
    }

    /// Repeats for ever, where it can; 16-bit Y4M is an extension.
    fn header(self) -> Dictionary<'static> {
        let mut options = Dictionary::new();
        match self {
            Self::Animation(Animation::Gif | Animation::WebP) => options.set("loop", "0"),
            Self::Animation(Animation::Apng) => options.set("plays", "0"),
            Self::Raw(Raw::Y4m) => options.set("strict", "-1"),
            Self::Raw(Raw::Nut) => {}
        }
        options.set("fflags", "+bitexact");
        options
    }

    /// The formats to choose from.
    fn formats(self, codec: ffmpeg::Codec) -> Vec<Pixel> {
        use Pixel::*;
        match self {
            Self::Animation(Animation::Gif) => vec![PAL8],
            Self::Animation(_) => fit::formats(codec),
            Self::Raw(Raw::Y4m) => Y4M_FORMATS.to_vec(),
            Self::Raw(Raw::Nut) => {
                let more = [
                    YUVA420P,
                    YUVA422P,
                    YUVA444P,
                    YUVA420P10LE,
                    YUVA422P10LE,
                    YUVA444P10LE,
                    YUVA420P16LE,
                    YUVA422P16LE,
                    YUVA444P16LE,
                    RGB24,
                    RGBA,
                    RGB48LE,
                    RGBA64LE,
                ];
                Y4M_FORMATS.into_iter().chain(more).collect()
            }
        }
    }
}

const Y4M_FORMATS: [Pixel; 12] = [
    Pixel::YUV420P,
    Pixel::YUV422P,
    Pixel::YUV444P,
    Pixel::YUV420P10LE,
    Pixel::YUV422P10LE,
    Pixel::YUV444P10LE,
    Pixel::YUV420P12LE,
    Pixel::YUV422P12LE,
    Pixel::YUV444P12LE,
    Pixel::YUV420P16LE,
    Pixel::YUV422P16LE,
    Pixel::YUV444P16LE,
];

/// Frames a second where a format has nothing else; 25 if nobody knows.
fn rate(info: &MediaInfo) -> Ratio {
    info.rate.filter(|rate| rate.num > 0 && rate.den > 0).unwrap_or(Ratio::new(25, 1))
}

/// Writes each frame as it comes.
pub(super) struct DirectSink {
    path: PathBuf,
    way: Way,
    /// Whether it is a file, which can be read again.
    is_file: bool,
    warnings: Vec<String>,
    track: Track,
    source_base: TimeBase,
    base: TimeBase,
    encoder: encoder::Video,
    egress: Egress,
    output: Output,
    output_base: TimeBase,
    keeps_alpha: bool,
    /// Of the frames so far, in ticks of `base`.
    pts: Vec<i64>,
    /// When the last frame ends.
    end: i64,
    durations: HashMap<i64, i64>,
    /// Frames that could not be shown when they should.
    moved: u64,
}

impl DirectSink {
    pub fn open_stdout(info: &MediaInfo, settings: &OutputSettings) -> Result<Self, EncodeError> {
        let format = if settings.format.is_empty() { "y4m" } else { &settings.format };
        match Kind::of(Path::new("-"), format)? {
            Kind::Raw(kind) => Self::open_at(Path::new("-"), true, kind.into(), info, settings),
            Kind::File(_) | Kind::Animation(_) => Err(EncodeError::StdoutFormat { format: format.into() }),
        }
    }

    pub fn open(path: &Path, way: Way, info: &MediaInfo, settings: &OutputSettings) -> Result<Self, EncodeError> {
        Self::open_at(path, false, way, info, settings)
    }

    fn open_at(
        path: &Path,
        is_stdout: bool,
        way: Way,
        info: &MediaInfo,
        settings: &OutputSettings,
    ) -> Result<Self, EncodeError> {
        let base = way.base(info);
        let (setup, alpha, warnings) = setup(path, way, info, settings)?;
        let clocked = MediaInfo { base, ..info.clone() };
        let encoder = setup.open(path, &clocked)?;
        let (format, behind) = match way {
            // A palette for each frame, from that frame alone: nothing is held back.
            Way::Animation(Animation::Gif) => {
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
        let egress = Egress::new(form, &behind).map_err(prepare)?;
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
        let unused = output.write_header_with(way.header()).map_err(create)?;
        super::mux::all_used(&unused).map_err(create)?;
        drop(unused);
        let output_base = output.stream(0).map_or(base, |stream| stream.time_base().into());
        Ok(Self {
            path: path.into(),
            way,
            is_file: !is_stdout,
            warnings,
            track: Track::new(path, info),
            source_base: info.base,
            base,
            encoder,
            egress,
            output,
            output_base,
            keeps_alpha: alpha,
            pts: Vec::new(),
            end: 0,
            durations: HashMap::new(),
            moved: 0,
        })
    }

    fn fail(&self, doing: &'static str) -> impl Fn(ffmpeg::Error) -> EncodeError + use<> {
        let path = self.path.clone();
        move |error| EncodeError::libav(&path, doing, error)
    }

    /// When a frame is shown, on the format's clock. Rounded from the beginning, so that no error adds up.
    fn place(&mut self, moment: Moment) -> i64 {
        let exact = self.source_base.convert(moment.since_first, self.base);
        let next = self.pts.last().map_or(0, |last| last + 1);
        let pts = if self.way == Way::Raw(Raw::Y4m) { next } else { exact.max(next) };
        // Half a frame of jitter is what a constant rate makes of times that were rounded before.
        let off = (self.base.seconds(pts) - self.source_base.seconds(moment.since_first)).abs();
        self.moved += u64::from(off > 0.6 * self.base.seconds(1));
        let end = self.source_base.convert(moment.since_first + moment.duration, self.base).max(pts + 1);
        self.durations.insert(pts, end - pts);
        self.end = end;
        self.pts.push(pts);
        pts
    }

    fn encode(&mut self) -> Result<(), ffmpeg::Error> {
        while let Some(frame) = self.egress.pull()? {
            self.encoder.send_frame(&frame)?;
            self.drain()?;
        }
        Ok(())
    }

    fn drain(&mut self) -> Result<(), ffmpeg::Error> {
        loop {
            let mut packet = Packet::empty();
            match self.encoder.receive_packet(&mut packet) {
                Ok(()) => {}
                Err(ffmpeg::Error::Eof | ffmpeg::Error::Other { errno: ffmpeg::error::EAGAIN }) => return Ok(()),
                Err(error) => return Err(error),
            }
            let duration = packet.pts().and_then(|pts| self.durations.remove(&pts));
            packet.set_duration(duration.unwrap_or_else(|| packet.duration()));
            packet.rescale_ts(self.base, self.output_base);
            packet.set_stream(0);
            packet.write_interleaved(&mut self.output)?;
            if !self.is_file {
                // Whoever waits at the other end of the pipe is to have it now.
                ffi::flush_output(&mut self.output)?;
            }
        }
    }

    fn close(&mut self) -> Result<(), EncodeError> {
        let encode = self.fail("encoding");
        self.egress.flush().map_err(&encode)?;
        self.encode().map_err(&encode)?;
        self.encoder.send_eof().map_err(&encode)?;
        self.drain().map_err(&encode)?;
        let close = self.fail("closing it");
        if let (Way::Animation(Animation::Gif | Animation::Apng), Some(last)) = (self.way, self.pts.last()) {
            let ticks = self.end - last;
            let delay = match self.way {
                Way::Animation(Animation::Gif) => ticks.to_string(),
                _ => format!("{}/{}", ticks * i64::from(self.base.num), self.base.den),
            };
            ffi::set_muxer_option(&mut self.output, c"final_delay", &delay).map_err(&close)?;
        }
        self.output.write_trailer().map_err(&close)?;
        ffi::flush_output(&mut self.output).map_err(close)
    }

    /// Reads the file again: how many frames there are, and when they are shown.
    fn verify(&self) -> Result<(), EncodeError> {
        let differs = |what: String| Err(EncodeError::Verify { path: self.path.clone(), what });
        let expected: Vec<f64> = self.pts.iter().map(|&pts| self.base.seconds(pts)).collect();
        let found = if self.way == Way::Animation(Animation::WebP) {
            let durations = riff::make_frames_replace(&self.path).map_err(|e| EncodeError::io(&self.path, e))?;
            let opened = image::image_dimensions(&self.path);
            opened.map_err(|source| EncodeError::Picture { path: self.path.clone(), source })?;
            // A single picture is no animation.
            let durations = if durations.is_empty() { vec![0] } else { durations };
            let starts = durations.iter().scan(0, |at, &duration| {
                *at += duration;
                Some((*at - duration) as f64 / 1000.0)
            });
            starts.collect()
        } else {
            packet_times(&self.path).map_err(self.fail("reading it again"))?
        };
        if found.len() != expected.len() {
            return differs(format!("{} frames of {}", found.len(), expected.len()));
        }
        // FFmpeg takes what is shown for less than 1/50 s for 1/10 s, as browsers do.
        let steps_are_long = || self.pts.windows(2).all(|pair| pair[1] - pair[0] >= 2);
        if self.way == Way::Animation(Animation::Gif) && !steps_are_long() {
            return Ok(());
        }
        for (index, (expected, found)) in expected.iter().zip(&found).enumerate() {
            if (expected - found).abs() > 1e-4 {
                return differs(format!("frame {index} is shown at {found} s instead of {expected} s"));
            }
        }
        Ok(())
    }

    fn closing_warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.keeps_alpha && self.egress.saw_transparency() {
            warnings.push(ALPHA_LOST.into());
        }
        let moved = self.moved;
        match self.way {
            Way::Raw(Raw::Y4m) if moved > 0 => warnings.push(format!(
                "Y4M has a constant frame rate: {moved} frames are not shown when they were; --format nut keeps times"
            )),
            Way::Animation(Animation::Gif) if moved > 0 => warnings.push(format!(
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
        self.egress.push(&frame.pixels, pts).map_err(&encode)?;
        self.encode().map_err(encode)
    }

    fn finish(mut self: Box<Self>) -> Result<Encoded, EncodeError> {
        if self.pts.is_empty() {
            return Err(EncodeError::NoFrame { path: self.path });
        }
        self.close()?;
        if self.is_file {
            self.verify()?;
        }
        Ok(Encoded { frames: self.track.frames, warnings: self.closing_warnings() })
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// Decides on format and options; also whether alpha is kept.
fn setup(
    path: &Path,
    way: Way,
    info: &MediaInfo,
    settings: &OutputSettings,
) -> Result<(Setup, bool, Vec<String>), EncodeError> {
    let encoder = way.encoder();
    let (name, family) = (encoder.name, encoder.family);
    if settings.codec != "auto" && settings.codec != name {
        let codec = settings.codec.clone();
        return Err(EncodeError::UnknownCodec { path: path.into(), codec, valid: "auto".into() });
    }
    let no_encoder = || EncodeError::NoEncoder { path: path.into(), encoder: name.into() };
    let codec = encoder::find_by_name(name).ok_or_else(no_encoder)?;
    let formats = way.formats(codec);
    let lossless = settings.encoder_options.iter().any(|option| option == "lossless=1");
    let want = match (way, info.samples.model) {
        (Way::Raw(Raw::Nut), Model::Rgb) => info.samples,
        (Way::Animation(Animation::WebP), _) if lossless => Samples { alpha: info.samples.alpha, ..Samples::RGB8 },
        _ => fit::wanted(info.samples, family, info.samples.alpha),
    };
    let refused = || EncodeError::PixFmt {
        path: path.into(),
        encoder: name.into(),
        format: settings.pix_fmt.clone(),
        valid: formats.iter().map(|&format| ffi::pixel_format_name(format)).collect::<Vec<_>>().join(", "),
    };
    let format = match settings.pix_fmt.as_str() {
        "auto" if way == Way::Animation(Animation::Gif) => Pixel::PAL8,
        "auto" => fit::best(&formats, want).ok_or_else(refused)?.0,
        asked => formats.iter().copied().find(|&format| ffi::pixel_format_name(format) == asked).ok_or_else(refused)?,
    };
    let mut held = ffi::samples_of(format);
    held.alpha &= info.samples.alpha;
    let source = info.color.written(info.samples.model);
    let color = match (family, held.model) {
        (_, Model::Rgb) => ColorInfo { matrix: Space::RGB, full_range: true, ..source },
        // What WebP takes for granted.
        (Family::WebP, _) => ColorInfo { matrix: Space::SMPTE170M, full_range: false, ..source },
        _ => ColorInfo { full_range: false, ..source },
    };
    let options = Options::new(path, encoder, held, settings)?;
    let warnings = warnings(path, way, info, held, settings)?;
    let coded = (info.width, info.height);
    Ok((Setup { encoder, codec, format, color, coded, options }, held.alpha, warnings))
}

/// What is left out, one line each.
fn warnings(
    path: &Path,
    way: Way,
    info: &MediaInfo,
    held: Samples,
    settings: &OutputSettings,
) -> Result<Vec<String>, EncodeError> {
    let mut lines = Vec::new();
    if info.samples.alpha && !held.alpha && info.codec != "gif" {
        if settings.strict_streams {
            return Err(EncodeError::Alpha { path: path.into() });
        }
        lines.push(ALPHA_LOST.into());
    }
    let Some(source) = &info.source else { return Ok(lines) };
    let input = ffi::open_input(&source.path);
    let input = input.map_err(|error| EncodeError::libav(&source.path, "opening it again", error))?;
    let others = input.streams().filter(|stream| stream.index() != source.stream).count();
    if others > 0 {
        let format = match way {
            Way::Animation(Animation::Gif) => "GIF",
            Way::Animation(Animation::Apng) => "APNG",
            Way::Animation(Animation::WebP) => "WebP",
            Way::Raw(_) => "raw video",
        };
        if settings.strict_streams {
            return Err(EncodeError::PicturesOnly { path: path.into(), format, others });
        }
        lines.push(format!("{format} holds pictures only: {others} other streams of the source are left out"));
    }
    Ok(lines)
}

/// When the packets of a file are shown, in seconds from the first.
fn packet_times(path: &Path) -> Result<Vec<f64>, ffmpeg::Error> {
    let mut input = ffi::open_input(path)?;
    let base: TimeBase = input.stream(0).ok_or(ffmpeg::Error::StreamNotFound)?.time_base().into();
    let mut ticks = Vec::new();
    loop {
        let mut packet = Packet::empty();
        match packet.read(&mut input) {
            Ok(()) => ticks.push(packet.pts().or(packet.dts()).ok_or(ffmpeg::Error::InvalidData)?),
            Err(ffmpeg::Error::Eof) => break,
            Err(error) => return Err(error),
        }
    }
    let first = ticks.first().copied().unwrap_or(0);
    Ok(ticks.into_iter().map(|ticks| base.seconds(ticks - first)).collect())
}
