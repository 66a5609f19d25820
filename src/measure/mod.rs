//! Steadiness of a stylised video compared with its source. The temporal figures need no reference other than the
//! source's motion; further figures come from a network: ghosts and unpainted places.
//!
//! All samples are R'G'B' in 0..=1, luma is BT.709. The flow is that of the source and applies to both videos. Only
//! pixels with reliable flow count (the rules of [`crate::motion::Consistency`] without its blur: a pixel counts or
//! does not). W(V) is a frame warped along the flow, bilinear.
//!
//! | figure | definition |
//! |---|---|
//! | E_warp | mean over pairs of Σ M (W(V_t) − V_{t−1})² / Σ M on the grid of t−1, M without motion boundaries (Lai et al. 2018) |
//! | Ruder's MSE | mean over pairs of Σ M (V_t − W(V_{t−1}))² / Σ M on the grid of t, M with motion boundaries (Ruder et al. 2016) |
//! | long-term E_warp | E_warp between t−10 and t, flow composed of the steps between |
//! | coverage | share of pixels with M = 1 in E_warp, without which a masked figure says little |
//! | still | share of pixels whose flow is reliable and shorter than 0.05 pixels per frame |
//! | luma drift | least-squares slope of the mean luma of still pixels minus the source's, in 1/255 per 100 frames |
//! | furthest | largest distance of this mean luma from the start of its shot, in 1/255 |
//! | still deviation | temporal standard deviation of luma, mean over the pixels that never moved in a shot, in 1/255 |
//! | flicker | root mean square of luma along the motion after a high-pass at 5 Hz, in 1/255 |
//! | FDB | root mean square of (G_t − G_{t−1}) − (I_t − I_{t−1}), I being the source (no flow needed) |
//! | content, where it moves | Σ (F(G_t) − F(I_t))² / Σ F(I_t)² over the moving places, F being a layer of a network |
//! | ghost | Σ (F(G_t) − F(I_t))² / Σ (F(G_t) − F(I_{t−4}))² over the same places, 100 at most |
//! | unpainted | style distance of the worst tile of 64 x 64 pixels divided by that of the median tile |
//!
//! A place moves if the difference between I_t and I_{t−4}, the largest over the channels and averaged over 9 x 9
//! pixels, is above 0.06. Networks evaluate frames of at most 480 pixels on the long side; larger frames are reduced.
//!
//! Pairs without a reliable pixel (cuts) are left out of the means, and so are flashes of one frame: the frame after a
//! flash is compared with the frame before it.

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
pub use job::{JobMeter, Reference, Waiting};
pub use meter::Meter;
pub use summary::{Ghost, Summary, Unpainted, Worst};
