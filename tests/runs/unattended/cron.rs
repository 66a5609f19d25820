//! A script calls the program every minute. Clips arrive, one is broken, one is still growing, and the machine dies
//! twice.

use std::fs::{self, File};
use std::io::Write;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::{Desk, send};
use crate::unattended::{Run, age, clip, files, names, program, run};

const PAINT: &[&str] =
    &["--backbone", "patches", "--size", "64", "--iterations", "2,1", "--checkpoint", "2", "--device", "cpu"];
/// The number of frames of a clip that takes a while.
const FRAMES: u32 = 12;

fn cron(desk: &Desk, more: &[&str]) -> Run {
    run(program(desk).args(["inbox", "-o", "outbox"]).args(PAINT).args(more))
}

/// Starts a run and kills it once `output` has a finished part, before the job is complete.
fn dies(desk: &Desk, output: &str) {
    let mut child = program(desk).args(["inbox", "-o", "outbox"]).args(PAINT).stderr(Stdio::null()).spawn().unwrap();
    let work = desk.path(&format!("outbox/.{output}.stylize"));
    let part = || {
        fs::read_dir(&work).is_ok_and(|entries| {
            entries.flatten().filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"part-")).count() > 1
        })
    };
    until(&mut child, part);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(work.exists() && !desk.path(&format!("outbox/{output}")).exists(), "killed while it painted {output}");
}

fn until(child: &mut Child, moment: impl Fn() -> bool) {
    let began = Instant::now();
    while !moment() {
        assert!(child.try_wait().unwrap().is_none(), "the run was over before");
        assert!(began.elapsed() < Duration::from_secs(300), "the run hangs");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn every_clip_is_done_once_and_the_broken_one_is_told_once() {
    let desk = Desk::new();
    let first = clip(&desk, "clips/first.mp4", FRAMES);
    let second = clip(&desk, "clips/second.mkv", FRAMES);
    fs::create_dir(desk.path("inbox")).unwrap();

    // The inbox is still empty.
    let quiet = cron(&desk, &["-q"]);
    assert_eq!((quiet.code, quiet.text.as_str()), (Some(0), ""));

    // The first clip arrives, and the machine dies.
    fs::copy(&first, desk.path("inbox/first.mp4")).unwrap();
    age(&desk.path("inbox/first.mp4"));
    dies(&desk, "first.monet.mp4");

    // When work resumes, a broken clip and half of the second clip have arrived.
    let broken = desk.path("inbox/broken.mp4");
    fs::write(&broken, &fs::read(&first).unwrap()[..1000]).unwrap();
    age(&broken);
    let bytes = fs::read(&second).unwrap();
    let mut growing = File::create(desk.path("inbox/second.mkv")).unwrap();
    growing.write_all(&bytes[..bytes.len() / 2]).unwrap();
    let went_on = cron(&desk, &[]);
    assert_eq!(went_on.code, Some(1), "{}", went_on.text);
    assert!(went_on.says("resumes after") && went_on.says("error: inbox/broken.mp4: "), "{}", went_on.text);
    assert!(went_on.says("inbox/second.mkv: skipped, still being written"), "{}", went_on.text);
    assert!(went_on.says("1 done, 1 skipped, 1 failed"), "{}", went_on.text);

    // A minute later: the broken clip is not reported again.
    growing.write_all(&bytes[bytes.len() / 2..]).unwrap();
    drop(growing);
    let quiet = cron(&desk, &["-q"]);
    assert_eq!((quiet.code, quiet.text.as_str()), (Some(0), ""));

    // The second clip is complete, and the machine dies again.
    age(&desk.path("inbox/second.mkv"));
    dies(&desk, "second.monet.mkv");
    let went_on = cron(&desk, &[]);
    assert!(went_on.code == Some(0) && went_on.says("resumes after"), "{}", went_on.text);
    assert!(went_on.says("1 done, 2 skipped") && went_on.says("failed before, unchanged"), "{}", went_on.text);

    // Another broken file with that name is reported.
    fs::write(&broken, &fs::read(&first).unwrap()[..1100]).unwrap();
    age(&broken);
    assert_eq!([cron(&desk, &[]).code, cron(&desk, &[]).code], [Some(1), Some(0)]);

    // The outputs equal those of direct runs, and no other files are left.
    for input in ["first.mp4", "second.mkv"] {
        let direct = run(program(&desk).arg(format!("inbox/{input}")).args(["-o", "direct/"]).args(PAINT));
        assert_eq!(direct.code, Some(1), "the folder must be there: {}", direct.text);
        fs::create_dir_all(desk.path("direct")).unwrap();
        let direct = run(program(&desk).arg(format!("inbox/{input}")).args(["-o", "direct/"]).args(PAINT));
        assert_eq!(direct.code, Some(0), "{}", direct.text);
        let _ = fs::rename(desk.path("direct"), desk.path(&format!("direct-{input}")));
    }
    assert_eq!(names(&desk, "outbox"), ["first.monet.mp4", "second.monet.mkv"]);
    let mut direct = files(&desk, "direct-first.mp4");
    direct.extend(files(&desk, "direct-second.mkv"));
    assert!(files(&desk, "outbox") == direct, "bytes of direct runs");
    let hidden: Vec<_> = fs::read_dir(desk.path("outbox")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(hidden.len(), 3, "two results and the list of failures: {hidden:?}");
}

#[test]
fn another_run_at_work_is_no_failure() {
    let desk = Desk::new();
    clip(&desk, "inbox/a.mp4", FRAMES);
    let mut child = program(&desk).args(["inbox", "-o", "outbox"]).args(PAINT).stderr(Stdio::null()).spawn().unwrap();
    until(&mut child, || desk.path("outbox/.a.monet.mp4.stylize/manifest.json").exists());
    // It is still at work when the second run looks, however long that takes to start.
    send(&child, Signal::STOP).unwrap();
    let busy = cron(&desk, &[]);
    send(&child, Signal::CONT).unwrap();
    assert_eq!(busy.code, Some(75), "{}", busy.text);
    assert!(busy.says(&format!("another run works on this output: process {}", child.id())), "{}", busy.text);
    assert!(child.wait().unwrap().success());
    assert_eq!(cron(&desk, &[]).code, Some(0));
}
