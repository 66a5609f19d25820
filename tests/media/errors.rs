//! Bad inputs and outputs: one clear line each, and never a panic.

use std::os::unix::fs::symlink;
use std::path::Path;

use crate::common::{ALL, Desk, Failure, frames};
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
    let target = Target { output: Output::Video(work.join(name)), work };
    crate::common::convert(&Input::Video(latin), &target, ALL, |_| {}).unwrap();
}

#[test]
fn a_file_that_ends_early() {
    let desk = Desk::new();
    for (name, options) in
        [("in.mp4", "-movflags +faststart"), ("in.mkv", ""), ("in.webm", "-c:v libvpx -deadline realtime")]
    {
        let whole = desk.clip(name, &format!("{CLIP} {options}"));
        assert_eq!(frames(&whole, ALL).unwrap().1.len(), 100);
        let half = desk.changed(&whole, &format!("half-{name}"), |bytes| bytes.truncate(bytes.len() * 6 / 10));
        let text = refusal(&half).to_string();
        assert!(text.contains("the file ends early") && text.contains(" of 100 frames could be read"), "{text}");
        // What lies before the end can still be used.
        let DecodeError::EndsEarly { frames: read, .. } = refusal(&half) else { panic!("{text}") };
        assert!((20..99).contains(&read), "{text}");
        for limit in [20, read] {
            let part = frames(&half, Range { start: 0.0, frames: Some(limit) }).unwrap().1;
            assert_eq!(part.len() as u64, limit);
        }
        let error = desk.transcode(&half, name, ALL).unwrap_err();
        assert!(matches!(error, Failure::Decode(DecodeError::EndsEarly { .. })), "{error}");
    }
}

#[test]
fn an_mp4_without_its_index() {
    let desk = Desk::new();
    let whole = desk.clip("in.mp4", CLIP);
    let half = desk.changed(&whole, "half.mp4", |bytes| bytes.truncate(bytes.len() / 2));
    assert!(matches!(refusal(&half), DecodeError::NotMedia { .. }));
}

#[test]
fn damage_in_the_middle() {
    let desk = Desk::new();
    let whole = desk.clip("in.mp4", &format!("{CLIP} -movflags +faststart -g 10"));
    let damaged = desk.changed(&whole, "damaged.mp4", |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle..middle + 3000].fill(0x55);
    });
    let error = refusal(&damaged);
    assert!(matches!(error, DecodeError::Damaged { .. } | DecodeError::EndsEarly { .. }), "{error}");
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
fn hdr_is_refused_for_now() {
    let desk = Desk::new();
    let clip =
        desk.clip("in.mp4", &format!("{CLIP} -color_trc smpte2084 -colorspace bt2020nc -color_primaries bt2020"));
    assert!(matches!(refusal(&clip), DecodeError::Hdr { transfer: "PQ", .. }));
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

/// Opens an output for a clip and pushes it through.
fn write(desk: &Desk, output: Output, settings: &OutputSettings) -> Result<(), EncodeError> {
    let clip = desk.clip("in.mp4", CLIP);
    let mut source = decode::open(&Input::Video(clip), ALL, &InputSettings::default()).unwrap();
    let work = output.path().parent().unwrap().to_path_buf();
    let mut sink = encode::open(&Target { output, work }, source.info(), settings)?;
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
        for name in [format!("out.{extension}"), format!("{extension}.pictures")] {
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
    let target = Target { output: Output::Picture(desk.path("out.png")), work: desk.path("") };
    let error = crate::common::convert(&Input::Picture(still), &target, ALL, |_| {}).unwrap_err();
    assert!(matches!(error, Failure::Encode(EncodeError::DiskFull { .. })), "{error}");
}
