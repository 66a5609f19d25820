//! Compares every term of J, in every convention, with plain loops over numbers.

use stylize_video::settings::Convention;
use stylize_video::stylize::frame::loss::{
    Chroma, Content, Flatness, GramTarget, LossTerm, Luminance, Style, Variation, View, gram, share_of_detail,
};
use tch::{Device, Kind, Tensor};

use crate::stylize::{formula, gap, number, numbers};

const CONVENTIONS: [Convention; 4] =
    [Convention::Relative, Convention::Gatys, Convention::Lecture, Convention::NeuralStyle];

/// Activations: channels, then positions.
type Maps = Vec<Vec<f64>>;

fn activations(name: &str, shape: [i64; 4]) -> Tensor {
    // Not centred, because rectified activations are not centred either.
    formula::uniform(name, &shape, 1.0).to_kind(Kind::Double) + 0.3
}

fn maps(tensor: &Tensor) -> Maps {
    let positions = (tensor.size()[2] * tensor.size()[3]) as usize;
    numbers(tensor).chunks(positions).map(<[f64]>::to_vec).collect()
}

/// sum_k F_ik F_jk, without normalisation.
fn raw_gram(maps: &Maps) -> Maps {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum();
    maps.iter().map(|a| maps.iter().map(|b| dot(a, b)).collect()).collect()
}

fn square(value: f64) -> f64 {
    value * value
}

/// Sum over i, j of (scale_g G - scale_a A)^2.
fn distance(g: &Maps, scale_g: f64, a: &Maps, scale_a: f64) -> f64 {
    let pairs = g.iter().flatten().zip(a.iter().flatten());
    pairs.map(|(g, a)| square(g * scale_g - a * scale_a)).sum()
}

/// E_l exactly as each convention defines it. Gatys and the lecture compare sums over positions; a painting of another
/// size is scaled as if it had as many positions as G.
fn style_layer(f: &Maps, p: &Maps, convention: Convention) -> f64 {
    let (g, a) = (raw_gram(f), raw_gram(p));
    let (c, m, n) = (f.len() as f64, f[0].len() as f64, p[0].len() as f64);
    match convention {
        Convention::Relative => {
            distance(&g, 1.0 / m, &a, 1.0 / n) / a.iter().flatten().map(|v| square(v / n)).sum::<f64>()
        }
        Convention::Gatys => distance(&g, 1.0, &a, m / n) / (4.0 * c * c * m * m),
        Convention::Lecture => distance(&g, 1.0, &a, m / n) / (2.0 * m * c),
        Convention::NeuralStyle => distance(&g, 1.0 / (c * m), &a, 1.0 / (c * n)) / (c * c),
    }
}

/// Returns the weight of each position in the relative convention, from activations of the content `p` on `h` x `w`
/// positions.
fn content_weights(p: &Maps, h: usize, w: usize) -> Vec<f64> {
    let energy: Vec<f64> =
        (0..h * w).map(|at| p.iter().map(|map| square(map[at])).sum::<f64>() / p.len() as f64).collect();
    let least = energy.iter().copied().fold(f64::INFINITY, f64::min);
    let above: Vec<f64> = energy.iter().map(|value| value - least).collect();
    let local = (0..6).fold(above, |plane, _| averaged(&plane, h, w));
    let mean = local.iter().sum::<f64>() / local.len() as f64;
    let ratio = local.iter().map(|value| value / (0.2 * mean));
    ratio.map(|ratio| 1.0 + 12.0 * ratio / square(1.0 + ratio)).collect()
}

fn content_layer(f: &Maps, p: &Maps, [h, w]: [usize; 2], convention: Convention) -> f64 {
    let sum = match convention {
        Convention::Relative => {
            let weights = content_weights(p, h, w);
            let of_map = |(f, p): (&Vec<f64>, &Vec<f64>)| -> f64 {
                (0..h * w).map(|at| weights[at] * square(f[at] - p[at])).sum()
            };
            f.iter().zip(p).map(of_map).sum()
        }
        _ => distance(f, 1.0, p, 1.0),
    };
    match convention {
        Convention::Relative => sum / p.iter().flatten().copied().map(square).sum::<f64>(),
        Convention::Gatys | Convention::Lecture => 0.5 * sum,
        Convention::NeuralStyle => sum / (f.len() * f[0].len()) as f64,
    }
}

