//! Takes a frame in parts: for every term, the sums of the parts add up to the term of the whole frame.

use stylize_video::settings::{Convention, Distance};
use stylize_video::stylize::StyleError;
use stylize_video::stylize::frame::loss::{
    Chroma, Content, Flatness, GramTarget, LossTerm, Luminance, Span, Style, Sums, Temporal, Variation, View, Window,
    gram,
};
use stylize_video::stylize::temporal::history::Anchor;
use tch::{Kind, Tensor};

use crate::stylize::{formula, gap, number};

/// Height and width of the frame, and of the activations of its two layers.
const FRAME: [i64; 2] = [26, 40];
const LAYERS: [[i64; 2]; 2] = [[26, 40], [13, 20]];
const CHANNELS: [i64; 2] = [4, 6];
/// What the network saw around the frame, in pixels.
const MARGIN: i64 = 4;

fn random(name: &str, channels: i64, [h, w]: [i64; 2]) -> Tensor {
    (formula::uniform(name, &[1, channels, h, w], 1.0).to_kind(Kind::Double) + 1.0) * 0.5
}

/// The picture and the activations of both layers.
struct Frame {
    image: Tensor,
    features: [Tensor; 2],
}

impl Frame {
    fn new() -> Self {
        let features = [0, 1].map(|layer| random(["f0", "f1"][layer], CHANNELS[layer], LAYERS[layer]));
        let frame = Self { image: random("image", 3, FRAME), features };
        frame.leaves().for_each(|leaf| drop(leaf.set_requires_grad(true)));
        frame
    }

    fn leaves(&self) -> impl Iterator<Item = &Tensor> {
        self.features.iter().chain([&self.image])
    }

    /// The sums of `term` over the part with these rows and columns of the picture. `halo`: how many more the part's
    /// view shows of picture and activations.
    fn part(&self, term: &dyn LossTerm, core: [Span; 2], halo: i64) -> Result<Sums, StyleError> {
        let window = |whole: [i64; 2]| {
            let scaled = |axis: usize, at: i64| at * whole[axis] / FRAME[axis];
            let core = [0, 1].map(|axis| Span::new(scaled(axis, core[axis].from), scaled(axis, core[axis].to)));
            let shown =
                [0, 1].map(|axis| Span::new((core[axis].from - halo).max(0), (core[axis].to + halo).min(whole[axis])));
            Window { whole, shown, core }
        };
        let cut = |map: &Tensor, Window { shown: [rows, columns], .. }: Window| {
            map.narrow(2, rows.from, rows.length()).narrow(3, columns.from, columns.length())
        };
        let windows = LAYERS.map(window);
        let features = [0, 1].map(|layer| cut(&self.features[layer], windows[layer]));
        let image = cut(&self.image, window(FRAME));
        term.statistics(&View::new(&image, &features).with_margin(MARGIN).within(window(FRAME), &windows))
    }

    /// The sums of `term` over four parts, which meet at `row` and `column`.
    fn in_parts(&self, term: &dyn LossTerm, [row, column]: [i64; 2], halo: i64) -> Result<Sums, StyleError> {
        let halves = |at: i64, length: i64| [Span::new(0, at), Span::new(at, length)];
        let mut sums: Option<Sums> = None;
        for rows in halves(row, FRAME[0]) {
            for columns in halves(column, FRAME[1]) {
                let part = self.part(term, [rows, columns], halo)?;
                sums = Some(match sums {
                    Some(sums) => sums.plus(&part)?,
                    None => part,
                });
            }
        }
        Ok(sums.unwrap())
    }

    fn whole(&self, term: &dyn LossTerm) -> Sums {
        term.statistics(&View::new(&self.image, &self.features).with_margin(MARGIN)).unwrap()
    }

    fn gradients(&self, value: &Tensor) -> Vec<Tensor> {
        // A term does not depend on all of them.
        let none = self.leaves().fold(value * 0.0, |sum, leaf| sum + leaf.sum(Kind::Double) * 0.0);
        let leaves: Vec<&Tensor> = self.leaves().collect();
        Tensor::f_run_backward(&[value + none], &leaves, false, false).unwrap()
    }
}

