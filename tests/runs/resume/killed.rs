//! Runs that are killed without warning.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::Desk;
use crate::resume::harness::{Dice, Job, KEPT, PAINTED, Run, SHORT};

/// Returns how often a job is killed in all, at instants spread over its whole length.
fn kills() -> usize {
    std::env::var("STYLIZE_VIDEO_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

#[test]
fn killed_at_random_instants_it_has_the_same_bytes() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", SHORT);
    let job = Job::new(&desk, &input, "out.mp4", PAINTED);
    let began = Instant::now();
    let expected = job.undisturbed();
    let length = began.elapsed();
    let mut dice = Dice(7);
    let (mut killed, mut finished, mut resumed) = (0, 0, 0);
    while killed < kills() {
        let instant = Instant::now() + length.mul_f64(0.3 + 0.6 * dice.share());
        let (met, run) = job.signalled_when(Signal::KILL, || Instant::now() >= instant);
        killed += usize::from(met);
        resumed += usize::from(run.text.contains("resumes after"));
        if job.is_done() {
            assert!(expected == job.bytes(), "after {killed} kills: {}", run.text);
            // A run that dies after the last rename leaves its work folder to the next run.
            job.remove();
            let _ = fs::remove_dir_all(job.work());
            finished += 1;
        }
    }
    assert!(expected == job.done(), "after the last kill");
    eprintln!("{killed} kills, {resumed} runs resumed, {} ended", finished + 1);
    assert!(resumed > kills() / 4, "runs do resume: {resumed} of {killed}");
}

#[test]
fn another_number_of_threads_changes_nothing_of_what_goes_on() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", SHORT);
    let options = "--backbone patches --size 96 --iterations 2,1 --checkpoint 3 --device cpu --codec ffv1";
    let options: Vec<&str> = options.split(' ').collect();
    let job = Job::new(&desk, &input, "out.mkv", &options);
    let expected = job.undisturbed();
    let (met, run) = job.signalled_when(Signal::KILL, || has(&job.work(), "part-000002"));
    assert!(met, "{}", run.text);
    let run = Run::of(job.command().env("OMP_NUM_THREADS", "2").output().unwrap());
    assert!(run.text.contains("resumes after") && run.text.contains("on the CPU, 1 thread\n"), "{}", run.text);
    assert!(expected == job.bytes(), "sums of one thread and of two differ in their last bits");
}

/// Kills a run of `job` when `moment` sees the expected file in the work folder or next to it, and lets another run
/// finish the job.
fn killed_when(job: &Job, expected: &BTreeMap<String, Vec<u8>>, what: &str, moment: impl Fn() -> bool) {
    let (met, run) = job.signalled_when(Signal::KILL, &moment);
    assert!(met, "{what} was not seen: {:?}, {}", run.code, run.text);
    if !job.is_done() {
        assert!(job.work().exists(), "{what}: the work folder stays");
        job.done();
    }
    assert!(*expected == job.bytes(), "{what}");
    job.remove();
}

fn has(folder: &Path, begin: &str) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries.filter_map(Result::ok).any(|entry| entry.file_name().to_string_lossy().starts_with(begin))
    })
}

#[test]
fn killed_in_each_phase_it_has_the_same_bytes() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", "-f lavfi -i testsrc2=s=320x240:r=25:d=3 -f lavfi -i sine=d=3 -c:a aac");
    let job = Job::new(&desk, &input, "out.mp4", KEPT);
    let (work, expected) = (job.work(), job.undisturbed());
    killed_when(&job, &expected, "the first part", || has(&work, "part-000001"));
    killed_when(&job, &expected, "a later part", || has(&work, "part-000004"));
    killed_when(&job, &expected, "the first manifest", || work.join("manifest.json").exists());
    killed_when(&job, &expected, "a manifest that is written", || has(&work, ".writing-") && has(&work, "part-000003"));
    killed_when(&job, &expected, "the parts joined", || work.join("mp4.pictures").exists());
    killed_when(&job, &expected, "the last pass", || work.join("result/out.mp4").exists());
    killed_when(&job, &expected, "the rename", || job.is_done());
}

#[test]
fn killed_outputs_of_every_kind_have_the_same_bytes() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", "-f lavfi -i testsrc2=s=96x72:r=25:d=2.4 -f lavfi -i sine=d=2.4 -c:a aac");
    for (output, more) in [
        ("out.mkv", &["--codec", "ffv1"][..]),
        ("out.mov", &["--codec", "prores"]),
        ("vp9.webm", &["--codec", "vp9"]),
        ("hevc.mp4", &["--codec", "hevc"]),
        ("out.gif", &[]),
        ("out.apng", &[]),
        ("pictures/f_%04d.png", &[]),
        ("filtered.mp4", &["--post-filter", "fps=10,scale=48:36"]),
    ] {
        // WebM cannot hold this sound, so the clip has none.
        let input = if output == "vp9.webm" {
            desk.clip("silent.mp4", "-f lavfi -i testsrc2=s=96x72:r=25:d=2.4")
        } else {
            input.clone()
        };
        let options: Vec<&str> = KEPT.iter().chain(more).copied().collect();
        let job = Job::new(&desk, &input, output, &options);
        let expected = job.undisturbed();
        let (met, _) = job.signalled_when(Signal::KILL, || job.parts() >= 2);
        assert!(met, "{output}");
        let run = job.run();
        assert!(run.code == Some(0) && run.text.contains("resumes after"), "{output}: {}", run.text);
        assert!(expected == job.bytes(), "{output}");
        assert!(!job.work().exists(), "{output}");
    }
}

#[test]
fn uneven_times_survive() {
    let desk = Desk::new();
    let even = desk.clip("even.mkv", "-f lavfi -i testsrc2=s=96x72:r=30:d=2 -f lavfi -i sine=d=2");
    let input = desk.path("in.mkv");
    crate::common::ffmpeg(
        ["-i".as_ref(), even.as_os_str()]
            .into_iter()
            .chain(
                [
                    "-vf",
                    "select='mod(n\\,3)*lt(mod(n\\,7)\\,5)',setpts=PTS+0.011/TB*mod(N\\,4)",
                    "-fps_mode",
                    "passthrough",
                ]
                .map(AsRef::as_ref),
            )
            .chain([input.as_os_str()]),
    );
    for output in ["out.mp4", "out.mkv"] {
        let job = Job::new(&desk, &input, output, &["--stylizer", "identity", "--checkpoint", "4"]);
        let expected = job.undisturbed();
        let (met, _) = job.signalled_when(Signal::KILL, || has(&job.work(), "part-000003"));
        assert!(met && expected == job.done(), "{output}");
        let verify = std::process::Command::new(env!("CARGO_BIN_EXE_stylize-video"))
            .args(["verify".as_ref(), input.as_os_str(), desk.path(output).as_os_str()])
            .output()
            .unwrap();
        assert!(verify.status.success(), "{output}: {}", String::from_utf8_lossy(&verify.stdout));
    }
}

#[test]
fn a_run_waits_no_longer_than_its_watch_dog() {
    // Tests the harness itself: if the moment never comes, the run ends normally.
    let desk = Desk::new();
    let input = desk.clip("in.mp4", "-f lavfi -i testsrc2=s=96x72:r=25:d=0.4");
    let job = Job::new(&desk, &input, "out.mp4", KEPT);
    let began = Instant::now();
    let (met, run) = job.signalled_when(Signal::KILL, || false);
    assert!(!met && run.code == Some(0) && began.elapsed() < Duration::from_secs(200));
}
