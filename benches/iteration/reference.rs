//! The PyTorch side: keeps `scripts/bench_reference.py` running and requests a few iterations at a time.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::{Contestant, HEIGHT, WIDTH};

pub struct Reference {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    pub version: String,
    pub start_j: f64,
    /// Multiply-adds of one forward pass: convolutions, and products of activations.
    pub multiply_adds: f64,
    pub gram_multiply_adds: f64,
}

impl Reference {
    pub fn start([python, script]: &[String; 2], network: &str, threads: i32) -> Self {
        let mut child = Command::new(python)
            .args(["-W", "ignore", script, network, "reflect"])
            .args([HEIGHT.to_string(), WIDTH.to_string(), threads.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|problem| panic!("{python}: {problem}"));
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let hello = answer(&mut answers);
        Self {
            questions: child.stdin.take(),
            answers,
            version: hello["torch"].as_str().unwrap().to_owned(),
            start_j: hello["j"].as_f64().unwrap(),
            multiply_adds: hello["multiply_adds"].as_f64().unwrap(),
            gram_multiply_adds: hello["gram_multiply_adds"].as_f64().unwrap(),
            child,
        }
    }
}

fn answer(answers: &mut impl BufRead) -> Value {
    let mut line = String::new();
    assert!(answers.read_line(&mut line).unwrap() > 0, "the reference ended early");
    serde_json::from_str(&line).unwrap()
}

impl Contestant for Reference {
    fn run(&mut self, count: u32) -> f64 {
        writeln!(self.questions.as_mut().unwrap(), "{count}").unwrap();
        let answer = answer(&mut self.answers);
        // Steps from NaN would skip work.
        assert!(answer["j"].is_f64(), "PyTorch's J: {}", answer["j"]);
        answer["seconds"].as_f64().unwrap() / f64::from(count)
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        drop(self.questions.take());
        // The script ends when its input does.
        self.child.wait().ok();
    }
}
