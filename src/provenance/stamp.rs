//! The stamp: a record of how an output was made.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::identity::{self, Identity, IdentityError};
use crate::settings::{Owner, Resolved, Settings};

/// Version of the stamp's format; others are not read.
const FORMAT: u32 = 1;

/// How an output was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stamp {
    #[serde(rename = "stylize_video")]
    format: u32,
    /// Version of the program.
    pub program: String,
    /// [`Identity::id`]; `None` for input from a pipe, which cannot be compared.
    pub job: Option<String>,
    pub preset: PresetStamp,
    pub seed: u64,
    /// The networks and their weights; `None` if nothing was painted.
    pub painted: Option<Painted>,
    pub styles: Vec<StyleStamp>,
    /// The resolved settings as TOML, usable as a preset. Settings that belong to the input or the machine are cleared
    /// (given flow and cuts, the folder with weights, the policy for an existing output).
    pub settings: String,
    pub identity: Option<Identity>,
}

/// The preset that the settings are based on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresetStamp {
    /// Name of the preset, as used in the names of outputs.
    pub name: String,
    /// SHA-256 of its settings with all that it extends; empty if there is no preset.
    pub hash: String,
}

/// The networks that painted an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Painted {
    pub backbone: String,
    /// SHA-256 of the weights files, as in [`identity::weights`]; `None` if there are none.
    pub weights: Option<String>,
}

/// A style picture that an output was painted after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StyleStamp {
    /// The picture, as the settings name it.
    pub image: String,
    pub sha256: String,
}

impl Stamp {
    /// Creates the stamp of a job with these settings. `identity` is `None` if the input is a stream; `paints` says
    /// whether a network is used at all.
    ///
    /// # Errors
    /// If a style picture or the weights cannot be read.
    pub fn new(resolved: &Resolved, identity: Option<Identity>, paints: bool) -> Result<Self, IdentityError> {
        let settings = &resolved.settings;
        let (mut painted, mut styles) = (None, Vec::new());
        if paints {
            // The identity has already hashed the weights, which is slow.
            let weights = match &identity {
                Some(identity) => identity.weights.clone(),
                None => identity::weights(settings)?,
            };
            painted = Some(Painted::of(&weights));
            for style in &settings.style.images {
                styles.push(StyleStamp { image: style.image.clone(), sha256: identity::style(&style.image)? });
            }
        }
        Ok(Self {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").into(),
            job: identity.as_ref().map(Identity::id),
            preset: PresetStamp { name: resolved.preset.clone(), hash: resolved.preset_hash.clone() },
            seed: settings.seed,
            painted,
            styles,
            settings: portable(settings),
            identity,
        })
    }

    /// Returns the stamp as one line of JSON in ASCII, which every kind of file can hold.
    pub fn text(&self) -> String {
        let json = serde_json::to_string(self).unwrap_or_default();
        let mut text = String::with_capacity(json.len());
        for character in json.chars() {
            if character.is_ascii() {
                text.push(character);
            } else {
                character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
            }
        }
        text
    }

    /// Parses what [`Stamp::text`] wrote; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let stamp: Self = serde_json::from_str(text).ok()?;
        let own = stamp.identity.as_ref().map(Identity::id);
        // The name becomes part of the names of outputs.
        let is_name = !stamp.preset.name.contains(['/', '\0']);
        // Callers compare jobs by id and rely on its matching the identity.
        (stamp.format == FORMAT && stamp.job == own && is_name).then_some(stamp)
    }
}

impl Painted {
    /// Parses the result of [`identity::weights`]: `vgg19 HASH`, or the name alone.
    pub fn of(weights: &str) -> Self {
        match weights.split_once(' ') {
            Some((backbone, hash)) => Self { backbone: backbone.into(), weights: Some(hash.into()) },
            None => Self { backbone: weights.into(), weights: None },
        }
    }
}

impl fmt::Display for Painted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.weights {
            Some(weights) => write!(f, "{} ({weights})", self.backbone),
            None => write!(f, "{} (without weights)", self.backbone),
        }
    }
}

/// Returns the settings, as TOML, that another run can take over.
fn portable(settings: &Settings) -> String {
    toml::to_string(&settings.reset(|key| key.owner != Owner::Result)).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::settings::IfExists;

    fn stamp() -> Stamp {
        let settings = Settings { seed: 7, ..Settings::default() };
        let resolved =
            Resolved { settings, if_exists: None, preset: "caf\u{e9} \u{1f3a8}".into(), preset_hash: "00".into() };
        Stamp::new(&resolved, None, false).unwrap()
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let text = stamp().text();
        assert!(text.is_ascii() && !text.contains('\n'), "{text}");
        assert_eq!(Stamp::parse(&text), Some(stamp()));
    }

    #[test]
    fn another_form_or_a_wrong_job_is_no_stamp() {
        let text = stamp().text();
        assert_eq!(Stamp::parse(&text.replace("\"stylize_video\":1", "\"stylize_video\":2")), None);
        assert_eq!(Stamp::parse(&text.replace("\"job\":null", "\"job\":\"00\"")), None);
        assert_eq!(Stamp::parse(&text.replace("\"name\":\"caf", "\"name\":\"/../")), None);
        assert_eq!(Stamp::parse("{}"), None);
        assert_eq!(Stamp::parse(&"[".repeat(100_000)), None);
    }

    #[test]
    fn settings_leave_out_what_is_the_machines() {
        let mut settings = Settings::default();
        settings.network.weights_dir = "/weights".into();
        settings.motion.cuts = "/cuts".into();
        settings.output.if_exists = IfExists::Replace;
        assert_eq!(portable(&settings), portable(&Settings::default()));
    }
}
