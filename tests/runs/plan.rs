//! Plans of batches, through the library, on real (empty) files.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use stylize_video::batch::plan::{Folders, PlanError, Planned, Request, plan};
use stylize_video::job::Job;
use stylize_video::media::{Input, Names, Output, Range};
use stylize_video::settings::IfExists;
use tempfile::TempDir;

use crate::common::plain_request;

/// A folder with files, and a request for it.
struct Desk {
    root: TempDir,
    inputs: Vec<PathBuf>,
    output: Option<PathBuf>,
    range: Range,
    if_exists: IfExists,
    format: &'static str,
}

impl Desk {
    fn new(files: &[&str]) -> Self {
        let root = TempDir::new().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        Self { root, inputs: Vec::new(), output: None, range: Range::default(), if_exists: IfExists::Fail, format: "" }
    }

    fn input(mut self, path: &str) -> Self {
        self.inputs.push(self.root.path().join(path));
        self
    }

    fn output(mut self, path: &str) -> Self {
        self.output = Some(self.root.path().join(path));
        self
    }

    fn if_exists(mut self, what: IfExists) -> Self {
        self.if_exists = what;
        self
    }

    fn plan(&self) -> Result<Vec<Planned>, PlanError> {
        plan(&Request {
            inputs: &self.inputs,
            output: self.output.as_deref(),
            input_format: self.format,
            preset: "monet",
            format: "",
            range: self.range,
            if_exists: Some(self.if_exists),
            ..plain_request(&Folders::default())
        })
    }

    fn job(&self) -> Job {
        match self.plan().unwrap().remove(0) {
            Planned::Run(job) => job,
            other => panic!("{other:?}"),
        }
    }

    /// Returns the output's path in the desk's folder.
    fn out(&self) -> String {
        self.short(self.job().output.path())
    }

    fn names(&self) -> Vec<String> {
        match self.job().output {
            Output::Sequence { names: Names::Listed(names), .. } => names,
            other => panic!("{other:?}"),
        }
    }

    fn short(&self, path: &Path) -> String {
        let root = self.root.path().canonicalize().unwrap();
        let path = path.strip_prefix(self.root.path()).or_else(|_| path.strip_prefix(root)).unwrap_or(path);
        path.display().to_string()
    }

    /// Returns the exit code and text of the first error, with the desk's folder removed.
    fn error(&self) -> (u8, String) {
        let error = match self.plan() {
            Err(error) => error,
            Ok(mut planned) => match planned.remove(0) {
                Planned::Fail { error, .. } => error,
                other => panic!("{other:?}"),
            },
        };
        (error.exit_code(), error.to_string().replace(&format!("{}/", self.root.path().display()), ""))
    }
}

#[test]
fn outputs_go_beside_their_inputs() {
    for (input, output) in [
        ("in.mp4", "in.monet.mp4"),
        ("my.clip.MKV", "my.clip.monet.MKV"),
        ("a.mov", "a.monet.mov"),
        ("a.webm", "a.monet.webm"),
        ("a.avi", "a.monet.mkv"),
        ("a.ts", "a.monet.mkv"),
        ("a.gif", "a.monet.mp4"),
        ("a.m4v", "a.monet.mp4"),
        ("a.jpg", "a.monet.jpg"),
        ("a.PNG", "a.monet.PNG"),
    ] {
        assert_eq!(Desk::new(&[input]).input(input).out(), output);
    }
}

#[test]
fn a_folder_of_pictures_is_a_sequence_in_natural_order() {
    let desk = Desk::new(&["frames/f10.png", "frames/f2.png", "frames/f1.jpg", "frames/.hidden"]).input("frames/");
    assert_eq!(desk.out(), "frames.monet");
    assert_eq!(desk.names(), ["f1.jpg", "f2.png", "f10.png"]);
    let desk = desk.output("out/d_%03d.webp");
    assert_eq!(desk.out(), "out");
    assert_eq!(desk.names(), ["d_001.webp", "d_002.webp", "d_003.webp"]);
}