fn assert_close(found: f64, wanted: f64, what: &str) {
    assert!((found - wanted).abs() <= 1e-12 * wanted.abs(), "{what}: {found:e}, expected {wanted:e}");
}

fn evaluate(term: &dyn LossTerm, features: &[Tensor]) -> f64 {
    let image = Tensor::zeros([1, 3, 4, 4], (Kind::Double, tch::Device::Cpu));
    let value = term.evaluate(&View::new(&image, features)).unwrap();
    assert_eq!(value.size(), [] as [i64; 0], "{} is a single number", term.name());
    number(&value)
}

#[test]
fn the_gram_matrix_is_the_mean_of_products_of_channels() {
    let tensor = activations("gram", [1, 5, 6, 7]);
    let wanted = raw_gram(&maps(&tensor));
    for (found, wanted) in numbers(&gram(&tensor).unwrap()).iter().zip(wanted.iter().flatten()) {
        assert_close(*found, wanted / 42.0, "G");
    }
}

#[test]
fn the_gram_matrix_does_not_depend_on_the_order_in_memory() {
    let tensor = activations("order", [1, 6, 5, 9]);
    let innermost = tensor.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2]);
    assert_eq!(innermost.stride()[1], 1);
    assert!(gap(&gram(&tensor).unwrap(), &gram(&innermost).unwrap()) < 1e-15);
    // One channel or one position: the strides are then ambiguous.
    for shape in [[1, 1, 5, 9], [1, 6, 1, 1], [1, 1, 1, 1]] {
        let tensor = activations("order", shape);
        let wanted = raw_gram(&maps(&tensor));
        let positions = (shape[2] * shape[3]) as f64;
        for (found, wanted) in numbers(&gram(&tensor).unwrap()).iter().zip(wanted.iter().flatten()) {
            assert_close(*found, wanted / positions, "G");
        }
    }
}

#[test]
fn positions_near_a_border_take_no_part_in_a_gram_matrix() {
    let features = activations("bordered", [1, 3, 14, 15]);
    let inner = features.narrow(2, 2, 10).narrow(3, 2, 11);
    let wanted = raw_gram(&maps(&inner.contiguous()));
    for (found, wanted) in numbers(&gram(&features).unwrap()).iter().zip(wanted.iter().flatten()) {
        assert_close(*found, wanted / 110.0, "G");
    }
}

/// A network sees a picture of 20 x 22 with a margin and has a position for every second pixel. Without a margin, one
/// position counts as the border.
#[test]
fn positions_in_the_margin_take_no_part_in_the_style() {
    let features = activations("bordered", [1, 3, 14, 15]).set_requires_grad(true);
    let target = GramTarget { layer: 0, gram: gram(&activations("other", [1, 3, 14, 15])).unwrap(), weight: 1.0 };
    let term = Style::new(vec![target], Convention::Relative, 1.0).unwrap();
    let image = Tensor::zeros([1, 3, 20, 22], (Kind::Double, tch::Device::Cpu));
    for (margin, border) in [(0, 1), (1, 1), (4, 2)] {
        let value = term.evaluate(&View::new(&image, std::slice::from_ref(&features)).with_margin(margin)).unwrap();
        let gradient = Tensor::f_run_backward(&[&value], &[&features], false, false).unwrap().swap_remove(0);
        let rim = |border: i64| {
            let inner = gradient.narrow(2, border, 14 - 2 * border).narrow(3, border, 15 - 2 * border);
            number(&inner.abs().sum(Kind::Double))
        };
        assert!(rim(border + 1) < 0.99 * rim(border), "margin {margin}: the next positions count");
        assert_close(rim(0), rim(border), "gradient within the border");
    }
}

