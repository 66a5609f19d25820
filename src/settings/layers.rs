//! Merges the layers of settings: defaults < preset < user's config < environment < job < command line.

use std::path::PathBuf;

use toml::{Table, Value};

use super::environment::{ENV_PREFIX, Environment};
use super::error::SettingsError;
use super::file::{self, BUILTIN, Base};
use super::keys::{self, Owner};
use super::merged::Merged;
use super::origin::{Entry, Origin};
use super::preset::Library;
use super::schema::{Schema, nearest};
use super::untrusted::{self, Untrusted};
use super::{IfExists, LongFlow, Settings};

/// Environment variable that selects the preset when the command line gives none.
const ENV_PRESET: &str = "STYLIZE_VIDEO_PRESET";

/// Variables that share the prefix but are not settings; they are read elsewhere.
const ENV_OTHER: [&str; 10] = [
    "STYLIZE_VIDEO_WEIGHTS_URL",
    "STYLIZE_VIDEO_LOG",
    // Read by the set-up scripts.
    "STYLIZE_VIDEO_SKIP_PACKAGES",
    "STYLIZE_VIDEO_SKIP_WEIGHTS",
    // Set by --notify for its command, which may run this program again.
    "STYLIZE_VIDEO_INPUT",
    "STYLIZE_VIDEO_OUTPUT",
    "STYLIZE_VIDEO_OUTCOME",
    "STYLIZE_VIDEO_FRAMES",
    "STYLIZE_VIDEO_SECONDS",
    "STYLIZE_VIDEO_ERROR",
];
const ENV_TEST: &str = "STYLIZE_VIDEO_TEST_";

/// The preset used when nothing selects one.
const DEFAULT_PRESET: &str = "monet";

/// A style picture given on the command line.
#[derive(Debug, Clone, PartialEq)]
pub struct StyleArg {
    pub image: PathBuf,
    pub weight: f64,
}

/// The value of an option that sets one setting: `--size 480` is `frame.size = 480`.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// The option as the user types it, `--size`.
    pub option: &'static str,
    /// The dotted key, `frame.size`.
    pub key: &'static str,
    pub value: Value,
}

impl Assignment {
    /// Creates an assignment to `key` from its option, which the table of keys names.
    pub fn of(key: &'static str, value: impl Into<Value>) -> Self {
        let option = keys::spec(key).and_then(|key| key.option).unwrap_or("--set");
        Self { option, key, value: value.into() }
    }

    /// Like [`of`](Self::of), from an option's text, which is parsed like a value of `--set`.
    pub fn parse(key: &'static str, text: &str) -> Self {
        Self::of(key, parse_value(text))
    }
}

/// All inputs from which settings are resolved.
#[derive(Debug, Clone, Default)]
pub struct LayerInputs {
    pub environment: Environment,
    /// `--preset`.
    pub preset: Option<String>,
    /// `--style`: pictures that replace the preset's.
    pub styles: Vec<StyleArg>,
    /// All other options that set one setting.
    pub options: Vec<Assignment>,
    /// Settings of a job in a job file; they override the environment and yield to all options.
    pub overrides: Vec<Entry>,
    /// `--set`, as `KEY=VALUE`.
    pub sets: Vec<String>,
    /// `--like`: recorded settings, used instead of preset, config and environment.
    pub like: Option<Recorded>,
}

/// The settings recorded in another output, which `--like` reuses.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Path of that output.
    pub path: String,
    /// The settings as TOML.
    pub settings: String,
    /// Preset name and hash, as in [`Resolved`].
    pub preset: String,
    pub preset_hash: String,
}

/// The settings of a run, with what the layers say about outputs and the preset.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    pub settings: Settings,
    /// Used in the names of outputs: the preset's name or, without a preset, that of the first style picture.
    pub preset: String,
    /// What to do with existing outputs; `None` if no layer sets it.
    pub if_exists: Option<IfExists>,
    /// SHA-256 of the settings of the preset and of everything it extends, in hexadecimal; empty without a preset.
    pub preset_hash: String,
}

