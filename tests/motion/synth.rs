//! Clips whose motion is known exactly: pictures are sampled from a continuous texture at the places that the motion
//! says, and so is the flow.

use stylize_video::media::Pixels;
use stylize_video::motion::FlowField;

/// How the scene moves, by frame number.
#[derive(Debug, Clone, Copy)]
pub enum Motion {
    /// Pixels a frame, to the right and down.
    Pan([f64; 2]),
    /// Factor a frame, about the centre.
    Zoom(f64),
    /// Radians a frame, about the centre.
    Turn(f64),
    /// A disc moves in front of a still background, pixels a frame.
    Layers([f64; 2]),
}

pub const WIDTH: usize = 96;
pub const HEIGHT: usize = 64;

/// Smooth structure of wavelengths from 5 to 40 pixels, 0..=1.
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
    /// Where a point of the scene, given at frame 0, is in frame `t`.
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

    /// Whether the disc of [`Motion::Layers`] is at a point of frame `t`.
    pub fn in_front(self, point: [f64; 2], t: f64) -> bool {
        let Self::Layers(_) = self else { return false };
        let [x, y] = self.forth(point, -t);
        (x - CENTRE[0]).hypot(y - CENTRE[1]) < RADIUS
    }

    /// Where the point of frame `i` is in frame `j`.
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

    /// The exact flow from frame `i` to frame `j`.
    pub fn flow(self, i: usize, j: usize) -> FlowField {
        FlowField::from_fn(WIDTH, HEIGHT, |x, y| {
            let point = [x as f64, y as f64];
            let [u, v] = self.follow(point, i as f64, j as f64);
            [(u - point[0]) as f32, (v - point[1]) as f32]
        })
    }

    /// Whether what is seen at a pixel of frame `i` is also seen in frame `j`.
    pub fn is_seen(self, x: usize, y: usize, i: usize, j: usize) -> bool {
        let point = [x as f64, y as f64];
        let there = self.follow(point, i as f64, j as f64);
        let inside = (0.0..=(WIDTH - 1) as f64).contains(&there[0]) && (0.0..=(HEIGHT - 1) as f64).contains(&there[1]);
        inside && self.in_front(point, i as f64) == self.in_front(there, j as f64)
    }
}
