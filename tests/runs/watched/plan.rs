//! The `--plan` option.

use std::fs;

use serde_json::Value;

use crate::common::Desk;
use crate::watched::harness::{CLIP, PAINTED, run};

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
