//! Constraints on values that types do not express: the ranges of `KEYS`, and checks that are not those of one number.

use toml::{Table, Value};

use super::Settings;
use super::keys::KEYS;
use super::schema::nearest;

/// The networks that `network.backbone` accepts; several are joined by `+`.
pub const BACKBONES: [&str; 6] = ["vgg19", "vgg16", "squeezenet1_0", "squeezenet1_1", "efficientnet_lite0", "patches"];

/// The name that selects the best set of networks whose weights are installed.
pub const AUTO: &str = "auto";

/// A setting whose value is out of range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {message}")]
pub struct InvalidValue {
    /// Dotted key, `loss.beta`.
    pub key: &'static str,
    pub message: String,
}

impl Settings {
    /// Checks every value that has a range, and then what more than one number decides.
    ///
    /// # Errors
    /// The first value out of range, with its key.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        let table = Table::try_from(self).map_err(|_| self.too_large())?;
        for key in KEYS {
            if let Some(message) = value_at(&table, key.path).and_then(|value| key.range.fault(value)) {
                return Err(InvalidValue { key: key.path, message });
            }
        }
        self.validate_style()?;
        let loss = &self.loss;
        check("loss.beta", loss.alpha > 0.0 || loss.beta > 0.0, || {
            "alpha and beta are both 0: nothing is left to optimise".into()
        })?;
        check("loss.style_weights", loss.style_weights.iter().any(|w| *w > 0.0), || "every weight is 0".into())?;
        self.validate_network()?;
        check("temporal.offsets", self.temporal.offsets.iter().all(|offset| (1..=250).contains(offset)), || {
            "an offset must be 1 to 250 frames".into()
        })?;
        let is_word = |name: &String| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte))
        };
        check("input.protocols", self.input.protocols.iter().all(is_word), || {
            "a protocol is a word of FFmpeg's, as http; `ffmpeg -protocols` lists them".into()
        })?;
        let pairs = [("input.options", &self.input.options), ("output.encoder_options", &self.output.encoder_options)];
        for (key, option) in pairs.into_iter().flat_map(|(key, options)| options.iter().map(move |o| (key, o))) {
            check(key, option.split_once('=').is_some_and(|(name, _)| !name.is_empty()), || {
                format!("`{option}` is not of the form key=value")
            })?;
        }
        Ok(())
    }

    /// The fault of settings that TOML cannot hold: a whole number above `i64::MAX`.
    fn too_large(&self) -> InvalidValue {
        let input = &self.input;
        let wholes = [
            ("seed", self.seed),
            ("input.max_pixels", input.max_pixels),
            ("input.max_side", input.max_side),
            ("input.max_frames", input.max_frames),
            ("input.max_streams", input.max_streams),
        ];
        let (key, value) = wholes.into_iter().max_by_key(|(_, value)| *value).unwrap_or(wholes[0]);
        InvalidValue { key, message: format!("{value} does not fit TOML's whole numbers") }
    }

    fn validate_style(&self) -> Result<(), InvalidValue> {
        let style = &self.style;
        for image in &style.images {
            check("style.images", !image.image.is_empty(), || "a picture has an empty path".into())?;
            check("style.images", image.weight.is_finite() && image.weight >= 0.0, || {
                format!("weight {} of {} must be 0 or more", image.weight, image.image)
            })?;
        }
        let used = style.images.is_empty() || style.images.iter().any(|image| image.weight > 0.0);
        check("style.images", used, || "every picture has weight 0".into())
    }

    fn validate_network(&self) -> Result<(), InvalidValue> {
        let backbone = self.network.backbone.as_str();
        if backbone == AUTO {
            return Ok(());
        }
        let names: Vec<&str> = backbone.split('+').map(str::trim).collect();
        for (place, name) in names.iter().enumerate() {
            check("network.backbone", BACKBONES.contains(name), || {
                let meant = nearest(name, BACKBONES.into_iter()).map(|name| format!(": did you mean {name}?"));
                format!(
                    "unknown network `{name}`{}; known: {AUTO}, {}",
                    meant.unwrap_or_default(),
                    BACKBONES.join(", ")
                )
            })?;
            check("network.backbone", !names[..place].contains(name), || format!("{name} is named twice"))?;
        }
        Ok(())
    }
}

/// Returns the value of a dotted key.
fn value_at<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => table.get(path),
        Some((name, rest)) => value_at(table.get(name)?.as_table()?, rest),
    }
}

fn check(key: &'static str, holds: bool, message: impl FnOnce() -> String) -> Result<(), InvalidValue> {
    if holds { Ok(()) } else { Err(InvalidValue { key, message: message() }) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::settings::StyleImage;

    fn key_of(change: impl FnOnce(&mut Settings)) -> &'static str {
        let mut settings = Settings::default();
        change(&mut settings);
        settings.validate().unwrap_err().key
    }

    #[test]
    fn defaults_are_valid() {
        assert_eq!(Settings::default().validate(), Ok(()));
    }

    #[test]
    fn the_error_names_the_key() {
        assert_eq!(key_of(|s| s.seed = u64::MAX), "seed");
        assert_eq!(key_of(|s| s.style.scale = 0.0), "style.scale");
        assert_eq!(key_of(|s| s.style.scale = f64::NAN), "style.scale");
        assert_eq!(key_of(|s| s.loss.alpha = -1.0), "loss.alpha");
        assert_eq!(key_of(|s| s.loss.beta = f64::INFINITY), "loss.beta");
        assert_eq!(key_of(|s| s.loss.style_weights = [0.0; 5]), "loss.style_weights");
        assert_eq!(key_of(|s| s.network.backbone = "vgg91".into()), "network.backbone");
        assert_eq!(key_of(|s| s.network.backbone = "patches+vgg91".into()), "network.backbone");
        assert_eq!(key_of(|s| s.network.backbone = "patches+patches".into()), "network.backbone");
        assert_eq!(key_of(|s| s.optimizer.iterations = [10, 0]), "optimizer.iterations");
        assert_eq!(key_of(|s| s.optimizer.learning_rate = 0.0), "optimizer.learning_rate");
        assert_eq!(key_of(|s| s.input.options = vec!["=3".into()]), "input.options");
        assert_eq!(key_of(|s| s.output.encoder_options = vec!["slow".into()]), "output.encoder_options");
        assert_eq!(key_of(|s| s.temporal.passes = 0), "temporal.passes");
        assert_eq!(key_of(|s| s.output.checkpoint = 0), "output.checkpoint");
        let unused = StyleImage { image: "a.png".into(), weight: 0.0 };
        assert_eq!(key_of(|s| s.style.images = vec![unused]), "style.images");
    }
}