#[test]
fn folders_with_anything_else_are_errors() {
    let desk = Desk::new(&["a/1.png", "a/notes.txt"]).input("a");
    assert_eq!(
        desk.error(),
        (1, "a/notes.txt: not a picture; a folder given as input must hold nothing but pictures".into())
    );
    let (code, text) = Desk::new(&["a/.hidden"]).input("a").error();
    assert!(code == 1 && text.ends_with("holds no video and no picture"), "{text}");
}

#[test]
fn a_pattern_is_a_sequence_that_keeps_its_numbers() {
    let desk = Desk::new(&["d/f_0008.png", "d/f_0009.png", "d/f_0010.png", "d/f_11.png", "d/other.txt"]);
    let desk = desk.input("d/f_%04d.png");
    assert_eq!(desk.out(), "d.monet");
    assert_eq!(desk.names(), ["f_0008.png", "f_0009.png", "f_0010.png"]);
    let Input::Sequence { files, .. } = desk.job().input else { panic!() };
    assert_eq!(desk.short(&files[2]), "d/f_0010.png");
    let desk = desk.output("o/g%d.jpg");
    assert_eq!((desk.out(), desk.names()), ("o".into(), vec!["g8.jpg".into(), "g9.jpg".into(), "g10.jpg".into()]));
}

#[test]
fn patterns_with_gaps_or_without_files_are_errors() {
    let (code, text) = Desk::new(&["d/1.png", "d/2.png", "d/4.png"]).input("d/%d.png").error();
    assert!(code == 1 && text.contains("number 3 is missing between 1 and 4"), "{text}");
    let (code, text) = Desk::new(&["d/1.png"]).input("d/%04d.png").error();
    assert!(code == 1 && text.contains("no file has such a name"), "{text}");
    let (code, text) = Desk::new(&[]).input("d/%04d.png").error();
    assert!(code == 1 && text.contains("no such file"), "{text}");
    assert_eq!(Desk::new(&["d/1.mp4"]).input("d/%d.mp4").error().0, 2);
    assert_eq!(Desk::new(&["d/1.png"]).input("d/%d_%d.png").error().0, 2);
}

#[test]
fn a_file_whose_name_looks_like_a_pattern_is_itself() {
    assert_eq!(Desk::new(&["%d.png"]).input("%d.png").out(), "%d.monet.png");
}

#[test]
fn missing_and_unknown_inputs() {
    assert_eq!(Desk::new(&[]).input("a.mp4").error(), (1, "a.mp4: no such file or folder".into()));
    let (code, text) = Desk::new(&["a.txt"]).input("a.txt").error();
    assert!(code == 2 && text.contains(".txt") && text.contains("mkv") && text.contains("webp"), "{text}");
    assert_eq!(Desk::new(&["a"]).input("a").error().0, 2);
}

#[test]
fn one_missing_input_does_not_stop_the_others() {
    let planned = Desk::new(&["a.mp4"]).input("nope.mp4").input("a.mp4").plan().unwrap();
    assert!(matches!(planned[0], Planned::Fail { .. }));
    assert!(matches!(planned[1], Planned::Run(_)));
}

#[test]
fn the_output_must_fit_the_input() {
    for (input, output) in
        [("a.mp4", "b.png"), ("a.mp4", "b"), ("a.mp4", "b_%d.mp4"), ("a.png", "b.mp4"), ("a.png", "b_%d.png")]
    {
        let (code, text) = Desk::new(&[input]).input(input).output(output).error();
        assert!(code == 2 && text.contains("use ."), "{text}");
    }
    let desk = Desk::new(&["f/1.png"]).input("f").output("o.png");
    assert!(desk.error().1.contains("use a folder"), "{:?}", desk.error());
}

