//! Folders and machines as found in practice. Each test is a row of the table in `docs/unattended.md`.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::{Desk, send};
use crate::unattended::{age, call, clip, files, names, program, run};

/// Makes `count` pictures of one size in a folder.
fn pictures(desk: &Desk, folder: &str, count: u32, size: &str) {
    fs::create_dir_all(desk.path(folder)).unwrap();
    desk.clip(&format!("{folder}/f%02d.png"), &format!("-f lavfi -i testsrc2=s={size}:r=25 -frames:v {count}"));
    fs::read_dir(desk.path(folder)).unwrap().for_each(|entry| age(&entry.unwrap().path()));
    age(&desk.path(folder));
}

fn put(desk: &Desk, name: &str, text: &str) {
    fs::create_dir_all(desk.path(name).parent().unwrap()).unwrap();
    fs::write(desk.path(name), text).unwrap();
    age(&desk.path(name));
}

#[test]
fn files_of_systems() {
    let desk = Desk::new();
    pictures(&desk, "shot", 4, "64x48");
    for name in ["Thumbs.db", "desktop.ini", ".DS_Store", "f01.xmp", "._f01.png", "ehthumbs.db", "IMG_1.AAE", "Icon\r"]
    {
        put(&desk, &format!("shot/{name}"), "x");
    }
    let ended = call(&desk, ["shot", "-o", "painted"]);
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    assert_eq!(names(&desk, "painted").len(), 4);
    // Also in a folder below one that is searched recursively.
    fs::create_dir_all(desk.path("tree")).unwrap();
    fs::rename(desk.path("shot"), desk.path("tree/shot")).unwrap();
    clip(&desk, "tree/more/a.mp4", 2);
    let ended = call(&desk, ["tree", "-r", "-o", "out", "--settle", "0"]);
    assert!(
        ended.code == Some(0) && ended.says("2 done") && !ended.says("neither a video nor a picture"),
        "{}",
        ended.text
    );
    // Any other file is still not a frame.
    put(&desk, "tree/shot/notes.txt", "x");
    assert_eq!(call(&desk, ["tree/shot", "-o", "no"]).code, Some(1));
}

#[test]
fn folders_of_a_nas() {
    let desk = Desk::new();
    let good = clip(&desk, "inbox/a.mp4", 2);
    for folder in [
        "@eaDir/a.mp4",
        "#recycle",
        "@Recycle",
        "$RECYCLE.BIN",
        "System Volume Information",
        "lost+found",
        "_UNPACK_b",
        "#snapshot/d",
        "__MACOSX",
        "@tmp",
        "RECYCLER",
        "found.000",
    ] {
        fs::create_dir_all(desk.path(&format!("inbox/{folder}"))).unwrap();
        fs::copy(&good, desk.path(&format!("inbox/{folder}/old.mp4"))).unwrap();
        age(&desk.path(&format!("inbox/{folder}/old.mp4")));
    }
    let ended = call(&desk, ["inbox", "-r", "-o", "outbox"]);
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    assert_eq!(names(&desk, "outbox"), ["a.monet.mp4"]);
    // A folder that the user names explicitly is read.
    assert_eq!(call(&desk, ["inbox/#recycle", "-o", "undeleted/"]).code, Some(0));
    assert_eq!(names(&desk, "undeleted"), ["old.monet.mp4"]);
}

#[test]
fn programs_called_ts() {
    let desk = Desk::new();
    put(&desk, "inbox/index.ts", "export const answer: number = 42;\n");
    put(&desk, "inbox/mod.mts", "export {};\n");
    put(&desk, "inbox/song.mod", "M.K. is not here\n");
    put(&desk, "inbox/readme.txt", "x");
    clip(&desk, "inbox/clip.mp4", 2);
    clip(&desk, "inbox/tv.ts", 2);
    let ended = call(&desk, ["inbox", "-o", "outbox"]);
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    assert_eq!(names(&desk, "outbox"), ["clip.monet.mp4", "tv.monet.mkv"]);
    assert!(ended.says("4 files skipped: neither a video nor a picture") && !ended.says("index.ts"), "{}", ended.text);
    let named = call(&desk, ["inbox", "-o", "outbox", "-v"]);
    assert!(named.says("inbox/index.ts: skipped") && named.says("inbox/readme.txt"), "{}", named.text);
    assert_eq!(call(&desk, ["inbox", "-o", "outbox", "-q"]).text, "");
}

