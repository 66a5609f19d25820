//! The summary file, the metrics file and the notify command.

use std::fs;

use serde_json::Value;

use crate::common::Desk;
use crate::watched::harness::{CLIP, KEPT, run};

const WATCHED: &[&str] = &["--summary", "s.json", "--metrics", "m.prom"];

fn summary(desk: &Desk) -> Value {
    serde_json::from_str(&fs::read_to_string(desk.path("s.json")).unwrap()).unwrap()
}

#[test]
fn the_files_tell_what_became_of_the_jobs() {
    let desk = Desk::new();
    desk.clip("a.mp4", CLIP);
    fs::write(desk.path("broken \"1\".mp4"), "no video, but long enough to be taken for something").unwrap();
    let first = run(&desk, &[&["a.mp4", "broken \"1\".mp4"], KEPT, WATCHED]);
    assert_eq!(first.code, Some(1), "{}", first.text);
    let told = summary(&desk);
    assert_eq!((told["state"].as_str(), told["planned"].as_u64()), (Some("finished"), Some(2)));
    let jobs = told["jobs"].as_array().unwrap();
    assert_eq!(jobs[0]["outcome"], "done");
    assert_eq!((&jobs[0]["frames"], &jobs[0]["output"]), (&10.into(), &"a.monet.mp4".into()));
    assert_eq!(jobs[1]["outcome"], "failed");
    assert!(jobs[1]["why"].as_str().unwrap().len() > 5);
    let metrics = fs::read_to_string(desk.path("m.prom")).unwrap();
    for line in [
        "stylize_video_jobs{outcome=\"done\"} 1",
        "stylize_video_jobs{outcome=\"failed\"} 1",
        "stylize_video_frames 10",
        "stylize_video_running 0",
        "stylize_video_failed_job{input=\"broken \\\"1\\\".mp4\"} 1",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} in\n{metrics}");
    }
    // A run without work keeps the time of the last success.
    let success = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("stylize_video_last_success")).unwrap();
        line.split(' ').nth(1).unwrap().to_owned()
    };
    let again = run(&desk, &[&["a.mp4", "--if-exists", "skip"], KEPT, WATCHED]);
    assert_eq!(again.code, Some(0), "{}", again.text);
    let later = fs::read_to_string(desk.path("m.prom")).unwrap();
    assert!(later.contains("stylize_video_jobs{outcome=\"skipped\"} 1\n"), "{later}");
    assert_eq!(success(&later), success(&metrics));
    let files = fs::read_dir(desk.path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(!files.into_iter().any(|name| name.starts_with(".writing")));
}

#[test]
fn a_place_that_cannot_be_written_to_is_known_before_the_work() {
    let desk = Desk::new();
    desk.clip("a.mp4", CLIP);
    for (option, file) in [("--summary", "no/s.json"), ("--metrics", "no/m.prom")] {
        let run = run(&desk, &[&["a.mp4", option, file], KEPT]);
        assert_eq!(run.code, Some(1), "{}", run.text);
        assert!(run.text.contains(option) && run.text.contains(file), "{}", run.text);
        assert!(!desk.path("a.monet.mp4").exists());
    }
}

#[test]
fn a_command_is_told_of_each_job() {
    let desk = Desk::new();
    desk.clip("a; touch hacked.mp4", CLIP);
    let note = "sh -c 'echo \"$STYLIZE_VIDEO_OUTCOME $STYLIZE_VIDEO_FRAMES $STYLIZE_VIDEO_INPUT\" >> told; echo said'";
    let arguments = &["a; touch hacked.mp4", "missing.mp4", "-o", ".", "--notify", note][..];
    let run1 = run(&desk, &[arguments, KEPT]);
    assert_eq!(run1.code, Some(1), "{}", run1.text);
    let told = fs::read_to_string(desk.path("told")).unwrap();
    assert_eq!(told, "done 10 a; touch hacked.mp4\nfailed 0 missing.mp4\n");
    assert!(!desk.path("hacked").exists() && !desk.path("hacked.mp4").exists());
    // Standard output may be a video.
    assert_eq!(run1.stdout, "");
    assert!(run1.text.contains("said"));

    let fails = &["a; touch hacked.mp4", "--if-exists", "replace", "-o", ".", "--notify", "sh -c 'exit 3'"][..];
    let run2 = run(&desk, &[fails, KEPT]);
    assert_eq!(run2.code, Some(0), "its failure is none of the job's: {}", run2.text);
    assert!(run2.text.contains("warning: --notify: sh ended with exit status: 3"), "{}", run2.text);

    // A notify command that starts the program itself must not inherit variables that the program reads as settings.
    let program = env!("CARGO_BIN_EXE_stylize-video");
    let again = format!("'{program}' --print-settings");
    let run3 = run(&desk, &[&["missing.mp4", "--notify", &again]]);
    assert!(!run3.text.contains("--notify"), "{}", run3.text);
    let open = run(&desk, &[&["missing.mp4", "--notify", "echo 'open"]]);
    assert_eq!(open.code, Some(2), "{}", open.text);
}
