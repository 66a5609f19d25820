//! Animations: GIF, APNG and WebP; raw video; filters after the painting.

use std::path::{Path, PathBuf};

use stylize_video::encode::{EncodeError, Target};
use stylize_video::media::{Input, Names, NumberedName, Output};
use stylize_video::settings::OutputSettings;

use crate::common::{ALL, Desk, Failure, convert_with, decoded_by_ffmpeg, ffmpeg, probe, psnr, times};

/// Frames at 0, 0.04, 0.12, 0.16, ... s, and sound. Matroska may shift all of them slightly later.
fn uneven(desk: &Desk) -> PathBuf {
    let select = "-vf select='not(eq(mod(n\\,4)\\,2))' -fps_mode vfr";
    let sound = "-f lavfi -i sine=d=1";
    desk.clip("in.mkv", &format!("-f lavfi -i gradients=s=96x64:r=25:d=1:c0=0x905030:c1=0x3060a0:seed=3 {sound} {select} -c:v ffv1 -pix_fmt yuv420p"))
}

fn run(desk: &Desk, input: &Path, name: &str, settings: &OutputSettings) -> Result<(PathBuf, Vec<String>), Failure> {
    let target = Target { output: Output::Video(desk.path(name)), work: desk.path(""), label: None };
    let (_, warnings) = convert_with(&Input::Video(input.into()), &target, ALL, settings, |_| {})?;
    Ok((desk.path(name), warnings))
}

#[test]
fn animations_keep_every_frame_and_its_time() {
    let desk = Desk::new();
    let input = uneven(&desk);
    let expected: Vec<f64> = times(&input).iter().map(|time| time - times(&input)[0]).collect();
    assert_eq!(expected.len(), 19);
    let chain = "scale=in_color_matrix=bt601:flags=bicubic+accurate_rnd+full_chroma_int";
    let before = decoded_by_ffmpeg(&desk, &input, chain);
    for (name, least) in [("out.gif", 28.0), ("out.apng", 45.0)] {
        let (path, warnings) = run(&desk, &input, name, &OutputSettings::default()).unwrap();
        assert!(warnings.len() == 1 && warnings[0].starts_with("stream 1 (audio vorbis) is left out"), "{warnings:?}");
        let found = times(&path);
        assert_eq!(found.len(), expected.len(), "{name}");
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-4, "{name}: {found} instead of {expected}");
        }
        let last: f64 = probe(&path, "v:0", "packet=duration_time").last().unwrap().parse().unwrap();
        assert!((last - 0.04).abs() < 1e-4, "{name}: the last frame lasts {last} s");
        let quality = psnr(&before, &decoded_by_ffmpeg(&desk, &path, "format=rgb24"));
        assert!(quality > least, "{name}: {quality} dB");
        let streams = probe(&path, "v", "stream=codec_name");
        assert_eq!(streams.len(), 1, "{name}");
    }
}

#[test]
fn a_webp_animation_is_exact_in_time() {
    use image::AnimationDecoder;
    let desk = Desk::new();
    let input = uneven(&desk);
    let (path, _) = run(&desk, &input, "out.webp", &OutputSettings::default()).unwrap();
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    let frames = image::codecs::webp::WebPDecoder::new(file).unwrap().into_frames().collect_frames().unwrap();
    let delays: Vec<u32> = frames.iter().map(|frame| frame.delay().numer_denom_ms()).map(|(n, d)| n / d).collect();
    let mut expected: Vec<u32> =
        times(&input).windows(2).map(|pair| ((pair[1] - pair[0]) * 1000.0).round() as u32).collect();
    expected.push(40);
    assert_eq!(delays, expected);
    let chain = "scale=in_color_matrix=bt601:flags=bicubic+accurate_rnd+full_chroma_int";
    let before = decoded_by_ffmpeg(&desk, &input, chain);
    let after: Vec<u8> =
        frames.iter().flat_map(|frame| frame.buffer().pixels().flat_map(|p| [p[0], p[1], p[2]])).collect();
    let quality = psnr(&before, &after);
    assert!(quality > 28.0, "{quality} dB");
}

