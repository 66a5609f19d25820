//! Finds weights files.

use std::path::{Path, PathBuf};

use super::WeightsError;
use super::manifest::{all, file_name, known};

/// The folders searched for weights, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPath {
    places: Vec<Place>,
}

/// A folder of the search path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub kind: PlaceKind,
    pub dir: PathBuf,
}

/// Why a folder is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceKind {
    /// Named by the user: `--weights-dir`, the setting `network.weights_dir`, or its environment variable.
    Named,
    /// The user's data folder: `$XDG_DATA_HOME/stylize-video/weights`, by default under `~/.local/share`.
    UserData,
    /// `weights` in the current folder.
    CurrentDir,
    /// `weights` next to the program, or in the checkout the program was built in.
    Program,
}

impl PlaceKind {
    /// Returns a readable name: `named folder`, `user data`, ...
    pub fn label(self) -> &'static str {
        match self {
            Self::Named => "named folder",
            Self::UserData => "user data",
            Self::CurrentDir => "current folder",
            Self::Program => "beside the program",
        }
    }
}

/// A weights file that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundWeights {
    pub path: PathBuf,
    pub kind: PlaceKind,
}

impl SearchPath {
    /// Returns the search path of this process. `named` is the folder that the user named; an empty path counts as
    /// none, so the setting `network.weights_dir` can be passed unchanged.
    pub fn new(named: Option<&Path>) -> Self {
        let mut places = Vec::new();
        if let Some(dir) = named.filter(|dir| !dir.as_os_str().is_empty()) {
            places.push(Place { kind: PlaceKind::Named, dir: dir.to_owned() });
        }
        if let Some(dir) = user_data_dir() {
            places.push(Place { kind: PlaceKind::UserData, dir });
        }
        if let Ok(dir) = std::env::current_dir() {
            places.push(Place { kind: PlaceKind::CurrentDir, dir: dir.join("weights") });
        }
        let program = std::env::current_exe().and_then(|exe| exe.canonicalize());
        if let Some(dir) = program.ok().as_deref().and_then(Path::parent) {
            for dir in beside_program(dir) {
                places.push(Place { kind: PlaceKind::Program, dir });
            }
        }
        Self::from_places(places)
    }

    /// Creates a search path of just these places; a duplicate folder is searched once.
    pub fn from_places(places: Vec<Place>) -> Self {
        let mut kept: Vec<Place> = Vec::new();
        for place in places {
            if kept.iter().all(|other| other.dir != place.dir) {
                kept.push(place);
            }
        }
        Self { places: kept }
    }

    /// Returns the folders in search order.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Returns the folder for new weights: the one that the user named, else the user's data folder.
    ///
    /// # Errors
    /// If there is neither.
    pub fn install_dir(&self) -> Result<&Path, WeightsError> {
        self.places
            .iter()
            .find(|place| matches!(place.kind, PlaceKind::Named | PlaceKind::UserData))
            .map(|place| place.dir.as_path())
            .ok_or(WeightsError::NoDataFolder)
    }
}

/// Returns the weights file of the network `name`.
///
/// # Errors
/// [`WeightsError::NotFound`] with every path that was tried; [`WeightsError::UnknownNetwork`].
pub fn find(name: &str, path: &SearchPath) -> Result<FoundWeights, WeightsError> {
    known(name)?;
    let mut tried = Vec::new();
    for place in path.places() {
        let file = place.dir.join(file_name(name));
        if file.is_file() {
            return Ok(FoundWeights { path: file, kind: place.kind });
        }
        tried.push(file);
    }
    Err(WeightsError::NotFound { name: name.to_owned(), tried })
}

fn user_data_dir() -> Option<PathBuf> {
    let base = directories::BaseDirs::new()?;
    Some(base.data_dir().join("stylize-video").join("weights"))
}

/// Returns `weights` in the program's folder, and in the nearest checkout above it, which is recognised by manifests in
/// its `weights`.
fn beside_program(dir: &Path) -> Vec<PathBuf> {
    let is_checkout =
        |weights: &PathBuf| all().iter().all(|manifest| weights.join(format!("{}.toml", manifest.name)).is_file());
    let above = dir.ancestors().skip(1).map(|dir| dir.join("weights")).find(is_checkout);
    std::iter::once(dir.join("weights")).chain(above).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn named(dir: &Path) -> Place {
        Place { kind: PlaceKind::Named, dir: dir.to_owned() }
    }

    #[test]
    fn the_first_place_wins() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let data = Place { kind: PlaceKind::UserData, dir: two.path().to_owned() };
        let path = SearchPath::from_places(vec![named(one.path()), data]);
        std::fs::write(two.path().join("vgg19.safetensors"), "").unwrap();
        assert_eq!(find("vgg19", &path).unwrap().kind, PlaceKind::UserData);
        std::fs::write(one.path().join("vgg19.safetensors"), "").unwrap();
        assert_eq!(find("vgg19", &path).unwrap().kind, PlaceKind::Named);
        assert_eq!(path.install_dir().unwrap(), one.path());
    }

    #[test]
    fn a_missing_file_names_the_places_and_the_command() {
        let dir = tempfile::tempdir().unwrap();
        let message = find("vgg16", &SearchPath::from_places(vec![named(dir.path())])).unwrap_err().to_string();
        assert!(message.contains(&dir.path().join("vgg16.safetensors").display().to_string()), "{message}");
        assert!(message.contains("stylize-video weights fetch vgg16"), "{message}");
    }

    #[test]
    fn the_named_folder_is_first_and_an_empty_one_is_none() {
        let path = SearchPath::new(Some(Path::new("/somewhere")));
        assert_eq!(path.places()[0], named(Path::new("/somewhere")));
        assert!(SearchPath::new(Some(Path::new(""))).places().iter().all(|place| place.kind != PlaceKind::Named));
    }

    #[test]
    fn finds_the_checkout_above_the_program() {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
        let places = beside_program(&checkout.join("src").join("weights"));
        assert_eq!(places.last().unwrap(), &checkout.join("weights"));
    }
}
