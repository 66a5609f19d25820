//! Frame data that is kept from pass to pass, most of it on disk.

use std::path::{Path, PathBuf};

use tch::{Device, Tensor};

use super::scratch_file::{Extent, ScratchFile};
use crate::media::Pixels;
use crate::motion::{Consistency, FlowField, Shot, Step, Transition};
use crate::stylize::tensor::{from_planes, to_planes};
use crate::stylize::{FrameStats, StyleError};

/// The flow fields of a [`Step`]; their reliability is judged again on reading.
#[derive(Debug, Clone, Copy)]
struct Motion {
    width: usize,
    height: usize,
    back: Extent,
    forth: Extent,
}

#[derive(Debug)]
struct Frame {
    /// The source's size.
    width: usize,
    height: usize,
    /// Width and height of the optimised frame.
    grid: (usize, usize),
    shot: Shot,
    /// Motion to the chain's previous frame.
    step: Option<Motion>,
    far: Vec<(usize, Motion)>,
    /// In the optimised size.
    raw: Extent,
    painted: Option<Extent>,
    /// In the source's size; `None` if the result does not need them.
    colours: Option<Extent>,
    alpha: Option<Extent>,
    stats: FrameStats,
}

/// Frames by number, in order of arrival. All large data is on disk.
#[derive(Debug)]
pub struct Store {
    scratch: ScratchFile,
    folder: PathBuf,
    frames: Vec<Frame>,
    rules: Consistency,
}

/// Sizes of what a store keeps of a frame, in pixels.
#[derive(Debug, Clone, Copy)]
pub struct FrameData {
    /// The optimised frame.
    pub grid: usize,
    /// The source's colours; 0 if the result does not need them.
    pub colours: usize,
    /// A flow field.
    pub motion: usize,
    /// Number of [`Step`]s to other frames.
    pub steps: usize,
}

/// Returns the bytes that [`Store::add`] and [`Store::paint`] write for a frame without alpha.
pub fn frame_bytes(data: FrameData) -> u64 {
    let FrameData { grid, colours, motion, steps } = data;
    // Raw, painted and maturity; then two vectors a pixel for each step, back and forth.
    let floats = (3 + 3 + 1) * grid + 3 * colours + 4 * motion * steps;
    (size_of::<f32>() * floats) as u64
}

impl Store {
    /// # Errors
    /// If no file can be created in `folder`.
    pub fn new(folder: &Path, rules: Consistency) -> Result<Self, StyleError> {
        Ok(Self { scratch: ScratchFile::new(folder)?, folder: folder.into(), frames: Vec::new(), rules })
    }

    /// Drops all frames and frees the disk space.
    ///
    /// # Errors
    /// As [`Store::new`].
    pub fn clear(&mut self) -> Result<(), StyleError> {
        self.frames.clear();
        self.scratch = ScratchFile::new(&self.folder)?;
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Adds a frame: `source` in its own size, with its colours if `colours` is set, and `raw` `[1,3,H,W]` in the
    /// optimised size.
    ///
    /// # Errors
    /// If the disk is full or fails, or what libtorch reports.
    pub fn add(
        &mut self,
        source: &Pixels,
        raw: &Tensor,
        transition: &Transition,
        colours: bool,
    ) -> Result<usize, StyleError> {
        let (_, _, height, width) = raw.size4()?;
        let step = transition.step.as_ref().map(|step| self.add_motion(step)).transpose()?;
        let far = transition.far.iter().map(|(offset, step)| Ok((*offset, self.add_motion(step)?)));
        let far = far.collect::<Result<_, StyleError>>()?;
        self.frames.push(Frame {
            width: source.width,
            height: source.height,
            grid: (width as usize, height as usize),
            shot: transition.shot,
            step,
            far,
            raw: self.scratch.append(&to_planes(raw)?)?,
            painted: None,
            colours: if colours { Some(self.scratch.append(&source.rgb)?) } else { None },
            alpha: source.alpha.as_ref().map(|alpha| self.scratch.append(alpha)).transpose()?,
            stats: FrameStats::default(),
        });
        Ok(self.frames.len() - 1)
    }

    fn add_motion(&mut self, step: &Step) -> Result<Motion, StyleError> {
        let mut append = |flow: &FlowField| self.scratch.append(flow.vectors.as_flattened());
        let (back, forth) = (append(&step.back)?, append(&step.forth)?);
        Ok(Motion { width: step.back.width, height: step.back.height, back, forth })
    }

    fn motion(&self, motion: Motion) -> Result<Step, StyleError> {
        let read = |extent| -> Result<FlowField, StyleError> {
            let vectors = self.scratch.read(extent)?.as_chunks::<2>().0.to_vec();
            Ok(FlowField { width: motion.width, height: motion.height, vectors })
        };
        Ok(Step::new(read(motion.back)?, read(motion.forth)?, &self.rules))
    }

    pub fn shot(&self, frame: usize) -> Shot {
        self.frames[frame].shot
    }

    /// Width and height of the optimised frame.
    pub fn grid(&self, frame: usize) -> (usize, usize) {
        self.frames[frame].grid
    }

    /// Returns how the frame follows from the previous one.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn transition(&self, frame: usize) -> Result<Transition, StyleError> {
        let Frame { shot, far, .. } = &self.frames[frame];
        let far = far.iter().map(|&(offset, motion)| Ok((offset, self.motion(motion)?)));
        Ok(Transition { shot: *shot, step: self.step(frame)?, far: far.collect::<Result<_, StyleError>>()? })
    }

