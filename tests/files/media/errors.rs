//! Bad inputs and outputs: each gives one clear line, never a panic.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::common::{ALL, Desk, Failure, frames, probe};
use stylize_video::decode::{self, DecodeError};
use stylize_video::encode::{self, EncodeError, Target};
use stylize_video::media::{Input, Output, Range};
use stylize_video::settings::{Crf, InputSettings, OutputSettings};

const CLIP: &str = "-f lavfi -i testsrc2=s=160x120:r=25:d=4 -c:v libx264 -preset veryfast -crf 12";

fn refusal(path: &Path) -> DecodeError {
    let error = frames(path, ALL).map(|(_, frames)| frames.len()).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with(&format!("{}: ", path.display())), "names the file: {text}");
    assert!(!text.contains('\n'), "one line: {text}");
    error
}

#[test]
fn files_that_are_no_video() {
    let desk = Desk::new();
    assert!(matches!(refusal(&desk.path("none.mp4")), DecodeError::Missing { .. }));
    std::fs::write(desk.path("empty.mp4"), "").unwrap();
    assert!(matches!(refusal(&desk.path("empty.mp4")), DecodeError::Empty { .. }));
    std::fs::write(desk.path("text.mp4"), "hello, this is no video\n".repeat(50)).unwrap();
    assert!(matches!(refusal(&desk.path("text.mp4")), DecodeError::NotMedia { .. }));
    std::fs::create_dir(desk.path("folder.mp4")).unwrap();
    assert!(matches!(refusal(&desk.path("folder.mp4")), DecodeError::Folder { .. }));
    let sound = desk.clip("sound.mp4", "-f lavfi -i sine=d=1 -c:a aac");
    assert!(matches!(refusal(&sound), DecodeError::NoVideo { .. }));
}

#[test]
fn a_cover_picture_is_no_video() {
    let desk = Desk::new();
    let cover = desk.clip("cover.png", "-f lavfi -i testsrc2=s=64x48:r=25:d=0.04 -frames:v 1");
    let arguments = "-f lavfi -i sine=d=1 -i COVER -map 0 -map 1 -c:a aac -c:v copy -disposition:v:0 attached_pic";
    let sound = desk.clip("sound.mp4", &arguments.replace("COVER", &cover.display().to_string()));
    assert!(matches!(refusal(&sound), DecodeError::NoVideo { .. }));
}

#[test]
fn strange_paths() {
    let desk = Desk::new();
    let clip = desk.clip("in.mp4", &CLIP.replace("d=4", "d=0.2"));
    let colon = desk.changed(&clip, "a:b %d.mp4", |_| {});
    assert_eq!(frames(&colon, ALL).unwrap().1.len(), 5);
    let name = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"caf\xe9.mp4");
    let latin = desk.path("").join(name);
    std::fs::copy(&clip, &latin).unwrap();
    let work = desk.path("work");
    std::fs::create_dir(&work).unwrap();
    let target = Target { output: Output::Video(work.join(name)), work, label: None };
    crate::common::convert(&Input::Video(latin), &target, ALL, |_| {}).unwrap();
}

const CONTAINERS: [(&str, &str); 3] =
    [("in.mp4", "-movflags +faststart"), ("in.mkv", ""), ("in.webm", "-c:v libvpx -deadline realtime")];

