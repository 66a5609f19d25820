//! What users read: the help of each command, and the messages after common mistakes. A change of words shows in the
//! files of `snapshots/`; `INSTA_UPDATE=always cargo test --test repository messages::` accepts it.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// All commands, with the commands below `presets` and `weights`.
const COMMANDS: [&str; 17] = [
    "",
    "run",
    "presets",
    "presets list",
    "presets show",
    "presets check",
    "weights",
    "weights list",
    "weights fetch",
    "weights import",
    "weights path",
    "measure",
    "layers",
    "shots",
    "info",
    "verify",
    "doctor",
];

/// The most common mistakes, as arguments that are split at spaces.
const MISTAKES: [&str; 25] = [
    "",
    "nope.mp4",
    "https://127.0.0.1/a.mp4",
    "preset list",
    "a.mp4 --iteration 5",
    "a.mp4 --preset vangog",
    "a.mp4 --preset my.toml",
    "a.mp4 --set loss.betta=1",
    "a.mp4 --set loss.beta=-1",
    "a.mp4 --set loss.beta=x",
    "a.mp4 --size 7",
    "a.mp4 --iterations 0",
    "a.mp4 --start later",
    "a.mp4 --frames 0",
    "a.mp4 --backbone vgg91",
    "a.mp4 --style nope.png",
    "a.mp4 --if-exists ask",
    "a.mp4 -v -q",
    "a.mp4 -o b.png",
    "a.mp4 -o b.xyz",
    "a.mp4 b.mp4 -o one.mp4",
    "a.mp4 -o there.mp4",
    "no-video.mp4",
    "empty",
    "run jobs.toml",
];

fn program(folder: &Path, arguments: &str) -> (String, String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stylize-video"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("STYLIZE_VIDEO_")) {
        command.env_remove(name);
    }
    // The width of the help must not depend on the terminal of whoever runs the tests.
    command.env("COLUMNS", "100").env("XDG_CONFIG_HOME", folder.join("config")).env("OMP_NUM_THREADS", "1");
    let done = command.args(arguments.split_whitespace()).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&done.stdout), text(&done.stderr), done.status.code().unwrap())
}

/// Returns a message without what differs from run to run: the path of the folder, and how long the run took.
fn steady(folder: &Path, message: &str) -> String {
    let text = message.replace(&*folder.to_string_lossy(), "FOLDER");
    let lines = text.lines().map(|line| match line.split_once(" failed, in ") {
        Some((count, _)) => format!("{count} failed, in TIME\n"),
        None => format!("{line}\n"),
    });
    lines.collect()
}

#[test]
fn the_help_of_each_command() {
    let folder = TempDir::new().unwrap();
    for command in COMMANDS {
        let (out, err, code) = program(folder.path(), &format!("{command} --help"));
        assert_eq!((err.as_str(), code), ("", 0), "{command}");
        let name = if command.is_empty() { "help".into() } else { format!("help {command}").replace(' ', "_") };
        insta::assert_snapshot!(name, out);
    }
}

#[test]
fn no_command_is_forgotten() {
    let folder = TempDir::new().unwrap();
    for above in ["", "presets", "weights"] {
        let (out, ..) = program(folder.path(), &format!("{above} -h"));
        let list = out.split_once("Commands:\n").unwrap().1.split("\n\n").next().unwrap();
        let named = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        for name in named.filter_map(|line| line.split_whitespace().next()) {
            // Their own help says what `clap` says of them everywhere.
            let known = ["help", "completions"].contains(&name);
            assert!(known || COMMANDS.contains(&format!("{above} {name}").trim()), "{above} {name}");
        }
    }
}

#[test]
fn messages_after_common_mistakes() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    for name in ["a.mp4", "b.mp4", "there.mp4", "no-video.mp4"] {
        write(name, "no video at all, but long enough to be read as something");
    }
    write("my.toml", "extends = \"monet\"\n\n[loss]\nbetta = 2\n");
    write("jobs.toml", "[[job]]\ninput = \"a.mp4\"\n");
    fs::create_dir(folder.path().join("empty")).unwrap();
    let mut all = String::new();
    for mistake in MISTAKES {
        let (out, err, code) = program(folder.path(), mistake);
        assert!(code == 1 || code == 2, "{mistake}: {code}");
        let command = format!("stylize-video {mistake}");
        writeln!(all, "$ {}\n{}(exit code {code})\n", command.trim(), steady(folder.path(), &(out + &err))).unwrap();
    }
    insta::assert_snapshot!("mistakes", all);
}
