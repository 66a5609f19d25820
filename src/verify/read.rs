//! Reads the contents of a file from its first packet to its last.

use std::path::Path;

use ffmpeg_next::codec::Id;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::{self as ffmpeg, decoder, frame, media};
use sha2::{Digest, Sha256};

use super::container::Container;
use super::contents::{Attached, Chapter, Contents, Depth, Packet, Stream, Track, Video};
use super::payload::{self, Framing};
use super::tags::Tags;
use crate::decode::{self, Clock, DecodeError, Rotation};
use crate::media::ffi::{self, read};
use crate::media::splice::{FAR, PacketClock};
use crate::media::{self as words, ColorInfo, Ratio, TimeBase};

/// With more damage than this, reading stops.
const DAMAGE_LIMIT: u64 = 1000;

impl Contents {
    /// Reads a video file once, from beginning to end. Of each packet, the times, the size and the hash are kept. A
    /// clock that breaks off within the file is repaired, as for painting; its beginning stays.
    ///
    /// # Errors
    /// If the file cannot be read, or is not a video.
    pub fn read(path: &Path, depth: Depth) -> Result<Self, DecodeError> {
        Self::read_on(path, None, depth, true)
    }

    /// Reads a file like [`Contents::read`], but moves a beginning far from 0 to 0.
    ///
    /// # Errors
    /// As for [`Contents::read`].
    pub fn read_moved_to_zero(path: &Path, depth: Depth) -> Result<Self, DecodeError> {
        Self::read_on(path, None, depth, false)
    }

    /// Reads a file like [`Contents::read`], with stream `main` as the video; by default, the stream that is painted. A
    /// beginning far from 0 is moved to 0 unless `keep_clock` is set.
    ///
    /// # Errors
    /// As for [`Contents::read`].
    pub fn read_on(path: &Path, main: Option<usize>, depth: Depth, keep_clock: bool) -> Result<Self, DecodeError> {
        words::init();
        decode::look_at(path)?;
        let fail = |doing| move |source| DecodeError::Libav { path: path.into(), doing, source };
        let mut input = ffi::open_input(path).map_err(|error| decode::refused(path, error))?;
        let main = main.or_else(|| decode::video_stream(&input, Some(path)));
        let main = main.ok_or_else(|| DecodeError::NoVideo { path: path.into() })?;
        let mut pictures = Pictures::new(path, &mut input, main, depth)?;
        let mut stores: Vec<Store> = input.streams().map(|stream| Store::new(&stream)).collect();
        let mut clock = PacketClock::new(&input, main, keep_clock);
        let is_far = PacketClock::new(&input, main, false).start_note().is_some();
        let mut damaged = 0;
        loop {
            let packet = match clock.read(&mut input) {
                Ok(packet) => packet,
                Err(ffmpeg::Error::Eof) => break,
                Err(ffmpeg::Error::InvalidData) if damaged < DAMAGE_LIMIT => {
                    damaged += 1;
                    continue;
                }
                Err(error) => return Err(fail("reading it")(error)),
            };
            // A stream that appears only while reading is ignored, as in the rest of the program.
            let Some(store) = stores.get_mut(packet.stream()) else { continue };
            if packet.stream() == main {
                pictures.push(&packet, store).map_err(fail("decoding"))?;
            } else {
                store.push(&packet);
            }
        }
        if depth == Depth::Packets && pictures.untimed {
            return Self::read_on(path, Some(main), Depth::Decoded, keep_clock);
        }
        let video = pictures.finish(&input).map_err(fail("decoding"))?;
        if video.frames.is_empty() && depth != Depth::AllButVideo {
            return Err(DecodeError::NoFrame { path: path.into() });
        }
        let mut contents = Self {
            container: Container::of(&input, path),
            video,
            tracks: Vec::new(),
            covers: Vec::new(),
            attachments: Vec::new(),
            chapters: chapters(&input, clock.moved()),
            tags: Tags::new(read::file_tags(&input)),
            is_far,
        };
        for store in stores.into_iter().filter(|store| store.stream.index != main) {
            contents.sort_in(store);
        }
        Ok(contents)
    }

