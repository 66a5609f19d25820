//! The optimisers on functions whose minimum is known.

use std::cell::{Cell, RefCell};

use stylize_video::interrupt::CancelToken;
use stylize_video::settings::{Method, OptimizerSettings};
use stylize_video::stylize::StyleError;
use stylize_video::stylize::frame::objective::{Evaluation, Objective};
use stylize_video::stylize::frame::optimizer::{
    Adam, Budget, Lbfgs, Minimum, Optimizer, Preconditioner, begin, descend,
};
use tch::{Device, Kind, Tensor};

use crate::stylize::{formula, number};

const DOUBLE: (Kind, Device) = (Kind::Double, Device::Cpu);

/// A function of a tensor, differentiated by autograd; records every value that it returns.
struct Function<F> {
    f: F,
    /// The smallest relative difference of J that can be distinguished.
    apart: f64,
    seen: RefCell<Vec<f64>>,
}

impl<F: Fn(&Tensor) -> Tensor> Function<F> {
    fn new(f: F) -> Self {
        Self { f, apart: 0.0, seen: RefCell::new(Vec::new()) }
    }
}

impl<F: Fn(&Tensor) -> Tensor> Objective for Function<F> {
    fn evaluate(&self, x: &Tensor) -> Result<Evaluation, StyleError> {
        let x = x.detach().set_requires_grad(true);
        let j = (self.f)(&x);
        let gradient = Tensor::f_run_backward(&[&j], &[&x], false, false)?.swap_remove(0);
        self.seen.borrow_mut().push(number(&j));
        Ok(Evaluation { apart: j.detach() * self.apart, terms: j.detach().view([1]), j: j.detach(), gradient })
    }
}

/// Sum of 100 (x' - x^2)^2 + (1 - x)^2 over neighbours: a curved valley, minimum 0 at all ones.
fn rosenbrock(x: &Tensor) -> Tensor {
    let n = x.size()[0];
    let (here, next) = (x.narrow(0, 0, n - 1), x.narrow(0, 1, n - 1));
    let (valley, slope) = ((next - here.square()).square(), (here.neg() + 1.0).square());
    (valley * 100.0 + slope).sum(Kind::Double)
}

/// 1/2 sum a (x - 1)^2 with a from 1 to `condition`.
fn quadratic(n: i64, condition: f64) -> impl Fn(&Tensor) -> Tensor {
    let a = Tensor::logspace(0.0, condition.log10(), n, 10.0, DOUBLE);
    move |x| ((x - 1.0).square() * &a).sum(Kind::Double) * 0.5
}

/// Returns J after every step.
fn walk(optimizer: &mut dyn Optimizer, objective: &dyn Objective, steps: usize) -> Vec<f64> {
    let mut path = Vec::new();
    for _ in 0..steps {
        optimizer.step(objective).unwrap();
        path.push(number(optimizer.current().1));
    }
    path
}

/// Returns the number of steps until J is below `goal`.
fn steps_to(goal: f64, path: &[f64]) -> usize {
    path.iter().position(|&j| j < goal).unwrap_or_else(|| panic!("J ends at {:e}", path[path.len() - 1])) + 1
}

fn assert_never_rises(path: &[f64]) {
    assert!(path.iter().all(|j| j.is_finite()), "{path:?}");
    assert!(path.is_sorted_by(|a, b| a >= b), "{path:?}");
}

#[test]
fn lbfgs_finds_the_end_of_rosenbrocks_valley() {
    for (start, most) in [(vec![-1.2, 1.0], 150), (vec![0.0; 10], 300)] {
        let mut optimizer = Lbfgs::new(&Tensor::from_slice(&start), 10, Preconditioner::Identity).unwrap();
        let path = walk(&mut optimizer, &Function::new(rosenbrock), most);
        assert_never_rises(&path);
        let steps = steps_to(1e-8, &path);
        eprintln!("rosenbrock in {} dimensions: {steps} evaluations", start.len());
        assert!(number(&(optimizer.current().0 - 1.0).abs().max()) < 1e-3);
    }
}

