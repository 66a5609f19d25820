//! The settings of `[input]`: alpha, HDR, interlacing, the user's filters, and formats that must be named.

use std::path::Path;
use std::process::Command;

use stylize_video::decode::{self, DecodeError};
use stylize_video::media::{ColorInfo, Frame, Input, MediaInfo, Model, Range, Ratio};
use stylize_video::settings::{Deinterlace, Hdr, InputSettings};

use crate::common::{ALL, Desk, decoded_by_ffmpeg, frames, probe, psnr, times};

/// Reads the whole input and returns its media info, frames and notes.
fn read(path: &Path, settings: &InputSettings) -> Result<(MediaInfo, Vec<Frame>, Vec<String>), DecodeError> {
    let mut source = decode::open(&Input::Video(path.into()), ALL, settings)?;
    let mut notes = source.take_warnings();
    let mut frames = Vec::new();
    while let Some(frame) = source.next()? {
        frames.push(frame);
    }
    notes.extend(source.take_warnings());
    Ok((source.info().clone(), frames, notes))
}

fn filtered(path: &Path, filter: &str) -> Result<(MediaInfo, Vec<Frame>), DecodeError> {
    let settings = InputSettings { filter: filter.into(), ..InputSettings::default() };
    read(path, &settings).map(|(info, frames, _)| (info, frames))
}

/// Transparent, half transparent and opaque: alpha of 0, 128 and 255 in thirds of a 96x32 picture.
const ALPHA: &str = "-f lavfi -i color=red:s=96x32:r=10:d=0.3,format=rgba,geq=\
                     r=r(X\\,Y):g=g(X\\,Y):b=b(X\\,Y):a=if(lt(X\\,32)\\,0\\,if(lt(X\\,64)\\,128\\,255))";

#[test]
fn alpha_is_read_wherever_it_is() {
    let clips = [
        ("prores.mov", "-c:v prores_ks -profile:v 4 -pix_fmt yuva444p10le", Model::Yuv, 12),
        ("in.apng", "-c:v apng -f apng -pix_fmt rgba", Model::Rgb, 8),
        ("vp8.webm", "-c:v libvpx -pix_fmt yuva420p -auto-alt-ref 0 -crf 4 -b:v 2M", Model::Yuv, 8),
        ("vp9.webm", "-c:v libvpx-vp9 -pix_fmt yuva420p -crf 4 -b:v 0 -deadline realtime", Model::Yuv, 8),
        ("ffv1.mkv", "-c:v ffv1 -pix_fmt yuva420p", Model::Yuv, 8),
        ("qtrle.mov", "-c:v qtrle -pix_fmt argb", Model::Rgb, 8),
    ];
    for (name, options, model, depth) in clips {
        let desk = Desk::new();
        let input = desk.clip(name, &format!("{ALPHA} {options}"));
        let (info, frames) = frames(&input, ALL).unwrap();
        assert!(info.samples.alpha, "{name}");
        assert_eq!((info.samples.model, info.samples.depth, frames.len()), (model, depth, 3), "{name}");
        for frame in &frames {
            let alpha = frame.pixels.alpha.as_ref().unwrap();
            for (x, expected) in [(10, 0.0), (48, 128.0 / 255.0), (90, 1.0)] {
                let got = alpha[16 * 96 + x];
                assert!((got - expected).abs() < 0.02, "{name}: {got} for {expected} at {x}");
            }
        }
        let red = frames[0].pixels.rgb[16 * 96 + 90];
        assert!(red > 0.95, "{name}: red is {red}");
    }
}

#[test]
fn alpha_of_opaque_pictures() {
    let desk = Desk::new();
    let opaque = "-f lavfi -i testsrc2=s=64x48:r=10:d=0.3";
    let (info, read) = frames(&desk.clip("in.gif", opaque), ALL).unwrap();
    assert!(!info.samples.alpha && read.iter().all(|frame| frame.pixels.alpha.is_none()), "GIF has it in name only");
    let hole = format!("{ALPHA} -vf split[a][b];[a]palettegen[p];[b][p]paletteuse");
    let (info, read) = frames(&desk.clip("hole.gif", &hole), ALL).unwrap();
    let alpha = read[0].pixels.alpha.as_ref().unwrap();
    assert!(info.samples.alpha && alpha[16 * 96 + 10] == 0.0 && alpha[16 * 96 + 90] == 1.0);
    let (info, read) = frames(&desk.clip("in.mov", &format!("{opaque} -c:v qtrle -pix_fmt argb")), ALL).unwrap();
    assert!(info.samples.alpha && read[0].pixels.alpha.as_ref().unwrap().iter().all(|&alpha| alpha == 1.0));
    let palette = format!("{opaque} -vf split[a][b];[a]palettegen=reserve_transparent=0[p];[b][p]paletteuse");
    let (info, _) = frames(&desk.clip("p.nut", &format!("{palette} -c:v rawvideo -pix_fmt pal8")), ALL).unwrap();
    assert!(!info.samples.alpha, "a palette of opaque colours");
}

