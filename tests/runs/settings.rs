//! Layers of settings and presets, through the library, in an environment made for each test.

use std::fs;
use std::path::{Path, PathBuf};

use stylize_video::settings::{Assignment, Environment, LayerInputs, Library, Resolved, Settings, Size, StyleArg};
use tempfile::TempDir;

/// A user's environment: a config folder and a working folder.
struct World {
    root: TempDir,
    inputs: LayerInputs,
}

impl World {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let config_dir = root.path().join("config");
        let cwd = root.path().join("cwd");
        fs::create_dir_all(config_dir.join("presets")).unwrap();
        fs::create_dir(&cwd).unwrap();
        let environment = Environment { env: Vec::new(), config_dir: Some(config_dir), cwd };
        Self { root, inputs: LayerInputs { environment, ..LayerInputs::default() } }
    }

    fn file(self, path: &str, text: &str) -> Self {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.inputs.environment.env.push((name.into(), value.into()));
        self
    }

    fn preset(mut self, name: &str) -> Self {
        self.inputs.preset = Some(name.into());
        self
    }

    fn set(mut self, text: &str) -> Self {
        self.inputs.sets.push(text.into());
        self
    }

    fn option(mut self, key: &'static str, text: &str) -> Self {
        self.inputs.options.push(Assignment::parse(key, text));
        self
    }

    fn style(mut self, image: &str, weight: f64) -> Self {
        self.inputs.styles.push(StyleArg { image: image.into(), weight });
        self
    }

    fn resolve(&self) -> Resolved {
        Settings::resolve(&self.inputs).unwrap()
    }

    /// Returns the error's text, with the environment's folder removed.
    fn error(&self) -> String {
        let error = Settings::resolve(&self.inputs).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        error.to_string().replace(&format!("{}/", self.root.path().display()), "")
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }
}

#[test]
fn without_anything_the_preset_is_monet() {
    let Resolved { settings, preset, .. } = World::new().resolve();
    assert_eq!(preset, "monet");
    assert_eq!(settings.style.images[0].image, "builtin:monet.webp");
}

#[test]
fn each_layer_lies_over_the_ones_before() {
    let beta = |world: &World| world.resolve().settings.loss.beta;
    let world = World::new().preset("my.toml").file("cwd/my.toml", "extends = \"monet\"\n[loss]\nbeta = 1\n");
    assert_eq!(beta(&world), 1.0);
    let world = world.file("config/config.toml", "[loss]\nbeta = 2\n");
    assert_eq!(beta(&world), 2.0);
    let world = world.env("STYLIZE_VIDEO_LOSS_BETA", "3");
    assert_eq!(beta(&world), 3.0);
    let world = world.set("loss.beta=4");
    assert_eq!(beta(&world), 4.0);
    let world = world.set("loss.beta=5");
    assert_eq!(beta(&world), 5.0);
}

#[test]
fn the_default_preset_can_be_chosen() {
    let world = World::new().file("config/config.toml", "preset = \"sketch\"\n");
    assert_eq!(world.resolve().preset, "sketch");
    let world = world.env("STYLIZE_VIDEO_PRESET", "mosaic");
    assert_eq!(world.resolve().preset, "mosaic");
    assert_eq!(world.preset("ukiyoe").resolve().preset, "ukiyoe");
}

#[test]
fn styles_replace_the_presets_pictures() {
    let world = World::new().file("cwd/a.png", "").file("cwd/b.png", "").style("a.png", 1.0).style("b.png", 0.5);
    let Resolved { settings, preset, .. } = world.resolve();
    assert_eq!(preset, "a");
    let images: Vec<_> = settings.style.images.iter().map(|i| (PathBuf::from(&i.image), i.weight)).collect();
    assert_eq!(images, [(world.path("cwd/a.png"), 1.0), (world.path("cwd/b.png"), 0.5)]);

    let Resolved { settings, preset, .. } = world.preset("ukiyoe").resolve();
    assert_eq!(preset, "ukiyoe");
    assert_eq!(settings.style.images.len(), 2);
    assert_eq!(settings.loss, World::new().preset("ukiyoe").resolve().settings.loss, "the rest of the preset stays");
}

#[test]
fn paths_are_relative_to_where_they_are_written() {
    let world = World::new()
        .file("presets/my.toml", "[style]\nimages = [\"plates/a.png\"]\n")
        .file("presets/plates/a.png", "")
        .file("config/config.toml", "[network]\nweights_dir = \"weights\"\n")
        .preset("../presets/my.toml");
    let settings = world.resolve().settings;
    assert!(Path::new(&settings.style.images[0].image).is_file());
    assert_eq!(Path::new(&settings.network.weights_dir), world.path("config/weights"));
    let world = world.set("network.weights_dir=w");
    assert_eq!(Path::new(&world.resolve().settings.network.weights_dir), world.path("cwd/w"));
}

