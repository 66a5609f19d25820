//! `stylize-video shots` and `--cuts`, on real clips and through the command line.

use std::path::{Path, PathBuf};

use assert_cmd::Command;

use stylize_video::motion::flo;

use crate::common::{Desk, real_clip};
use crate::motion::synth::{HEIGHT, Motion, WIDTH};

fn program(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("stylize-video").unwrap();
    command.current_dir(folder).env_clear();
    command
}

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/demo.mp4")
}

/// Returns the kind and frame number of each line for a file.
fn shots(file: &Path) -> Vec<(String, u64)> {
    let json = program(Path::new("/")).arg("shots").arg(file).arg("--json").assert().success();
    let lines: serde_json::Value = serde_json::from_slice(&json.get_output().stdout).unwrap();
    let lines = lines.as_array().unwrap().iter();
    lines.map(|line| (line["kind"].as_str().unwrap().to_string(), line["frame"].as_u64().unwrap())).collect()
}

fn cuts(file: &Path) -> Vec<u64> {
    shots(file).into_iter().filter(|(kind, _)| kind == "cut").map(|(_, frame)| frame).collect()
}

#[test]
fn the_demo_clip_has_one_cut() {
    // The clip's two scenes have 28 and 20 frames.
    assert_eq!(shots(&demo()), [("begin".to_string(), 1), ("cut".to_string(), 29)]);
    let list = program(Path::new("/")).arg("shots").arg(demo()).assert().success().get_output().stdout.clone();
    let list = String::from_utf8(list).unwrap();
    assert!(list.starts_with("0:00:00.000  # frame 1\n0:00:01.167  # frame 29, cut, score "), "{list}");
}

// Flow alone finds one of the cuts.
#[cfg(feature = "opencv")]
#[test]
#[ignore = "needs STYLIZE_VIDEO_TEST_MEDIA"]
fn joined_clips_are_cut_where_they_are_joined() {
    let (flower, friday) = (real_clip("flower.mp4"), real_clip("friday.mp4"));
    let desk = Desk::new();
    let parts = [flower, demo(), friday].map(|path| format!("-i {}", path.display())).join(" ");
    let fitted = |n: usize| {
        format!("[{n}:v]scale=320:180:force_original_aspect_ratio=decrease,pad=320:180:-1:-1,fps=30,setsar=1[v{n}]")
    };
    let graph = format!("{};{};{};[v0][v1][v2]concat=n=3[v]", fitted(0), fitted(1), fitted(2));
    let coded = "-c:v libx264 -crf 16 -preset ultrafast";
    let joined = desk.clip("joined.mp4", &format!("{parts} -filter_complex {graph} -map [v] {coded}"));
    // The middle cut is the demo clip's own.
    assert_eq!(cuts(&joined), [151, 186, 211]);
    let fast =
        desk.clip("fast.mp4", &format!("-i {} -vf select=not(mod(n\\,5)),setpts=N/30/TB {coded}", joined.display()));
    assert_eq!(cuts(&fast), [31, 38, 43]);
    let white = "drawbox=c=white:t=fill:enable=eq(n\\,70)+eq(n\\,152)";
    let flashed = desk.clip("flashed.mp4", &format!("-i {} -vf {white} {coded}", joined.display()));
    let expected = [("begin", 1), ("flash", 71), ("cut", 151), ("flash", 153), ("cut", 186), ("cut", 211)];
    assert_eq!(shots(&flashed), expected.map(|(kind, frame)| (kind.to_string(), frame)));
}

