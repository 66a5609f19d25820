//! Shows progress on a terminal: one bar for the running job.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::pace::Pace;
use super::{Event, Observer, plain_line, sanitised, write_line};

/// Draws a bar with the frame number, the pace, the time left and the objective J.
pub struct BarObserver {
    screen: MultiProgress,
    job: Mutex<Option<JobBar>>,
}

struct JobBar {
    bar: ProgressBar,
    pace: Pace,
    /// The unit that a search counts; empty for a job.
    what: &'static str,
}

impl BarObserver {
    pub fn new(screen: MultiProgress) -> Self {
        Self { screen, job: Mutex::new(None) }
    }

    fn start(&self, input: &str, frames: Option<u64>) -> JobBar {
        let (bar, template) = match frames {
            Some(frames) => (ProgressBar::new(frames), "{prefix} {wide_bar} {pos}/{len} {elapsed} {msg}"),
            None => (ProgressBar::no_length(), "{prefix} {spinner} frame {pos} {elapsed} {msg}"),
        };
        let bar = self.screen.add(bar);
        // A test checks the templates; for a user, the default style is good enough.
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(sanitised(input).into_owned());
        bar.set_message("first frame");
        // A frame can take minutes: the ticking clock shows that the program is alive.
        bar.enable_steady_tick(Duration::from_secs(1));
        JobBar { bar, pace: Pace::default(), what: "" }
    }

    /// Creates a bar for a search.
    fn search(&self, what: &'static str, total: Option<u64>) -> JobBar {
        let job = self.start(what, total);
        let template = match total {
            Some(_) => "{prefix} {wide_bar} {pos}/{len} {elapsed}, {eta} left",
            None => "{prefix} {spinner} {pos} {elapsed}",
        };
        job.bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        JobBar { what, ..job }
    }
}

impl Observer for BarObserver {
    fn event(&self, event: &Event) {
        let mut job = self.job.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Started { input, frames, .. } => {
                let started = self.start(input, *frames);
                if let Some(last) = job.replace(started) {
                    self.remove(&last);
                }
            }
            Event::Frame { frame, frames, objective, seconds, .. } => {
                if let Some(JobBar { bar, pace, .. }) = job.as_mut() {
                    pace.add(*seconds);
                    bar.set_position(*frame);
                    bar.set_message(pace.describe(*frame, *frames, *objective));
                }
            }
            Event::Pass { pass, passes, frame, objective, seconds, .. } => {
                if let Some(JobBar { bar, pace, .. }) = job.as_mut() {
                    pace.add(*seconds);
                    bar.set_message(pace.describe_pass([*pass, *passes], *frame, *objective));
                }
            }
            Event::Progress { what, done, total, .. } => {
                if job.as_ref().is_none_or(|job| job.what != *what) {
                    let started = self.search(what, *total);
                    if let Some(last) = job.replace(started) {
                        self.remove(&last);
                    }
                }
                if let Some(JobBar { bar, .. }) = job.as_ref() {
                    bar.set_position(*done);
                }
            }
            Event::Finished { .. } | Event::Failed { .. } | Event::Cancelled { .. } => {
                if let Some(last) = job.take() {
                    self.remove(&last);
                }
            }
            Event::RunStarted { .. } | Event::RunFinished { .. } | Event::Resumed { .. } => {}
            Event::Note { .. } | Event::Warning { .. } | Event::Skipped { .. } | Event::Batch { .. } => {}
        }
        if let Some(line) = plain_line(event) {
            self.screen.suspend(|| write_line(&mut std::io::stderr(), &line));
        }
    }

    fn for_job(&self, _: u64) -> Option<Box<dyn Observer>> {
        Some(Box::new(Self::new(self.screen.clone())))
    }
}

impl BarObserver {
    fn remove(&self, job: &JobBar) {
        job.bar.finish_and_clear();
        self.screen.remove(&job.bar);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use indicatif::{ProgressDrawTarget, TermLike};

    use super::*;
    use crate::measure::Figures;

    /// A terminal that keeps everything that is drawn.
    #[derive(Debug, Clone, Default)]
    struct Paper(Arc<Mutex<String>>);

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            120
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_bar_shows_frame_pace_and_objective_and_goes_at_the_end() {
        let paper = Paper::default();
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(paper.clone()), 200);
        let observer = BarObserver::new(MultiProgress::with_draw_target(target));
        let (input, output) = ("in.mp4".to_string(), "out.mp4".to_string());
        observer.event(&Event::Started { input, output: output.clone(), frames: Some(240), width: 64, height: 48 });
        observer.event(&Event::Frame {
            frame: 12,
            frames: Some(240),
            iterations: 20,
            objective: 0.5,
            seconds: 2.0,
            terms: Default::default(),
            figures: Figures::default(),
        });
        observer.job.lock().unwrap().as_ref().unwrap().bar.tick();
        std::thread::sleep(Duration::from_millis(50));
        observer.job.lock().unwrap().as_ref().unwrap().bar.tick();
        let shown = paper.0.lock().unwrap().clone();
        for part in ["in.mp4", "12/240", "2.00 s/frame", "8 min left", "J 0.5000"] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
        observer.event(&Event::Finished {
            output,
            frames: 240,
            seconds: 480.0,
            waited_for_motion: 0.0,
            steadiness: None,
        });
        assert!(observer.job.lock().unwrap().is_none());
    }
}