#[test]
fn a_preset_on_disk_hides_the_built_in_and_can_extend_it() {
    let world = World::new().file("config/presets/monet.toml", "extends = \"monet\"\n[loss]\nbeta = 7\n");
    let settings = world.resolve().settings;
    assert_eq!(settings.loss.beta, 7.0);
    assert_eq!(settings.style.images[0].image, "builtin:monet.webp");
}

#[test]
fn circles_and_towers_of_presets_are_errors() {
    let world = World::new()
        .file("cwd/a.toml", "extends = \"b.toml\"\n")
        .file("cwd/b.toml", "\nextends = \"./a.toml\"\n")
        .preset("a.toml");
    let error = world.error();
    assert!(error.contains("cwd/b.toml:2: presets extend each other in a circle: a.toml -> "), "{error}");

    let mut world = World::new().preset("0.toml");
    for n in 0..40 {
        world = world.file(&format!("cwd/{n}.toml"), &format!("extends = \"{}.toml\"\n", n + 1));
    }
    assert!(world.error().contains("more than 16 deep"), "{}", world.error());
}

#[test]
fn mistakes_in_files_name_file_line_and_key() {
    for (text, message) in [
        ("[loss]\nbetta = 1\n", "my.toml:2: unknown key loss.betta: did you mean loss.beta?"),
        ("beta = 1\n", "my.toml:1: unknown key beta: did you mean loss.beta?"),
        ("[lose]\nbeta = 1\n", "my.toml:1: unknown key lose: did you mean loss?"),
        ("extend = \"monet\"\n", "my.toml:1: unknown key extend: did you mean extends?"),
        ("preset = \"monet\"\n", "my.toml:1: unknown key preset"),
        ("\n[loss]\n\nbeta = \"x\"\n", "my.toml:4: loss.beta: invalid type: string \"x\", expected a number"),
        ("loss = 3\n", "my.toml:1: loss: expected a table of settings, found integer"),
        ("[loss]\nbeta = -1\n", "my.toml:2: loss.beta: -1 must be 0 or more"),
        ("[loss]\nbeta = nan\n", "my.toml:2: loss.beta: NaN must be 0 or more"),
        ("[loss]\nstyle_weights = [0, 0, 0, 0, 0]\n", "my.toml:2: loss.style_weights: every weight is 0"),
        ("seed = -1\n", "my.toml:1: seed: invalid value: integer `-1`, expected a whole number of 0 or more"),
        ("device = \"gpu\"\n", "my.toml:1: device: unknown device `gpu`: use auto, cpu, cuda or cuda:N"),
        ("[frame]\nsize = 7\n", "my.toml:2: frame.size: size 7 is out of range: use 16 to 16384 or \"auto\""),
        ("[style]\nimages = [\"a.png\"]\n", "my.toml:2: style.images: picture cwd/a.png does not exist"),
        ("[style]\nimages = [\"builtin:x\"]\n", "my.toml:2: style.images: the program has no picture builtin:x"),
        (
            "[output]\n\ncrf = 90\n",
            "my.toml:3: output.crf: 90 is out of range: use 0 to 51 (H.264, HEVC), 0 to 63 (VP9, AV1) or \"auto\"",
        ),
        ("extends = 3\n", "my.toml:1: extends: expected a text in quotes, found integer"),
        ("description = \"x\"\n\n[loss\n", "my.toml:3: "),
    ] {
        let world = World::new().file("cwd/my.toml", text).preset("my.toml");
        let error = world.error();
        assert!(error.starts_with(message), "{error}\nis not\n{message}");
    }
}

#[test]
fn a_mistake_that_a_later_layer_hides_is_still_one() {
    let world = World::new().file("config/config.toml", "[loss]\nbeta = \"x\"\n").set("loss.beta=3");
    assert!(world.error().starts_with("config/config.toml:2: loss.beta: "), "{}", world.error());
}

#[test]
fn unknown_presets_name_all_there_are() {
    let world = World::new().file("config/presets/mine.toml", "").preset("vangog");
    assert_eq!(
        world.error(),
        "unknown preset `vangog` (did you mean vangogh?); known presets: mine, monet, mosaic, sketch, ukiyoe, vangogh; \
         searched config/presets and the built-in presets"
    );
    let world = World::new().file("cwd/my.toml", "extends = \"mnet\"\n").preset("my.toml");
    assert!(world.error().starts_with("my.toml:1: unknown preset `mnet` (did you mean monet?)"), "{}", world.error());
}

