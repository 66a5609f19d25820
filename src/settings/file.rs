//! Parses one TOML file of settings into entries with line numbers and absolute paths.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::error::SettingsError;
use super::keys;
use super::origin::{Entry, Origin};
use super::schema::{Schema, join};
use crate::read_limited;

/// Prefix of style pictures that are compiled into the program.
pub const BUILTIN: &str = "builtin:";

/// The folder that relative paths in a layer refer to.
#[derive(Debug, Clone)]
pub enum Base {
    Folder(PathBuf),
    /// The pictures compiled into the program.
    Builtin,
}

/// A parsed file.
#[derive(Debug)]
pub struct SettingsFile {
    pub entries: Vec<Entry>,
    /// Keys that are not settings, with their text and where they were written.
    pub extras: BTreeMap<String, (String, Origin)>,
}

/// Parses `text`, which errors call `name`. `extras` are the text-valued keys allowed in addition to settings.
///
/// # Errors
/// If it is not TOML, has an unknown key, or has a value where a table belongs or another type in an extra key.
pub fn parse(text: &str, name: &str, base: &Base, extras: &[&str]) -> Result<SettingsFile, SettingsError> {
    let (mut table, places) = document(text, name)?;
    let origin = |key: &str| places.of(key);
    let mut found = BTreeMap::new();
    for &key in extras {
        match table.remove(key) {
            None => {}
            Some(Value::String(text)) => {
                found.insert(key.to_string(), (text, origin(key)));
            }
            Some(other) => {
                let message = format!("expected a text in quotes, found {}", other.type_str());
                return Err(SettingsError::Value { at: origin(key), key: key.into(), message });
            }
        }
    }
    let mut entries = Schema::new(extras).flatten(table, &origin)?;
    rebase(&mut entries, base)?;
    Ok(SettingsFile { entries, extras: found })
}

/// The line of each key in a file.
#[derive(Debug)]
pub struct Places {
    name: String,
    lines: BTreeMap<String, usize>,
}

impl Places {
    /// Returns the place of a dotted key, such as `job[0].set.loss.beta`.
    pub fn of(&self, key: &str) -> Origin {
        Origin::File { name: self.name.clone(), line: self.lines.get(key).copied().unwrap_or(1) }
    }
}

/// Parses `text`, which errors call `name`, as TOML.
///
/// # Errors
/// If it is not valid TOML.
pub fn document(text: &str, name: &str) -> Result<(Table, Places), SettingsError> {
    let line_of = |offset: usize| text.as_bytes().iter().take(offset).filter(|&&b| b == b'\n').count() + 1;
    let syntax = |error: &toml::de::Error| SettingsError::Syntax {
        at: Origin::File { name: name.into(), line: line_of(error.span().map_or(0, |span| span.start)) },
        message: error.message().to_string(),
    };
    let spanned = DeTable::parse(text).map_err(|e| syntax(&e))?;
    let mut lines = BTreeMap::new();
    index_lines(spanned.get_ref(), "", &line_of, &mut lines);
    let table = Table::deserialize(toml::de::Deserializer::from(spanned)).map_err(|e| syntax(&e))?;
    Ok((table, Places { name: name.into(), lines }))
}

/// Returns the settings in one table of another kind of file, with their places; paths are relative to `base`.
///
/// # Errors
/// At an unknown key, and at a value where a table belongs.
pub fn overrides(table: Table, base: PathBuf, origin: &dyn Fn(&str) -> Origin) -> Result<Vec<Entry>, SettingsError> {
    let mut entries = Schema::new(&[]).flatten(table, origin)?;
    rebase(&mut entries, &Base::Folder(base))?;
    Ok(entries)
}

/// Records the line of every key, including keys in arrays: `style.images[0].weight`.
fn index_lines(
    table: &DeTable<'_>,
    prefix: &str,
    line_of: &dyn Fn(usize) -> usize,
    lines: &mut BTreeMap<String, usize>,
) {
    for (name, value) in table {
        let key = join(prefix, name.get_ref());
        index_value(value, &key, line_of, lines);
        lines.insert(key, line_of(name.span().start));
    }
}

