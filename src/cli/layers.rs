//! The options of `layers`.

use std::path::PathBuf;

use clap::Args;

use super::values;
use crate::explore::{Every, Units};
use crate::settings::{Assignment, Environment, LayerInputs, StyleArg};

/// What is looked at, and what is shown.
#[derive(Debug, Args)]
pub struct LayersArgs {
    /// Pictures, videos, and folders of them
    #[arg(value_name = "INPUT", required_unless_present_any = ["list", "activations"])]
    pub inputs: Vec<PathBuf>,

    /// Folder for the sheets, index.html and the state from which an interrupted run resumes
    #[arg(short, long, value_name = "DIR", default_value = "layers")]
    pub output: PathBuf,

    /// Print the layers with channels, stride and receptive field, and do nothing else
    #[arg(long)]
    pub list: bool,

    /// Networks to show, named as for a run; auto works, too
    #[arg(long, value_name = "NAME")]
    pub backbone: Option<String>,

    /// Layers by name, or all
    #[arg(long, value_name = "A,B|all", value_delimiter = ',', default_value = "all")]
    pub layers: Vec<String>,

    /// Units of each layer: a count (the most active, or with --style those that differ most), all, or numbers (3,17)
    #[arg(long, value_name = "N|all|A,B", value_parser = units, default_value = "9")]
    pub units: Units,

    /// Frames of a video: every Nth, or one per so many seconds (0.5s)
    #[arg(long, value_name = "N|Ns", value_parser = every, default_value = "1")]
    pub every: Every,

    /// Larger pictures are reduced to this long side in pixels
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(16..=4096), default_value = "320")]
    pub size: u32,

    /// Rank units by their share of the Gram distance to this style, and suggest lambdas for a preset
    #[arg(long = "style", value_name = "IMG[=WEIGHT]", value_parser = values::style())]
    pub styles: Vec<StyleArg>,

    /// Draw the feature maps of this picture, too
    #[arg(long, value_name = "PICTURE")]
    pub activations: Option<PathBuf>,

    /// Start over, without what an earlier run left in the folder
    #[arg(long)]
    pub restart: bool,

    /// Folder with weights files, searched before all others
    #[arg(long, value_name = "DIR")]
    pub weights_dir: Option<String>,

    /// auto, cpu, cuda or cuda:N
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,

    /// Any setting by its key, such as --set network.pooling=avg
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
}

impl LayersArgs {
    /// These options as the top layer over `environment`.
    pub fn layers(&self, environment: Environment) -> LayerInputs {
        let words = [
            ("network.backbone", self.backbone.clone()),
            ("network.weights_dir", self.weights_dir.clone()),
            ("device", self.device.clone()),
        ];
        let options = words.into_iter().filter_map(|(key, word)| Some(Assignment::of(key, word?))).collect();
        LayerInputs {
            environment,
            styles: self.styles.clone(),
            options,
            sets: self.sets.clone(),
            ..LayerInputs::default()
        }
    }
}

/// `9`, `all`, or numbers with a comma: `3,17`, `3,`.
fn units(text: &str) -> Result<Units, String> {
    let wrong =
        || format!("`{text}` is not a choice of units: use a count, `all`, or numbers such as 3,17 (`3,` for one)");
    if text == "all" {
        return Ok(Units::All);
    }
    if !text.contains(',') {
        return match text.trim().parse() {
            Ok(count) if count > 0 => Ok(Units::Count(count)),
            _ => Err(wrong()),
        };
    }
    let parts = text.trim_end_matches(',').split(',');
    let mut numbers = parts.map(|part| part.trim().parse().map_err(|_| wrong())).collect::<Result<Vec<usize>, _>>()?;
    numbers.sort_unstable();
    numbers.dedup();
    Ok(Units::These(numbers))
}

/// `10`, or `0.5s`.
fn every(text: &str) -> Result<Every, String> {
    let wrong = || format!("`{text}` is neither a number of frames, 1 or more, nor seconds such as 0.5s");
    match text.trim().strip_suffix('s') {
        Some(seconds) => match seconds.parse::<f64>() {
            Ok(seconds) if seconds.is_finite() && seconds > 0.0 => Ok(Every::Seconds(seconds)),
            _ => Err(wrong()),
        },
        None => match text.trim().parse() {
            Ok(frames) if frames > 0 => Ok(Every::Frames(frames)),
            _ => Err(wrong()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_a_count_all_or_numbers() {
        assert_eq!(units("9"), Ok(Units::Count(9)));
        assert_eq!(units("all"), Ok(Units::All));
        assert_eq!(units("17,3,17"), Ok(Units::These(vec![3, 17])));
        assert_eq!(units("3,"), Ok(Units::These(vec![3])));
        for text in ["", "0", "-1", ",", "3,x", "some"] {
            assert!(units(text).is_err(), "{text}");
        }
    }

    #[test]
    fn frames_or_seconds() {
        assert_eq!(every("10"), Ok(Every::Frames(10)));
        assert_eq!(every("0.5s"), Ok(Every::Seconds(0.5)));
        for text in ["", "0", "0s", "-1s", "s", "1.5", "nans", "infs"] {
            assert!(every(text).is_err(), "{text}");
        }
    }
}
