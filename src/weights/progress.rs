//! How far a download is.

/// Hears of a download's progress.
pub trait Progress {
    /// `done` of `total` bytes of `file` are here; the total is not always known. Called often.
    fn advance(&mut self, file: &str, done: u64, total: Option<u64>);

    /// Nothing more comes of this file, for better or worse.
    fn finish(&mut self);
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn advance(&mut self, _: &str, _: u64, _: Option<u64>) {}

    fn finish(&mut self) {}
}
