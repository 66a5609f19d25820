//! Damaged media of each container: no panic, no hang, and only complete outputs.
//!
//! `STYLIZE_VIDEO_TEST_SWEEP=300` sets the number of variants of each container, which is otherwise small;
//! `scripts/corrupt_sweep` does this with an optimised build. The first few go through the command line. Starting the
//! program takes longer than processing such a clip, so the others run inside this process.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use stylize_video::batch::plan::{self, Folders, Request};
use stylize_video::batch::{self, JobGroup, RunContext, RunOptions};
use stylize_video::decode::{self, DecodeError};
use stylize_video::interrupt::CancelToken;
use stylize_video::job::Engine;
use stylize_video::media::Input;
use stylize_video::motion::SuppliedMotion;
use stylize_video::report::{Event, Observer, Outcome};
use stylize_video::settings::{IfExists, InputSettings, Resolved, Settings};

use crate::common::clips::{Clip, random};
use crate::common::{ALL, Desk, plain_request};

/// The default number of variants of each container, and the number of variants that go through the command line.
const FEW: usize = 5;
/// A run on such a clip takes a fraction of a second, but the machine may be busy.
const WATCHDOG: Duration = Duration::from_secs(60);

/// A file name, and the `ffmpeg` options that make it.
const KINDS: [(&str, &str); 11] = [
    ("mp4", "-c:v libx264 -preset veryfast -pix_fmt yuv420p -c:a aac"),
    ("mkv", "-c:v libx264 -preset veryfast -pix_fmt yuv420p -c:a flac"),
    ("mov", "-c:v prores_ks -c:a pcm_s16le"),
    ("webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus"),
    ("ts", "-c:v mpeg2video -c:a mp2"),
    ("avi", "-c:v mpeg4 -c:a mp3"),
    ("gif", "-an"),
    ("apng", "-an -f apng -plays 0"),
    ("webp", "-an -c:v libwebp_anim"),
    ("png", "-an -frames:v 1"),
    ("jpg", "-an -frames:v 1"),
];

fn wanted() -> usize {
    std::env::var("STYLIZE_VIDEO_TEST_SWEEP").ok().and_then(|text| text.parse().ok()).unwrap_or(FEW)
}

/// Returns variant `number` of the bytes: truncated, or with a few bytes changed; in half of the variants the changes
/// are at the beginning, which contains the lengths.
fn damaged(whole: &[u8], number: usize) -> Vec<u8> {
    let mut below = random(number as u64 + 1);
    let mut bytes = whole.to_vec();
    match number % 4 {
        0 => bytes.truncate(below(whole.len())),
        1 => {
            for _ in 0..1 + below(4) {
                let at = below(whole.len());
                bytes[at] ^= 1 << below(8);
            }
        }
        2 => {
            for _ in 0..1 + below(64) {
                let at = below(whole.len());
                bytes[at] = below(256) as u8;
            }
        }
        _ => {
            for _ in 0..1 + below(3) {
                let at = below(whole.len().min(1024));
                bytes[at] = [0xff, 0x7f, 0x00, 0x80, 0x01][below(5)];
            }
        }
    }
    bytes
}

/// Runs the program and returns its exit code, or what went wrong.
fn run(desk: &Desk, input: &Path, output: &Path) -> Result<i32, String> {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("stylize-video"));
    command.current_dir(desk.path("")).args(["--stylizer", "identity", "--max-corrupt", "1000"]).arg(input);
    command.env("XDG_CONFIG_HOME", desk.path("config")).env("OMP_NUM_THREADS", "1");
    command.arg("-o").arg(output).stdin(Stdio::null()).stdout(Stdio::null());
    let log = output.with_extension("log");
    command.stderr(std::fs::File::create(&log).unwrap());
    let mut child = command.spawn().unwrap();
    let began = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if began.elapsed() > WATCHDOG => {
                child.kill().unwrap();
                child.wait().unwrap();
                return Err(format!("hangs: {input:?}"));
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let said = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    match status.code() {
        None => Err(format!("ended by a signal ({status}): {said}")),
        Some(code) if said.contains("panicked") => Err(format!("exit code {code}: {said}")),
        Some(code @ (0 | 1)) => Ok(code),
        Some(code) if is_other_kind(code, &said) => Ok(code),
        Some(code) => Err(format!("exit code {code}: {said}")),
    }
}

/// Collects error messages.
#[derive(Default)]
struct Said(Mutex<String>);

impl Observer for Said {
    fn event(&self, event: &Event) {
        if let Event::Failed { error, .. } = event {
            self.0.lock().unwrap().push_str(error);
        }
    }
}

