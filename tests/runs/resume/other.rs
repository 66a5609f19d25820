//! Another job with the same output, and inputs that change while a job runs.

use std::fs;

use rustix::process::Signal;

use crate::common::{Desk, send};
use crate::resume::damage::begun;
use crate::resume::harness::{Job, KEPT, PAINTED, SHORT};

#[test]
fn a_slip_costs_nothing_of_what_was_painted() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", SHORT);
    let job = Job::new(&desk, &input, "out.mp4", PAINTED);
    let expected = job.undisturbed();
    begun(&job, 4);
    // A job that fails before it has painted anything.
    for slip in ["output.encoder_options=[\"nope=1\"]", "output.codec=libnope", "network.backbone=vgg19"] {
        let options: Vec<&str> =
            PAINTED.iter().skip(2).chain(&["--weights-dir", ".", "--set", slip]).copied().collect();
        let slipped = Job::new(&desk, &input, "out.mp4", &options).run();
        assert!(
            slipped.code != Some(0) && slipped.text.contains("also kept, of the earlier command, "),
            "{}",
            slipped.text
        );
    }
    // A mistaken job that the user notices and stops.
    let options = "--backbone patches --size 64 --iterations 2,1 --checkpoint 1000 --device cpu --seed 7";
    let options: Vec<&str> = options.split(' ').collect();
    let other = Job::new(&desk, &input, "out.mp4", &options);
    // The work set aside by the earlier mistakes is already here, so the lock shows when this run is active.
    let before = std::time::SystemTime::now();
    let lock = job.work().join("lock");
    let (met, run) = other.signalled_when(Signal::INT, || {
        let locked = fs::metadata(&lock).and_then(|data| data.modified());
        locked.is_ok_and(|locked| locked > before) && job.work().join("former/manifest.json").exists()
    });
    assert!(met, "{}", run.text);
    assert!(run.text.contains("starts over because the settings have changed since"), "{}", run.text);
    let run = job.run();
    assert!(run.code == Some(0) && run.text.contains("resumes after"), "{}", run.text);
    assert!(expected == job.bytes() && !job.work().exists());
    // Once the new job has progress worth keeping, the earlier progress is removed.
    job.remove();
    begun(&job, 2);
    begun(&other, 1);
    assert!(!job.work().join("former").exists());
    assert!(other.done() != expected && !job.work().exists());
}

#[test]
fn a_disk_that_fails_for_now_has_damaged_nothing() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", "-f lavfi -i testsrc2=s=96x72:r=25:d=2.4");
    let job = Job::new(&desk, &input, "out.mkv", KEPT);
    let expected = job.undisturbed();
    begun(&job, 2);
    let (manifest, aside) = (job.work().join("manifest.json"), desk.path("aside"));
    fs::rename(&manifest, &aside).unwrap();
    // The manifest is neither present nor missing: looking it up fails.
    std::os::unix::fs::symlink("manifest.json", &manifest).unwrap();
    let run = job.run();
    assert!(run.code == Some(1) && run.text.contains("manifest.json: the job's progress"), "{}", run.text);
    fs::rename(&aside, &manifest).unwrap();
    let run = job.run();
    assert!(run.code == Some(0) && run.text.contains("resumes after"), "{}", run.text);
    assert!(expected == job.bytes());
}

#[test]
fn an_input_that_is_replaced_meanwhile_is_not_mixed_with_the_other() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", SHORT);
    let other = desk.clip("other.mp4", &SHORT.replace("mandelbrot", "testsrc").replace("sine=", "sine=f=900:"));
    let job = Job::new(&desk, &input, "out.mp4", PAINTED);
    let expected = job.undisturbed();
    // Touched, but with the same contents.
    let meanwhile = |change: &dyn Fn()| {
        let mut changed = false;
        let (_, run) = job.signalled_when(Signal::KILL, || {
            if !changed && job.parts() > 1 {
                change();
                changed = true;
            }
            false
        });
        assert!(changed);
        run
    };
    let run = meanwhile(&|| {
        fs::copy(&input, desk.path("copy.mp4")).unwrap();
        fs::rename(desk.path("copy.mp4"), &input).unwrap();
    });
    assert!(run.code == Some(0) && expected == job.bytes(), "{}", run.text);
    job.remove();
    let run = meanwhile(&|| {
        fs::copy(&other, desk.path("copy.mp4")).unwrap();
        fs::rename(desk.path("copy.mp4"), &input).unwrap();
    });
    assert!(run.code == Some(1) && run.text.contains("the input has changed while it was worked on"), "{}", run.text);
    assert!(!job.is_done());
    let bytes = job.done();
    assert!(bytes == Job::new(&desk, &other, "out.mp4", PAINTED).bytes(), "of the other alone");
}