#[test]
fn unknown_variables_are_mistakes_but_the_programs_own_are_not() {
    let world = World::new().env("STYLIZE_VIDEO_LOSS_BETTA", "1");
    assert_eq!(
        world.error(),
        "STYLIZE_VIDEO_LOSS_BETTA: no setting has this name: did you mean STYLIZE_VIDEO_LOSS_BETA?"
    );
    World::new()
        .env("STYLIZE_VIDEO_WEIGHTS_URL", "http://localhost")
        .env("STYLIZE_VIDEO_TEST_ANYTHING", "1")
        .env("STYLIZE_VIDEO_LOSS_BETA", "")
        .env("UNRELATED", "1")
        .resolve();
}

#[test]
fn every_setting_has_a_variable() {
    let settings = World::new()
        .env("STYLIZE_VIDEO_STYLE_MATCH_COLOURS", "false")
        .env("STYLIZE_VIDEO_OPTIMIZER_ITERATIONS", "[9, 3]")
        .env("STYLIZE_VIDEO_STYLE_COLOUR", "content")
        .env("STYLIZE_VIDEO_FRAME_SIZE", "480")
        .resolve()
        .settings;
    assert!(!settings.style.match_colours);
    assert_eq!(settings.optimizer.iterations, [9, 3]);
    assert_eq!(settings.frame.size, Size::Pixels(480));
}

#[test]
fn values_of_set_are_toml_or_bare_words() {
    let settings = World::new()
        .set("device=cpu")
        .set("init.first=\"random\"")
        .set("loss.style_weights = [1, 0, 0, 0, 0]")
        .set("loss={ alpha = 2 }")
        .resolve()
        .settings;
    assert_eq!(settings.loss.alpha, 2.0);
    assert_eq!(settings.loss.style_weights, [1.0, 0.0, 0.0, 0.0, 0.0]);
    for text in ["loss.beta", "=3", "loss..beta=3", "loss.=3", ".=3", ""] {
        assert!(World::new().set(text).error().contains("write KEY=VALUE"), "{text}");
    }
    let long = World::new().set(&format!("seed={}", "é".repeat(5000))).error();
    assert!(long.chars().count() < 250 && long.ends_with("expected a whole number of 0 or more"), "{long}");
    // A line break in a value cannot inject another key.
    assert!(World::new().set("loss.beta=1\nseed=2").error().contains("loss.beta: invalid type"));
}

#[test]
fn one_setting_by_two_options_is_a_mistake() {
    let world = World::new().option("frame.size", "480").set("frame.size=720");
    assert_eq!(world.error(), "frame.size is set twice: by --size and by --set");
}

#[test]
fn the_options_name_themselves() {
    let world = World::new().option("frame.size", "big");
    assert_eq!(world.error(), "--size: frame.size: size \"big\" is not known: use a number of pixels or \"auto\"");
    let world = World::new().style("a.png", 1.0);
    assert_eq!(world.error(), "--style: style.images: picture cwd/a.png does not exist");
}

#[test]
fn no_picture_at_all_is_a_mistake() {
    assert!(World::new().set("style.images=[]").error().contains("--style"));
}

#[test]
fn merged_settings_are_a_preset_that_gives_them_again() {
    let world = World::new().file("cwd/a b.png", "").style("a b.png", 0.5).set("loss.tv=1e-7").set("frame.size=480");
    let settings = world.resolve().settings;
    // Next to the picture: a preset cannot name a picture in another folder.
    let text = toml::to_string(&settings).unwrap();
    let mut again = world.file("cwd/again.toml", &text).preset("again.toml");
    (again.inputs.sets, again.inputs.styles) = (Vec::new(), Vec::new());
    assert_eq!(again.resolve().settings, settings);
    let elsewhere = World::new().file("cwd/again.toml", &text).preset("again.toml").error();
    assert!(elsewhere.contains("is outside the preset's folder"), "{elsewhere}");
}

#[test]
fn a_broken_preset_stays_in_the_list() {
    let world = World::new().file("config/presets/bad.toml", "[[[").file("config/presets/good.toml", "");
    let list = Library::new(&world.inputs.environment).list();
    let of = |name: &str| &list.iter().find(|(n, _)| n == name).unwrap().1;
    assert!(of("bad").is_err());
    assert!(of("good").is_ok());
    assert_eq!(list.len(), 7);
}
