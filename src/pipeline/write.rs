//! The encode stage: measures and writes the painted frames, and records which parts are finished.

use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use super::{Painted, PipelineError, Shared, Styled};
use crate::encode::{Encoded, FrameSink};
use crate::measure::{JobMeter, Summary};
use crate::media::{Frame, TimeBase};
use crate::report::Event;
use crate::resume::{Journal, Tail};
use crate::stylize::Snapshot;

/// The sink that painted frames go to, and the journal and tail that record them.
pub(super) struct PartWriter<'a, 'b> {
    sink: Box<dyn FrameSink>,
    journal: Option<&'a mut Journal<'b>>,
    tail: Option<Tail>,
}

impl<'a, 'b> PartWriter<'a, 'b> {
    pub fn new(sink: Box<dyn FrameSink>, journal: Option<&'a mut Journal<'b>>) -> Self {
        let tail = journal.as_ref().map(|journal| journal.new_tail());
        Self { sink, journal, tail }
    }

    /// Writes the painted frames of a previous run that are not in any part yet.
    fn take_up(&mut self, base: TimeBase) -> Result<(), PipelineError> {
        let frames = self.journal.as_ref().map_or(Ok(Vec::new()), |journal| journal.tail(base))?;
        frames.into_iter().try_for_each(|frame| self.push(frame))
    }

    fn push(&mut self, frame: Frame) -> Result<(), PipelineError> {
        if let Some(tail) = &mut self.tail {
            tail.push(&frame)?;
        }
        Ok(self.sink.push(frame)?)
    }

    /// Ends a part and records it; `snapshot` is the state that the next frame needs.
    fn seal(&mut self, snapshot: &Snapshot) -> Result<(), PipelineError> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        if let Some(part) = self.sink.seal()? {
            journal.sealed(part, snapshot)?;
            self.tail = Some(journal.new_tail());
        }
        Ok(())
    }

    /// Saves the painted frames that are not in any part yet.
    fn pause(&mut self, snapshot: &Snapshot) -> Result<(), PipelineError> {
        let (Some(journal), Some(tail)) = (&mut self.journal, &mut self.tail) else { return Ok(()) };
        Ok(journal.paused(tail, snapshot)?)
    }

    fn finish(mut self, every_frame: bool) -> Result<Encoded, PipelineError> {
        if every_frame {
            self.sink.expect_every_frame();
        }
        if let Some(journal) = &mut self.journal {
            let part = self.sink.seal()?;
            journal.finished(part, every_frame)?;
        }
        Ok(self.sink.finish()?)
    }
}

/// Runs the encode stage. Frames are measured here rather than in the stylize stage, so that painting never waits for
/// it.
pub(super) fn encode(
    mut writer: PartWriter<'_, '_>,
    (base, painted): (TimeBase, u64),
    frames: &Receiver<Styled>,
    shared: &Shared<'_>,
) -> Option<(Encoded, Option<Summary>)> {
    let mut meter = shared.measured.map(JobMeter::new);
    let (mut count, mut measuring) = (painted, Duration::ZERO);
    writer.take_up(base).map_err(|error| shared.fail(error)).ok()?;
    loop {
        let done = match frames.recv().ok()? {
            Styled::Frame(painted) => {
                let Painted { frame, stats, seconds, reference, seen } = *painted;
                let began = Instant::now();
                let figures =
                    meter.as_mut().map(|meter| meter.next(&frame.pixels, reference, seen)).unwrap_or_default();
                measuring += began.elapsed();
                count += 1;
                shared.observer.event(&Event::Frame {
                    frame: count,
                    frames: shared.expected,
                    iterations: stats.iterations,
                    objective: stats.objective,
                    seconds,
                    terms: stats.terms.iter().collect(),
                    figures,
                });
                writer.push(frame)
            }
            Styled::Seal(snapshot) => writer.seal(&snapshot),
            Styled::Pause(snapshot) => {
                writer.pause(&snapshot).map_err(|error| shared.fail(error)).ok()?;
                return None;
            }
            Styled::End { every_frame } => {
                tracing::info!(seconds = measuring.as_secs_f64(), frames = count, "measured");
                let encoded = writer.finish(every_frame).map_err(|error| shared.fail(error)).ok()?;
                return Some((encoded, meter.and_then(JobMeter::finish)));
            }
        };
        done.map_err(|error| shared.fail(error)).ok()?;
    }
}
