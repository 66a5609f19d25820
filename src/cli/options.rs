//! The settings that the options of a run stand for.

use super::{RunArgs, values};
use crate::settings::{Assignment, Environment, LayerInputs, Recorded};

impl RunArgs {
    /// These options as the top layer over `environment`.
    pub fn layers(&self, environment: Environment, like: Option<Recorded>) -> LayerInputs {
        let texts = [
            ("frame.size", self.size.as_ref()),
            ("device", self.device.as_ref()),
            ("output.crf", self.crf.as_ref()),
            ("strength", self.strength.as_ref()),
            ("temporal.boil", self.boil.as_ref()),
        ];
        let words = [
            ("network.backbone", self.backbone.clone()),
            ("network.weights_dir", self.weights_dir.clone()),
            ("motion.flow", self.flow.clone()),
            ("motion.cuts", self.cuts.clone()),
            ("input.filter", self.pre_filter.clone()),
            ("output.filter", self.post_filter.clone()),
            ("output.codec", self.codec.clone()),
            ("output.pix_fmt", self.pix_fmt.clone()),
            ("output.format", self.format.clone()),
            ("input.format", self.input_format.clone()),
            ("output.if_exists", self.if_exists.map(|arg| values::name_of(&arg))),
        ];
        let lists = [
            ("output.encoder_options", &self.encoder_options),
            ("input.options", &self.input_options),
            ("input.protocols", &self.allow_protocols),
        ];
        let flags = [
            ("output.strict_streams", self.strict_streams),
            ("output.convert_audio", self.convert_audio),
            ("input.keep_clock", self.keep_clock),
            ("temporal.loop", self.ring),
        ];
        let numbers = [
            ("input.max_corrupt", self.max_corrupt),
            ("temporal.passes", self.passes),
            ("output.checkpoint", self.checkpoint),
            ("seed", self.seed),
        ];
        let given = |(key, word): (&'static str, Option<String>)| word.map(|word| Assignment::of(key, word));
        let mut options: Vec<Assignment> = Vec::new();
        options.extend(texts.into_iter().filter_map(|(key, text)| Some(Assignment::parse(key, text?))));
        options.extend(words.into_iter().filter_map(given));
        let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
        options.extend(lists.map(|(key, list)| Assignment::of(key, list.clone())));
        options.extend(flags.into_iter().filter(|(_, given)| *given).map(|(key, _)| Assignment::of(key, true)));
        options.extend(numbers.into_iter().filter_map(|(key, number)| Some(Assignment::of(key, number?))));
        if let Some(iterations) = self.iterations {
            options.push(Assignment::of("optimizer.iterations", iterations.map(i64::from).to_vec()));
        }
        LayerInputs {
            environment,
            preset: self.preset.clone(),
            styles: self.styles.clone(),
            options,
            overrides: Vec::new(),
            sets: self.sets.clone(),
            like,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::{Arg, ArgAction, CommandFactory, Parser};

    use super::super::Cli;
    use super::*;
    use crate::settings::{KEYS, default_of};

    /// Returns the key that an option sets, and the option that errors name; `None` for an option that sets no key.
    fn set_by(arg: &Arg) -> Option<(&'static str, String)> {
        let option = format!("--{}", arg.get_long()?);
        let mut line = vec!["stylize-video".to_owned(), "in.mp4".into(), option.clone()];
        if arg.get_action().takes_values() {
            // A number is also a word, a path and a graph; an option with a list of choices takes the first of them.
            let choices = arg.get_possible_values();
            line.push(choices.first().map_or("3".into(), |choice| choice.get_name().to_owned()));
        }
        let inputs = Cli::try_parse_from(line).ok()?.run.layers(Environment::default(), None);
        if !inputs.styles.is_empty() {
            return Some(("style.images", option));
        }
        assert!(inputs.options.len() <= 1, "{option} sets more than one key");
        inputs.options.first().map(|set| (set.key, set.option.to_owned()))
    }

    #[test]
    fn the_options_set_the_keys_that_the_table_says() {
        let command = Cli::command();
        let args =
            command.get_arguments().filter(|arg| !matches!(arg.get_action(), ArgAction::Help | ArgAction::Version));
        let mut found: Vec<(&str, String)> = args.filter_map(set_by).collect();
        let mut told: Vec<(&str, String)> =
            KEYS.iter().filter_map(|key| Some((key.path, key.option?.to_owned()))).collect();
        found.sort_unstable();
        told.sort_unstable();
        assert_eq!(found, told, "the options of a run, and those in the table of keys");
    }

    #[test]
    fn the_help_says_the_defaults_of_the_settings() {
        let command = Cli::command();
        let mut numbers = 0;
        for key in KEYS {
            let Some(option) = key.option.and_then(|option| option.strip_prefix("--")) else { continue };
            let arg = command.get_arguments().find(|arg| arg.get_long() == Some(option)).unwrap();
            let help = arg.get_help().unwrap().to_string();
            assert!(!arg.is_hide_set() && !help.is_empty(), "--{option} is not in the help");
            let said = help.split_once("[default: ").and_then(|(_, rest)| rest.strip_suffix(']')?.parse::<f64>().ok());
            if let Some(said) = said {
                let default = default_of(key.path).unwrap().to_string();
                assert_eq!(default.parse(), Ok(said), "--{option}");
                numbers += 1;
            }
        }
        assert_eq!(numbers, 5, "options whose default is a number");
    }
}
