//! Job identity: which changes make another job, under which name they are reported, and which changes do not.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use stylize_video::identity::{Fingerprint, Identity, IdentityError, LastShared, identify};
use stylize_video::job::{Engine, Job, Share};
use stylize_video::media::{Input, Names, NumberedName, Output, Range};
use stylize_video::motion::SuppliedMotion;
use stylize_video::settings::{Device, IfExists, Settings, StyleImage};
use tempfile::TempDir;

/// A job with every possible kind of input, in a temporary folder.
struct Desk {
    root: TempDir,
    job: Job,
    settings: Settings,
    engine: Engine,
}

impl Desk {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let path = |name: &str| root.path().join(name);
        let text = |name: &str| path(name).to_str().unwrap().to_owned();
        fs::create_dir(path("weights")).unwrap();
        for name in ["in.mp4", "one.png", "two.png", "weights/squeezenet1_0.safetensors", "1-2.flo", "2-1.flo"] {
            fs::write(path(name), name).unwrap();
        }
        fs::write(path("cuts"), "0:00:01.000\n").unwrap();
        let mut settings = Settings { device: Device::Cpu, ..Settings::default() };
        settings.style.images = ["one.png", "two.png"].map(|name| StyleImage { image: text(name), weight: 1.0 }).into();
        settings.network.backbone = "squeezenet1_0".into();
        settings.network.weights_dir = text("weights");
        settings.motion.flow = text("%d-%d.flo");
        settings.motion.cuts = text("cuts");
        let (input, output) = (Input::Video(path("in.mp4")), Output::Video(path("out.mp4")));
        let job = Job {
            input,
            output,
            range: Range::default(),
            if_exists: stylize_video::settings::IfExists::Fail,
            unattended: false,
            found: false,
            changed: None,
            share: Share::Whole,
        };
        Self { root, job, settings, engine: Engine::Optimise }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn try_identify(&self) -> Result<Identity, IdentityError> {
        let supplied = SuppliedMotion::read(&self.settings.motion, 1, self.job.range).unwrap();
        identify(&self.job, &self.settings, &supplied, self.engine, Fingerprint::Sampled)
    }

    fn identity(&self) -> Identity {
        self.try_identify().unwrap()
    }
}

/// Returns the name of the part that `change` changes; `None` where the job stays the same.
#[track_caller]
fn changed(change: impl FnOnce(&mut Desk)) -> Option<String> {
    let mut desk = Desk::new();
    let before = desk.identity();
    change(&mut desk);
    let now = desk.identity();
    let told = now.changed(&before);
    assert_eq!(told.is_none(), now.id() == before.id(), "the id and {told:?}");
    told
}

#[track_caller]
fn is(change: impl FnOnce(&mut Desk), expected: &str) {
    assert_eq!(changed(change).as_deref(), Some(expected));
}

#[track_caller]
fn is_the_same(change: impl FnOnce(&mut Desk)) {
    assert_eq!(changed(change), None);
}

#[test]
fn an_id_is_32_hexadecimal_digits_and_the_same_every_time() {
    let desk = Desk::new();
    let id = desk.identity().id();
    assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    assert_eq!(desk.identity().id(), id);
    // The identity does not depend on the folder.
    assert_eq!(Desk::new().identity().id(), id);
    let text = serde_json::to_string(&desk.identity()).unwrap();
    assert_eq!(serde_json::from_str::<Identity>(&text).unwrap().id(), id);
}

#[test]
fn files_that_filters_and_lists_name_count() {
    let mut desk = Desk::new();
    desk.write("warm.cube", "1");
    desk.settings.output.filter = format!("null,lut3d=file={}:interp=nearest", desk.text("warm.cube"));
    let before = desk.identity();
    desk.write("warm.cube", "2");
    assert_eq!(desk.identity().changed(&before).as_deref(), Some("the settings have changed"));
    // An output file, not an input: it differs after each run.
    desk.write("figures", "1");
    desk.settings.input.filter = format!("signalstats,metadata=mode=print:file={}", desk.text("figures"));
    desk.settings.output.encoder_options = vec![format!("x264-params=pass=1:stats={}", desk.text("figures"))];
    let before = desk.identity();
    desk.write("figures", "2");
    assert_eq!(desk.identity(), before);
    let mut desk = Desk::new();
    desk.settings.input.format = "concat".into();
    for list in [
        "ffconcat version 1.0\nfile 'one (1).mp4'\n",
        "file one\\ (1).mp4",
        "#EXTM3U\n#EXTINF:1,\none (1).mp4\n",
        "#EXT-X-MAP:URI=\"one (1).mp4\"",
    ] {
        desk.write("in.mp4", list);
        desk.write("one (1).mp4", "1");
        let before = desk.identity();
        desk.write("one (1).mp4", "2");
        assert_eq!(desk.identity().changed(&before).as_deref(), Some("the input has changed"), "{list}");
    }
}

