//! Starts one job again and again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::{Desk, send};

/// A clip of two shots with sound.
pub const CLIP: &str = "-f lavfi -i testsrc2=s=96x72:r=25:d=0.44 -f lavfi -i mandelbrot=s=96x72:r=25 \
    -f lavfi -i sine=d=1.2 -filter_complex \
    [0]format=yuv420p[a];[1]trim=duration=0.76,format=yuv420p,setpts=PTS-STARTPTS[b];[a][b]concat=n=2[v] \
    -map [v] -map 2 -c:v libx264 -c:a aac";

/// The same with 8 and 10 frames, for painted runs.
pub const SHORT: &str = "-f lavfi -i testsrc2=s=96x72:r=25:d=0.32 -f lavfi -i mandelbrot=s=96x72:r=25 \
    -f lavfi -i sine=d=0.72 -filter_complex \
    [0]format=yuv420p[a];[1]trim=duration=0.4,format=yuv420p,setpts=PTS-STARTPTS[b];[a][b]concat=n=2[v] \
    -map [v] -map 2 -c:v libx264 -c:a aac";

/// Options for the smallest possible amount of painting, with every kind of state that is passed on to later frames.
pub const PAINTED: &[&str] =
    &["--backbone", "patches", "--size", "64", "--iterations", "2,1", "--checkpoint", "3", "--device", "cpu"];
/// Options for a run without painting.
pub const KEPT: &[&str] = &["--stylizer", "identity", "--checkpoint", "10"];

pub struct Job<'a> {
    pub desk: &'a Desk,
    pub input: PathBuf,
    /// The argument of `-o`.
    pub output: &'a str,
    /// The name of the resulting file or folder.
    pub result: &'a str,
    pub options: &'a [&'a str],
}

impl<'a> Job<'a> {
    pub fn new(desk: &'a Desk, input: &Path, output: &'a str, options: &'a [&'a str]) -> Self {
        let result = output.split('/').next().unwrap();
        Self { desk, input: input.into(), output, result, options }
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stylize-video"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("STYLIZE_VIDEO_")) {
            command.env_remove(name);
        }
        // One thread only: several threads that wait for each other on a busy machine take a hundred times as long.
        command.env("OMP_NUM_THREADS", "1").env("XDG_CONFIG_HOME", self.desk.path("config"));
        command.current_dir(self.desk.path("")).arg(&self.input).args(["-o", self.output]).args(self.options);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    pub fn start(&self) -> Child {
        self.command().spawn().unwrap()
    }

    /// Runs to the end.
    pub fn run(&self) -> Run {
        Run::of(self.command().output().unwrap())
    }

    /// Runs to the end, which must be a success, and returns the bytes of the result.
    pub fn done(&self) -> BTreeMap<String, Vec<u8>> {
        let run = self.run();
        assert_eq!(run.code, Some(0), "{}", run.text);
        self.bytes()
    }

    /// Returns the bytes of an undisturbed run and removes everything that it wrote.
    pub fn undisturbed(&self) -> BTreeMap<String, Vec<u8>> {
        let bytes = self.done();
        assert!(!self.work().exists(), "the work folder goes with the job's end");
        self.remove();
        bytes
    }

    pub fn remove(&self) {
        let result = self.desk.path(self.result);
        if result.is_dir() { fs::remove_dir_all(result).unwrap() } else { fs::remove_file(result).unwrap() }
    }

    /// Returns the contents of every file of the result.
    pub fn bytes(&self) -> BTreeMap<String, Vec<u8>> {
        let result = self.desk.path(self.result);
        if result.is_file() {
            return BTreeMap::from([(String::new(), fs::read(result).unwrap())]);
        }
        let entries = fs::read_dir(result).unwrap().map(|entry| entry.unwrap());
        entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
    }

    pub fn is_done(&self) -> bool {
        self.desk.path(self.result).exists()
    }

    /// Returns the number of parts that the manifest lists.
    pub fn parts(&self) -> usize {
        let manifest = fs::read_to_string(self.work().join("manifest.json"));
        manifest.map_or(0, |text| text.matches("shot_ends").count())
    }

    pub fn work(&self) -> PathBuf {
        self.desk.path(&format!(".{}.stylize", self.result))
    }

    /// Runs until `moment` returns true and then sends the signal. Returns whether `moment` came, and the run.
    pub fn signalled_when(&self, signal: Signal, mut moment: impl FnMut() -> bool) -> (bool, Run) {
        let mut child = self.start();
        let began = Instant::now();
        let mut met = false;
        while child.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < Duration::from_secs(240), "the run hangs");
            if moment() {
                met = true;
                // The run may have ended already.
                let _ = send(&child, signal);
                break;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        (met, Run::of(child.wait_with_output().unwrap()))
    }
}

/// The outcome of a run.
pub struct Run {
    pub code: Option<i32>,
    pub text: String,
}

impl Run {
    pub fn of(output: Output) -> Self {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!text.contains("panicked"), "{text}");
        Self { code: output.status.code(), text }
    }
}

/// A pseudo-random generator with the same sequence in every test run (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}