#[test]
fn faint_structure_counts_more_than_flat_and_strong_places() {
    // From left to right: flat, faint stripes, strong stripes.
    let stripe = |x: i64| if x % 2 == 0 { 1.0 } else { 0.0 };
    let row: Vec<f64> = (0..96)
        .map(|x| match x {
            0..32 => 0.0,
            32..64 => 0.25 * stripe(x),
            _ => stripe(x),
        })
        .collect();
    let content = Tensor::from_slice(&row).view([1, 1, 1, 96]).repeat([1, 1, 32, 1]);
    let term = Content::new(vec![(0, content.shallow_clone())], Convention::Relative, 1.0).unwrap();
    let moved = |x: i64| {
        let features = content.copy();
        let _ = features.narrow(2, 12, 8).narrow(3, x, 8).f_add_scalar_(0.1).unwrap();
        evaluate(&term, &[features])
    };
    let (flat, faint, strong) = (moved(12), moved(44), moved(76));
    assert!(faint > 2.5 * flat && faint > 1.5 * strong, "{flat} {faint} {strong}");
}

#[test]
fn style_in_every_convention_with_a_painting_of_another_size() {
    // The order of the layers in the features differs from their order in the term.
    let features = [activations("f0", [1, 4, 6, 5]), activations("f1", [1, 7, 3, 4])];
    let paintings = [activations("p0", [1, 4, 9, 8]), activations("p1", [1, 7, 5, 3])];
    let weights = [0.3, 0.7];
    for convention in CONVENTIONS {
        let targets = [1, 0].map(|place: usize| {
            let gram = gram(&paintings[place]).unwrap();
            GramTarget { layer: place, gram, weight: weights[place] }
        });
        let term = Style::new(targets.into(), convention, 40.0).unwrap();
        let layer = |l: usize| weights[l] * style_layer(&maps(&features[l]), &maps(&paintings[l]), convention);
        assert_close(evaluate(&term, &features), 40.0 * (layer(0) + layer(1)), &format!("{convention:?}"));
    }
}

#[test]
fn content_in_every_convention_is_the_mean_over_layers() {
    let features = [activations("f0", [1, 4, 6, 5]), activations("f1", [1, 7, 3, 4])];
    let contents = [activations("c0", [1, 4, 6, 5]), activations("c1", [1, 7, 3, 4])];
    let sizes = [[6, 5], [3, 4]];
    for convention in CONVENTIONS {
        let targets = [1, 0].map(|place: usize| (place, contents[place].shallow_clone()));
        let term = Content::new(targets.into(), convention, 2.5).unwrap();
        let layer = |l: usize| content_layer(&maps(&features[l]), &maps(&contents[l]), sizes[l], convention);
        assert_close(evaluate(&term, &features), 2.5 * (layer(0) + layer(1)) / 2.0, &format!("{convention:?}"));
    }
}

#[test]
fn equal_activations_cost_nothing() {
    let features = [activations("f", [1, 4, 6, 5])];
    for convention in CONVENTIONS {
        let content = Content::new(vec![(0, features[0].shallow_clone())], convention, 1.0).unwrap();
        let target = GramTarget { layer: 0, gram: gram(&features[0]).unwrap(), weight: 1.0 };
        let style = Style::new(vec![target], convention, 1.0).unwrap();
        assert_eq!(evaluate(&content, &features), 0.0);
        assert_eq!(evaluate(&style, &features), 0.0);
    }
}

#[test]
fn black_pictures_and_missing_layers_give_finite_terms() {
    let features = [activations("f", [1, 4, 6, 5])];
    let black = Tensor::zeros([1, 4, 6, 5], (Kind::Double, tch::Device::Cpu));
    for convention in CONVENTIONS {
        let content = Content::new(vec![(0, black.shallow_clone())], convention, 1.0).unwrap();
        let target = GramTarget { layer: 0, gram: gram(&black).unwrap(), weight: 1.0 };
        let style = Style::new(vec![target], convention, 1.0).unwrap();
        assert!(evaluate(&content, &features).is_finite());
        assert!(evaluate(&style, &features).is_finite());
        assert_eq!(evaluate(&Content::new(Vec::new(), convention, 1.0).unwrap(), &features), 0.0);
        assert_eq!(evaluate(&Style::new(Vec::new(), convention, 1.0).unwrap(), &features), 0.0);
    }
}

