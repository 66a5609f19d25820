//! Optical flow by Dense Inverse Search (DIS, Kroeger et al. 2016) in OpenCV.

use std::sync::OnceLock;

use opencv::core::{self, CV_8UC1, Mat, Point2f};
use opencv::prelude::*;
use opencv::video::{DISOpticalFlow, DISOpticalFlow_PRESET_MEDIUM, DISOpticalFlow_PRESET_ULTRAFAST};

use super::{FlowError, FlowEstimator, FlowField, Luma, View};

/// The search starts at a coarse scale, which needs a picture with sides at least this long, in pixels.
const SHORTEST_SIDE: usize = 32;

/// OpenCV's DIS estimator. It may be used from several threads at once.
#[derive(Debug)]
pub struct Dis {
    preset: i32,
}

impl Dis {
    /// Creates an estimator with the medium preset, whose flow is good enough for warping.
    ///
    /// # Errors
    /// If OpenCV cannot be set up.
    pub fn new() -> Result<Self, FlowError> {
        Self::with(DISOpticalFlow_PRESET_MEDIUM)
    }

    /// Creates an estimator with the fastest preset, which only shows whether two pictures show the same scene.
    ///
    /// # Errors
    /// If OpenCV cannot be set up.
    pub fn fast() -> Result<Self, FlowError> {
        Self::with(DISOpticalFlow_PRESET_ULTRAFAST)
    }

    fn with(preset: i32) -> Result<Self, FlowError> {
        one_stripe()?;
        Ok(Self { preset })
    }
}

/// Limits OpenCV to one thread. It divides the search into as many stripes as it has threads, and the result depends on
/// their number; one stripe gives the same flow on every machine. Pairs of frames run in parallel instead.
///
/// This is done once per process: OpenCV tears down its threads for it, including those that another estimator is
/// using.
fn one_stripe() -> Result<(), FlowError> {
    static SAID: OnceLock<Option<String>> = OnceLock::new();
    match SAID.get_or_init(|| core::set_num_threads(1).err().map(|error| error.message)) {
        None => Ok(()),
        Some(message) => Err(FlowError::Library(message.clone())),
    }
}

fn failed(error: opencv::Error) -> FlowError {
    FlowError::Library(error.message)
}

impl FlowEstimator for Dis {
    fn flow(&self, from: View<'_>, to: View<'_>) -> Result<FlowField, FlowError> {
        let (width, height) = (from.luma.width, from.luma.height);
        let enlarge = SHORTEST_SIDE.div_ceil(width.min(height).max(1)).max(1);
        let (first, second) = (mat(&enlarged(from.luma, enlarge))?, mat(&enlarged(to.luma, enlarge))?);
        let mut search = DISOpticalFlow::create(self.preset).map_err(failed)?;
        let mut flow = Mat::default();
        search.calc(&first, &second, &mut flow).map_err(failed)?;
        let vectors = flow.data_typed::<Point2f>().map_err(failed)?;
        let vectors = vectors.iter().map(|vector| [vector.x, vector.y]).collect();
        let field = FlowField { width: width * enlarge, height: height * enlarge, vectors };
        Ok(field.resized(width, height))
    }
}

/// Enlarges a picture by repeating each sample `times` times in both directions.
fn enlarged(luma: &Luma, times: usize) -> Luma {
    let (width, height) = (luma.width * times, luma.height * times);
    let sample = |i: usize| luma.samples[(i / width / times) * luma.width + i % width / times];
    if times == 1 { luma.clone() } else { Luma { width, height, samples: (0..width * height).map(sample).collect() } }
}

fn mat(luma: &Luma) -> Result<Mat, FlowError> {
    let (rows, columns) = (luma.height as i32, luma.width as i32);
    let mut mat = Mat::new_rows_cols_with_default(rows, columns, CV_8UC1, core::Scalar::all(0.0)).map_err(failed)?;
    mat.data_bytes_mut().map_err(failed)?.copy_from_slice(&luma.samples);
    Ok(mat)
}
