//! The machine-readable log follows its schema.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde_json::{Value, json};

use crate::common::Desk;
use crate::watched::harness::{CLIP, KEPT, PAINTED, Run, command, run, terminate};

/// Returns what is wrong with a line, or `None` if the line is valid.
fn fault(line: &Value) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/events.schema.json");
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    let schema = compiler.compile(path.to_str().unwrap(), &mut schemas).unwrap();
    schemas.validate(line, schema).err().map(|error| format!("{line}\n{error:#}"))
}

fn check(run: &Run) {
    for line in run.events() {
        assert_eq!(fault(&line), None);
    }
}

const JSON: &[&str] = &["--log-format", "json"];

#[test]
fn the_schema_refuses_what_is_no_event() {
    let frame = json!({"event": "frame", "elapsed": 1, "frame": 1, "frames": null, "iterations": 2, "objective": null,
        "seconds": 0.5});
    assert_eq!(fault(&frame), None);
    for (key, value) in [("event", json!("fram")), ("frame", json!(0)), ("seconds", json!("1")), ("more", json!(1))] {
        let mut wrong = frame.clone();
        wrong[key] = value;
        assert!(fault(&wrong).is_some(), "{wrong}");
    }
    assert!(fault(&json!({"event": "note", "elapsed": 1})).is_some());
}

#[test]
fn runs_that_go_well_skip_and_fail() {
    let desk = Desk::new();
    desk.clip("a.mp4", CLIP);
    desk.clip("b.mp4", CLIP);
    std::fs::write(desk.path("broken.mp4"), "no video, but long enough to be taken for something").unwrap();
    std::fs::write(desk.path("b.monet.mp4"), "").unwrap();
    let inputs = &["b.mp4", "a.mp4", "broken.mp4", "missing.mp4", "--if-exists", "skip"][..];
    let run = run(&desk, &[inputs, KEPT, JSON, &["-v"]]);
    assert_eq!(run.code, Some(1), "{}", run.text);
    check(&run);
    let mut names = run.names();
    names.retain(|name| !["note", "warning"].contains(&name.as_str()));
    names.dedup();
    assert_eq!(names, ["run_started", "skipped", "started", "frame", "finished", "failed", "batch", "run_finished"]);
    let last = run.events().into_iter().rfind(|event| event["event"] == "run_finished").unwrap();
    assert_eq!((&last["done"], &last["skipped"], &last["failed"]), (&json!(1), &json!(1), &json!(2)));
    assert_eq!((&last["stopped"], &last["not_begun"]), (&Value::Null, &json!(0)));
}

#[test]
fn mistakes_and_passes() {
    let desk = Desk::new();
    desk.clip("a.mp4", "-f lavfi -i testsrc2=s=96x72:r=25:d=0.12");
    let wrong = run(&desk, &[&["a.mp4", "--preset", "monnet"], JSON]);
    assert_eq!((wrong.code, wrong.names()), (Some(2), vec!["failed".to_owned()]), "{}", wrong.text);
    check(&wrong);
    let passes = run(&desk, &[&["a.mp4", "--passes", "2"], PAINTED, JSON]);
    assert_eq!(passes.code, Some(0), "{}", passes.text);
    check(&passes);
    let of_pass = |number: u64| passes.events().iter().filter(|event| event["pass"].as_u64() == Some(number)).count();
    let frames: Vec<_> = passes.events().into_iter().filter(|event| event["event"] == "frame").collect();
    for frame in &frames {
        let value = |name: &str| frame["terms"][name].as_f64();
        let sum: f64 = ["content", "style", "variation", "flatness", "luminance", "chroma"]
            .iter()
            .filter_map(|name| value(name))
            .sum();
        let objective = frame["objective"].as_f64().unwrap();
        assert!(value("content").is_some() && (sum - objective).abs() < 1e-3 * objective, "{frame}");
    }
    // The second pass, backwards, binds the first frame to the one after it.
    assert!(frames.len() == 3 && frames[0]["terms"]["temporal"].is_f64(), "{frames:?}");
    // The second shot has no earlier frame to blend its first frame with.
    assert_eq!((of_pass(1), of_pass(2)), (3, 2));
}

#[test]
fn a_run_that_is_terminated_and_the_next_one() {
    let desk = Desk::new();
    desk.clip("a.mp4", "-f lavfi -i testsrc2=s=96x72:r=25:d=1.2");
    desk.clip("b.mp4", CLIP);
    let arguments = [&["a.mp4", "b.mp4"][..], PAINTED, JSON].concat();
    let mut child = command(&desk, &arguments).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut text = String::new();
    while !text.contains("\"frame\":2") && stderr.read_line(&mut text).unwrap() > 0 {}
    terminate(&child);
    stderr.read_to_string(&mut text).unwrap();
    let stopped = Run { code: child.wait().unwrap().code(), stdout: String::new(), text };
    assert_eq!(stopped.code, Some(143), "{}", stopped.text);
    check(&stopped);
    let events = stopped.events();
    let cancelled = events.iter().find(|event| event["event"] == "cancelled").unwrap();
    let painted = cancelled["frames"].as_u64().unwrap();
    assert!(painted >= 2 && cancelled["reason"] == "signal", "{cancelled}");
    let last = events.last().unwrap();
    assert_eq!((&last["event"], &last["stopped"]), (&json!("run_finished"), &json!("signal")));
    assert_eq!((&last["cancelled"], &last["not_begun"]), (&json!(1), &json!(1)));

    let next = run(&desk, &[&arguments]);
    assert_eq!(next.code, Some(0), "{}", next.text);
    check(&next);
    let resumed = next.events().into_iter().find(|event| event["event"] == "resumed").unwrap();
    assert_eq!(resumed["frames"].as_u64(), Some(painted));
    let frames: Vec<u64> = next.events().iter().filter_map(|event| event["frame"].as_u64()).collect();
    assert_eq!(frames[0], painted + 1, "what is painted is not painted again");
}