#[test]
fn a_file_that_ends_early_is_known_at_opening() {
    let desk = Desk::new();
    for (name, options) in CONTAINERS {
        let whole = desk.clip(name, &format!("{CLIP} {options}"));
        assert_eq!(frames(&whole, ALL).unwrap().1.len(), 100);
        let half = desk.changed(&whole, &format!("half-{name}"), |bytes| bytes.truncate(bytes.len() * 6 / 10));
        let Err(error) = decode::open(&Input::Video(half.clone()), ALL, &InputSettings::default()) else {
            panic!("{name} was opened")
        };
        let text = error.to_string();
        assert!(text.contains("the file ends early") && text.contains("--max-corrupt"), "{text}");
        let error = desk.transcode(&half, name, ALL).unwrap_err();
        assert!(
            matches!(error, Failure::Decode(DecodeError::EndsEarly { .. } | DecodeError::CutOff { .. })),
            "{error}"
        );
        // The part before the end can still be used.
        let part = frames(&half, Range { start: 0.0, frames: Some(20) }).unwrap().1;
        assert_eq!(part.len(), 20);
        // So can everything that is present; missing frames are reported.
        let (count, notes) = tolerant(&half, 80).unwrap();
        assert!((30..80).contains(&count), "{name}: {count}");
        let missing: u64 = number(&notes, "frames are missing at the end").unwrap();
        // Matroska reveals only the missing duration, not the pictures that were waiting for others.
        let slack = if name == "in.mp4" { 1 } else { 4 };
        assert!((count + missing).abs_diff(100) <= slack, "{name}: {count} frames, {notes:?}");
    }
    let half = desk.path("half-in.mp4");
    let DecodeError::EndsEarly { frames: there, expected, places, .. } = refusal(&half) else { panic!() };
    assert_eq!((there + places, expected), (100, Some(100)));
    assert!(matches!(tolerant(&half, places - 1), Err(DecodeError::EndsEarly { .. })));
    assert!(tolerant(&half, places + 1).is_ok());
}

/// Reads everything with the given `max_corrupt`. Returns the number of frames and the notes.
fn tolerant(path: &Path, max_corrupt: u64) -> Result<(u64, Vec<String>), DecodeError> {
    let settings = InputSettings { max_corrupt, ..InputSettings::default() };
    let mut source = decode::open(&Input::Video(path.into()), ALL, &settings)?;
    let mut notes = source.take_warnings();
    let mut count = 0;
    while source.next()?.is_some() {
        count += 1;
    }
    notes.extend(source.take_warnings());
    assert!(source.next()?.is_none() && source.take_warnings().is_empty(), "the end stays the end");
    Ok((count, notes))
}

/// Returns the number in front of the given words.
fn number(notes: &[String], words: &str) -> Option<u64> {
    let text = notes.iter().flat_map(|note| note.split("; ")).find_map(|part| part.strip_suffix(words))?;
    text.trim().parse().ok()
}

#[test]
fn an_mp4_without_its_index() {
    let desk = Desk::new();
    let whole = desk.clip("in.mp4", CLIP);
    let half = desk.changed(&whole, "half.mp4", |bytes| bytes.truncate(bytes.len() / 2));
    let error = refusal(&half);
    assert!(matches!(error, DecodeError::NoIndex { .. }), "{error}");
    assert!(error.to_string().contains("index (moov) is missing"), "{error}");
}

#[test]
fn damage_is_an_error_as_soon_as_it_is_met_or_passed_over() {
    let desk = Desk::new();
    let whole = desk.clip("in.mp4", &format!("{CLIP} -movflags +faststart -g 10"));
    let damaged = desk.changed(&whole, "damaged.mp4", |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle..middle + 3000].fill(0x55);
    });
    let mut source = decode::open(&Input::Video(damaged.clone()), ALL, &InputSettings::default()).unwrap();
    let mut read = 0;
    let error = loop {
        match source.next() {
            Ok(Some(_)) => read += 1,
            Ok(None) => panic!("nothing was noticed"),
            Err(error) => break error,
        }
    };
    assert!((20..80).contains(&read), "after {read} frames, not at the end");
    let DecodeError::Damaged { places, .. } = error else { panic!("{error}") };
    assert!(error.to_string().contains(&format!("--max-corrupt {places}")), "{error}");
    let (count, notes) = tolerant(&damaged, 100).unwrap();
    let places = number(&notes, "damaged places were skipped").or(number(&notes, "damaged place was skipped"));
    let places = places.unwrap_or_else(|| panic!("{notes:?}"));
    assert!((80..=100).contains(&count) && (1..40).contains(&places), "{count} frames, {places} places");
    assert!(matches!(tolerant(&damaged, places - 1), Err(DecodeError::Damaged { .. })));
    // The part before the damage has none.
    assert_eq!(frames(&damaged, Range { start: 0.0, frames: Some(20) }).unwrap().1.len(), 20);
}

