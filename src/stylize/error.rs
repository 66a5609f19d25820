//! Errors of the painting stage.

use std::path::PathBuf;

use tch::TchError;

/// Reason why a frame cannot be stylised.
#[derive(Debug, thiserror::Error)]
pub enum StyleError {
    #[error(
        "out of memory ({0}): use a smaller --size, --backbone squeezenet1_0 or patches, \
         or --set optimizer.history=4"
    )]
    OutOfMemory(String),
    #[error("libtorch: {0}")]
    Torch(String),
    #[error("CUDA device {wanted} was asked for, but libtorch sees {found}: use --device cpu or --device auto")]
    NoCuda { wanted: usize, found: String },
    #[error("unknown backbone `{name}`: the backbones are {}", known.join(", "))]
    UnknownBackbone { name: String, known: Vec<String> },
    #[error("backbone {backbone} has no layer `{layer}`: its layers are {}", known.join(", "))]
    UnknownLayer { backbone: String, layer: String, known: Vec<String> },
    #[error("weights of {backbone}: {problem}")]
    Weights { backbone: String, problem: String },
    #[error(transparent)]
    WeightsFile(#[from] crate::weights::WeightsError),
    #[error("no style picture: name one with --style or choose a --preset")]
    NoStyle,
    #[error("style picture {}: {problem}", path.display())]
    StylePicture { path: PathBuf, problem: String },
    #[error("J is not finite at the first evaluation (alpha, beta or a picture is extreme): {0}")]
    NotFinite(String),
    #[error(
        "cannot keep the pictures between two passes in {} ({megabytes} MB are there): {source}; \
         free disk space there, or use a smaller --size, a part of the clip (--frames) or --passes 1", folder.display()
    )]
    Scratch { folder: PathBuf, megabytes: u64, source: std::io::Error },
    #[error("the saved state of an earlier run lacks `{name}`: run again with --no-resume")]
    Snapshot { name: String },
    /// The network does not support the requested inspection.
    #[error("{0}")]
    Inspect(String),
    #[error("interrupted")]
    Cancelled,
}

impl From<TchError> for StyleError {
    fn from(error: TchError) -> Self {
        let text = error.to_string();
        // The first line describes the error; the rest is a C++ stack trace.
        let first = text.lines().next().unwrap_or_default().trim_start_matches("Internal torch error: ").to_owned();
        let low = text.to_ascii_lowercase();
        if low.contains("out of memory") || low.contains("can't allocate memory") {
            Self::OutOfMemory(first)
        } else {
            Self::Torch(first)
        }
    }
}
