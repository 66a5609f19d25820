//! Clips whose motion is known exactly: objects drawn with soft edges over ground of smooth noise, and the noise that
//! film and compression add.

use stylize_video::media::Pixels;
use stylize_video::motion::FlowField;
use stylize_video::stylize::tensor::{from_pixels, to_planes};
use tch::{Device, Kind, Tensor};

use crate::stylize::formula;

pub const WIDTH: usize = 128;
pub const HEIGHT: usize = 96;
pub const FRAMES: usize = 12;

const CENTRE: [f64; 2] = [WIDTH as f64 / 2.0 - 0.5, HEIGHT as f64 / 2.0 - 0.5];
/// Pixels per frame.
const PAN: f64 = 11.3;
/// The share of a frame's duration for which the shutter is open; `MOMENTS` instants of it are drawn.
const SHUTTER: f64 = 0.5;
const MOMENTS: usize = 8;
/// The side of an object's texture, and the columns of the ground's texture.
const SIDE: usize = 128;
const GROUND: usize = 288;

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Motion {
    /// A thin bar rotates about its middle, by this many degrees per frame.
    Bar(f64),
    /// A small disc crosses the picture from frame 4 on, in 8 frames.
    Disc,
    /// An upright figure turns on the spot like a cylinder: its outline stays, and the surface moves sideways.
    Turning,
    /// The camera pans fast, and its shutter stays open for half the time.
    Pan,
    /// Two discs cross each other at about frame 8.
    Crossing,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Noise {
    None,
    /// Gaussian noise of 3 levels, independent for each sample of each frame.
    Grain,
    /// Blocks of 8 x 8 with a rounded cosine transform; rounding is finer in every third frame (as in key frames).
    Blocks,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    /// Half the length and half the width.
    Bar(f64, f64),
    Disc(f64),
    /// Half the width and half the height.
    Cylinder(f64, f64),
}

/// An object, whose middle is at `start` in frame 0.
struct Thing {
    form: Form,
    start: [f64; 2],
    /// Pixels per frame.
    velocity: [f64; 2],
    /// Radians per frame.
    turn: f64,
    texture: Texture,
}

/// Three repeating planes of `columns` columns.
struct Texture {
    planes: Vec<f32>,
    columns: usize,
    rows: usize,
}

impl Texture {
    /// Makes smooth noise on lattices of 4 to 32 pixels, with mean `colour` and standard deviation `spread`.
    fn new(name: &str, (columns, rows): (usize, usize), colour: [f64; 3], spread: f64) -> Self {
        let (w, h) = (columns as i64, rows as i64);
        let octave = |(cell, strength): (i64, f64)| {
            let lattice = formula::uniform(&format!("{name} {cell}"), &[1, 3, h / cell + 2, w / cell + 2], strength);
            let size = [(h / cell + 2) * cell, (w / cell + 2) * cell];
            lattice.upsample_bicubic2d(size, false, None, None).narrow(2, cell, h).narrow(3, cell, w)
        };
        let sum = [(32, 1.0), (16, 0.7), (8, 0.5), (4, 0.35)].map(octave).into_iter().reduce(|a, b| a + b).unwrap();
        let sum: Tensor = &sum / sum.std(true) * spread;
        let colour = Tensor::from_slice(&colour).to_kind(Kind::Float).view([1, 3, 1, 1]);
        Self { planes: to_planes(&(sum + colour)).unwrap(), columns, rows }
    }

    /// Returns a sample by bilinear interpolation.
    fn at(&self, [x, y]: [f64; 2], channel: usize) -> f64 {
        let (left, top) = (x.floor(), y.floor());
        let sample = |dx: f64, dy: f64| {
            let column = (left + dx).rem_euclid(self.columns as f64) as usize;
            let row = (top + dy).rem_euclid(self.rows as f64) as usize;
            f64::from(self.planes[(channel * self.rows + row) * self.columns + column])
        };
        let (fx, fy) = (x - left, y - top);
        let along = |dy: f64| sample(0.0, dy) + fx * (sample(1.0, dy) - sample(0.0, dy));
        along(0.0) + fy * (along(1.0) - along(0.0))
    }
}

impl Thing {
    fn new(name: &str, form: Form, start: [f64; 2], colour: [f64; 3]) -> Self {
        let texture = Texture::new(name, (SIDE, SIDE), colour, 0.05);
        Self { form, start, velocity: [0.0; 2], turn: 0.0, texture }
    }

    /// Returns a point of frame `t` relative to the object's middle, along the object's own axes.
    fn local(&self, [x, y]: [f64; 2], t: f64) -> [f64; 2] {
        let (x, y) = (x - self.start[0] - self.velocity[0] * t, y - self.start[1] - self.velocity[1] * t);
        let (sin, cos) = self.angle(t).sin_cos();
        [x * cos + y * sin, y * cos - x * sin]
    }

    fn angle(&self, t: f64) -> f64 {
        // A cylinder's rotation does not change its outline.
        if matches!(self.form, Form::Cylinder(..)) { 0.0 } else { self.turn * t }
    }

    /// Returns how much of a pixel the object covers, 0..=1.
    fn covers(&self, point: [f64; 2], t: f64) -> f64 {
        let [u, v] = self.local(point, t);
        let outside = match self.form {
            Form::Bar(length, width) => (u.abs() - length).max(v.abs() - width),
            Form::Disc(radius) => u.hypot(v) - radius,
            Form::Cylinder(a, b) => {
                let (near, slope) = ((u / a).hypot(v / b), (u / (a * a)).hypot(v / (b * b)));
                if slope > 0.0 { near * (near - 1.0) / slope } else { -a }
            }
        };
        (0.5 - outside).clamp(0.0, 1.0)
    }

    /// Returns half a cylinder's width at the height `v`, and the angle of a point on it, -pi/2..=pi/2.
    fn around(a: f64, b: f64, [u, v]: [f64; 2]) -> (f64, f64) {
        let half = a * (1.0 - (v / b).powi(2)).max(1e-6).sqrt();
        (half, (u / half).clamp(-1.0, 1.0).asin())
    }

    fn colour(&self, point: [f64; 2], t: f64, channel: usize) -> f64 {
        let [u, v] = self.local(point, t);
        let place = match self.form {
            Form::Cylinder(a, b) => [a * (Self::around(a, b, [u, v]).1 + self.turn * t), v],
            _ => [u, v],
        };
        // Textures repeat; their seams lie outside the object.
        self.texture.at(place.map(|at| at + SIDE as f64 / 2.0), channel)
    }

    /// Returns the position in frame `j` of the object's point that is visible at `point` in frame `i`; `None` where
    /// the point has turned away.
    fn follow(&self, point: [f64; 2], i: f64, j: f64) -> Option<[f64; 2]> {
        let [u, v] = self.local(point, i);
        if let Form::Cylinder(a, b) = self.form {
            let (half, angle) = Self::around(a, b, [u, v]);
            let angle = angle + self.turn * (i - j);
            let there = [point[0] - u + half * angle.sin(), point[1]];
            return (angle.abs() < std::f64::consts::FRAC_PI_2).then_some(there);
        }
        let (sin, cos) = self.angle(j).sin_cos();
        let middle = [0, 1].map(|axis| self.start[axis] + self.velocity[axis] * j);
        Some([middle[0] + u * cos - v * sin, middle[1] + u * sin + v * cos])
    }
}

/// A clip without its pictures.
pub struct Scenery {
    motion: Motion,
    noise: Noise,
    ground: Texture,
    /// Back to front.
    things: Vec<Thing>,
}

impl Scenery {
    pub fn new(motion: Motion, noise: Noise) -> Self {
        let ground = Texture::new("ground", (GROUND, HEIGHT), [0.42, 0.5, 0.4], 0.1);
        let [x, y] = CENTRE;
        let dark = [0.1, 0.08, 0.14];
        let things = match motion {
            Motion::Bar(degrees) => {
                vec![Thing { turn: degrees.to_radians(), ..Thing::new("bar", Form::Bar(25.0, 1.5), CENTRE, dark) }]
            }
            Motion::Disc => {
                let speed = WIDTH as f64 / 8.0;
                let thing = Thing::new("disc", Form::Disc(5.0), [-3.5 * speed, y - 6.3], [0.88, 0.8, 0.25]);
                vec![Thing { velocity: [speed, 1.0], ..thing }]
            }
            Motion::Turning => {
                let mut thing = Thing::new("figure", Form::Cylinder(16.0, 36.0), CENTRE, dark);
                // The texture of the clothes.
                thing.texture = Texture::new("clothes", (SIDE, SIDE), [0.55, 0.3, 0.3], 0.2);
                vec![Thing { turn: 10f64.to_radians(), ..thing }]
            }
            Motion::Pan => Vec::new(),
            Motion::Crossing => {
                let far = Thing::new("far", Form::Disc(9.0), [x + 41.0, y + 2.6], [0.85, 0.75, 0.3]);
                let near = Thing::new("near", Form::Disc(9.0), [x - 35.5, y - 2.6], dark);
                vec![Thing { velocity: [-4.2, 0.0], ..far }, Thing { velocity: [5.1, 0.0], ..near }]
            }
        };
        Self { motion, noise, ground, things }
    }

    /// Returns the same ground without the objects.
    pub fn bare(motion: Motion, noise: Noise) -> Self {
        Self { things: Vec::new(), ..Self::new(motion, noise) }
    }

    fn ground_at(&self, [x, y]: [f64; 2], t: f64, channel: usize) -> f64 {
        if self.motion != Motion::Pan {
            return self.ground.at([x, y], channel);
        }
        let moment = |k: usize| self.ground.at([x + PAN * (t + SHUTTER * k as f64 / MOMENTS as f64), y], channel);
        (0..MOMENTS).map(moment).sum::<f64>() / MOMENTS as f64
    }

    /// Returns frame `t`, rounded as in an 8-bit file.
    pub fn frame(&self, t: usize) -> Pixels {
        let mut pixels = Pixels::black(WIDTH, HEIGHT);
        let time = t as f64;
        for at in 0..WIDTH * HEIGHT {
            let point = [(at % WIDTH) as f64, (at / WIDTH) as f64];
            for channel in 0..3 {
                let mut value = self.ground_at(point, time, channel);
                for thing in &self.things {
                    let share = thing.covers(point, time);
                    if share > 0.0 {
                        value += share * (thing.colour(point, time, channel) - value);
                    }
                }
                pixels.rgb[channel * WIDTH * HEIGHT + at] = value as f32;
            }
        }
        let clean = from_pixels(&pixels, Device::Cpu).unwrap();
        let noisy = match self.noise {
            Noise::None => clean,
            Noise::Grain => clean + grain(t) * (3.0 / 255.0),
            Noise::Blocks => blocks(&clean, t),
        };
        pixels.rgb = to_planes(&((noisy.clamp(0.0, 1.0) * 255.0).round() / 255.0)).unwrap();
        pixels
    }

    /// Returns the front object at a pixel; `None` for the ground.
    fn front(&self, point: [f64; 2], t: usize) -> Option<&Thing> {
        self.things.iter().rev().find(|thing| thing.covers(point, t as f64) > 0.5)
    }

    /// Returns the exact flow from frame `i` to frame `j`; unknown where the object itself hides the point.
    pub fn flow(&self, i: usize, j: usize) -> FlowField {
        let pan = if self.motion == Motion::Pan { PAN * (i as f64 - j as f64) } else { 0.0 };
        FlowField::from_fn(WIDTH, HEIGHT, |x, y| {
            let point = [x as f64, y as f64];
            let there = match self.front(point, i) {
                Some(thing) => thing.follow(point, i as f64, j as f64),
                None => Some([point[0] + pan, point[1]]),
            };
            there.map_or([f32::NAN; 2], |there| [(there[0] - point[0]) as f32, (there[1] - point[1]) as f32])
        })
    }

    /// Returns how much of each pixel of frame `t` any object covers: `[1,1,H,W]`, 0..=1.
    pub fn covered(&self, t: usize) -> Tensor {
        let share = |at: usize| {
            let point = [(at % WIDTH) as f64, (at / WIDTH) as f64];
            self.things.iter().map(|thing| thing.covers(point, t as f64)).fold(0.0, f64::max) as f32
        };
        let shares: Vec<f32> = (0..WIDTH * HEIGHT).map(share).collect();
        Tensor::from_slice(&shares).view([1, 1, HEIGHT as i64, WIDTH as i64])
    }

    /// Returns points of frame `t` along the bar, away from its ends, `across` pixels to the side of its middle line.
    pub fn beside_bar(&self, t: usize, across: f64) -> Vec<[f64; 2]> {
        let bar = &self.things[0];
        let (sin, cos) = bar.angle(t as f64).sin_cos();
        let point = |along: f64| [CENTRE[0] + along * cos - across * sin, CENTRE[1] + along * sin + across * cos];
        (-40..=40).map(|half| point(f64::from(half) / 2.0)).collect()
    }
}

/// Returns normally distributed noise (Box & Muller 1958).
fn grain(t: usize) -> Tensor {
    let draw = |name: &str| formula::uniform(&format!("{name} {t}"), &[1, 3, HEIGHT as i64, WIDTH as i64], 0.5) + 0.5;
    let radius = (draw("radius").clamp_min(1e-7).log() * -2.0).sqrt();
    radius * (draw("angle") * std::f64::consts::TAU).cos()
}

/// Rounds the coefficients of 8 x 8 blocks, with coarser steps for high frequencies.
fn blocks(image: &Tensor, t: usize) -> Tensor {
    let size = image.size();
    let (rows, columns) = (size[2] / 8, size[3] / 8);
    let cosine = |i: usize| {
        let (k, n) = ((i / 8) as f64, (i % 8) as f64);
        let norm: f64 = if k == 0.0 { 1.0 / 8.0 } else { 1.0 / 4.0 };
        (norm.sqrt() * ((n + 0.5) * k * std::f64::consts::PI / 8.0).cos()) as f32
    };
    let basis = Tensor::from_slice(&(0..64).map(cosine).collect::<Vec<_>>()).view([8, 8]);
    let coarse = if t.is_multiple_of(3) { 0.5 } else { 1.0 };
    let step = |i: usize| ((6.0 + 3.0 * (i / 8 + i % 8) as f64) * coarse / 255.0) as f32;
    let steps = Tensor::from_slice(&(0..64).map(step).collect::<Vec<_>>()).view([8, 8]);
    let parts = image.view([1, 3, rows, 8, columns, 8]).permute([0, 1, 2, 4, 3, 5]);
    let rounded = (basis.matmul(&parts).matmul(&basis.tr()) / &steps).round() * &steps;
    let parts = basis.tr().matmul(&rounded).matmul(&basis);
    parts.permute([0, 1, 2, 4, 3, 5]).contiguous().view(size.as_slice())
}
