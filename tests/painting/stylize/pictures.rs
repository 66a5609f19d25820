//! Painters on small pictures made by formula.

use stylize_video::interrupt::CancelToken;
use stylize_video::media::Pixels;
use stylize_video::motion::Shot;
use stylize_video::settings::Settings;
use stylize_video::stylize::backbone::Backbone;
use stylize_video::stylize::frame::frame_optimizer::FrameOptimizer;
use stylize_video::stylize::frame::style_pictures::StylePicture;
use stylize_video::stylize::tensor::to_pixels;
use stylize_video::stylize::video::single_pass::SinglePass;
use stylize_video::stylize::{StyleError, Stylized};
use tch::{Device, Tensor};

use crate::stylize::{PLAIN, formula, network};

pub const HEIGHT: usize = 66;
pub const WIDTH: usize = 80;

/// Settings with few iterations, all of which are used.
pub fn quick() -> Settings {
    let mut settings = Settings::default();
    settings.optimizer.iterations = [8, 4];
    settings.optimizer.tolerance = 0.0;
    settings.style.match_colours = false;
    settings
}

/// Settings without iterations: the painter returns its initialisation.
pub fn only_start() -> Settings {
    let mut settings = quick();
    settings.optimizer.iterations = [0, 0];
    settings
}

/// Returns frame `kind`, in 0.3..=0.7 so that nothing is clamped for long.
pub fn frame(kind: usize, height: usize, width: usize) -> Pixels {
    to_pixels(&(formula::picture(kind, height, width) * 0.4 + 0.3)).unwrap()
}

/// Returns a style picture whose size and aspect differ from the frames'.
pub fn plate(kind: usize) -> Tensor {
    formula::picture(kind, 70, 96)
}

pub fn painter(styles: &[(usize, f64)], settings: Settings) -> SinglePass {
    try_painter(network("patches", PLAIN, Default::default()), styles, settings).unwrap()
}

pub fn try_painter(
    network: Box<dyn Backbone>,
    styles: &[(usize, f64)],
    settings: Settings,
) -> Result<SinglePass, StyleError> {
    let styles = styles.iter().map(|&(kind, weight)| StylePicture { image: plate(kind), weight }).collect();
    FrameOptimizer::new(network, styles, settings, Device::Cpu, CancelToken::default()).map(SinglePass::new)
}

/// Paints the frames in order, the first as a new shot.
pub fn paint(painter: &mut SinglePass, frames: &[&Pixels]) -> Vec<Stylized> {
    let shots = std::iter::once(Shot::New).chain(std::iter::repeat(Shot::Continues));
    frames.iter().zip(shots).map(|(frame, shot)| painter.stylize(frame, &shot.into()).unwrap()).collect()
}

/// Returns the largest difference of two pictures of the same size.
pub fn difference(a: &Pixels, b: &Pixels) -> f64 {
    assert_eq!((a.width, a.height), (b.width, b.height));
    a.rgb.iter().zip(&b.rgb).map(|(a, b)| f64::from((a - b).abs())).fold(0.0, f64::max)
}

/// Returns the mean of each colour plane.
pub fn means(pixels: &Pixels) -> [f64; 3] {
    let plane = pixels.width * pixels.height;
    [0, 1, 2].map(|c| pixels.rgb[c * plane..][..plane].iter().map(|&v| f64::from(v)).sum::<f64>() / plane as f64)
}
