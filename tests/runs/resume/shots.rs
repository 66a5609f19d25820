//! Shots that separate processes paint, and the output that is joined from their parts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::common::Desk;
use crate::resume::damage::begun;
use crate::resume::harness::{Job, KEPT, PAINTED, Run};

/// A clip with sound of three shots, which begin at frames 0, 11 and 30 and end at 40.
const THREE: &str = "-f lavfi -i testsrc2=s=96x72:r=25:d=0.44 -f lavfi -i mandelbrot=s=96x72:r=25 \
    -f lavfi -i smptebars=s=96x72:r=25:d=0.4 -f lavfi -i sine=d=1.6 -filter_complex \
    [0]format=yuv420p[a];[1]trim=duration=0.76,format=yuv420p,setpts=PTS-STARTPTS[b];[2]format=yuv420p[c];\
    [a][b][c]concat=n=3[v] -map [v] -map 3 -c:v libx264 -c:a aac";

/// Returns the work folder of a run that paints `shots` of `job`.
fn folder(job: &Job, shots: &str) -> PathBuf {
    let (from, to) = shots.split_once("..").unwrap();
    let to = if to.is_empty() { "end" } else { to };
    job.desk.path(&format!(".{}.shots-{from}-{to}.stylize", job.result))
}

fn shots_command(job: &Job, shots: &str) -> Command {
    let mut command = job.command();
    command.args(["--shots", shots]);
    command
}

/// Paints `shots`, which must be a success that leaves a work folder and no output.
fn paint(job: &Job, shots: &str) {
    let run = Run::of(shots_command(job, shots).output().unwrap());
    assert_eq!(run.code, Some(0), "{shots}: {}", run.text);
    assert!(folder(job, shots).join("manifest.json").exists() && !job.is_done(), "{shots}");
}

fn join(job: &Job, folders: &[PathBuf]) -> Run {
    let mut command = job.command();
    folders.iter().for_each(|folder| {
        command.arg("--join").arg(folder);
    });
    Run::of(command.output().unwrap())
}

fn join_shots(job: &Job, shots: &[&str]) -> Run {
    join(job, &shots.iter().map(|shots| folder(job, shots)).collect::<Vec<_>>())
}

fn manifest(work: &Path) -> Value {
    serde_json::from_slice(&fs::read(work.join("manifest.json")).unwrap()).unwrap()
}

fn write_manifest(work: &Path, manifest: &Value) {
    fs::write(work.join("manifest.json"), manifest.to_string()).unwrap();
}

/// Returns shot, first frame and length of each part in the manifest.
fn places(work: &Path) -> Vec<(u64, u64, usize)> {
    let parts = manifest(work)["parts"].as_array().unwrap().clone();
    let place = |part: &Value| {
        let number = |key: &str| part["place"][key].as_u64().unwrap();
        (number("shot"), number("first"), part["part"]["shown"].as_array().unwrap().len())
    };
    parts.iter().map(place).collect()
}

#[test]
fn shots_of_separate_processes_join_to_the_bytes_of_one_run() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", THREE);
    let filtered: Vec<&str> = KEPT.iter().copied().chain(["--post-filter", "tmix=frames=3"]).collect();
    let raw: Vec<&str> = KEPT.iter().copied().chain(["--codec", "ffv1"]).collect();
    let cases: [(&str, &[&str]); 5] =
        [("out.mp4", KEPT), ("out.mkv", &raw), ("out.gif", KEPT), ("o/f_%03d.png", KEPT), ("f.mp4", &filtered)];
    for (output, options) in cases {
        let job = Job::new(&desk, &input, output, options);
        let expected = job.undisturbed();
        // Whole runs and confined ones do not disturb each other.
        paint(&job, "1..");
        paint(&job, "0..1");
        assert_eq!(places(&folder(&job, "0..1")), [(0, 0, 10), (0, 10, 1)], "{output}");
        assert_eq!(places(&folder(&job, "1..")), [(1, 11, 10), (1, 21, 9), (2, 30, 10)], "{output}");
        let run = join_shots(&job, &["0..1", "1.."]);
        assert_eq!(run.code, Some(0), "{output}: {}", run.text);
        assert!(expected == job.bytes(), "{output}");
        assert!(!job.work().exists() && folder(&job, "1..").exists(), "{output}");
    }
}

