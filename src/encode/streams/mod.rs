//! Plans which of the source's other streams go into the output, and how.

mod convert;
mod sound;
mod trial;
mod words;

use std::path::Path;

use ffmpeg_next::format::context::Input;
use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::{Stream, codec, media};

pub(super) use convert::Converter;
pub(super) use sound::SoundConverter;
pub(super) use trial::describe;
pub(super) use words::{describe as describe_stream, list};

use super::EncodeError;
use super::codec::{CONTAINERS, Container};
use crate::media::{MediaInfo, ffi};
use crate::settings::OutputSettings;
use trial::{Trial, conversions};

/// What becomes of a stream of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Its pictures are painted; they are this stream of the output.
    Painted(usize),
    /// Copied to this stream of the output, packets (or the attached file) byte for byte.
    Copied(usize),
    /// A text subtitle or sound in another codec with the same times, as stream `output`.
    Converted { output: usize, codec: codec::Id },
    /// The muxer writes the same information itself: MP4's text track of the chapters, the track of a timecode.
    Recreated,
    /// Missing from the output, for this reason.
    LeftOut(String),
}

/// How a stream is written to the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carriage {
    /// Copied unchanged; with or without the source container's name for the codec.
    Track { tagged: bool },
    /// Text, converted to another codec packet by packet.
    Text(codec::Id),
    /// Sound, converted to another codec.
    Sound(codec::Id),
    /// An attached file (a font), kept as one.
    Attachment,
    /// Cover art as a picture in MP4's tags.
    Cover,
    /// Cover art as an attached file, as in Matroska; FFmpeg 5.1 would make a video track of it otherwise.
    AttachedCover,
}

impl Carriage {
    /// Whether it is a track with timestamps.
    pub fn is_track(self) -> bool {
        matches!(self, Self::Track { .. } | Self::Text(_) | Self::Sound(_))
    }

    /// Whether it is written as packets.
    pub fn has_packets(self) -> bool {
        self.is_track() || self == Self::Cover
    }
}

/// A stream of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Painted,
    /// A stream of the source.
    Carried {
        source: usize,
        carriage: Carriage,
        /// Whether it is mov_text. In the QuickTime family such a track always has packets: the muxer writes one that
        /// says that nothing is shown.
        is_movie_text: bool,
    },
}

/// Plan of the streams of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    /// In the muxer's order: tracks in the source's order, then streams without a track.
    pub slots: Vec<Slot>,
    /// What becomes of every stream of the source, as far as known before its packets are read.
    pub fates: Vec<(usize, Fate)>,
    /// What is left out or changed, one line each.
    pub warnings: Vec<String>,
}

impl Default for Plan {
    /// The painted pictures alone.
    fn default() -> Self {
        Self { slots: vec![Slot::Painted], fates: Vec::new(), warnings: Vec::new() }
    }
}

