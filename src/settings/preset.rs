//! Presets: TOML files with settings, a description and the preset they extend; built in or on disk.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::error::{SettingsError, UnknownPreset};
use super::file::{self, Base};
use super::merged::Merged;
use super::origin::{Entry, Origin};
use super::schema::nearest;
use super::untrusted::{self, Untrusted};
use super::{Settings, StyleImage};

/// Limit on `extends` chains; deeper than anyone nests by hand.
const MAX_DEPTH: usize = 16;

const EXTRAS: [&str; 2] = ["description", "extends"];

/// The presets compiled into the program.
const BUILTINS: [(&str, &str); 5] = [
    ("monet", include_str!("../../presets/monet.toml")),
    ("vangogh", include_str!("../../presets/vangogh.toml")),
    ("ukiyoe", include_str!("../../presets/ukiyoe.toml")),
    ("mosaic", include_str!("../../presets/mosaic.toml")),
    ("sketch", include_str!("../../presets/sketch.toml")),
];

/// The style pictures of the built-in presets.
const PLATES: [(&str, &[u8]); 5] = [
    ("monet.webp", include_bytes!("../../presets/monet.webp")),
    ("vangogh.webp", include_bytes!("../../presets/vangogh.webp")),
    ("ukiyoe.webp", include_bytes!("../../presets/ukiyoe.webp")),
    ("mosaic.webp", include_bytes!("../../presets/mosaic.webp")),
    ("sketch.webp", include_bytes!("../../presets/sketch.webp")),
];

/// Returns the picture `builtin:NAME` as the bytes of a webp file. Accepts the name with or without `builtin:`.
pub fn builtin_image(name: &str) -> Option<&'static [u8]> {
    let name = name.strip_prefix(file::BUILTIN).unwrap_or(name);
    PLATES.iter().find(|(plate, _)| *plate == name).map(|(_, bytes)| *bytes)
}

/// A preset, merged with everything it extends.
#[derive(Debug, Clone)]
pub struct Preset {
    /// The name used in output file names.
    pub name: String,
    pub description: String,
    /// The preset's file, or `None` if it is built in.
    pub path: Option<PathBuf>,
    pub(super) entries: Vec<Entry>,
}

impl Preset {
    /// Returns the SHA-256, in hexadecimal, of the settings including everything the preset extends. It does not depend
    /// on the file's name or formatting.
    pub fn hash(&self) -> String {
        let lines: Vec<String> =
            self.entries.iter().map(|entry| format!("{} = {}\n", entry.key, entry.value)).collect();
        crate::files::hash(lines.concat().as_bytes()).map(|(_, hash)| hash).unwrap_or_default()
    }

    /// Returns the preset's settings over the defaults, validated.
    ///
    /// # Errors
    /// At a value of the wrong type or out of range, and at a style picture that does not exist.
    pub fn settings(&self) -> Result<Settings, SettingsError> {
        let mut merged = Merged::default();
        merged.apply(self.entries.clone());
        let settings = merged.settings()?;
        merged.check_pictures(&settings)?;
        Ok(settings)
    }
}

/// One line of the list of presets: a name and the preset, or the error that loading it gave.
pub type Listed = (String, Result<Preset, SettingsError>);

/// The set of available presets: built-in ones and those in the user's folder.
#[derive(Debug, Clone)]
pub struct Library {
    folder: Option<PathBuf>,
    cwd: PathBuf,
}

/// Location of one preset's text.
#[derive(Debug, Clone)]
enum Place {
    Builtin {
        name: &'static str,
        text: &'static str,
    },
    /// A file: `shown` is the path as errors print it, `path` the one that is opened.
    File {
        shown: String,
        path: PathBuf,
    },
}

impl Place {
    fn shown(&self) -> String {
        match self {
            Self::Builtin { name, .. } => format!("built-in {name}.toml"),
            Self::File { shown, .. } => shown.clone(),
        }
    }