#[test]
fn variation_is_the_mean_squared_step_in_each_direction_and_fine_colour() {
    for (h, w) in [(5usize, 7usize), (1, 7), (5, 1), (1, 1)] {
        let image = activations("image", [1, 3, h as i64, w as i64]);
        let planes = maps(&image);
        let (mut across, mut down) = (Vec::new(), Vec::new());
        for plane in &planes {
            for (y, row) in plane.chunks(w).enumerate() {
                across.extend(row.windows(2).map(|pair| square(pair[1] - pair[0])));
                down.extend((0..w).filter(|_| y + 1 < h).map(|x| square(plane[(y + 1) * w + x] - row[x])));
            }
        }
        let fine: Maps = planes
            .iter()
            .map(|plane| {
                let coarse = averaged(&averaged(plane, h, w), h, w);
                plane.iter().zip(coarse).map(|(own, coarse)| own - coarse).collect()
            })
            .collect();
        let colour: Vec<f64> = (0..h * w)
            .flat_map(|at| {
                let grey = (fine[0][at] + fine[1][at] + fine[2][at]) / 3.0;
                [0, 1, 2].map(|plane| square(fine[plane][at] - grey))
            })
            .collect();
        let mean = |steps: &[f64]| steps.iter().sum::<f64>() / steps.len().max(1) as f64;
        let found = Variation::new(3.0).evaluate(&View::new(&image, &[])).unwrap();
        let wanted = 3.0 * (mean(&across) + mean(&down) + 4.0 * mean(&colour));
        assert_close(number(&found), wanted, &format!("{h} x {w}"));
    }
}

/// The share of detailed places of `planes` of `h` x `w`, as its definition says.
fn detail_of(planes: &Maps, h: usize, w: usize) -> f64 {
    let places: Vec<f64> = (1..h - 1)
        .flat_map(|y| (1..w - 1).map(move |x| (y, x)))
        .map(|(y, x)| {
            let second = |plane: &Vec<f64>, step: usize| {
                let at = y * w + x;
                (2.0 * plane[at] - plane[at - step] - plane[at + step]) / 4.0
            };
            let squares: f64 = planes.iter().map(|plane| square(second(plane, 1)) + square(second(plane, w))).sum();
            let energy = squares / (2 * planes.len()) as f64;
            energy / (energy + square(2.0 / 255.0))
        })
        .collect();
    places.iter().sum::<f64>() / places.len() as f64
}

#[test]
fn flatness_counts_only_places_that_the_style_does_not_have() {
    // Outlines far apart on flat ground, and the same energy as a faint mesh everywhere.
    let line = |x: i64| if x % 16 == 8 { 0.9 } else { 0.5 };
    let mesh = |x: i64| if x % 2 == 0 { 0.45 } else { 0.55 };
    let picture = |row: &dyn Fn(i64) -> f64| {
        let row: Vec<f64> = (0..48).map(row).collect();
        Tensor::from_slice(&row).view([1, 1, 1, 48]).expand([1, 3, 20, 48], true).contiguous()
    };
    let (outlines, woven) = (picture(&line), picture(&mesh));
    let (style, painting) = (detail_of(&maps(&outlines), 20, 48), detail_of(&maps(&woven), 20, 48));
    assert!((share_of_detail(&outlines).unwrap() - style).abs() < 1e-9 && style < 0.25, "{style}");
    assert!(painting > 0.95, "{painting}");
    let term = Flatness::new(3.0, style);
    let value = |image: &Tensor| number(&term.evaluate(&View::new(image, &[])).unwrap());
    assert_close(value(&woven), 3.0 * square(painting - style), "a mesh");
    assert_eq!(value(&outlines), 0.0);
    assert_eq!(value(&Tensor::full([1, 3, 20, 48], 0.5, (Kind::Double, Device::Cpu))), 0.0, "flatter than the style");
    for (h, w) in [(1, 9), (9, 2)] {
        assert_eq!(value(&activations("thin", [1, 3, h, w])), 0.0, "{h} x {w}: no place has both neighbours");
    }
    let any = activations("image", [1, 3, 6, 7]);
    assert_close(share_of_detail(&any).unwrap(), detail_of(&maps(&any), 6, 7), "any picture");
}