/// Makes a clip in 10-bit HDR with all of its tags, or some of them.
fn hdr(desk: &Desk, name: &str, size: &str, transfer: &str, tags: &str) -> std::path::PathBuf {
    let arguments = format!(
        "-f lavfi -i testsrc2=s={size}:r=10:d=0.3,format=yuv444p10le -c:v libx264 -crf 4 -color_trc {transfer} {tags}"
    );
    desk.clip(name, &arguments)
}

#[test]
fn hdr_is_tone_mapped() {
    let full = "-colorspace bt2020nc -color_primaries bt2020 -color_range tv";
    for (transfer, curve) in [("smpte2084", "PQ"), ("arib-std-b67", "HLG")] {
        let desk = Desk::new();
        let input = hdr(&desk, "in.mp4", "96x64", transfer, full);
        let (info, frames, notes) = read(&input, &InputSettings::default()).unwrap();
        assert_eq!(info.color, ColorInfo::BT709);
        assert_eq!((info.samples.depth, frames.len()), (10, 3));
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].contains(curve) && notes[0].contains("BT.709"), "{notes:?}");
        let chain = "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=hable:desat=0,\
                     zscale=t=bt709,format=gbrp,format=rgb24";
        let reference = decoded_by_ffmpeg(&desk, &input, chain);
        let rgb = frames[0].pixels.to_rgb8();
        let quality = psnr(&rgb, &reference[..rgb.len()]);
        assert!(quality > 45.0, "{curve}: {quality} dB");
        // Without half of the tags, or with a size that zscale would reject, the result is the same.
        let bare = hdr(&desk, "bare.mp4", "96x64", transfer, "");
        let (_, untagged, _) = read(&bare, &InputSettings::default()).unwrap();
        let quality = psnr(&untagged[0].pixels.to_rgb8(), &rgb);
        assert!(quality > 45.0, "{curve} without a matrix: {quality} dB");
    }
}

#[test]
fn hdr_of_odd_sizes_and_refused() {
    let desk = Desk::new();
    let arguments = "-f lavfi -i testsrc=s=67x43:r=10:d=0.2,format=yuv420p10le -c:v ffv1 -color_trc smpte2084 \
                     -colorspace bt2020nc -color_primaries bt2020";
    let input = desk.clip("odd.mkv", arguments);
    let (info, frames, _) = read(&input, &InputSettings::default()).unwrap();
    assert_eq!((info.width, info.height, frames.len()), (67, 43, 2));
    let settings = InputSettings { hdr: Hdr::Refuse, ..InputSettings::default() };
    let error = read(&input, &settings).unwrap_err();
    assert!(matches!(error, DecodeError::Hdr { transfer: "PQ", .. }), "{error}");
}

#[test]
fn dolby_vision_without_a_base_layer_is_refused() {
    let desk = Desk::new();
    let plain = hdr(&desk, "in.mp4", "96x64", "smpte2084", "");
    let profile = |number: u8| {
        desk.changed(&plain, &format!("dv{number}.mp4"), |bytes| {
            let find = |bytes: &[u8], name: &[u8]| bytes.windows(4).rposition(|at| at == name).unwrap() - 4;
            let size = |bytes: &[u8], at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
            // The Dolby Vision configuration follows the codec's: its version, profile and level (7 and 6 bits), flags.
            let record = [1, 0, number << 1, 0b0000_1101, 0];
            let size_of_box = 8 + 24_u32;
            let mut extra = [&size_of_box.to_be_bytes()[..], b"dvcC", &record].concat();
            extra.resize(size_of_box as usize, 0);
            let behind = find(bytes, b"avcC") + size(bytes, find(bytes, b"avcC")) as usize;
            for parent in [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"] {
                let at = find(bytes, parent);
                let grown = size(bytes, at) + size_of_box;
                bytes[at..at + 4].copy_from_slice(&grown.to_be_bytes());
            }
            bytes.splice(behind..behind, extra);
        })
    };
    let error = read(&profile(5), &InputSettings::default()).unwrap_err();
    assert!(error.to_string().contains("Dolby Vision profile 5"), "{error}");
    assert_eq!(read(&profile(8), &InputSettings::default()).unwrap().1.len(), 3);
}

