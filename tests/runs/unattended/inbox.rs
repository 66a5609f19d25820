//! The `--watch` option.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::{Desk, send};
use crate::unattended::{KEPT, clip, names, program};

fn until(child: &mut Child, what: &Path) {
    let began = Instant::now();
    while !what.exists() {
        assert!(child.try_wait().unwrap().is_none(), "the watch has ended");
        assert!(began.elapsed() < Duration::from_secs(120), "{} does not come", what.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_comes_is_done_until_the_watch_is_ended() {
    let desk = Desk::new();
    let source = clip(&desk, "a.mp4", 3);
    fs::create_dir(desk.path("inbox")).unwrap();
    let watch =
        ["inbox", "-o", "outbox/", "--watch", "--settle", "300ms", "--summary", "s.json", "--metrics", "m.prom"];
    let mut child = program(&desk).args(watch).args(KEPT).spawn().unwrap();
    for name in ["one", "two"] {
        // The clip arrives in pieces, long after the watch has begun to wait.
        std::thread::sleep(Duration::from_millis(500));
        fs::copy(&source, desk.path(&format!("inbox/{name}.part"))).unwrap();
        fs::rename(desk.path(&format!("inbox/{name}.part")), desk.path(&format!("inbox/{name}.mp4"))).unwrap();
        until(&mut child, &desk.path(&format!("outbox/{name}.monet.mp4")));
    }
    fs::write(desk.path("inbox/bad.mp4"), "no video").unwrap();
    until(&mut child, &desk.path("outbox/.stylize-video.state.json"));
    std::thread::sleep(Duration::from_secs(2));
    let summary = || serde_json::from_slice::<serde_json::Value>(&fs::read(desk.path("s.json")).unwrap()).unwrap();
    let metrics = || fs::read_to_string(desk.path("m.prom")).unwrap();
    let (running, ended) = ("stylize_video_running 1\n", "stylize_video_failed_job{input=\"inbox/bad.mp4\"} 1");
    assert_eq!(summary()["state"], "running", "all looks are one run");
    assert!(metrics().contains(running) && metrics().contains(ended), "{}", metrics());
    send(&child, Signal::TERM).unwrap();
    let status = child.wait().unwrap();
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(matches!(status.code(), Some(0 | 1)), "{status}: {text}");
    assert_eq!((&summary()["state"], &summary()["counts"]["done"]), (&"finished".into(), &2.into()));
    assert!(summary()["planned"].as_u64() >= Some(3) && !metrics().contains(running), "{}", metrics());
    assert_eq!(names(&desk, "outbox"), ["one.monet.mp4", "two.monet.mp4"]);
    assert_eq!(text.matches("inbox/bad.mp4").count(), 1, "told once: {text}");
    // On a slow machine the first scan may find a clip that has just arrived.
    assert!(!text.contains("done already") && text.matches("skipped").count() <= 1, "{text}");
}