#[test]
fn damage_looks_the_same_in_every_run() {
    let desk = Desk::new();
    let moving = "-f lavfi -i testsrc2=s=96x64:r=25:d=4 -vf noise=alls=20:allf=t -c:v libx264 -preset veryfast -bf 3";
    let whole = desk.clip("in.mp4", &format!("{moving} -g 20 -crf 30 -movflags +faststart"));
    let damaged = desk.changed(&whole, "damaged.mp4", |bytes| {
        for place in 6..60 {
            let at = bytes.len() * place / 60;
            bytes[at..at + 40].fill(0x55);
        }
    });
    let (pictures, notes) = looks(&damaged);
    assert!(notes.iter().any(|note| note.contains("damaged places were skipped")), "{notes:?}");
    // With a decoder that works on several pictures at once, one run in five differed.
    for run in 0..20 {
        let (again, said) = looks(&damaged);
        assert_eq!((again.len(), &said), (pictures.len(), &notes), "run {run}");
        let other = pictures.iter().zip(&again).position(|(a, b)| a != b);
        assert_eq!(other, None, "the first picture of run {run} that is another one");
    }
}

/// Returns a hash of each picture of a damaged file, and the notes.
fn looks(path: &Path) -> (Vec<u64>, Vec<String>) {
    let settings = InputSettings { max_corrupt: 1000, ..InputSettings::default() };
    let mut source = decode::open(&Input::Video(path.into()), ALL, &settings).unwrap();
    let mut pictures = Vec::new();
    while let Some(frame) = source.next().unwrap() {
        let mut hasher = DefaultHasher::new();
        frame.pixels.rgb.iter().for_each(|sample| sample.to_bits().hash(&mut hasher));
        pictures.push(hasher.finish());
    }
    (pictures, source.take_warnings())
}

#[test]
fn a_broadcast_may_begin_anywhere() {
    let desk = Desk::new();
    for codec in ["libx264 -bf 2", "mpeg2video -q:v 3"] {
        let whole = desk.clip("in.ts", &format!("-f lavfi -i testsrc2=s=160x120:r=25:d=4 -c:v {codec} -g 25"));
        let cut = desk.changed(&whole, "cut.ts", |bytes| drop(bytes.drain(..bytes.len() / 188 * 2 / 5 * 188)));
        let (count, notes) = tolerant(&cut, 0).unwrap();
        assert!((40..=60).contains(&count) && notes.is_empty(), "{codec}: {count} frames, {notes:?}");
    }
}

/// A pseudo-random generator with the same sequence in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit
    }
}

#[test]
fn flipped_bits_are_an_error_or_do_no_harm() {
    let desk = Desk::new();
    let small = "-f lavfi -i testsrc2=s=96x64:r=25:d=1.2 -c:v libx264 -preset veryfast -g 10 -bf 2";
    let mut refused = 0;
    for (name, options) in [("in.mp4", "-movflags +faststart"), ("in.mkv", ""), ("in.ts", "")] {
        let whole = desk.clip(name, &format!("{small} {options}"));
        for seed in 0..20 {
            let mut dice = Dice(seed + 1);
            let flipped = desk.changed(&whole, &format!("flipped-{name}"), |bytes| {
                for _ in 0..=seed % 3 {
                    let at = dice.below(bytes.len());
                    bytes[at] ^= 1 << dice.below(8);
                }
            });
            match frames(&flipped, ALL) {
                // A flipped bit can turn an edit list into another valid one: FFmpeg then shows as many frames.
                Ok((_, frames)) if frames.len() != 30 => {
                    let packets = probe(&flipped, "v:0", "packet=flags");
                    let shown = packets.iter().filter(|flags| !flags.contains('D')).count();
                    assert_eq!(frames.len(), shown, "{name}, seed {seed}");
                }
                Ok(_) => {}
                Err(error) => {
                    refused += 1;
                    assert!(!error.to_string().contains('\n'), "{error}");
                }
            }
            // Reading also ends when any damage is allowed.
            let _ = tolerant(&flipped, u64::MAX);
        }
    }
    assert!(refused > 5, "only {refused} of 60 were noticed");
}