#[test]
fn lbfgs_outruns_gradient_descent_where_scales_differ() {
    let start = Tensor::zeros([50], DOUBLE);
    let path =
        walk(&mut Lbfgs::new(&start, 10, Preconditioner::Identity).unwrap(), &Function::new(quadratic(50, 1e4)), 300);
    assert_never_rises(&path);
    // Gradient descent with the best fixed step, 2 / (smallest + largest curvature).
    let (objective, mut x) = (Function::new(quadratic(50, 1e4)), start);
    for _ in 0..300 {
        x -= objective.evaluate(&x).unwrap().gradient * (2.0 / (1.0 + 1e4));
    }
    let (plain, ours) = (number(&objective.evaluate(&x).unwrap().j), path[299]);
    eprintln!("condition 1e4, 300 evaluations: L-BFGS {ours:e}, gradient descent {plain:e}");
    assert!(ours < 1e-6 * plain);
}

#[test]
fn a_longer_history_is_used() {
    let run = |history| {
        let mut optimizer = Lbfgs::new(&Tensor::zeros([50], DOUBLE), history, Preconditioner::Identity).unwrap();
        walk(&mut optimizer, &Function::new(quadratic(50, 1e4)), 300)[299]
    };
    let (one, twenty) = (run(1), run(20));
    assert!(twenty < 0.05 * one, "history 1: {one:e}, 20: {twenty:e}");
}

#[test]
fn a_descent_goes_on_with_what_the_one_before_it_learned() {
    let lbfgs = |start: &Tensor| Lbfgs::new(start, 20, Preconditioner::Identity).unwrap();
    let mut before = lbfgs(&Tensor::zeros([10], DOUBLE));
    walk(&mut before, &Function::new(quadratic(10, 1e3)), 12);
    let learned = before.learned().unwrap().unwrap();
    assert_eq!(learned.len(), 8, "no more goes into a snapshot");
    // The next frame starts a short distance away.
    let start = before.current().0 + (Tensor::arange(10, DOUBLE) * 1.7).sin() * 0.01;
    let eight = |mut optimizer: Lbfgs| walk(&mut optimizer, &Function::new(quadratic(10, 1e3)), 8);
    let (knowing, alone) = (eight(lbfgs(&start).with_curvature(&learned)), eight(lbfgs(&start)));
    assert_never_rises(&knowing);
    assert!(knowing[7] < 0.8 * alone[7], "{:e}, alone {:e}", knowing[7], alone[7]);
    // State of another size is ignored without an error.
    let other = Tensor::zeros([20], DOUBLE);
    let walked = |mut optimizer: Lbfgs| walk(&mut optimizer, &Function::new(quadratic(20, 1e3)), 8);
    assert_eq!(walked(lbfgs(&other).with_curvature(&learned)), walked(lbfgs(&other)));
}

#[test]
fn lbfgs_stands_still_at_a_minimum() {
    let mut optimizer = Lbfgs::new(&Tensor::ones([4], DOUBLE), 5, Preconditioner::Identity).unwrap();
    assert_eq!(walk(&mut optimizer, &Function::new(quadratic(4, 10.0)), 20), [0.0; 20]);
    assert_eq!(optimizer.current().0, &Tensor::ones([4], DOUBLE));
}

#[test]
fn lbfgs_works_in_32_bits_until_rounding_stops_it() {
    let mut optimizer =
        Lbfgs::new(&Tensor::zeros([50], (Kind::Float, Device::Cpu)), 10, Preconditioner::Identity).unwrap();
    let f = quadratic(50, 1e3);
    let path = walk(&mut optimizer, &Function::new(move |x: &Tensor| f(&x.to_kind(Kind::Double))), 200);
    assert_never_rises(&path);
    assert!(path[199] < 1e-6 * path[0], "{:e} to {:e}", path[0], path[199]);
}

#[test]
fn lbfgs_steps_back_from_where_j_is_not_finite() {
    // NaN beyond 1.5, and every third evaluation fails as well.
    let wall = |x: &Tensor| (x - 1.0).square().sum(Kind::Double) + ((x.neg() + 1.5).log() * -1e-3).sum(Kind::Double);
    for broken in [f64::NAN, f64::INFINITY] {
        let holes = Cell::new(0);
        let f = |x: &Tensor| {
            holes.set(holes.get() + 1);
            if holes.get() % 3 == 0 { wall(x) * broken } else { wall(x) }
        };
        let objective = Function::new(f);
        let mut optimizer = Lbfgs::new(&Tensor::from_slice(&[-8.0, 1.4, 0.3]), 10, Preconditioner::Identity).unwrap();
        let path = walk(&mut optimizer, &objective, 150);
        assert!(objective.seen.borrow().iter().any(|j| !j.is_finite()), "the test must meet {broken}");
        assert_never_rises(&path);
        let (x, _) = optimizer.current();
        assert!(number(&(x - 1.0).abs().max()) < 0.01, "{x:?}");
    }
}