impl Plan {
    /// Decides for every stream of the source. A stream that the container cannot hold is left out, with a warning.
    /// `work` takes a trial file for a moment.
    ///
    /// # Errors
    /// With `strict`, if a stream is left out. Also if the output would then have no sound, although it could be
    /// converted (`convert_audio`) or another container could hold it.
    pub fn new(
        input: &mut Input,
        info: &MediaInfo,
        path: &Path,
        container: Container,
        work: &Path,
        settings: &OutputSettings,
    ) -> Result<Self, EncodeError> {
        let strict = settings.strict_streams;
        let Some(source) = &info.source else { return Ok(Self::default()) };
        let untimed = trial::untimed(input, source.stream)
            .map_err(|error| EncodeError::libav(&source.path, "looking at its streams", error))?;
        let trial = Trial { input, painted: source.stream, rate: info.rate, folder: work, untimed: &untimed };
        let mut plan = Self { slots: Vec::new(), ..Self::default() };
        let mut trackless = Vec::new();
        let mut left_out = Vec::new();
        for stream in input.streams() {
            let index = stream.index();
            let called = words::describe(&stream);
            let mut decision = decide(&trial, container, &stream);
            let is_lost = matches!(decision, Decision::LeftOut) && is_sound(&stream) && has_sound(container);
            if is_lost && settings.convert_audio && sound::is_convertible(container, &stream) {
                decision = Decision::Carried(Carriage::Sound(sound::own_codec(container).0));
            }
            match decision {
                Decision::Painted => plan.slots.push(Slot::Painted),
                Decision::Carried(carriage) => {
                    if let Carriage::Text(codec) | Carriage::Sound(codec) = carriage {
                        plan.warnings.push(format!("{called} is converted to {}", codec.name()));
                    }
                    let codec = if let Carriage::Text(codec) = carriage { codec } else { stream.parameters().id() };
                    let is_movie_text = codec == codec::Id::MOV_TEXT;
                    let slot = Slot::Carried { source: index, carriage, is_movie_text };
                    if carriage.is_track() { plan.slots.push(slot) } else { trackless.push(slot) }
                }
                Decision::Recreated => plan.fates.push((index, Fate::Recreated)),
                Decision::LeftOut if is_lost && !strict && is_needed(&trial, container, &stream) => {
                    return Err(EncodeError::AudioCodec {
                        path: path.into(),
                        container: container.extension,
                        codec: words::codec_name(&stream),
                        advice: sound_advice(&trial),
                    });
                }
                Decision::LeftOut => {
                    let reason = if untimed.contains(&index) {
                        "its packets do not say when they are shown".into()
                    } else {
                        format!("{} cannot hold it{}", container.extension, elsewhere(&trial, &stream))
                    };
                    plan.warnings.push(format!("{called} is left out: {reason}"));
                    plan.fates.push((index, Fate::LeftOut(reason)));
                    left_out.push(called);
                }
            }
        }
        plan.slots.append(&mut trackless);
        if strict && !left_out.is_empty() {
            return Err(EncodeError::Streams {
                path: path.into(),
                container: container.extension,
                streams: words::list(&left_out, "and"),
                advice: strict_advice(&trial),
            });
        }
        let made = plan.made_by_muxer(&trial, container);
        plan.fates.push((source.stream, Fate::Painted(0)));
        plan.fates = plan.fates_of(&vec![1; plan.slots.len()], container, made);
        if let Some(timecode) = trial.unreadable_timecode(container) {
            plan.warnings.push(format!("the timecode {timecode} is left out: {} cannot hold it", container.extension));
        }
        Ok(plan)
    }

    /// Records that a stream is left out after all.
    pub fn left_out(&mut self, source: usize, reason: String) {
        self.fates.retain(|(index, _)| *index != source);
        self.fates.push((source, Fate::LeftOut(reason)));
        self.fates.sort_by_key(|(index, _)| *index);
    }

    /// Returns the position of the painted pictures among the slots.
    pub fn painted(&self) -> usize {
        self.slots.iter().position(|slot| *slot == Slot::Painted).unwrap_or(0)
    }

    /// Returns the streams of the source that are written as packets, in the order of their slots.
    pub fn fed(&self) -> impl Iterator<Item = (usize, Carriage)> {
        self.slots.iter().filter_map(|slot| match *slot {
            Slot::Carried { source, carriage, .. } if carriage.has_packets() => Some((source, carriage)),
            _ => None,
        })
    }

    /// Returns the fates once the number of packets per slot is known. The muxer itself adds `made` tracks.
    pub fn fates_of(&self, packets: &[u64], container: Container, made: usize) -> Vec<(usize, Fate)> {
        let outputs = self.outputs(packets, container, made);
        let painted = outputs.get(self.painted()).copied().flatten().unwrap_or(0);
        let mut fates = Vec::new();
        for (source, fate) in &self.fates {
            match fate {
                Fate::Painted(_) => fates.push((*source, Fate::Painted(painted))),
                Fate::Recreated | Fate::LeftOut(_) => fates.push((*source, fate.clone())),
                Fate::Copied(_) | Fate::Converted { .. } => {}
            }
        }
        for (slot, output) in self.slots.iter().zip(outputs) {
            let Slot::Carried { source, carriage, .. } = *slot else { continue };
            fates.push(match (output, carriage) {
                (None, _) => (source, Fate::LeftOut("it has nothing in this part of the source".into())),
                (Some(output), Carriage::Text(codec) | Carriage::Sound(codec)) => {
                    (source, Fate::Converted { output, codec })
                }
                (Some(output), _) => (source, Fate::Copied(output)),
            });
        }
        fates.sort_by_key(|(source, _)| *source);
        fates
    }

