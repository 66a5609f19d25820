//! Job files: `run jobs.toml`.

use std::fs;

use crate::common::Desk;
use crate::unattended::{age, call, clip, names};

#[test]
fn jobs_of_a_file_are_done_relative_to_it() {
    let desk = Desk::new();
    clip(&desk, "work/in/a.mp4", 3);
    clip(&desk, "work/in/sub/b.mov", 3);
    clip(&desk, "work/in/sub/c.mp4", 3);
    std::os::unix::fs::symlink("..", desk.path("work/in/sub/loop")).unwrap();
    fs::write(desk.path("work/my.toml"), "[loss]\nbeta = 7\n[style]\nimages = [\"builtin:sketch.webp\"]\n").unwrap();
    let text = r#"
        parallel = 2
        [[job]]
        inputs = ["in/**/*.mp4", "in/none*"]
        preset = "sketch"
        output = "out/{dir}/{stem}.{preset}.{ext}"
        frames = 2
        [[job]]
        inputs = "in"
        recursive = true
        include = ["*.mov"]
        preset = "./my.toml"
        output = "mirror/"
        set = { output.crf = 30 }
        [[job]]
        inputs = "in/a.mp4"
        output = "pictures/{parent}-{stem}/f_%03d.png"
    "#;
    fs::write(desk.path("work/jobs.toml"), text).unwrap();
    let run = call(&desk, ["run", "work/jobs.toml"]);
    assert_eq!(run.code, Some(0), "{}", run.text);
    assert!(run.says("4 done, in "), "{}", run.text);
    assert_eq!(names(&desk, "work/out"), ["a.sketch.mp4", "sub/c.sketch.mp4"]);
    assert_eq!(names(&desk, "work/mirror"), ["sub/b.my.mov"]);
    assert_eq!(names(&desk, "work/pictures"), ["in-a/f_001.png", "in-a/f_002.png", "in-a/f_003.png"]);
    let run = call(&desk, ["run", "work/jobs.toml"]);
    assert!(run.code == Some(0) && run.says("4 skipped, in "), "{}", run.text);
    let dry = call(&desk, ["run", "work/jobs.toml", "--dry-run", "--set", "loss.beta=9"]);
    assert!(
        dry.says("preset sketch; ") && dry.says("beta 9;") && dry.says("work/out/sub/c.sketch.mp4"),
        "{}",
        dry.text
    );
}

#[test]
fn what_a_glob_finds_is_included_and_excluded() {
    let desk = Desk::new();
    for name in ["in/a.mp4", "in/bad.mp4", "in/proxies/a.mp4", "in/sub/b.mov", "in/out/gone.monet.mp4"] {
        clip(&desk, name, 2);
    }
    let job = "[[job]]\ninputs = \"in/**/*\"\noutput = \"in/out/{dir}/{stem}.{preset}.{ext}\"\n";
    let chosen = |more: &str| {
        fs::write(desk.path("jobs.toml"), format!("{job}{more}")).unwrap();
        let run = call(&desk, ["run", "jobs.toml", "--dry-run"]);
        assert_eq!(run.code, Some(0), "{}", run.text);
        ["in/a.mp4", "in/bad.mp4", "in/proxies/a.mp4", "in/sub/b.mov", "in/out/gone.monet.mp4"]
            .map(|name| run.says(name))
    };
    // A file in the output folder is not an input, even when its own source is gone.
    assert_eq!(chosen(""), [true, true, true, true, false]);
    assert_eq!(chosen("exclude = [\"bad*\", \"proxies/\"]\n"), [true, false, false, true, false]);
    assert_eq!(chosen("include = [\"*.mov\", \"proxies/*\"]\n"), [false, false, true, true, false]);
}

