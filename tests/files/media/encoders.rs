//! Combinations of encoder, pixel format and container, and the results.

use stylize_video::decode;
use stylize_video::encode::{self, EncodeError, Target};
use stylize_video::media::{Input, Output};
use stylize_video::settings::{Crf, InputSettings, OutputSettings};

use crate::common::{ALL, Desk, Failure, convert_with, decoded_by_ffmpeg, probe, psnr, times};

/// Smooth and not very saturated: every conversion clips colours outside RGB.
const CLIP: &str = "-f lavfi -i gradients=s=128x96:r=25:d=0.4:c0=0x905030:c1=0x3060a0:seed=3";

fn codec(codec: &str) -> OutputSettings {
    OutputSettings { codec: codec.into(), ..OutputSettings::default() }
}

/// Converts and returns the output, its codec and pixel format, and the warnings.
fn run(
    desk: &Desk,
    input: &std::path::Path,
    name: &str,
    settings: &OutputSettings,
) -> (std::path::PathBuf, String, Vec<String>) {
    let target = Target { output: Output::Video(desk.path(name)), work: desk.path(""), label: None };
    let done = convert_with(&Input::Video(input.into()), &target, ALL, settings, |_| {});
    let (_, warnings) = done.unwrap_or_else(|error| panic!("{name}: {error}"));
    let words = probe(&desk.path(name), "v:0", "stream=codec_name,pix_fmt").join(" ");
    (desk.path(name), words, warnings)
}

/// Returns the error from opening the output, before any frame.
fn refused(input: &std::path::Path, name: &str, settings: &OutputSettings) -> EncodeError {
    let desk = Desk::new();
    let source = decode::open(&Input::Video(input.into()), ALL, &InputSettings::default()).unwrap();
    let target = Target { output: Output::Video(desk.path(name)), work: desk.path(""), label: None };
    match encode::open(&target, source.info(), settings) {
        Ok(_) => panic!("{name} was opened"),
        Err(error) => error,
    }
}

#[test]
fn every_family_in_every_container_that_holds_it() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", &format!("{CLIP} -c:v libx264 -pix_fmt yuv420p -crf 4"));
    let chain = "scale=in_color_matrix=bt601:flags=bicubic+accurate_rnd+full_chroma_int";
    let before = decoded_by_ffmpeg(&desk, &input, chain);
    for (family, containers, words) in [
        ("h264", &["mp4", "mkv", "mov"][..], "h264,yuv420p"),
        ("hevc", &["mp4", "mkv", "mov"], "hevc,yuv420p"),
        ("av1", &["mp4", "mkv", "webm"], "av1,yuv420p"),
        ("libaom-av1", &["webm"], "av1,yuv420p"),
        ("vp9", &["mp4", "mkv", "webm"], "vp9,yuv420p"),
        ("prores", &["mkv", "mov"], "prores,yuv422p10le"),
        ("ffv1", &["mkv", "mov"], "ffv1,yuv420p"),
    ] {
        for container in containers {
            let name = format!("out-{family}.{container}");
            let (path, found, warnings) = run(&desk, &input, &name, &codec(family));
            assert_eq!(found, words, "{name}");
            assert_eq!(warnings, Vec::<String>::new(), "{name}");
            assert_eq!(times(&path), times(&input), "{name}");
            let quality = psnr(&before, &decoded_by_ffmpeg(&desk, &path, chain));
            assert!(quality > 36.0, "{name}: {quality} dB");
        }
    }
    // The codec tag that Apple's players require.
    assert_eq!(probe(&desk.path("out-hevc.mp4"), "v:0", "stream=codec_tag_string"), ["hvc1"]);
    assert_eq!(probe(&desk.path("out-hevc.mov"), "v:0", "stream=codec_tag_string"), ["hvc1"]);
}