#[test]
fn audio_may_be_longer_or_shorter_than_the_pictures() {
    let desk = Desk::new();
    for (index, seconds) in ["1", "7"].into_iter().enumerate() {
        for name in ["mp4", "mkv", "mov", "avi", "ts"] {
            let arguments = format!("-f lavfi -i sine=d={seconds} {CLIP} -c:a aac");
            let clip = desk.clip(&format!("in{index}.{name}"), &arguments);
            assert_eq!(frames(&clip, ALL).unwrap().1.len(), 100, "{name}, {seconds} s of audio");
        }
    }
}

#[test]
fn a_start_after_the_end() {
    let desk = Desk::new();
    let clip = desk.clip("in.mp4", CLIP);
    for start in [4.0, 60.0] {
        let error = frames(&clip, Range { start, frames: None }).unwrap_err();
        assert!(matches!(error, DecodeError::StartsAfterEnd { .. }), "{error}");
    }
    let error = frames(&clip, Range { start: -1.0, frames: None }).unwrap_err();
    assert!(matches!(error, DecodeError::BadStart { .. }));
}

/// Opens an output for a clip and writes the clip to it.
fn write(desk: &Desk, output: Output, settings: &OutputSettings) -> Result<(), EncodeError> {
    let clip = desk.clip("in.mp4", CLIP);
    let mut source = decode::open(&Input::Video(clip), ALL, &InputSettings::default()).unwrap();
    let work = output.path().parent().unwrap().to_path_buf();
    let mut sink = encode::open(&Target { output, work, label: None }, source.info(), settings)?;
    while let Some(frame) = source.next().unwrap() {
        sink.push(frame)?;
    }
    sink.finish().map(drop)
}

#[test]
fn outputs_that_cannot_be() {
    let desk = Desk::new();
    let settings = OutputSettings::default();
    let error = write(&desk, Output::Video(desk.path("out.avi")), &settings).unwrap_err();
    assert!(error.to_string().ends_with("mp4, mkv, mov, webm, gif, apng, webp, y4m or nut"), "{error}");
    let error = write(&desk, Output::Picture(desk.path("out.tiff")), &settings).unwrap_err();
    assert!(error.to_string().ends_with("name it .png, .jpg or .webp"), "{error}");
    let error = write(&desk, Output::Picture(desk.path("out.png")), &settings).unwrap_err();
    assert!(matches!(error, EncodeError::OnePicture { .. }));
    let error = write(&desk, Output::Video(desk.path("none/out.mp4")), &settings).unwrap_err();
    assert!(matches!(error, EncodeError::Libav { .. }));
    let poor = OutputSettings { crf: Crf::Value(60), ..settings };
    let error = write(&desk, Output::Video(desk.path("out.mp4")), &poor).unwrap_err();
    assert!(matches!(error, EncodeError::Crf { max: 51, .. }));
}

#[test]
fn a_full_disk() {
    // Every write to this device fails as on a full disk.
    if !Path::new("/dev/full").exists() {
        eprintln!("skipped: no /dev/full");
        return;
    }
    for extension in ["mp4", "mkv", "mov"] {
        for name in [format!("out.{extension}"), "part-000001.mp4".into()] {
            let desk = Desk::new();
            symlink("/dev/full", desk.path(&name)).unwrap();
            let output = Output::Video(desk.path(&format!("out.{extension}")));
            let error = write(&desk, output, &OutputSettings::default()).unwrap_err();
            assert!(matches!(error, EncodeError::DiskFull { .. }), "{name}: {error}");
        }
    }
    let desk = Desk::new();
    let still = desk.clip("in.png", "-f lavfi -i testsrc2=s=64x48:r=25:d=0.04 -frames:v 1");
    symlink("/dev/full", desk.path("out.png")).unwrap();
    let target = Target { output: Output::Picture(desk.path("out.png")), work: desk.path(""), label: None };
    let error = crate::common::convert(&Input::Picture(still), &target, ALL, |_| {}).unwrap_err();
    assert!(matches!(error, Failure::Encode(EncodeError::DiskFull { .. })), "{error}");
}
