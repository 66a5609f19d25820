//! Runs the program as a user does, with the checks that all rows of the table share.

use std::path::{Path, PathBuf};
use std::time::Duration;

use assert_cmd::Command;

use crate::common::clips::{Clip, numbers, shown};
use crate::common::{Desk, probe};

/// Longer than any run here may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A planned run of the program.
pub struct Order<'a> {
    desk: &'a Desk,
    command: Command,
    output: PathBuf,
}

/// The outcome of a run.
pub struct Ended {
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
    /// The expected path of the output.
    pub output: PathBuf,
}

/// Returns the program in the desk's folder, without the tester's own settings.
pub fn program(desk: &Desk) -> Command {
    let mut command = Command::cargo_bin("stylize-video").unwrap();
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("STYLIZE_VIDEO_")) {
        command.env_remove(name);
    }
    command.current_dir(desk.path("")).env("XDG_CONFIG_HOME", desk.path("config")).env("OMP_NUM_THREADS", "1");
    command.timeout(TIMEOUT);
    command
}

fn order<'a>(desk: &'a Desk, stylizer: &str, input: &Path, name: &str) -> Order<'a> {
    let mut command = program(desk);
    command.args(["--stylizer", stylizer]).arg(input).arg("-o").arg(name);
    Order { desk, command, output: desk.path(name) }
}

/// Prepares a run that changes nothing; `name` is the output's name in the desk's folder.
pub fn identity<'a>(desk: &'a Desk, input: &Path, name: &str) -> Order<'a> {
    order(desk, "identity", input, name)
}

/// Prepares a run that paints the known colours.
pub fn bars<'a>(desk: &'a Desk, input: &Path, name: &str) -> Order<'a> {
    order(desk, "bars", input, name)
}

impl Order<'_> {
    /// Adds options, split at spaces.
    pub fn with(mut self, options: &str) -> Self {
        self.command.args(options.split_whitespace());
        self
    }

    pub fn stdin(mut self, bytes: Vec<u8>) -> Self {
        self.command.write_stdin(bytes);
        self
    }

    /// Runs the program. In any case it must not panic, die by a signal or time out, and it must leave no stray files.
    pub fn run(mut self) -> Ended {
        let output = self.command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let code = output.status.code().unwrap_or_else(|| panic!("killed: {stderr}"));
        assert_ne!(code, 101, "a panic: {stderr}");
        let left = std::fs::read_dir(self.desk.path("")).unwrap().map(|entry| entry.unwrap().file_name());
        // Frames painted before the damage are kept where the message says so.
        let kept = code != 0 && stderr.contains("kept, ");
        let own = format!(".{}.stylize", self.output.file_name().unwrap_or_default().display());
        let kept = |name: &std::ffi::OsString| {
            let name = name.to_string_lossy();
            name.ends_with(".stylize") && (kept || name != own)
        };
        let left: Vec<_> = left.filter(|name| name.as_encoded_bytes()[0] == b'.' && !kept(name)).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        assert!(code == 0 || !self.output.exists(), "exit code {code}, but there is an output: {stderr}");
        Ended { code, stdout: output.stdout, stderr, output: self.output }
    }

    fn success(self) -> Ended {
        let ended = self.run();
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        ended
    }

    /// Requires success without a warning and returns the output.
    pub fn done(self) -> PathBuf {
        let ended = self.success();
        assert!(!ended.stderr.contains("warning: "), "{}", ended.stderr);
        ended.output
    }

    /// Requires success and, for each of `warnings`, a warning with all its words (case-insensitive). Returns the
    /// output.
    pub fn warned(self, warnings: &[&[&str]]) -> PathBuf {
        let ended = self.success();
        for words in warnings {
            let line = |line: &str| line.starts_with("warning: ") && has_all(line, words);
            assert!(ended.stderr.lines().any(line), "no warning with {words:?}: {}", ended.stderr);
        }
        ended.output
    }

    /// Requires success, with any messages, and returns the output.
    pub fn ended_well(self) -> PathBuf {
        self.success().output
    }

    /// Requires success and returns standard output.
    pub fn piped(self) -> Vec<u8> {
        self.success().stdout
    }

    /// Requires exit code 1 or 2 and one line of error that has all of `words` (case-insensitive), before any frame is
    /// painted where `early` is set.
    fn fails(mut self, words: &[&str], early: bool) {
        self.command.args(["--log-format", "json"]);
        let Ended { code, stderr, .. } = self.run();
        assert!(code == 1 || code == 2, "exit code {code}: {stderr}");
        let lines: Vec<serde_json::Value> =
            stderr.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{stderr}"))).collect();
        let of = |event: &str| lines.iter().filter(|line| line["event"] == event).collect::<Vec<_>>();
        let [failed] = of("failed")[..] else { panic!("not one error: {stderr}") };
        let error = failed["error"].as_str().unwrap();
        assert!(!error.contains('\n') && has_all(error, words), "not one line with {words:?}: {error}");
        assert!(!early || of("frame").is_empty(), "frames were painted first: {stderr}");
    }

    /// Requires a failure before any frame is painted.
    pub fn refused(self, words: &[&str]) {
        self.fails(words, true);
    }

    /// Requires a failure, at any time.
    pub fn failed(self, words: &[&str]) {
        self.fails(words, false);
    }
}

fn has_all(text: &str, words: &[&str]) -> bool {
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(&word.to_lowercase()))
}

/// Converts a clip to `outputs` and checks that all its frames are there, in order and at their times, without
/// warnings.
pub fn kept(clip: &Clip, name: &str, outputs: &[&str]) {
    let desk = Desk::new();
    let input = clip.make(&desk, name);
    for output in outputs {
        let output = identity(&desk, &input, output).done();
        assert_eq!(numbers(&output), clip.numbers(), "{}", output.display());
        same_times(&input, &output);
    }
}

/// Returns half a tick of a container's time base in seconds (`ffprobe` prints microseconds).
pub fn half_tick(path: &Path) -> f64 {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("mkv" | "webm") => 0.000_501,
        _ => 0.000_001_1,
    }
}

/// Returns whether a container that holds nothing before 0 shifts all streams, because of a first frame or audio before
/// 0 (such as AAC's priming).
fn is_moved(input: &Path, output: &Path, first: f64) -> bool {
    let sounds_before_zero = || {
        let times = probe(input, "a", "packet=pts_time");
        times.iter().filter_map(|time| time.split(',').next()?.parse().ok()).any(|time: f64| time < 0.0)
    };
    first < 0.0 || (half_tick(output) > 0.0001 && sounds_before_zero())
}

/// Checks that frames have the same times, counted from the first frame where all streams were shifted.
pub fn same_times(input: &Path, output: &Path) {
    let (expected, got) = (shown(input), shown(output));
    assert!(!expected.is_empty());
    assert_eq!(expected.len(), got.len(), "frames of {}", output.display());
    let (shift, slack) = if is_moved(input, output, expected[0]) { (got[0] - expected[0], 2.0) } else { (0.0, 1.0) };
    for (index, (expected, got)) in expected.iter().zip(&got).enumerate() {
        let off = got - shift - expected;
        assert!(off.abs() < slack * half_tick(output), "{}: frame {index} is off by {off} s", output.display());
    }
}