/// Means over 3 x 3 pixels, of those inside the picture.
fn averaged(plane: &[f64], h: usize, w: usize) -> Vec<f64> {
    let near = |at: usize, length: usize| at.saturating_sub(1)..(at + 2).min(length);
    let mean = |y: usize, x: usize| {
        let samples: Vec<f64> = near(y, h).flat_map(|y| near(x, w).map(move |x| plane[y * w + x])).collect();
        samples.iter().sum::<f64>() / samples.len() as f64
    };
    (0..h * w).map(|at| mean(at / w, at % w)).collect()
}

/// Luminance of a pixel of three planes.
fn luma(planes: &Maps, at: usize) -> f64 {
    let weights = [0.2126f32, 0.7152, 0.0722].map(f64::from);
    (0..3).map(|plane| weights[plane] * planes[plane][at]).sum()
}

/// Means over squares of `side` x `side` pixels in steps of half their side; `of` is the value of a pixel, which is
/// blurred twice over 3 x 3 pixels first.
fn means_of_squares([h, w]: [usize; 2], side: usize, of: &dyn Fn(usize) -> f64) -> Vec<f64> {
    let plane: Vec<f64> = (0..h * w).map(of).collect();
    let plane = averaged(&averaged(&plane, h, w), h, w);
    let places = |length: usize| (0..=length - side).step_by(side / 2);
    let corners = places(h).flat_map(|y| places(w).map(move |x| (y, x)));
    let inside = |(y, x): (usize, usize)| (0..side * side).map(move |at| (y + at / side) * w + x + at % side);
    corners.map(|corner| inside(corner).map(|at| plane[at]).sum::<f64>() / (side * side) as f64).collect()
}

/// Sum of squares about the mean.
fn about_the_mean(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| square(value - mean)).sum()
}

#[test]
fn luminance_is_the_distance_of_averaged_light() {
    let size = [14usize, 10];
    let (content, image) = (activations("content", [1, 3, 14, 10]), activations("image", [1, 3, 14, 10]));
    let (scene, painted) = (maps(&content), maps(&image));
    let light = |planes: &Maps| means_of_squares(size, 4, &|at| luma(planes, at));
    let (own, other) = (light(&scene), light(&painted));
    let distances: Vec<f64> = own.iter().zip(&other).map(|(a, b)| square(a - b)).collect();
    let wanted = 3.0 * distances.iter().sum::<f64>() / about_the_mean(&own);
    let value = |term: &Luminance, image: &Tensor| number(&term.evaluate(&View::new(image, &[])).unwrap());
    let term = Luminance::new(&content, 3.0).unwrap();
    assert_close(value(&term, &image), wanted, "luminance");
    assert!(value(&term, &content).abs() < 1e-20);
    // The variation of a plain grey counts as (2/255)^2, rounded, a place.
    let grey = Tensor::full([1, 3, 14, 10], 0.5, (Kind::Double, tch::Device::Cpu));
    let middle = luma(&maps(&grey), 0);
    let flat = own.iter().map(|value| square(value - middle)).sum::<f64>() / (6.2e-5 * own.len() as f64);
    assert_close(value(&Luminance::new(&grey, 1.0).unwrap(), &content), flat, "a flat scene");
    // Each square counts as often as its pixels do on average, without a blur.
    let counts = activations("counts", [1, 1, 14, 10]) + 1.0;
    let plane = numbers(&counts);
    let of_square =
        |(y, x): (usize, usize)| (0..16).map(|at| plane[(y + at / 4) * 10 + x + at % 4]).sum::<f64>() / 16.0;
    let corners = (0..=10).step_by(2).flat_map(|y| (0..=6).step_by(2).map(move |x| (y, x)));
    let counted: f64 = corners.zip(&distances).map(|(corner, distance)| of_square(corner) * distance).sum();
    let term = Luminance::new(&content, 3.0).unwrap().counted(&counts).unwrap();
    assert_close(value(&term, &image), 3.0 * counted / about_the_mean(&own), "places that count more");
}

