//! Writes the header of the finished file on trial before the first frame: a muxer may refuse a combination of streams
//! that it takes one by one, and that should show before the painting.

use std::path::Path;

use ffmpeg_next as ffmpeg;
use ffmpeg_next::format::context::Input;

use super::EncodeError;
use super::codec::{Coder, Container};
use super::mux::{all_used, header_options};
use super::streams::{self, Plan, Slot, TIMECODE};
use crate::media::tags::{FILE_TAGS, STREAM_TAGS};
use crate::media::{MediaInfo, Ratio, ffi};

/// What a trial needs.
#[derive(Clone, Copy)]
pub(super) struct Rehearsal<'a> {
    pub path: &'a Path,
    pub container: Container,
    pub coder: &'a Coder,
    pub info: &'a MediaInfo,
    /// Folder for the trial file.
    pub work: &'a Path,
    pub strict: bool,
}

impl Rehearsal<'_> {
    /// Writes the header on trial. If the muxer refuses it, leaves out the last stream without which it is accepted.
    ///
    /// # Errors
    /// If leaving out one stream does not help; with `strict`, if anything has to be left out.
    pub fn check(self, source: &Input, plan: &mut Plan) -> Result<(), EncodeError> {
        let Err(error) = self.header(source, &plan.slots) else { return Ok(()) };
        let carried = |slot: &Slot| matches!(slot, Slot::Carried { .. });
        let places: Vec<usize> = (0..plan.slots.len()).filter(|&place| carried(&plan.slots[place])).collect();
        let without = |place: usize| {
            let mut slots = plan.slots.clone();
            slots.remove(place);
            slots
        };
        let found = places.into_iter().rev().find(|&place| self.header(source, &without(place)).is_ok());
        let Some(place) = found.filter(|_| !self.strict) else {
            return Err(EncodeError::libav(self.path, "trying its header", error));
        };
        if let Slot::Carried { source: index, .. } = plan.slots.remove(place) {
            let reason = format!("{} does not take it beside the others", self.container.extension);
            let called = source.stream(index).map(|stream| streams::describe_stream(&stream)).unwrap_or_default();
            plan.warnings.push(format!("{called} is left out: {reason}"));
            plan.left_out(index, reason);
        }
        Ok(())
    }

    fn header(self, source: &Input, slots: &[Slot]) -> Result<(), ffmpeg::Error> {
        let file = self.work.join("rehearsal");
        let tried = self.write(&file, source, slots);
        // If it cannot be removed, it goes away with its folder.
        let _ = std::fs::remove_file(&file);
        tried
    }

    fn write(self, file: &Path, source: &Input, slots: &[Slot]) -> Result<(), ffmpeg::Error> {
        let mut output = ffi::open_output(file, self.container.muxer)?;
        for slot in slots {
            match *slot {
                Slot::Painted => {
                    let mut stream = output.add_stream_with(&self.coder.encoder)?;
                    stream.set_time_base(self.info.base);
                    if let Some(Ratio { num, den }) = self.info.rate {
                        stream.set_avg_frame_rate(ffmpeg::Rational::new(num, den));
                    }
                }
                Slot::Carried { source: index, carriage, .. } => {
                    let original = source.stream(index).ok_or(ffmpeg::Error::StreamNotFound)?;
                    let skip = [STREAM_TAGS.as_slice(), &[TIMECODE]].concat();
                    streams::describe(&mut output, &original, carriage, &skip)?;
                }
            }
        }
        ffi::copy_metadata(source, &mut output, &[FILE_TAGS.as_slice(), &[TIMECODE]].concat())?;
        all_used(&output.write_header_with(header_options(self.container, self.info.base, &[]))?)
    }
}
