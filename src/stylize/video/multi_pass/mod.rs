//! Multi-pass painting of a shot, forwards and backwards (Ruder, Dosovitskiy & Brox 2016, section 4.4), and clips that
//! loop.
//!
//! The first pass is the ordinary chain. Later passes also carry paint backwards in time: the chain paints areas
//! uncovered by a pan or a moving object in few iterations, although later frames have them in view for long. In a clip
//! that loops, the first frame follows the last one.

mod blend;
mod pass;
mod scratch_file;
mod store;
mod traversal;

use std::path::Path;
use std::time::Instant;

use super::single_pass::SinglePass;
use crate::media::Pixels;
use crate::motion::{Shot, Transition};
use crate::report::{Event, Observer};
use crate::settings::{Colour, TemporalSettings};
use crate::stylize::{Done, FrameStats, Snapshot, StyleError, Stylized, Stylizer};

pub use blend::blend;
pub use scratch_file::{Extent, ScratchFile};
pub use traversal::{Direction, Traversal};

use pass::Reworked;
use store::Store;

pub(in crate::stylize) use store::{FrameData, frame_bytes};

/// Collects a shot (or the whole clip, if it should loop), paints it pass by pass, then passes on all its pictures.
pub struct MultiPass<'a> {
    single_pass: SinglePass,
    store: Store,
    /// The shot in progress: its frame numbers in the store, without flash frames.
    line: Vec<usize>,
    /// Stats of its first frame.
    first_stats: FrameStats,
    /// Number of frames passed on before those in the store.
    given: usize,
    /// How the clip's first frame follows from its last one.
    closing: Option<Transition>,
    observer: &'a dyn Observer,
}

impl<'a> MultiPass<'a> {
    /// `folder` holds the pictures between passes; `observer` receives an event for each frame of each pass.
    ///
    /// # Errors
    /// If no file can be created in `folder`.
    pub fn new(single_pass: SinglePass, folder: &Path, observer: &'a dyn Observer) -> Result<Self, StyleError> {
        let store = Store::new(folder, single_pass.frame_optimizer().settings().temporal.consistency)?;
        Ok(Self {
            single_pass,
            store,
            line: Vec::new(),
            first_stats: FrameStats::default(),
            given: 0,
            closing: None,
            observer,
        })
    }

    fn settings(&self) -> &TemporalSettings {
        &self.single_pass.frame_optimizer().settings().temporal
    }

    /// Paints a frame in the first pass. `shot` is its role in the order of painting.
    fn first(&mut self, frame: usize, shot: Shot, passes: u32) -> Result<(), StyleError> {
        let began = Instant::now();
        let transition = if shot == Shot::New { Shot::New.into() } else { self.store.transition(frame)? };
        // The stored frame has the optimised size, so the painter does not resize it.
        let painted = self.single_pass.advance(&self.store.raw(frame)?, &transition)?;
        let whole = || Ok::<_, StyleError>(painted.image.f_narrow(1, 0, 1)?.f_ones_like()?);
        let maturity = match self.single_pass.carried().filter(|_| shot != Shot::Flash) {
            Some(carried) => carried.maturity.shallow_clone(),
            None => whole()?,
        };
        self.store.paint(frame, &painted.image, &maturity, painted.stats)?;
        if shot == Shot::New {
            self.first_stats = painted.stats;
            self.line.clear();
        }
        if shot != Shot::Flash {
            self.line.push(frame);
        }
        self.tell(1, passes, frame, painted.stats, began);
        Ok(())
    }

    /// Runs the passes after the first over the shot in progress, and ends it.
    fn later(&mut self, ring: bool, passes: u32) -> Result<(), StyleError> {
        let line = std::mem::take(&mut self.line);
        let Some(&first) = line.first().filter(|_| line.len() > 1 && passes > 1) else { return Ok(()) };
        let frame_optimizer = self.single_pass.frame_optimizer();
        let look = frame_optimizer.look(&frame_optimizer.raw(&self.store.raw(first)?)?)?;
        let shot = Reworked { frame_optimizer, look: &look, line: &line, ring, first: self.first_stats };
        for pass in 2..=passes {
            let mut sweep = shot.begin(&self.store, pass, pass == passes)?;
            for at in 0..line.len() {
                let began = Instant::now();
                if let Some((frame, stats)) = sweep.next(&mut self.store, at)? {
                    self.tell(pass, passes, frame, stats, began);
                }
            }
        }
        Ok(())
    }

    fn tell(&self, pass: u32, passes: u32, frame: usize, stats: FrameStats, began: Instant) {
        self.observer.event(&Event::Pass {
            pass,
            passes,
            frame: (self.given + frame + 1) as u64,
            iterations: stats.iterations,
            objective: stats.objective,
            seconds: began.elapsed().as_secs_f64(),
        });
    }

