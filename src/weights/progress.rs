//! Reports the progress of a download.

/// Receives the progress of a download.
pub trait Progress {
    /// `done` of `total` bytes of `file` have arrived; the total is not always known. Called often.
    fn advance(&mut self, file: &str, done: u64, total: Option<u64>);

    /// The download has ended, successfully or not.
    fn finish(&mut self);
}

/// Discards all progress reports.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn advance(&mut self, _: &str, _: u64, _: Option<u64>) {}

    fn finish(&mut self) {}
}
