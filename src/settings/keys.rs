//! The facts about every settings key, in one table. Whatever treats keys differently reads it: the layers, the checks
//! of presets and records, the identity of a job, the record in an output, and the command line.

use toml::{Table, Value};

use super::Settings;
use super::range::Range;
use super::safe_options::{ENCODER_OPTIONS, INPUT_OPTIONS};

/// What the rest of the program must know about a settings key, apart from its type and default.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeySpec {
    /// Dotted key, `loss.beta`.
    pub path: &'static str,
    /// Whether the value is a path, or holds paths. They are relative to where they are written. Those of a preset
    /// cannot leave its folder. A record can only have those of style pictures, because it has their hashes too.
    pub holds_path: bool,
    /// What a preset file or a record may set, apart from paths.
    pub confined: Confined,
    /// How the key counts in the identity of a job.
    pub affects_bytes: Affects,
    /// What the key describes.
    pub owner: Owner,
    /// The command-line option that sets the key, `--size`.
    pub option: Option<&'static str>,
    /// The numbers that the key accepts. `validate.rs` has the checks that are not those of one number.
    pub range: Range,
}

/// What a preset file or a record may set. Both may come from other people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confined {
    /// Anything that is valid.
    Free,
    /// A demuxer that opens no file but its input, or none.
    Demuxer,
    /// An empty list only.
    Empty,
    /// Only `NAME=VALUE` with these names.
    Options(&'static [&'static str]),
    /// A graph of filters that only process pictures.
    Filters,
    /// At most the default.
    UpToDefault,
}

/// How a key affects the bytes of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Affects {
    /// Another value gives another result.
    Value,
    /// What is in the file gives another result; the path does not matter.
    Content,
    /// A CPU and CUDA give different results; the number of the device does not matter.
    DeviceKind,
    /// It decides at most whether there is a result.
    Nothing,
}

/// What a setting describes, which decides where it is copied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The result: the record in an output holds it, and `--like` takes it from there.
    Result,
    /// One input: no record holds it.
    Input,
    /// This machine and its user: no record holds it, and `--like` takes it from config and environment.
    Machine,
}

/// Returns the row of a plain key: a preset may set it, its value affects the bytes, and it describes the result.
const fn key(path: &'static str) -> KeySpec {
    KeySpec {
        path,
        holds_path: false,
        confined: Confined::Free,
        affects_bytes: Affects::Value,
        owner: Owner::Result,
        option: None,
        range: Range::Any,
    }
}

impl KeySpec {
    const fn path(self) -> Self {
        Self { holds_path: true, affects_bytes: Affects::Content, ..self }
    }

    const fn confined(self, confined: Confined) -> Self {
        Self { confined, ..self }
    }

    const fn affects(self, affects_bytes: Affects) -> Self {
        Self { affects_bytes, ..self }
    }

    const fn of(self, owner: Owner) -> Self {
        Self { owner, ..self }
    }

    const fn option(self, option: &'static str) -> Self {
        Self { option: Some(option), ..self }
    }

    const fn range(self, range: Range) -> Self {
        Self { range, ..self }
    }

    const fn at_least(self, least: f64) -> Self {
        self.range(Range::AtLeast(least))
    }

    const fn within(self, least: f64, most: f64) -> Self {
        self.range(Range::Within(least, most))
    }

    const fn limits(self, least: f64, most: f64) -> Self {
        self.range(Range::Limits(least, most))
    }
}

