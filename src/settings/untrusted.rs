//! Restricts what a preset file and the record in an output may set. Both may come from other people: they must not
//! name files outside the preset's folder or make FFmpeg open or write other files. The user's config, the environment
//! and the command line are not restricted.

use std::path::{Component, Path, PathBuf};

use toml::Value;

use super::error::SettingsError;
use super::file::BUILTIN;
use super::keys::{self, Confined, KeySpec, Owner};
use super::origin::Entry;
use super::schema::default_of;
use super::split::{Marks, split};
use crate::media::ffi;

/// Filters that only process pictures. Others read or write files (`movie`, `lut3d`, `drawtext`, `vidstab`, ...) or may
/// do so in a later FFmpeg.
const FILTERS: [&str; 68] = [
    "atadenoise",
    "avgblur",
    "bilateral",
    "boxblur",
    "bwdif",
    "cas",
    "chromashift",
    "colorbalance",
    "colorchannelmixer",
    "colorcontrast",
    "colorcorrect",
    "colorlevels",
    "colorspace",
    "colortemperature",
    "copy",
    "crop",
    "dblur",
    "deband",
    "deblock",
    "decimate",
    "deflicker",
    "dejudder",
    "drawbox",
    "drawgrid",
    "edgedetect",
    "eq",
    "exposure",
    "fade",
    "fieldmatch",
    "fillborders",
    "format",
    "fps",
    "framerate",
    "framestep",
    "gblur",
    "grayworld",
    "hflip",
    "hqdn3d",
    "hue",
    "huesaturation",
    "limiter",
    "minterpolate",
    "mpdecimate",
    "negate",
    "nlmeans",
    "noise",
    "normalize",
    "null",
    "pad",
    "reverse",
    "rotate",
    "scale",
    "select",
    "setdar",
    "setpts",
    "setsar",
    "settb",
    "smartblur",
    "tblend",
    "tmix",
    "transpose",
    "trim",
    "unsharp",
    "vflip",
    "vibrance",
    "vignette",
    "yadif",
    "zscale",
];

/// The untrusted source of a group of settings.
#[derive(Debug, Clone, Copy)]
pub enum Untrusted<'a> {
    /// A preset file; its paths have already been resolved.
    Preset(&'a Path),
    /// The record in an output. The hashes of its style pictures are compared elsewhere.
    Record,
}

/// Checks the entries of a preset file or a record.
///
/// # Errors
/// At the first entry that the source may not set.
pub fn check(entries: &[Entry], source: Untrusted<'_>) -> Result<(), SettingsError> {
    for entry in entries {
        let Some(key) = keys::spec(&entry.key) else { continue };
        let path = key.holds_path.then(|| foreign_path(key, &entry.value, source)).flatten();
        if let Some(message) = path.or_else(|| forbidden(key, &entry.value)) {
            let (at, key) = (entry.origin.clone(), entry.key.clone());
            return Err(SettingsError::Confined { at, key, message });
        }
    }
    Ok(())
}

/// Returns an error message if a path in `value` may be none of the source's own.
fn foreign_path(key: &KeySpec, value: &Value, source: Untrusted<'_>) -> Option<String> {
    let paths: Vec<&str> = match value {
        Value::Array(elements) => elements.iter().filter_map(path_of).collect(),
        value => value.as_str().into_iter().collect(),
    };
    match source {
        Untrusted::Preset(file) => paths.into_iter().find_map(|path| outside(path, file)),
        Untrusted::Record if key.owner == Owner::Result => None,
        Untrusted::Record => {
            let path = paths.into_iter().find(|path| !path.is_empty())?;
            Some(format!("{path} is a file of this machine"))
        }
    }
}

/// Returns an error message if `value` is not what a preset or a record may set. A value of the wrong type is an error
/// elsewhere.
fn forbidden(key: &KeySpec, value: &Value) -> Option<String> {
    match (key.confined, value) {
        (Confined::Demuxer, Value::String(name)) => {
            (!name.is_empty() && !ffi::reads_only_its_file(name)).then(|| format!("{name} may open other files"))
        }
        (Confined::Empty, Value::Array(names)) => (!names.is_empty()).then(|| "it opens the network".into()),
        (Confined::Options(known), Value::Array(options)) => unlisted(options, known),
        (Confined::Filters, Value::String(graph)) => foreign_filter(graph),
        (Confined::UpToDefault, value) => raised(key.path, value),
        _ => None,
    }
}

fn path_of(image: &Value) -> Option<&str> {
    image.as_str().or_else(|| image.as_table()?.get("image")?.as_str())
}

