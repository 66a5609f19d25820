//! Every frame is present, with the right pts. `formats::timing` has the common cases.

use std::path::Path;

use crate::common::{ALL, Desk, frames, real_clip, times};
use stylize_video::encode::{self, Target};
use stylize_video::media::{ColorInfo, Frame, MediaInfo, Output, Pixels, Range, Samples, TimeBase, Timing};
use stylize_video::settings::OutputSettings;

const BFRAMES: &str = "-f lavfi -i testsrc2=s=64x48:r=25:d=2 -c:v libx264 -preset veryfast -bf 3";

/// Checks that the number of frames and their times are the same. Matroska counts in milliseconds.
fn assert_same_times(input: &Path, output: &Path) {
    let (expected, got) = (times(input), times(output));
    assert_eq!(expected.len(), got.len(), "frames of {}", output.display());
    let slack = if output.extension().is_some_and(|e| e == "mkv" || e == "webm") { 0.00051 } else { 0.0000015 };
    for (index, (expected, got)) in expected.iter().zip(&got).enumerate() {
        assert!((expected - got).abs() < slack, "{}: frame {index} at {got}, not {expected}", output.display());
    }
}

fn check(arguments: &str, name: &str) {
    let desk = Desk::new();
    let input = desk.clip(name, arguments);
    for extension in ["mp4", "mkv", "mov"] {
        let output = desk.transcode(&input, &format!("out.{extension}"), ALL).unwrap();
        assert_same_times(&input, &output);
    }
}

#[test]
fn broadcast_rate() {
    check(&BFRAMES.replace("r=25", "r=30000/1001"), "in.mp4");
}

#[test]
fn start_offset() {
    check(&format!("{BFRAMES} -output_ts_offset 3.5"), "in.mp4");
}

#[test]
fn matroska_source() {
    check(BFRAMES, "in.mkv");
}

#[test]
fn streams_without_timestamps_get_their_rate() {
    let desk = Desk::new();
    let input = desk.clip("in.h264", "-f lavfi -i testsrc2=s=64x48:r=25:d=1 -c:v libx264 -bf 0");
    let output = desk.transcode(&input, "out.mp4", ALL).unwrap();
    let expected: Vec<f64> = (0..25).map(|n| f64::from(n) / 25.0).collect();
    assert_eq!(times(&output), expected);
}

#[test]
fn frames_are_found_from_any_start() {
    let desk = Desk::new();
    // Long enough that the reader seeks to the start; frequent key frames, so that the seek really lands in the middle.
    let input = desk.clip("in.mp4", &format!("{} -g 20", BFRAMES.replace("d=2", "d=9")));
    let (_, all) = frames(&input, ALL).unwrap();
    for first in [0, 1, 50, 149, 151, 224] {
        let range = Range { start: f64::from(first) / 25.0, frames: Some(3) };
        let (info, part) = frames(&input, range).unwrap();
        let expected = &all[first as usize..all.len().min(first as usize + 3)];
        assert_eq!(part.len(), expected.len(), "from frame {first}");
        assert_eq!(info.frames, Some(expected.len() as u64));
        for (index, (part, expected)) in part.iter().zip(expected).enumerate() {
            assert_eq!(part.index, index as u64);
            assert_eq!(part.timing, expected.timing, "from frame {first}");
            assert!(part.pixels == expected.pixels, "pixels of frame {index} from frame {first}");
        }
    }
}

#[test]
fn a_part_starts_at_zero() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", BFRAMES);
    let output = desk.transcode(&input, "out.mp4", Range { start: 0.5, frames: Some(10) }).unwrap();
    let times = times(&output);
    assert_eq!(times.len(), 10);
    assert_eq!(times[0], 0.0);
}

#[test]
fn same_input_same_bytes() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", &format!("-f lavfi -i sine=d=1 {} -t 1 -c:a libopus", BFRAMES));
    for name in ["mp4", "mkv", "webm"] {
        let first = desk.transcode(&input, &format!("a.{name}"), ALL).unwrap();
        let second = desk.transcode(&input, &format!("b.{name}"), ALL).unwrap();
        assert!(std::fs::read(first).unwrap() == std::fs::read(second).unwrap(), "two runs into {name} differ");
    }
}

#[test]
fn any_time_base_and_any_start() {
    let nano = TimeBase::new(1, 1_000_000_000);
    let cases = [
        (TimeBase::new(1001, 30000), vec![-3, -2, 0, 1, 2, 9]),
        (TimeBase::new(1, 90000), vec![8_589_934_592, 8_589_934_593, 8_589_944_000]),
        (nano, vec![7, 33_366_674, 66_733_341]),
        (TimeBase::new(1, 1000), vec![-100, -60, -21, 5]),
        (TimeBase::new(1, 1), vec![5, 6, 4000]),
    ];
    for (base, pts) in cases {
        for name in ["out.mp4", "out.mkv", "out.mov"] {
            let desk = Desk::new();
            let info = MediaInfo {
                width: 32,
                height: 16,
                frames: None,
                base,
                rate: None,
                sample_aspect: None,
                color: ColorInfo::BT709,
                samples: Samples::RGB8,
                codec: "",
                first: 0,
                source: None,
            };
            let target = Target { output: Output::Video(desk.path(name)), work: desk.path(""), label: None };
            let mut sink = encode::open(&target, &info, &OutputSettings::default()).unwrap();
            for (index, &pts) in (0..).zip(&pts) {
                let timing = Timing { pts, duration: None, base };
                sink.push(Frame { pixels: Pixels::black(32, 16), timing, index }).unwrap();
            }
            // The sink itself compares every timestamp before it reports success.
            sink.finish().unwrap();
            let got = times(&desk.path(name));
            let shift = got[0] - base.seconds(pts[0]);
            assert!(pts[0] < 0 || shift.abs() < 0.0006, "{name}: moved by {shift} s");
            for (got, &pts) in got.iter().zip(&pts) {
                assert!((got - shift - base.seconds(pts)).abs() < 0.0011, "{name}: {got} for {pts}");
            }
        }
    }
}