/// Every settings key, in the order of [`Settings`].
pub const KEYS: [KeySpec; 72] = [
    key("seed").option("--seed"),
    key("device").affects(Affects::DeviceKind).option("--device"),
    key("strength").within(0.0, 1.0).option("--strength"),
    key("frame.size").option("--size"),
    key("frame.sizes").limits(0.0, 10.0),
    key("style.images").path().option("--style"),
    key("style.scale").range(Range::UpTo(0.0, 10.0)),
    key("style.colour"),
    key("style.match_colours"),
    key("content.detail").within(0.0, 1.0),
    key("content.luminance").at_least(0.0),
    key("content.chroma").at_least(0.0),
    key("content.faces").within(1.0, 100.0),
    key("content.finest"),
    key("loss.convention"),
    key("loss.alpha").at_least(0.0),
    key("loss.beta").at_least(0.0),
    key("loss.style_weights").at_least(0.0),
    key("loss.tv").at_least(0.0),
    key("loss.flatness").at_least(0.0),
    key("network.backbone").option("--backbone"),
    key("network.weights_dir").path().of(Owner::Machine).option("--weights-dir"),
    key("network.pooling"),
    key("network.padding"),
    key("network.antialias"),
    key("network.style_layers"),
    key("network.content_layers"),
    key("optimizer.method"),
    key("optimizer.iterations").at_least(1.0).option("--iterations"),
    key("optimizer.tolerance").at_least(0.0),
    key("optimizer.check_every").at_least(1.0),
    key("optimizer.history").at_least(1.0),
    key("optimizer.learning_rate").range(Range::MoreThan(0.0, false)),
    key("init.first"),
    key("init.next"),
    key("temporal.weight").at_least(0.0),
    key("temporal.boil").within(0.0, 1.0).option("--boil"),
    key("temporal.offsets"),
    key("temporal.distance"),
    key("temporal.passes").limits(1.0, 100.0).option("--passes"),
    key("temporal.loop").option("--loop"),
    key("temporal.consistency.relative").limits(0.0, 100.0),
    key("temporal.consistency.absolute").limits(0.0, 100.0),
    key("temporal.consistency.boundary_relative").limits(0.0, 100.0),
    key("temporal.consistency.boundary_absolute").limits(0.0, 100.0),
    key("temporal.consistency.blur").limits(0.0, 100.0),
    key("motion.flow").path().of(Owner::Input).option("--flow"),
    key("motion.cuts").path().of(Owner::Input).option("--cuts"),
    key("motion.long"),
    key("input.format").confined(Confined::Demuxer).option("--input-format"),
    key("input.options").confined(Confined::Options(&INPUT_OPTIONS)).option("--input-opt"),
    key("input.filter").confined(Confined::Filters).option("--pre-filter"),
    key("input.max_corrupt").affects(Affects::Nothing).option("--max-corrupt"),
    key("input.deinterlace"),
    key("input.hdr"),
    key("input.keep_clock").option("--keep-clock"),
    // Protocols and limits can only refuse an input; what they let through gives the same result.
    key("input.protocols").confined(Confined::Empty).affects(Affects::Nothing).option("--allow-protocols"),
    key("input.max_pixels").at_least(1.0).confined(Confined::UpToDefault).affects(Affects::Nothing),
    key("input.max_side").at_least(1.0).confined(Confined::UpToDefault).affects(Affects::Nothing),
    key("input.max_duration")
        .range(Range::MoreThan(0.0, true))
        .confined(Confined::UpToDefault)
        .affects(Affects::Nothing),
    key("input.max_frames").at_least(1.0).confined(Confined::UpToDefault).affects(Affects::Nothing),
    key("input.max_streams").at_least(1.0).confined(Confined::UpToDefault).affects(Affects::Nothing),
    key("output.format").option("--format"),
    key("output.codec").option("--codec"),
    key("output.crf").option("--crf"),
    key("output.pix_fmt").option("--pix-fmt"),
    key("output.encoder_options").confined(Confined::Options(&ENCODER_OPTIONS)).option("--encoder-opt"),
    key("output.filter").confined(Confined::Filters).option("--post-filter"),
    key("output.strict_streams").affects(Affects::Nothing).option("--strict-streams"),
    key("output.convert_audio").option("--convert-audio"),
    key("output.checkpoint").at_least(1.0).option("--checkpoint"),
    key("output.if_exists").affects(Affects::Nothing).of(Owner::Machine).option("--if-exists"),
];

/// Returns the row of a dotted key.
pub fn spec(path: &str) -> Option<&'static KeySpec> {
    KEYS.iter().find(|key| key.path == path)
}

impl Settings {
    /// Returns these settings with the default for each key that `resets` selects. Settings that TOML cannot hold, such
    /// as a seed above `i64::MAX`, come back unchanged; [`validate`](Self::validate) refuses them.
    #[must_use]
    pub fn reset(&self, resets: impl Fn(&KeySpec) -> bool) -> Self {
        let Ok(mut table) = Table::try_from(self) else { return self.clone() };
        for key in KEYS.iter().filter(|key| resets(key)) {
            // A key that is absent has its default.
            remove(&mut table, key.path);
        }
        Value::Table(table).try_into().unwrap_or_else(|_| self.clone())
    }
}

