//! The commands in the documents work as they are written: each runs in a folder with files of the names it uses.
//!
//! trycmd, the crate for this, wants a folder and an output for each block. Here a block is a list of alternatives whose
//! inputs are made, and what matters is that the options exist and the command succeeds, so a short extractor is enough.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// Commands that do not run here, as they stand in the documents, with the reason.
const LEFT_OUT: [(&str, &str); 6] = [
    ("./scripts/stylize-video samples/demo.mp4 --preset monet", "installs and builds"),
    ("./scripts/test", "runs the tests"),
    ("stylize-video inbox/ -o outbox/ --watch", "stays; unattended::inbox tests it"),
    ("stylize-video in.mp4 --flow 'flow_%d_%d.flo'", "needs flow files; motion::command tests it"),
    ("stylize-video layers in.mp4 photos/ --backbone squeezenet1_0", "needs weights from the network"),
    ("stylize-video layers in.mp4 --style painting.jpg", "takes minutes; explore::command tests `layers`"),
];

/// What must be there before a command that contains the words, made by another command.
const BEFORE: [(&str, &str); 7] = [
    ("in.monet.mp4", "stylize-video in.mp4"),
    ("holiday.monet.mp4", "stylize-video holiday.mp4"),
    ("--cuts", "stylize-video shots in.mp4 > cuts.txt"),
    ("crop=720:720", "ffmpeg -y -v error -f lavfi -i testsrc2=s=720x720:r=12:d=0.2 -pix_fmt yuv420p in.mp4"),
    ("--start 1:05", "ffmpeg -y -v error -f lavfi -i testsrc2=s=64x48:r=1:d=68 -pix_fmt yuv420p in.mp4"),
    ("stylize-video *.mp4", "mkdir painted"),
    ("run jobs.toml", LONG_CLIPS),
];

/// The job file takes each clip from its second 60 on.
const LONG_CLIPS: &str = "
set -e
for clip in inbox/a.mp4 inbox/sub/b.mov old/c.mov; do
    ffmpeg -nostdin -y -v error -f lavfi -i testsrc2=s=64x48:r=1:d=63 -pix_fmt yuv420p $clip
    touch -d '1 hour ago' $clip
done";

/// Makes the files that the commands name. Files in folders look old, or the program would wait until they settle.
const FILES: &str = r#"
set -e
mkdir bin inbox inbox/sub old outbox frames photos
clip="ffmpeg -nostdin -y -v error -f lavfi -i testsrc2=s=64x48:r=25:d=0.2"
$clip -pix_fmt yuv420p in.mp4
for name in holiday.mp4 more.mp4 inbox/a.mp4 inbox/sub/b.mov old/c.mov; do cp in.mp4 $name; done
$clip frames/frame_%04d.png
cp frames/frame_0001.png photos/a.png
$clip -frames:v 1 photo.jpg
cp photo.jpg painting.jpg
find . -type f -exec touch -d '1 hour ago' {} +
for name in ffplay notify-send mail; do printf '#!/bin/sh\ncat > /dev/null\n' > bin/$name; done
cat > bin/stylize-video <<'END'
#!/bin/sh
# Everything but the painting, which would take minutes.
case "$1" in info|measure|shots|verify) exec "$PROGRAM" "$@" ;; esac
exec "$PROGRAM" "$@" --stylizer identity
END
chmod +x bin/*
"#;

fn text(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Returns the blocks of one language in a document.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let text = text(document);
    let pieces = text.split("\n```").enumerate().filter(|(index, _)| index % 2 == 1).map(|(_, piece)| piece);
    pieces.filter_map(|piece| piece.strip_prefix(language)?.strip_prefix('\n').map(str::to_owned)).collect()
}

/// Returns the lines of all `sh` blocks of a document.
fn commands(document: &str) -> Vec<String> {
    blocks(document, "sh").iter().flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Returns a command without its comment and the spaces before it.
fn bare(command: &str) -> &str {
    command.split("  ").next().unwrap().trim()
}

fn shell(folder: &Path, command: &str) -> Output {
    let path = std::env::var("PATH").unwrap();
    let mut shell = Command::new("sh");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("STYLIZE_VIDEO_")) {
        shell.env_remove(name);
    }
    shell.args(["-c", command]).current_dir(folder).stdin(Stdio::null());
    shell.env("PATH", format!("{}:{path}", folder.join("bin").display())).env("OMP_NUM_THREADS", "1");
    shell.env("PROGRAM", env!("CARGO_BIN_EXE_stylize-video")).env("XDG_CONFIG_HOME", folder.join("config"));
    shell.output().unwrap()
}

fn succeeds(folder: &Path, command: &str) {
    let done = shell(folder, command);
    assert!(done.status.success(), "{command}\n{}", String::from_utf8_lossy(&done.stderr));
}

/// Runs all commands of a document, each in a folder of its own.
fn run_all(document: &str) {
    let made = TempDir::new().unwrap();
    let pattern: PathBuf = made.path().join("pattern");
    fs::create_dir(&pattern).unwrap();
    succeeds(&pattern, FILES);
    // The job file of the documents is one of the files.
    let jobs = blocks("docs/unattended.md", "toml").remove(0);
    fs::write(pattern.join("jobs.toml"), jobs).unwrap();
    let wanted: Vec<String> = commands(document)
        .into_iter()
        .filter(|command| !LEFT_OUT.iter().any(|(left_out, _)| bare(command) == *left_out))
        .filter(|command| !command.is_empty())
        .collect();
    assert!(!wanted.is_empty(), "{document} has no commands");
    for (number, command) in wanted.iter().enumerate() {
        let folder = made.path().join(number.to_string());
        assert!(Command::new("cp").arg("-a").args([&pattern, &folder]).status().unwrap().success());
        for (_, before) in BEFORE.iter().filter(|(words, _)| command.contains(words)) {
            succeeds(&folder, before);
        }
        succeeds(&folder, command);
        fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn the_commands_of_the_readme() {
    run_all("README.md");
}

#[test]
fn the_commands_for_unattended_machines() {
    run_all("docs/unattended.md");
}

#[test]
fn the_commands_about_records() {
    run_all("docs/provenance.md");
}

#[test]
fn what_is_left_out_is_still_in_the_documents() {
    let all: Vec<String> =
        ["README.md", "docs/unattended.md", "docs/provenance.md"].iter().flat_map(|name| commands(name)).collect();
    for (command, reason) in LEFT_OUT {
        assert!(all.iter().any(|line| bare(line) == command), "no document has `{command}` ({reason})");
    }
}