#[test]
fn videos_and_pictures_become_each_other() {
    let numbered = |desk: Desk| match desk.job().output {
        Output::Sequence { folder, names } => (desk.short(&folder), names.of(0), names.of(41)),
        other => panic!("{other:?}"),
    };
    let (folder, first, later) = numbered(Desk::new(&["a.mp4"]).input("a.mp4").output("out/f_%06d.png"));
    assert_eq!((folder.as_str(), first, later), ("out", Some("f_000001.png".into()), Some("f_000042.png".into())));
    for name in ["o.mp4", "o.gif", "o.webp", "o.y4m"] {
        let job = Desk::new(&["f/1.png", "f/2.png"]).input("f").output(name).job();
        assert!(matches!(job.output, Output::Video(_)), "{name}");
    }
    for name in ["o.gif", "o.apng", "o.webp", "o.y4m", "o.nut"] {
        let job = Desk::new(&["a.mp4"]).input("a.mp4").output(name).job();
        assert!(matches!(job.output, Output::Video(_)), "{name}");
    }
}

#[test]
fn standard_output() {
    let mut desk = Desk::new(&["a.mp4"]).input("a.mp4");
    desk.output = Some("-".into());
    assert_eq!(desk.job().output, Output::Stdout);
    let mut desk = Desk::new(&["a.png"]).input("a.png");
    desk.output = Some("-".into());
    assert_eq!(desk.error().0, 2);
    let mut desk = Desk::new(&["a.mp4", "b.mp4"]).input("a.mp4").input("b.mp4");
    desk.output = Some("-".into());
    assert!(desk.error().1.contains("2 inputs"));
}