/// Returns an error message if a path in a preset file points outside the preset's folder.
fn outside(path: &str, file: &Path) -> Option<String> {
    if path.is_empty() || path.starts_with(BUILTIN) {
        return None;
    }
    let folder = file.parent().unwrap_or(Path::new(""));
    // Symbolic links are followed; if the preset itself is a link, its pictures may also lie next to its target.
    let real = file.canonicalize().ok().and_then(|file| file.parent().map(Path::to_path_buf));
    let mut homes = folder.canonicalize().into_iter().chain(real);
    let inside = match Path::new(path).canonicalize() {
        Ok(path) => homes.any(|home| path.starts_with(home)),
        // A path that does not exist (a pattern of names, say) is judged by its text.
        Err(_) => plain(Path::new(path)).starts_with(plain(folder)),
    };
    (!inside).then(|| format!("{path} is outside the preset's folder: move it there"))
}

/// Removes `.` and `..` from a path lexically.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(out.pop()),
            Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}

/// Returns an error message if an option is not on the list of harmless ones.
fn unlisted(options: &[Value], known: &[&str]) -> Option<String> {
    let key = |option: &Value| option.as_str().map(|text| text.split('=').next().unwrap_or_default().to_string());
    let foreign = options.iter().filter_map(key).find(|key| !known.contains(&key.as_str()))?;
    Some(format!("the option {foreign} may name files; the others are {}", known.join(", ")))
}

/// Returns an error message if a graph contains a filter that is not on the list of harmless ones.
fn foreign_filter(graph: &str) -> Option<String> {
    let (foreign, _) = filters(graph).into_iter().find(|(name, _)| !FILTERS.contains(&name.as_str()))?;
    Some(format!("the filter `{foreign}` may name files"))
}

/// Splits a filter graph into its filters, each with its name: `[in]crop=2:2,fps@a=3;null` has crop, fps and null.
/// Quoted and escaped separators do not end a filter.
pub fn filters(graph: &str) -> Vec<(String, String)> {
    let parts = split(graph, |letter| matches!(letter, ',' | ';'), Marks::Kept);
    let name = |part: &String| {
        let mut rest = part.trim();
        while let Some((_, after)) = rest.strip_prefix('[').and_then(|label| label.split_once(']')) {
            rest = after.trim_start();
        }
        rest.split(['=', '@', '[', ' ', '\t', '\n', '\r']).next().unwrap_or_default().to_string()
    };
    parts.into_iter().map(|part| (name(&part), part)).filter(|(name, _)| !name.is_empty()).collect()
}

/// Returns an error message if a limit exceeds its default; an untrusted source may only lower it.
fn raised(key: &str, value: &Value) -> Option<String> {
    let number = |value: &Value| value.as_float().or_else(|| value.as_integer().map(|n| n as f64));
    let most = number(&default_of(key)?)?;
    (number(value)? > most).then(|| format!("{value} is more than the usual {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_told_by_name() {
        let names = |graph| filters(graph).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names("[in] crop=iw/2:ih/2,fps@a=30000/1001;null"), ["crop", "fps", "null"]);
        assert_eq!(names("select='not(mod(n,2))', hflip"), ["select", "hflip"]);
        assert_eq!(names(r"select=not(mod(n\,2)),movie=/x [a]"), ["select", "movie"]);
        assert_eq!(names("sws_flags=bicubic;scale=2:2"), ["sws_flags", "scale"]);
        assert_eq!(names(r"null,\movie=/x"), ["null", r"\movie"]);
        assert_eq!(names("null,'movie'=/x"), ["null", "'movie'"]);
        assert_eq!(names(r"fps=3\\,movie=/x"), ["fps", "movie"], "an escaped backslash escapes nothing");
        assert_eq!(names(r"fps='3\',movie=/x"), ["fps", "movie"], "in quotes a backslash is one");
    }

    #[test]
    fn graphs_that_name_files_are_refused() {
        for graph in
            ["movie=/etc/passwd", "null[a];movie=x[b];[a][b]overlay", "lut3d=x.cube", "curves=plot=/tmp/x", "'movie'=x"]
        {
            assert!(foreign_filter(graph).is_some(), "{graph}");
        }
        for graph in ["", "crop=640:360,fps=12", "scale=1920:-2", "[in]hue=s=0[out]", "eq=gamma=1.2,\n unsharp"] {
            assert_eq!(foreign_filter(graph), None, "{graph}");
        }
    }
}