/// Does in this process what [`run`] does in a separate one.
pub fn run_here(input: &Path, output: &Path) -> Result<i32, String> {
    let (input, output) = (input.to_path_buf(), output.to_path_buf());
    let what = format!("{input:?}");
    let (send, receive) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let mut settings = Settings::default();
        settings.input.max_corrupt = 1000;
        let resolved = Resolved { settings, preset: "x".into(), preset_hash: String::new(), if_exists: None };
        let inputs = [input];
        let folders = Folders::default();
        let request = Request {
            inputs: &inputs,
            output: Some(&output),
            input_format: "",
            preset: "x",
            format: "",
            range: ALL,
            if_exists: Some(IfExists::Fail),
            ..plain_request(&folders)
        };
        let said = Said::default();
        let code = match plan::plan(&request) {
            Err(error) => {
                said.0.lock().unwrap().push_str(&error.to_string());
                error.exit_code().into()
            }
            Ok(planned) => {
                let (supplied, cancel) = (SuppliedMotion::default(), CancelToken::default());
                let group = JobGroup { planned, resolved, supplied, failure_log: None, named: Vec::new() };
                let (engine, options) = (Engine::Identity, RunOptions::default());
                let summary = batch::run(vec![group], RunContext { engine, options, observer: &said, cancel: &cancel });
                i32::from(summary.count(Outcome::Done) != 1)
            }
        };
        // After a timeout, the receiver is gone.
        drop(send.send((code, said.0.into_inner().unwrap())));
    });
    match receive.recv_timeout(WATCHDOG) {
        Ok((code @ (0 | 1), _)) => Ok(code),
        Ok((code, said)) if is_other_kind(code, &said) => Ok(code),
        Ok((code, said)) => Err(format!("exit code {code}: {said}")),
        Err(RecvTimeoutError::Timeout) => Err(format!("hangs: {what}")),
        Err(RecvTimeoutError::Disconnected) => Err(format!("a panic: {:?}", thread.join().is_err())),
    }
}

/// Returns whether the damage turned the input into another kind, such as an animation into a still, which this output
/// cannot hold.
fn is_other_kind(code: i32, said: &str) -> bool {
    code == 2 && said.contains("cannot be written to such a file")
}

/// Reads an output to its end. As in the damaged input, its audio may be longer than its video, or its last frame may
/// be shown for hours: frames then seem to be missing.
fn read(output: &Path) -> Result<(), DecodeError> {
    let settings = InputSettings { max_corrupt: 1 << 40, ..InputSettings::default() };
    let mut source = decode::open(&Input::Video(output.into()), ALL, &settings)?;
    while source.next()?.is_some() {}
    Ok(())
}

/// Tests one variant. Returns whether the program wrote an output, or what it did wrong.
fn try_one(desk: &Desk, whole: &[u8], kind: &str, number: usize) -> Result<bool, String> {
    let extension = if kind == "apng" { "png" } else { kind };
    let input = desk.path(&format!("{number}.{extension}"));
    std::fs::write(&input, damaged(whole, number)).unwrap();
    let still = ["png", "jpg"].contains(&kind);
    let output = desk.path(&format!("out-{number}.{}", if still { "png" } else { "mkv" }));
    let code = if number < FEW { run(desk, &input, &output) } else { run_here(&input, &output) }?;
    match code {
        0 if !output.is_file() => return Err("exit code 0 without an output".into()),
        0 if !still => read(&output).map_err(|error| format!("a bad output: {error}"))?,
        0 => drop(image::open(&output).map_err(|error| format!("a bad output: {error}"))?),
        _ if output.symlink_metadata().is_ok() => return Err(format!("exit code {code}, and an output")),
        _ => {}
    }
    for path in [input, output.with_extension("log"), output] {
        drop(std::fs::remove_file(path));
    }
    Ok(code == 0)
}

#[test]
fn damaged_media_of_each_container() {
    let count = wanted();
    let mut faults = Vec::new();
    for (kind, options) in KINDS {
        let desk = Desk::new();
        let clip = Clip::of(6).size(64, 48).beside("-f lavfi -i sine=duration=0.24").coded(options);
        let sound = if options.contains("-an") { "-map 0:v" } else { "-map 0:v -map 1:a" };
        let name = if kind == "apng" { "whole.png".into() } else { format!("whole.{kind}") };
        let whole = std::fs::read(clip.and(sound).make(&desk, &name)).unwrap();
        let (next, written) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let threads = std::thread::available_parallelism().map_or(2, |n| n.get().min(8));
        let found: Vec<String> = std::thread::scope(|scope| {
            let work = || {
                let mut found = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return found;
                    }
                    match try_one(&desk, &whole, kind, number) {
                        Ok(output) => drop(written.fetch_add(usize::from(output), Ordering::Relaxed)),
                        Err(fault) => found.push(format!("{kind}, variant {number}: {fault}")),
                    }
                }
            };
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        println!("{kind}: {count} variants, {} with an output, {} faults", written.into_inner(), found.len());
        faults.extend(found);
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