impl Settings {
    /// Returns the offsets to earlier frames for which optical flow is estimated directly.
    pub fn searched(&self) -> &[u32] {
        match self.motion.long {
            LongFlow::Direct => self.temporal.reach(),
            LongFlow::Composed => &[],
        }
    }

    /// Merges the layers, validates every value and checks that the style pictures exist.
    ///
    /// # Errors
    /// At the first mistake in any layer; the error names the place where it was written.
    pub fn resolve(inputs: &LayerInputs) -> Result<Resolved, SettingsError> {
        let environment = &inputs.environment;
        let config = user_config(environment)?;
        let mut merged = Merged::default();
        let command_line = command_line(inputs)?;
        let (name, hash) = match &inputs.like {
            Some(recorded) => lay_recorded(&mut merged, recorded, config, environment, &command_line)?,
            None => lay_preset(&mut merged, inputs, config)?,
        };
        merged.add(inputs.overrides.clone())?;
        merged.add(command_line)?;
        let settings = merged.settings()?;
        if settings.style.images.is_empty() {
            return Err(SettingsError::NoStyle);
        }
        merged.check_pictures(&settings)?;
        let if_exists = merged.has("output.if_exists").then_some(settings.output.if_exists);
        Ok(Resolved { settings, preset: name, if_exists, preset_hash: hash })
    }
}

/// Adds the layers of preset, config and environment; returns the preset's name and hash.
fn lay_preset(
    merged: &mut Merged,
    inputs: &LayerInputs,
    config: Option<file::SettingsFile>,
) -> Result<(String, String), SettingsError> {
    let preset = chosen_preset(inputs, config.as_ref());
    let (mut name, mut hash) = (inputs.styles.first().map(style_name).unwrap_or_default(), String::new());
    if let Some((preset, at)) = preset {
        let preset = Library::new(&inputs.environment).load_named(&preset, at.as_ref())?;
        hash = preset.hash();
        merged.add(preset.entries)?;
        name = preset.name;
    }
    if let Some(config) = config {
        merged.add(config.entries)?;
    }
    merged.add(from_environment(&inputs.environment)?)?;
    Ok((name, hash))
}

/// Adds the recorded settings instead of preset, config and environment, except those that the command line overrides;
/// returns the preset's name and hash.
fn lay_recorded(
    merged: &mut Merged,
    recorded: &Recorded,
    config: Option<file::SettingsFile>,
    environment: &Environment,
    overrides: &[Entry],
) -> Result<(String, String), SettingsError> {
    let name = format!("the settings in {}", recorded.path);
    let mut entries = file::parse(&recorded.settings, &name, &Base::Folder(environment.cwd.clone()), &[])?.entries;
    let overridden = |key: &str| overrides.iter().any(|entry| entry.key == key);
    let is_ours = |key: &str| keys::spec(key).is_some_and(|key| key.owner == Owner::Machine);
    entries.retain(|entry| !is_ours(&entry.key) && !overridden(&entry.key));
    untrusted::check(&entries, Untrusted::Record)?;
    merged.add(entries)?;
    let mut ours: Vec<Entry> = config.map(|config| config.entries).unwrap_or_default();
    ours.extend(from_environment(environment)?);
    ours.retain(|entry| is_ours(&entry.key));
    merged.add(ours)?;
    Ok((recorded.preset.clone(), recorded.preset_hash.clone()))
}

/// Returns the preset's name and where it was written; no place for the command line and the default.
fn chosen_preset(inputs: &LayerInputs, config: Option<&file::SettingsFile>) -> Option<(String, Option<Origin>)> {
    if let Some(name) = &inputs.preset {
        return Some((name.clone(), None));
    }
    if !inputs.styles.is_empty() {
        return None;
    }
    let variable = inputs.environment.env.iter().find(|(name, value)| name == ENV_PRESET && !value.is_empty());
    if let Some((variable, name)) = variable {
        return Some((name.clone(), Some(Origin::Variable(variable.clone()))));
    }
    let configured = config.and_then(|config| config.extras.get("preset"));
    let named = configured.map(|(name, at)| (name.clone(), Some(at.clone())));
    named.or_else(|| Some((DEFAULT_PRESET.into(), None)))
}