#[test]
fn the_part_of_j_told_apart_is_that_of_the_last_accepted_point() {
    // From this start, some steps are rejected.
    let start = Tensor::from_slice(&[-1.2, 1.0, -0.7, 1.9]);
    let optimizers: [Box<dyn Optimizer>; 2] = [
        Box::new(Lbfgs::new(&start, 5, Preconditioner::Identity).unwrap()),
        Box::new(Adam::new(&start, 0.05).unwrap()),
    ];
    for mut optimizer in optimizers {
        let objective = Function { apart: 0.25, ..Function::new(rosenbrock) };
        for _ in 0..40 {
            optimizer.step(&objective).unwrap();
            assert_eq!(number(optimizer.apart()), 0.25 * number(optimizer.current().1));
        }
    }
}

#[test]
fn lbfgs_steps_back_from_a_gradient_that_is_not_finite() {
    struct Torn(Cell<usize>);
    impl Objective for Torn {
        fn evaluate(&self, x: &Tensor) -> Result<Evaluation, StyleError> {
            self.0.set(self.0.get() + 1);
            let scale = if self.0.get().is_multiple_of(2) { f64::NAN } else { 2.0 };
            let j = x.square().sum(Kind::Double);
            Ok(Evaluation { apart: j.zeros_like(), terms: j.view([1]), j, gradient: x * scale })
        }
    }
    let mut optimizer = Lbfgs::new(&Tensor::from_slice(&[3.0, -2.0]), 10, Preconditioner::Identity).unwrap();
    let path = walk(&mut optimizer, &Torn(Cell::new(0)), 60);
    assert_never_rises(&path);
    assert!(path[59] < 1e-6, "{:e}", path[59]);
    assert!(bool::try_from(optimizer.current().0.isfinite().all()).unwrap());
}

#[test]
fn adam_descends_a_quadratic_and_keeps_its_head_at_nan() {
    let start = Tensor::from_slice(&[0.0, 0.5, 2.0]);
    let path = walk(&mut Adam::new(&start, 0.05).unwrap(), &Function::new(quadratic(3, 10.0)), 400);
    assert!(path[399] < 1e-4 * path[0], "{:e} to {:e}", path[0], path[399]);

    let (calls, f) = (Cell::new(0), quadratic(3, 10.0));
    let torn = Function::new(|x: &Tensor| {
        calls.set(calls.get() + 1);
        if calls.get() == 20 { f(x) * f64::NAN } else { f(x) }
    });
    let mut optimizer = Adam::new(&start, 0.05).unwrap();
    let path = walk(&mut optimizer, &torn, 400);
    assert!(path.iter().all(|j| j.is_finite()));
    assert!(path[399] < 1e-2 * path[0], "{:e} to {:e}", path[0], path[399]);
}

#[test]
fn adams_first_step_is_the_learning_rate() {
    let start = Tensor::from_slice(&[0.0, 3.0]);
    let mut optimizer = Adam::new(&start, 0.05).unwrap();
    walk(&mut optimizer, &Function::new(quadratic(2, 10.0)), 2);
    let moved = (optimizer.current().0 - &start).abs();
    assert!(number(&(moved - 0.05).abs().max()) < 1e-6);
}

const FOREVER: Budget = Budget { iterations: 500, at_least: 0, tolerance: 0.0, check_every: 10, target: None };

fn run(budget: Budget, objective: &dyn Objective, cancel: &CancelToken) -> Result<Minimum, StyleError> {
    let start = Tensor::zeros([20], DOUBLE);
    let settings = OptimizerSettings { method: Method::Lbfgs, ..OptimizerSettings::default() };
    descend(begin(&settings, &start, Preconditioner::Identity, None).unwrap().as_mut(), objective, budget, cancel)
}