/// A moving hole: a frame blended over the previous one would fill the hole.
#[test]
fn transparency_moves() {
    use image::AnimationDecoder;
    let desk = Desk::new();
    let hole = "format=rgba,geq=r=200:g=90:b=40:a=255*gt(abs(X-16-8*N)\\,6)";
    let input = desk.clip("in.mov", &format!("-f lavfi -i color=s=96x32:r=10:d=0.8 -vf {hole} -c:v png"));
    for name in ["out.gif", "out.apng", "out.webp"] {
        let target = Target { output: Output::Video(desk.path(name)), work: desk.path(""), label: None };
        let settings = OutputSettings::default();
        let (_, warnings) = convert_with(&Input::Video(input.clone()), &target, ALL, &settings, |frame| {
            let n = frame.index as usize;
            let alpha = |i: usize| if (i % 96).abs_diff(16 + 8 * n) > 6 { 1.0 } else { 0.0 };
            frame.pixels.alpha = Some((0..96 * 32).map(alpha).collect());
        })
        .unwrap();
        assert!(warnings.iter().all(|warning| !warning.contains("transparency")), "{name}: {warnings:?}");
        let alphas: Vec<Vec<u8>> = if name == "out.webp" {
            let file = std::io::BufReader::new(std::fs::File::open(desk.path(name)).unwrap());
            let frames = image::codecs::webp::WebPDecoder::new(file).unwrap().into_frames().collect_frames().unwrap();
            frames.iter().map(|frame| frame.buffer().pixels().map(|pixel| pixel[3]).collect()).collect()
        } else {
            let raw = desk.path("rgba.raw");
            let path = desk.path(name);
            let options = ["-pix_fmt", "rgba", "-f", "rawvideo", "-fps_mode", "passthrough"];
            let input = ["-i".as_ref(), path.as_os_str()];
            ffmpeg(input.into_iter().chain(options.map(std::ffi::OsStr::new)).chain([raw.as_os_str()]));
            let bytes = std::fs::read(raw).unwrap();
            bytes.chunks_exact(96 * 32 * 4).map(|frame| frame.chunks_exact(4).map(|pixel| pixel[3]).collect()).collect()
        };
        assert_eq!(alphas.len(), 8, "{name}");
        for (n, alpha) in alphas.iter().enumerate() {
            let row = &alpha[16 * 96..17 * 96];
            assert!(row[16 + 8 * n] < 20, "{name}: frame {n} has no hole");
            let solid = row.iter().filter(|&&alpha| alpha > 200).count();
            assert!(solid >= 96 - 15, "{name}: frame {n} has {solid} solid pixels");
        }
    }
}

#[test]
fn deep_pictures_stay_deep_in_apng() {
    let desk = Desk::new();
    let input = desk.clip("in.mkv", "-f lavfi -i gradients=s=64x48:r=10:d=0.3 -c:v ffv1 -pix_fmt yuv444p10le");
    let (path, _) = run(&desk, &input, "out.apng", &OutputSettings::default()).unwrap();
    assert_eq!(probe(&path, "v", "stream=pix_fmt"), ["rgb48be"]);
}

#[test]
fn gif_of_a_hundred_frames_a_second_at_most() {
    let desk = Desk::new();
    let input = desk.clip("in.mkv", "-f lavfi -i testsrc=s=32x32:r=240:d=0.1 -c:v ffv1 -pix_fmt yuv420p");
    let (_, warnings) = run(&desk, &input, "out.gif", &OutputSettings::default()).unwrap();
    assert!(warnings.iter().any(|warning| warning.contains("--post-filter fps=50")), "{warnings:?}");
}

#[test]
fn strict_streams_and_animations() {
    let desk = Desk::new();
    let strict = OutputSettings { strict_streams: true, ..OutputSettings::default() };
    let error = run(&desk, &uneven(&desk), "out.gif", &strict).unwrap_err();
    assert!(matches!(error, Failure::Encode(EncodeError::PicturesOnly { .. })), "{error}");
}

