//! Finds other files that a job reads besides its input and style pictures: files of filters and encoders, and files
//! that a playlist or concat script refers to. Only FFmpeg knows which words are file names; here every word that names
//! an existing file counts.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::media::{Input, ffi};
use crate::settings::{Marks, Settings, filters, split};

/// Filters that read a file. Filters that write one (`metadata`, `psnr`, `vidstabdetect`) are left out: it changes with
/// every run.
const READERS: [&str; 18] = [
    "amovie",
    "ass",
    "curves",
    "derain",
    "dnn_processing",
    "drawtext",
    "frei0r",
    "haldclut",
    "ladspa",
    "libplacebo",
    "lut1d",
    "lut3d",
    "movie",
    "program_opencl",
    "removelogo",
    "sr",
    "subtitles",
    "vidstabtransform",
];

/// Encoder options (also inside `x264-params`) whose value is a file to read.
const OPTIONS: [&str; 4] = ["analysis-load", "cqmfile", "dhdr10-info", "qpfile"];

/// Number of bytes of a list that are read; the rest is ignored.
const LONGEST_LIST: u64 = 1 << 20;

/// Returns the files that filters and encoders read.
pub(super) fn of_settings(settings: &Settings) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for graph in [&settings.input.filter, &settings.output.filter] {
        for (name, text) in filters(graph) {
            if READERS.contains(&name.as_str()) {
                files.extend(words(&text, "=:,;|[]").into_iter().map(PathBuf::from));
            }
        }
    }
    for option in &settings.output.encoder_options {
        let words = words(option, "=:,");
        let named = words.iter().zip(words.iter().skip(1)).filter(|(key, _)| OPTIONS.contains(&key.as_str()));
        files.extend(named.map(|(_, file)| PathBuf::from(file)));
    }
    files.retain(|file| file.is_file());
    files
}

/// Returns the files that an input refers to if it is a list (a playlist, a concat script), as far as they exist here.
///
/// # Errors
/// If the list cannot be read.
pub(super) fn of_input(input: &Input, format: &str) -> io::Result<Vec<PathBuf>> {
    let Input::Video(list) = input else { return Ok(Vec::new()) };
    if format.is_empty() || ffi::reads_only_its_file(format) {
        return Ok(Vec::new());
    }
    let mut bytes = Vec::new();
    File::open(list)?.take(LONGEST_LIST).read_to_end(&mut bytes)?;
    let folder = list.parent().unwrap_or(Path::new(""));
    let mut files = Vec::new();
    for line in String::from_utf8_lossy(&bytes).lines().map(str::trim) {
        // A playlist line is a name, or has one in double quotes; in a script the name follows a keyword.
        let rest = line.split_once(char::is_whitespace).map(|(_, rest)| rest.trim().to_owned());
        let names = words(line, "=,").into_iter().chain(rest).chain(line.split('"').map(str::to_owned));
        files.extend(names.map(|name| folder.join(name)));
    }
    files.retain(|file| file.is_file());
    files.sort();
    files.dedup();
    Ok(files)
}

/// Splits a text at `separators` and spaces, and drops the quotes and backslashes that keep words together.
fn words(text: &str, separators: &str) -> Vec<String> {
    let mut words = split(text, |letter| letter.is_whitespace() || separators.contains(letter), Marks::Dropped);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_keep_words_together() {
        let is = |text: &str, expected: &[&str]| assert_eq!(words(text, "=:,;|[]"), expected, "{text}");
        is("lut3d=file='my lut.cube':interp=nearest", &["lut3d", "file", "my lut.cube", "interp", "nearest"]);
        is("[a]movie=x\\:y.png[b]", &["a", "movie", "x:y.png", "b"]);
        is("file 'the clip (1).mkv'", &["file", "the clip (1).mkv"]);
        is("", &[]);
    }
}