#[test]
fn auto_keeps_what_the_source_is_made_for() {
    let desk = Desk::new();
    for (name, options, output, words) in [
        ("a.mov", "-c:v prores_ks -profile:v hq -pix_fmt yuv422p10le", "a-out.mov", "prores,yuv422p10le"),
        ("b.mov", "-c:v prores_ks -profile:v hq -pix_fmt yuv422p10le", "b-out.mp4", "hevc,yuv422p10le"),
        ("c.mkv", "-c:v ffv1 -pix_fmt yuv444p16le", "c-out.mkv", "ffv1,yuv444p16le"),
        ("d.mkv", "-c:v ffv1 -pix_fmt gbrp", "d-out.mkv", "ffv1,bgr0"),
        ("e.mkv", "-c:v libx265 -x265-params log-level=none -pix_fmt yuv420p10le", "e-out.mkv", "hevc,yuv420p10le"),
        ("f.mkv", "-c:v ffv1 -pix_fmt gray", "f-out.mp4", "h264,yuv420p"),
        ("g.mkv", "-c:v ffv1 -pix_fmt gbrp", "g-out.mp4", "h264,yuv420p"),
        ("h.mkv", "-c:v libx264 -pix_fmt yuv422p", "h-out.webm", "vp9,yuv422p"),
        ("i.mkv", "-c:v ffv1 -pix_fmt yuv420p12le", "i-out.mp4", "hevc,yuv420p12le"),
    ] {
        let input = desk.clip(name, &format!("{CLIP} {options}"));
        let (_, found, warnings) = run(&desk, &input, output, &OutputSettings::default());
        assert_eq!(found, words, "{name} to {output}");
        assert_eq!(warnings, Vec::<String>::new(), "{name} to {output}");
    }
}

#[test]
fn ffv1_of_rgb_is_exact() {
    let desk = Desk::new();
    let input = desk.clip("in.mkv", &format!("{CLIP} -c:v ffv1 -pix_fmt gbrp"));
    let (output, ..) = run(&desk, &input, "out.mkv", &OutputSettings::default());
    assert_eq!(decoded_by_ffmpeg(&desk, &output, "null"), decoded_by_ffmpeg(&desk, &input, "null"));
}

#[test]
fn lost_bits_and_chroma_are_told() {
    let desk = Desk::new();
    let input = desk.clip("in.mkv", &format!("{CLIP} -c:v ffv1 -pix_fmt yuv444p12le"));
    let (_, found, warnings) = run(&desk, &input, "out.mp4", &codec("libx264"));
    assert_eq!(found, "h264,yuv444p10le");
    assert!(warnings.len() == 1 && warnings[0].contains("12 bits become 10"), "{warnings:?}");
    let (_, found, warnings) = run(&desk, &input, "out.mkv", &codec("libsvtav1"));
    assert_eq!(found, "av1,yuv420p10le");
    assert!(warnings[0].contains("12 bits become 10 and 4:4:4 becomes 4:2:0"), "{warnings:?}");
    // With only the codec family given, the encoder that preserves everything is chosen.
    let (_, found, warnings) = run(&desk, &input, "all.mkv", &codec("av1"));
    assert_eq!((found.as_str(), warnings.len()), ("av1,yuv444p12le", 0));
    // An explicit request causes no warning.
    let asked = OutputSettings { pix_fmt: "yuv420p".into(), ..OutputSettings::default() };
    let (_, found, warnings) = run(&desk, &input, "asked.mp4", &asked);
    assert_eq!((found.as_str(), warnings.len()), ("hevc,yuv420p", 0));
}

#[test]
fn combinations_that_do_not_go_together() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", &format!("{CLIP} -c:v libx264 -pix_fmt yuv420p"));
    let check = |name: &str, settings: OutputSettings, words: &[&str]| {
        let text = refused(&input, name, &settings).to_string();
        for word in words {
            assert!(text.contains(word), "{name}: {text} lacks {word}");
        }
    };
    check("out.webm", codec("h264"), &["webm cannot hold h264", "vp9, av1", ".mp4, .mkv, .mov"]);
    check("out.mp4", codec("prores"), &["mp4 cannot hold prores", "h264, hevc, av1, vp9", ".mkv, .mov"]);
    check("out.mov", codec("libvpx-vp9"), &["mov cannot hold libvpx-vp9"]);
    check("out.mp4", codec("xvid"), &["no codec xvid", "h264-hardware", "libx265", "hevc_nvenc"]);
    let pix_fmt = |codec: &str, pix_fmt: &str| OutputSettings {
        codec: codec.into(),
        pix_fmt: pix_fmt.into(),
        ..OutputSettings::default()
    };
    check(
        "out.mp4",
        pix_fmt("h264", "yuv420p12le"),
        &["libx264 does not take pixel format yuv420p12le", "yuv420p10le"],
    );
    check("out.mov", pix_fmt("prores", "nonsense"), &["prores_ks", "yuva444p10le"]);
    check("out.mp4", pix_fmt("vp9", "yuva420p"), &["does not take pixel format yuva420p"]);
    let crf = |codec: &str, crf: u8| OutputSettings { crf: Crf::Value(crf), ..self::codec(codec) };
    check("out.mov", crf("prores", 20), &["prores_ks has no crf", "profile="]);
    check("out.mkv", crf("ffv1", 20), &["ffv1 has no crf"]);
    check("out.mp4", crf("hevc", 60), &["0 to 51"]);
    let option = |option: &str| OutputSettings { encoder_options: vec![option.into()], ..OutputSettings::default() };
    check("out.mp4", option("presett=slow"), &["libx264 has no option presett"]);
    check("out.mp4", option("slow"), &["\"slow\" is not of the form key=value"]);
    check("out.mp4", option("preset=nonsense"), &["libx264 refuses 128x96 of yuv420p", "--encoder-opt"]);
    check("out.xyz", OutputSettings { format: "ogg".into(), ..codec("auto") }, &["no format ogg", "webm"]);
    let tiny = desk.clip("tiny.mp4", "-f lavfi -i testsrc=s=8x8:r=25:d=0.1 -c:v libx264");
    assert!(matches!(refused(&tiny, "out.mp4", &codec("hevc")), EncodeError::TooSmall { smallest: 16, .. }));
}