#[test]
fn results_are_not_taken_for_inputs() {
    let desk = Desk::new();
    clip(&desk, "in/a.mp4", 2);
    let job = |name: &str| format!("[[job]]\ninputs = [\"in/*.mp4\"]\noutput = \"in/{name}-{{stem}}.{{ext}}\"\n");
    fs::write(desk.path("jobs.toml"), job("one") + &job("two")).unwrap();
    let run = || {
        let run = call(&desk, ["run", "jobs.toml", "--settle", "0"]);
        assert_eq!(run.code, Some(0), "{}", run.text);
        names(&desk, "in")
    };
    assert_eq!(run(), ["a.mp4", "one-a.mp4", "two-a.mp4"]);
    assert_eq!(run(), ["a.mp4", "one-a.mp4", "two-a.mp4"]);
    // They are not taken even when their sources are gone.
    fs::remove_file(desk.path("in/a.mp4")).unwrap();
    assert_eq!(run(), ["one-a.mp4", "two-a.mp4"]);
    // A file that merely has the name of an output stays an input.
    clip(&desk, "own/b.mov", 2);
    clip(&desk, "own/b.mp4", 2);
    let own = "[[job]]\ninputs = [\"own/*.mov\"]\noutput = \"own/{stem}.mp4\"\n\
               [[job]]\ninputs = [\"own/*.mp4\"]\noutput = \"painted/\"\n";
    fs::write(desk.path("own.toml"), own).unwrap();
    let said = call(&desk, ["run", "own.toml"]);
    assert!(said.says("own/b.mov: skipped") && names(&desk, "painted") == ["b.monet.mp4"], "{}", said.text);
    // In another folder, a result is an input like any other.
    let run = call(&desk, ["in", "-o", "out/", "--settle", "0"]);
    assert!(run.code == Some(0) && run.says("2 done"), "{}", run.text);
}

#[test]
fn mistakes_in_a_file_stop_it() {
    let desk = Desk::new();
    clip(&desk, "in/a.mp4", 2);
    clip(&desk, "in/b.mp4", 2);
    let job = "[[job]]\ninputs = \"in\"\n";
    for (text, wanted) in [
        ("[[job]]\ninput = \"in\"\n".to_string(), "jobs.toml:2: unknown key job[0].input: did you mean inputs?"),
        (format!("{job}output = \"out/x.mp4\"\n"), "-o out/x.mp4: what is made of a folder's files needs a folder"),
        (format!("{job}output = \"out/{{preset}}.mp4\"\n"), "have the same output, out/monet.mp4"),
        (
            format!("{job}output = \"a/\"\n{job}output = \"a/{{stem}}.monet.mp4\"\n"),
            "have the same output, a/a.monet.mp4",
        ),
        (format!("{job}preset = \"money\"\n"), "unknown preset `money` (did you mean monet?)"),
        (format!("{job}set = {{ loss.beta = \"x\" }}\n"), "jobs.toml:3: loss.beta: "),
        (format!("{job}include = \"a[\"\n"), "include a[: "),
    ] {
        fs::write(desk.path("jobs.toml"), &text).unwrap();
        let run = call(&desk, ["run", "jobs.toml"]);
        assert!(run.code == Some(2) && run.says(wanted), "{text}: {:?}: {}", run.code, run.text);
    }
    assert_eq!(call(&desk, ["run", "none.toml"]).code, Some(2));
    assert!(!desk.path("out").exists() && !desk.path("a").exists());
    // A missing input does not affect the others.
    fs::write(desk.path("jobs.toml"), "[[job]]\ninputs = [\"none.mp4\", \"in/a.mp4\"]\noutput = \"out/\"\n").unwrap();
    let run = call(&desk, ["run", "jobs.toml"]);
    assert!(run.code == Some(1) && run.says("1 done, 1 failed"), "{}", run.text);
    age(&desk.path("in/b.mp4"));
}

#[test]
fn failures_are_recorded_with_the_outputs_or_next_to_the_job_file() {
    let record = ".stylize-video.state.json";
    let places = |output: &str, arguments: &[&str]| {
        let desk = Desk::new();
        fs::create_dir_all(desk.path("work/in")).unwrap();
        fs::write(desk.path("work/in/bad.mp4"), "no video, but long enough to be taken for something").unwrap();
        age(&desk.path("work/in/bad.mp4"));
        fs::write(desk.path("work/jobs.toml"), format!("[[job]]\ninputs = \"in\"\n{output}")).unwrap();
        let run = call(&desk, arguments);
        assert_eq!(run.code, Some(1), "{}", run.text);
        ["work", "work/in", "work/out", "."].map(|folder| desk.path(folder).join(record).exists())
    };
    let file = ["run", "work/jobs.toml"];
    assert_eq!(places("", &file), [true, false, false, false], "next to the job file");
    assert_eq!(places("output = \"out/\"\n", &file), [false, false, true, false], "in the output folder");
    assert_eq!(places("", &["work/in"]), [false, true, false, false], "in the input folder");
    assert_eq!(places("", &["work/in", "-o", "work/out/"]), [false, false, true, false], "in the folder of -o");
}
