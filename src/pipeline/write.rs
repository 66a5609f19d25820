//! The encode stage: measures and writes the painted frames, and records which parts are finished.

use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use super::{Painted, PipelineError, Shared, Styled};
use crate::encode::{Encoded, FrameSink, Part};
use crate::measure::{JobMeter, Summary};
use crate::media::{Frame, TimeBase};
use crate::report::Event;
use crate::resume::{Complete, Journal, Place, Tail};
use crate::stylize::Snapshot;

/// The sink that painted frames go to, and the journal and tail that record them.
pub(super) struct PartWriter<'a, 'b> {
    sink: Box<dyn FrameSink>,
    journal: Option<&'a mut Journal<'b>>,
    tail: Option<Tail>,
    /// Index of the first frame since the last part.
    begun: Option<u64>,
}

impl<'a, 'b> PartWriter<'a, 'b> {
    pub fn new(sink: Box<dyn FrameSink>, journal: Option<&'a mut Journal<'b>>) -> Self {
        let tail = journal.as_ref().map(|journal| journal.new_tail());
        Self { sink, journal, tail, begun: None }
    }

    /// Writes the painted frames of a previous run that are not in any part yet.
    fn take_up(&mut self, base: TimeBase) -> Result<(), PipelineError> {
        let frames = self.journal.as_ref().map_or(Ok(Vec::new()), |journal| journal.tail(base))?;
        frames.into_iter().try_for_each(|frame| self.push(frame))
    }

    fn push(&mut self, frame: Frame) -> Result<(), PipelineError> {
        self.begun.get_or_insert(frame.index);
        if let Some(tail) = &mut self.tail {
            tail.push(&frame)?;
        }
        Ok(self.sink.push(frame)?)
    }

    /// Ends a part of `shot`.
    fn end_part(&mut self, shot: u64) -> Result<Option<(Part, Place)>, PipelineError> {
        let sealed = self.sink.seal()?.zip(self.begun.take());
        Ok(sealed.map(|(part, first)| (part, Place { shot, first })))
    }

    /// Ends a part of `shot` and records it; `snapshot` is the state that the next frame needs.
    fn seal(&mut self, shot: u64, snapshot: &Snapshot) -> Result<(), PipelineError> {
        if self.journal.is_none() {
            return Ok(());
        }
        let ended = self.end_part(shot)?;
        if let (Some(journal), Some((part, place))) = (&mut self.journal, ended) {
            journal.sealed(part, place, snapshot)?;
            self.tail = Some(journal.new_tail());
        }
        Ok(())
    }

    /// Saves the painted frames that are not in any part yet.
    fn pause(&mut self, snapshot: &Snapshot) -> Result<(), PipelineError> {
        let (Some(journal), Some(tail), Some(begun)) = (&mut self.journal, &mut self.tail, self.begun) else {
            return Ok(());
        };
        Ok(journal.paused(tail, begun, snapshot)?)
    }

    fn finish(mut self, shot: u64, complete: Complete) -> Result<Encoded, PipelineError> {
        if complete.every_frame {
            self.sink.expect_every_frame();
        }
        if self.journal.is_some() {
            let part = self.end_part(shot)?;
            if let Some(journal) = &mut self.journal {
                journal.finished(part, complete)?;
                if journal.shots().is_some() {
                    return Ok(Encoded { frames: journal.frames(), warnings: Vec::new() });
                }
            }
        }
        Ok(self.sink.finish()?)
    }
}

/// Runs the encode stage. Frames are measured here rather than in the stylize stage, so that painting never waits for
/// it.
pub(super) fn encode(
    mut writer: PartWriter<'_, '_>,
    base: TimeBase,
    frames: &Receiver<Styled>,
    shared: &Shared<'_>,
) -> Option<(Encoded, Option<Summary>)> {
    let mut meter = shared.measured.map(JobMeter::new);
    let mut measuring = Duration::ZERO;
    writer.take_up(base).map_err(|error| shared.fail(error)).ok()?;
    loop {
        let done = match frames.recv().ok()? {
            Styled::Frame(painted) => {
                let Painted { frame, stats, seconds, reference, seen } = *painted;
                let began = Instant::now();
                let figures =
                    meter.as_mut().map(|meter| meter.next(&frame.pixels, reference, seen)).unwrap_or_default();
                measuring += began.elapsed();
                shared.observer.event(&Event::Frame {
                    frame: frame.index + 1,
                    frames: shared.expected,
                    iterations: stats.iterations,
                    objective: stats.objective,
                    seconds,
                    terms: stats.terms.iter().collect(),
                    figures,
                });
                writer.push(frame)
            }
            Styled::Seal { shot, snapshot } => writer.seal(shot, &snapshot),
            Styled::Pause(snapshot) => {
                writer.pause(&snapshot).map_err(|error| shared.fail(error)).ok()?;
                return None;
            }
            Styled::End { shot, complete } => {
                tracing::info!(seconds = measuring.as_secs_f64(), "measured");
                let encoded = writer.finish(shot, complete).map_err(|error| shared.fail(error)).ok()?;
                return Some((encoded, meter.and_then(JobMeter::finish)));
            }
        };
        done.map_err(|error| shared.fail(error)).ok()?;
    }
}
