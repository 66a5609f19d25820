//! A folder of videos as input.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use crate::common::Desk;
use crate::unattended::{age, call, clip, files, names};

#[test]
fn a_tree_is_mirrored_and_done_once() {
    let desk = Desk::new();
    clip(&desk, "in/clip10.mp4", 3);
    clip(&desk, "in/clip2.mkv", 3);
    clip(&desk, "in/sub/deep.mov", 3);
    clip(&desk, "in/.hidden/x.mp4", 3);
    fs::create_dir_all(desk.path("in/sub/frames")).unwrap();
    for picture in ["in/sub/frames/f1.png", "in/sub/frames/f2.png", "in/still.png"] {
        desk.clip(picture, "-f lavfi -i testsrc=s=32x32 -frames:v 1 -update 1");
        age(&desk.path(picture));
    }
    age(&desk.path("in/sub/frames"));
    fs::write(desk.path("in/notes.txt"), "").unwrap();
    symlink("..", desk.path("in/sub/loop")).unwrap();
    symlink("nowhere", desk.path("in/sub/dead")).unwrap();

    let run = call(&desk, ["in", "-o", "out"]);
    assert_eq!(run.code, Some(0), "{}", run.text);
    assert_eq!(names(&desk, "out"), ["clip10.monet.mp4", "clip2.monet.mkv", "still.monet.png"]);
    let order = ["in/clip2.mkv: 96x72", "in/clip10.mp4: 96x72"].map(|line| run.text.find(line).unwrap());
    assert!(order[0] < order[1], "in natural order: {}", run.text);
    assert!(run.says("3 done, in ") && run.says("done  in/clip10.mp4"), "{}", run.text);

    let run = call(&desk, ["in", "-o", "out", "--recursive", "--include", "*.mov", "--include", "frames"]);
    assert_eq!(run.code, Some(0), "{}", run.text);
    assert!(run.says("2 done, in "), "{}", run.text);
    let below = ["sub/deep.monet.mov", "sub/frames.monet/f1.png", "sub/frames.monet/f2.png"];
    assert!(below.iter().all(|name| names(&desk, "out").contains(&(*name).into())), "{:?}", names(&desk, "out"));

    // A second run finds nothing to do.
    let before = files(&desk, "out");
    let run = call(&desk, ["in", "-o", "out", "--recursive"]);
    assert_eq!(run.code, Some(0), "{}", run.text);
    assert!(run.says("5 skipped, in "), "{}", run.text);
    assert!(before == files(&desk, "out"));
    let run = call(&desk, ["in", "-o", "none", "-r", "--exclude", "sub/", "--exclude", "*.png", "--dry-run"]);
    assert!(
        run.code == Some(0) && !run.says("sub/deep") && !run.says("still") && run.says("none/clip2"),
        "{}",
        run.text
    );
    assert!(!desk.path("none").exists());
}

#[test]
fn results_are_no_inputs() {
    let desk = Desk::new();
    clip(&desk, "in/a.mp4", 2);
    // Outputs next to the input in two styles, in the input folder itself, and in a folder below it.
    for arguments in [&["in"][..], &["in", "--preset", "sketch"], &["in", "-o", "in"], &["in", "-r", "-o", "in/out"]] {
        let run = call(&desk, arguments);
        assert_eq!(run.code, Some(0), "{}", run.text);
        let run = call(&desk, arguments);
        assert!(
            run.says("in/a.mp4: skipped, done already") && !run.says("in/a.monet") && !run.says("in/a.sketch"),
            "{}",
            run.text
        );
    }
    assert_eq!(names(&desk, "in"), ["a.monet.mp4", "a.mp4", "a.sketch.mp4", "out/a.monet.mp4"]);
    // Even without its source, an output is not taken as an input, unless its result goes to another folder.
    fs::remove_file(desk.path("in/a.mp4")).unwrap();
    age(&desk.path("in/a.sketch.mp4"));
    assert!(!call(&desk, ["in"]).says("in/a.sketch.mp4: 96x72"));
    assert!(call(&desk, ["in", "-o", "elsewhere/"]).says("in/a.sketch.mp4: 96x72"));
}

#[test]
fn mistakes_stop_all_before_any_work() {
    let desk = Desk::new();
    for name in ["in/a.mpg", "in/a.avi", "in/b.mp4"] {
        clip(&desk, name, 2);
    }
    for (arguments, wanted) in [
        (&["in", "-o", "out.mp4"][..], "-o out.mp4: what is made of a folder's files needs a folder"),
        (&["in", "-o", "-"], "needs a folder"),
        (&["in", "-o", "in/b.mp4"], "needs a folder"),
        (&["in", "--include", "a["], "--include a[: "),
        (&["in", "--settle", "soon"], "is no length of time"),
    ] {
        let run = call(&desk, arguments);
        assert!(run.code == Some(2) && run.says(wanted), "{:?}: {}", run.code, run.text);
    }
    assert!(!desk.path("out").exists() && names(&desk, "in").len() == 3);
    fs::create_dir(desk.path("empty")).unwrap();
    assert_eq!(call(&desk, ["empty"]).code, Some(1));
    let run = call(&desk, ["empty", "-o", "out/"]);
    assert!(run.code == Some(0) && run.says("nothing to do"), "{}", run.text);
}

