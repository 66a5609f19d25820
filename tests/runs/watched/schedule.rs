//! Runs that end at a set time.

use std::fs;

use crate::common::Desk;
use crate::watched::harness::{CLIP, KEPT, PAINTED, run};

#[test]
fn when_time_is_up_the_next_run_goes_on() {
    let desk = Desk::new();
    desk.clip("a.mp4", "-f lavfi -i testsrc2=s=96x72:r=25:d=1.6");
    desk.clip("b.mp4", CLIP);
    let inputs = &["a.mp4", "b.mp4", "--set", "optimizer.tolerance=0"][..];
    let slow =
        &["--backbone", "patches", "--size", "64", "--iterations", "4,2", "--checkpoint", "5", "--device", "cpu"];
    let expected = run(&desk, &[&inputs[..1], &inputs[2..], slow, &["-o", "whole.mp4"]]);
    assert_eq!(expected.code, Some(0), "{}", expected.text);
    // Each run gets more time than the one before: on a busy machine the start alone may take seconds.
    let mut runs = 0;
    loop {
        runs += 1;
        assert!(runs < 60, "no end");
        let time = format!("{}ms", 600 * runs);
        let run = run(&desk, &[inputs, slow, &["--max-runtime", &time, "--if-exists", "skip"]]);
        if run.code == Some(0) {
            break;
        }
        assert_eq!(run.code, Some(75), "{}", run.text);
        assert!(run.text.contains("time is up"), "{}", run.text);
        assert!(run.text.contains("run again to continue"), "{}", run.text);
    }
    assert!(runs > 1, "time was never up");
    assert_eq!(fs::read(desk.path("a.monet.mp4")).unwrap(), fs::read(desk.path("whole.mp4")).unwrap());
}

#[test]
fn a_time_that_is_up_at_once_begins_no_job() {
    let desk = Desk::new();
    desk.clip("a.mp4", CLIP);
    let run = run(&desk, &[&["a.mp4", "--max-runtime", "1ms"], PAINTED]);
    assert_eq!(run.code, Some(75), "{}", run.text);
    assert!(run.text.contains("time is up: 1 job was not begun; run again to continue"), "{}", run.text);
    assert!(!desk.path("a.monet.mp4").exists());
}

#[test]
fn mistakes_in_times_are_told() {
    let desk = Desk::new();
    desk.clip("a.mp4", CLIP);
    for (option, value) in [
        ("--until", "25:00"),
        ("--until", "soon"),
        ("--until", "2001-01-01T06:00"),
        ("--max-runtime", "7"),
        ("--max-runtime", "0s"),
        ("--nice", "20"),
        ("--nice", "x"),
    ] {
        let run = run(&desk, &[&["a.mp4", option, value], KEPT]);
        assert_eq!(run.code, Some(2), "{option} {value}: {}", run.text);
        assert!(run.text.contains(option), "{}", run.text);
    }
    let run = run(&desk, &[&["a.mp4", "--until", "6:00", "--max-runtime", "1h30m", "--nice", "3"], KEPT]);
    assert_eq!(run.code, Some(0), "{}", run.text);
}

#[cfg(target_os = "linux")]
#[test]
fn all_threads_give_way() {
    let desk = Desk::new();
    desk.clip("a.mp4", CLIP);
    let look = "sh -c 'for stat in /proc/$PPID/task/*/stat; do sed \"s/.*) //\" $stat | cut -d\" \" -f17; done > nice'";
    let run = run(&desk, &[&["a.mp4", "--nice", "7", "--notify", look], KEPT]);
    assert_eq!(run.code, Some(0), "{}", run.text);
    let nice = fs::read_to_string(desk.path("nice")).unwrap();
    // Holds whatever niceness the tests themselves run with.
    assert!(!nice.is_empty() && nice.lines().all(|line| line.parse::<i32>().unwrap() >= 7), "{nice}");
}
