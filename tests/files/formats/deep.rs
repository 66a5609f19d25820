//! HDR and transparency.

use std::path::Path;

use crate::common::Desk;
use crate::common::clips::{Clip, decoded, numbers, numbers_by, of_video};
use crate::common::psnr;
use crate::formats::harness::{identity, same_times};

/// Checks that HDR with a transfer curve becomes BT.709 that resembles `ffmpeg`'s result with the same method.
fn tone_mapped(transfer: &str, words: &[&str]) {
    let desk = Desk::new();
    let tags = format!("colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc");
    // Soft colours: the two implementations clip colours outside BT.709 differently.
    let soft = "format=yuv444p,hue=s=0.25,lutyuv=y=16+(val-16)*0.75,format=gbrp";
    let filter = format!("{soft},scale=out_color_matrix=bt2020,format=yuv420p10le");
    let clip = Clip::of(5).filter(&filter).coded(&format!(
        "-c:v libx264 -preset veryfast -crf 8 -color_trc {transfer} -colorspace bt2020nc -color_primaries bt2020 \
         -x264-params {tags}"
    ));
    let input = clip.make(&desk, "in.mp4");
    assert_eq!(of_video(&input, "color_transfer"), transfer);
    let output = identity(&desk, &input, "out.mp4").with("--crf 10").warned(&[words]);
    let tags = of_video(&output, "color_range,color_space,color_transfer,color_primaries");
    assert_eq!(tags, "tv,bt709,bt709,bt709");
    assert_eq!(numbers(&output), clip.numbers());
    same_times(&input, &output);
    let chain = "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=hable:desat=0,\
                 zscale=t=bt709:m=bt709:r=tv,format=yuv420p";
    let luma = |path: &Path, chain: &str| decoded(path, "", chain, "")[..clip.width * clip.height].to_vec();
    let quality = psnr(&luma(&input, chain), &luma(&output, "format=yuv420p"));
    assert!(quality > 35.0, "luma is {quality} dB from what ffmpeg makes of it");
    identity(&desk, &input, "no.mp4").with("--set input.hdr=refuse").refused(&["in.mp4", "HDR"]);
}

#[test]
fn hdr_pq() {
    tone_mapped("smpte2084", &["PQ", "tone"]);
}

#[test]
fn hdr_hlg() {
    tone_mapped("arib-std-b67", &["HLG", "tone"]);
}

/// Returns the alpha of all frames as 8-bit grey; the files are opened with `options`.
fn alpha(path: &Path, options: &str) -> Vec<u8> {
    decoded(path, options, "format=yuva444p,alphaextract", "gray")
}

fn same_alpha(input: &Path, output: &Path, options: &str) {
    let (before, after) = (alpha(input, options), alpha(output, options));
    assert!(before.iter().any(|&a| a < 100) && before.iter().any(|&a| a > 200), "the source is see-through");
    let quality = psnr(&before, &after);
    assert!(quality > 40.0, "transparency at {quality} dB");
}

#[test]
fn alpha_in_prores_4444() {
    let desk = Desk::new();
    let clip = Clip::of(6).see_through().coded("-c:v prores_ks -profile:v 4 -pix_fmt yuva444p10le -alpha_bits 16");
    let input = clip.make(&desk, "in.mov");
    let output = identity(&desk, &input, "out.mov").with("--codec prores").ended_well();
    assert_eq!(of_video(&output, "codec_name"), "prores");
    assert_eq!(numbers(&output), clip.numbers());
    same_times(&input, &output);
    same_alpha(&input, &output, "");
}

#[test]
fn alpha_in_vp9() {
    let desk = Desk::new();
    let options = "-c:v libvpx-vp9";
    let clip = Clip::of(6)
        .see_through()
        .coded("-c:v libvpx-vp9 -pix_fmt yuva420p -crf 10 -b:v 0 -deadline realtime -cpu-used 8 -auto-alt-ref 0");
    let input = clip.make(&desk, "in.webm");
    let output = identity(&desk, &input, "out.webm").done();
    assert_eq!(numbers_by(&output, options), clip.numbers());
    assert!(crate::common::probe(&output, "V", "stream_tags=alpha_mode").concat().contains('1'));
    same_alpha(&input, &output, options);
}

#[test]
fn alpha_that_the_output_cannot_hold() {
    let desk = Desk::new();
    let clip = Clip::of(4).see_through().coded("-c:v prores_ks -profile:v 4 -pix_fmt yuva444p10le");
    let input = clip.make(&desk, "in.mov");
    let output = identity(&desk, &input, "out.mp4").warned(&[&["transparen"]]);
    assert_eq!(numbers(&output), clip.numbers());
}