#[test]
fn chroma_is_the_distance_of_averaged_colours() {
    let (content, image) = (activations("content", [1, 3, 16, 12]), activations("image", [1, 3, 16, 12]));
    // Squares of 8 x 8 in steps of 4: 3 down, 2 across.
    let squares = |of: &dyn Fn(usize) -> f64| means_of_squares([16, 12], 8, of);
    let (scene, painted) = (maps(&content), maps(&image));
    let (mut colours, mut distance) = (0.0, 0.0);
    for plane in 0..3 {
        let own = squares(&|at| scene[plane][at] - luma(&scene, at));
        let other = squares(&|at| painted[plane][at] - luma(&painted, at));
        colours += about_the_mean(&own);
        distance += own.iter().zip(&other).map(|(a, b)| square(a - b)).sum::<f64>();
    }
    let light = about_the_mean(&squares(&|at| luma(&scene, at)));
    let wanted = 2.0 * colours / square(colours + 0.5 * light) * distance;
    let chroma = Chroma::new(&content, 2.0).unwrap();
    assert_close(number(&chroma.evaluate(&View::new(&image, &[])).unwrap()), wanted, "chroma");
    assert!(number(&chroma.evaluate(&View::new(&content, &[])).unwrap()).abs() < 1e-20);
}

#[test]
fn colours_are_free_where_the_scene_has_none() {
    let grey = activations("content", [1, 1, 16, 12]).expand([1, 3, 16, 12], true);
    let image = activations("image", [1, 3, 16, 12]);
    let cost = |content: &Tensor| {
        let chroma = Chroma::new(content, 1.0).unwrap();
        number(&chroma.evaluate(&View::new(&image, &[])).unwrap())
    };
    assert!(cost(&grey) < 1e-9, "{}", cost(&grey));
    assert!(cost(&activations("content", [1, 3, 16, 12])) > 0.1);
}

#[test]
fn a_place_that_counts_more_often_is_so_many_places() {
    let kind = (Kind::Double, tch::Device::Cpu);
    let (features, other) = (formula::uniform("f", &[1, 5, 6, 8], 1.0), formula::uniform("g", &[1, 5, 6, 8], 1.0));
    let (features, other) = (features.to_kind(Kind::Double), other.to_kind(Kind::Double));
    // From a picture of twice the size: the weight of a position is the mean of its pixels' weights.
    let counts = formula::uniform("c", &[1, 1, 12, 16], 1.0).to_kind(Kind::Double) + 2.0;
    let at = |y: i64, x: i64| {
        let pixels = counts.narrow(2, 2 * y, 2).narrow(3, 2 * x, 2);
        number(&pixels.mean(Kind::Double))
            * number(&(&other - &features).square().narrow(2, y, 1).narrow(3, x, 1).sum(Kind::Double))
    };
    let wanted: f64 = (0..6).flat_map(|y| (0..8).map(move |x| (y, x))).map(|(y, x)| at(y, x)).sum();
    let term = Content::new(vec![(0, features.shallow_clone())], Convention::NeuralStyle, 3.0).unwrap();
    let term = term.counted(Some(&counts), None).unwrap();
    let image = Tensor::zeros([1, 3, 12, 16], kind);
    let found = number(&term.evaluate(&View::new(&image, std::slice::from_ref(&other))).unwrap());
    assert_close(found, 3.0 * wanted / features.numel() as f64, "content");
    let ones = Tensor::ones([1, 1, 12, 16], kind);
    let relative = || Content::new(vec![(0, features.shallow_clone())], Convention::Relative, 1.0).unwrap();
    let value = |term: Content| number(&term.evaluate(&View::new(&image, std::slice::from_ref(&other))).unwrap());
    assert_close(value(relative().counted(Some(&ones), None).unwrap()), value(relative()), "once");
    assert_close(value(relative().counted(Some(&(ones * 3.0)), None).unwrap()), 3.0 * value(relative()), "three times");
}
