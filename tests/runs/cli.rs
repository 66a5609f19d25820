//! The program's command line, as a user calls it.

use std::fs;
use std::path::Path;
use std::process::{Command as Process, Stdio};

use assert_cmd::Command;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::{contains, is_empty, starts_with};
use tempfile::TempDir;

/// Returns the program in a temporary folder, without the tester's own settings.
fn program(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("stylize-video").unwrap();
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("STYLIZE_VIDEO_") {
            command.env_remove(name);
        }
    }
    command.current_dir(folder).env("XDG_CONFIG_HOME", folder.join("config"));
    command
}

fn folder(files: &[&str]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    folder
}

#[test]
fn help_shows_examples_and_exit_codes() {
    let dir = folder(&[]);
    program(dir.path())
        .arg("--help")
        .assert()
        .success()
        .stdout(contains("Examples:").and(contains("Exit codes:")).and(contains("stylize-video <COMMAND>")))
        .stdout(contains("--stylizer").not());
    program(dir.path()).args(["presets", "--help"]).assert().success().stdout(contains("check"));
}

#[test]
fn usage_errors_exit_with_2() {
    let dir = folder(&["a.mp4"]);
    for args in [
        &[][..],
        &["--size"],
        &["--no-such-option", "a.mp4"],
        &["--iterations", "0", "a.mp4"],
        &["--start", "later", "a.mp4"],
        &["--frames", "0", "a.mp4"],
        &["--seed", "-1", "a.mp4"],
        &["--if-exists", "ask", "a.mp4"],
        &["-v", "-q", "a.mp4"],
        &["--size", "7", "a.mp4"],
        &["--backbone", "vgg91", "a.mp4"],
        &["--style", "nope.png", "a.mp4"],
        &["--style", "a.mp4=-1", "a.mp4"],
        &["presets", "show", "nope"],
        &["a.mp4", "-o", "b.png"],
    ] {
        program(dir.path()).args(args).assert().code(2).stdout(is_empty());
    }
}

#[test]
fn a_missing_input_is_one_clear_line_and_exit_1() {
    let dir = folder(&[]);
    program(dir.path()).arg("nope.mp4").assert().code(1).stderr("error: nope.mp4: no such file or folder\n");
    let address = program(dir.path()).arg("https://127.0.0.1/a.mp4").assert().code(2);
    address.stderr(contains("https://127.0.0.1/a.mp4: an address cannot be an input; download it first, or pipe it"));
}

#[test]
fn an_unknown_preset_names_the_nearest() {
    let dir = folder(&["a.mp4"]);
    program(dir.path())
        .args(["--preset", "vangog", "a.mp4"])
        .assert()
        .code(2)
        .stderr(starts_with("error: unknown preset `vangog` (did you mean vangogh?); known presets: monet, "));
}

#[test]
fn a_typo_in_a_preset_names_file_and_line() {
    let dir = folder(&["a.mp4"]);
    fs::write(dir.path().join("my.toml"), "extends = \"monet\"\n\n[loss]\nbetta = 2\n").unwrap();
    let message = "error: my.toml:4: unknown key loss.betta: did you mean loss.beta?\n";
    program(dir.path()).args(["--preset", "my.toml", "a.mp4"]).assert().code(2).stderr(message);
    program(dir.path()).args(["presets", "check", "my.toml"]).assert().code(2).stderr(message);
}

#[test]
fn set_is_checked() {
    let dir = folder(&["a.mp4"]);
    for (set, message) in [
        ("loss.betta=1", "error: --set: unknown key loss.betta: did you mean loss.beta?\n"),
        ("loss.beta=-1", "error: --set: loss.beta: -1 must be 0 or more\n"),
        ("loss.beta=x", "error: --set: loss.beta: invalid type: string \"x\", expected a number\n"),
    ] {
        program(dir.path()).args(["--dry-run", "--set", set, "a.mp4"]).assert().code(2).stderr(message);
    }
}

#[test]
fn the_environment_is_a_layer() {
    let dir = folder(&[]);
    let beta = |command: &mut Command, value: &str| {
        command.arg("--print-settings").assert().success().stdout(contains(format!("\nbeta = {value}\n")));
    };
    beta(program(dir.path()).env("STYLIZE_VIDEO_LOSS_BETA", "33"), "33.0");
    beta(program(dir.path()).env("STYLIZE_VIDEO_LOSS_BETA", "33").args(["--set", "loss.beta=44"]), "44.0");
    fs::create_dir_all(dir.path().join("config/stylize-video")).unwrap();
    fs::write(dir.path().join("config/stylize-video/config.toml"), "[loss]\nbeta = 22\n").unwrap();
    beta(&mut program(dir.path()), "22.0");
    beta(program(dir.path()).env("STYLIZE_VIDEO_LOSS_BETA", "33"), "33.0");
    program(dir.path())
        .env("STYLIZE_VIDEO_LOSS_BETTA", "1")
        .arg("--print-settings")
        .assert()
        .code(2)
        .stderr(contains("did you mean STYLIZE_VIDEO_LOSS_BETA?"));
}

#[test]
fn options_stand_for_settings() {
    let dir = folder(&["s.png"]);
    program(dir.path())
        .args(["--size", "480", "--iterations", "100", "--device", "cpu", "--seed", "9", "--backbone", "patches"])
        .args(["--if-exists", "replace", "--weights-dir", "w", "--style", "s.png=0.5", "--print-settings"])
        .assert()
        .success()
        .stdout(contains("size = 480\n").and(contains("iterations = [100, 25]\n")).and(contains("device = \"cpu\"\n")))
        .stdout(contains("seed = 9\n").and(contains("if_exists = \"replace\"\n")).and(contains("weight = 0.5\n")))
        .stdout(contains("backbone = \"patches\"\n").and(contains("/w\"\n")));
}

