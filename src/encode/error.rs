//! The error type of all sinks.

use std::path::{Path, PathBuf};

use ffmpeg_next as ffmpeg;

/// The outputs that keep alpha, for messages.
pub(super) const KEEP_ALPHA: &str = ".mov (ProRes 4444), .mkv (FFV1) and .webm (VP9)";

/// Why an output cannot be written. Every message names the file (without its folder, which is temporary) and says
/// what to do next.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    #[error("-: {format} is not written to standard output; use --format y4m or nut, or give a file")]
    StdoutFormat { format: String },
    #[error("-: the program that reads standard output has closed it")]
    PipeClosed,
    #[error("{}: cannot write this kind of video; name it (or say --format) {valid}", name(path))]
    VideoExtension { path: PathBuf, valid: &'static str },
    #[error("{}: there is no format {format}; use {valid}", name(path))]
    Format { path: PathBuf, format: String, valid: &'static str },
    #[error("{}: cannot write this kind of picture; name it .png, .jpg or .webp", name(path))]
    PictureExtension { path: PathBuf },
    #[error("{}: pictures do not come as {format}; use {valid}", name(path))]
    PictureFormat { path: PathBuf, format: String, valid: &'static str },
    #[error(
        "{}: this FFmpeg has no encoder {encoder}; install an FFmpeg with it, or choose another --codec",
        name(path)
    )]
    NoEncoder { path: PathBuf, encoder: String },
    #[error("{}: there is no codec {codec} for it; use {valid}", name(path))]
    UnknownCodec { path: PathBuf, codec: String, valid: String },
    #[error("{}: {container} cannot hold {codec}; it takes {valid}; {codec} goes into {others}", name(path))]
    ContainerCodec { path: PathBuf, container: &'static str, codec: String, valid: String, others: String },
    #[error("{}: {encoder} does not take pixel format {format}; it takes {valid}", name(path))]
    PixFmt { path: PathBuf, encoder: String, format: String, valid: String },
    #[error("{}: {encoder} takes no pictures smaller than {smallest}x{smallest}; choose another --codec", name(path))]
    TooSmall { path: PathBuf, encoder: &'static str, smallest: usize },
    #[error(
        "{}: {encoder} refuses {width}x{height} of {format}; check the values of --encoder-opt: {source}",
        name(path)
    )]
    Refused {
        path: PathBuf,
        encoder: &'static str,
        width: usize,
        height: usize,
        format: &'static str,
        source: ffmpeg::Error,
    },
    #[error("{}: {encoder} has no option {option}; `ffmpeg -h encoder={encoder}` lists them", name(path))]
    EncoderOption { path: PathBuf, encoder: &'static str, option: String },
    #[error("{}: pictures take no --encoder-opt; leave {option} out", name(path))]
    PictureOption { path: PathBuf, option: String },
    #[error("{}: the encoder's option {option:?} is not of the form key=value", name(path))]
    OptionForm { path: PathBuf, option: String },
    #[error("{}: {encoder} has no crf; it takes {instead}", name(path))]
    NoCrf { path: PathBuf, encoder: &'static str, instead: &'static str },
    #[error(
        "{}: transparency would be lost, which strict streams forbid; {kept} keep it",
        name(path),
        kept = KEEP_ALPHA
    )]
    Alpha { path: PathBuf },
    #[error("{}: transparency would be lost, which strict streams forbid; .png and .webp keep it", name(path))]
    PictureAlpha { path: PathBuf },
    #[error("{}: {format} holds pictures only, and strict streams forbid leaving {others} out", name(path))]
    PicturesOnly { path: PathBuf, format: &'static str, others: String },
    #[error(
        "{}: the filters after the painting, {filter:?}, cannot be set up; check --post-filter: {source}",
        name(path)
    )]
    Filter { path: PathBuf, filter: String, source: ffmpeg::Error },
    #[error("{}: crf {crf} is out of range; {codec} takes 0 to {max}", name(path))]
    Crf { path: PathBuf, crf: u8, codec: &'static str, max: u8 },
    #[error(
        "{}: give --convert-audio or another name: {container} cannot hold the source's {codec} audio; {advice}",
        name(path)
    )]
    AudioCodec { path: PathBuf, container: &'static str, codec: String, advice: String },
    #[error("{}: {container} cannot hold {streams} of the source; {advice}", name(path))]
    Streams { path: PathBuf, container: &'static str, streams: String, advice: String },
    #[error("{}: frame {index} is {width}x{height} where {expected_width}x{expected_height} was announced", name(path))]
    Size { path: PathBuf, index: u64, width: usize, height: usize, expected_width: usize, expected_height: usize },
    #[error("{}: frame {index} does not come after the frame before it (pts {pts} after {last})", name(path))]
    Order { path: PathBuf, index: u64, pts: i64, last: i64 },
    #[error("{}: no frame was given to write", name(path))]
    NoFrame { path: PathBuf },
    #[error(
        "{}: is one picture, but the input has more frames; name a video, or limit the job to one frame",
        name(path)
    )]
    OnePicture { path: PathBuf },
    #[error("{}: there is no file name for picture {index}", name(folder))]
    NoName { folder: PathBuf, index: u64 },
    #[error("{}: the disk is full; make room and run again", name(path))]
    DiskFull { path: PathBuf },
    #[error(
        "{}: it would be larger than this process or file system may write: raise the limit of the file size (ulimit -f) or choose another --codec, and run again",
        name(path)
    )]
    TooLarge { path: PathBuf },
    #[error("{}: the quota of disk space is used up; make room and run again", name(path))]
    Quota { path: PathBuf },
    #[error("{}: {what}, which strict streams forbid; leave --strict-streams away", name(path))]
    Lost { path: PathBuf, what: String },
    #[error("{}: {doing} failed: {source}", name(path))]
    Libav { path: PathBuf, doing: &'static str, source: ffmpeg::Error },
    #[error("{}: the parts of an earlier run do not fit this run's ({what}); run again with --no-resume", name(path))]
    Segment { path: PathBuf, what: String },
    #[error("{}: cannot be written: {source}; check the folder and its permissions", name(path))]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{}: cannot be written as a picture: {source}", name(path))]
    Picture { path: PathBuf, source: image::ImageError },
    #[error("{}: the finished file is not what was written ({what}); please report this with the input", name(path))]
    Verify { path: PathBuf, what: String },
}

