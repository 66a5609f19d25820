//! An untrusted preset can name no files outside its own folder.

use std::os::unix::fs::symlink;

use image::RgbImage;
use stylize_video::settings::{Assignment, Environment, LayerInputs, Settings, StyleArg};

use crate::common::Desk;
use crate::formats::harness::program;

fn desk() -> Desk {
    let desk = Desk::new();
    for folder in ["theirs", "theirs/deep", "mine"] {
        std::fs::create_dir(desk.path(folder)).unwrap();
    }
    for picture in ["mine/secret.png", "theirs/a.png", "theirs/deep/b.png"] {
        RgbImage::new(4, 4).save(desk.path(picture)).unwrap();
    }
    symlink(desk.path("mine/secret.png"), desk.path("theirs/link.png")).unwrap();
    desk
}

/// Resolves the settings for a user in the desk's folder who passes `preset` as a file.
fn resolve(desk: &Desk, preset: &str, inputs: LayerInputs) -> Result<Settings, String> {
    std::fs::write(desk.path("theirs/p.toml"), preset.replace("DESK", desk.path("").to_str().unwrap())).unwrap();
    let environment = Environment { env: Vec::new(), config_dir: Some(desk.path("config")), cwd: desk.path("") };
    let inputs = LayerInputs { environment, preset: Some("theirs/p.toml".into()), ..inputs };
    Settings::resolve(&inputs).map(|resolved| resolved.settings).map_err(|error| {
        assert_eq!(error.exit_code(), 2);
        error.to_string()
    })
}

const PLAIN: &str = "[style]\nimages = [\"a.png\"]\n";

#[test]
fn what_a_preset_may_not_say() {
    let desk = desk();
    let hostile = [
        "[style]\nimages = [\"../mine/secret.png\"]\n".to_string(),
        "[style]\nimages = [{ image = \"DESK/mine/secret.png\", weight = 2 }]\n".into(),
        "[style]\nimages = [\"a.png\", \"deep/../../mine/secret.png\"]\n".into(),
        "[style]\nimages = [\"link.png\"]\n".into(),
        "[style]\nimages = [\"../mine/nothing.png\"]\n".into(),
        "[style]\nimages = [\"/dev/zero\"]\n".into(),
        format!("{PLAIN}[network]\nweights_dir = \"/etc\"\n"),
        format!("{PLAIN}[motion]\nflow = \"../%d_%d.flo\"\n"),
        format!("{PLAIN}[motion]\ncuts = \"/etc/passwd\"\n"),
        format!("{PLAIN}[input]\nformat = \"concat\"\n"),
        format!("{PLAIN}[input]\nformat = \"lavfi\"\n"),
        format!("{PLAIN}[input]\nprotocols = [\"http\"]\n"),
        format!("{PLAIN}[input]\noptions = [\"protocol_whitelist=file,http\"]\n"),
        format!("{PLAIN}[input]\noptions = [\"enable_drefs=1\"]\n"),
        format!("{PLAIN}[input]\nfilter = \"movie=/etc/passwd\"\n"),
        format!("{PLAIN}[input]\nfilter = \"null[a];movie=x.mp4[b];[a][b]overlay\"\n"),
        format!("{PLAIN}[output]\nfilter = \"curves=plot=/tmp/x\"\n"),
        format!("{PLAIN}[output]\nencoder_options = [\"x265-params=csv=/tmp/x\"]\n"),
        format!("{PLAIN}[output]\nencoder_options = [\"stats=/tmp/x\"]\n"),
        format!("{PLAIN}[input]\nmax_pixels = 1000000000000\n"),
    ];
    for preset in hostile {
        let error = resolve(&desk, &preset, LayerInputs::default()).unwrap_err();
        assert!(error.contains("only you can set this"), "{preset}\n{error}");
        assert!(error.starts_with("theirs/p.toml:"), "where it stands: {error}");
        // Another preset cannot name such a file on this one's behalf either.
        std::fs::rename(desk.path("theirs/p.toml"), desk.path("theirs/parent.toml")).unwrap();
        let error = resolve(&desk, "extends = \"parent.toml\"\n", LayerInputs::default()).unwrap_err();
        assert!(error.contains("only you can set this"), "{preset}\n{error}");
    }
    for args in
        [&["presets", "check", "theirs/parent.toml"][..], &["--preset", "theirs/parent.toml", "--print-settings"]]
    {
        assert_eq!(program(&desk).args(args).output().unwrap().status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn what_a_preset_may_say() {
    let desk = desk();
    for preset in [
        "[style]\nimages = [\"a.png\", \"deep/b.png\", \"builtin:monet.webp\"]\n".to_string(),
        "[style]\nimages = [\"DESK/theirs/a.png\", \"./deep/../a.png\"]\n".into(),
        "extends = \"monet\"\n[input]\nfilter = \"crop=2:2,fps=12\"\nformat = \"rawvideo\"\n\
         options = [\"video_size=4x4\", \"pixel_format=gray\"]\nmax_frames = 100\n\
         [output]\nencoder_options = [\"preset=slow\", \"tune=grain\"]\n"
            .into(),
        format!("{PLAIN}[motion]\nflow = \"flow_%d_%d.flo\"\ncuts = \"cuts.txt\"\n[network]\nweights_dir = \"deep\"\n"),
    ] {
        resolve(&desk, &preset, LayerInputs::default()).unwrap_or_else(|error| panic!("{preset}\n{error}"));
    }
}

#[test]
fn the_user_may_say_all_of_it() {
    let desk = desk();
    let all = LayerInputs {
        styles: vec![StyleArg { image: "mine/secret.png".into(), weight: 1.0 }],
        options: vec![Assignment::of("input.filter", "curves=plot=x")],
        sets: vec!["input.max_pixels=1000000000".into()],
        ..LayerInputs::default()
    };
    let settings = resolve(&desk, PLAIN, all).unwrap();
    assert!(settings.style.images[0].image.ends_with("mine/secret.png"));
    std::fs::create_dir_all(desk.path("config")).unwrap();
    std::fs::write(desk.path("config/config.toml"), "[style]\nimages = [\"../mine/secret.png\"]\n").unwrap();
    resolve(&desk, PLAIN, LayerInputs::default()).unwrap();
}
