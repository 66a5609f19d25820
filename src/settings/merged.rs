//! Layers of settings laid over each other, and the settings that result.

use std::collections::BTreeMap;

use serde_path_to_error::Segment;
use toml::{Table, Value};

use super::error::SettingsError;
use super::file::BUILTIN;
use super::origin::{Entry, Origin};
use super::{Settings, StyleImage};

/// Length of the parts of an over-long error message that are kept.
const SHOWN_AT_START: usize = 120;
const SHOWN_AT_END: usize = 80;

/// The last value of each setting and where it was written.
#[derive(Debug, Default)]
pub struct Merged(BTreeMap<String, (Value, Origin)>);

impl Merged {
    /// Lays a layer on top. Arrays are replaced, never joined.
    pub fn apply(&mut self, layer: Vec<Entry>) {
        self.0.extend(layer.into_iter().map(|Entry { key, value, origin }| (key, (value, origin))));
    }

    /// Like `apply`, but also validates, so that a bad value is found even if a later layer hides it.
    ///
    /// # Errors
    /// As for [`Merged::settings`].
    pub fn add(&mut self, layer: Vec<Entry>) -> Result<(), SettingsError> {
        self.apply(layer);
        self.settings().map(|_| ())
    }

    /// Returns whether any layer sets `key`.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Returns the merged settings, validated.
    ///
    /// # Errors
    /// At a value of the wrong type or out of range.
    pub fn settings(&self) -> Result<Settings, SettingsError> {
        let mut root = Table::new();
        for (key, (value, _)) in &self.0 {
            insert(&mut root, key, value.clone());
        }
        let settings: Settings = serde_path_to_error::deserialize(Value::Table(root)).map_err(|error| {
            let path = path_of(error.path());
            self.invalid(&path, plain(error.inner().message()))
        })?;
        settings.validate().map_err(|error| self.invalid(error.key, error.message.clone()))?;
        Ok(settings)
    }

    /// Checks that every style picture exists.
    ///
    /// # Errors
    /// At the first one that does not.
    pub fn check_pictures(&self, settings: &Settings) -> Result<(), SettingsError> {
        let Some(StyleImage { image, .. }) = settings.style.images.iter().find(|image| !image.exists()) else {
            return Ok(());
        };
        let message = if image.starts_with(BUILTIN) {
            format!("the program has no picture {image}")
        } else {
            format!("picture {image} does not exist")
        };
        Err(self.invalid("style.images", message))
    }

    /// Creates the error for `path` (`loss.style_weights[2]`), located where that setting was written.
    fn invalid(&self, path: &str, message: String) -> SettingsError {
        let setting = path.split('[').next().unwrap_or_default();
        // A check that involves two settings can blame one that only has its default; then use another of the same
        // table.
        let origin = self.0.get(setting).or_else(|| {
            let table = setting.split('.').next().unwrap_or_default();
            self.0.iter().find(|(key, _)| key.split('.').next() == Some(table)).map(|(_, value)| value)
        });
        let at = origin.map_or_else(|| Origin::Option("settings".into()), |(_, origin)| origin.clone());
        SettingsError::Value { at, key: path.to_string(), message }
    }
}

fn insert(root: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            root.insert(key.to_string(), value);
        }
        Some((name, rest)) => {
            let inner = root.entry(name).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

fn path_of(path: &serde_path_to_error::Path) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            Segment::Map { key } if text.is_empty() => text.push_str(key),
            Segment::Map { key } => text.push_str(&format!(".{key}")),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    text
}

/// Rewrites serde's message for users who do not write Rust.
fn plain(message: &str) -> String {
    let mut text = message.trim().to_string();
    for (rust, word) in [
        ("expected f64", "expected a number"),
        ("expected u64", "expected a whole number of 0 or more"),
        ("expected u32", "expected a whole number of 0 or more"),
        ("expected u8", "expected a whole number from 0 to 255"),
        ("expected usize", "expected a whole number of 0 or more"),
        ("expected a boolean", "expected true or false"),
        ("expected a sequence", "expected an array [..]"),
    ] {
        text = text.replace(rust, word);
    }
    // A value that fills the screen would hide what is wrong with it.
    match text.char_indices().nth(SHOWN_AT_START) {
        Some((start, _)) if text.chars().count() > SHOWN_AT_START + SHOWN_AT_END => {
            let end = text.char_indices().rev().nth(SHOWN_AT_END - 1).map_or(text.len(), |(end, _)| end);
            format!("{} ... {}", &text[..start], &text[end..])
        }
        _ => text,
    }
}
