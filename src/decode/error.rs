//! The errors of reading an input.

use std::path::PathBuf;

use ffmpeg_next as ffmpeg;

/// The reason why an input cannot be read. Every message names the file (`-` for standard input) or the option at
/// fault. Most say what to do next.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
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
    #[error("{}: is a list of other files or addresses ({demuxer}), which a video is not allowed to open; if you trust it, give --input-format {demuxer}, and for addresses --allow-protocols http,tcp", path.display())]
    Refers { path: PathBuf, demuxer: String },
    #[error("{}: {what}: more than the {limit} that are allowed; --set {key}=N allows more", path.display())]
    Limit { path: PathBuf, what: String, limit: String, key: &'static str },
    #[error("{}: its index (moov) is missing: the file was cut off while it was written; rebuild it with a recovery tool such as untrunc, or get another copy", path.display())]
    NoIndex { path: PathBuf },
    #[error("{}: is no {format} stream: {source}; check --input-format and --input-opt", path.display())]
    NotOfFormat { path: PathBuf, format: String, source: ffmpeg::Error },
    #[error("--input-format {format}: FFmpeg has no such demuxer; `ffmpeg -demuxers` lists them")]
    UnknownFormat { format: String },
    #[error(
        "--input-opt {options}: the demuxer {demuxer} has no such option; `ffmpeg -h demuxer={demuxer}` lists its own"
    )]
    UnknownOptions { options: String, demuxer: String },
    #[error("--input-opt {option}: write it as key=value")]
    BadOption { option: String },
    #[error("{}: has no video stream; give a file with pictures in it", path.display())]
    NoVideo { path: PathBuf },
    #[error("{}: its video codec is {codec}, which this FFmpeg cannot decode; convert it with another program first", path.display())]
    Codec { path: PathBuf, codec: &'static str },
    #[error("{}: no frame could be decoded; the video is damaged, get another copy of it", path.display())]
    NoFrame { path: PathBuf },
    #[error("{}: is an HDR video ({transfer}), and `hdr = \"refuse\"` is set; set `hdr = \"tonemap\"` or convert it to SDR first", path.display())]
    Hdr { path: PathBuf, transfer: &'static str },
    #[error("{}: is an HDR video ({transfer}), which this FFmpeg cannot tone-map (it lacks {filter}); convert it to SDR (BT.709) first", path.display())]
    NoToneMapping { path: PathBuf, transfer: &'static str, filter: &'static str },
    #[error("{}: its colours are coded as {matrix}, which cannot be converted; convert it to BT.709 first", path.display())]
    Colour { path: PathBuf, matrix: &'static str },
    #[error("{}: is interlaced, and `deinterlace = \"refuse\"` is set; set it to \"auto\" or deinterlace it first", path.display())]
    Interlaced { path: PathBuf },
    #[error("{}: --pre-filter \"{graph}\": {reason}; `ffmpeg -i FILE -vf '{graph}' -f null -` says more", path.display())]
    Filter { path: PathBuf, graph: String, reason: String },
    #[error("{}: --pre-filter \"{graph}\" lets no frame through; change it", path.display())]
    NothingLeft { path: PathBuf, graph: String },
    #[error("{}: {start} s is after the end of the video; start earlier", path.display())]
    StartsAfterEnd { path: PathBuf, start: f64 },
    #[error("{}: the start {start} is not a time; give seconds, 0 or more", path.display())]
    BadStart { path: PathBuf, start: f64 },
    #[error("{}: the file ends early: {} {}; get a complete copy, limit the job with --frames, or continue without the rest with --max-corrupt {places}",
        path.display(), of(*frames, *expected), if *opening { "are there" } else { "could be read" })]
    EndsEarly {
        path: PathBuf,
        /// Frames that exist.
        frames: u64,
        expected: Option<u64>,
        /// The value of `--max-corrupt` that would accept the file: damaged places plus missing frames.
        places: u64,
        /// Whether this was found while opening.
        opening: bool,
    },
    #[error("{}: the file ends early: {missing} of its {} bytes are missing; get a complete copy, limit the job with --frames, or use what is there with --max-corrupt N (N missing frames)", path.display(), missing + present)]
    CutOff { path: PathBuf, missing: u64, present: u64 },
    #[error("{}: the file is damaged: {places} damaged place(s) met after {}; skip them with --max-corrupt {places} or more, or get another copy", path.display(), of(*frames, *expected))]
    Damaged { path: PathBuf, places: u64, frames: u64, expected: Option<u64> },
    #[error("{}: {doing} failed: {source}", path.display())]
    Libav { path: PathBuf, doing: &'static str, source: ffmpeg::Error },
    #[error("{}: cannot be read: {source}; check the path and its permissions", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{}: is not a picture that can be read: {source}; use a PNG, JPEG, WebP, TIFF, BMP, EXR or AVIF file", path.display())]
    Picture { path: PathBuf, source: image::ImageError },
    #[error("{}: is not an animation that can be read: {source}; get another copy of it", path.display())]
    Animation { path: PathBuf, source: image_webp::DecodingError },
    #[error("{}: is {width}x{height}, but {} is {first_width}x{first_height}; all pictures of a sequence must have one size; paint each by itself with --each (or as photos/*.jpg) if they are no frames", path.display(), first.display())]
    Sizes { path: PathBuf, width: usize, height: usize, first: PathBuf, first_width: usize, first_height: usize },
    #[error("{}: has no pictures; put PNG, JPEG, WebP, TIFF, BMP or EXR files in it", folder.display())]
    NoPictures { folder: PathBuf },
}

impl DecodeError {
    /// Whether the error may go away by itself: an I/O error of the disk, or too little memory.
    pub fn is_passing(&self) -> bool {
        use ffmpeg::error::{EAGAIN, EIO, ENOMEM};
        match self {
            Self::Io { source, .. } => crate::files::is_passing(source),
            Self::Libav { source: ffmpeg::Error::Other { errno }, .. } => [EIO, ENOMEM, EAGAIN].contains(errno),
            _ => false,
        }
    }
}

fn of(frames: u64, expected: Option<u64>) -> String {
    match expected {
        Some(expected) if expected > frames => format!("{frames} of {expected} frames"),
        _ => format!("{frames} frames"),
    }
}
