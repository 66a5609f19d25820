//! Templates for output names, made of parts of the input's name: `out/{dir}/{stem}.{preset}.{ext}`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::settings::nearest;

/// A placeholder in braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hole {
    Stem,
    Preset,
    Ext,
    Parent,
    Dir,
}

const HOLES: [(&str, Hole); 5] =
    [("stem", Hole::Stem), ("preset", Hole::Preset), ("ext", Hole::Ext), ("parent", Hole::Parent), ("dir", Hole::Dir)];

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Hole(Hole),
}

/// A parsed template: text and placeholders in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

/// Why a template cannot be parsed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("unknown placeholder {{{name}}}{}; there are {{stem}}, {{preset}}, {{ext}}, {{parent}} and {{dir}}", meant(nearest.as_deref()))]
    Unknown { name: String, nearest: Option<String> },
    #[error("a single {0}: write a brace that is part of the name twice")]
    Brace(char),
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(" (did you mean {{{name}}}?)")).unwrap_or_default()
}

/// Values of the placeholders for one input.
#[derive(Debug, Clone, Copy)]
pub struct Fill<'a> {
    /// The input's name without the extension.
    pub stem: &'a OsStr,
    pub preset: &'a str,
    /// The output's extension; empty for a folder of pictures, in which case the dot before it is dropped.
    pub ext: &'a OsStr,
    /// The name of the input's folder.
    pub parent: &'a OsStr,
    /// The input's folder relative to the searched folder; if empty, the `/` after it is dropped.
    pub dir: &'a Path,
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// If a placeholder is unknown or a brace is unbalanced.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            plain.push_str(before);
            if let Some(after) = from.strip_prefix("{{") {
                plain.push('{');
                rest = after;
            } else if let Some(after) = from.strip_prefix("}}") {
                plain.push('}');
                rest = after;
            } else if let Some((name, after)) = from.strip_prefix('{').and_then(|from| from.split_once('}')) {
                let Some((_, hole)) = HOLES.iter().find(|(known, _)| *known == name) else {
                    let nearest = nearest(name, HOLES.iter().map(|(name, _)| *name));
                    return Err(TemplateError::Unknown { name: name.into(), nearest });
                };
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(Piece::Hole(*hole));
                rest = after;
            } else {
                return Err(TemplateError::Brace(if from.starts_with('{') { '{' } else { '}' }));
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self(pieces))
    }

    /// Returns the name if it is the same for all inputs, else `None`.
    pub fn constant(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Returns the folder that contains all outputs, as far as the text before the first placeholder tells.
    pub fn folder(&self) -> PathBuf {
        match self.0.first() {
            // The trailing `/` is kept so that the root directory stays one.
            Some(Piece::Text(text)) => text.rfind('/').map_or(PathBuf::new(), |at| text[..=at].into()),
            _ => PathBuf::new(),
        }
    }

    /// Returns the template below `folder`, or unchanged if it is absolute.
    #[must_use]
    pub fn under(&self, folder: &Path) -> Self {
        let mut pieces = self.0.clone();
        let absolute = matches!(pieces.first(), Some(Piece::Text(text)) if text.starts_with('/'));
        let before = folder.to_string_lossy();
        if absolute || before.is_empty() {
            return self.clone();
        }
        let before = format!("{}/", before.trim_end_matches('/'));
        match pieces.first_mut() {
            Some(Piece::Text(text)) => text.insert_str(0, &before),
            _ => pieces.insert(0, Piece::Text(before)),
        }
        Self(pieces)
    }

    /// Returns the name for one input.
    pub fn fill(&self, fill: &Fill<'_>) -> PathBuf {
        let mut name = OsString::new();
        let mut cut = false;
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => name.push(if cut { text.strip_prefix('/').unwrap_or(text) } else { text }),
                Piece::Hole(Hole::Stem) => name.push(fill.stem),
                Piece::Hole(Hole::Preset) => name.push(fill.preset),
                Piece::Hole(Hole::Parent) => name.push(fill.parent),
                Piece::Hole(Hole::Dir) => name.push(fill.dir),
                Piece::Hole(Hole::Ext) if fill.ext.is_empty() => name = without_dot(name),
                Piece::Hole(Hole::Ext) => name.push(fill.ext),
            }
            cut = *piece == Piece::Hole(Hole::Dir) && fill.dir.as_os_str().is_empty();
        }
        name.into()
    }
}

/// Removes the last character if it is a dot.
fn without_dot(name: OsString) -> OsString {
    let cut = |name: &OsStr| {
        let path = Path::new(name);
        let last = path.file_name()?.to_str()?.strip_suffix('.')?;
        Some(path.with_file_name(last).into_os_string())
    };
    cut(&name).unwrap_or(name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn filled(text: &str, ext: &str, dir: &str) -> String {
        let fill = Fill {
            stem: "my.clip".as_ref(),
            preset: "monet",
            ext: ext.as_ref(),
            parent: "inbox".as_ref(),
            dir: Path::new(dir),
        };
        Template::parse(text).unwrap().fill(&fill).display().to_string()
    }

    #[test]
    fn holes_are_filled() {
        assert_eq!(filled("out/{stem}.{preset}.{ext}", "mp4", ""), "out/my.clip.monet.mp4");
        assert_eq!(filled("out/{dir}/{stem}.mkv", "mp4", "a/b"), "out/a/b/my.clip.mkv");
        assert_eq!(filled("out/{dir}/{stem}.mkv", "mp4", ""), "out/my.clip.mkv");
        assert_eq!(filled("{dir}/{stem}.mkv", "mp4", ""), "my.clip.mkv");
        assert_eq!(filled("{parent}-{{{stem}}}.{ext}", "mp4", ""), "inbox-{my.clip}.mp4");
        assert_eq!(filled("out/{stem}.{preset}.{ext}", "", ""), "out/my.clip.monet");
        assert_eq!(filled("{stem}/f_%06d.png", "", ""), "my.clip/f_%06d.png");
    }

    #[test]
    fn what_is_no_template_says_so() {
        let error = |text: &str| Template::parse(text).unwrap_err().to_string();
        assert!(
            error("{steam}.mp4").starts_with("unknown placeholder {steam} (did you mean {stem}?); there are {stem}, ")
        );
        assert!(error("{}").starts_with("unknown placeholder {}; "));
        assert_eq!(error("a{stem"), "a single {: write a brace that is part of the name twice");
        assert_eq!(error("a}b"), "a single }: write a brace that is part of the name twice");
    }

    #[test]
    fn the_folder_is_what_stands_before_the_first_hole() {
        let folder = |text: &str| Template::parse(text).unwrap().folder().display().to_string();
        assert_eq!(folder("out/x/{stem}.mp4"), "out/x/");
        assert_eq!(folder("out/x-{stem}/a.mp4"), "out/");
        assert_eq!(folder("{stem}.mp4"), "");
        assert_eq!(folder("/{stem}.mp4"), "/");
        assert_eq!(Template::parse("out/").unwrap().constant(), Some("out/"));
        assert_eq!(Template::parse("{{}}").unwrap().constant(), Some("{}"));
        assert_eq!(Template::parse("{stem}").unwrap().constant(), None);
    }
}