    fn sort_in(&mut self, store: Store) {
        let Store { stream, packets, words, samples, .. } = store;
        let attached = |stream: Stream, (size, hash)| Attached { stream, size, hash };
        let first = packets.first().map_or((0, 0), |packet| (packet.size, packet.hash));
        if stream.dispositions & Disposition::ATTACHED_PIC.bits() != 0 {
            self.covers.push(attached(stream, first));
        } else if stream.medium == media::Type::Attachment {
            let data = &stream.parameters.extradata;
            let content = (data.len(), payload::hash(data));
            let is_picture = stream.tags.get("mimetype").is_some_and(|kind| kind.starts_with("image/"));
            if is_picture { &mut self.covers } else { &mut self.attachments }.push(attached(stream, content));
        } else if !is_made_by_muxer(&stream, !self.chapters.is_empty()) {
            let samples = samples.map(|(size, digest)| (size, payload::first(&digest.finalize())));
            self.tracks.push(Track { stream, packets, words, samples, begins_late: false });
        }
    }
}

/// Whether this is MP4's text track for chapters or a timecode track: the muxer creates both from chapters and tags.
fn is_made_by_muxer(stream: &Stream, chapters: bool) -> bool {
    let tag = stream.parameters.tag.to_le_bytes();
    stream.medium == media::Type::Data && (&tag == b"tmcd" || (chapters && stream.codec == Id::BIN_DATA))
}

fn chapters(input: &Input, moved: f64) -> Vec<Chapter> {
    let chapter = |chapter: ffmpeg::Chapter| {
        let base = TimeBase::from(chapter.time_base());
        let (start, end) = (base.seconds(chapter.start()), base.seconds(chapter.end()));
        let moved = if start + FAR < -moved { 0.0 } else { moved };
        Chapter { base, start: start + moved, end: end + moved, tags: Tags::new(read::chapter_tags(&chapter)) }
    };
    input.chapters().map(chapter).collect()
}

impl Stream {
    fn of(stream: &ffmpeg::Stream) -> Self {
        let base = TimeBase::from(stream.time_base());
        let tags = Tags::new(read::stream_tags(stream));
        let start = if stream.start_time() == i64::MIN { 0 } else { stream.start_time() };
        let header = (stream.duration() > 0).then(|| base.seconds(start.saturating_add(stream.duration())));
        Self {
            index: stream.index(),
            medium: stream.parameters().medium(),
            codec: stream.parameters().id(),
            parameters: read::parameters(stream),
            base,
            dispositions: read::dispositions(stream),
            // Matroska has no field for the duration of a stream; muxers write a tag.
            end: tags.get("duration").and_then(decode::clock_time).or(header),
            tags,
        }
    }
}

/// Collects the packets of a stream.
struct Store {
    stream: Stream,
    framing: Framing,
    packets: Vec<Packet>,
    words: Vec<String>,
    samples: Option<(usize, Sha256)>,
}

impl Store {
    fn new(stream: &ffmpeg::Stream) -> Self {
        let stream = Stream::of(stream);
        let samples = payload::is_pcm(stream.codec).then(|| (0, Sha256::new()));
        Self { framing: Framing::of(&stream), stream, packets: Vec::new(), words: Vec::new(), samples }
    }

    fn push(&mut self, packet: &ffmpeg::Packet) {
        let data = packet.data().unwrap_or_default();
        let (size, hash) = self.framing.digest(data);
        if let Some((size, digest)) = &mut self.samples {
            *size += data.len();
            digest.update(data);
        }
        if payload::is_text(self.stream.codec) {
            let words = payload::words(self.stream.codec, data);
            // MP4 fills the time between two subtitles with empty ones.
            if words.is_empty() {
                return;
            }
            self.words.push(words);
        }
        self.packets.push(Packet {
            pts: packet.pts(),
            dts: packet.dts(),
            duration: packet.duration(),
            size,
            hash,
            hidden: ffi::is_discarded(packet),
        });
    }
}

/// Collects the frames of the video.
struct Pictures {
    stream: usize,
    hashed: bool,
    rate: Option<Ratio>,
    rotation: Rotation,
    decoder: Option<decoder::Video>,
    clock: Clock<()>,
    frames: Vec<i64>,
    /// The latest end of a frame, in ticks.
    end: Option<i64>,
    hash: u64,
    damaged: u64,
    /// Whether a packet had no pts.
    untimed: bool,
}

impl Pictures {
    fn new(path: &Path, input: &mut Input, index: usize, depth: Depth) -> Result<Self, DecodeError> {
        let guess = ffi::guess_frame_rate(input, index);
        let fail = |source| DecodeError::Libav { path: path.into(), doing: "reading its streams", source };
        let stream = input.stream(index).ok_or(ffmpeg::Error::StreamNotFound).map_err(fail)?;
        let rate = stream.avg_frame_rate();
        let rate = (rate.numerator() > 0 && rate.denominator() > 0).then(|| Ratio::new(rate.0, rate.1));
        let decoder = match depth {
            Depth::Packets | Depth::AllButVideo => None,
            Depth::Decoded => Some(decode::video_decoder(path, input, index)?.0),
        };
        Ok(Self {
            stream: index,
            hashed: depth != Depth::AllButVideo,
            rate,
            rotation: Rotation::of(&stream),
            decoder,
            clock: Clock::new(stream.time_base().into(), guess),
            frames: Vec::new(),
            end: None,
            hash: 0,
            damaged: 0,
            untimed: false,
        })
    }

