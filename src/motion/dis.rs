//! Dense Inverse Search (Kroeger et al. 2016) by OpenCV.

use std::sync::OnceLock;

use opencv::core::{self, CV_8UC1, Mat, Point2f};
use opencv::prelude::*;
use opencv::video::{DISOpticalFlow, DISOpticalFlow_PRESET_MEDIUM, DISOpticalFlow_PRESET_ULTRAFAST};

use super::{FlowError, FlowEstimator, FlowField, Luma, View};

/// The search starts at a coarse scale, for which a picture must not be smaller than this.
const SHORTEST_SIDE: usize = 32;

/// OpenCV's DIS. An estimator may be used from several threads at once.
#[derive(Debug)]
pub struct Dis {
    preset: i32,
}

impl Dis {
    /// The medium preset, for warping along the flow.
    ///
    /// # Errors
    /// When OpenCV cannot be set up.
    pub fn new() -> Result<Self, FlowError> {
        Self::with(DISOpticalFlow_PRESET_MEDIUM)
    }

    /// The fastest preset, which tells whether two pictures show the same at all.
    ///
    /// # Errors
    /// When OpenCV cannot be set up.
    pub fn fast() -> Result<Self, FlowError> {
        Self::with(DISOpticalFlow_PRESET_ULTRAFAST)
    }

    fn with(preset: i32) -> Result<Self, FlowError> {
        one_stripe()?;
        Ok(Self { preset })
    }
}

/// OpenCV searches in as many stripes as it has threads, and its result depends on their number. One stripe gives the
/// same flow on every machine; the pairs of frames are what runs in parallel.
///
/// Said once in a process: OpenCV takes its threads down for it, also those that another estimator is just using.
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

/// Each sample repeated `times` in both directions.
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