#[test]
fn rates_from_1_to_240() {
    for rate in ["1", "12", "24000/1001", "50", "60000/1001", "120", "240"] {
        let desk = Desk::new();
        let source = format!("-f lavfi -i testsrc2=s=64x48:r={rate} -frames:v 9 -c:v libx264 -preset veryfast");
        for name in ["in.mp4", "in.mkv"] {
            let input = desk.clip(name, &source);
            let (info, read) = frames(&input, ALL).unwrap();
            assert_eq!(read.len(), 9, "{rate} in {name}");
            let told: f64 = info.rate.unwrap().value();
            let (num, den) = rate.split_once('/').unwrap_or((rate, "1"));
            let expected: f64 = num.parse::<f64>().unwrap() / den.parse::<f64>().unwrap();
            assert!((told / expected - 1.0).abs() < 0.01, "{told} for {rate} in {name}");
            let expected = times(&input);
            for (frame, expected) in read.iter().zip(expected) {
                assert!((frame.timing.base.seconds(frame.timing.pts) - expected).abs() < 1e-6, "{rate} in {name}");
            }
        }
    }
}

#[test]
fn timestamps_that_wrap_around() {
    let desk = Desk::new();
    // A 33-bit clock of 1/90000 s wraps after 95443.7 s.
    let source = "-f lavfi -i testsrc2=s=64x48:r=25:d=8 -c:v libx264 -preset veryfast -bf 2 -output_ts_offset 95440";
    let input = desk.clip("in.ts", source);
    let (_, read) = frames(&input, ALL).unwrap();
    assert_eq!(read.len(), 200);
    for pair in read.windows(2) {
        assert_eq!(pair[1].timing.pts - pair[0].timing.pts, 3600);
    }
}

#[test]
fn an_edit_list_cuts_the_beginning_off() {
    let desk = Desk::new();
    let whole = desk.clip("whole.mp4", BFRAMES);
    let cut = desk.clip("cut.mp4", &format!("-ss 0.5 -i {} -c copy", whole.display()));
    let packets = crate::common::probe(&cut, "v:0", "packet=flags");
    let shown = packets.iter().filter(|flags| !flags.contains('D')).count();
    assert!(shown < packets.len(), "the clip has an edit list");
    let (info, read) = frames(&cut, ALL).unwrap();
    assert_eq!((read.len(), info.frames), (shown, Some(shown as u64)));
    assert!(read[0].timing.pts >= 0);
}

#[test]
fn the_first_frame_knows_its_number() {
    let desk = Desk::new();
    for (name, offset) in [("in.mp4", ""), ("late.mp4", "-output_ts_offset 3.5"), ("in.ts", ""), ("in.mkv", "")] {
        let input = desk.clip(name, &format!("{} -g 20 {offset}", BFRAMES.replace("d=2", "d=9")));
        for (start, first) in [(0.0, 0), (0.04, 1), (0.5, 13), (6.0, 150)] {
            let (info, _) = frames(&input, Range { start, frames: Some(1) }).unwrap();
            assert_eq!(info.first, first, "{name} from {start} s");
        }
    }
}

#[test]
fn one_pixel_and_one_frame() {
    let desk = Desk::new();
    for (name, codec) in
        [("in.mkv", "ffv1 -pix_fmt gbrp"), ("grey.mkv", "ffv1 -pix_fmt gray"), ("in.apng", "apng -f apng")]
    {
        let clip = format!("-f lavfi -i color=white:s=16x16:r=25,scale=1:1 -frames:v 1 -c:v {codec}");
        let (info, read) = frames(&desk.clip(name, &clip), ALL).unwrap();
        assert_eq!((info.width, info.height, read.len()), (1, 1, 1), "{name}");
        assert!(read[0].pixels.rgb.iter().all(|&value| value > 0.95), "{name}: {:?}", read[0].pixels.rgb);
    }
}

#[test]
#[ignore = "needs STYLIZE_VIDEO_TEST_MEDIA"]
fn real_clips() {
    for name in ["flower.mp4", "friday.mp4"] {
        let input = real_clip(name);
        let desk = Desk::new();
        let output = desk.transcode(&input, "out.mp4", Range { start: 0.0, frames: Some(20) }).unwrap();
        let (expected, got) = (times(&input), times(&output));
        assert_eq!(got, expected[..20]);
    }
}
