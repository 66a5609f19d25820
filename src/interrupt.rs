//! Ctrl-c, SIGTERM, SIGHUP and a deadline: one token, created once in `main` and checked everywhere. Signals that were
//! ignored when the program started (`nohup`, a shell's background job) stay ignored.
//!
//! The first signal requests a clean end; a second one ends the process at once (the default action). A deadline
//! requests the same clean end as the first signal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Instant, SystemTime};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

/// The time at which a run ends by itself, on up to two clocks; the earlier one counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deadline {
    /// On the system clock, which can be set and continues while the machine sleeps.
    pub wall: Option<SystemTime>,
    /// On the monotonic clock.
    pub steady: Option<Instant>,
}

impl Deadline {
    fn is_past(&self) -> bool {
        self.wall.is_some_and(|wall| SystemTime::now() >= wall)
            || self.steady.is_some_and(|steady| Instant::now() >= steady)
    }

    /// Returns the seconds left, 0 if the deadline has passed; `None` without a deadline.
    pub fn seconds_left(&self) -> Option<f64> {
        let wall = self.wall.map(|wall| wall.duration_since(SystemTime::now()).unwrap_or_default());
        let steady = self.steady.map(|steady| steady.saturating_duration_since(Instant::now()));
        wall.into_iter().chain(steady).min().map(|left| left.as_secs_f64())
    }
}

/// Why a run should end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    Signal(i32),
    /// The deadline has passed.
    TimeIsUp,
}

/// Makes exceeding the file size limit (`ulimit -f`) an error of the write rather than the end of the process.
///
/// # Errors
/// If the operating system refuses the handler.
pub fn survive_limits() -> std::io::Result<()> {
    if !is_in(ignored_signals(), SIGXFSZ) {
        signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    }
    Ok(())
}

/// Returns the ignored signals as a bit mask, signal 1 in bit 0; 0 if the system does not report them.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

fn is_in(mask: u64, signal: i32) -> bool {
    mask >> (signal - 1) & 1 == 1
}

/// Tells whether, and why, the run should end. Cheap to clone and to check.
#[derive(Debug, Clone, Default)]
pub struct CancelToken {
    signal: Arc<AtomicUsize>,
    /// The deadline passed before any signal arrived.
    time_is_up: Arc<AtomicBool>,
    deadline: Deadline,
}

impl CancelToken {
    /// Creates a token that is set by SIGINT, SIGTERM and SIGHUP unless they are ignored. A second signal ends the
    /// process at once.
    ///
    /// # Errors
    /// If the operating system refuses the handlers.
    pub fn on_signals() -> std::io::Result<Self> {
        let token = Self::default();
        let armed = Arc::new(AtomicBool::new(false));
        let ignored = ignored_signals();
        for signal in [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|&signal| !is_in(ignored, signal)) {
            // Order matters: the conditional default must see `armed` only from the second signal on.
            signal_hook::flag::register_conditional_default(signal, Arc::clone(&armed))?;
            signal_hook::flag::register(signal, Arc::clone(&armed))?;
            signal_hook::flag::register_usize(signal, Arc::clone(&token.signal), signal as usize)?;
        }
        Ok(token)
    }

    /// Returns this token with a deadline.
    #[must_use]
    pub fn until(self, deadline: Deadline) -> Self {
        Self { deadline, ..self }
    }

    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Requests the end as `signal` would (for tests, and for stages that stop the others).
    pub fn cancel(&self, signal: i32) {
        self.signal.store(signal as usize, Ordering::Relaxed);
    }

    pub fn is_cancelled(&self) -> bool {
        self.reason().is_some()
    }

    /// Returns what requested the end first. A reason stays set even if the clock is set back.
    pub fn reason(&self) -> Option<Reason> {
        if self.time_is_up.load(Ordering::Relaxed) {
            return Some(Reason::TimeIsUp);
        }
        match self.signal.load(Ordering::Relaxed) {
            0 if self.deadline.is_past() => {
                self.time_is_up.store(true, Ordering::Relaxed);
                Some(Reason::TimeIsUp)
            }
            0 => None,
            signal => Some(Reason::Signal(signal as i32)),
        }
    }

    /// Returns the signal that requested the end.
    pub fn signal(&self) -> Option<i32> {
        match self.reason() {
            Some(Reason::Signal(signal)) => Some(signal),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_came_first_is_the_reason() {
        let soon = Instant::now() + Duration::from_millis(30);
        let token = CancelToken::default().until(Deadline { steady: Some(soon), wall: None });
        let other = token.clone();
        assert_eq!(token.reason(), None);
        assert!(token.deadline().seconds_left().is_some_and(|left| left > 0.0));
        std::thread::sleep(Duration::from_millis(40));
        assert_eq!(other.reason(), Some(Reason::TimeIsUp));
        token.cancel(SIGTERM);
        assert_eq!((other.reason(), other.signal()), (Some(Reason::TimeIsUp), None));

        let past = Deadline { wall: Some(SystemTime::UNIX_EPOCH), steady: None };
        let token = CancelToken::default().until(past);
        token.cancel(SIGINT);
        assert_eq!(token.reason(), Some(Reason::Signal(SIGINT)));
        assert_eq!(past.seconds_left(), Some(0.0));
        assert_eq!(Deadline::default().seconds_left(), None);
    }
}