#[test]
fn the_printed_list_is_valid_and_mistakes_are_told_first() {
    let desk = Desk::new();
    let folder = desk.path("");
    let list = program(&folder).arg("shots").arg(demo()).assert().success().get_output().stdout.clone();
    std::fs::write(desk.path("cuts.txt"), list).unwrap();
    std::fs::write(desk.path("long.txt"), "0:00:01.167\n49\n0:01:00.000\n").unwrap();
    std::fs::write(desk.path("bad.txt"), "# shots\n0:00:01\nlater\n").unwrap();
    std::fs::write(desk.path("numbers.txt"), "0:00:01\n29\n").unwrap();
    let run = |arguments: &[&str]| {
        let mut command = program(&folder);
        command.arg(demo()).args(["-o", "out.mp4", "--if-exists", "replace", "--stylizer", "identity"]).args(arguments);
        let output = command.assert().get_output().clone();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, told) = run(&["--cuts", "cuts.txt", "--start", "0.5"]);
    assert_eq!((code, told.contains("warning")), (Some(0), false), "{told}");
    let (code, told) = run(&["--cuts", "long.txt"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("long.txt:2: 49 is beyond the end") && told.contains("long.txt:3: 0:01:00.000"), "{told}");
    // A run over a limited part does not report cuts that lie after that part.
    let (_, told) = run(&["--cuts", "long.txt", "--frames", "12"]);
    assert!(!told.contains("beyond"), "{told}");
    for (arguments, expected) in [
        (vec!["--cuts", "bad.txt"], "bad.txt:3: `later` is neither a time"),
        (vec!["--cuts", "none.txt"], "none.txt: cannot be read"),
        (vec!["--cuts", "numbers.txt", "--start", "1"], "numbers.txt:2: a frame number cannot be used with --start"),
        (vec!["--cuts", "cuts.txt", "second.mp4"], "--cuts is about one source, but there are 2 inputs"),
        (vec!["--flow", "flow.flo"], "needs two numbers, as in flow_%d_%d.flo"),
    ] {
        let (code, told) = run(&arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {told}");
        assert!(told.contains(expected) && told.lines().count() == 1, "{arguments:?}: {told}");
    }
}

#[test]
fn a_run_takes_flow_from_files_and_misses_them_before_painting() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("source")).unwrap();
    let pan = Motion::Pan([3.0, 1.0]);
    for t in 0..3 {
        let picture = image::RgbImage::from_raw(WIDTH as u32, HEIGHT as u32, pan.frame(t).to_rgb8()).unwrap();
        picture.save(desk.path(&format!("source/{t}.png"))).unwrap();
    }
    let write = |i: usize, j: usize, width: usize| {
        let flow = pan.flow(i, j).resized(width, HEIGHT);
        flo::write(&desk.path(&format!("f_{}_{}.flo", i + 1, j + 1)), &flow).unwrap();
    };
    [(0, 1), (1, 0), (1, 2)].iter().for_each(|&(i, j)| write(i, j, WIDTH));
    let run = |extra: &[&str]| {
        let mut command = program(&desk.path(""));
        command.args(["source", "-o", "out", "--if-exists", "replace", "--size", "32", "--iterations", "1,1"]);
        command.args(["--backbone", "patches", "--device", "cpu", "--flow", "f_%d_%d.flo", "--log-format", "json"]);
        let output = command.args(extra).assert().get_output().clone();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let warped = ["--set", "init.next=warped", "--set", "temporal.weight=10", "--set", "motion.long=direct"];
    let (code, told) = run(&warped);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("f_3_2.flo: the flow file cannot be read") && !told.contains("\"started\""), "{told}");
    write(2, 1, WIDTH);
    write(1, 0, HEIGHT / 2);
    let (code, told) = run(&warped);
    assert!(
        code == Some(1) && told.contains("f_2_1.flo: the flow is 32x64") && !told.contains("\"started\""),
        "{told}"
    );
    write(1, 0, WIDTH);
    let (code, told) = run(&warped);
    assert!(code == Some(0) && told.contains("\"waited_for_motion\":"), "{told}");
    // Where no setting needs motion, the program says so.
    let (code, told) = run(&["--set", "init.next=previous", "--set", "temporal.weight=0"]);
    assert!(code == Some(0) && told.contains("--flow is of no use"), "{told}");
}