#[test]
fn equal_names_but_for_the_ending() {
    let desk = Desk::new();
    for name in ["in/a.avi", "in/a.mpg", "in/b.mp4"] {
        clip(&desk, name, 2);
    }
    for _ in 0..2 {
        let ended = call(&desk, ["in", "-o", "out"]);
        assert_eq!(ended.code, Some(0), "{}", ended.text);
        assert_eq!(names(&desk, "out"), ["a.avi.monet.mkv", "a.mpg.monet.mkv", "b.monet.mp4"]);
    }
    // Outputs next to their inputs are also recognised as results.
    assert_eq!(call(&desk, ["in"]).code, Some(0));
    let again = call(&desk, ["in"]);
    assert!(again.says("3 skipped") && names(&desk, "in").len() == 6, "{} {:?}", again.text, names(&desk, "in"));
}

#[test]
fn names_that_are_too_long() {
    let desk = Desk::new();
    let good = clip(&desk, "in/a.mp4", 2);
    for length in [251, 245] {
        let path = desk.path(&format!("in/{}.mp4", "x".repeat(length - 4)));
        fs::copy(&good, &path).unwrap();
        age(&path);
    }
    let ended = call(&desk, ["in", "-o", "out"]);
    assert_eq!(ended.code, Some(1), "{}", ended.text);
    assert!(ended.says("2 done, 1 failed") && ended.says("too long"), "{}", ended.text);
    assert_eq!(names(&desk, "out").len(), 2);
}

#[test]
fn one_bad_file_among_many() {
    let desk = Desk::new();
    clip(&desk, "a.mp4", 2);
    put(&desk, "notes.xyz", "no picture\n");
    put(&desk, "broken.mkv", "no video\n");
    fs::create_dir(desk.path("out")).unwrap();
    // The arguments that a shell's `*` expands to.
    let ended = call(&desk, ["a.mp4", "broken.mkv", "notes.xyz", "-o", "out/"]);
    assert_eq!(ended.code, Some(1), "{}", ended.text);
    assert!(ended.says("1 done, 2 failed"), "{}", ended.text);
    assert_eq!(names(&desk, "out"), ["a.monet.mp4"]);
}

#[test]
fn pictures_of_different_sizes() {
    let desk = Desk::new();
    pictures(&desk, "photos", 3, "64x48");
    desk.clip("photos/f05.png", "-f lavfi -i testsrc2=s=64x50 -frames:v 1 -update 1");
    age(&desk.path("photos/f05.png"));
    let ended = call(&desk, ["photos", "-o", "painted"]);
    let told = ["f05.png", "64x50", "64x48", "--each", "photos/*.jpg"].iter().all(|word| ended.says(word));
    assert!(ended.code == Some(1) && told, "{}", ended.text);
    let ended = call(&desk, ["photos", "-o", "painted/", "--each"]);
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    assert_eq!(names(&desk, "painted").len(), 4);
    // Also next to videos, and in folders below.
    clip(&desk, "photos/sub/a.mp4", 2);
    pictures(&desk, "photos/sub/frames", 2, "32x32");
    assert_eq!(call(&desk, ["photos", "-r", "-o", "all/", "--each", "--settle", "0"]).code, Some(0));
    assert_eq!(names(&desk, "all").len(), 7, "{:?}", names(&desk, "all"));
}