/// Returns the last component of a path.
fn name(path: &Path) -> std::path::Display<'_> {
    path.file_name().map_or(path, Path::new).display()
}

impl EncodeError {
    /// Whether a later try may succeed: the disk is full or fails, or memory is short.
    pub fn is_passing(&self) -> bool {
        use ffmpeg::error::{EAGAIN, EIO, ENOMEM};
        match self {
            Self::DiskFull { .. } | Self::Quota { .. } => true,
            // The fault lies neither with the input nor with the program.
            Self::TooLarge { .. } => true,
            Self::Io { source, .. } => crate::files::is_passing(source),
            Self::Libav { source: ffmpeg::Error::Other { errno }, .. } => [EIO, ENOMEM, EAGAIN].contains(errno),
            _ => false,
        }
    }

    /// Converts the error of an FFmpeg call on `path`; `doing` says what was being done.
    pub(super) fn libav(path: &Path, doing: &'static str, source: ffmpeg::Error) -> Self {
        use ffmpeg::error::{EFBIG, ENOSPC, EPIPE};
        let path = path.to_path_buf();
        match source {
            ffmpeg::Error::Other { errno: EPIPE } => Self::PipeClosed,
            ffmpeg::Error::Other { errno: ENOSPC } => Self::DiskFull { path },
            ffmpeg::Error::Other { errno: EFBIG } => Self::TooLarge { path },
            ffmpeg::Error::Other { errno } if errno == rustix::io::Errno::DQUOT.raw_os_error() => Self::Quota { path },
            source => Self::Libav { path, doing, source },
        }
    }

    /// Converts the error of a standard library call on `path`.
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        let path = path.to_path_buf();
        match source.kind() {
            StorageFull => Self::DiskFull { path },
            FileTooLarge => Self::TooLarge { path },
            QuotaExceeded => Self::Quota { path },
            _ => Self::Io { path, source },
        }
    }
}
