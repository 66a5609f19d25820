//! Colours of standard video. An identity round trip hides a wrong matrix, because two errors cancel out. Known bars
//! are therefore painted as well, and the output is compared with the numbers that its tags require.

use std::path::{Path, PathBuf};

use stylize_video::stylize::fake::BARS;

use crate::common::Desk;
use crate::common::clips::{Clip, decoded, numbers, of_video};
use crate::formats::harness::{bars, identity};

const TAGS: &str = "color_range,color_space,color_transfer,color_primaries";

/// A kind of colour coding: `ffmpeg`'s name of the matrix, its weights of red and blue, and the source's tags.
struct Kind {
    matrix: &'static str,
    weights: (f64, f64),
    range: &'static str,
    /// Matrix, transfer and primaries; `None` if untagged.
    tags: Option<[&'static str; 3]>,
    width: usize,
}

const BT601: Kind = Kind {
    matrix: "bt601",
    weights: (0.299, 0.114),
    range: "tv",
    tags: Some(["smpte170m", "smpte170m", "smpte170m"]),
    width: 128,
};
const BT709: Kind =
    Kind { matrix: "bt709", weights: (0.2126, 0.0722), tags: Some(["bt709", "bt709", "bt709"]), ..BT601 };
const BT2020: Kind =
    Kind { matrix: "bt2020", weights: (0.2627, 0.0593), tags: Some(["bt2020nc", "bt2020-10", "bt2020"]), ..BT601 };

impl Kind {
    /// Makes a clip of this kind, in pixel format `format`.
    fn clip(&self, format: &str) -> Clip {
        let Self { matrix, range, .. } = self;
        let filter = format!(
            "scale=flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp:out_color_matrix={matrix}:out_range={range},\
             format={format}"
        );
        let tags = match self.tags {
            Some([matrix, transfer, primaries]) => {
                let full = if *range == "pc" { "on" } else { "off" };
                format!(
                    "-color_range {range} -colorspace {matrix} -color_trc {transfer} -color_primaries {primaries} \
                     -x264-params fullrange={full}:colormatrix={matrix}:transfer={transfer}:colorprim={primaries}"
                )
            }
            // `scale` tags the frames; the tags are removed again.
            None => "-bsf:v h264_metadata=video_full_range_flag=0:colour_primaries=2:transfer_characteristics=2:\
                     matrix_coefficients=2"
                .into(),
        };
        Clip::of(6).size(self.width, 96).filter(&filter).coded(&format!("-c:v libx264 -crf 4 -pix_fmt {format} {tags}"))
    }

    /// Returns the expected tags of the output.
    fn expected(&self) -> String {
        // The matrix guessed for the conversion is tagged; unused properties stay unknown.
        let guess = if self.matrix == "bt709" { "bt709" } else { "smpte170m" };
        let [matrix, transfer, primaries] = self.tags.unwrap_or([guess, "unknown", "unknown"]);
        format!("{},{matrix},{transfer},{primaries}", self.range)
    }

    /// Returns the luma of the bars in codes of `depth` bits, before rounding.
    fn luma(&self, width: usize, height: usize, depth: u32) -> Vec<f64> {
        let (red, blue) = self.weights;
        let unit = f64::from(1u32 << (depth - 8));
        let row = (0..width).map(|x| {
            let [r, g, b] = BARS[x * BARS.len() / width].map(|code| f64::from(code) / 255.0);
            let y = red * r + (1.0 - red - blue) * g + blue * b;
            if self.range == "pc" { y * (256.0 * unit - 1.0) } else { (16.0 + 219.0 * y) * unit }
        });
        let row: Vec<f64> = row.collect();
        row.repeat(height)
    }