#[test]
fn outputs_may_be_called_as_our_own_files() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", "-f lavfi -i testsrc2=s=96x72:r=25:d=1.2");
    // The longest possible file name: the work folder then needs a different name.
    Job::new(&desk, &input, &format!("{}.gif", "n".repeat(251)), KEPT).done();
    for output in ["part-000001.mp4", "mp4.pictures.mp4", "lock/f_%02d.png", "manifest.json/f_%02d.png"] {
        let job = Job::new(&desk, &input, output, KEPT);
        let expected = job.undisturbed();
        begun(&job, 2);
        let run = job.run();
        assert!(run.code == Some(0) && run.text.contains("resumes after"), "{output}: {}", run.text);
        assert!(expected == job.bytes(), "{output}");
    }
}

#[test]
fn pictures_for_the_folder_one_stands_in_are_gone_on_with() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", "-f lavfi -i testsrc2=s=96x72:r=25:d=1.2");
    let here = desk.path("here");
    fs::create_dir(&here).unwrap();
    let run = |stop: bool| {
        let mut job = Job::new(&desk, &input, "f_%03d.png", KEPT).command();
        let mut child = job.current_dir(&here).spawn().unwrap();
        let manifest = here.join(".pictures.stylize/manifest.json");
        while stop && child.try_wait().unwrap().is_none() && !manifest.exists() {
            std::thread::sleep(std::time::Duration::from_micros(200));
        }
        if stop {
            send(&child, Signal::KILL).unwrap();
        }
        let out = child.wait_with_output().unwrap();
        (out.status.success(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    run(true);
    assert!(here.join(".pictures.stylize/manifest.json").exists());
    // As if the run had died while it moved the pictures into place.
    let first = fs::read_dir(here.join(".pictures.stylize/result/pictures")).unwrap().next().unwrap().unwrap();
    fs::hard_link(first.path(), here.join(first.file_name())).unwrap();
    let (good, text) = run(false);
    assert!(good && text.contains("resumes after"), "{text}");
    assert_eq!(fs::read_dir(&here).unwrap().count(), 31, "30 pictures, and what says so");
}

#[test]
fn pictures_of_another_job_do_not_come_out_with_a_stream() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", "-f lavfi -i testsrc2=s=96x72:r=25:d=2");
    let short = desk.clip("short.mkv", "-f lavfi -i testsrc=s=96x72:r=25 -frames:v 7 -c:v ffv1");
    let job = Job::new(&desk, &input, "o/f_%03d.png", KEPT);
    let expected = job.undisturbed();
    begun(&job, 3);
    let stream = Job::new(&desk, std::path::Path::new("-"), "o/f_%03d.png", KEPT);
    let with = |bytes: &std::path::Path| stream.command().stdin(fs::File::open(bytes).unwrap()).output().unwrap();
    // A job that fails does not harm the other one.
    fs::write(desk.path("none"), "no video").unwrap();
    assert!(!with(&desk.path("none")).status.success());
    let run = job.run();
    assert!(run.code == Some(0) && run.text.contains("resumes after"), "{}", run.text);
    assert!(expected == job.bytes());
    job.remove();
    begun(&job, 3);
    let out = with(&short);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(stream.bytes().len(), 7 + 1, "with what says so");
    assert!(!job.work().exists());
}