#[test]
fn a_folder_takes_outputs() {
    let desk = Desk::new(&["a.mp4", "b.jpg", "out/x"]).input("a.mp4").input("b.jpg").output("out");
    let planned = desk.plan().unwrap();
    let paths: Vec<String> = planned
        .iter()
        .map(|planned| match planned {
            Planned::Run(job) => desk.short(job.output.path()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(paths, ["out/a.monet.mp4", "out/b.monet.jpg"]);

    let desk = Desk::new(&["a.mp4", "b.jpg"]).input("a.mp4").input("b.jpg").output("out.mp4");
    assert!(desk.error().1.contains("2 inputs need a folder"), "{:?}", desk.error());
    let desk = Desk::new(&["a.mp4"]).input("a.mp4").output("out/");
    let (code, text) = desk.error();
    assert!(code == 1 && text.contains("does not exist: create it"), "{text}");
}

#[test]
fn a_sequence_goes_to_the_same_folder_when_it_is_there() {
    let desk = Desk::new(&["f/1.png"]).input("f").output("o");
    assert_eq!(desk.out(), "o");
    fs::create_dir(desk.root.path().join("o")).unwrap();
    assert_eq!(desk.out(), "o");
    assert_eq!(desk.output("o/").out(), "o/f.monet");
}

#[test]
fn an_input_is_never_its_output() {
    let desk = Desk::new(&["a.mp4"]).input("a.mp4").output("a.mp4").if_exists(IfExists::Replace);
    assert_eq!(desk.error().0, 2);
    let desk = desk.output("link.mp4");
    std::os::unix::fs::symlink("a.mp4", desk.root.path().join("link.mp4")).unwrap();
    assert!(desk.error().1.contains("its own input"), "{:?}", desk.error());
    let desk = desk.output("hard.mp4");
    fs::hard_link(desk.root.path().join("a.mp4"), desk.root.path().join("hard.mp4")).unwrap();
    assert!(desk.error().1.contains("its own input"), "{:?}", desk.error());
    let desk = Desk::new(&["f/1.png"]).input("f/%d.png").output("f/g%d.png").if_exists(IfExists::Replace);
    assert!(desk.error().1.contains("its own input"), "{:?}", desk.error());
}

#[test]
fn outputs_collide_neither_with_each_other_nor_with_inputs() {
    let desk = Desk::new(&["x/a.mp4", "y/a.mp4", "o/z"]).input("x/a.mp4").input("y/a.mp4").output("o");
    assert!(desk.error().1.contains("have the same output"), "{:?}", desk.error());
    let desk = Desk::new(&["a.avi", "a.mkv"]).input("a.avi").input("a.mkv");
    assert_eq!(desk.error().0, 2);
    let desk = Desk::new(&["a.mp4"]).input("a.mp4").input("a.mp4");
    assert_eq!(desk.error().0, 2);
    let desk = Desk::new(&["a.mp4", "a.monet.mp4"]).input("a.mp4").input("a.monet.mp4");
    // Only where a result would overwrite it.
    assert!(matches!(desk.plan().unwrap()[0], Planned::Fail { .. }));
    let desk = desk.if_exists(IfExists::Replace);
    assert!(desk.error().1.contains("is another input"), "{:?}", desk.error());
    assert!(desk.if_exists(IfExists::Skip).plan().is_ok());
}

#[test]
fn what_exists_fails_is_skipped_or_replaced() {
    let desk = Desk::new(&["a.mp4", "a.monet.mp4"]).input("a.mp4");
    let (code, text) = desk.error();
    assert!(code == 1 && text.contains("exists already"), "{text}");
    let desk = desk.if_exists(IfExists::Skip);
    assert!(matches!(desk.plan().unwrap()[0], Planned::Skip { .. }));
    assert_eq!(desk.if_exists(IfExists::Replace).out(), "a.monet.mp4");
}

#[test]
fn only_folders_of_pictures_are_replaced() {
    let desk = Desk::new(&["f/1.png", "f.monet/1.png"]).input("f").if_exists(IfExists::Replace);
    assert_eq!(desk.out(), "f.monet");
    for foreign in ["notes.txt", ".git"] {
        let desk = Desk::new(&["f/1.png", "f.monet/1.png", &format!("f.monet/{foreign}")]).input("f");
        let (code, text) = desk.if_exists(IfExists::Replace).error();
        assert!(code == 1 && text.contains(foreign), "{text}");
    }
    let desk = Desk::new(&["f/1.png", "f.monet"]).input("f").if_exists(IfExists::Replace);
    assert!(desk.error().1.contains("is a file, not a folder"), "{:?}", desk.error());
    let desk = Desk::new(&["a.mp4", "a.monet.mp4/x"]).input("a.mp4").if_exists(IfExists::Replace);
    assert!(desk.error().1.contains("is a folder, not a file"), "{:?}", desk.error());
}

#[test]
fn a_folder_that_cannot_be_written_is_found_before_any_work() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new(&["a.mp4", "o/x"]).input("a.mp4").output("o/b.mp4");
    let folder = desk.root.path().join("o");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    // Root can write everywhere.
    if tempfile::tempfile_in(&folder).is_err() {
        let (code, text) = desk.error();
        assert!(code == 1 && text.contains("cannot write into the folder"), "{text}");
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(desk.plan().unwrap()[0], Planned::Run(_)));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "the trial leaves nothing behind");
}

#[test]
fn a_start_needs_a_video() {
    let mut desk = Desk::new(&["a.mp4", "a.png", "f/1.png"]).input("a.mp4");
    desk.range = Range { start: 1.5, frames: Some(3) };
    assert_eq!(desk.job().range, desk.range);
    for still in ["a.png", "f"] {
        desk.inputs = vec![desk.root.path().join(still)];
        assert_eq!(desk.error().0, 2);
    }
    desk.range.start = 0.0;
    assert_eq!(desk.job().range.frames, Some(3));
}

#[test]
fn names_that_are_not_utf8_are_kept() {
    let mut desk = Desk::new(&[]);
    let path = desk.root.path().join(OsStr::from_bytes(b"caf\xe9.mp4"));
    fs::write(&path, "").unwrap();
    desk.inputs = vec![path];
    assert!(desk.job().output.path().as_os_str().as_bytes().ends_with(b"caf\xe9.monet.mp4"));
    let folder = desk.root.path().join("f");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join(OsStr::from_bytes(b"caf\xe9.png")), "").unwrap();
    desk.inputs = vec![folder];
    assert_eq!(desk.error().0, 2);
    assert_eq!(desk.output("o/%d.png").names(), ["1.png"]);
}

