//! `shots`: lists where the shots of a source begin, in the format that `--cuts` reads.

use std::collections::VecDeque;
use std::path::Path;

use serde::Serialize;

use super::print;
use crate::batch::plan;
use crate::decode;
use crate::media::Range;
use crate::motion::{self, Pending, Shot, Wanted, Watched, clock};
use crate::settings::InputSettings;

/// Number of frame pairs that are compared at the same time.
const IN_FLIGHT: usize = 8;

/// The kind of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// The first frame.
    Begin,
    Cut,
    /// The flash is skipped, and the shot continues after it.
    Flash,
}

/// A line of the list.
#[derive(Debug, Serialize)]
struct Line {
    kind: Kind,
    /// Number of the frame, from 1.
    frame: u64,
    /// Seconds from the beginning of the source.
    time: f64,
    score: f64,
    unseen: Option<f32>,
}

/// Prints where the shots of `input` begin: each as soon as it is known or, with `json`, all as one array.
///
/// # Errors
/// If the input cannot be read, or stdout cannot be written to.
pub fn shots(input: &Path, json: bool) -> anyhow::Result<()> {
    let input = plan::classify(input)?;
    let mut source = decode::open(&input, Range::default(), &InputSettings::default())?;
    let wanted = Wanted { cuts: motion::estimate_cuts()?, ..Wanted::default() };
    let (mut prefetch, mut watcher) = motion::watch(wanted)?;
    let mut lines = Vec::new();
    let mut tell = |watched: Vec<Watched>| -> anyhow::Result<()> {
        for line in watched.iter().filter_map(line) {
            if json {
                lines.push(line);
            } else {
                print(line.text())?;
            }
        }
        Ok(())
    };
    let begin = source.begin();
    let mut ahead: VecDeque<Pending> = VecDeque::new();
    while let Some(frame) = source.next()? {
        ahead.push_back(prefetch.look(&frame.pixels, frame.timing.base.seconds(frame.timing.pts) - begin));
        if ahead.len() > IN_FLIGHT
            && let Some(pending) = ahead.pop_front()
        {
            tell(watcher.next(pending)?)?;
        }
    }
    for pending in ahead {
        tell(watcher.next(pending)?)?;
    }
    tell(watcher.finish()?.into_iter().collect())?;
    if json {
        print(serde_json::to_string(&lines)? + "\n")?;
    }
    Ok(())
}

fn line(watched: &Watched) -> Option<Line> {
    let kind = match watched.transition.shot {
        Shot::New if watched.number == 0 => Kind::Begin,
        Shot::New => Kind::Cut,
        Shot::Flash => Kind::Flash,
        Shot::Continues => return None,
    };
    let frame = watched.number + 1;
    Some(Line { kind, frame, time: watched.seconds, score: watched.score, unseen: watched.unseen })
}

impl Line {
    fn text(&self) -> String {
        let (time, frame) = (clock(self.time), self.frame);
        let unseen = self.unseen.map(|unseen| format!(", unseen {unseen:.2}")).unwrap_or_default();
        match self.kind {
            Kind::Begin => format!("{time}  # frame {frame}\n"),
            Kind::Cut => format!("{time}  # frame {frame}, cut, score {:.1}{unseen}\n", self.score),
            Kind::Flash => format!("# {time}  frame {frame}, a flash, skipped\n"),
        }
    }
}
