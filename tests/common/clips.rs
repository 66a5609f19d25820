//! Clips whose pictures carry their number, so that order, count and identity can be read back from any copy.
//!
//! The top quarter of a picture shows the number's 16 bits as black and white cells, and the next quarter shows their
//! complements; the rest is a coloured gradient with a moving checkerboard.

use std::path::{Path, PathBuf};
use std::time::Duration;

use assert_cmd::Command;

use super::{Desk, probe};

const BITS: usize = 16;
/// The size to which [`numbers`] scales pictures: four columns per bit, four rows for each of the two quarters.
const SMALL: (usize, usize) = (4 * BITS, 16);

/// Describes how a clip is made.
#[derive(Debug, Clone)]
pub struct Clip {
    pub width: usize,
    pub height: usize,
    pub count: u32,
    /// The number of the first picture.
    first: u32,
    rate: String,
    alpha: bool,
    beside: String,
    filter: String,
    options: String,
}

impl Clip {
    /// A clip of `count` frames of 128x96 at 25 frames a second, in H.264.
    pub fn of(count: u32) -> Self {
        Self {
            width: 128,
            height: 96,
            count,
            first: 0,
            rate: "25".into(),
            alpha: false,
            beside: String::new(),
            filter: "null".into(),
            options: "-c:v libx264 -preset veryfast -crf 12 -pix_fmt yuv420p".into(),
        }
    }

    pub fn size(self, width: usize, height: usize) -> Self {
        Self { width, height, ..self }
    }

    pub fn from(self, first: u32) -> Self {
        Self { first, ..self }
    }

    pub fn rate(self, rate: &str) -> Self {
        Self { rate: rate.into(), ..self }
    }

    /// Adds transparency, with opacity decreasing from top to bottom.
    pub fn see_through(self) -> Self {
        Self { alpha: true, ..self }
    }

    /// Adds further inputs of `ffmpeg`, split at spaces; they count from 1.
    pub fn beside(self, inputs: &str) -> Self {
        Self { beside: inputs.into(), ..self }
    }

    /// Sets `ffmpeg`'s filters for the pictures.
    pub fn filter(self, filter: &str) -> Self {
        Self { filter: filter.into(), ..self }
    }

    /// Sets `ffmpeg` options that replace those for H.264, split at spaces.
    pub fn coded(self, options: &str) -> Self {
        Self { options: options.into(), ..self }
    }

    /// Adds options of `ffmpeg`, split at spaces.
    pub fn and(mut self, options: &str) -> Self {
        self.options = format!("{} {options}", self.options);
        self
    }

    /// Sets the frames' pts to `expression` of `N`, in ticks of 1/`base` s.
    pub fn timed(self, base: u32, expression: &str) -> Self {
        self.filter(&format!("settb=1/{base},setpts={expression}"))
            // By default, `ffmpeg` gives the last frame no duration, and MP4 then cuts it off.
            .and(&format!(
                "-fps_mode passthrough -enc_time_base 1:{base} -bsf:v setts=pts=PTS:dts=DTS:duration={}",
                base / 25
            ))
    }

    /// Returns the numbers of all frames.
    pub fn numbers(&self) -> Vec<u32> {
        (self.first..self.first + self.count).collect()
    }

    /// Returns interleaved RGB or RGBA of frame `number`.
    pub fn picture(&self, number: u32) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(4 * self.width * self.height);
        for y in 0..self.height {
            for x in 0..self.width {
                let bit = number >> (BITS - 1 - x * BITS / self.width) & 1 == 1;
                bytes.extend(match 4 * y / self.height {
                    0 => [if bit { 235 } else { 16 }; 3],
                    1 => [if bit { 16 } else { 235 }; 3],
                    _ => {
                        let light = if (x / 8 + y / 8 + number as usize / 4).is_multiple_of(2) { 200 } else { 120 };
                        [light, (40 + 160 * x / self.width) as u8, (40 + 160 * y / self.height) as u8]
                    }
                });
                if self.alpha {
                    bytes.push(255 - (200 * y / self.height) as u8);
                }
            }
        }
        bytes
    }

    /// Makes the file.
    pub fn make(&self, desk: &Desk, name: &str) -> PathBuf {
        let path = desk.path(name);
        let (width, height, format) = (self.width, self.height, if self.alpha { "rgba" } else { "rgb24" });
        let fixed = format!("-f rawvideo -pix_fmt {format} -s {width}x{height} -framerate {} -i pipe:0", self.rate);
        let mut command = Command::new("ffmpeg");
        command.args(["-y", "-v", "error"]).args(fixed.split(' ')).args(self.beside.split_whitespace());
        command.args(["-filter:v:0", &self.filter]).args(self.options.split_whitespace()).arg(&path);
        let frames = self.numbers().into_iter().flat_map(|number| self.picture(number)).collect::<Vec<u8>>();
        command.timeout(Duration::from_secs(60)).write_stdin(frames).assert().success();
        path
    }
}