#[test]
fn encoder_options_reach_the_encoder() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", &format!("{CLIP} -c:v libx264 -pix_fmt yuv420p"));
    let options = vec!["profile=baseline".into(), "g=5".into()];
    let settings = OutputSettings { encoder_options: options, ..OutputSettings::default() };
    let (path, ..) = run(&desk, &input, "out.mp4", &settings);
    assert_eq!(probe(&path, "v:0", "stream=profile"), ["Constrained Baseline"]);
    let flags = probe(&path, "v:0", "packet=flags");
    assert_eq!(flags.iter().filter(|flags| flags.contains('K')).count(), 2, "a key frame every five: {flags:?}");
}

/// On a machine without the device, the software encoder is used and the reason is reported; with the device, the
/// device is used.
#[test]
fn hardware_falls_back_to_software() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", &format!("{CLIP} -c:v libx264 -pix_fmt yuv420p"));
    for (asked, name, words) in [
        ("h264-hardware", "out.mp4", "h264,yuv420p"),
        ("hevc_qsv", "out.mkv", "hevc,yuv420p"),
        ("av1-hardware", "out.webm", "av1,yuv420p"),
    ] {
        let (path, found, warnings) = run(&desk, &input, name, &codec(asked));
        assert_eq!(times(&path).len(), 10, "{asked}");
        assert_eq!(found, words, "{asked}");
        if let [warning] = warnings.as_slice() {
            assert!(warning.contains("encodes instead"), "{warning}");
            assert!(["nvenc", "qsv"].iter().any(|device| warning.contains(device)), "{warning}");
        } else {
            assert_eq!(warnings.len(), 0);
        }
    }
}

/// Makes a clip whose left half is transparent.
fn clear(desk: &Desk, name: &str, options: &str) -> std::path::PathBuf {
    let clear = "format=rgba,geq=r=r(X\\,Y):g=g(X\\,Y):b=b(X\\,Y):a=if(lt(X\\,64)\\,40\\,255)";
    desk.clip(name, &format!("{CLIP} -vf {clear} {options}"))
}

