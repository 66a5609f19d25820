//! Catches panics that hostile files cause in third-party code, so that they become errors instead of crashes.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Returns the result of `work`, or `None` if it panicked. State that it was changing must not be used after a panic.
pub fn catch_panic<T>(work: impl FnOnce() -> T) -> Option<T> {
    let before = CONTAINED.replace(true);
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(before);
    done.ok()
}

/// Installs a panic hook for all threads that logs [`catch_panic`] panics at debug level instead of printing them.
pub fn install_hook() {
    let default_hook = panic::take_hook();
    panic::set_hook(Box::new(move |fault| {
        if CONTAINED.get() {
            tracing::debug!(%fault, "contained");
        } else {
            default_hook(fault);
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_panics_gives_nothing() {
        let numbers = [1, 2, 3];
        let at = |index: usize| catch_panic(|| numbers[index]);
        assert_eq!([at(1), at(7), at(2)], [Some(2), None, Some(3)]);
        assert!(!CONTAINED.get());
    }
}
