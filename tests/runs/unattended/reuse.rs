//! Jobs of one run share what is loaded, and give the bytes of single runs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use stylize_video::batch::plan::{self, Folders, Request};
use stylize_video::batch::{self, JobGroup, RunContext, RunOptions, Summary};
use stylize_video::interrupt::CancelToken;
use stylize_video::job::Engine;
use stylize_video::media::Range;
use stylize_video::motion::SuppliedMotion;
use stylize_video::report::{Event, Observer, Outcome};
use stylize_video::settings::{Device, IfExists, Resolved, Settings, Size, StyleImage};

use crate::common::{Desk, plain_request};

struct Quiet;

impl Observer for Quiet {
    fn event(&self, _: &Event) {}
}

/// A group of jobs: paints each of the inputs in a style, into the folder `output`.
fn group(inputs: &[PathBuf], style: &str, output: PathBuf) -> JobGroup {
    let mut settings = Settings { device: Device::Cpu, ..Settings::default() };
    settings.network.backbone = "patches".into();
    settings.content.faces = 1.0;
    settings.frame.size = Size::Pixels(64);
    settings.optimizer.iterations = [3, 1];
    settings.style.images = vec![StyleImage { image: format!("builtin:{style}.webp"), weight: 1.0 }];
    let resolved = Resolved { settings, preset: "x".into(), preset_hash: String::new(), if_exists: None };
    let folders = Folders::default();
    let request = Request {
        inputs,
        output: Some(&output),
        input_format: "",
        preset: "x",
        format: "",
        range: Range::default(),
        if_exists: Some(IfExists::Fail),
        ..plain_request(&folders)
    };
    let planned = plan::plan(&request).unwrap();
    JobGroup { planned, resolved, supplied: SuppliedMotion::default(), failure_log: None, named: Vec::new() }
}

fn run(groups: Vec<JobGroup>, parallel: usize) -> Summary {
    let (cancel, options) = (CancelToken::default(), RunOptions { parallel, ..RunOptions::default() });
    let summary =
        batch::run(groups, RunContext { engine: Engine::Optimise, options, observer: &Quiet, cancel: &cancel });
    assert_eq!(summary.count(Outcome::Done), summary.results.len(), "{:?}", summary.results);
    summary
}

#[test]
fn a_group_loads_its_model_once_and_paints_what_single_runs_paint() {
    let desk = Desk::new();
    let sizes = ["80x64", "80x64", "64x80"];
    let inputs: Vec<PathBuf> = (0..3)
        .map(|number| {
            let made = format!("-f lavfi -i testsrc2=s={} -vf hue=h={} -frames:v 1", sizes[number], 60 * number);
            desk.clip(&format!("{number}.png"), &made)
        })
        .collect();
    let folder = |name: &str| {
        let path = desk.path(&format!("{name}/"));
        std::fs::create_dir_all(&path).unwrap();
        path
    };
    let bytes = |name: &str| -> BTreeMap<String, Vec<u8>> {
        let files = std::fs::read_dir(desk.path(name)).unwrap().map(|entry| entry.unwrap());
        files.map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap())).collect()
    };
    for input in &inputs {
        let alone = std::slice::from_ref(input);
        assert_eq!(run(vec![group(alone, "monet", folder("monet"))], 1).loads, 1);
        assert_eq!(run(vec![group(alone, "sketch", folder("sketch"))], 1).loads, 1);
    }
    let (monet, sketch) = (bytes("monet"), bytes("sketch"));
    assert!(monet.len() == 3 && monet.keys().eq(sketch.keys()) && monet.values().ne(sketch.values()));
    for parallel in [1, 2] {
        let [one, two, three] = ["one", "two", "three"].map(|name| format!("{name}{parallel}"));
        let groups = vec![
            group(&inputs, "monet", folder(&one)),
            group(&inputs, "sketch", folder(&two)),
            group(&inputs, "monet", folder(&three)),
        ];
        let loads = run(groups, parallel).loads;
        // One worker loads a model for each of the three groups; with two workers, each does so at most.
        assert!(if parallel == 1 { loads == 3 } else { (2..=6).contains(&loads) }, "{loads} with {parallel} workers");
        assert_eq!(bytes(&one), monet, "{parallel} at once");
        assert_eq!(bytes(&two), sketch, "{parallel} at once");
        assert_eq!(bytes(&three), monet, "{parallel} at once");
    }
}
