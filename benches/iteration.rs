//! Measures seconds per iteration, compared with a plain PyTorch loop that does the same work (`scripts/bench` runs
//! both).
//!
//! Both sides take turns of a few iterations in one run. The result is the median of the ratios within a round, because
//! other load on the machine slows both sides. The work is compared with the machine's own matrix product.
#![allow(clippy::unwrap_used)]

#[path = "../tests/painting/stylize/formula.rs"]
mod formula;
#[path = "iteration/ours.rs"]
mod ours;
#[path = "iteration/reference.rs"]
mod reference;

use std::time::Instant;

use clap::Parser;
use ours::Ours;
use reference::Reference;
use stylize_video::settings::Padding;
use tch::{Device, Kind, Tensor};

const HEIGHT: usize = 180;
const WIDTH: usize = 320;

/// A side of the benchmark whose iterations are timed.
trait Contestant {
    /// Runs `count` iterations and returns the seconds per iteration.
    fn run(&mut self, count: u32) -> f64;
}

#[derive(Parser)]
struct Options {
    /// Set by `cargo bench` but not by `cargo test`, which only checks that the benchmark starts.
    #[arg(long)]
    bench: bool,
    #[arg(long = "network", default_values = ["patches", "squeezenet1_0", "vgg19"])]
    networks: Vec<String>,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    #[arg(long, default_value_t = tch::get_num_threads())]
    threads: i32,
    /// The Python interpreter with PyTorch and the script; without them only this project's side is measured.
    #[arg(long, num_args = 2)]
    reference: Vec<String>,
}

/// Returns the multiply-adds per second of a 32-bit product of two 1536 x 1536 matrices, the best of three.
fn product_rate() -> f64 {
    let n = 1536;
    let matrix = || Tensor::rand([n, n], (Kind::Float, Device::Cpu));
    let (a, b) = (matrix(), matrix());
    let once = || {
        let begin = Instant::now();
        assert!(a.matmul(&b).double_value(&[0, 0]).is_finite());
        (n as f64).powi(3) / begin.elapsed().as_secs_f64()
    };
    [once(), once(), once()].into_iter().fold(0.0, f64::max)
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn ratio(of: &[f64], to: &[f64]) -> f64 {
    median(&of.iter().zip(to).map(|(a, b)| a / b).collect::<Vec<_>>())
}

fn main() {
    let options = Options::parse();
    if !options.bench {
        return;
    }
    tch::set_num_threads(options.threads);
    println!(
        "{WIDTH} x {HEIGHT}, {} threads, {} rounds; seconds per iteration, medians",
        options.threads, options.rounds
    );
    for network in &options.networks {
        measure(network, &options);
    }
}

fn measure(network: &str, options: &Options) {
    let mut ours = Ours::new(network, Padding::Reflect);
    let mut zeros = Some(Ours::new(network, Padding::Zeros));
    let mut reference = <[String; 2]>::try_from(options.reference.clone())
        .ok()
        .map(|program| Reference::start(&program, network, options.threads));
    println!("\n{network}");
    if let Some(reference) = &reference {
        let (a, b) = (ours.start(), reference.start_j);
        println!("  J at the start  ours {a:.6}, PyTorch {} {b:.6}", reference.version);
        assert!((a - b).abs() < 1e-3 * b.abs(), "the two sides do not do the same work");
    }
    let count = if network == "vgg19" { 3 } else { 6 };
    let [mut own, mut theirs, mut plain, mut rates] = [const { Vec::new() }; 4];
    for round in 0..=options.rounds {
        let rate = product_rate();
        let times = [
            ours.run(count),
            reference.as_mut().map_or(f64::NAN, |reference| reference.run(count)),
            zeros.as_mut().map_or(f64::NAN, |zeros| zeros.run(count)),
        ];
        // The first round is a warm-up.
        if round > 0 {
            own.push(times[0]);
            theirs.push(times[1]);
            plain.push(times[2]);
            rates.push(rate);
        }
    }
    println!("  ours            {:.4}", median(&own));
    if let Some(reference) = &reference {
        println!("  PyTorch         {:.4}   ours / PyTorch {:.3}", median(&theirs), ratio(&own, &theirs));
        // A forward pass and a backward pass by data; for each Gram matrix, one product in each pass.
        let work = 2.0 * (reference.multiply_adds + reference.gram_multiply_adds);
        let share: Vec<f64> = own.iter().zip(&rates).map(|(seconds, rate)| work / seconds / rate).collect();
        println!(
            "  work            {:.3} G multiply-adds ({:.3} of them Gram): {:.0} % of the matrix product's {:.1} G/s",
            work / 1e9,
            2.0 * reference.gram_multiply_adds / 1e9,
            100.0 * median(&share),
            median(&rates) / 1e9
        );
    }
    if zeros.is_some() {
        println!("  ours, zeros     {:.4}   reflect / zeros {:.3}", median(&plain), ratio(&own, &plain));
    }
}