fn style_name(style: &StyleArg) -> String {
    // A style picture may also be named `builtin:monet.webp`.
    let stem = style.image.file_stem().unwrap_or_default().to_string_lossy();
    stem.strip_prefix(BUILTIN).unwrap_or(&stem).to_string()
}

fn user_config(environment: &Environment) -> Result<Option<file::SettingsFile>, SettingsError> {
    let Some(folder) = &environment.config_dir else { return Ok(None) };
    let path = folder.join("config.toml");
    match file::read(&path) {
        Ok(text) => {
            file::parse(&text, &path.display().to_string(), &Base::Folder(folder.clone()), &["preset"]).map(Some)
        }
        Err(SettingsError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn from_environment(environment: &Environment) -> Result<Vec<Entry>, SettingsError> {
    let keys = Schema::new(&[]).keys();
    let variable = |key: &str| format!("{ENV_PREFIX}{}", key.replace('.', "_").to_uppercase());
    let mut entries = Vec::new();
    for (name, text) in &environment.env {
        let other = name == ENV_PRESET || ENV_OTHER.contains(&name.as_str()) || name.starts_with(ENV_TEST);
        // An empty variable counts as unset.
        if !name.starts_with(ENV_PREFIX) || other || text.is_empty() {
            continue;
        }
        let Some(key) = keys.iter().find(|key| variable(key) == *name) else {
            let known: Vec<String> = keys.iter().map(|key| variable(key)).chain([ENV_PRESET.into()]).collect();
            let nearest = nearest(name, known.iter().map(String::as_str));
            return Err(SettingsError::UnknownVariable { name: name.clone(), nearest });
        };
        entries.push(Entry { key: key.clone(), value: parse_value(text), origin: Origin::Variable(name.clone()) });
    }
    file::rebase(&mut entries, &Base::Folder(environment.cwd.clone()))?;
    Ok(entries)
}

fn command_line(inputs: &LayerInputs) -> Result<Vec<Entry>, SettingsError> {
    let schema = Schema::new(&[]);
    let mut entries = Vec::new();
    for text in &inputs.sets {
        let malformed = || SettingsError::Assignment { text: text.clone() };
        let (key, value) = text.split_once('=').ok_or_else(malformed)?;
        let key = key.trim();
        if key.is_empty() || key.split('.').any(str::is_empty) {
            return Err(malformed());
        }
        let table = nested(key, parse_value(value.trim()));
        entries.extend(schema.flatten(table, &|_| Origin::Option("--set".into()))?);
    }
    let mut named = Vec::new();
    for Assignment { option, key, value } in &inputs.options {
        named.push(Entry { key: (*key).into(), value: value.clone(), origin: Origin::Option((*option).into()) });
    }
    if !inputs.styles.is_empty() {
        let mut images = Vec::new();
        for style in &inputs.styles {
            let image = Value::String(file::utf8(style.image.clone())?);
            images.push(Value::Table(Table::from_iter([
                ("image".to_string(), image),
                ("weight".to_string(), Value::Float(style.weight)),
            ])));
        }
        let origin = Origin::Option("--style".into());
        named.push(Entry { key: "style.images".into(), value: Value::Array(images), origin });
    }
    for entry in &named {
        if let Some(set) = entries.iter().find(|set| set.key == entry.key) {
            let (first, second) = (entry.origin.clone(), set.origin.clone());
            return Err(SettingsError::Twice { key: entry.key.clone(), first, second });
        }
    }
    entries.append(&mut named);
    file::rebase(&mut entries, &Base::Folder(inputs.environment.cwd.clone()))?;
    Ok(entries)
}

/// Parses a value in TOML's syntax; text that is not valid TOML becomes a string.
fn parse_value(text: &str) -> Value {
    text.parse().unwrap_or_else(|_| Value::String(text.to_string()))
}

/// Wraps a value in nested tables: `loss.beta`, 2 -> `{ loss: { beta: 2 } }`.
fn nested(key: &str, value: Value) -> Table {
    let mut segments = key.rsplit('.');
    let last = segments.next().unwrap_or_default().to_string();
    segments.fold(Table::from_iter([(last, value)]), |table, name| {
        Table::from_iter([(name.to_string(), Value::Table(table))])
    })
}