    /// Lists the streams that were planned to be in the output and are not, one line each.
    pub fn lost(&self, fates: &[(usize, Fate)]) -> impl Iterator<Item = String> {
        let planned =
            |source: &usize| !self.fates.iter().any(|(s, fate)| s == source && matches!(fate, Fate::LeftOut(_)));
        fates.iter().filter(move |(source, _)| planned(source)).filter_map(|(source, fate)| match fate {
            Fate::LeftOut(reason) => Some(format!("stream {source} is left out: {reason}")),
            _ => None,
        })
    }

    /// Returns the stream index of each slot in the finished output. The QuickTime family does not write a track
    /// without packets, and puts covers after the `made` tracks that the muxer adds itself.
    pub fn outputs(&self, packets: &[u64], container: Container, made: usize) -> Vec<Option<usize>> {
        let mut next = 0;
        let mut before_covers = made;
        let place = |(slot, &packets): (&Slot, &u64)| {
            if let Slot::Carried { carriage, is_movie_text, .. } = *slot {
                if container.is_quicktime() && packets == 0 && carriage.has_packets() && !is_movie_text {
                    return None;
                }
                if carriage == Carriage::Cover {
                    next += std::mem::take(&mut before_covers);
                }
            }
            next += 1;
            Some(next - 1)
        };
        self.slots.iter().zip(packets).map(place).collect()
    }
}

impl Plan {
    /// Returns the number of tracks that a muxer of the QuickTime family adds: one for chapters, one for each timecode.
    fn made_by_muxer(&self, trial: &Trial, container: Container) -> usize {
        if !container.is_quicktime() {
            return 0;
        }
        let of_other = |stream: Stream| {
            let timecode = stream.metadata().get(TIMECODE).map(str::to_owned);
            let readable =
                timecode.zip(ffi::average_rate(&stream)).and_then(|(text, rate)| ffi::timecode_after(&text, rate, 0));
            stream.parameters().medium() == media::Type::Video && readable.is_some()
        };
        let has_timecode = |slot: &&Slot| match slot {
            Slot::Painted => has_timecode_tag(trial, container),
            Slot::Carried { source, carriage, .. } if carriage.is_track() => {
                trial.input.stream(*source).is_some_and(of_other)
            }
            Slot::Carried { .. } => false,
        };
        usize::from(trial.input.nb_chapters() > 0) + self.slots.iter().filter(has_timecode).count()
    }
}

fn is_sound(stream: &Stream) -> bool {
    stream.parameters().medium() == media::Type::Audio
}

/// Whether the output would have no sound without this stream, although another container could hold it or it could be
/// converted.
fn is_needed(trial: &Trial, container: Container, stream: &Stream) -> bool {
    if stream.parameters().id() == codec::Id::None {
        return false;
    }
    let holds =
        |container: Container, stream: &Stream| matches!(decide(trial, container, stream), Decision::Carried(_));
    let others = trial.input.streams().filter(|other| is_sound(other) && other.index() != stream.index());
    let is_only = !others.into_iter().any(|other| holds(container, &other));
    is_only && (CONTAINERS.iter().any(|other| holds(*other, stream)) || sound::is_convertible(container, stream))
}

enum Decision {
    Painted,
    Carried(Carriage),
    Recreated,
    LeftOut,
}

fn decide(trial: &Trial, container: Container, stream: &Stream) -> Decision {
    if stream.index() == trial.painted {
        return Decision::Painted;
    }
    if is_chapter_text(trial.input, stream) || (is_timecode(stream) && has_timecode_tag(trial, container)) {
        return Decision::Recreated;
    }
    if trial.untimed.contains(&stream.index()) {
        return Decision::LeftOut;
    }
    carriages(container, stream)
        .into_iter()
        .find(|&carriage| trial.holds(container, stream, carriage))
        .map_or(Decision::LeftOut, Decision::Carried)
}