#[test]
fn every_part_counts_and_is_named() {
    is(|desk| desk.write("in.mp4", "another film"), "the input has changed");
    is(|desk| desk.job.range.start = 0.5, "the part of the input has changed");
    is(|desk| desk.job.range.frames = Some(9), "the part of the input has changed");
    is(|desk| desk.settings.seed = 2, "the settings have changed");
    is(|desk| desk.settings.loss.beta += 1e-9, "the settings have changed");
    is(|desk| desk.settings.output.encoder_options.push("preset=slow".into()), "the settings have changed");
    is(|desk| desk.settings.input.filter = "hflip".into(), "the settings have changed");
    is(|desk| desk.write("two.png", "another"), "the style pictures have changed");
    is(|desk| desk.settings.style.images[0].weight = 2.0, "the style pictures have changed");
    is(|desk| desk.settings.style.images.reverse(), "the style pictures have changed");
    is(|desk| desk.settings.style.images[1].image = "builtin:monet.webp".into(), "the style pictures have changed");
    is(|desk| drop(desk.settings.style.images.pop()), "the style pictures have changed");
    let weights = "weights/squeezenet1_0.safetensors";
    is(|desk| desk.write(weights, "others"), "the network or its weights have changed");
    is(|desk| desk.write("cuts", "0:00:02.000\n"), "the given flow or cuts have changed");
    is(|desk| desk.job.output = Output::Video(desk.path("out.mkv")), "the kind of output has changed");
    is(
        |desk| desk.engine = Engine::Bars,
        "the settings, the style pictures, the network or its weights and the stylizer have changed",
    );
    let other = |desk: &mut Desk| {
        desk.settings.seed = 2;
        desk.write("two.png", "another");
    };
    is(other, "the settings and the style pictures have changed");
}

#[test]
fn another_version_of_the_program_is_another_job() {
    let now = Desk::new().identity();
    assert!(now.program.starts_with(env!("CARGO_PKG_VERSION")) && now.program.contains("libavcodec "), "{now:?}");
    let before = Identity { program: "0.0.1".into(), ..now.clone() };
    assert_eq!(now.changed(&before).as_deref(), Some("the program's or its libraries' version has changed"));
    assert_ne!(now.id(), before.id());
}

#[test]
fn all_flow_that_can_be_read_counts() {
    let flow = "the given flow or cuts have changed";
    is(|desk| desk.write("1-2.flo", "other"), flow);
    is(|desk| fs::remove_file(desk.path("2-1.flo")).unwrap(), flow);
    // Across a cut, where no flow is needed; and over several frames.
    is(|desk| desk.write("8-9.flo", "new"), flow);
    is(|desk| desk.write("11-1.flo", "new"), flow);
    is(|desk| desk.settings.motion.flow.clear(), flow);
    is_the_same(|desk| desk.write("1-2.flow", "no file of the pattern"));
}

#[test]
fn names_places_and_dates_do_not_count() {
    is_the_same(|desk| {
        let file = File::options().append(true).open(desk.path("in.mp4")).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(1_000_000)).unwrap();
    });
    is_the_same(|desk| {
        fs::create_dir(desk.path("sub")).unwrap();
        for name in ["in.mp4", "one.png", "cuts", "1-2.flo", "2-1.flo", "weights/squeezenet1_0.safetensors"] {
            fs::rename(desk.path(name), desk.path("sub").join(Path::new(name).file_name().unwrap())).unwrap();
        }
        fs::rename(desk.path("sub/in.mp4"), desk.path("sub/other name.mkv")).unwrap();
        desk.job.input = Input::Video(desk.path("sub/other name.mkv"));
        desk.job.output = Output::Video(desk.path("sub/painted.mp4"));
        desk.settings.style.images[0].image = desk.text("sub/one.png");
        desk.settings.network.weights_dir = desk.text("sub");
        desk.settings.motion.flow = desk.text("sub/%d-%d.flo");
        desk.settings.motion.cuts = desk.text("sub/cuts");
    });
}

#[test]
fn what_decides_only_whether_there_is_a_result_does_not_count() {
    is_the_same(|desk| desk.settings.output.if_exists = IfExists::Replace);
    is_the_same(|desk| desk.settings.output.strict_streams = true);
    is_the_same(|desk| desk.settings.input.max_corrupt = 5);
    is_the_same(|desk| desk.job.output = Output::Video(desk.path("other.MP4")));
}

#[test]
fn the_kind_of_device_counts_and_its_number_does_not() {
    let automatic = |desk: &mut Desk| desk.settings.device = Device::Auto;
    let found = stylize_video::stylize::device::kind(Device::Auto).unwrap();
    assert_eq!(changed(automatic).is_none(), found == "cpu", "`auto` is {found} here");
    // Without painting no device is used, so even those that do not exist can be compared.
    let mut desk = Desk::new();
    desk.engine = Engine::Bars;
    let before = desk.identity();
    for device in [Device::Cuda(0), Device::Cuda(1), Device::Auto] {
        desk.settings.device = device;
        assert_eq!(desk.identity(), before, "{device:?}");
    }
}