    /// Paints the clip as a ring, or warns that it does not loop and paints it as usual.
    fn go_round(&mut self) -> Result<(), StyleError> {
        let mut shots: Vec<Vec<usize>> = Vec::new();
        let mut before = None;
        for frame in 0..self.store.len() {
            let (shot, grid) = (self.store.shot(frame), self.store.grid(frame));
            if begins(shot, grid, before) || shots.is_empty() {
                shots.push(Vec::new());
            }
            shots.last_mut().into_iter().for_each(|shot| shot.push(frame));
            before = if shot == Shot::Flash { before } else { Some(grid) };
        }
        let closing = self.closing.take();
        let step = closing.filter(|closing| closing.shot == Shot::Continues).and_then(|closing| closing.step);
        let closed = step.is_some();
        let passes = match step {
            Some(step) => {
                self.store.follows(0, Shot::Continues, &step)?;
                self.settings().passes_of_loop()
            }
            None if self.store.len() > 1 => {
                let message = "--loop: the clip does not loop by itself, its last frame and its first show different \
                               things: it is painted as without";
                self.observer.event(&Event::Warning { message: message.into() });
                self.settings().passes
            }
            None => self.settings().passes,
        };
        let ring = closed && shots.len() == 1;
        if closed && shots.len() > 1 {
            // Painting begins at a cut: the clip's last shot continues into its first frames.
            let head = shots.remove(0);
            shots.last_mut().into_iter().for_each(|last| last.extend(&head));
        }
        for shot in shots {
            for (place, frame) in shot.into_iter().enumerate() {
                let shot = if place == 0 { Shot::New } else { self.store.shot(frame) };
                self.first(frame, shot, passes)?;
            }
            self.later(ring, passes)?;
        }
        Ok(())
    }

    /// Passes on all pictures in the order of their contents, and clears the store.
    fn give(&mut self, done: &mut Done<'_>) -> Result<(), StyleError> {
        let frame_optimizer = self.single_pass.frame_optimizer();
        for frame in 0..self.store.len() {
            let Some((image, _)) = self.store.painted(frame, frame_optimizer.device())? else { continue };
            let pixels = frame_optimizer.frame(&image, &self.store.source(frame)?)?;
            done(Stylized { pixels, stats: self.store.stats(frame) })?;
        }
        self.given += self.store.len();
        self.line.clear();
        self.store.clear()
    }
}

/// Whether a frame of size `grid` begins a shot; `before` is the size of the chain's previous frame.
fn begins(shot: Shot, grid: (usize, usize), before: Option<(usize, usize)>) -> bool {
    match shot {
        Shot::New => true,
        Shot::Continues => before != Some(grid),
        Shot::Flash => false,
    }
}

impl Stylizer for MultiPass<'_> {
    fn push(&mut self, content: &Pixels, transition: &Transition, done: &mut Done<'_>) -> Result<(), StyleError> {
        let TemporalSettings { ring, passes, .. } = *self.settings();
        let frame_optimizer = self.single_pass.frame_optimizer();
        let colours = frame_optimizer.settings().style.colour == Colour::Content;
        let raw = frame_optimizer.raw(content)?;
        let (_, _, height, width) = raw.size4()?;
        if ring {
            return self.store.add(content, &raw, transition, colours).map(|_| ());
        }
        let before = self.line.last().map(|&last| self.store.grid(last));
        let begins = begins(transition.shot, (width as usize, height as usize), before);
        if begins {
            self.later(false, passes)?;
            self.give(done)?;
        }
        let frame = self.store.add(content, &raw, transition, colours)?;
        self.first(frame, if begins { Shot::New } else { transition.shot }, passes)
    }

    fn end_shot(&mut self, done: &mut Done<'_>) -> Result<(), StyleError> {
        if self.settings().ring {
            return Ok(());
        }
        self.later(false, self.settings().passes)?;
        self.give(done)
    }

    /// No snapshot within a shot: its frames are painted again and again until the shot is complete.
    fn snapshot(&self) -> Result<Option<Snapshot>, StyleError> {
        Ok((self.store.len() == 0 && self.closing.is_none()).then(Snapshot::default))
    }

    fn close(&mut self, transition: Transition) {
        self.closing = Some(transition);
    }

    fn finish(&mut self, done: &mut Done<'_>) -> Result<(), StyleError> {
        if self.settings().ring {
            self.go_round()?;
        } else {
            self.later(false, self.settings().passes)?;
        }
        self.give(done)
    }
}