    /// Checks that bars at crf 10 in `format`, decoded by their tags, have the painted values.
    fn bars(&self, desk: &Desk, input: &Path, format: &str, depth: u32) {
        let output = bars(desk, input, "bars.mp4").with("--crf 10").done();
        let tags = of_video(&output, TAGS);
        assert_eq!(tags, self.expected());
        assert_eq!(pixel_format(&output), format);
        let luma = self.luma(self.width, 96, depth);
        let bytes = decoded(&output, "", "null", "");
        let codes: Vec<f64> = if depth == 8 {
            bytes[..luma.len()].iter().map(|&code| f64::from(code)).collect()
        } else {
            let words = bytes.chunks_exact(2).map(|pair| f64::from(u16::from_le_bytes([pair[0], pair[1]])));
            words.take(luma.len()).collect()
        };
        let quality = psnr(&luma, &codes, f64::from((1u32 << depth) - 1));
        assert!(quality >= 48.0, "{tags}: luma of the bars at {quality} dB");
        self.assert_rgb(&output);
    }

    /// Checks the middle of each bar as shown by a player that follows the tags.
    fn assert_rgb(&self, output: &Path) {
        let Self { matrix, range, .. } = self;
        let filter = format!(
            "scale=flags=neighbor+accurate_rnd+full_chroma_int+full_chroma_inp:in_color_matrix={matrix}:in_range={range}"
        );
        let rgb = decoded(output, "", &filter, "rgb24");
        for (bar, colour) in BARS.iter().enumerate() {
            let x = (2 * bar + 1) * self.width / (2 * BARS.len());
            let at = 3 * (48 * self.width + x);
            let off = colour.iter().zip(&rgb[at..at + 3]).map(|(&a, &b)| a.abs_diff(b)).max().unwrap();
            assert!(off <= 5, "{matrix}: bar {bar} is {:?} instead of {colour:?}", &rgb[at..at + 3]);
        }
    }

