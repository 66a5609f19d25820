//! The `--plan` option.

use std::fs;
use std::io::{BufRead, BufReader, Read};

use serde_json::Value;

use crate::common::Desk;
use crate::watched::harness::{CLIP, PAINTED, command, run, terminate};

#[test]
fn the_plan_counts_and_writes_nothing() {
    let desk = Desk::new();
    // Two shots.
    desk.clip(
        "a.mp4",
        "-f lavfi -i testsrc2=s=96x72:r=25:d=0.44 -f lavfi -i mandelbrot=s=96x72:r=25 -filter_complex \
         [0]format=yuv420p[a];[1]trim=duration=0.36,format=yuv420p,setpts=PTS-STARTPTS[b];[a][b]concat=n=2",
    );
    desk.clip("b.mp4", CLIP);
    fs::write(desk.path("broken.mp4"), "no video, but long enough to be taken for something").unwrap();
    let before: Vec<_> = fs::read_dir(desk.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let inputs = &["a.mp4", "b.mp4", "broken.mp4", "--plan"][..];
    let plan = run(&desk, &[inputs, PAINTED, &["--log-format", "json", "--max-runtime", "5h"]]);
    assert_eq!(plan.code, Some(1), "{}", plan.text);
    let lines: Vec<Value> = plan.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["estimate", "estimate", "estimate_failed", "estimate_total"]);
    for (line, frames, shots) in [(&lines[0], 20, 2), (&lines[1], 10, 1)] {
        assert_eq!((line["frames"].as_u64(), line["shots"].as_u64()), (Some(frames), Some(shots)), "{line}");
        let [low, seconds, high] = ["low", "seconds", "high"].map(|key| line[key].as_f64().unwrap());
        assert!(0.0 < low && low < seconds && seconds < high, "{line}");
        assert!(line["output_bytes"].as_u64().is_some_and(|bytes| bytes > 100), "{line}");
        assert!(line["sampled"].as_u64().is_some_and(|frames| frames > 0), "{line}");
    }
    assert_eq!((lines[3]["frames"].as_u64(), lines[3]["fits"].as_str()), (Some(30), Some("yes")));
    let after: Vec<_> = fs::read_dir(desk.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(before.len(), after.len(), "{after:?}");

    let text = run(&desk, &[&["b.mp4", "--plan"], PAINTED, &["--max-runtime", "1ms"]]);
    assert_eq!(text.code, Some(0), "{}", text.text);
    assert!(text.stdout.contains("b.mp4 -> b.monet.mp4: 10 frames in 1 shot, 96x72; "), "{}", text.stdout);
    assert!(text.stdout.contains("does not fit"), "{}", text.stdout);
}

#[test]
fn the_work_folder_is_as_large_as_planned() {
    let desk = Desk::new();
    desk.clip("a.mp4", "-f lavfi -i testsrc2=s=96x72:r=25:d=0.8");
    // The history is full after four frames, the curvature after the first, and the first part ends after five.
    let common = ["--backbone", "patches", "--iterations", "24,10", "--checkpoint", "5", "--device", "cpu"];
    let offsets = ["--set", "temporal.offsets=[1,4]", "--log-format", "json"];
    for (name, more) in [("auto", &[][..]), ("composed", &["--size", "64", "--set", "motion.long=composed"])] {
        let output = format!("{name}.mp4");
        let options = [&["a.mp4", "-o", &output][..], &common, &offsets, more].concat();
        let plan = run(&desk, &[&options, &["--plan"]]);
        assert_eq!(plan.code, Some(0), "{}", plan.text);
        let line: Value = serde_json::from_str(plan.stdout.lines().next().unwrap()).unwrap();
        let planned = line["work_bytes"].as_u64().unwrap() - line["output_bytes"].as_u64().unwrap();

        let mut child = command(&desk, &options).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut text = String::new();
        while !text.contains("\"frame\":7") && stderr.read_line(&mut text).unwrap() > 0 {}
        terminate(&child);
        stderr.read_to_string(&mut text).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(143), "{text}");
        let work = fs::read_dir(desk.path(&format!(".{output}.stylize"))).unwrap().map(|entry| entry.unwrap().path());
        let states = work.filter(|path| path.extension().is_some_and(|end| end == "safetensors"));
        let left: u64 = states.map(|path| path.metadata().unwrap().len()).sum();
        let ratio = planned as f64 / left as f64;
        assert!((0.9..=1.1).contains(&ratio), "{name}: planned {planned} bytes, {left} are there");
    }
}
