//! How much a job keeps on the disk between its frames, for `--plan`. The figures come from the code that writes it.

use super::multi_pass::{FrameData, frame_bytes};
use super::single_pass::snapshot_bytes;
use crate::settings::{Colour, Settings};
use crate::stylize::frame::frame_size::working_size;
use crate::stylize::{StyleError, device};

/// The frames of a source, as far as they decide how much a job keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footage {
    pub width: usize,
    pub height: usize,
    /// Number of frames in all, and in the longest shot without its flashes.
    pub frames: u64,
    pub longest_shot: u64,
    /// Width and height of the flow between two frames.
    pub flow: [usize; 2],
}

/// Returns the largest number of bytes that the stylizer keeps on the disk between frames: a snapshot, or the frames of
/// a shot that is painted in several passes.
///
/// # Errors
/// If the device does not exist.
pub fn kept_bytes(settings: &Settings, footage: Footage) -> Result<u64, StyleError> {
    let Footage { width, height, frames, longest_shot, flow } = footage;
    let device = device::resolve(settings.device)?;
    let grid = working_size(settings.frame.size, device, [height, width]);
    if !settings.temporal.is_reworked() {
        return Ok(snapshot_bytes(settings, grid, longest_shot));
    }
    // A shot of several passes has no snapshot.
    let kept = if settings.temporal.ring { frames } else { longest_shot };
    let far = settings.searched().iter().filter(|&&offset| offset > 1).count();
    let data = FrameData {
        grid: grid[0] as usize * grid[1] as usize,
        colours: if settings.style.colour == Colour::Content { width * height } else { 0 },
        motion: flow[0] * flow[1],
        steps: 1 + far,
    };
    Ok(kept * frame_bytes(data))
}