#[test]
fn a_glob_is_a_sequence_in_natural_order() {
    let desk =
        Desk::new(&["render/f10.png", "render/f9.png", "render/notes.txt", "render/g1.png"]).input("render/f*.png");
    let Input::Sequence { files, .. } = desk.job().input else { panic!() };
    let names: Vec<_> = files.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["f9.png", "f10.png"]);
    assert_eq!(desk.out(), "render.monet");
    assert_eq!(desk.names(), ["f9.png", "f10.png"]);
}

#[test]
fn globs_that_are_no_sequence() {
    let failure = |desk: Desk| match desk.plan().unwrap().remove(0) {
        Planned::Fail { error, .. } => error.to_string(),
        other => panic!("{other:?}"),
    };
    let text = failure(Desk::new(&["render/a.png"]).input("render/b*.png"));
    assert!(text.contains("no file has such a name"), "{text}");
    let text = failure(Desk::new(&["render/a.png", "render/a.txt"]).input("render/a.*"));
    assert!(text.contains("a.txt, which is no picture"), "{text}");
    let error = Desk::new(&["a.mp4", "b.mp4"]).input("*.mp4").plan().unwrap_err();
    assert!(error.to_string().contains("quotes"), "{error}");
}

#[test]
fn pictures_that_are_only_read_become_png() {
    let desk = Desk::new(&["a.tiff"]).input("a.tiff");
    assert!(matches!(desk.job().input, Input::Picture(_)));
    assert_eq!(desk.out(), "a.monet.png");
    let desk = Desk::new(&["render/1.exr", "render/2.exr"]).input("render");
    assert_eq!(desk.names(), ["1.png", "2.png"]);
    let desk = Desk::new(&["render/1.exr", "render/1.tif"]).input("render");
    let Planned::Fail { error, .. } = desk.plan().unwrap().remove(0) else { panic!() };
    assert!(error.to_string().contains("1.png"), "{error}");
}

#[test]
fn animated_pictures_are_videos() {
    let desk = Desk::new(&["a.png", "b.webp", "c.png", "d.apng"]);
    let chunk = |name: &[u8; 4], data: &[u8]| [&(data.len() as u32).to_be_bytes()[..], name, data, &[0; 4]].concat();
    let png = |second: Vec<u8>| [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &[0; 13]), second].concat();
    fs::write(desk.root.path().join("a.png"), png(chunk(b"acTL", &[0; 8]))).unwrap();
    fs::write(desk.root.path().join("c.png"), png(chunk(b"IDAT", &[0; 8]))).unwrap();
    fs::write(desk.root.path().join("b.webp"), b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0").unwrap();
    let desk = desk.input("a.png").input("b.webp").input("c.png").input("d.apng");
    let kinds: Vec<bool> = desk
        .plan()
        .unwrap()
        .iter()
        .map(|planned| matches!(planned, Planned::Run(Job { input: Input::Video(_), .. })))
        .collect();
    assert_eq!(kinds, [true, true, false, true]);
}

#[test]
fn standard_input_needs_an_output() {
    let mut desk = Desk::new(&[]);
    desk.inputs.push("-".into());
    let error = desk.plan().unwrap_err();
    assert!(error.to_string().contains("give -o"), "{error}");
    assert_eq!(error.exit_code(), 2);
    let desk = desk.output("out.mp4");
    assert_eq!(desk.job().input, Input::Stdin);
}

#[test]
fn with_a_format_any_file_is_a_video() {
    let mut desk = Desk::new(&["dump.bin"]).input("dump.bin");
    assert!(matches!(desk.plan(), Err(PlanError::UnknownKind { .. })));
    desk.format = "rawvideo";
    assert!(matches!(desk.job().input, Input::Video(_)));
    assert_eq!(desk.out(), "dump.monet.mp4");
}