#[test]
fn what_happens_to_interlaced_video_is_a_choice() {
    let desk = Desk::new();
    let input = desk.clip(
        "in.ts",
        "-f lavfi -i testsrc2=s=96x64:r=50:d=0.4 -vf tinterlace=interleave_top,fieldorder=tff \
         -c:v mpeg2video -flags +ildct+ilme -q:v 2",
    );
    let (_, auto, notes) = read(&input, &InputSettings::default()).unwrap();
    assert_eq!(notes, ["interlaced: one progressive picture is made of each (bwdif)"]);
    let off = InputSettings { deinterlace: Deinterlace::Off, ..InputSettings::default() };
    let (_, combed, notes) = read(&input, &off).unwrap();
    assert!(notes.is_empty() && combed.len() == auto.len());
    assert!(combed[5].pixels != auto[5].pixels);
    let refuse = InputSettings { deinterlace: Deinterlace::Refuse, ..InputSettings::default() };
    assert!(matches!(read(&input, &refuse).unwrap_err(), DecodeError::Interlaced { .. }));
    // The user's filters receive the deinterlaced pictures.
    let (_, same) = filtered(&input, "null").unwrap();
    let times = |frames: &[Frame]| frames.iter().map(|frame| frame.timing.pts).collect::<Vec<_>>();
    assert_eq!(times(&same), times(&auto));
    let quality = psnr(&same[5].pixels.to_rgb8(), &auto[5].pixels.to_rgb8());
    assert!(quality > 45.0, "{quality} dB");
}

#[test]
fn filters_change_size_rate_and_shape() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", "-f lavfi -i testsrc2=s=64x48:r=25:d=2 -c:v libx264 -crf 8");
    let (info, plain) = frames(&input, ALL).unwrap();
    let (cropped, frames) = filtered(&input, "crop=32:16:8:4").unwrap();
    assert_eq!((cropped.width, cropped.height, cropped.rate), (32, 16, info.rate));
    assert_eq!(frames.len(), 50);
    let seconds = |frame: &Frame| frame.timing.base.seconds(frame.timing.pts);
    for (before, after) in plain.iter().zip(&frames) {
        assert_eq!(seconds(before), seconds(after));
        assert!((after.timing.base.seconds(after.timing.duration.unwrap()) - 0.04).abs() < 1e-9);
    }
    // Exactly the original pixels.
    let part: Vec<f32> = (0..16).flat_map(|y| &plain[0].pixels.rgb[(y + 4) * 64 + 8..][..32]).copied().collect();
    let error = part.iter().zip(&frames[0].pixels.rgb).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(error < 0.15, "{error}");

    let (slower, frames) = filtered(&input, "fps=12").unwrap();
    assert_eq!((slower.rate, slower.frames, frames.len()), (Some(Ratio::new(12, 1)), Some(24), 24));
    assert!(frames.windows(2).all(|pair| (seconds(&pair[1]) - seconds(&pair[0]) - 1.0 / 12.0).abs() < 1e-6));

    let (wide, frames) = filtered(&input, "split[a][b];[a][b]hstack,setsar=2").unwrap();
    assert_eq!((wide.width, wide.sample_aspect, frames.len()), (128, Some(Ratio::new(2, 1)), 50));

    let (_, frames) = filtered(&input, "trim=start_frame=10:end_frame=15").unwrap();
    assert_eq!(frames.len(), 5);
    assert_eq!(seconds(&frames[0]), 0.4);
}

