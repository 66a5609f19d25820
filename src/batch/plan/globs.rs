//! Globs that include or exclude files of a folder.

use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::PlanError;

/// A set of globs with `.gitignore` semantics: one without a `/` matches the last part of a path, others the whole
/// path.
#[derive(Debug, Clone, Default)]
pub struct Globs {
    names: GlobSet,
    paths: GlobSet,
}

impl Globs {
    /// Parses the values of `option`.
    ///
    /// # Errors
    /// If one is not a glob.
    pub fn parse(option: &'static str, globs: &[String]) -> Result<Self, PlanError> {
        let bad = |glob: &str, error: &globset::Error| PlanError::BadGlob {
            option,
            glob: glob.into(),
            what: error.kind().to_string(),
        };
        let (mut names, mut paths) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        for glob in globs {
            let plain = glob.strip_prefix("./").unwrap_or(glob).trim_end_matches('/');
            let whole = plain.contains('/');
            let plain = plain.strip_prefix('/').unwrap_or(plain);
            let built = GlobBuilder::new(plain).literal_separator(true).build().map_err(|error| bad(glob, &error))?;
            if whole {
                paths.add(built)
            } else {
                names.add(built)
            };
        }
        let set = |builder: &GlobSetBuilder| builder.build().map_err(|error| bad(&globs.join(" "), &error));
        Ok(Self { names: set(&names)?, paths: set(&paths)? })
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.paths.is_empty()
    }

    /// Returns whether a glob matches `path`, which is relative to the searched folder.
    pub fn matches(&self, path: &Path) -> bool {
        self.paths.is_match(path) || path.file_name().is_some_and(|name| self.names.is_match(name))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_name_matches_anywhere_and_a_path_from_the_top() {
        let globs = |list: &[&str]| {
            Globs::parse("--include", &list.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
        };
        let is = |list: &[&str], path: &str| globs(list).matches(Path::new(path));
        assert!(is(&["*.mp4"], "a.mp4") && is(&["*.mp4"], "x/y/a.mp4") && !is(&["*.mp4"], "a.mkv"));
        assert!(is(&["x/*.mp4"], "x/a.mp4") && !is(&["x/*.mp4"], "x/y/a.mp4") && is(&["x/**"], "x/y/a.mp4"));
        assert!(is(&["/a.*"], "a.mp4") && !is(&["/a.*"], "x/a.mp4") && is(&["./x/a.*"], "x/a.mp4"));
        assert!(is(&["proxies/"], "x/proxies") && is(&["{a,b}.mov"], "b.mov"));
        assert!(globs(&[]).is_empty() && !is(&[], "a"));
        let error = Globs::parse("--exclude", &["a[".into()]).unwrap_err().to_string();
        assert!(error.starts_with("--exclude a[: "), "{error}");
    }
}