#[test]
fn painted_shots_join_to_the_same_bytes_though_a_run_is_killed() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", THREE);
    let job = Job::new(&desk, &input, "out.mp4", PAINTED);
    let expected = job.undisturbed();
    paint(&job, "0..1");
    let options: Vec<&str> = PAINTED.iter().copied().chain(["--shots", "1..3"]).collect();
    let second = Job { options: &options, result: "out.mp4.shots-1-3", ..Job::new(&desk, &input, "out.mp4", &[]) };
    assert_eq!(second.work(), folder(&job, "1..3"));
    begun(&second, 2);
    assert!(second.parts() < 11 && !second.work().join("result/out.mp4").exists());
    let early = join_shots(&job, &["0..1", "1..3"]);
    assert!(early.code == Some(1) && early.text.contains("(frames "), "{}", early.text);
    // A tail is kept as well.
    let before = second.parts();
    second.signalled_when(Signal::TERM, || second.parts() > before);
    let run = second.run();
    assert!(run.code == Some(0) && run.text.contains("resumes after"), "{}", run.text);
    let shots: Vec<u64> = places(&second.work()).iter().map(|place| place.0).collect();
    // 19 and 10 frames, a part for every 3.
    assert_eq!(shots, [1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2]);
    // Run again, it finds everything painted.
    let run = second.run();
    assert!(run.code == Some(0) && run.text.contains("resumes after 29 "), "{}", run.text);
    let options: Vec<&str> = PAINTED
        .iter()
        .copied()
        .chain(["--join", ".out.mp4.shots-0-1.stylize", "--join", ".out.mp4.shots-1-3.stylize"])
        .collect();
    let joined = Job::new(&desk, &input, "out.mp4", &options);
    joined.signalled_when(Signal::KILL, || joined.work().join("manifest.json").exists());
    if !job.is_done() {
        let run = joined.run();
        assert_eq!(run.code, Some(0), "{}", run.text);
    }
    assert!(expected == job.bytes());
}

#[test]
fn missing_shots_are_named() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", THREE);
    let job = Job::new(&desk, &input, "out.mp4", KEPT);
    ["0..1", "1..2", "2..99"].into_iter().for_each(|shots| paint(&job, shots));
    let cases: [(&[&str], &str); 5] = [
        (&["0..1", "2..99"], "given work folders, counted from 0: shots 1..2 (frames 11..30);"),
        (&["1..2"], "from 0: shots 0..1 (frames 0..11), shots 2.. (frames 30..);"),
        (&["0..1", "1..2"], "from 0: shots 2.. (frames 30..);"),
        (&["2..99"], "from 0: shots 0..2 (frames 0..30);"),
        (&["0..1"], "from 0: shots 1.. (frames 11..);"),
    ];
    for (shots, told) in cases {
        let run = join_shots(&job, shots);
        assert!(run.code == Some(1) && run.text.contains(told), "{shots:?}: {}", run.text);
        assert!(!job.is_done() && !job.work().exists());
    }
    assert_eq!(join_shots(&job, &["2..99", "0..1", "1..2"]).code, Some(0));
}

#[test]
fn twins_are_accepted_if_they_are_equal() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", THREE);
    let job = Job::new(&desk, &input, "out.mp4", KEPT);
    let expected = job.undisturbed();
    paint(&job, "0..2");
    paint(&job, "1..3");
    let run = join_shots(&job, &["1..3", "0..2"]);
    assert_eq!(run.code, Some(0), "{}", run.text);
    assert!(expected == job.bytes());
    job.remove();

    let twin = folder(&job, "1..3");
    let part = twin.join("part-000001.mp4");
    let mut bytes = fs::read(&part).unwrap();
    bytes.push(0);
    // The part of the other folder is another file.
    fs::remove_file(&part).unwrap();
    fs::write(&part, &bytes).unwrap();
    let run = join_shots(&job, &["1..3", "0..2"]);
    assert!(run.code == Some(1) && run.text.contains("missing or damaged"), "{}", run.text);
    let mut changed = manifest(&twin);
    let piece = &mut changed["parts"][0]["part"]["files"][0];
    piece["bytes"] = bytes.len().into();
    piece["sha256"] = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>().into();
    write_manifest(&twin, &changed);
    let run = join_shots(&job, &["0..2", "1..3"]);
    assert!(run.code == Some(1) && run.text.contains("differ in frames 11..21"), "{}", run.text);
    assert!(!job.is_done());
}