#[test]
fn names_that_are_syntax_elsewhere() {
    let desk = Desk::new();
    pictures(&desk, "plain", 3, "64x48");
    fs::create_dir(desk.path("Render[1]~Dance")).unwrap();
    // FFmpeg would read a part of this name as a number pattern.
    fs::rename(desk.path("plain"), desk.path("Render[1]~Dance/100% %d (x)")).unwrap();
    let good = clip(&desk, "Our Children, Ourselves {1}.mp4", 2);
    for name in ["-o.mp4", "a\nb;%d ♥.mp4"] {
        fs::copy(&good, desk.path(name)).unwrap();
        age(&desk.path(name));
    }
    assert_eq!(call(&desk, ["Render[1]~Dance/100% %d (x)", "-o", "out"]).code, Some(0));
    assert_eq!(names(&desk, "out").len(), 3);
    let mut command = program(&desk);
    assert_eq!(run(command.args(["--stylizer", "identity", "--", "-o.mp4"])).code, Some(0));
    let ended = call(&desk, ["a\nb;%d ♥.mp4", "-o", "newline.mp4"]);
    assert!(ended.code == Some(0) && !ended.says("a\nb"), "{}", ended.text);
    let jobs = "[[job]]\ninputs = [\"Our Children, Ourselves {1}.mp4\"]\noutput = \"painted/\"\n";
    fs::write(desk.path("jobs.toml"), jobs).unwrap();
    assert_eq!(call(&desk, ["run", "jobs.toml"]).code, Some(0));
    assert_eq!(names(&desk, "painted").len(), 1);
}

/// Runs a shell command, with the program's path in `$P`.
fn shell(desk: &Desk, text: &str) -> std::process::Output {
    let plain = program(desk);
    let mut command = Command::new("bash");
    command.args(["-c", text]).current_dir(desk.path("")).env("P", plain.get_program());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(Stdio::null()).output().unwrap()
}

fn text(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn no_environment() {
    let desk = Desk::new();
    clip(&desk, "inbox/ü.mp4", 3);
    let library = "${LD_LIBRARY_PATH:+LD_LIBRARY_PATH=$LD_LIBRARY_PATH}";
    let tail = "--stylizer identity -q";
    let bare = shell(&desk, &format!("env -i {library} \"$P\" inbox -o one {tail}"));
    assert!(bare.status.success() && text(&bare).is_empty(), "{}", text(&bare));
    let locale = shell(&desk, &format!("env -i {library} LC_ALL=C HOME=/nonexistent TERM= \"$P\" inbox -o two {tail}"));
    assert!(locale.status.success() && text(&locale).is_empty(), "{}", text(&locale));
    // The first file to be opened gets the number of a closed standard stream; nothing may be written into it.
    let closed = shell(&desk, "\"$P\" inbox -o three --stylizer identity <&- >&- 2>&-");
    assert!(closed.status.success(), "{:?}", closed.status);
    let few = shell(&desk, "ulimit -n 40; \"$P\" inbox -o four --stylizer identity");
    assert!(few.status.success(), "{}", text(&few));
    let one = files(&desk, "one");
    assert!(one.len() == 1 && ["two", "three", "four"].iter().all(|folder| files(&desk, folder) == one));
}

#[test]
fn a_limit_of_the_file_size() {
    let desk = Desk::new();
    desk.clip("big.mp4", "-f lavfi -i testsrc2=s=320x240:r=25:d=2 -pix_fmt yuv420p");
    fs::create_dir(desk.path("out")).unwrap();
    let tail = "big.mp4 -o out/ --codec ffv1 --format mkv --stylizer identity";
    for before in ["", "trap '' XFSZ; "] {
        let ended = shell(&desk, &format!("{before}ulimit -f 40; \"$P\" {tail}"));
        assert_eq!(ended.status.code(), Some(1), "{before}: {}", text(&ended));
        assert!(text(&ended).contains("limit"), "{}", text(&ended));
        assert!(names(&desk, "out").is_empty(), "{:?}", names(&desk, "out"));
    }
    let next = shell(&desk, &format!("\"$P\" {tail}"));
    assert!(next.status.success(), "{}", text(&next));
}

/// Starts a painting run in a shell, after the command `before`, sends it a signal, and returns its exit status.
fn signalled(desk: &Desk, before: &str, name: &str, signal: Signal) -> std::process::ExitStatus {
    let paint = "--backbone patches --size 64 --iterations 2,1 --checkpoint 2 --device cpu";
    let plain = program(desk);
    let mut command = Command::new("bash");
    command.args(["-c", &format!("{before} exec \"$P\" a.mp4 -o {name} {paint}")]);
    command.current_dir(desk.path("")).env("P", plain.get_program()).env("OMP_NUM_THREADS", "1");
    command.env("XDG_CONFIG_HOME", desk.path("config"));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let work = desk.path(&format!(".{name}.stylize"));
    let began = Instant::now();
    let part = |path: &Path| {
        fs::read_dir(path).is_ok_and(|entries| {
            entries.flatten().filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"part-")).count() > 1
        })
    };
    while !part(&work) {
        assert!(child.try_wait().unwrap().is_none(), "it was over before");
        assert!(began.elapsed() < Duration::from_secs(300), "it hangs");
        std::thread::sleep(Duration::from_millis(5));
    }
    send(&child, signal).unwrap();
    child.wait().unwrap()
}