    /// Returns the motion between the frame and the previous one.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn step(&self, frame: usize) -> Result<Option<Step>, StyleError> {
        self.frames[frame].step.map(|motion| self.motion(motion)).transpose()
    }

    /// Replaces the record of how a frame follows from the previous one.
    ///
    /// # Errors
    /// If the disk is full or fails.
    pub fn follows(&mut self, frame: usize, shot: Shot, step: &Step) -> Result<(), StyleError> {
        let motion = self.add_motion(step)?;
        let frame = &mut self.frames[frame];
        (frame.shot, frame.step) = (shot, Some(motion));
        Ok(())
    }

    /// Returns the frame in the optimised size.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn raw(&self, frame: usize) -> Result<Pixels, StyleError> {
        let Frame { grid: (width, height), raw, .. } = self.frames[frame];
        Ok(Pixels { width, height, rgb: self.scratch.read(raw)?, alpha: None })
    }

    /// Returns the painted picture, `[1,3,H,W]` in the optimised size, and its maturity, `[1,1,H,W]` (see
    /// [`crate::stylize::temporal::chain::HistoryFrame`]); `None` before the first pass.
    ///
    /// # Errors
    /// If the disk fails, or what libtorch reports.
    pub fn painted(&self, frame: usize, device: Device) -> Result<Option<(Tensor, Tensor)>, StyleError> {
        let Frame { grid: (width, height), painted, .. } = self.frames[frame];
        let Some(extent) = painted else { return Ok(None) };
        let planes = from_planes(&self.scratch.read(extent)?, 4, height as i64, width as i64, device)?;
        Ok(Some((planes.f_narrow(1, 0, 3)?.f_contiguous()?, planes.f_narrow(1, 3, 1)?.f_contiguous()?)))
    }

    /// Stores a pass's result for the frame; it replaces the result of the previous pass.
    ///
    /// # Errors
    /// If the disk is full or fails, or what libtorch reports.
    pub fn paint(
        &mut self,
        frame: usize,
        image: &Tensor,
        maturity: &Tensor,
        stats: FrameStats,
    ) -> Result<(), StyleError> {
        let planes = to_planes(&Tensor::f_cat(&[image, maturity], 1)?)?;
        let kept = &mut self.frames[frame];
        if let Some(extent) = kept.painted {
            self.scratch.replace(extent, &planes)?;
            let (iterations, initial_objective) = (kept.stats.iterations, kept.stats.initial_objective);
            kept.stats = FrameStats { iterations: iterations + stats.iterations, initial_objective, ..stats };
        } else {
            kept.painted = Some(self.scratch.append(&planes)?);
            kept.stats = stats;
        }
        Ok(())
    }

    /// Returns the frame's stats over all passes.
    pub fn stats(&self, frame: usize) -> FrameStats {
        self.frames[frame].stats
    }

    /// Returns the parts of the source that the result needs, in its own size; colours only if they were kept.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn source(&self, frame: usize) -> Result<Pixels, StyleError> {
        let Frame { width, height, colours, alpha, .. } = self.frames[frame];
        let read = |extent: Option<Extent>| extent.map(|extent| self.scratch.read(extent)).transpose();
        Ok(Pixels { width, height, rgb: read(colours)?.unwrap_or_default(), alpha: read(alpha)? })
    }
}