fn index_value(
    value: &Spanned<DeValue<'_>>,
    key: &str,
    line_of: &dyn Fn(usize) -> usize,
    lines: &mut BTreeMap<String, usize>,
) {
    match value.get_ref() {
        DeValue::Table(inner) => index_lines(inner, key, line_of, lines),
        DeValue::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                let key = format!("{key}[{index}]");
                index_value(element, &key, line_of, lines);
                lines.insert(key, line_of(element.span().start));
            }
        }
        _ => {}
    }
}

/// Resolves the relative paths in `entries` against `base`.
///
/// # Errors
/// If a resulting path is not UTF-8.
pub fn rebase(entries: &mut [Entry], base: &Base) -> Result<(), SettingsError> {
    let holds_path = |entry: &&mut Entry| keys::spec(&entry.key).is_some_and(|key| key.holds_path);
    for entry in entries.iter_mut().filter(holds_path) {
        match &mut entry.value {
            Value::String(path) if !path.is_empty() => *path = anchored(path, base)?,
            Value::Array(elements) => {
                for element in elements {
                    match element {
                        Value::String(path) => *path = anchored(path, base)?,
                        Value::Table(table) => {
                            if let Some(Value::String(path)) = table.get_mut("image") {
                                *path = anchored(path, base)?;
                            }
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn anchored(path: &str, base: &Base) -> Result<String, SettingsError> {
    match base {
        _ if path.starts_with(BUILTIN) => Ok(path.to_string()),
        Base::Builtin => Ok(format!("{BUILTIN}{path}")),
        Base::Folder(folder) => utf8(folder.join(path)),
    }
}

/// Returns a path as the text used in settings.
///
/// # Errors
/// If it is not UTF-8.
pub fn utf8(path: PathBuf) -> Result<String, SettingsError> {
    path.into_os_string().into_string().map_err(|path| SettingsError::NotUtf8 { path: path.into() })
}

/// Returns the text of a settings file.
///
/// # Errors
/// If it cannot be read or is not UTF-8.
pub fn read(path: &Path) -> Result<String, SettingsError> {
    read_limited::text(path).map_err(|source| SettingsError::Read { path: path.into(), source })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<SettingsFile, SettingsError> {
        parse(text, "my.toml", &Base::Folder("/p".into()), &["description", "extends"])
    }

    #[test]
    fn an_unknown_key_names_line_and_neighbour() {
        let error = parsed("description = \"x\"\n\n[loss]\nalpha = 1\nbetta = 2\n").unwrap_err();
        assert_eq!(error.to_string(), "my.toml:5: unknown key loss.betta: did you mean loss.beta?");
    }

    #[test]
    fn an_unknown_key_of_a_picture_is_named() {
        let text = "[style]\nimages = [\n  \"a.png\",\n  { image = \"b.png\", wieght = 2 },\n]\n";
        let error = parsed(text).unwrap_err();
        assert_eq!(error.to_string(), "my.toml:4: unknown key style.images[1].wieght: did you mean weight?");
    }

    #[test]
    fn a_quoted_dotted_key_is_not_the_setting() {
        assert!(parsed("\"loss.beta\" = 3\n").unwrap_err().to_string().contains("unknown key \"loss.beta\""));
    }

    #[test]
    fn syntax_errors_name_the_line() {
        assert!(parsed("seed = 1\n[loss\n").unwrap_err().to_string().starts_with("my.toml:2: "));
        assert!(parsed("seed = 1\nseed = 2\n").unwrap_err().to_string().starts_with("my.toml:2: "));
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let text = "[style]\nimages = [\"a.png\", { image = \"/abs.png\", weight = 2 }, \"builtin:monet.webp\"]\n";
        let entries = parsed(text).unwrap().entries;
        let images = entries.first().unwrap().value.as_array().unwrap();
        assert_eq!(images[0].as_str(), Some("/p/a.png"));
        assert_eq!(images[1]["image"].as_str(), Some("/abs.png"));
        assert_eq!(images[2].as_str(), Some("builtin:monet.webp"));
    }
}
