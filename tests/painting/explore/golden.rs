//! Compares projections with a float64 reference that works on the whole picture
//! (`scripts/make_golden_projections.py`).

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use stylize_video::settings::{Padding, Pooling};
use stylize_video::stylize::backbone::{Backbone, NetOptions, Pick, Wanted};

use crate::explore::{formula, network, numbers};

#[derive(Deserialize)]
struct Golden {
    height: usize,
    width: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    network: String,
    pooling: String,
    layer: String,
    unit: usize,
    y: i64,
    x: i64,
    value: f64,
    rms: f64,
    /// Channel, row and column of a picture sample, and its value.
    samples: Vec<(usize, i64, i64, f64)>,
}

fn golden() -> Golden {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden/projections.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Returns the largest deviation of a case, as a share of the projection's largest sample.
fn deviation(network: &dyn Backbone, golden: &Golden, cases: &[&Case], double: bool) -> f64 {
    let mut picture = formula::picture(1, golden.height, golden.width);
    if double {
        picture = picture.to_kind(tch::Kind::Double);
    }
    let inspect = network.inspect().unwrap();
    let wanted: Vec<Wanted> = cases
        .iter()
        .map(|case| Wanted {
            layer: network.layer(&case.layer).unwrap(),
            picks: vec![Pick { unit: case.unit, y: case.y, x: case.x, value: case.value as f32 }],
        })
        .collect();
    let projections = inspect.project(&picture, &wanted).unwrap();
    let mut worst: f64 = 0.0;
    for ((case, wanted), projection) in cases.iter().zip(&wanted).zip(projections) {
        let field = inspect.field(wanted.layer, case.unit);
        let size = field.size;
        assert_eq!(projection[0].size(), [3, size, size], "{}", case.layer);
        let flat = numbers(&projection[0]);
        let (rows, columns) = (field.at(case.y), field.at(case.x));
        let largest = case.samples.iter().map(|sample| sample.3.abs()).fold(0.0, f64::max);
        assert!(largest > 0.0, "{}: a projection of nothing proves nothing", case.layer);
        for &(channel, y, x, want) in &case.samples {
            let inside = rows.contains(&y) && columns.contains(&x);
            let at = || (channel as i64 * size + y - rows.start) * size + x - columns.start;
            let found = if inside { flat[at() as usize] } else { 0.0 };
            let gap = (found - want).abs() / largest;
            assert!(
                gap < 1e-3,
                "{} {} unit {} at {channel},{y},{x}: {found}, not {want}",
                case.network,
                case.layer,
                case.unit
            );
            worst = worst.max(gap);
        }
        // The projection has no energy outside the samples either.
        let energy: f64 = flat.iter().map(|value| value * value).sum();
        let rms = (energy / (3 * golden.height * golden.width) as f64).sqrt();
        worst = worst.max((rms - case.rms).abs() / largest);
    }
    worst
}

#[test]
fn projections_agree_with_the_reference() {
    let golden = golden();
    let mut groups: BTreeMap<(&str, &str), Vec<&Case>> = BTreeMap::new();
    for case in &golden.cases {
        groups.entry((&case.network, &case.pooling)).or_default().push(case);
    }
    assert_eq!(groups.len(), 5, "three networks, two poolings");
    for ((name, pooling), cases) in groups {
        let pooling = if pooling == "max" { Pooling::Max } else { Pooling::Avg };
        let options = NetOptions { pooling, padding: Padding::Zeros, antialias: true };
        let weights = formula::weights(name);
        let exact = network(name, options, formula::doubled(formula::weights(name)));
        // The reference values are stored in 32 bits.
        let gap = deviation(exact.as_ref(), &golden, &cases, true);
        assert!(gap < 3e-7, "{name}, {pooling:?}: {gap}");
        let gap = deviation(network(name, options, weights).as_ref(), &golden, &cases, false);
        assert!(gap < 2e-5, "{name}, {pooling:?}, 32 bits: {gap}");
        eprintln!("{name}, {pooling:?}: {} projections, deviation {gap:.1e} in 32 bits", cases.len());
    }
}

#[test]
fn only_the_own_padding_is_projected() {
    let options = NetOptions { pooling: Pooling::Max, padding: Padding::Reflect, antialias: true };
    let network = network("squeezenet1_1", options, formula::weights("squeezenet1_1"));
    let wanted = [Wanted { layer: 0, picks: vec![Pick { unit: 0, y: 0, x: 0, value: 1.0 }] }];
    let error = network.inspect().unwrap().project(&formula::picture(1, 40, 40), &wanted).unwrap_err();
    assert!(error.to_string().contains("zeros"), "{error}");
}
