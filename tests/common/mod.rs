//! Makes clips, passes them through decode and encode without a stylizer, and examines results with the `ffmpeg` tools.
#![allow(clippy::unwrap_used, dead_code)]

pub mod clips;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use rustix::process::{Pid, Signal};
use stylize_video::batch::plan::{Folders, Request};
use stylize_video::decode::{self, DecodeError};
use stylize_video::encode::{self, EncodeError, Target};
use stylize_video::media::{Frame, Input, MediaInfo, Output, Range};
use stylize_video::settings::{InputSettings, OutputSettings};

pub const ALL: Range = Range { start: 0.0, frames: None };

/// A temporary folder for one test, removed when dropped.
pub struct Desk(tempfile::TempDir);

impl Desk {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Makes a file with the `ffmpeg` tool; `arguments` are split at spaces.
    pub fn clip(&self, name: &str, arguments: &str) -> PathBuf {
        let path = self.path(name);
        ffmpeg(arguments.split_whitespace().map(OsStr::new).chain([path.as_os_str()]));
        path
    }

    /// Copies `from` under a new name and changes the bytes of the copy.
    pub fn changed(&self, from: &Path, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
        let mut bytes = std::fs::read(from).unwrap();
        change(&mut bytes);
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Decodes and encodes again. The result is named `name`, in a separate work folder.
    pub fn transcode(&self, input: &Path, name: &str, range: Range) -> Result<PathBuf, Failure> {
        let work = self.path(&format!("work-{name}"));
        std::fs::create_dir_all(&work).unwrap();
        let output = work.join(name);
        let target = Target { output: Output::Video(output.clone()), work: work.clone(), label: None };
        convert(&Input::Video(input.into()), &target, range, |_| {})?;
        let left: Vec<_> = std::fs::read_dir(&work).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [OsStr::new(name)], "nothing but the output stays in the work folder");
        Ok(output)
    }
}

/// Sends a signal at once: while kill(1) starts, a short run may end.
pub fn send(child: &Child, signal: Signal) -> rustix::io::Result<()> {
    rustix::process::kill_process(Pid::from_child(child), signal)
}

/// A request for single files, without inputs and without an output.
pub fn plain_request(folders: &Folders) -> Request<'_> {
    Request {
        inputs: &[],
        output: None,
        input_format: "",
        preset: "monet",
        format: "",
        range: ALL,
        if_exists: None,
        dry_run: false,
        folders,
        template: None,
        settle: None,
        unattended: false,
        globs: false,
    }
}

#[derive(Debug)]
pub enum Failure {
    Decode(DecodeError),
    Encode(EncodeError),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Decode(error) => error.fmt(f),
            Self::Encode(error) => error.fmt(f),
        }
    }
}

/// Converts an input into an output; `change` may paint on each frame.
pub fn convert(input: &Input, target: &Target, range: Range, change: impl FnMut(&mut Frame)) -> Result<u64, Failure> {
    convert_with(input, target, range, &OutputSettings::default(), change).map(|(count, _)| count)
}

/// Like [`convert`], with settings. Also returns the warnings, both from the start and from the end.
pub fn convert_with(
    input: &Input,
    target: &Target,
    range: Range,
    settings: &OutputSettings,
    mut change: impl FnMut(&mut Frame),
) -> Result<(u64, Vec<String>), Failure> {
    let mut source = decode::open(input, range, &InputSettings::default()).map_err(Failure::Decode)?;
    let mut sink = encode::open(target, source.info(), settings).map_err(Failure::Encode)?;
    let mut warnings = sink.warnings().to_vec();
    let mut count = 0;
    while let Some(mut frame) = source.next().map_err(Failure::Decode)? {
        assert_eq!(frame.index, count, "frames are numbered in order");
        count += 1;
        change(&mut frame);
        sink.push(frame).map_err(Failure::Encode)?;
    }
    if source.gave_every_frame() {
        sink.expect_every_frame();
    }
    let encoded = sink.finish().map_err(Failure::Encode)?;
    assert_eq!(encoded.frames, count);
    warnings.extend(encoded.warnings);
    Ok((count, warnings))
}