    fn text(&self) -> Result<Cow<'static, str>, SettingsError> {
        match self {
            Self::Builtin { text, .. } => Ok(Cow::Borrowed(text)),
            Self::File { shown, path } => file::read(path).map(Cow::Owned).map_err(|error| shown_as(error, shown)),
        }
    }

    /// Returns whether both are the same preset, however their paths are spelled.
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Builtin { name: a, .. }, Self::Builtin { name: b, .. }) => a == b,
            (Self::File { path: a, .. }, Self::File { path: b, .. }) => {
                a == b || same_file::is_same_file(a, b).unwrap_or(false)
            }
            _ => false,
        }
    }
}

impl Library {
    pub fn new(environment: &Environment) -> Self {
        Self { folder: environment.config_dir.as_ref().map(|dir| dir.join("presets")), cwd: environment.cwd.clone() }
    }

    /// Loads the preset `name`: a path if it has a separator or ends in `.toml`, else the user's preset, else a
    /// built-in one.
    ///
    /// # Errors
    /// If no preset has that name, or it cannot be read.
    pub fn load(&self, name: &str) -> Result<Preset, SettingsError> {
        self.load_named(name, None)
    }

    /// Like [`load`](Self::load), for a name written at `at`.
    pub(super) fn load_named(&self, name: &str, at: Option<&Origin>) -> Result<Preset, SettingsError> {
        let place = self.place(name, &self.cwd, None, at)?;
        self.load_place(&place, name)
    }

    /// Loads the preset in a file, whatever the file is called.
    ///
    /// # Errors
    /// If it cannot be read or is not a valid preset.
    pub fn load_file(&self, path: &Path) -> Result<Preset, SettingsError> {
        let place = Place::File { shown: path.display().to_string(), path: self.cwd.join(path) };
        self.load_place(&place, "")
    }

    /// Parses a preset's text as if it had been read from `path`.
    ///
    /// # Errors
    /// As for [`load_file`](Self::load_file).
    pub fn parse(&self, text: &str, path: &Path) -> Result<Preset, SettingsError> {
        let place = Place::File { shown: path.display().to_string(), path: self.cwd.join(path) };
        self.preset(&place, "", text)
    }

    fn load_place(&self, place: &Place, name: &str) -> Result<Preset, SettingsError> {
        self.preset(place, name, &place.text()?)
    }

