//! Runs the parsers of untrusted files over the fuzzer's corpus with seeded changes: a panic, a hang or excessive
//! memory fails. The changes are always the same; `scripts/fuzz` (see `docs/security.md`) finds others.

#[path = "../../../fuzz/src/lib.rs"]
mod targets;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::common::clips::random;

/// The number of variants of each corpus file.
const VARIANTS: usize = 1200;
/// The time limit for one input, generous enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);
/// The megabytes that may be used beyond the earlier peak.
const MEMORY: u64 = 600;

/// Returns the corpus of a target, in a fixed order.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// Returns `bytes` with one to four changes: bits, bytes, and pieces that are repeated, removed or taken from another
/// file.
fn mutant(bytes: &[u8], other: &[u8], below: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + below(4) {
        let length = bytes.len().max(1);
        let (at, end) = (below(length).min(bytes.len()), below(length).min(bytes.len()));
        let (from, to) = (at.min(end), at.max(end).min(at.min(end) + 64));
        match below(8) {
            0 => bytes.truncate(at),
            1 | 2 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << below(8)),
            3 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = below(256) as u8),
            4 => bytes.iter_mut().skip(at).take(4).for_each(|byte| *byte = [0, 0xff, 0x7f, 0x80][below(4)]),
            5 => drop(bytes.splice(from..to, [])),
            6 => {
                let piece = bytes[from..to].to_vec();
                drop(bytes.splice(at..at, piece.repeat(1 + below(20))));
            }
            _ => {
                let start = below(other.len().max(1)).min(other.len());
                let piece = other[start..(start + 32).min(other.len())].to_vec();
                drop(bytes.splice(at..at, piece));
            }
        }
    }
    bytes
}

/// Returns the process's peak memory in megabytes; 0 where the system does not report it.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Runs in a separate process, because the peak memory counts the whole process, with all tests that run in it.
#[test]
fn files_from_strangers_are_read_or_refused() {
    const ALONE: &str = "STYLIZE_VIDEO_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return try_all();
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "hostile::mutate::files_from_strangers_are_read_or_refused", "--nocapture"]);
    let done = command.env(ALONE, "1").output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    println!("{said}");
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
}

fn try_all() {
    for (name, target) in targets::TARGETS {
        let (corpus, before, mut below) = (corpus(name), peak(), random(11));
        assert!(!corpus.is_empty(), "{name}: no corpus");
        let (mut runs, mut taken) = (0, corpus.iter().filter(|bytes| target(bytes)).count());
        assert!(taken > 0, "{name}: nothing of the corpus is read, so that nothing much is tried");
        for bytes in &corpus {
            for _ in 0..VARIANTS {
                let other = &corpus[below(corpus.len())];
                let bytes = mutant(bytes, other, &mut below);
                let began = Instant::now();
                taken += usize::from(target(&bytes));
                runs += 1;
                assert!(began.elapsed() < PATIENCE, "{name}: {:?} for {bytes:?}", began.elapsed());
            }
        }
        println!("{name}: {runs} changed inputs, {taken} of all were taken");
        assert!(peak() < before + MEMORY, "{name}: {} MB, after {before} MB", peak());
    }
}