#[test]
fn filters_begin_where_the_wanted_part_does() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", "-f lavfi -i testsrc2=s=64x48:r=25:d=8 -c:v libx264 -g 25 -output_ts_offset 1.5");
    let settings = InputSettings { filter: "crop=32:16,fps=50".into(), ..InputSettings::default() };
    for start in [0.4, 6.0] {
        let range = Range { start, frames: Some(6) };
        let mut source = decode::open(&Input::Video(input.clone()), range, &settings).unwrap();
        assert_eq!((source.info().first, source.info().frames), ((50.0 * start) as u64, Some(6)), "from {start} s");
        let mut seconds = Vec::new();
        while let Some(frame) = source.next().unwrap() {
            seconds.push(frame.timing.base.seconds(frame.timing.pts) - 1.5 - start);
        }
        let expected: Vec<f64> = (0..6).map(|n| f64::from(n) / 50.0).collect();
        assert!(seconds.len() == 6 && seconds.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6), "{seconds:?}");
    }
}

#[test]
fn filters_see_upright_pictures() {
    let desk = Desk::new();
    let plain = desk.clip("in.mp4", "-f lavfi -i testsrc2=s=64x48:r=25:d=0.2 -c:v libx264 -crf 8");
    let turned = desk.changed(&plain, "turned.mp4", |bytes| {
        let header = bytes.windows(4).position(|name| name == b"tkhd").unwrap();
        for (index, value) in [0, 65536, 0, -65536, 0, 0, 48 << 16, 0, 0x4000_0000].into_iter().enumerate() {
            let at = header + 44 + 4 * index;
            bytes[at..at + 4].copy_from_slice(&i32::to_be_bytes(value));
        }
    });
    let (info, read) = filtered(&turned, "crop=48:20:0:0").unwrap();
    assert_eq!((info.width, info.height), (48, 20));
    let (_, whole) = frames(&turned, ALL).unwrap();
    let top: Vec<u8> = whole[0].pixels.to_rgb8()[..48 * 20 * 3].to_vec();
    let quality = psnr(&read[0].pixels.to_rgb8(), &top);
    assert!(quality > 35.0, "{quality} dB");
}

#[test]
fn wrong_filters_are_found_at_opening() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", "-f lavfi -i testsrc2=s=64x48:r=25:d=0.2 -c:v libx264");
    for (filter, reason) in [
        ("hflip,nosuchfilter=3", "FFmpeg has no filter nosuchfilter"),
        ("crop=9999:10", "Invalid argument"),
        ("scale=nooption=1", "Option not found"),
        ("crop=10:10,", ""),
        ("split[a][b];[a]vflip[c];[c][b]nosuch", "no filter nosuch"),
        ("split[a]", ""),
    ] {
        let text = filtered(&input, filter).unwrap_err().to_string();
        assert!(text.contains(&format!("--pre-filter \"{filter}\"")) && text.contains(reason), "{text}");
        assert!(!text.contains('\n'));
    }
    let error = filtered(&input, "select=0").unwrap_err();
    assert!(matches!(error, DecodeError::NothingLeft { .. }), "{error}");
}

#[test]
fn formats_that_have_to_be_told() {
    let desk = Desk::new();
    let raw = desk.clip("in.bin", "-f lavfi -i testsrc2=s=64x48:r=12:d=0.5 -pix_fmt yuv420p -f rawvideo");
    let settings = |options: &[&str]| InputSettings {
        format: "rawvideo".into(),
        options: options.iter().map(|&option| option.into()).collect(),
        ..InputSettings::default()
    };
    let good = ["video_size=64x48", "pixel_format=yuv420p", "framerate=12"];
    let (info, frames, _) = read(&raw, &settings(&good)).unwrap();
    assert_eq!((info.width, info.height, info.rate, frames.len()), (64, 48, Some(Ratio::new(12, 1)), 6));
    let text = |options: &[&str]| read(&raw, &settings(options)).unwrap_err().to_string();
    assert!(text(&["vidoe_size=64x48"]).contains("rawvideo"), "{}", text(&["vidoe_size=64x48"]));
    let unknown = text(&[&good[..], &["colour=red"]].concat());
    assert!(unknown.contains("--input-opt colour") && unknown.contains("rawvideo"), "{unknown}");
    assert!(text(&["framerate"]).contains("key=value"));
    let error = read(&raw, &InputSettings { format: "nosuch".into(), ..InputSettings::default() }).unwrap_err();
    assert!(error.to_string().contains("--input-format nosuch"), "{error}");
}

