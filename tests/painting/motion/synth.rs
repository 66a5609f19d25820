//! Clips whose motion is known exactly: both the pictures and the flow are computed from a continuous texture and the
//! motion's formula.

use stylize_video::media::Pixels;
use stylize_video::motion::FlowField;

/// The motion of a scene, by frame number.
#[derive(Debug, Clone, Copy)]
pub enum Motion {
    /// Pixels per frame, to the right and down.
    Pan([f64; 2]),
    /// Factor per frame, about the centre.
    Zoom(f64),
    /// Radians per frame, about the centre.
    Turn(f64),
    /// A disc moves in front of a still background, in pixels per frame.
    Layers([f64; 2]),
}

pub const WIDTH: usize = 96;
pub const HEIGHT: usize = 64;

/// Smooth texture with wavelengths from 5 to 40 pixels, in 0..=1.
fn texture(x: f64, y: f64, channel: usize, layer: usize) -> f64 {
    let mut value = 0.5;
    for wave in 0..10usize {
        let angle = 0.7 + 2.399 * (wave + 3 * layer) as f64 + 0.3 * channel as f64;
        let length: f64 = 5.0 * 1.26_f64.powi(wave as i32);
        let phase = (x * angle.cos() + y * angle.sin()) / length * std::f64::consts::TAU;
        value += 0.06 * (phase + wave as f64 + layer as f64).sin();
    }
    value.clamp(0.0, 1.0)
}

const CENTRE: [f64; 2] = [WIDTH as f64 / 2.0 - 0.5, HEIGHT as f64 / 2.0 - 0.5];
const RADIUS: f64 = 14.0;

impl Motion {
    /// Returns the position in frame `t` of a point of the scene, given by its position in frame 0.
    fn forth(self, [x, y]: [f64; 2], t: f64) -> [f64; 2] {
        let [cx, cy] = CENTRE;
        match self {
            Self::Pan([dx, dy]) | Self::Layers([dx, dy]) => [x + dx * t, y + dy * t],
            Self::Zoom(factor) => [cx + (x - cx) * factor.powf(t), cy + (y - cy) * factor.powf(t)],
            Self::Turn(angle) => {
                let (sin, cos) = (angle * t).sin_cos();
                [cx + (x - cx) * cos - (y - cy) * sin, cy + (x - cx) * sin + (y - cy) * cos]
            }
        }
    }

    /// Returns whether the disc of [`Motion::Layers`] covers a point of frame `t`.
    pub fn in_front(self, point: [f64; 2], t: f64) -> bool {
        let Self::Layers(_) = self else { return false };
        let [x, y] = self.forth(point, -t);
        (x - CENTRE[0]).hypot(y - CENTRE[1]) < RADIUS
    }

    /// Returns the position in frame `j` of a point of frame `i`.
    fn follow(self, point: [f64; 2], i: f64, j: f64) -> [f64; 2] {
        let moves = !matches!(self, Self::Layers(_)) || self.in_front(point, i);
        if moves { self.forth(self.forth(point, -i), j) } else { point }
    }

    pub fn frame(self, t: usize) -> Pixels {
        let mut pixels = Pixels::black(WIDTH, HEIGHT);
        for i in 0..3 * WIDTH * HEIGHT {
            let (channel, at) = (i / (WIDTH * HEIGHT), i % (WIDTH * HEIGHT));
            let point = [(at % WIDTH) as f64, (at / WIDTH) as f64];
            let layer = usize::from(self.in_front(point, t as f64));
            let [x, y] = self.follow(point, t as f64, 0.0);
            pixels.rgb[i] = texture(x, y, channel, layer) as f32;
        }
        pixels
    }

    /// Returns the exact flow from frame `i` to frame `j`.
    pub fn flow(self, i: usize, j: usize) -> FlowField {
        FlowField::from_fn(WIDTH, HEIGHT, |x, y| {
            let point = [x as f64, y as f64];
            let [u, v] = self.follow(point, i as f64, j as f64);
            [(u - point[0]) as f32, (v - point[1]) as f32]
        })
    }

    /// Returns whether the surface at a pixel of frame `i` is also visible in frame `j`.
    pub fn is_seen(self, x: usize, y: usize, i: usize, j: usize) -> bool {
        let point = [x as f64, y as f64];
        let there = self.follow(point, i as f64, j as f64);
        let inside = (0.0..=(WIDTH - 1) as f64).contains(&there[0]) && (0.0..=(HEIGHT - 1) as f64).contains(&there[1]);
        inside && self.in_front(point, i as f64) == self.in_front(there, j as f64)
    }
}
