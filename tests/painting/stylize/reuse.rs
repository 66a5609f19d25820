//! A model that several stylizers use in turn.

use stylize_video::interrupt::CancelToken;
use stylize_video::media::Pixels;
use stylize_video::motion::Shot;
use stylize_video::settings::{Colour, Device, Settings, StyleImage};
use stylize_video::stylize::{ModelSlot, build, build_with};

use crate::stylize::pictures::{HEIGHT, WIDTH, frame, quick};

/// Settings that paint in the style of one picture with the built-in network.
fn styled(image: &str) -> Settings {
    let mut settings = quick();
    settings.device = Device::Cpu;
    settings.network.backbone = "patches".into();
    settings.content.faces = 1.0;
    settings.style.images = vec![StyleImage { image: image.into(), weight: 1.0 }];
    settings.style.match_colours = true;
    settings
}

/// Paints the frames as one shot, with the model in `slot` or with one that is loaded for this call.
fn painted(slot: Option<&mut ModelSlot>, settings: &Settings, frames: &[Pixels]) -> Vec<Pixels> {
    let cancel = CancelToken::default();
    let built = match slot {
        Some(slot) => build_with(slot, settings, &cancel, None),
        None => build(settings, &cancel, None),
    };
    let (mut stylizer, mut pictures) = (built.unwrap().stylizer, Vec::new());
    for (number, frame) in frames.iter().enumerate() {
        let shot = if number == 0 { Shot::New } else { Shot::Continues };
        let mut done = |styled: stylize_video::stylize::Stylized| {
            pictures.push(styled.pixels);
            Ok(())
        };
        stylizer.push(frame, &shot.into(), &mut done).unwrap();
    }
    pictures
}

#[test]
fn a_second_job_loads_nothing_and_paints_the_same() {
    let (monet, sketch) = (styled("builtin:monet.webp"), styled("builtin:sketch.webp"));
    let mut own_colours = monet.clone();
    own_colours.style.colour = Colour::Content;
    let mut other = monet.clone();
    (other.loss.beta, other.style.scale, other.loss.style_weights) = (50.0, 0.7, [0.0, 0.2, 0.2, 0.3, 0.3]);
    let mut weighted = monet.clone();
    weighted.style.images.push(StyleImage { image: "builtin:sketch.webp".into(), weight: 0.5 });
    let [large, small] = [[HEIGHT, WIDTH], [64, 70]].map(|[h, w]| [1, 2].map(|kind| frame(kind, h, w)));
    let mut slot = ModelSlot::default();
    for (job, (settings, frames, loads)) in [
        (&monet, &large, 1),
        (&monet, &large, 1),
        (&monet, &small, 1),
        // Other sizes of strokes, other layers, colours of the scene: still the same network and pictures.
        (&other, &large, 1),
        (&own_colours, &large, 1),
        (&own_colours, &small, 1),
        (&monet, &large, 1),
        (&sketch, &large, 2),
        (&weighted, &large, 3),
        (&monet, &large, 4),
    ]
    .into_iter()
    .enumerate()
    {
        let again = painted(Some(&mut slot), settings, frames);
        assert_eq!(slot.loads(), loads, "job {job}");
        assert_eq!(again, painted(None, settings, frames), "job {job}");
    }
}

#[test]
fn a_style_picture_that_has_changed_is_loaded_again() {
    let desk = tempfile::tempdir().unwrap();
    let path = desk.path().join("style.png");
    let save = |seed: u32| {
        let picture = image::RgbImage::from_fn(90, 70, |x, y| {
            image::Rgb([(x * seed) as u8, (y * 3 + seed) as u8, (x * y / 7 * seed) as u8])
        });
        let new = desk.path().join("new.png");
        picture.save(&new).unwrap();
        std::fs::rename(new, &path).unwrap();
    };
    let (settings, frames) = (styled(path.to_str().unwrap()), [frame(1, HEIGHT, WIDTH)]);
    let mut slot = ModelSlot::default();
    save(5);
    let first = painted(Some(&mut slot), &settings, &frames);
    save(11);
    let second = painted(Some(&mut slot), &settings, &frames);
    assert_eq!(slot.loads(), 2);
    assert_ne!(first, second);
    assert_eq!(second, painted(None, &settings, &frames));
    // A style picture that is gone is an error, and the slot can still be used.
    std::fs::remove_file(&path).unwrap();
    assert!(build_with(&mut slot, &settings, &CancelToken::default(), None).is_err());
    save(11);
    assert_eq!(second, painted(Some(&mut slot), &settings, &frames));
}
