//! `--like`: takes over the settings that another output was made with, and checks that they mean the same here.

use std::path::{Path, PathBuf};

use super::{Painted, Stamp, read};
use crate::identity::{self, IdentityError};
use crate::settings::{Recorded, Settings};

/// Why the settings of another output cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum LikeError {
    #[error("--like {}: cannot read it: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error(
        "--like {}: it does not say how it was made; `info` tells which files do (no Y4M does, nor what another program \
         has written since)",
        .0.display()
    )]
    NoStamp(PathBuf),
    #[error(
        "--like {}: the picture {image} is not the one that it was painted after: put that one back, or give --style",
        path.display()
    )]
    OtherStyle { path: PathBuf, image: String },
    #[error(
        "--like {}: it was painted with {then}, and here it would be {now}; install those weights (`weights fetch`, or \
         --weights-dir), or choose a network with --backbone",
        path.display()
    )]
    OtherWeights { path: PathBuf, then: String, now: String },
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// An existing output whose settings are to be used again.
#[derive(Debug, Clone, PartialEq)]
pub struct Like {
    path: PathBuf,
    stamp: Stamp,
}

impl Like {
    /// Reads the stamp of a file or a folder of pictures.
    ///
    /// # Errors
    /// If it does not exist, or has no stamp.
    pub fn open(path: &Path) -> Result<Self, LikeError> {
        std::fs::metadata(path).map_err(|source| LikeError::Unreadable { path: path.into(), source })?;
        let stamp = read(path).ok_or_else(|| LikeError::NoStamp(path.into()))?;
        Ok(Self { path: path.into(), stamp })
    }

    /// Returns its settings as a layer of the configuration.
    pub fn recorded(&self) -> Recorded {
        Recorded {
            path: self.path.display().to_string(),
            settings: self.stamp.settings.clone(),
            preset: self.stamp.preset.name.clone(),
            preset_hash: self.stamp.preset.hash.clone(),
        }
    }

    /// Checks that style pictures and weights match the stamp, as far as `settings` still use the same ones.
    ///
    /// # Errors
    /// At the first that differs.
    pub fn check(&self, settings: &Settings) -> Result<(), LikeError> {
        let path = &self.path;
        for style in &self.stamp.styles {
            let used = settings.style.images.iter().any(|image| image.image == style.image);
            // Reading a pipe or a device would never end.
            let special = std::fs::metadata(&style.image).is_ok_and(|data| !data.is_file());
            if used && (special || identity::style(&style.image)? != style.sha256) {
                return Err(LikeError::OtherStyle { path: path.clone(), image: style.image.clone() });
            }
        }
        let Some(then) = &self.stamp.painted else { return Ok(()) };
        let recorded: Option<Settings> = toml::from_str(&self.stamp.settings).ok();
        let is_kept = recorded.is_some_and(|recorded| recorded.network.backbone == settings.network.backbone);
        if !is_kept {
            return Ok(());
        }
        let now = Painted::of(&identity::weights(settings)?);
        if now == *then {
            return Ok(());
        }
        Err(LikeError::OtherWeights { path: path.clone(), then: then.to_string(), now: now.to_string() })
    }
}
