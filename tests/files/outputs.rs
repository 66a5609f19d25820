//! Outputs through the command line: standard output, pictures from a video, and a video from pictures.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{Desk, decoded_by_ffmpeg, probe, psnr, times};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stylize-video"));
    command.args(["--stylizer", "identity"]);
    command
}

fn clip(desk: &Desk) -> std::path::PathBuf {
    let source = "-f lavfi -i gradients=s=64x48:r=25:d=0.8:c0=0x905030:c1=0x3060a0:seed=3";
    desk.clip("in.mp4", &format!("{source} -c:v libx264 -pix_fmt yuv420p -crf 4"))
}

/// Saves what a run writes to standard output in a file.
fn piped(desk: &Desk, input: &Path, name: &str, options: &[&str]) -> std::path::PathBuf {
    let done = program().arg(input).args(["-o", "-"]).args(options).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    std::fs::write(desk.path(name), done.stdout).unwrap();
    desk.path(name)
}

#[test]
fn video_on_standard_output() {
    let desk = Desk::new();
    let input = clip(&desk);
    for (name, options) in [("o.y4m", &[][..]), ("o.nut", &["--format", "nut"])] {
        let output = piped(&desk, &input, name, options);
        assert_eq!(times(&output), times(&input), "{name}");
        let chain = "scale=in_color_matrix=bt601:flags=accurate_rnd+full_chroma_int";
        let quality = psnr(&decoded_by_ffmpeg(&desk, &input, chain), &decoded_by_ffmpeg(&desk, &output, chain));
        assert!(quality > 45.0, "{name}: {quality} dB, so nothing else is among the pictures");
    }
    let done = program().arg(&input).args(["-o", "-", "--format", "mp4"]).output().unwrap();
    let text = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(!done.status.success() && done.stdout.is_empty() && text.contains("y4m or nut"), "{text}");
}

#[test]
fn a_reader_that_goes_away() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", "-f lavfi -i testsrc=s=640x480:r=25:d=2 -c:v libx264 -preset ultrafast");
    let mut child =
        program().arg(input).args(["-o", "-"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut some = [0; 1000];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    let done = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(1), "{text}");
    assert!(text.contains("has closed it") && !text.contains("panicked"), "{text}");
}

#[test]
fn pictures_and_back() {
    let desk = Desk::new();
    let input = clip(&desk);
    let pattern = desk.path("out/f_%06d.png");
    assert!(program().arg(&input).arg("-o").arg(&pattern).status().unwrap().success());
    let mut names: Vec<_> =
        std::fs::read_dir(desk.path("out")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    // The file that lists the pictures has separate tests.
    names.retain(|name| name != ".stylize-video.json");
    names.sort();
    let expected: Vec<_> = (1..=20).map(|n| std::ffi::OsString::from(format!("f_{n:06}.png"))).collect();
    assert_eq!(names, expected);
    let back = desk.path("back.mp4");
    assert!(program().arg(desk.path("out")).arg("-o").arg(&back).args(["--crf", "4"]).status().unwrap().success());
    assert_eq!(probe(&back, "v", "stream=avg_frame_rate,nb_frames,color_space"), ["bt709,25/1,20"]);
    let slow = desk.path("slow.mp4");
    let slower = ["--input-opt", "framerate=12"];
    assert!(program().arg(desk.path("out")).arg("-o").arg(&slow).args(slower).status().unwrap().success());
    assert_eq!(probe(&slow, "v", "stream=avg_frame_rate,nb_frames"), ["12/1,20"]);
    let before = decoded_by_ffmpeg(&desk, &input, "scale=in_color_matrix=bt601:flags=accurate_rnd+full_chroma_int");
    let after = decoded_by_ffmpeg(&desk, &back, "scale=in_color_matrix=bt709:flags=accurate_rnd+full_chroma_int");
    let quality = psnr(&before, &after);
    assert!(quality > 42.0, "{quality} dB");
}

#[test]
fn pictures_into_the_folder_one_stands_in() {
    let desk = Desk::new();
    let input = clip(&desk);
    let here = desk.path("here");
    std::fs::create_dir(&here).unwrap();
    let names = || {
        let entries = std::fs::read_dir(&here).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = entries.filter(|name| name != ".stylize-video.json").collect();
        names.sort();
        names
    };
    let run = |pattern: &Path, options: &[&str]| {
        let done = program().current_dir(&here).arg(&input).arg("-o").arg(pattern).args(options).output().unwrap();
        (done.status.success(), String::from_utf8(done.stderr).unwrap())
    };
    let (done, text) = run(Path::new("f_%02d.png"), &["--frames", "3"]);
    assert!(done, "{text}");
    assert_eq!(names(), ["f_01.png", "f_02.png", "f_03.png"]);
    // With the full path and over existing files: the folder is not replaced, so a shell inside it keeps working.
    let before = same_file::Handle::from_path(&here).unwrap();
    let (done, text) = run(&here.join("g_%d.png"), &["--frames", "2", "--if-exists", "replace"]);
    assert!(done, "{text}");
    assert_eq!(names(), ["g_1.png", "g_2.png"]);
    assert!(same_file::Handle::from_path(&here).unwrap() == before);
    std::fs::write(here.join("notes.txt"), "mine").unwrap();
    let (done, text) = run(Path::new("f_%02d.png"), &["--if-exists", "replace"]);
    assert!(!done && text.contains("notes.txt") && text.contains("-o frames/f_%06d.png"), "{text}");
    assert_eq!(names(), ["g_1.png", "g_2.png", "notes.txt"]);
}

#[test]
fn transparency_that_is_lost_is_said_once() {
    let desk = Desk::new();
    let source = "-f lavfi -i color=c=red@0.5:s=32x32:r=25:d=0.12,format=rgba";
    let input = desk.clip("in.mov", &format!("{source} -c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le"));
    for (name, over) in [("j/%d.jpg", "white"), ("o.y4m", "black"), ("o.mp4", "black")] {
        let run =
            |options: &[&str]| program().arg(&input).arg("-o").arg(desk.path(name)).args(options).output().unwrap();
        let strict = run(&["--strict-streams"]);
        let text = String::from_utf8(strict.stderr).unwrap();
        assert!(!strict.status.success() && text.contains("transparency would be lost"), "{name}: {text}");
        let done = run(&[]);
        let text = String::from_utf8(done.stderr).unwrap();
        let said = format!("transparency is lost, shown over {over}");
        assert!(done.status.success() && text.matches(&said).count() == 1, "{name}: {text}");
    }
}