#[test]
fn every_depth_and_range_is_read_exactly() {
    // Every luma value without chroma: grey of known lightness.
    let cases = [
        ("yuv444p", 8, false),
        ("yuv444p", 8, true),
        ("yuv420p", 8, true),
        ("yuv444p10le", 10, false),
        ("yuv444p10le", 10, true),
        ("yuv420p12le", 12, false),
        ("yuv444p16le", 16, true),
        ("gbrp", 8, true),
        ("gbrp10le", 10, true),
        ("gbrp16le", 16, true),
        ("gray", 8, true),
        ("gray10le", 10, true),
    ];
    for (format, depth, full) in cases {
        let desk = Desk::new();
        let unit = 1_u32 << (depth - 8);
        let (black, white) = if full { (0, 256 * unit - 1) } else { (16 * unit, 235 * unit) };
        let codes: Vec<u32> = (0..1024).map(|i| black + i * (white - black) / 1023).collect();
        let chroma = match &format[..4] {
            "gbrp" => codes.repeat(2),
            "gray" => Vec::new(),
            _ if format.contains("420") => vec![128 * unit; 512],
            _ => vec![128 * unit; 2048],
        };
        let all = codes.iter().chain(&chroma);
        let bytes: Vec<u8> =
            all.flat_map(|code| code.to_le_bytes()[..if depth == 8 { 1 } else { 2 }].to_vec()).collect();
        std::fs::write(desk.path("in.raw"), bytes).unwrap();
        // Raw video cannot store its range, so a filter sets it.
        let range = if full { "pc" } else { "tv" };
        let settings = InputSettings {
            format: "rawvideo".into(),
            options: vec!["video_size=64x16".into(), format!("pixel_format={format}")],
            filter: format!("setparams=range={range}"),
            ..InputSettings::default()
        };
        let (info, frames, _) = read(&desk.path("in.raw"), &settings).unwrap();
        assert_eq!(u32::from(info.samples.depth), depth);
        let span = (white - black) as f32;
        for (i, code) in codes.iter().enumerate() {
            for channel in 0..3 {
                let error = frames[0].pixels.rgb[channel * 1024 + i] - (code - black) as f32 / span;
                let slack = 0.25 / span.min(1023.0);
                assert!(error.abs() < slack, "{format} {range}: off by {} codes at {code}", error * span);
            }
        }
    }
}

/// Pipes the clip into the program. Returns whether it succeeded, its messages, and the output's path.
fn pipe(desk: &Desk, clip: &str, name: &str, options: &[&str]) -> (bool, String, std::path::PathBuf) {
    let piped = std::fs::File::open(desk.clip(name, clip)).unwrap();
    let output = desk.path(&format!("{name}.mkv"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_stylize-video"));
    command.args(["-", "--stylizer", "identity", "-o"]).arg(&output).args(options);
    let ran = command.stdin(piped).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned() + &String::from_utf8_lossy(&ran.stdout);
    (ran.status.success(), said, output)
}

#[test]
fn video_on_standard_input() {
    let desk = Desk::new();
    let y4m = "-f lavfi -i testsrc2=s=64x48:r=24:d=1 -pix_fmt yuv420p";
    let (good, said, output) = pipe(&desk, y4m, "in.y4m", &[]);
    assert!(good, "{said}");
    assert_eq!(times(&output).len(), 24);
    let nut = "-f lavfi -i testsrc2=s=64x48:r=24:d=1 -f lavfi -i sine=d=1 -c:v ffv1 -c:a pcm_s16le";
    let (good, said, output) = pipe(&desk, nut, "in.nut", &[]);
    assert!(good && said.contains("audio stream 1 (pcm_s16le) is left out"), "{said}");
    assert_eq!((times(&output).len(), probe(&output, "a", "stream=index").len()), (24, 0));
    let raw = "-f lavfi -i testsrc2=s=64x48:r=24:d=1 -pix_fmt yuv420p -f rawvideo";
    let told = ["--input-format", "rawvideo", "--input-opt", "video_size=64x48", "--input-opt", "pixel_format=yuv420p"];
    let (good, said, output) = pipe(&desk, raw, "in.raw", &told);
    assert!(good, "{said}");
    assert_eq!(times(&output).len(), 24);
    let (good, said, _) = pipe(&desk, raw, "bad.raw", &[]);
    assert!(!good && said.contains("-: "), "{said}");
}
