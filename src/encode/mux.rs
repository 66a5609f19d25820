//! The last pass: joins the new pictures and the source's other streams in one file by stream copy.

use std::path::Path;

use ffmpeg_next::format::context::Input;

use super::codec::Container;
use super::interleave::{self, Copied};
use super::passthrough::{First, Passthrough};
use super::streams::{Fate, Plan};
use super::timeline::{Pictures, Shift, Timeline};
use super::{EncodeError, delay, header};
use crate::media::ffi;
use crate::media::splice::PacketClock;
use crate::media::tags::LABEL;

pub(super) use header::{all_used, header_options, quicktime_options};

/// What errors say was being done when the source turns out to be unreadable.
const READING: &str = "reading the source's other streams";

/// What was written, and so what the file should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Muxed {
    /// Added to every timestamp, as is `shift`: ticks of the source's video.
    pub offset: i64,
    pub shift: Shift,
    /// The part of the source that is taken, in ticks of its video: `from` inclusive, `to` exclusive.
    pub from: Option<i64>,
    pub to: Option<i64>,
    /// For each slot of the plan: the index of its stream in the file, if it has one, and its number of packets.
    pub streams: Vec<(Option<usize>, u64)>,
    /// Number of these packets that the muxer refused, over all streams.
    pub refused: u64,
    /// What became of every stream of the source.
    pub fates: Vec<(usize, Fate)>,
    /// Whether some text or sound could not be converted whole.
    pub has_notes: bool,
    /// Deviations from the plan, one line each.
    pub warnings: Vec<String>,
}

/// Writes the finished file to `path`. Containers with free-form tags get the label as a tag.
pub(super) fn join(
    path: &Path,
    container: Container,
    pictures: &Pictures,
    plan: &Plan,
    label: Option<&str>,
) -> Result<Muxed, EncodeError> {
    let fail = |doing| move |error| EncodeError::libav(path, doing, error);
    let span = pictures.span();
    let again =
        |path, opened: Result<Input, _>| opened.map_err(|error| EncodeError::libav(path, "opening it again", error));
    let mut video = again(pictures.file, ffi::open_input(pictures.file))?;
    let source =
        pictures.info.source.as_ref().map(|source| again(&source.path, ffi::open_source(source))).transpose()?;
    let clock = |input: &Input| {
        let source = pictures.info.source.as_ref();
        PacketClock::new(
            input,
            source.map_or(0, |source| source.stream),
            source.is_some_and(|source| source.keep_clock),
        )
    };
    let fed = source.map(|source| (clock(&source), source)).map(|(clock, source)| (source, clock));
    let mut passthrough = fed.map(|fed| Passthrough::new(fed, plan.fed(), span)).transpose().map_err(fail(READING))?;
    let mut first = First::default();
    if let Some(passthrough) = &mut passthrough {
        first = passthrough.first_seconds().map_err(fail(READING))?;
        delay::correct(passthrough, container, &pictures.file.with_extension("trial")).map_err(fail("trying it"))?;
    }
    let start = pictures.pts.first().copied().unwrap_or(0) + span.offset;
    let shift = Shift::new(container, start, span.base, &first);

    let mut output = ffi::open_output(path, container.muxer).map_err(fail("creating it"))?;
    header::describe(&mut output, container, pictures, &video, passthrough.as_ref(), plan)
        .map_err(fail("describing its streams"))?;
    if let Some(label) = label.filter(|_| !container.is_quicktime()) {
        ffi::set_file_tag(&mut output, LABEL, label).map_err(fail("describing it"))?;
    }
    if let Some(passthrough) = &passthrough {
        header::copy_chapters(passthrough, &mut output, &span, shift).map_err(fail("copying the chapters"))?;
    }
    let made = header::made_by_muxer(&output, container);
    header::write_header(&mut output, container, passthrough.as_ref(), span.base)
        .map_err(fail("writing its header"))?;
    let timeline = Timeline { start, base: span.base, shift };
    let copied = interleave::copy(&mut output, container, timeline, plan, pictures, &mut video, passthrough.as_mut());
    let Copied { packets, refused, moved } = copied.map_err(fail("writing it"))?;
    output.write_trailer().map_err(fail("closing it"))?;
    ffi::flush_output(&mut output).map_err(fail("closing it"))?;
    let fates = plan.fates_of(&packets, container, made);
    let damaged = format!("damaged packets of the source's other streams are left out ({refused})");
    let mut notes: Vec<String> = passthrough.iter().flat_map(Passthrough::notes).collect();
    let has_notes = !notes.is_empty();
    notes.extend((refused > 0).then_some(damaged));
    notes.extend((moved > 0).then(|| {
        format!("the source's other streams overlap themselves: {moved} packets are a little later, to follow in order")
    }));
    Ok(Muxed {
        offset: span.offset,
        shift,
        from: span.from,
        to: span.to,
        streams: plan.outputs(&packets, container, made).into_iter().zip(packets.iter().copied()).collect(),
        has_notes,
        warnings: notes.into_iter().chain(plan.lost(&fates)).collect(),
        refused,
        fates,
    })
}
