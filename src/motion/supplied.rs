//! Motion data supplied by the user: flow files and a list of shots. Both are checked before any work starts.

use std::path::Path;

use super::{CutList, CutsError, FloFiles, FlowError};
use crate::media::{MediaInfo, Range};
use crate::settings::MotionSettings;

/// The motion data that the user supplies.
#[derive(Debug, Clone, Default)]
pub struct SuppliedMotion {
    pub flow: Option<FloFiles>,
    pub cuts: Option<CutList>,
}

/// An error in the data that the user supplies.
#[derive(Debug, thiserror::Error)]
pub enum SuppliedMotionError {
    #[error(transparent)]
    Flow(#[from] FlowError),
    #[error(transparent)]
    Cuts(#[from] CutsError),
    #[error("{option} is about one source, but there are {inputs} inputs: run them one by one")]
    ManyInputs { option: &'static str, inputs: usize },
}

impl SuppliedMotion {
    /// Reads the files named in the settings for a job with this number of inputs, of which `range` is read.
    ///
    /// # Errors
    /// If they are given for more than one input, the flow pattern is invalid, or the list has an error.
    pub fn read(settings: &MotionSettings, inputs: usize, range: Range) -> Result<Self, SuppliedMotionError> {
        Self::check_inputs(settings, inputs)?;
        let set = |text: &String| (!text.is_empty()).then(|| Path::new(text).to_path_buf());
        Ok(Self {
            flow: set(&settings.flow).map(|pattern| FloFiles::new(&pattern)).transpose()?,
            cuts: set(&settings.cuts).map(|path| CutList::read(&path, range)).transpose()?,
        })
    }

    /// Checks that options which describe a single source are not used with several inputs.
    ///
    /// # Errors
    /// If one is used with more than one input.
    pub fn check_inputs(settings: &MotionSettings, inputs: usize) -> Result<(), SuppliedMotionError> {
        for (option, supplied) in [("--flow", &settings.flow), ("--cuts", &settings.cuts)] {
            if !supplied.is_empty() && inputs > 1 {
                return Err(SuppliedMotionError::ManyInputs { option, inputs });
            }
        }
        Ok(())
    }

    /// Checks that the flow files of an input exist, as far as the number of its frames is known, and that those of the
    /// first pair of frames have its shape. `exact` says that the number of frames is not an estimate.
    ///
    /// # Errors
    /// If a file is missing, or one of the first pair is not a flow of the input's shape.
    pub fn check(&self, info: &MediaInfo, exact: bool) -> Result<(), FlowError> {
        let Some(files) = &self.flow else { return Ok(()) };
        // No flow is needed where a listed shot begins. The frames that listed times stand for are not known yet, so
        // with times in the list nothing is checked.
        let begins = |number: u64| self.cuts.as_ref().is_some_and(|list| list.has_times() || list.names(number));
        let frames = info.frames.unwrap_or(2);
        // The frame count of a container can be slightly too high.
        let certain = if exact { frames } else { frames - (frames / 50).max(2).min(frames) };
        for number in (1..certain).filter(|&number| !begins(number)) {
            if number == 1 {
                files.check((0, 1), info.width, info.height)?;
                files.check((1, 0), info.width, info.height)?;
            }
            files.exist(number - 1, number)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{FlowField, flo};
    use super::*;
    use crate::media::{ColorInfo, Samples, TimeBase};

    fn info(frames: Option<u64>) -> MediaInfo {
        MediaInfo {
            width: 16,
            height: 8,
            frames,
            base: TimeBase::new(1, 25),
            rate: None,
            sample_aspect: None,
            color: ColorInfo::BT709,
            samples: Samples::RGB8,
            codec: "",
            first: 0,
            source: None,
        }
    }

    #[test]
    fn missing_flow_is_told_before_any_frame() {
        let folder = tempfile::tempdir().unwrap();
        let settings = MotionSettings {
            flow: folder.path().join("%d-%d.flo").to_str().unwrap().into(),
            ..MotionSettings::default()
        };
        let mut supplied = SuppliedMotion::read(&settings, 1, Range::default()).unwrap();
        let flow = FlowField::still(16, 8);
        let write = |from: u64, to: u64| flo::write(&FloFiles::path(supplied.flow.as_ref().unwrap(), from, to), &flow);
        for (from, to) in [(0, 1), (1, 0), (1, 2), (2, 1), (3, 4), (4, 3)] {
            write(from, to).unwrap();
        }
        supplied.check(&info(Some(3)), true).unwrap();
        supplied.check(&info(None), false).unwrap();
        // The count of a container may be too high; all files that are certainly needed exist.
        supplied.check(&info(Some(5)), false).unwrap();
        let missing = supplied.check(&info(Some(5)), true).unwrap_err().to_string();
        assert!(missing.contains("3-4.flo: the flow file cannot be read"), "{missing}");
        // At a listed cut no flow is needed.
        let list = folder.path().join("cuts");
        std::fs::write(&list, "4\n").unwrap();
        supplied.cuts = Some(CutList::read(&list, Range::default()).unwrap());
        supplied.check(&info(Some(5)), true).unwrap();
        let square = MediaInfo { height: 16, ..info(Some(5)) };
        assert!(matches!(supplied.check(&square, true), Err(FlowError::Shape { .. })));
    }

    #[test]
    fn one_list_is_for_one_input() {
        let settings = MotionSettings { cuts: "list".into(), ..MotionSettings::default() };
        let error = SuppliedMotion::read(&settings, 2, Range::default()).unwrap_err().to_string();
        assert_eq!(error, "--cuts is about one source, but there are 2 inputs: run them one by one");
    }
}