#[test]
fn alpha_goes_where_it_is_held() {
    let desk = Desk::new();
    let input = clear(&desk, "in.mov", "-c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le");
    let png = clear(&desk, "png.mov", "-c:v png");
    let alphas = |path: &std::path::Path, decoder: &[&str]| -> (u8, u8) {
        let raw = desk.path("alpha.raw");
        let mut arguments: Vec<&std::ffi::OsStr> = decoder.iter().map(std::ffi::OsStr::new).collect();
        arguments.extend(["-i".as_ref(), path.as_os_str()]);
        arguments
            .extend(["-vf", "alphaextract,format=gray", "-frames:v", "1", "-f", "rawvideo"].map(std::ffi::OsStr::new));
        arguments.push(raw.as_os_str());
        crate::common::ffmpeg(arguments);
        let bytes = std::fs::read(&raw).unwrap();
        (bytes[48 * 128 + 30], bytes[48 * 128 + 100])
    };
    let paint = |frame: &mut stylize_video::media::Frame| {
        let plane = frame.pixels.width * frame.pixels.height;
        let alpha = (0..plane).map(|i| if i % 128 < 64 { 40.0 / 255.0 } else { 1.0 }).collect();
        frame.pixels.alpha = Some(alpha);
    };
    for (input, name, words, decoder) in [
        (&input, "out.mov", "prores,yuva444p10le", &[][..]),
        (&input, "kept.mkv", "prores,yuva444p10le", &[]),
        (&png, "png-out.mov", "prores,yuva444p10le", &[]),
        (&png, "out.mkv", "ffv1,bgra", &[]),
        (&input, "out.webm", "vp9,yuv420p", &["-c:v", "libvpx-vp9"]),
    ] {
        let target = Target { output: Output::Video(desk.path(name)), work: desk.path(""), label: None };
        let settings = OutputSettings::default();
        let (_, warnings) = convert_with(&Input::Video(input.clone()), &target, ALL, &settings, paint).unwrap();
        let warnings: Vec<_> = warnings.iter().filter(|warning| warning.contains("transparency")).collect();
        assert!(warnings.is_empty(), "{name}: {warnings:?}");
        assert_eq!(probe(&desk.path(name), "v:0", "stream=codec_name,pix_fmt").join(" "), words, "{name}");
        assert_eq!(times(&desk.path(name)).len(), 10);
        let (left, right) = alphas(&desk.path(name), decoder);
        assert!(left.abs_diff(40) <= 2 && right >= 253, "{name}: {left} and {right}");
    }
    let target = Target { output: Output::Video(desk.path("out.mp4")), work: desk.path(""), label: None };
    let settings = OutputSettings::default();
    let (_, warnings) = convert_with(&Input::Video(input.clone()), &target, ALL, &settings, paint).unwrap();
    assert!(warnings.iter().any(|w| w.contains(".mov") && w.contains(".webm")), "{warnings:?}");
    let strict = OutputSettings { strict_streams: true, ..settings };
    let error = convert_with(&Input::Video(input), &target, ALL, &strict, paint).unwrap_err();
    assert!(matches!(error, Failure::Encode(EncodeError::Alpha { .. })), "{error}");
}

/// VP9 with alpha goes through a Matroska intermediate, which rounds times; the output's times are exact all the same.
#[test]
fn vp9_with_alpha_keeps_uneven_times() {
    let desk = Desk::new();
    let select = "-vf select='not(eq(mod(n\\,5)\\,3))',format=yuva420p -fps_mode vfr";
    let input =
        desk.clip("in.webm", &format!("-f lavfi -i testsrc2=s=64x48:r=30000/1001:d=1 {select} -c:v libvpx-vp9"));
    let target = Target { output: Output::Video(desk.path("out.webm")), work: desk.path(""), label: None };
    convert_with(&Input::Video(input.clone()), &target, ALL, &codec("vp9"), |frame| {
        frame.pixels.alpha = Some(vec![0.5; 64 * 48]);
    })
    .unwrap();
    assert_eq!(times(&desk.path("out.webm")), times(&input));
}

#[test]
fn large_and_tiny_pictures() {
    let desk = Desk::new();
    let large = desk.clip(
        "large.mp4",
        "-f lavfi -i testsrc=s=7680x4320:r=25:d=0.04 -frames:v 1 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
    );
    let fast = OutputSettings { encoder_options: vec!["preset=ultrafast".into()], ..OutputSettings::default() };
    let (path, ..) = run(&desk, &large, "large-out.mp4", &fast);
    assert_eq!(probe(&path, "v:0", "stream=width,height,nb_frames"), ["7680,4320,1"]);
    let tiny = desk.clip("tiny.mkv", "-f lavfi -i color=red:s=4x4:r=25:d=0.2 -vf format=yuv444p,crop=1:1 -c:v ffv1");
    for name in ["tiny.mp4", "tiny-out.mkv", "tiny.webm", "tiny.mov", "tiny.gif", "tiny.apng", "tiny.webp"] {
        let (path, ..) = run(&desk, &tiny, name, &OutputSettings::default());
        assert!(std::fs::metadata(path).unwrap().len() > 0, "{name}");
    }
    let deep = desk.clip("deep.mkv", "-f lavfi -i color=red:s=4x4:r=25:d=0.2 -c:v ffv1 -pix_fmt yuv420p10le");
    let (_, found, _) = run(&desk, &deep, "deep.mp4", &OutputSettings::default());
    assert_eq!(found, "h264,yuv420p10le", "HEVC has a least size");
}