#[test]
fn the_terminal_goes_away() {
    let desk = Desk::new();
    clip(&desk, "a.mp4", 12);
    let ended = signalled(&desk, "", "hup.mp4", Signal::HUP);
    assert_eq!((ended.code(), ended.signal()), (Some(129), None));
    assert!(!desk.path("hup.mp4").exists());
    let paint =
        ["--backbone", "patches", "--size", "64", "--iterations", "2,1", "--checkpoint", "2", "--device", "cpu"];
    let next = run(program(&desk).args(["a.mp4", "-o", "hup.mp4"]).args(paint));
    assert!(next.code == Some(0) && next.says("resumes after"), "{}", next.text);
    // `nohup` and a shell's background jobs ignore the signal like this.
    assert_eq!(signalled(&desk, "trap '' HUP;", "nohup.mp4", Signal::HUP).code(), Some(0));
    assert_eq!(signalled(&desk, "trap '' INT;", "int.mp4", Signal::INT).code(), Some(0));
}

#[test]
fn the_night_the_clocks_change() {
    let desk = Desk::new();
    clip(&desk, "a.mp4", 3);
    fs::create_dir(desk.path("out")).unwrap();
    let plan = |zone: &str, until: &str| {
        let mut command = program(&desk);
        let ended = run(command
            .args(["a.mp4", "-o", "out/", "--plan", "--stylizer", "identity", "--until", until])
            .env("TZ", zone));
        assert_eq!(ended.code, Some(0), "{}", ended.text);
        ended
    };
    let year = jiff::ZonedDateTime::now().year() + 1;
    // The last Sundays of March and October, when clocks change.
    let last = |month: i8| {
        let end = jiff::civil::date(year, month, 31);
        let back = end.weekday().to_sunday_zero_offset();
        end.checked_sub(jiff::Span::new().days(i64::from(back))).unwrap()
    };
    let spring = plan("Europe/Berlin", &format!("{}T02:30", last(3)));
    assert!(spring.says("T03:30:00+02:00"), "{}", spring.text);
    let autumn = plan("Europe/Berlin", &format!("{}T02:30", last(10)));
    assert!(autumn.says("T02:30:00+02:00"), "{}", autumn.text);
    let unknown = plan("Nowhere/Else", "06:00");
    assert!(unknown.says("Nowhere/Else is not known") && unknown.says("UTC"), "{}", unknown.text);
    plan("", "06:00");
}

#[test]
fn a_log_without_a_terminal() {
    let desk = Desk::new();
    desk.clip("long.mp4", "-f lavfi -i testsrc2=s=32x32:r=25:d=60 -pix_fmt yuv420p");
    let ended = call(&desk, ["long.mp4", "-o", "out.mkv"]);
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    assert!(!ended.says("\r") && ended.text.lines().count() < 100, "{} lines", ended.text.lines().count());
}

#[test]
fn every_row_is_a_test_and_every_test_a_row() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_to_string(root.join("docs/unattended.md")).unwrap();
    let tests = fs::read_to_string(root.join("tests/runs/unattended/wild.rs")).unwrap();
    let mut lines = tests.lines();
    let mut found = Vec::new();
    while lines.any(|line| line == "#[test]") {
        let name = lines.next().unwrap().trim_start_matches("fn ").split('(').next().unwrap();
        found.push(format!("`wild::{name}`"));
    }
    found.retain(|name| !name.contains("every_row"));
    let rows: Vec<String> =
        docs.lines().filter_map(|line| line.rsplit('|').nth(1)).map(|cell| cell.trim().to_owned()).collect();
    let rows: Vec<String> = rows.into_iter().filter(|cell| cell.starts_with("`wild::")).collect();
    assert_eq!(rows, found);
}