/// Returns the number that each picture of a file shows, in display order.
pub fn numbers(path: &Path) -> Vec<u32> {
    numbers_by(path, "")
}

/// Like [`numbers`], with the file opened with `options` of `ffmpeg`.
pub fn numbers_by(path: &Path, options: &str) -> Vec<u32> {
    let (width, height) = SMALL;
    let small = decoded(path, options, &format!("scale={width}:{height}:flags=area,format=gray"), "gray");
    small.chunks_exact(width * height).enumerate().map(|(index, picture)| number(picture, index)).collect()
}

/// Returns the number on a grey picture of [`SMALL`] size.
fn number(picture: &[u8], index: usize) -> u32 {
    // The two columns and two rows in the middle of a cell.
    let light = |bit: usize, top: usize| -> bool {
        let at = |x: usize, y: usize| u32::from(picture[(top + y) * SMALL.0 + 4 * bit + x]);
        at(1, 1) + at(2, 1) + at(1, 2) + at(2, 2) > 4 * 128
    };
    (0..BITS).fold(0, |number, bit| {
        assert_ne!(light(bit, 0), light(bit, 4), "picture {index} is damaged at bit {bit} of its number");
        number << 1 | u32::from(light(bit, 0))
    })
}

/// Returns all pictures of a file as `ffmpeg` decodes them, through `filter`, in `format` (empty: as coded).
pub fn decoded(path: &Path, options: &str, filter: &str, format: &str) -> Vec<u8> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error"]).args(options.split_whitespace()).arg("-i").arg(path);
    command.args(["-map", "0:V:0", "-vf", filter, "-fps_mode", "passthrough", "-f", "rawvideo"]);
    if !format.is_empty() {
        command.args(["-pix_fmt", format]);
    }
    command.arg("-").timeout(Duration::from_secs(60)).assert().success().get_output().stdout.clone()
}

/// Returns the display times of the pictures in seconds; where a file has none, those that `ffmpeg` makes up.
pub fn shown(path: &Path) -> Vec<f64> {
    let text = probe(path, "V:0", "frame=best_effort_timestamp_time");
    // Side data may add further columns.
    text.iter().filter_map(|line| line.split(',').next()?.parse().ok()).collect()
}

/// Returns one property of the video stream.
pub fn of_video(path: &Path, entry: &str) -> String {
    // For a transport stream, it is printed a second time for the program.
    probe(path, "V:0", &format!("stream={entry}")).into_iter().next().unwrap_or_default()
}

/// Writes a display matrix into the first track of an MP4 (`ffmpeg`'s own option for it changed between versions).
pub fn turn(bytes: &mut [u8], matrix: [i32; 9]) {
    let header = bytes.windows(4).position(|name| name == b"tkhd").unwrap();
    for (index, value) in matrix.into_iter().enumerate() {
        let at = header + 4 + 40 + 4 * index;
        bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
    }
}

/// Moves the tags of an MP4 with `moov` at the end in front of its tracks, so that cover art becomes stream 0.
pub fn tags_first(bytes: &mut [u8]) {
    let moov = bytes.windows(4).rposition(|name| name == b"moov").unwrap() - 4;
    let tags = bytes.windows(4).rposition(|name| name == b"udta").unwrap() - 4;
    let track = bytes.windows(4).position(|name| name == b"trak").unwrap() - 4;
    assert!(moov < track && track < tags, "the boxes are where they should be");
    bytes[track..].rotate_left(tags - track);
}

/// Returns a pseudo-random generator with the same sequence for the same seed (SplitMix64).
pub fn random(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % below as u64) as usize
    }
}
