//! Numbers in file headers set to 0, 1, all ones or a negative value: lengths, time bases, rates, counts.
//! `scripts/wild_heads` tries many more and compares the results with FFmpeg's.

use std::path::Path;

use crate::common::Desk;
use crate::common::clips::{Clip, random};
use crate::hostile::sweep::run_here;

/// The number of variants of each kind.
const VARIANTS: usize = 12;

/// A kind of file, the `ffmpeg` options that make it, and its numbers: the name that each follows, its offset behind
/// that name, and its size in bytes.
type Kind = (&'static str, &'static str, &'static [(&'static [u8], usize, usize)]);

const KINDS: [Kind; 6] = [
    (
        "mp4",
        "-c:v libx264 -preset veryfast -pix_fmt yuv420p -c:a aac",
        &[
            (b"mvhd", 8, 40),
            (b"mdhd", 8, 40),
            (b"stts", 8, 40),
            (b"ctts", 8, 40),
            (b"stsz", 8, 40),
            (b"elst", 8, 40),
            (b"stsc", 8, 40),
        ],
    ),
    (
        "mkv",
        "-c:v libx264 -preset veryfast -pix_fmt yuv420p -c:a aac",
        &[(b"\x2a\xd7\xb1", 3, 8), (b"\x44\x89", 2, 9), (b"\x23\xe3\x83", 3, 6), (b"\x1f\x43\xb6\x75", 4, 8)],
    ),
    ("avi", "-c:v mpeg4 -c:a mp3", &[(b"avih", 8, 56), (b"strh", 8, 48), (b"idx1", 4, 36), (b"RIFF", 4, 4)]),
    (
        "flv",
        "-c:v libx264 -bf 0 -pix_fmt yuv420p -c:a aac",
        &[(b"duration", 9, 8), (b"framerate", 10, 8), (b"FLV", 3, 12)],
    ),
    ("gif", "-an", &[(b"GIF8", 6, 7), (b"\x21\xf9\x04", 3, 5), (b"\x2c\0", 1, 9)]),
    ("ts", "-c:v mpeg2video -c:a mp2", &[(b"\0\0\x01\xe0", 4, 16), (b"G@", 2, 40)]),
];

fn mutant(whole: &[u8], fields: &[(&[u8], usize, usize)], number: usize) -> Vec<u8> {
    let mut below = random(number as u64 + 77);
    let mut bytes = whole.to_vec();
    let (name, skip, room) = fields[below(fields.len())];
    let places: Vec<usize> = (0..bytes.len() - name.len()).filter(|&at| bytes[at..].starts_with(name)).collect();
    let width = [1, 2, 4, 8][below(4)].min(room);
    let at = places[below(places.len())] + skip + below(room - width + 1);
    let value = [0_u64, 1, u64::MAX, u64::MAX - 1, u64::MAX >> 1][below(5)];
    let end = (at + width).min(bytes.len());
    if at < end {
        bytes[at..end].copy_from_slice(&value.to_be_bytes()[8 - (end - at)..]);
    }
    bytes
}

#[test]
fn numbers_in_heads() {
    let mut faults = Vec::new();
    for (kind, options, fields) in KINDS {
        let desk = Desk::new();
        let clip = Clip::of(6).size(64, 48).beside("-f lavfi -i sine=duration=0.24").coded(options);
        let sound = if options.contains("-an") { "-map 0:v" } else { "-map 0:v -map 1:a" };
        let whole = std::fs::read(clip.and(sound).make(&desk, &format!("whole.{kind}"))).unwrap();
        for number in 0..VARIANTS {
            let (input, output) = (desk.path(&format!("{number}.{kind}")), desk.path(&format!("out-{number}.mkv")));
            std::fs::write(&input, mutant(&whole, fields, number)).unwrap();
            let done = run_here(&input, &output);
            let is_there = Path::exists(&output);
            match done {
                Err(fault) => faults.push(format!("{kind} {number}: {fault}")),
                Ok(code) if (code == 0) != is_there => {
                    faults.push(format!("{kind} {number}: exit code {code}, {is_there}"))
                }
                Ok(_) => {}
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