    /// Checks identity and bars for pixel format `format`.
    fn check(&self, format: &str, depth: u32) {
        let desk = Desk::new();
        let clip = self.clip(format);
        let input = clip.make(&desk, "in.mp4");
        if self.tags.is_none() {
            // Not even a range: ffprobe prints "unknown" or nothing.
            let tags = of_video(&input, "color_space,color_transfer,color_primaries");
            assert!(!tags.contains("bt") && !tags.contains("smpte"), "{tags}");
        }
        let output = identity(&desk, &input, "out.mp4").with("--crf 10").done();
        assert_eq!(of_video(&output, TAGS), self.expected());
        assert_eq!(pixel_format(&output), format);
        assert_eq!(numbers(&output), clip.numbers());
        // Compares the coded samples themselves.
        same_picture(&input, &output, depth, 40.0);
        self.bars(&desk, &input, format, depth);
    }
}

/// Returns the pixel format without the old `j`, which only repeats that the range is full.
fn pixel_format(path: &Path) -> String {
    of_video(path, "pix_fmt").replace("yuvj", "yuv")
}

/// Returns the peak signal-to-noise ratio in dB.
fn psnr(a: &[f64], b: &[f64], peak: f64) -> f64 {
    assert_eq!(a.len(), b.len(), "pictures of one size");
    let error = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / a.len() as f64;
    if error == 0.0 { f64::INFINITY } else { 10.0 * (peak * peak / error).log10() }
}

/// Returns the coded samples of all frames and planes.
fn samples(path: &Path, depth: u32) -> Vec<f64> {
    let bytes = decoded(path, "", "null", "");
    if depth == 8 {
        return bytes.into_iter().map(f64::from).collect();
    }
    bytes.chunks_exact(2).map(|pair| f64::from(u16::from_le_bytes([pair[0], pair[1]]))).collect()
}

fn same_picture(input: &Path, output: &Path, depth: u32, least: f64) {
    let quality = psnr(&samples(input, depth), &samples(output, depth), f64::from((1u32 << depth) - 1));
    assert!(quality >= least, "{}: identity at {quality} dB", output.display());
}

#[test]
fn bt_601() {
    BT601.check("yuv420p", 8);
}

#[test]
fn bt_709() {
    BT709.check("yuv420p", 8);
}

#[test]
fn bt_2020() {
    BT2020.check("yuv420p", 8);
}

#[test]
fn full_range() {
    Kind { range: "pc", ..BT709 }.check("yuv420p", 8);
}

#[test]
fn untagged_and_small() {
    Kind { tags: None, ..BT601 }.check("yuv420p", 8);
}

#[test]
fn untagged_and_large() {
    Kind { tags: None, width: 1280, ..BT709 }.check("yuv420p", 8);
}

#[test]
fn ten_bits() {
    BT709.check("yuv420p10le", 10);
    // More shades than 8 bits can hold: no step rounded to 8 bits.
    let desk = Desk::new();
    let ramp = "geq=lum='64+X*6.5+Y*0.07':cb=512:cr=512,format=yuv420p10le";
    let input = Clip::of(2).filter(&format!("format=yuv420p10le,{ramp}")).coded("-c:v ffv1").make(&desk, "in.mkv");
    let output = identity(&desk, &input, "out.mkv").with("--codec ffv1").done();
    let worst = samples(&input, 10).iter().zip(samples(&output, 10)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(worst <= 1.0, "a sample is off by {worst}");
}

#[test]
fn chroma_4_2_2() {
    BT709.check("yuv422p", 8);
}

#[test]
fn chroma_4_4_4() {
    BT709.check("yuv444p", 8);
}

#[test]
fn rgb() {
    let desk = Desk::new();
    let clip = Clip::of(6).coded("-c:v ffv1 -pix_fmt gbrp");
    let input = clip.make(&desk, "in.mkv");
    let exact = identity(&desk, &input, "out.mkv").with("--codec ffv1").done();
    // For 8 bits, FFV1 has a separate RGB format.
    assert!(["gbrp", "bgr0"].contains(&of_video(&exact, "pix_fmt").as_str()));
    assert!(decoded(&input, "", "null", "rgb24") == decoded(&exact, "", "null", "rgb24"), "not bit for bit");
    // As YUV it needs a matrix, which is tagged.
    let output = bars(&desk, &input, "out.mp4").with("--pix-fmt yuv420p --crf 10").done();
    assert_eq!(of_video(&output, "color_range,color_space"), "tv,bt709");
    BT709.assert_rgb(&output);
}

#[test]
fn chroma_siting() {
    let desk = Desk::new();
    let input = Clip::of(3)
        .coded("-pix_fmt yuv420p -c:v libx264 -bsf:v h264_metadata=chroma_sample_loc_type=2")
        .make(&desk, "in.mp4");
    assert_eq!(of_video(&input, "chroma_location"), "topleft");
    for name in ["out.mp4", "out.mkv"] {
        let output = identity(&desk, &input, name).done();
        assert_eq!(of_video(&output, "chroma_location"), "topleft", "{name}");
    }
    // Readers of y4m assume centred chroma by default; H.264's default is left.
    let plain = Clip::of(3).coded("-pix_fmt yuv420p -c:v libx264").make(&desk, "plain.mp4");
    let raw = std::fs::read(identity(&desk, &plain, "out.y4m").done()).unwrap();
    let header = String::from_utf8_lossy(&raw[..raw.iter().position(|&byte| byte == b'\n').unwrap()]).into_owned();
    assert!(header.contains(" C420mpeg2 "), "{header}");
}

#[test]
fn grey() {
    let desk = Desk::new();
    let clip = Clip::of(6).coded("-c:v ffv1 -pix_fmt gray");
    let input = clip.make(&desk, "in.mkv");
    let exact = identity(&desk, &input, "out.mkv").with("--codec ffv1").done();
    assert!(decoded(&exact, "", "null", "gray") == decoded(&input, "", "null", "gray"), "not bit for bit");
    let output: PathBuf = identity(&desk, &input, "out.mp4").with("--crf 10").done();
    assert_eq!(numbers(&output), clip.numbers());
    let (before, after) = (decoded(&input, "", "null", "gray"), decoded(&output, "", "null", "gray"));
    let off = before.iter().zip(&after).map(|(&a, &b)| u64::from(a.abs_diff(b))).sum::<u64>() as f64;
    assert!(off / (before.len() as f64) < 2.0, "light is off by {} on average", off / before.len() as f64);
}
