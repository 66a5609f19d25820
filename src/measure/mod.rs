//! How steady a stylised video is, beside its source: temporal figures that need no reference but the source's motion.
//!
//! All samples are R'G'B' of 0..=1. Flow is estimated on the source and used for both videos; only pixels whose flow is
//! reliable count (no blur of the mask here: a pixel counts or does not).
//!
//! | figure | definition |
//! |---|---|
//! | E_warp | mean over pairs of Σ M (W(V_t) − V_{t−1})² / Σ M, W from t to the grid of t−1 (Lai et al. 2018) |
//! | long-term E_warp | the same between t−10 and t, flow composed of the steps between |
//! | coverage | share of pixels with M = 1, without which a masked figure says little |
//! | luma drift | change of mean BT.709 luma of pixels that stand still, less the source's own, in 1/255 per 100 frames |
//! | still deviation | temporal standard deviation of luma, mean of the pixels that never moved in a shot, in 1/255 |
//! | flicker | root mean square of luma's second difference along the motion, V_{t−2} − 2 V_{t−1} + V_t, in 1/255 |
//! | FDB | root mean square of (G_t − G_{t−1}) − (I_t − I_{t−1}), I being the source (no flow needed) |
//!
//! A pair with no reliable pixel (a cut) is left out of the means.

mod meter;
mod still;
mod summary;

pub use meter::{FrameFigures, Meter, Pair};
pub use summary::Summary;
