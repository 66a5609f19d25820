//! Jobs whose output already exists.

use std::fs;

use crate::provenance::{BARS, KINDS, bytes, desk, good, place, run};

#[test]
fn what_is_done_is_not_done_again() {
    let desk = desk();
    for (input, output) in KINDS {
        good(&desk, &format!("{BARS} {input} -o {output}"));
        let before = bytes(&desk.path(place(output)));
        let said = good(&desk, &format!("{BARS} {input} -o {output}"));
        assert!(said.err.contains("skipped, done already"), "{output}: {}", said.err);
        if ["o.mp4", "o/f_%03d.png", "p.png"].contains(&output) {
            let said = good(&desk, &format!("{BARS} --dry-run {input} -o {output}"));
            assert!(said.out.contains("(skipped: done already)"), "{output}: {}", said.out);
        }
        let said = run(&desk, &format!("{BARS} --seed 2 {input} -o {output}"));
        assert!(
            said.code == 1 && said.err.contains("exists already, and the settings have changed since"),
            "{}",
            said.err
        );
        assert!(bytes(&desk.path(place(output))) == before, "{output}");
        let said = good(&desk, &format!("{BARS} --seed 2 --if-exists replace {input} -o {output}"));
        assert!(said.err.contains("done, "), "{output}: {}", said.err);
        assert!(bytes(&desk.path(place(output))) != before, "{output}");
    }
}

#[test]
fn another_input_is_another_job() {
    let desk = desk();
    good(&desk, &format!("{BARS} in.mkv -o o.mp4"));
    fs::rename(desk.path("in.mkv"), desk.path("moved.mkv")).unwrap();
    good(&desk, &format!("{BARS} moved.mkv -o o.mp4"));
    desk.clip("moved.mkv", "-f lavfi -i testsrc2=s=32x24:r=10:d=0.4 -c:v libx264");
    let said = run(&desk, &format!("{BARS} moved.mkv -o o.mp4"));
    assert!(said.code == 1 && said.err.contains("and the input has changed since"), "{}", said.err);
    // A file without provenance data gets no explanation.
    fs::copy(desk.path("in.png"), desk.path("p.png")).unwrap();
    let said = run(&desk, &format!("{BARS} in.png -o p.png"));
    assert!(said.code == 1 && said.err.contains("exists already: --if-exists"), "{}", said.err);
}

#[test]
fn what_was_cut_off_is_not_done() {
    let desk = desk();
    for (input, output) in KINDS.into_iter().filter(|(_, output)| !output.contains('%')) {
        let job = format!("{BARS} {input} -o {output}");
        good(&desk, &job);
        let whole = fs::read(desk.path(output)).unwrap();
        for length in [whole.len() / 2, whole.len() - 1] {
            fs::write(desk.path(output), &whole[..length]).unwrap();
            let said = run(&desk, &job);
            // The provenance data may be lost too; in MP4 and MOV it always is.
            let lost = output.ends_with(".mp4") || output.ends_with(".mov") || length < whole.len() - 1;
            // In WebP the data is at the end of the file: either its own last byte is missing, or the padding behind
            // it.
            let either = output.ends_with(".webp") && !lost;
            let told = if lost { "exists already" } else { "and a part of it was cut off since: " };
            let known = said.err.contains(told) || (either && said.err.contains("exists already"));
            assert!(said.code == 1 && known, "{output} {length}: {}", said.err);
        }
    }
}

#[test]
fn a_folder_that_lacks_a_picture_is_not_done() {
    let desk = desk();
    let job = format!("{BARS} in.mkv -o o/f_%03d.png");
    good(&desk, &job);
    fs::write(desk.path("o/f_002.png"), "short").unwrap();
    assert_eq!(run(&desk, &job).code, 1);
    fs::remove_file(desk.path("o/f_002.png")).unwrap();
    assert_eq!(run(&desk, &job).code, 1);
    // The folder contains only the program's own files, so it may be replaced.
    good(&desk, &format!("{job} --if-exists replace"));
    good(&desk, &job);
    // A folder to which the user has added a file must not be replaced.
    fs::write(desk.path("o/.git"), "").unwrap();
    let said = run(&desk, &format!("{job} --if-exists replace"));
    assert!(said.code == 1 && said.err.contains(".git"), "{}", said.err);
}

#[test]
fn what_a_run_left_at_its_very_end_goes() {
    let desk = desk();
    let (job, work) = (format!("{BARS} in.mkv -o o.mp4"), desk.path(".o.mp4.stylize"));
    good(&desk, &format!("{job} --keep-work"));
    assert!(work.is_dir());
    good(&desk, &format!("{job} --dry-run"));
    good(&desk, &format!("{job} --keep-work"));
    assert!(work.is_dir());
    assert!(good(&desk, &job).err.contains("done already"));
    assert!(!work.exists());
    // Another job's progress is kept.
    good(&desk, &format!("{job} --keep-work --seed 2 --if-exists replace"));
    fs::rename(&work, desk.path("aside")).unwrap();
    good(&desk, &format!("{job} --if-exists replace"));
    fs::rename(desk.path("aside"), &work).unwrap();
    assert!(good(&desk, &job).err.contains("done already"));
    assert!(work.is_dir());
}

#[test]
fn a_folder_that_one_stands_in() {
    let desk = desk();
    fs::create_dir(desk.path("here")).unwrap();
    let run = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_stylize-video"));
        command.current_dir(desk.path("here")).args(BARS.split(' ')).args(["../in.mkv", "-o", "f_%03d.png"]);
        let done = command.output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stderr).into_owned()
    };
    assert!(run().contains("done, 3 frames"));
    assert!(desk.path("here/.stylize-video.json").is_file());
    assert!(run().contains("done already"));
}