#[test]
fn what_failed_is_tried_again_when_it_has_changed() {
    let desk = Desk::new();
    let good = clip(&desk, "in/a.mp4", 2);
    let bad = desk.path("in/bad.mp4");
    fs::write(&bad, &fs::read(&good).unwrap()[..900]).unwrap();
    age(&bad);
    symlink("nowhere", desk.path("in/gone.mp4")).unwrap();
    let run = call(&desk, ["in", "-o", "out"]);
    assert!(run.code == Some(1) && run.says("1 done, 2 failed, in "), "{}", run.text);
    for _ in 0..2 {
        let run = call(&desk, ["in", "-o", "out"]);
        assert!(run.code == Some(0) && run.says("3 skipped, in "), "{}", run.text);
        assert!(run.says("in/bad.mp4: skipped, failed before, unchanged (its index (moov) is missing"), "{}", run.text);
        let quiet = call(&desk, ["in", "-o", "out", "-q"]);
        assert_eq!((quiet.code, quiet.text.as_str()), (Some(0), ""));
    }
    assert_eq!(call(&desk, ["in", "-o", "out", "--retry-failed"]).code, Some(1));
    // Another setting makes another job, and a file that the user names is reported every time.
    assert_eq!(call(&desk, ["in", "-o", "out", "--set", "loss.beta=3"]).code, Some(1));
    assert_eq!(call(&desk, ["in/bad.mp4", "-o", "out/"]).code, Some(1));
    fs::copy(&good, &bad).unwrap();
    let run = call(&desk, ["in", "-o", "out"]);
    assert!(run.code == Some(0) && run.says("in/bad.mp4: skipped, still being written: changed"), "{}", run.text);
    let run = call(&desk, ["in", "-o", "out", "--settle", "0"]);
    assert!(run.code == Some(0) && run.says("1 done, 2 skipped, in "), "{}", run.text);
    let state = fs::read_to_string(desk.path("out/.stylize-video.state.json")).unwrap();
    assert!(!state.contains("bad.mp4"), "what is done is forgotten: {state}");
}

#[test]
fn an_unreadable_folder_and_odd_names() {
    let desk = Desk::new();
    let good = clip(&desk, "in/a.mp4", 2);
    let odd = [&b"in/\xff\xfe.mp4"[..], b"in/-o.mp4", b"in/a\nb.mp4", b"in/%d.mp4", b"in/[x].mp4", b"in/{stem}.mp4"];
    for name in odd {
        let path = desk.path("").join(std::ffi::OsStr::from_bytes(name));
        fs::copy(&good, &path).unwrap();
        age(&path);
    }
    clip(&desk, "in/locked/b.mp4", 2);
    let locked = desk.path("in/locked");
    let closed = fs::Permissions::from_mode(0o000);
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(&locked, closed).unwrap();
    // The superuser can read a folder without permissions.
    let may = fs::read_dir(&locked).is_ok();
    let run = call(&desk, ["in", "-o", "out", "-r"]);
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o755)).unwrap();
    let ended = if may { "8 done" } else { "7 done, 1 failed" };
    assert!(run.says(ended) && run.code == Some(i32::from(!may)), "{}", run.text);
    assert!(desk.path("out").join(std::ffi::OsStr::from_bytes(b"\xff\xfe.monet.mp4")).exists());
    assert!(desk.path("out/{stem}.monet.mp4").exists());
}

#[test]
fn several_at_once_give_the_same_bytes() {
    let desk = Desk::new();
    for number in 1..=4 {
        clip(&desk, &format!("in/{number}.mp4"), 2 + number);
    }
    let paint = ["--backbone", "patches", "--size", "32", "--iterations", "1,1", "--device", "cpu"];
    for (out, parallel) in [("one", "1"), ("three", "3")] {
        let mut command = crate::unattended::program(&desk);
        command.args(["in", "-o", out, "--parallel", parallel, "--log-format", "json"]).args(paint);
        let run = crate::unattended::run(&mut command);
        assert_eq!(run.code, Some(0), "{}", run.text);
        let events: Vec<serde_json::Value> = run.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let last = events.iter().find(|event| event["event"] == "batch").unwrap();
        let rows = last["jobs"].as_array().unwrap();
        assert_eq!(rows.iter().map(|row| row["frames"].as_u64().unwrap()).collect::<Vec<_>>(), [3, 4, 5, 6]);
        assert!(rows.iter().all(|row| row["outcome"] == "done"));
        let frames = events.iter().filter(|event| event["event"] == "frame");
        let of = |job: u64| frames.clone().filter(|frame| frame["job"] == job).count();
        assert_eq!([of(1), of(4)], if parallel == "3" { [3, 6] } else { [0, 0] }, "frames name their job");
    }
    assert_eq!(names(&desk, "one").len(), 4);
    assert!(files(&desk, "one") == files(&desk, "three"));
}

#[test]
fn what_was_cut_off_is_made_again() {
    let desk = Desk::new();
    clip(&desk, "in/a.mkv", 5);
    let folder = ["in", "-o", "out/"];
    assert!(call(&desk, folder).says("done, 5 frames"));
    let whole = fs::read(desk.path("out/a.monet.mkv")).unwrap();
    fs::write(desk.path("out/a.monet.mkv"), &whole[..whole.len() - 100]).unwrap();
    let run = call(&desk, folder);
    assert!(run.code == Some(0) && run.says("a part of it was cut off since"), "{}", run.text);
    assert!(fs::read(desk.path("out/a.monet.mkv")).unwrap() == whole);
    assert!(call(&desk, folder).says("skipped, done already"));
}
