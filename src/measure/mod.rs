//! How steady a stylised video is, beside its source: temporal figures that need no reference but the source's motion; and
//! what a network sees of it: ghosts, unpainted places.
//!
//! All samples are R'G'B' of 0..=1, luma is BT.709's. Flow is that of the source and used for both videos; only pixels
//! whose flow is reliable count (the rules of [`crate::motion::Consistency`] without its blur: a pixel counts or does
//! not). W(V) is a frame carried along the flow, bilinear.
//!
//! | figure | definition |
//! |---|---|
//! | E_warp | mean over pairs of Σ M (W(V_t) − V_{t−1})² / Σ M on the grid of t−1, M without motion boundaries (Lai et al. 2018) |
//! | Ruder's MSE | mean over pairs of Σ M (V_t − W(V_{t−1}))² / Σ M on the grid of t, M with motion boundaries (Ruder et al. 2016) |
//! | long-term E_warp | E_warp between t−10 and t, flow composed of the steps between |
//! | coverage | share of pixels with M = 1 in E_warp, without which a masked figure says little |
//! | still | share of pixels whose flow is reliable and shorter than 0.05 pixels a frame |
//! | luma drift | least-squares slope of the mean luma of pixels that stand still, less the source's, in 1/255 per 100 frames |
//! | furthest | the furthest that this mean luma went from where its shot began, in 1/255 |
//! | still deviation | temporal standard deviation of luma, mean of the pixels that never moved in a shot, in 1/255 |
//! | flicker | root mean square of what a high-pass at 5 Hz leaves of luma that is followed along the motion, in 1/255 |
//! | FDB | root mean square of (G_t − G_{t−1}) − (I_t − I_{t−1}), I being the source (no flow needed) |
//! | content, where it moves | Σ (F(G_t) − F(I_t))² / Σ F(I_t)² over the places that move, F being a layer of a network |
//! | ghost | Σ (F(G_t) − F(I_t))² / Σ (F(G_t) − F(I_{t−4}))² over the same places, 100 at most |
//! | unpainted | style distance of the worst tile of 64 x 64 pixels over that of the middle one |
//!
//! A place moves where the difference of I_t and I_{t−4}, the largest of the channels and the mean of 9 x 9 pixels, is above 0.06. Networks
//! look at frames of 480 pixels at most; larger ones are made that small.
//!
//! A pair with no reliable pixel (a cut) is left out of the means, and so is a flash of one frame: the next frame is
//! compared with the one before it.

mod compare;
mod features;
mod figures;
mod flicker;
mod ghost;
mod job;
mod meter;
mod still;
mod summary;

pub use features::{FeatureError, FeatureNetwork, Features};
pub use figures::{Figures, FrameFigures, Pair, Place};
pub use ghost::{GhostMeter, Seen};
pub use job::{Beside, JobMeter, Waiting};
pub use meter::Meter;
pub use summary::{Ghost, Summary, Unpainted, Worst};
