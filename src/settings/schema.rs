//! The known keys, derived from `Settings` itself so that no separate list can fall out of date.

use toml::{Table, Value};

use super::error::SettingsError;
use super::origin::{Entry, Origin};
use super::{Settings, StyleImage};

/// The tree of known keys.
#[derive(Debug)]
pub struct Schema {
    root: Table,
    /// Keys of a file that are not settings: `description`, `extends`, `preset`.
    extras: Vec<String>,
}

impl Schema {
    pub fn new(extras: &[&str]) -> Self {
        let mut example = Settings::default();
        // One element, so that the keys of a style picture are known too.
        example.style.images.push(StyleImage { image: String::new(), weight: 1.0 });
        let root = Table::try_from(&example).unwrap_or_default();
        Self { root, extras: extras.iter().map(ToString::to_string).collect() }
    }

    /// Returns every setting as a dotted key: `frame.size`, `loss.beta`, ...
    pub fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        collect(&self.root, "", false, &mut keys);
        keys
    }

    /// Returns the known key most similar to `key`, if one is similar enough.
    pub fn nearest(&self, key: &str) -> Option<String> {
        let mut names = self.extras.clone();
        collect(&self.root, "", true, &mut names);
        nearest(key, names.iter().map(String::as_str))
    }

    /// Turns a table into entries, one per setting.
    ///
    /// # Errors
    /// At an unknown key, and at a value where a table belongs.
    pub fn flatten(&self, table: Table, origin: &dyn Fn(&str) -> Origin) -> Result<Vec<Entry>, SettingsError> {
        let mut entries = Vec::new();
        self.flatten_table(&self.root, "", table, origin, &mut entries)?;
        Ok(entries)
    }

    fn flatten_table(
        &self,
        known: &Table,
        prefix: &str,
        table: Table,
        origin: &dyn Fn(&str) -> Origin,
        entries: &mut Vec<Entry>,
    ) -> Result<(), SettingsError> {
        for (name, value) in table {
            let key = join(prefix, &name);
            match (known.get(&name), value) {
                (None, _) => return Err(self.unknown(key, origin)),
                (Some(Value::Table(known)), Value::Table(table)) => {
                    self.flatten_table(known, &key, table, origin, entries)?;
                }
                (Some(Value::Table(_)), other) => {
                    let message = format!("expected a table of settings, found {}", other.type_str());
                    return Err(SettingsError::Value { at: origin(&key), key, message });
                }
                (Some(known), value) => {
                    self.check_elements(known, &key, &value, origin)?;
                    entries.push(Entry { origin: origin(&key), key, value });
                }
            }
        }
        Ok(())
    }

    /// Checks the keys of tables in an array, because the errors of serde's untagged enums do not name the unknown key.
    fn check_elements(
        &self,
        known: &Value,
        key: &str,
        value: &Value,
        origin: &dyn Fn(&str) -> Origin,
    ) -> Result<(), SettingsError> {
        let (Some(Value::Table(known)), Value::Array(elements)) = (known.as_array().and_then(|a| a.first()), value)
        else {
            return Ok(());
        };
        for (index, element) in elements.iter().enumerate() {
            for name in element.as_table().into_iter().flat_map(Table::keys) {
                if !known.contains_key(name) {
                    let nearest = nearest(name, known.keys().map(String::as_str));
                    let key = join(&format!("{key}[{index}]"), name);
                    return Err(SettingsError::UnknownKey { at: origin(&key), key, nearest });
                }
            }
        }
        Ok(())
    }

    fn unknown(&self, key: String, origin: &dyn Fn(&str) -> Origin) -> SettingsError {
        SettingsError::UnknownKey { at: origin(&key), nearest: self.nearest(&key), key }
    }
}

/// Returns the default of a dotted key, or of a table of keys.
pub fn default_of(key: &str) -> Option<Value> {
    let root = Table::try_from(Settings::default()).ok()?;
    key.split('.').try_fold(Value::Table(root), |value, name| value.get(name).cloned())
}

/// Returns the dotted path of `name` in `prefix`; a name with special characters is quoted as in TOML.
pub fn join(prefix: &str, name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let name = if bare { name.to_string() } else { format!("{name:?}") };
    if prefix.is_empty() { name } else { format!("{prefix}.{name}") }
}

fn collect(table: &Table, prefix: &str, tables_too: bool, keys: &mut Vec<String>) {
    for (name, value) in table {
        let key = join(prefix, name);
        if let Value::Table(inner) = value {
            if tables_too {
                keys.push(key.clone());
            }
            collect(inner, &key, tables_too, keys);
        } else {
            keys.push(key);
        }
    }
}

/// Returns the candidate most similar to `word`, if it is similar enough to be what was meant.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    const ALIKE: f64 = 0.6;
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_string();
    let likeness = |candidate: &str| {
        let whole = strsim::normalized_damerau_levenshtein(word, candidate);
        // `size` alone most likely means `frame.size`.
        let tail = strsim::normalized_damerau_levenshtein(&last(word), &last(candidate));
        whole.max(0.9 * tail)
    };
    candidates
        .map(|candidate| (likeness(candidate), candidate))
        .filter(|(score, _)| *score >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_leaves_of_settings() {
        let keys = Schema::new(&[]).keys();
        for key in ["seed", "frame.size", "style.images", "loss.beta", "output.if_exists"] {
            assert!(keys.iter().any(|k| k == key), "{key} in {keys:?}");
        }
        assert!(!keys.iter().any(|k| k == "loss"));
    }

    #[test]
    fn nearest_key_is_what_was_meant() {
        let schema = Schema::new(&["extends"]);
        for (typo, meant) in [
            ("loss.betta", "loss.beta"),
            ("size", "frame.size"),
            ("los", "loss"),
            ("style.color", "style.colour"),
            ("extend", "extends"),
            ("optimiser.iterations", "optimizer.iterations"),
        ] {
            assert_eq!(schema.nearest(typo).as_deref(), Some(meant), "{typo}");
        }
        assert_eq!(schema.nearest("qqqqqq"), None);
    }
}
