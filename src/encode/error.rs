//! Why an output cannot be written.

use std::path::PathBuf;

use ffmpeg_next as ffmpeg;

/// Why an output cannot be written. Every message names the file and says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    #[error("{}: cannot write this kind of video; name it .mp4, .mkv, .mov or .webm", path.display())]
    VideoExtension { path: PathBuf },
    #[error("{}: cannot write this kind of picture; name it .png, .jpg or .webp", path.display())]
    PictureExtension { path: PathBuf },
    #[error("{}: this FFmpeg has no {encoder} encoder; install an FFmpeg with it, or choose another kind of file", path.display())]
    NoEncoder { path: PathBuf, encoder: &'static str },
    #[error("{}: crf {crf} is out of range; {codec} takes 0 to {max}", path.display())]
    Crf { path: PathBuf, crf: u8, codec: &'static str, max: u8 },
    #[error("{}: {container} cannot hold the source's {codec} audio; {advice}", path.display())]
    AudioCodec { path: PathBuf, container: &'static str, codec: &'static str, advice: String },
    #[error("{}: frame {index} is {width}x{height} where {expected_width}x{expected_height} was announced", path.display())]
    Size { path: PathBuf, index: u64, width: usize, height: usize, expected_width: usize, expected_height: usize },
    #[error("{}: frame {index} does not come after the frame before it (pts {pts} after {last})", path.display())]
    Order { path: PathBuf, index: u64, pts: i64, last: i64 },
    #[error("{}: no frame was given to write", path.display())]
    NoFrame { path: PathBuf },
    #[error("{}: is one picture, but the input has more frames; name a video, or limit the job to one frame", path.display())]
    OnePicture { path: PathBuf },
    #[error("{}: there is no file name for picture {index}", folder.display())]
    NoName { folder: PathBuf, index: i64 },
    #[error("{}: the disk is full; make room and run again", path.display())]
    DiskFull { path: PathBuf },
    #[error("{}: {doing} failed: {source}", path.display())]
    Libav { path: PathBuf, doing: &'static str, source: ffmpeg::Error },
    #[error("{}: cannot be written: {source}; check the folder and its permissions", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{}: cannot be written as a picture: {source}", path.display())]
    Picture { path: PathBuf, source: image::ImageError },
    #[error("{}: the finished file is not what was written ({what}); please report this with the input", path.display())]
    Verify { path: PathBuf, what: String },
}

impl EncodeError {
    /// For an FFmpeg call on `path` while `doing` something.
    pub(super) fn libav(path: &std::path::Path, doing: &'static str, source: ffmpeg::Error) -> Self {
        use ffmpeg::error::{EFBIG, ENOSPC};
        let path = path.to_path_buf();
        match source {
            ffmpeg::Error::Other { errno: ENOSPC | EFBIG } => Self::DiskFull { path },
            source => Self::Libav { path, doing, source },
        }
    }

    /// For a call of the standard library on `path`.
    pub(super) fn io(path: &std::path::Path, source: std::io::Error) -> Self {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        let path = path.to_path_buf();
        match source.kind() {
            StorageFull | FileTooLarge | QuotaExceeded => Self::DiskFull { path },
            _ => Self::Io { path, source },
        }
    }
}