#[test]
fn raw_video_is_what_ffmpeg_reads() {
    let desk = Desk::new();
    let input = desk.clip("in.mkv", "-f lavfi -i gradients=s=64x48:r=24:d=0.5 -c:v ffv1 -pix_fmt yuv422p10le");
    let (path, warnings) = run(&desk, &input, "out.y4m", &OutputSettings::default()).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(probe(&path, "v", "stream=pix_fmt,r_frame_rate"), ["yuv422p10le,24/1"]);
    for (found, expected) in times(&path).iter().zip(times(&input)) {
        assert!((found - expected).abs() < 1e-3, "{found} instead of {expected}");
    }
    let (path, warnings) = run(&desk, &uneven(&desk), "uneven.y4m", &OutputSettings::default()).unwrap();
    assert!(warnings.iter().any(|warning| warning.contains("--format nut")), "{warnings:?}");
    assert_eq!(times(&path).len(), 19);
    let (path, warnings) = run(&desk, &uneven(&desk), "uneven.nut", &OutputSettings::default()).unwrap();
    assert!(!warnings.iter().any(|warning| warning.contains("constant")), "{warnings:?}");
    let begin = times(&desk.path("in.mkv"))[0];
    for (found, expected) in times(&path).iter().zip(times(&desk.path("in.mkv"))) {
        assert!((found + begin - expected).abs() < 1e-6, "{found} instead of {expected}");
    }
}

#[test]
fn filters_after_the_painting() {
    let desk = Desk::new();
    let input = uneven(&desk);
    let filter = |filter: &str| OutputSettings { filter: filter.into(), ..OutputSettings::default() };
    let (path, _) = run(&desk, &input, "crop.mp4", &filter("crop=50:30,hflip")).unwrap();
    assert_eq!(probe(&path, "v:0", "stream=width,height"), ["50,30"]);
    assert_eq!(times(&path), times(&input), "times are the graph's, which leaves them");
    let (path, _) = run(&desk, &input, "fps.mkv", &filter("fps=10")).unwrap();
    let found = times(&path);
    assert_eq!(found.len(), 10);
    assert!(found.windows(2).all(|pair| (pair[1] - pair[0] - 0.1).abs() < 2e-3), "{found:?}");
    let (path, _) = run(&desk, &input, "half.gif", &filter("fps=5,scale=48:-1")).unwrap();
    assert_eq!(probe(&path, "v", "stream=width,height"), ["48,32"]);
    assert_eq!(times(&path).len(), 5);
    let error = run(&desk, &input, "wrong.mp4", &filter("crop=9999:9999")).unwrap_err();
    assert!(matches!(error, Failure::Encode(EncodeError::Filter { .. })), "{error}");
    let error = run(&desk, &input, "wrong.mp4", &filter("nonsense=3")).unwrap_err();
    assert!(error.to_string().contains("--post-filter"), "{error}");
}

#[test]
fn a_video_becomes_numbered_pictures() {
    let desk = Desk::new();
    for (depth, options, colour) in
        [(8, "-pix_fmt gbrp", image::ColorType::Rgb8), (16, "-pix_fmt gbrp16le", image::ColorType::Rgb16)]
    {
        let input = desk.clip("in.mkv", &format!("-f lavfi -i testsrc=s=40x30:r=10:d=0.4 -c:v ffv1 {options}"));
        let folder = desk.path(&format!("out-{depth}"));
        let names = Names::Numbered(NumberedName { before: "f_".into(), width: 6, after: ".png".into() });
        let target =
            Target { output: Output::Sequence { folder: folder.clone(), names }, work: desk.path(""), label: None };
        let settings = OutputSettings::default();
        convert_with(&Input::Video(input.clone()), &target, ALL, &settings, |_| {}).unwrap();
        let reference = decoded_by_ffmpeg(&desk, &input, "format=rgb24");
        let mut pictures = Vec::new();
        for number in 1..=4 {
            let picture = image::open(folder.join(format!("f_{number:06}.png"))).unwrap();
            assert_eq!(picture.color(), colour);
            pictures.extend(picture.to_rgb8().into_raw());
        }
        let quality = psnr(&pictures, &reference);
        assert!(quality > 48.0, "{depth} bits: {quality} dB");
    }
}