#[test]
fn a_sequence_is_known_by_its_pictures_and_their_order() {
    let sequence = |desk: &mut Desk, names: &[&str]| {
        let files = names.iter().map(|name| desk.path(name)).collect();
        desk.job.input = Input::Sequence { folder: desk.root.path().into(), files };
        desk.identity()
    };
    let mut desk = Desk::new();
    let (one, both) = (sequence(&mut desk, &["one.png"]), sequence(&mut desk, &["one.png", "two.png"]));
    let turned = sequence(&mut desk, &["two.png", "one.png"]);
    for other in [&one, &turned] {
        assert_eq!(other.changed(&both).as_deref(), Some("the input has changed"));
    }
    // Results are named after their inputs.
    fs::copy(desk.path("two.png"), desk.path("three.png")).unwrap();
    let renamed = sequence(&mut desk, &["one.png", "three.png"]);
    assert_eq!(renamed.changed(&both).as_deref(), Some("the input has changed"));
}

#[test]
fn the_names_of_pictures_are_a_part_of_the_output() {
    let names =
        |before: &str, width| Names::Numbered(NumberedName { before: before.into(), width, after: ".png".into() });
    let output = |desk: &Desk, folder, names| Output::Sequence { folder: desk.path(folder), names };
    let mut desk = Desk::new();
    let mut of = |folder, names| {
        desk.job.output = output(&desk, folder, names);
        desk.identity()
    };
    let first = of("a", names("f_", 4));
    assert_eq!(of("b", names("f_", 4)), first);
    for other in [names("g_", 4), names("f_", 5), Names::Listed(vec!["f_0001.png".into()])] {
        assert_eq!(of("a", other).changed(&first).as_deref(), Some("the kind of output has changed"));
    }
}

#[test]
fn what_does_not_paint_asks_for_neither_style_nor_weights() {
    let mut desk = Desk::new();
    desk.engine = Engine::Identity;
    let before = desk.identity();
    fs::remove_file(desk.path("one.png")).unwrap();
    fs::remove_file(desk.path("weights/squeezenet1_0.safetensors")).unwrap();
    assert_eq!(desk.identity(), before);
}

#[test]
fn what_cannot_be_read_is_named() {
    for name in ["in.mp4", "one.png", "cuts"] {
        let mut desk = Desk::new();
        let supplied = SuppliedMotion::read(&desk.settings.motion, 1, desk.job.range).unwrap();
        fs::remove_file(desk.path(name)).unwrap();
        desk.engine = Engine::Optimise;
        let error =
            identify(&desk.job, &desk.settings, &supplied, desk.engine, Fingerprint::Full).unwrap_err().to_string();
        assert!(error.starts_with("cannot read ") && error.contains(name), "{error}");
    }
}

#[test]
fn between_samples_only_every_byte_tells() {
    let desk = Desk::new();
    let mut bytes = vec![7; 10 << 20];
    let identity = |bytes: &[u8], how| {
        fs::write(desk.path("in.mp4"), bytes).unwrap();
        let supplied = SuppliedMotion::read(&desk.settings.motion, 1, desk.job.range).unwrap();
        identify(&desk.job, &desk.settings, &supplied, desk.engine, how).unwrap()
    };
    let before = [Fingerprint::Sampled, Fingerprint::Full].map(|how| identity(&bytes, how));
    bytes[100_000] = 8;
    assert_eq!(identity(&bytes, Fingerprint::Sampled), before[0]);
    assert_eq!(identity(&bytes, Fingerprint::Full).changed(&before[1]).as_deref(), Some("the input has changed"));
}

#[test]
fn jobs_in_a_row_share_their_hashes_until_something_changes() {
    let mut desk = Desk::new();
    (desk.settings.motion.flow, desk.settings.motion.cuts) = (String::new(), String::new());
    let mut last = LastShared::default();
    let mut computed = |desk: &Desk| {
        let supplied = SuppliedMotion::default();
        let found = last.identify(&desk.job, &desk.settings, &supplied, desk.engine, Fingerprint::Sampled);
        assert_eq!(found.unwrap(), desk.identity());
        last.computed()
    };
    assert_eq!([computed(&desk), computed(&desk)], [1, 1]);
    desk.write("in.mp4", "another input of the same settings");
    assert_eq!(computed(&desk), 1);
    desk.write("one.png", "another picture");
    assert_eq!([computed(&desk), computed(&desk)], [2, 2]);
    desk.write("weights/squeezenet1_0.safetensors", "other weights");
    assert_eq!([computed(&desk), computed(&desk)], [3, 3]);
    desk.settings.loss.beta = 3.0;
    assert_eq!([computed(&desk), computed(&desk)], [4, 4]);
    desk.engine = Engine::Identity;
    assert_eq!([computed(&desk), computed(&desk)], [5, 5]);
    // A list of cuts belongs to one job, and is read each time.
    desk.settings.motion.cuts = desk.text("cuts");
    assert_eq!([computed(&desk), computed(&desk)], [6, 7]);
}
