//! Panics of other people's code that hostile files bring about: caught, and told as an error in place of a fault.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// What `work` gives; `None` if it panicked. Nothing that it was changing may be used then.
pub fn contained<T>(work: impl FnOnce() -> T) -> Option<T> {
    let before = CONTAINED.replace(true);
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(before);
    done.ok()
}

/// From now on nothing is printed of panics that are [`contained`], for all threads.
pub fn hush() {
    let loud = panic::take_hook();
    panic::set_hook(Box::new(move |fault| {
        if CONTAINED.get() {
            tracing::debug!(%fault, "contained");
        } else {
            loud(fault);
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_panics_gives_nothing() {
        let numbers = [1, 2, 3];
        let at = |index: usize| contained(|| numbers[index]);
        assert_eq!([at(1), at(7), at(2)], [Some(2), None, Some(3)]);
        assert!(!CONTAINED.get());
    }
}