#[test]
fn printed_settings_are_a_preset() {
    let dir = folder(&[]);
    let first = program(dir.path()).args(["--preset", "ukiyoe", "--print-settings"]).output().unwrap().stdout;
    fs::write(dir.path().join("again.toml"), &first).unwrap();
    let again = program(dir.path()).args(["--preset", "again.toml", "--print-settings"]).output().unwrap().stdout;
    assert_eq!(String::from_utf8(again).unwrap(), String::from_utf8(first).unwrap());
    program(dir.path()).args(["presets", "check", "again.toml"]).assert().success().stdout("again.toml: ok\n");
}

#[test]
fn a_dry_run_prints_the_plan_and_creates_nothing() {
    let dir = folder(&["a.mp4", "b.avi", "c.jpg", "f/1.png", "f/2.png"]);
    program(dir.path())
        .args(["--dry-run", "--preset", "sketch", "--frames", "5", "a.mp4", "b.avi", "c.jpg", "f"])
        .assert()
        .success()
        .stderr(is_empty())
        .stdout(starts_with(
            "a.mp4: video, at most 5 frames -> a.sketch.mp4\n\
             b.avi: video, at most 5 frames -> b.sketch.mkv\n\
             c.jpg: picture -> c.sketch.jpg\n\
             f: sequence of 2 pictures, 1.png to 2.png, at most 5 frames -> f.sketch (1.png to 2.png)\n\
             preset sketch; style builtin:sketch.webp;",
        ));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 4);
    assert!(!dir.path().join("config").exists());
    program(dir.path())
        .args(["--dry-run", "a.mp4", "nope.mp4"])
        .assert()
        .code(1)
        .stdout(contains("nope.mp4: fails: no such file or folder\n"));
}

#[test]
fn collisions_stop_the_batch() {
    let dir = folder(&["a.avi", "a.mkv", "b.mp4"]);
    program(dir.path())
        .args(["--dry-run", "a.avi", "a.mkv"])
        .assert()
        .code(2)
        .stderr("error: a.avi and a.mkv have the same output, a.monet.mkv\n");
    std::os::unix::fs::symlink("b.mp4", dir.path().join("link.mp4")).unwrap();
    program(dir.path())
        .args(["--if-exists", "replace", "b.mp4", "-o", "link.mp4"])
        .assert()
        .code(2)
        .stderr("error: the output link.mp4 is its own input\n");
}

#[test]
fn what_is_there_is_skipped_when_told() {
    let dir = folder(&["a.mp4", "a.monet.mp4"]);
    program(dir.path()).arg("a.mp4").assert().code(1).stderr(contains("exists already"));
    program(dir.path()).args(["--if-exists", "skip", "a.mp4"]).assert().success().stderr(contains("skipped"));
    program(dir.path()).args(["-q", "--if-exists", "skip", "a.mp4"]).assert().success().stderr(is_empty());
}

#[test]
fn errors_are_events_in_json() {
    let dir = folder(&["a.mp4"]);
    for (args, code) in [(&["nope.mp4"][..], 1), (&["--preset", "nope", "a.mp4"], 2)] {
        let output = program(dir.path()).args(["--log-format", "json"]).args(args).assert().code(code);
        let text = String::from_utf8(output.get_output().stderr.clone()).unwrap();
        let events = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let event = events.into_iter().find(|event| event["event"] == "failed").unwrap();
        assert!(event["error"].as_str().unwrap().contains("nope"));
        assert!(event["elapsed"].is_f64());
    }
}

#[test]
fn presets_are_listed_shown_and_checked() {
    let dir = folder(&["config/stylize-video/presets/mine.toml"]);
    program(dir.path())
        .args(["presets", "list"])
        .assert()
        .success()
        .stdout(contains("monet ").and(contains("built in")).and(contains("presets/mine.toml")));
    let shown = program(dir.path()).args(["presets", "show", "vangogh"]).output().unwrap().stdout;
    let table: toml::Table = String::from_utf8(shown.clone()).unwrap().parse().unwrap();
    assert_eq!(table["loss"]["convention"].as_str(), Some("relative"));
    fs::write(dir.path().join("copy.toml"), shown).unwrap();
    fs::write(dir.path().join("bad.toml"), "[loss]\nbeta = -1\n").unwrap();
    program(dir.path())
        .args(["presets", "check", "copy.toml", "bad.toml"])
        .assert()
        .code(2)
        .stdout("copy.toml: ok\n")
        .stderr("error: bad.toml:2: loss.beta: -1 must be 0 or more\n");
}

#[test]
fn completions_know_the_options() {
    let dir = folder(&[]);
    for shell in ["bash", "zsh", "fish"] {
        program(dir.path())
            .args(["completions", shell])
            .assert()
            .success()
            .stdout(contains("print-settings").and(contains("presets")));
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let dir = folder(&[]);
    let program = assert_cmd::cargo::cargo_bin("stylize-video");
    for args in [&["completions", "bash"][..], &["presets", "list"], &["--print-settings"]] {
        let mut child = Process::new(&program)
            .args(args)
            .env("XDG_CONFIG_HOME", dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        assert!(output.stderr.is_empty(), "{args:?}: {output:?}");
    }
}