    fn push(&mut self, packet: &ffmpeg::Packet, store: &Store) -> Result<(), ffmpeg::Error> {
        if self.hashed {
            let (_, hash) = store.framing.digest(packet.data().unwrap_or_default());
            self.hash = payload::chain(self.hash, hash);
        }
        let Some(decoder) = &mut self.decoder else {
            match packet.pts() {
                _ if ffi::is_discarded(packet) => {}
                Some(pts) => self.note(pts, packet.duration()),
                None => self.untimed = true,
            }
            return Ok(());
        };
        match decoder.send_packet(packet) {
            Err(ffmpeg::Error::InvalidData) => self.note_damage()?,
            Err(error) => return Err(error),
            Ok(()) => {}
        }
        self.drain()
    }

    fn note(&mut self, pts: i64, duration: i64) {
        self.frames.push(pts);
        if duration > 0 {
            self.end = self.end.max(Some(pts.saturating_add(duration)));
        }
    }

    fn note_damage(&mut self) -> Result<(), ffmpeg::Error> {
        self.damaged += 1;
        if self.damaged > DAMAGE_LIMIT { Err(ffmpeg::Error::InvalidData) } else { Ok(()) }
    }

    /// Takes out the frames that the decoder has ready.
    fn drain(&mut self) -> Result<(), ffmpeg::Error> {
        loop {
            let Some(decoder) = &mut self.decoder else { return Ok(()) };
            let mut frame = frame::Video::empty();
            match decoder.receive_frame(&mut frame) {
                Ok(()) => {
                    ffi::tidy(&mut frame);
                    let duration = frame.packet().duration;
                    for ((), timing) in self.clock.push((), frame.timestamp().or(frame.pts()), duration) {
                        self.note(timing.pts, timing.duration.unwrap_or(0));
                    }
                }
                Err(ffmpeg::Error::Eof | ffmpeg::Error::Other { errno: ffmpeg::error::EAGAIN }) => return Ok(()),
                Err(ffmpeg::Error::InvalidData) => self.note_damage()?,
                Err(error) => return Err(error),
            }
        }
    }

    fn finish(mut self, input: &Input) -> Result<Video, ffmpeg::Error> {
        if let Some(decoder) = &mut self.decoder {
            match decoder.send_eof() {
                Err(ffmpeg::Error::Eof) | Ok(()) => {}
                Err(error) => return Err(error),
            }
            self.drain()?;
            for ((), timing) in self.clock.finish() {
                self.note(timing.pts, timing.duration.unwrap_or(0));
            }
        }
        self.frames.sort_unstable();
        let stream = Stream::of(&input.stream(self.stream).ok_or(ffmpeg::Error::StreamNotFound)?);
        let parameters = &stream.parameters;
        let mut samples = ffi::samples_of(parameters.format);
        // WebM stores alpha as a second stream, which the decoder's pixel format does not show.
        samples.alpha |= stream.tags.get("alpha_mode") == Some("1");
        let (mut width, mut height) = (parameters.width, parameters.height);
        let mut sample_aspect = parameters.sample_aspect;
        let color = ColorInfo::resolve(
            width,
            height,
            parameters.matrix,
            range_of(&stream),
            parameters.primaries,
            parameters.transfer,
        );
        if self.rotation.swaps {
            (width, height) = (height, width);
            sample_aspect = sample_aspect.map(|aspect| Ratio::new(aspect.den, aspect.num));
        }
        let end = self.end.map(|end| stream.base.seconds(end));
        let Self { rotation, frames, rate, hash, untimed, .. } = self;
        let timed = !untimed;
        Ok(Video { stream, frames, end, rate, rotation, width, height, sample_aspect, color, samples, hash, timed })
    }
}

/// Returns the sample range of a stream, taking into account that some pixel formats imply full range.
fn range_of(stream: &Stream) -> ffmpeg::color::Range {
    let name = ffi::pixel_format_name(stream.parameters.format);
    let full = name.starts_with("yuvj") || name.starts_with("gray") || name.starts_with("ya");
    match stream.parameters.range {
        ffmpeg::color::Range::Unspecified if full => ffmpeg::color::Range::JPEG,
        _ if name.starts_with("yuvj") => ffmpeg::color::Range::JPEG,
        told => told,
    }
}
