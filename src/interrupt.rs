//! Ctrl-c and SIGTERM: one flag, installed once in `main`, read everywhere.
//!
//! The first signal asks for a clean end; a second one leaves at once (the process's default action).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};

/// Says whether, and by which signal, the run was asked to end. Cheap to clone and to ask.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicUsize>);

impl CancelToken {
    /// A token set by SIGINT and SIGTERM; a second signal ends the process at once.
    ///
    /// # Errors
    /// When the operating system refuses the handlers.
    pub fn on_signals() -> std::io::Result<Self> {
        let token = Self::default();
        let armed = Arc::new(std::sync::atomic::AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // Order matters: the conditional default sees `armed` only from the second signal on.
            signal_hook::flag::register_conditional_default(signal, Arc::clone(&armed))?;
            signal_hook::flag::register(signal, Arc::clone(&armed))?;
            signal_hook::flag::register_usize(signal, Arc::clone(&token.0), signal as usize)?;
        }
        Ok(token)
    }

    /// Asks for the end as `signal` would (tests, and stages that stop the others).
    pub fn cancel(&self, signal: i32) {
        self.0.store(signal as usize, Ordering::Relaxed);
    }

    pub fn is_cancelled(&self) -> bool {
        self.signal().is_some()
    }

    /// The signal that asked for the end.
    pub fn signal(&self) -> Option<i32> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            signal => Some(signal as i32),
        }
    }
}
