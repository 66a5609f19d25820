//! Why an input cannot be read.

use std::path::PathBuf;

use ffmpeg_next as ffmpeg;

/// Why an input cannot be read. Every message names the file and says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("-: reading from standard input is not supported yet; give a file")]
    Stdin,
    #[error("{}: a sequence of pictures has no option {option}; the only one is framerate=N", folder.display())]
    SequenceOption { folder: PathBuf, option: String },
    #[error("{}: there is no such file; check the path", path.display())]
    Missing { path: PathBuf },
    #[error("{}: is a folder, not a video; give one of the files in it", path.display())]
    Folder { path: PathBuf },
    #[error("{}: the file is empty (0 bytes); copy it again from where it comes from", path.display())]
    Empty { path: PathBuf },
    #[error("{}: is not a media file that FFmpeg knows, or its beginning is damaged; check it with `ffprobe`", path.display())]
    NotMedia { path: PathBuf },
    #[error("{}: has no video stream; give a file with pictures in it", path.display())]
    NoVideo { path: PathBuf },
    #[error("{}: its video codec is {codec}, which this FFmpeg cannot decode; convert it with another program first", path.display())]
    Codec { path: PathBuf, codec: &'static str },
    #[error("{}: no frame could be decoded; the video is damaged, get another copy of it", path.display())]
    NoFrame { path: PathBuf },
    #[error("{}: is an HDR video ({transfer}), which cannot be stylised yet; convert it to SDR (BT.709) first", path.display())]
    Hdr { path: PathBuf, transfer: &'static str },
    #[error("{}: its colours are coded as {matrix}, which cannot be converted; convert it to BT.709 first", path.display())]
    Colour { path: PathBuf, matrix: &'static str },
    #[error("{}: {start} s is after the end of the video; start earlier", path.display())]
    StartsAfterEnd { path: PathBuf, start: f64 },
    #[error("{}: the start {start} is not a time; give seconds, 0 or more", path.display())]
    BadStart { path: PathBuf, start: f64 },
    #[error("{}: the file ends early: {} could be read; get a complete copy, or limit the job to {frames} frames", path.display(), of(*frames, *expected))]
    EndsEarly { path: PathBuf, frames: u64, expected: Option<u64> },
    #[error("{}: the file is damaged in {places} place(s): {} could be read; get another copy, or stop before the damage", path.display(), of(*frames, *expected))]
    Damaged { path: PathBuf, places: u64, frames: u64, expected: Option<u64> },
    #[error("{}: {doing} failed: {source}", path.display())]
    Libav { path: PathBuf, doing: &'static str, source: ffmpeg::Error },
    #[error("{}: cannot be read: {source}; check the path and its permissions", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{}: is not a picture that can be read: {source}; use a PNG, JPEG or WebP file", path.display())]
    Picture { path: PathBuf, source: image::ImageError },
    #[error("{}: is {width}x{height}, but {} is {first_width}x{first_height}; all pictures of a sequence must have one size", path.display(), first.display())]
    Sizes { path: PathBuf, width: usize, height: usize, first: PathBuf, first_width: usize, first_height: usize },
    #[error("{}: has no pictures; put PNG, JPEG or WebP files in it", folder.display())]
    NoPictures { folder: PathBuf },
}

fn of(frames: u64, expected: Option<u64>) -> String {
    match expected {
        Some(expected) if expected > frames => format!("{frames} of {expected} frames"),
        _ => format!("{frames} frames"),
    }
}