/// Returns the ways in which a stream may be written, best first.
fn carriages(container: Container, stream: &Stream) -> Vec<Carriage> {
    let is_matroska = container.muxer == "matroska";
    match stream.parameters().medium() {
        media::Type::Attachment if is_matroska => vec![Carriage::Attachment],
        media::Type::Attachment | media::Type::Unknown => Vec::new(),
        // A track of thumbnails is no cover.
        media::Type::Video if ffi::is_thumbnail_track(stream) => Vec::new(),
        // QuickTime has no cover art: its muxer drops it silently.
        media::Type::Video if stream.disposition().contains(Disposition::ATTACHED_PIC) => match container.muxer {
            "matroska" if words::picture_type(stream.parameters().id()).is_some() => vec![Carriage::AttachedCover],
            "mp4" => vec![Carriage::Cover],
            _ => Vec::new(),
        },
        media::Type::Audio if stream.parameters().id() == codec::Id::None => vec![Carriage::Track { tagged: true }],
        media::Type::Audio => vec![Carriage::Track { tagged: false }],
        media::Type::Subtitle => {
            let mut ways = vec![Carriage::Track { tagged: false }];
            ways.extend(conversions(stream.parameters().id()).map(Carriage::Text));
            ways
        }
        // Data without a known codec can only be copied by the name of its codec.
        media::Type::Data if matches!(stream.parameters().id(), codec::Id::None | codec::Id::BIN_DATA) => {
            let is_name = ffi::codec_tag(stream).iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
            if is_name { vec![Carriage::Track { tagged: true }] } else { Vec::new() }
        }
        _ => vec![Carriage::Track { tagged: true }, Carriage::Track { tagged: false }],
    }
}

/// Whether it is MP4's text track of the chapters, which the muxer writes itself.
fn is_chapter_text(input: &Input, stream: &Stream) -> bool {
    stream.parameters().id() == codec::Id::BIN_DATA && ffi::codec_tag(stream) == *b"text" && input.nb_chapters() > 0
}

fn is_timecode(stream: &Stream) -> bool {
    ffi::codec_tag(stream) == *b"tmcd"
}

/// Whether the timecode is in a tag that is copied. Muxers with timecode tracks make one from it.
fn has_timecode_tag(trial: &Trial, container: Container) -> bool {
    trial.timecode().is_some() && trial.unreadable_timecode(container).is_none()
}

/// FFmpeg's name of the tag that holds a timecode.
pub(in crate::encode) const TIMECODE: &str = "timecode";

/// Whether the container can hold sound at all; nobody expects sound in one that cannot.
fn has_sound(container: Container) -> bool {
    ffi::muxer_has_sound(container.muxer)
}

/// Lists the containers that would take a stream: `; .mp4 or .mkv would`.
fn elsewhere(trial: &Trial, stream: &Stream) -> String {
    let takes = |container: &&Container| matches!(decide(trial, **container, stream), Decision::Carried(_));
    let names: Vec<String> =
        CONTAINERS.iter().filter(takes).map(|container| format!(".{}", container.extension)).collect();
    if names.is_empty() { ", nor can any other".into() } else { format!("; {} would", words::list(&names, "or")) }
}

/// Advises other file extensions whose containers hold all audio.
fn sound_advice(trial: &Trial) -> String {
    let names = holding(trial, is_sound);
    if names.is_empty() { "no other container can".into() } else { format!("use -o {}", names.join(" or ")) }
}

/// Advises other file extensions whose containers hold every stream.
fn strict_advice(trial: &Trial) -> String {
    let names = holding(trial, |_| true);
    if names.is_empty() { "leave --strict-streams away".into() } else { format!("use -o {}", names.join(" or ")) }
}

fn holding(trial: &Trial, counts: impl Fn(&Stream) -> bool) -> Vec<String> {
    let holds_all = |container: &&Container| {
        let mut streams = trial.input.streams().filter(&counts);
        streams.all(|stream| !matches!(decide(trial, **container, &stream), Decision::LeftOut))
    };
    CONTAINERS.iter().filter(holds_all).map(|container| format!("NAME.{}", container.extension)).collect()
}