fn terms() -> Vec<Box<dyn LossTerm>> {
    let counts = || random("counts", 1, FRAME) + 1.0;
    let content = |convention| {
        let targets = [1, 0].map(|place: usize| (place, random("content", CHANNELS[place], LAYERS[place])));
        let term = Content::new(targets.into(), convention, 2.0).unwrap();
        term.counted(Some(&counts()), Some(&(counts() * 3.0))).unwrap()
    };
    let style = |convention| {
        let targets = [1, 0].map(|place: usize| {
            let gram = gram(&random("painting", CHANNELS[place], [15, 18])).unwrap();
            GramTarget { layer: place, gram, weight: 0.4 + place as f64 }
        });
        Style::new(targets.into(), convention, 30.0).unwrap()
    };
    let temporal = |distance| {
        let anchor =
            |name: &str| Anchor { warped: random(name, 3, FRAME), weights: random(&format!("{name} c"), 1, FRAME) };
        Temporal::new(vec![anchor("near"), anchor("far")], 20.0, distance)
    };
    let scene = random("scene", 3, FRAME);
    let mut terms: Vec<Box<dyn LossTerm>> = vec![
        Box::new(Variation::new(3.0)),
        Box::new(Flatness::new(50.0, 0.1)),
        Box::new(Luminance::new(&scene, 2.0).unwrap()),
        Box::new(Luminance::new(&scene, 2.0).unwrap().counted(&counts()).unwrap()),
        Box::new(Chroma::new(&scene, 2.0).unwrap()),
        Box::new(temporal(Distance::Square)),
        Box::new(temporal(Distance::SmoothL1)),
    ];
    for convention in [Convention::Relative, Convention::Gatys, Convention::Lecture, Convention::NeuralStyle] {
        terms.push(Box::new(content(convention)));
        terms.push(Box::new(style(convention)));
    }
    terms
}

fn relative(found: f64, wanted: f64) -> f64 {
    (found / wanted - 1.0).abs()
}

#[test]
fn the_sums_of_all_parts_give_the_term_of_the_frame_and_its_gradient() {
    let frame = Frame::new();
    for term in terms() {
        let whole = frame.whole(term.as_ref());
        let value = term.value(&whole).unwrap();
        let gradients = frame.gradients(&value);
        assert!(number(&value) > 0.0 && gradients.iter().any(|gradient| number(&gradient.abs().max()) > 0.0));
        for at in [[12, 20], [13, 17], [7, 30]] {
            let parts = frame.in_parts(term.as_ref(), at, term.halo()).unwrap();
            let found = term.value(&parts).unwrap();
            let error = relative(number(&found), number(&value));
            assert!(error < 1e-9, "{} at {at:?}: {error:e}", term.name());
            for (found, wanted) in frame.gradients(&found).iter().zip(&gradients) {
                let error = gap(found, wanted) / number(&wanted.abs().max()).max(1e-9);
                assert!(error < 1e-9, "gradient of {} at {at:?}: {error:e}", term.name());
            }
            let apart = [&parts, &whole].map(|sums| term.value_apart(sums).unwrap());
            assert_eq!(apart[0].is_some(), term.name() == "content");
            if let [Some(found), Some(wanted)] = apart {
                assert!(relative(number(&found), number(&wanted)) < 1e-9 && number(&found) > 0.0);
            }
        }
    }
}

#[test]
fn a_term_with_a_halo_needs_all_of_it() {
    let frame = Frame::new();
    let with_halo: Vec<Box<dyn LossTerm>> = terms().into_iter().filter(|term| term.halo() > 0).collect();
    assert_eq!(with_halo.len(), 5);
    for term in with_halo {
        let wanted = number(&term.value(&frame.whole(term.as_ref())).unwrap());
        // Too few pixels to compute what lies at the seam, or others than those of the frame.
        if let Ok(parts) = frame.in_parts(term.as_ref(), [13, 17], term.halo() - 1) {
            let error = relative(number(&term.value(&parts).unwrap()), wanted);
            assert!(error > 1e-6, "{}: {error:e}", term.name());
        }
    }
}
