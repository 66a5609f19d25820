//! Measures what motion costs compared with the painting (`scripts/bench_flow` runs this): seconds per frame for motion
//! analysis alone (flow both ways, masks, cuts) and for painting alone, over the same frames, and the ratio.
#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::path::Path;
use std::time::Instant;

use clap::Parser;
use stylize_video::batch::plan;
use stylize_video::decode;
use stylize_video::interrupt::CancelToken;
use stylize_video::media::{Pixels, Range};
use stylize_video::motion::{self, Consistency, Transition, Wanted};
use stylize_video::settings::{InputSettings, LayerInputs, Settings};
use stylize_video::stylize;

/// Pairs of frames that are searched concurrently, as in a run.
const IN_FLIGHT: usize = 4;

#[derive(Parser)]
struct Options {
    /// Set by `cargo bench` but not by `cargo test`, which only checks that the benchmark starts.
    #[arg(long)]
    bench: bool,
    #[arg(long, default_value = "samples/demo.mp4")]
    clip: String,
    #[arg(long, default_value = "squeezenet1_0")]
    backbone: String,
    #[arg(long, default_value = "")]
    weights_dir: String,
    #[arg(long, default_value_t = 480)]
    size: u32,
    #[arg(long, default_value_t = 2)]
    threads: i32,
    /// The number of frames for motion analysis.
    #[arg(long, default_value_t = 24)]
    watch: usize,
    /// The number of those frames that are painted.
    #[arg(long, default_value_t = 4)]
    paint: usize,
}

/// Wall-clock seconds and, where the system reports them, seconds of CPU time.
struct Spent {
    wall: f64,
    processor: Option<f64>,
}

/// Returns the CPU seconds of this process over all cores; Linux counts in hundredths.
fn processor() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // After the process name, which may contain spaces, user and system time are the 12th and 13th fields.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field).and_then(|text| text.parse::<f64>().ok());
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

fn spent<T>(work: impl FnOnce() -> T) -> (T, Spent) {
    let (begin, before) = (Instant::now(), processor());
    let done = work();
    let wall = begin.elapsed().as_secs_f64();
    (done, Spent { wall, processor: before.zip(processor()).map(|(before, after)| after - before) })
}

fn frames(options: &Options) -> Vec<Pixels> {
    let input = plan::classify(Path::new(&options.clip)).unwrap();
    // As large as the frames are painted, so that flow is searched at the requested size.
    let filter = format!("scale='max(iw,{})':-2", options.size);
    let settings = InputSettings { filter, ..InputSettings::default() };
    let mut source = decode::open(&input, Range::default(), &settings).unwrap();
    let next = || source.next().unwrap().map(|frame| frame.pixels);
    std::iter::from_fn(next).take(options.watch).collect()
}

/// Does all the motion analysis of a run with default settings and `init.next = "warped"`.
fn watch(frames: &[Pixels], far: &[u32]) -> Vec<Transition> {
    let wanted = Wanted {
        flow: Some(motion::estimate().unwrap()),
        cuts: motion::estimate_cuts().unwrap(),
        rules: Consistency::default(),
        far: far.to_vec(),
        ..Wanted::default()
    };
    let (mut scout, mut watcher) = motion::watch(wanted).unwrap();
    let mut ahead = VecDeque::new();
    let mut watched = Vec::new();
    for (n, frame) in frames.iter().enumerate() {
        ahead.push_back(scout.look(frame, n as f64));
        if ahead.len() > IN_FLIGHT {
            watched.extend(watcher.next(ahead.pop_front().unwrap()).unwrap());
        }
    }
    for sighting in ahead {
        watched.extend(watcher.next(sighting).unwrap());
    }
    watched.extend(watcher.finish().unwrap());
    watched.into_iter().map(|watched| watched.transition).collect()
}

fn main() {
    let options = Options::parse();
    if !options.bench {
        return;
    }
    tch::set_num_threads(options.threads);
    rayon::ThreadPoolBuilder::new().num_threads(options.threads as usize).build_global().unwrap();
    let frames = frames(&options);
    println!(
        "{}x{}, painted at {} with {}, {} threads",
        frames[0].width, frames[0].height, options.size, options.backbone, options.threads
    );

    let sets = [
        format!("frame.size={}", options.size),
        format!("network.backbone={}", options.backbone),
        format!("network.weights_dir={}", options.weights_dir),
        "device=cpu".into(),
        "init.next=warped".into(),
    ];
    let settings = Settings::resolve(&LayerInputs { sets: sets.into(), ..LayerInputs::default() }).unwrap().settings;
    let far = settings.searched();
    // A warm-up run that is not measured, to load everything.
    watch(&frames[..frames.len().min(3)], far);
    let (transitions, watching) = spent(|| watch(&frames, far));
    let pairs = frames.len().saturating_sub(1).max(1) as f64;
    let wall = watching.wall / pairs;
    let own = watching.processor.map_or(wall * f64::from(options.threads), |seconds| seconds / pairs);
    println!("watching  {wall:8.4} s a frame, {own:8.4} s of processors, over {} frames", frames.len());

    let mut stylizer = stylize::build(&settings, &CancelToken::default(), None).unwrap().stylizer;
    let mut later = Vec::new();
    for (n, (frame, transition)) in frames.iter().zip(&transitions).take(options.paint).enumerate() {
        let mut iterations = 0;
        let (_, painting) = spent(|| {
            stylizer.push(frame, transition, &mut |styled| {
                iterations = styled.stats.iterations;
                Ok(())
            })
        });
        println!("painting  {:8.2} s, frame {} ({iterations} iterations)", painting.wall, n + 1);
        if n > 0 {
            later.push(painting);
        }
    }
    let count = later.len().max(1) as f64;
    let painting = later.iter().map(|spent| spent.wall).sum::<f64>() / count;
    let theirs: Option<f64> = later.iter().map(|spent| spent.processor).sum::<Option<f64>>().map(|sum| sum / count);
    println!(
        "share of a later frame's painting: {:.2} % of the time, were one to wait for it",
        100.0 * wall / painting
    );
    if let Some(theirs) = theirs {
        println!("                                   {:.2} % of the processors' work", 100.0 * own / theirs);
    }
}
