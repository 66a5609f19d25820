//! Encoders and containers.

use crate::common::Desk;
use crate::common::clips::{Clip, numbers, of_video};
use crate::formats::harness::{identity, same_times};

/// Checks `codec` in each of `containers`; `ffprobe` calls the result `name`.
fn in_containers(codec: &str, options: &str, name: &str, containers: &[&str]) {
    let desk = Desk::new();
    let clip = Clip::of(10);
    let input = clip.make(&desk, "in.mp4");
    for container in containers {
        let order = identity(&desk, &input, &format!("out.{container}"));
        let output = order.with(&format!("--codec {codec} {options}")).done();
        assert_eq!(of_video(&output, "codec_name"), name, "{container}");
        assert_eq!(numbers(&output), clip.numbers(), "{container}");
        same_times(&input, &output);
    }
}

/// Checks that `codec` in `container` is rejected and that the error names alternatives.
fn refused(codec: &str, container: &str, instead: &[&str]) {
    let desk = Desk::new();
    let input = Clip::of(3).make(&desk, "in.mp4");
    identity(&desk, &input, &format!("out.{container}")).with(&format!("--codec {codec}")).refused(instead);
}

#[test]
fn h264() {
    in_containers("libx264", "", "h264", &["mp4", "mov", "mkv"]);
}

#[test]
fn hevc() {
    in_containers("libx265", "--encoder-opt preset=ultrafast", "hevc", &["mp4", "mov", "mkv"]);
}

#[test]
fn av1() {
    in_containers("libsvtav1", "--encoder-opt preset=12", "av1", &["mp4", "mkv", "webm"]);
    in_containers("libaom-av1", "--encoder-opt cpu-used=8", "av1", &["mkv"]);
}

#[test]
fn vp9() {
    in_containers("libvpx-vp9", "--encoder-opt cpu-used=8", "vp9", &["mp4", "mkv", "webm"]);
}

#[test]
fn prores() {
    in_containers("prores_ks", "", "prores", &["mov", "mkv"]);
}

#[test]
fn ffv1() {
    in_containers("ffv1", "", "ffv1", &["mkv"]);
}

#[test]
fn codec_that_a_container_cannot_hold() {
    refused("libx264", "webm", &["webm", "vp9", "av1"]);
    refused("prores_ks", "mp4", &["prores", "mov"]);
    refused("ffv1", "webm", &["ffv1", "mkv"]);
    refused("libx264", "gif", &["gif"]);
}

#[test]
fn unknown_codec() {
    let desk = Desk::new();
    let input = Clip::of(3).make(&desk, "in.mp4");
    identity(&desk, &input, "out.mp4").with("--codec h266").refused(&["h266", "h264", "hevc"]);
}

#[test]
fn unknown_pixel_format() {
    let desk = Desk::new();
    let input = Clip::of(3).make(&desk, "in.mp4");
    identity(&desk, &input, "out.mp4").with("--pix-fmt yuv999p").refused(&["yuv999p", "yuv420p"]);
    identity(&desk, &input, "out.mp4").with("--pix-fmt gbrpf32le").refused(&["gbrpf32le", "yuv420p"]);
}

#[test]
fn unknown_encoder_option() {
    let desk = Desk::new();
    let input = Clip::of(3).make(&desk, "in.mp4");
    identity(&desk, &input, "out.mp4").with("--encoder-opt prest=slow").refused(&["prest"]);
}

#[test]
fn hardware_encoder_that_is_not_there() {
    let desk = Desk::new();
    let clip = Clip::of(6);
    let input = clip.make(&desk, "in.mp4");
    for codec in ["h264_nvenc", "h264_vaapi"] {
        let output = identity(&desk, &input, &format!("{codec}.mp4"))
            .with(&format!("--codec {codec}"))
            .warned(&[&[codec, "libx264"]]);
        assert_eq!(of_video(&output, "codec_name"), "h264");
        assert_eq!(numbers(&output), clip.numbers());
    }
}

#[test]
fn quality_by_crf() {
    let desk = Desk::new();
    let input = Clip::of(10).make(&desk, "in.mp4");
    let sizes = ["10", "24", "40"].map(|crf| {
        let output = identity(&desk, &input, &format!("{crf}.mp4")).with(&format!("--crf {crf}")).done();
        std::fs::metadata(output).unwrap().len()
    });
    assert!(sizes[0] > sizes[1] && sizes[1] > sizes[2], "{sizes:?}");
    identity(&desk, &input, "out.mp4").with("--crf 60").refused(&["60", "51"]);
}
