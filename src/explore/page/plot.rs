//! Draws the plot of receptive fields by layer as SVG.

use std::fmt::Write;

use crate::stylize::backbone::LayerShape;

const STEP: f64 = 22.0;
const LEFT: f64 = 44.0;
const HEIGHT: f64 = 260.0;
const TOP: f64 = 14.0;
/// Space for the layers' names, written vertically.
const BELOW: f64 = 70.0;

/// Draws a bar for the receptive field of each layer; a dashed line marks the longest side of a picture.
pub fn svg(shapes: &[LayerShape], picture: usize) -> String {
    let width = LEFT + STEP * shapes.len() as f64 + 8.0;
    let largest = shapes.iter().map(|shape| shape.field.size).max().unwrap_or(1);
    let top = (largest.max(picture as i64) as f64 * 1.05).max(1.0);
    let y = |size: f64| TOP + HEIGHT * (1.0 - size / top);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {width} {0}\" width=\"{width}\" height=\"{0}\" role=\"img\" aria-label=\"Receptive field \
         by layer: from {1} pixels in {2} to {largest} in the last\">",
        TOP + HEIGHT + BELOW,
        shapes.first().map_or(0, |shape| shape.field.size),
        shapes.first().map_or("", |shape| shape.name.as_str()),
    );
    let step = nice(top / 5.0);
    let mut line = 0.0;
    // Writing to a string cannot fail.
    while line <= top {
        let _ = write!(
            svg,
            "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{width}\" y1=\"{0:.1}\" y2=\"{0:.1}\"/><text x=\"{1}\" \
             y=\"{2:.1}\" text-anchor=\"end\">{line}</text>",
            y(line),
            LEFT - 6.0,
            y(line) + 4.0
        );
        line += step;
    }
    let _ = write!(
        svg,
        "<line class=\"picture\" x1=\"{LEFT}\" x2=\"{width}\" y1=\"{0:.1}\" y2=\"{0:.1}\"/><text x=\"{1}\" \
         y=\"{2:.1}\">picture</text>",
        y(picture as f64),
        LEFT + 4.0,
        y(picture as f64) - 4.0
    );
    for (index, shape) in shapes.iter().enumerate() {
        let x = LEFT + STEP * index as f64 + 4.0;
        let size = shape.field.size as f64;
        let middle = x + (STEP - 8.0) / 2.0;
        let _ = write!(
            svg,
            "<rect class=\"bar\" x=\"{x}\" y=\"{:.1}\" width=\"{}\" height=\"{:.1}\"><title>{}: {size} \
             pixels</title></rect><text transform=\"translate({:.1} {:.1}) rotate(-90)\" \
             text-anchor=\"end\">{}</text>",
            y(size),
            STEP - 8.0,
            HEIGHT * size / top,
            shape.name,
            middle + 4.0,
            TOP + HEIGHT + 6.0,
            shape.name
        );
    }
    svg.push_str("</svg>");
    svg
}

/// Returns the next 1, 2 or 5 times a power of ten.
fn nice(value: f64) -> f64 {
    let power = 10f64.powf(value.max(1.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|n| n * power).into_iter().find(|n| *n >= value).unwrap_or(10.0 * power)
}