fn remove(table: &mut Table, path: &str) {
    match path.split_once('.') {
        None => drop(table.remove(path)),
        Some((name, rest)) => {
            if let Some(Value::Table(inner)) = table.get_mut(name) {
                remove(inner, rest);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::schema::{Schema, default_of};
    use super::super::{Device, StyleImage};
    use super::*;

    #[test]
    fn every_setting_has_one_row_and_every_row_is_a_setting() {
        let mut rows: Vec<&str> = KEYS.iter().map(|key| key.path).collect();
        rows.sort_unstable();
        assert_eq!(rows, Schema::new(&[]).keys(), "the rows of `KEYS`, and the fields of `Settings`");
    }

    #[test]
    fn the_documented_keys_and_defaults_are_those_of_the_table() {
        let text = include_str!("../../docs/presets.md");
        let (_, all) = text.split_once("## All keys").unwrap();
        let rows = all.split("\n## ").next().unwrap().lines().filter_map(|line| line.strip_prefix("| `"));
        let documented: Vec<(&str, &str)> = rows
            .map(|row| {
                let (path, rest) = row.split_once("` | ").unwrap();
                (path, rest.split(" | ").next().unwrap().trim_matches('`'))
            })
            .collect();
        let paths: Vec<&str> = documented.iter().map(|(path, _)| *path).collect();
        assert_eq!(paths, KEYS.map(|key| key.path), "the rows of docs/presets.md, in the order of `KEYS`");
        for (path, shown) in documented {
            let default = default_of(path).unwrap().to_string();
            let (begin, _) = shown.split_once('…').unwrap_or((shown, ""));
            assert!(default == shown || begin != shown && default.starts_with(begin), "{path}: {shown}, {default}");
        }
    }

    /// Keys that take any text, or a list of texts, and name no file.
    const HARMLESS_TEXTS: [&str; 5] =
        ["network.style_layers", "network.content_layers", "output.format", "output.codec", "output.pix_fmt"];

    #[test]
    fn a_key_that_takes_any_text_is_confined_or_known_to_be_harmless() {
        let takes = |path: &str, value: Value| {
            let segments = path.rsplit('.');
            let Value::Table(table) =
                segments.fold(value, |value, name| Value::Table(Table::from_iter([(name.to_owned(), value)])))
            else {
                return false;
            };
            Value::Table(table).try_into::<Settings>().is_ok_and(|settings| settings.validate().is_ok())
        };
        for key in KEYS {
            let text = || Value::from("name=/etc/passwd");
            let any = takes(key.path, text()) || takes(key.path, Value::Array(vec![text()]));
            let is_checked = key.holds_path || key.confined != Confined::Free;
            assert!(!any || is_checked || HARMLESS_TEXTS.contains(&key.path), "{}: may it name a file?", key.path);
        }
    }

    #[test]
    fn a_reset_takes_defaults_for_the_chosen_keys_only() {
        let mut settings = Settings { seed: 7, device: Device::Cuda(1), ..Settings::default() };
        settings.style.images = vec![StyleImage { image: "a.png".into(), weight: 1.0 / 3.0 }];
        settings.temporal.ring = true;
        settings.temporal.consistency.blur = 0.1 + 0.2;
        settings.input.max_duration = f64::INFINITY;
        assert_eq!(settings.reset(|_| false), settings);
        assert_eq!(settings.reset(|_| true), Settings::default());
        let anywhere = Settings { device: Device::Auto, ..settings.clone() };
        assert_eq!(settings.reset(|key| key.affects_bytes == Affects::DeviceKind), anywhere);
        let all = Settings { seed: u64::MAX, ..settings };
        assert_eq!(all.reset(|_| true), all, "TOML has no such number");
    }

    #[test]
    fn a_path_counts_by_its_content_and_no_two_keys_share_an_option() {
        let mut options: Vec<&str> = KEYS.iter().filter_map(|key| key.option).collect();
        let count = options.len();
        options.sort_unstable();
        options.dedup();
        assert_eq!(options.len(), count);
        assert!(KEYS.iter().all(|key| key.holds_path == (key.affects_bytes == Affects::Content)));
    }
}