    fn preset(&self, place: &Place, name: &str, text: &str) -> Result<Preset, SettingsError> {
        let mut entries = Vec::new();
        let description = self.read_chain(place, text, &mut Vec::new(), &mut entries)?;
        let (name, path) = match place {
            Place::Builtin { .. } => (name.to_string(), None),
            Place::File { path, .. } => {
                (path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), Some(path.clone()))
            }
        };
        Ok(Preset { name, description, path, entries })
    }

    /// Appends to `entries` first what `place` extends, then its own settings from `text`; returns its description.
    fn read_chain(
        &self,
        place: &Place,
        text: &str,
        chain: &mut Vec<Place>,
        entries: &mut Vec<Entry>,
    ) -> Result<String, SettingsError> {
        chain.push(place.clone());
        let mut file = match place {
            Place::Builtin { .. } => file::parse(text, &place.shown(), &Base::Builtin, &EXTRAS)?,
            Place::File { shown, path } => {
                let file = file::parse(text, shown, &Base::Folder(folder_of(path)), &EXTRAS)?;
                untrusted::check(&file.entries, Untrusted::Preset(path))?;
                file
            }
        };
        if let Some((parent, at)) = file.extras.remove("extends") {
            let base = match place {
                Place::Builtin { .. } => self.cwd.clone(),
                Place::File { path, .. } => folder_of(path),
            };
            let parent = self.place(&parent, &base, Some(place), Some(&at))?;
            if chain.iter().any(|place| place.is(&parent)) {
                let chain = chain.iter().chain([&parent]).map(Place::shown).collect();
                return Err(SettingsError::Circle { at, chain });
            }
            if chain.len() >= MAX_DEPTH {
                return Err(SettingsError::TooDeep { at, limit: MAX_DEPTH });
            }
            self.read_chain(&parent, &parent.text()?, chain, entries)?;
        }
        entries.append(&mut file.entries);
        Ok(file.extras.remove("description").map(|(text, _)| text).unwrap_or_default())
    }

    /// Locates `name`. `child` is the preset that extends it: a user's `monet` that extends `monet` means the built-in.
    fn place(
        &self,
        name: &str,
        base: &Path,
        child: Option<&Place>,
        at: Option<&Origin>,
    ) -> Result<Place, SettingsError> {
        if name.contains(std::path::is_separator) || name.ends_with(".toml") {
            let path = base.join(name);
            // A name in another file may be relative to that file, so errors show the full path.
            let shown = if child.is_some() { path.display().to_string() } else { name.to_string() };
            return Ok(Place::File { shown, path });
        }
        let builtin = BUILTINS.iter().find(|(builtin, _)| *builtin == name);
        if let Some(path) = self.user_file(name) {
            let file = Place::File { shown: path.display().to_string(), path };
            let itself = child.is_some_and(|child| child.is(&file));
            if !(itself && builtin.is_some()) {
                return Ok(file);
            }
        }
        if let Some((name, text)) = builtin {
            return Ok(Place::Builtin { name, text });
        }
        let names = self.names();
        Err(SettingsError::UnknownPreset(Box::new(UnknownPreset {
            at: at.cloned(),
            name: name.to_string(),
            nearest: nearest(name, names.iter().map(String::as_str)),
            names,
            folder: self.folder.clone(),
        })))
    }

    fn user_file(&self, name: &str) -> Option<PathBuf> {
        let path = self.folder.as_ref()?.join(format!("{name}.toml"));
        path.is_file().then_some(path)
    }

    /// Returns every name that [`load`](Self::load) finds, in alphabetical order.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = BUILTINS.iter().map(|(name, _)| name.to_string()).collect();
        let folder = self.folder.as_ref().and_then(|folder| std::fs::read_dir(folder).ok());
        for path in folder.into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|ext| ext == "toml")
                && let Some(stem) = path.file_stem().and_then(|stem| stem.to_str())
            {
                names.push(stem.to_string());
            }
        }
        names.sort();
        names.dedup();
        names
    }

    /// Returns the places searched for presets, in order, with the names found there; `None` if the folder does not
    /// exist.
    pub fn folders(&self) -> Vec<(String, Option<Vec<String>>)> {
        let builtin = BUILTINS.iter().map(|(name, _)| name.to_string()).collect();
        let user = self.folder.iter().map(|folder| {
            let names = folder
                .is_dir()
                .then(|| self.names().into_iter().filter(|name| self.user_file(name).is_some()).collect());
            (folder.display().to_string(), names)
        });
        user.chain([("compiled in".to_owned(), Some(builtin))]).collect()
    }

    /// Loads every preset; a broken one stays in the list with its error.
    pub fn list(&self) -> Vec<Listed> {
        self.names().into_iter().map(|name| (name.clone(), self.load(&name))).collect()
    }
}

fn shown_as(error: SettingsError, shown: &str) -> SettingsError {
    match error {
        SettingsError::Read { source, .. } => SettingsError::Read { path: shown.into(), source },
        other => other,
    }
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().map(Path::to_path_buf).unwrap_or_default()
}

impl StyleImage {
    /// Returns whether the file exists; it may still not be a picture.
    pub fn exists(&self) -> bool {
        if self.image.starts_with(file::BUILTIN) {
            builtin_image(&self.image).is_some()
        } else {
            Path::new(&self.image).is_file()
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn built_in_presets_are_valid_and_described() {
        let library = Library { folder: None, cwd: PathBuf::from("/") };
        for (name, preset) in library.list() {
            let preset = preset.unwrap();
            assert!(!preset.description.is_empty(), "{name}");
            let settings = preset.settings().unwrap();
            assert_eq!(settings.style.images[0].image, format!("builtin:{name}.webp"));
        }
    }

    #[test]
    fn plates_are_found_with_and_without_the_mark() {
        assert!(builtin_image("monet.webp").is_some());
        assert_eq!(builtin_image("builtin:monet.webp"), builtin_image("monet.webp"));
        assert!(builtin_image("money.webp").is_none());
    }
}
