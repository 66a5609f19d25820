//! Files that belong to a job and that neither its input nor its style pictures are: what filters and encoders read, and
//! what a list of other files leads to. FFmpeg alone knows which words are files; here they are guessed from those that
//! are there.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::media::{Input, ffi};
use crate::settings::{Marks, Settings, filters, split};

/// Filters that read a file. Others write some (`metadata`, `psnr`, `vidstabdetect`), which are another after each run.
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

/// Options of encoders (also inside `x264-params`) after which such a file stands.
const OPTIONS: [&str; 4] = ["analysis-load", "cqmfile", "dhdr10-info", "qpfile"];

/// A list that goes on behind this is known by its beginning.
const LONGEST_LIST: u64 = 1 << 20;

/// What filters and encoders read.
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

/// What an input leads to that is a list (a playlist, a concat script), as far as that is here.
///
/// # Errors
/// When it cannot be read.
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
        // A playlist's line is a name as a whole or has one in double quotes; a script's has it behind a word.
        let rest = line.split_once(char::is_whitespace).map(|(_, rest)| rest.trim().to_owned());
        let names = words(line, "=,").into_iter().chain(rest).chain(line.split('"').map(str::to_owned));
        files.extend(names.map(|name| folder.join(name)));
    }
    files.retain(|file| file.is_file());
    files.sort();
    files.dedup();
    Ok(files)
}

/// The words between `separators` and spaces, without what keeps them together.
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
