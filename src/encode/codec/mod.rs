//! Decides which container and which encoder an output gets.

mod choose;
mod family;
pub(super) mod fit;
mod open;
mod quality;
pub(super) mod registry;

use std::path::Path;

pub(super) use choose::{Chosen, alpha_lost, choose};
pub(super) use family::Family;
pub(super) use open::{Coder, Setup};
pub(super) use quality::Options;
pub(super) use registry::{CONTAINERS, Container};

use super::EncodeError;

/// The kind of a video output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A container file with all streams of the source.
    File(Container),
    /// An animated picture, without any other stream.
    Animation(Animation),
    /// Raw video for another program.
    Raw(Raw),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Animation {
    Gif,
    Apng,
    WebP,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Raw {
    /// No timestamps, no alpha; every encoder reads it.
    Y4m,
    /// Keeps timestamps and alpha.
    Nut,
}

/// All formats, for error messages.
const FORMATS: &str = "mp4, mkv, mov, webm, gif, apng, webp, y4m or nut";

impl Kind {
    /// Determines the kind from the setting `format` or, if that is empty, from the file extension.
    pub fn of(path: &Path, format: &str) -> Result<Self, EncodeError> {
        if !format.is_empty() {
            let unknown = || EncodeError::Format { path: path.into(), format: format.into(), valid: FORMATS };
            return Self::named(format).ok_or_else(unknown);
        }
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        let found = extension.as_deref().and_then(Self::named);
        found.ok_or_else(|| EncodeError::VideoExtension { path: path.into(), valid: FORMATS })
    }

    fn named(name: &str) -> Option<Self> {
        let container = || CONTAINERS.into_iter().find(|container| container.extension == name).map(Self::File);
        match name {
            "gif" => Some(Self::Animation(Animation::Gif)),
            "apng" => Some(Self::Animation(Animation::Apng)),
            "webp" => Some(Self::Animation(Animation::WebP)),
            "y4m" => Some(Self::Raw(Raw::Y4m)),
            "nut" => Some(Self::Raw(Raw::Nut)),
            _ => container(),
        }
    }
}
