//! Runs that are asked to stop.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::{Desk, send};
use crate::resume::harness::{CLIP, Job, KEPT, PAINTED, SHORT};

/// Returns the number of painted frames according to the manifest.
fn painted(job: &Job) -> usize {
    let Ok(text) = fs::read_to_string(job.work().join("manifest.json")) else { return 0 };
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    let parts = manifest["parts"].as_array().unwrap().iter();
    let sealed: usize = parts.map(|part| part["part"]["shown"].as_array().unwrap().len()).sum();
    sealed + manifest["tail"]["shown"].as_array().map_or(0, Vec::len)
}

#[test]
fn stopped_again_and_again_no_frame_is_lost() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", SHORT);
    let job = Job::new(&desk, &input, "out.mp4", PAINTED);
    let expected = job.undisturbed();
    let mut before = 0;
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::TERM, 143)] {
        let mut since = None;
        // Waits a little after the first new part, so that another one is in progress.
        let (met, run) = job.signalled_when(signal, || {
            if since.is_none() && painted(&job) > before {
                since = Some(Instant::now());
            }
            since.is_some_and(|since| since.elapsed() > Duration::from_millis(100))
        });
        if !met {
            // On a fast machine the run finished first.
            assert_eq!(run.code, Some(0), "{}", run.text);
            break;
        }
        if job.is_done() {
            break;
        }
        assert_eq!(run.code, Some(code), "{}", run.text);
        assert!(run.text.contains("interrupted after"), "{}", run.text);
        let now = painted(&job);
        assert!(now > before, "{now} after {before}");
        before = now;
    }
    if !job.is_done() {
        job.done();
    }
    assert!(expected == job.bytes());
    assert!(!job.work().exists());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", CLIP);
    // The first frame alone would take hours.
    let options = ["--backbone", "patches", "--size", "256", "--iterations", "100000,1", "--device", "cpu"];
    let job = Job::new(&desk, &input, "out.mp4", &options);
    let mut child = job.start();
    while !job.work().join("lock").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_secs(2));
    send(&child, Signal::TERM).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert!(child.try_wait().unwrap().is_none(), "the first one waits for the frame");
    send(&child, Signal::TERM).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(15), "{status}");
}

#[test]
fn another_run_says_who_is_at_work() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", "-f lavfi -i testsrc2=s=320x240:r=25:d=3");
    let job = Job::new(&desk, &input, "out.mp4", KEPT);
    let mut first = job.start();
    while !job.work().join("manifest.json").exists() {
        assert!(first.try_wait().unwrap().is_none(), "it is at work");
        std::thread::sleep(Duration::from_millis(1));
    }
    // It is still at work when the second run looks, however long that takes to start.
    send(&first, Signal::STOP).unwrap();
    let second = job.run();
    send(&first, Signal::CONT).unwrap();
    let pid = first.id().to_string();
    assert!(second.text.contains("another run works on this output") && second.text.contains(&pid), "{}", second.text);
    assert_eq!(second.code, Some(75), "{}", second.text);
    assert!(first.wait().unwrap().success());
    assert!(job.is_done() && !job.work().exists());
}

#[test]
fn what_is_worth_nothing_does_not_stay() {
    let desk = Desk::new();
    let input = desk.path("in.mp4");
    fs::write(&input, b"no video at all, but long enough to be read as something").unwrap();
    let job = Job::new(&desk, &input, "out.mp4", KEPT);
    assert_eq!(job.run().code, Some(1));
    let left: Vec<_> = fs::read_dir(desk.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["in.mp4"]);
}

/// The initial contents of allocated memory must not matter, because a resumed run finds different contents. (This
/// variable tells glibc what to fill memory with.)
#[test]
fn the_bytes_do_not_depend_on_what_memory_held() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", SHORT);
    for options in [KEPT, PAINTED] {
        let job = Job::new(&desk, &input, "out.mp4", options);
        let bytes = |fill: &str| {
            let done = job.command().env("MALLOC_PERTURB_", fill).output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            let bytes = job.bytes();
            job.remove();
            bytes
        };
        let expected = bytes("0");
        assert!(["1", "85", "170"].iter().all(|fill| bytes(fill) == expected), "{options:?}");
    }
}