/// Returns the media info and all frames of a video.
pub fn frames(path: &Path, range: Range) -> Result<(MediaInfo, Vec<Frame>), DecodeError> {
    let mut source = decode::open(&Input::Video(path.into()), range, &InputSettings::default())?;
    let mut frames = Vec::new();
    while let Some(frame) = source.next()? {
        frames.push(frame);
    }
    Ok((source.info().clone(), frames))
}

/// Runs `ffmpeg`, which must succeed, and returns what it printed.
pub fn ffmpeg<'a>(arguments: impl IntoIterator<Item = &'a OsStr>) -> String {
    run("ffmpeg", ["-nostdin", "-y", "-v", "error"].into_iter().map(OsStr::new).chain(arguments))
}

/// Returns the `ffprobe` values of `entries` for the chosen streams, one line each.
pub fn probe(path: &Path, streams: &str, entries: &str) -> Vec<String> {
    let fixed = ["-v", "error", "-select_streams", streams, "-show_entries", entries, "-of", "csv=p=0"];
    let text = run("ffprobe", fixed.into_iter().map(OsStr::new).chain([path.as_os_str()]));
    text.lines().map(|line| line.trim_end_matches(',').to_owned()).filter(|line| !line.is_empty()).collect()
}

/// Returns the display times of the pictures in seconds.
pub fn times(path: &Path) -> Vec<f64> {
    let mut times: Vec<f64> = probe(path, "v:0", "packet=pts_time").iter().map(|time| time.parse().unwrap()).collect();
    times.sort_by(f64::total_cmp);
    times
}

/// Returns one hash of all packets' bytes per audio stream.
pub fn audio_hashes(path: &Path) -> Vec<String> {
    let arguments = ["-map", "0:a", "-c", "copy", "-f", "streamhash", "-hash", "md5", "-"];
    let text = ffmpeg(["-i".as_ref(), path.as_os_str()].into_iter().chain(arguments.into_iter().map(OsStr::new)));
    text.lines().filter_map(|line| line.rsplit('=').next()).map(str::to_owned).collect()
}

/// Returns interleaved 8-bit RGB of every frame as `ffmpeg` decodes it, through the filter chain `chain`.
pub fn decoded_by_ffmpeg(desk: &Desk, path: &Path, chain: &str) -> Vec<u8> {
    let raw = desk.path("reference.raw");
    let arguments = ["-vf", chain, "-f", "rawvideo", "-pix_fmt", "rgb24", "-fps_mode", "passthrough"];
    let input = ["-i".as_ref(), path.as_os_str()];
    ffmpeg(input.into_iter().chain(arguments.into_iter().map(OsStr::new)).chain([raw.as_os_str()]));
    std::fs::read(raw).unwrap()
}

/// Returns the peak signal-to-noise ratio of two 8-bit pictures, in dB.
pub fn psnr(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len(), "pictures of one size");
    let square = |(&a, &b): (&u8, &u8)| (f64::from(a) - f64::from(b)).powi(2);
    let error = a.iter().zip(b).map(square).sum::<f64>() / a.len() as f64;
    if error == 0.0 { f64::INFINITY } else { 10.0 * (255.0 * 255.0 / error).log10() }
}

/// Returns file `name` in the folder that the environment variable names, for tests that are ignored without it.
pub fn outside_file(variable: &str, name: &str) -> PathBuf {
    let folder = std::env::var_os(variable);
    let folder = folder.unwrap_or_else(|| panic!("set {variable} to a folder with {name} (CONTRIBUTING.md)"));
    let path = Path::new(&folder).join(name);
    assert!(path.is_file(), "{variable}: there is no file {}", path.display());
    path
}

/// Returns a real clip.
pub fn real_clip(name: &str) -> PathBuf {
    outside_file("STYLIZE_VIDEO_TEST_MEDIA", name)
}

fn run<'a>(program: &str, arguments: impl IntoIterator<Item = &'a OsStr>) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
