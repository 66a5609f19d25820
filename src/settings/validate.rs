//! Range checks: constraints on values that types do not express.

use super::Settings;
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
    /// Checks every value that has a range.
    ///
    /// # Errors
    /// The first value out of range, with its key.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        check("seed", self.seed <= i64::MAX as u64, || format!("{} does not fit TOML's whole numbers", self.seed))?;
        check("strength", (0.0..=1.0).contains(&self.strength), || format!("{} must be 0 to 1", self.strength))?;
        self.validate_style()?;
        check("frame.sizes", self.frame.sizes <= 10, || format!("{} is out of range: use 0 to 10", self.frame.sizes))?;
        let content = &self.content;
        check("content.detail", (0.0..=1.0).contains(&content.detail), || {
            format!("{} must be 0 to 1", content.detail)
        })?;
        check("content.luminance", is_weight(content.luminance), || {
            format!("{} must be 0 or more", content.luminance)
        })?;
        check("content.chroma", is_weight(content.chroma), || format!("{} must be 0 or more", content.chroma))?;
        check("content.faces", (1.0..=100.0).contains(&content.faces), || {
            format!("{} must be 1 to 100", content.faces)
        })?;
        self.validate_loss()?;
        self.validate_network()?;
        self.validate_optimizer()?;
        self.validate_temporal()?;
        self.validate_input()?;
        check("output.checkpoint", self.output.checkpoint >= 1, || "0 must be 1 or more".into())?;
        let pairs = [("input.options", &self.input.options), ("output.encoder_options", &self.output.encoder_options)];
        for (key, option) in pairs.into_iter().flat_map(|(key, options)| options.iter().map(move |o| (key, o))) {
            check(key, option.split_once('=').is_some_and(|(name, _)| !name.is_empty()), || {
                format!("`{option}` is not of the form key=value")
            })?;
        }
        Ok(())
    }

    fn validate_input(&self) -> Result<(), InvalidValue> {
        let input = &self.input;
        let is_word = |name: &String| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte))
        };
        check("input.protocols", input.protocols.iter().all(is_word), || {
            "a protocol is a word of FFmpeg's, as http; `ffmpeg -protocols` lists them".into()
        })?;
        for (key, value) in [
            ("input.max_pixels", input.max_pixels),
            ("input.max_side", input.max_side),
            ("input.max_frames", input.max_frames),
            ("input.max_streams", input.max_streams),
        ] {
            check(key, (1..=i64::MAX as u64).contains(&value), || format!("{value} must be 1 or more"))?;
        }
        let seconds = input.max_duration;
        check("input.max_duration", seconds > 0.0, || format!("{seconds} must be more than 0"))
    }

    fn validate_style(&self) -> Result<(), InvalidValue> {
        let style = &self.style;
        for image in &style.images {
            check("style.images", !image.image.is_empty(), || "a picture has an empty path".into())?;
            check("style.images", is_weight(image.weight), || {
                format!("weight {} of {} must be 0 or more", image.weight, image.image)
            })?;
        }
        let used = style.images.is_empty() || style.images.iter().any(|image| image.weight > 0.0);
        check("style.images", used, || "every picture has weight 0".into())?;
        check("style.scale", style.scale > 0.0 && style.scale <= 10.0, || {
            format!("{} is out of range: use more than 0 and at most 10", style.scale)
        })
    }

    fn validate_loss(&self) -> Result<(), InvalidValue> {
        let loss = &self.loss;
        for (key, weight) in [
            ("loss.alpha", loss.alpha),
            ("loss.beta", loss.beta),
            ("loss.tv", loss.tv),
            ("loss.flatness", loss.flatness),
        ] {
            check(key, is_weight(weight), || format!("{weight} must be 0 or more"))?;
        }
        check("loss.beta", loss.alpha > 0.0 || loss.beta > 0.0, || {
            "alpha and beta are both 0: nothing is left to optimise".into()
        })?;
        for weight in loss.style_weights {
            check("loss.style_weights", is_weight(weight), || format!("{weight} must be 0 or more"))?;
        }
        check("loss.style_weights", loss.style_weights.iter().any(|w| *w > 0.0), || "every weight is 0".into())
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

    fn validate_optimizer(&self) -> Result<(), InvalidValue> {
        let optimizer = &self.optimizer;
        for (key, count) in [
            ("optimizer.iterations", optimizer.iterations[0]),
            ("optimizer.iterations", optimizer.iterations[1]),
            ("optimizer.check_every", optimizer.check_every),
            ("optimizer.history", optimizer.history),
        ] {
            check(key, count >= 1, || format!("{count} must be 1 or more"))?;
        }
        let tolerance = optimizer.tolerance;
        check("optimizer.tolerance", is_weight(tolerance), || format!("{tolerance} must be 0 or more"))?;
        let rate = optimizer.learning_rate;
        check("optimizer.learning_rate", rate > 0.0 && rate.is_finite(), || format!("{rate} must be more than 0"))
    }
}

impl Settings {
    fn validate_temporal(&self) -> Result<(), InvalidValue> {
        let temporal = &self.temporal;
        check("temporal.weight", is_weight(temporal.weight), || format!("{} must be 0 or more", temporal.weight))?;
        check("temporal.boil", (0.0..=1.0).contains(&temporal.boil), || format!("{} must be 0 to 1", temporal.boil))?;
        check("temporal.offsets", temporal.offsets.iter().all(|offset| (1..=250).contains(offset)), || {
            "an offset must be 1 to 250 frames".into()
        })?;
        check("temporal.passes", (1..=100).contains(&temporal.passes), || {
            format!("{} is out of range: use 1 to 100", temporal.passes)
        })?;
        let consistency = &temporal.consistency;
        for (key, value) in [
            ("temporal.consistency.relative", consistency.relative),
            ("temporal.consistency.absolute", consistency.absolute),
            ("temporal.consistency.boundary_relative", consistency.boundary_relative),
            ("temporal.consistency.boundary_absolute", consistency.boundary_absolute),
            ("temporal.consistency.blur", consistency.blur),
        ] {
            check(key, is_weight(value) && value <= 100.0, || format!("{value} is out of range: use 0 to 100"))?;
        }
        Ok(())
    }
}

fn is_weight(value: f64) -> bool {
    value.is_finite() && value >= 0.0
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
