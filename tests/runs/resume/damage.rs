//! Resuming from damaged work folders, and runs on a full disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use crate::common::Desk;
use crate::resume::harness::{CLIP, Job, KEPT, PAINTED, Run, SHORT};

/// Kills a run so that it leaves a work folder with at least `parts` parts.
pub fn begun(job: &Job, parts: usize) {
    let (met, run) = job.signalled_when(Signal::KILL, || job.parts() >= parts);
    assert!(met, "{}", run.text);
}

/// Returns the first file in the work folder whose name begins with `begin`.
fn file(work: &Path, begin: &str) -> PathBuf {
    let entries = fs::read_dir(work).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> =
        entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(begin)).collect();
    found.sort();
    found.swap_remove(0)
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_work_folder_costs_time_and_nothing_else() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", SHORT);
    let job = Job::new(&desk, &input, "out.mp4", PAINTED);
    let expected = job.undisturbed();
    let work = job.work();
    let flip = |path: PathBuf| change(&path, |bytes| bytes[200] ^= 4);
    type Harm<'a> = (&'a str, &'a str, &'a dyn Fn());
    let harms: [Harm<'_>; 9] = [
        ("a part is gone", "missing or damaged", &|| fs::remove_file(file(&work, "part-")).unwrap()),
        ("a part is damaged", "missing or damaged", &|| flip(file(&work, "part-"))),
        ("the state is gone", "missing or damaged", &|| fs::remove_file(file(&work, "state-")).unwrap()),
        ("the state is damaged", "missing or damaged", &|| flip(file(&work, "state-"))),
        ("the manifest is cut off", "cannot be read", &|| {
            change(&work.join("manifest.json"), |bytes| bytes.truncate(bytes.len() / 2));
        }),
        ("the manifest is of another version", "another version", &|| {
            let path = work.join("manifest.json");
            let text = fs::read_to_string(&path).unwrap().replacen("\"format\":2", "\"format\":99", 1);
            fs::write(path, text).unwrap();
        }),
        ("the manifest asks for the moon", "cannot be read", &|| {
            let path = work.join("manifest.json");
            let text = fs::read_to_string(&path).unwrap().replacen("\"threads\":1,", "\"threads\":4294967295,", 1);
            assert!(text.contains("4294967295"));
            fs::write(path, text).unwrap();
        }),
        ("the manifest is gone", "", &|| fs::remove_file(work.join("manifest.json")).unwrap()),
        ("a stranger's file", "resumes after", &|| fs::write(work.join("part-000099.mp4"), "mine").unwrap()),
    ];
    // One killed run is enough: each harm is done to a copy of what it left.
    begun(&job, 4);
    let left = desk.path("left");
    fs::rename(&work, &left).unwrap();
    for (what, told, harm) in harms {
        let copied = Command::new("cp").arg("-a").args([&left, &work]).status().unwrap();
        assert!(copied.success(), "{what}");
        harm();
        let run = job.run();
        assert!(run.code == Some(0) && run.text.contains(told), "{what}: {}", run.text);
        assert!(expected == job.bytes(), "{what}");
        assert!(!work.exists(), "{what}");
        job.remove();
    }
}

#[test]
fn a_manifest_leads_nowhere_else() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", CLIP);
    let job = Job::new(&desk, &input, "out.mp4", KEPT);
    let expected = job.undisturbed();
    begun(&job, 1);
    let path = job.work().join("manifest.json");
    let text = fs::read_to_string(&path).unwrap().replace("part-000001.mp4", "../in.mp4");
    fs::write(&path, text).unwrap();
    assert!(expected == job.done());
    assert!(input.exists());
}

#[test]
fn another_job_starts_over_and_says_why() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", SHORT);
    let job = Job::new(&desk, &input, "out.mp4", PAINTED);
    begun(&job, 2);
    let more: Vec<&str> = PAINTED.iter().copied().chain(["--seed", "9"]).collect();
    let other = Job::new(&desk, &input, "out.mp4", &more);
    let run = other.run();
    assert!(run.code == Some(0) && run.text.contains("starts over because the settings have changed"), "{}", run.text);
    let bytes = other.bytes();
    other.remove();
    assert!(bytes == other.undisturbed());
    begun(&job, 2);
    let kept: Vec<&str> = PAINTED.iter().copied().chain(["--no-resume"]).collect();
    let run = Job::new(&desk, &input, "out.mp4", &kept).run();
    assert!(run.code == Some(0) && !run.text.contains("resumes after"), "{}", run.text);
    job.remove();
    // The same bytes under another name and date still identify the same job.
    begun(&job, 2);
    let renamed = desk.path("renamed.mp4");
    fs::copy(&input, &renamed).unwrap();
    let run = Job::new(&desk, &renamed, "out.mp4", PAINTED).run();
    assert!(run.code == Some(0) && run.text.contains("resumes after"), "{}", run.text);
}

#[test]
fn a_full_disk_loses_nothing() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", SHORT);
    let job = Job::new(&desk, &input, "out.mp4", PAINTED);
    let expected = job.undisturbed();
    // A limit on file size fails where a full disk would: the smaller parts fit, but the state or the last pass does
    // not.
    let sizes = [1, 4, 40, 200, 1000];
    let mut refused = 0;
    for kilobytes in sizes {
        let plain = job.command();
        let mut limited = Command::new("bash");
        limited.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {kilobytes}; exec \"$0\" \"$@\""));
        limited.arg(plain.get_program()).args(plain.get_args()).current_dir(desk.path(""));
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => limited.env(name, value),
                None => limited.env_remove(name),
            };
        }
        let run = Run::of(limited.output().unwrap());
        if run.code == Some(0) {
            assert!(expected == job.bytes(), "{kilobytes} KB");
            job.remove();
            continue;
        }
        refused += 1;
        assert_eq!(run.code, Some(1), "{kilobytes} KB: {}", run.text);
        assert!(run.text.contains("ulimit -f"), "{kilobytes} KB: {}", run.text);
        assert!(!job.is_done(), "{kilobytes} KB");
    }
    assert!(refused >= 3, "{refused} of {} limits were felt", sizes.len());
    if !job.is_done() {
        job.done();
    }
    assert!(expected == job.bytes());
}