#[test]
fn a_descent_uses_its_budget_up_unless_j_stands_still() {
    let never = CancelToken::default();
    let objective = Function::new(quadratic(20, 1e3));
    let minimum = run(Budget { iterations: 37, ..FOREVER }, &objective, &never).unwrap();
    assert_eq!((minimum.iterations, objective.seen.borrow().len()), (37, 37), "one evaluation a step");
    assert_eq!(minimum.initial, objective.seen.borrow()[0]);
    assert_eq!(minimum.objective, number(&quadratic(20, 1e3)(&minimum.x)), "J belongs to the picture given back");

    // Constant except for a tiny quadratic: the first comparison with an earlier value, at evaluation 10, stops the
    // run.
    let flat = Function::new(|x: &Tensor| x.square().sum(Kind::Double) * 1e-9 + 1.0);
    assert_eq!(run(Budget { tolerance: 1e-3, ..FOREVER }, &flat, &never).unwrap().iterations, 10);
    assert_eq!(run(Budget { tolerance: 1e-3, check_every: 4, ..FOREVER }, &flat, &never).unwrap().iterations, 4);
    assert_eq!(run(Budget { iterations: 25, ..FOREVER }, &flat, &never).unwrap().iterations, 25, "tolerance 0");
    // Below the target at the first evaluation: nothing is moved.
    assert_eq!(run(Budget { target: Some(9.0), ..FOREVER }, &flat, &never).unwrap().iterations, 1);

    // J falls a thousandfold between comparisons, so the rule does not stop the run, however small J is.
    let tiny = Function::new(|x: &Tensor| (x - 1.0).square().sum(Kind::Double) * 1e-12);
    assert!(run(Budget { tolerance: 1e-3, iterations: 30, ..FOREVER }, &tiny, &never).unwrap().objective < 1e-18);
}

#[test]
fn a_budget_of_nothing_and_a_check_never_do_no_harm() {
    let objective = Function::new(quadratic(20, 10.0));
    let never = CancelToken::default();
    let none = run(Budget { iterations: 0, ..FOREVER }, &objective, &never).unwrap();
    assert_eq!((none.iterations, none.x), (0, Tensor::zeros([20], DOUBLE)));
    assert_eq!(run(Budget { check_every: 0, iterations: 3, ..FOREVER }, &objective, &never).unwrap().iterations, 3);
}

#[test]
fn j_that_is_not_finite_at_the_start_is_an_error() {
    for broken in [f64::NAN, f64::INFINITY] {
        for method in [Method::Lbfgs, Method::Adam] {
            let objective = Function::new(move |x: &Tensor| x.sum(Kind::Double) + broken);
            let settings = OptimizerSettings { method, ..OptimizerSettings::default() };
            let mut optimizer = begin(&settings, &Tensor::zeros([4], DOUBLE), Preconditioner::Identity, None).unwrap();
            let end = descend(optimizer.as_mut(), &objective, FOREVER, &CancelToken::default());
            assert!(matches!(end, Err(StyleError::NotFinite(_))), "{method:?} {broken}: {end:?}");
            assert_eq!(objective.seen.borrow().len(), 1, "it is seen at once");
        }
    }
}

#[test]
fn a_descent_ends_when_the_run_is_cancelled() {
    let cancel = CancelToken::default();
    let during = cancel.clone();
    let calls = Cell::new(0);
    let objective = Function::new(|x: &Tensor| {
        calls.set(calls.get() + 1);
        if calls.get() == 5 {
            during.cancel(2);
        }
        x.square().sum(Kind::Double)
    });
    assert!(matches!(run(FOREVER, &objective, &cancel), Err(StyleError::Cancelled)));
    assert_eq!(calls.get(), 5, "no further evaluation");
}

/// The rules hold for any smooth function, here sums of waves of random direction.
#[test]
fn lbfgs_never_rises_on_rugged_ground() {
    for seed in 0..20 {
        let waves = formula::uniform(&format!("waves{seed}"), &[12, 6], 3.0).to_kind(Kind::Double);
        let f = move |x: &Tensor| waves.matmul(&x.unsqueeze(1)).sin().sum(Kind::Double) + x.square().sum(Kind::Double);
        let start = formula::uniform(&format!("start{seed}"), &[6], 2.0).to_kind(Kind::Double);
        assert_never_rises(&walk(&mut Lbfgs::new(&start, 5, Preconditioner::Identity).unwrap(), &Function::new(f), 60));
    }
}