#[test]
fn only_whole_parts_of_the_same_job_are_joined() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", THREE);
    let job = Job::new(&desk, &input, "out.mp4", KEPT);
    paint(&job, "0..");
    let all = folder(&job, "0..");
    let options: Vec<&str> = KEPT.iter().copied().chain(["--crf", "30"]).collect();
    let other = Job::new(&desk, &input, "out.mp4", &options);
    let refused = |job: &Job, folder: &Path, told: &str| {
        let run = join(job, &[folder.into()]);
        assert!(run.code == Some(1) && run.text.contains(told), "{told}: {}", run.text);
        assert!(!job.is_done() && !job.work().exists());
    };
    refused(&other, &all, "it belongs to another job: the settings have changed");
    refused(&job, &desk.path("nowhere"), "it is no work folder");
    let part = all.join("part-000002.mp4");
    let bytes = fs::read(&part).unwrap();
    fs::write(&part, &bytes[1..]).unwrap();
    refused(&job, &all, "part-000002.mp4 is missing or damaged");
    // The command that made the part repairs it.
    paint(&job, "0..");
    let mut outside = manifest(&all);
    outside["parts"][0]["part"]["files"][0]["name"] = "../in.mp4".into();
    write_manifest(&all, &outside);
    refused(&job, &all, "missing or damaged");
    // A gap between two parts is no progress of ours.
    outside["parts"].as_array_mut().unwrap().remove(1);
    write_manifest(&all, &outside);
    refused(&job, &all, "damaged: the part at frame 10 claims another place");
}

#[test]
fn what_cannot_be_split_is_refused_before_anything_is_painted() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", THREE);
    let picture = desk.clip("one.png", "-f lavfi -i testsrc2=s=96x72 -frames:v 1");
    let refused = |input: &Path, output: &str, more: &[&str], code: i32, told: &str| {
        let options: Vec<&str> = KEPT.iter().chain(more).copied().collect();
        let run = Job::new(&desk, input, output, &options).run();
        assert!(run.code == Some(code) && run.text.contains(told), "{more:?}: {:?} {}", run.code, run.text);
    };
    refused(&input, "-", &["--shots", "0..1", "--format", "nut"], 2, "a stream");
    refused(Path::new("-"), "out.mp4", &["--shots", "0..1"], 2, "a stream");
    refused(&picture, "out.png", &["--shots", "0..1"], 2, "a single picture");
    refused(&input, "out.mp4", &["--shots", "0..1", "--loop"], 2, "--loop");
    refused(&input, "out.mp4", &["--shots", "1..1"], 2, "no range of shots");
    refused(&input, "out.mp4", &["--shots", "0..1", "--join", "x"], 2, "cannot be used with");
    refused(&input, ".", &["--shots", "0..1", "one.png"], 2, "one input; here are 2");
    refused(&input, "out.mp4", &["--shots", "7..9"], 1, "there is no shot 7, counted from 0: the source has 3");
    let left = fs::read_dir(desk.path("")).unwrap().count();
    assert_eq!(left, 2, "the two inputs");
}

#[test]
fn a_run_that_an_earlier_version_began_goes_on() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", THREE);
    let job = Job::new(&desk, &input, "out.mp4", PAINTED);
    let expected = job.undisturbed();
    begun(&job, 4);
    let mut old = manifest(&job.work());
    let fields = old.as_object_mut().unwrap();
    assert!(fields.remove("first").is_some() && fields.remove("shots").is_some());
    for part in old["parts"].as_array_mut().unwrap() {
        assert!(part.as_object_mut().unwrap().remove("place").is_some());
    }
    write_manifest(&job.work(), &old);
    let run = job.run();
    assert!(run.code == Some(0) && run.text.contains("resumes after"), "{}", run.text);
    assert!(expected == job.bytes());
}
