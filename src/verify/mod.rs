//! Checks whether a file B keeps everything that a file A has, except the look of its pictures.
//!
//! [`Contents::read`] reads a file in one pass and keeps a few numbers per packet. [`compare`] then returns the first
//! difference, in this order:
//!
//! - **The video.** The upright size (one pixel more in a direction where A's size is odd and B's chroma is
//!   subsampled), no rotation in B, sample aspect ratio, colours, bit depth and alpha; the number of frames and the
//!   time of each, and thereby the duration of every frame but the last; a constant frame rate; the end of the last
//!   frame; language, tags and dispositions. B's colours must be those that [`ColorInfo::written`] makes of A's
//!   (untagged video is resolved by the rule of [`ColorInfo`]), or BT.709 if A is HDR; RGB is always accepted. If B's
//!   packets are A's (a copy), rotation and colours must equal A's.
//! - **Every other stream**, in order: kind, codec, decoder setup, language, tags, dispositions, and the time and
//!   bytes of each packet. Bytes are compared below the container's framing: AAC without ADTS headers, H.264 and HEVC
//!   as NAL units without delimiters. Text subtitles may change between `mov_text` and subrip, WebVTT or plain text;
//!   then their text and times are compared. Decoding times are up to the muxer and are not compared.
//! - **Cover pictures and attachments** by their bytes and names, **chapters** by time and title, and the **file's
//!   tags**.
//!
//! All times are compared on one clock. A shift common to all streams is accepted only if A has times before 0 that B
//! cannot hold, or if B's container has no start time (GIF). A clock that begins far from 0 in A but not in B is first
//! moved to begin at 0, and one that breaks off within a file is repaired, as for painting. Frames may differ by half a
//! tick of the coarser time base, packets by two ticks, chapters by one tick or 1 ms. Items that B's container cannot
//! store (a tag, a disposition, alpha) may be missing, but not a whole stream. MP4's chapter tracks and timecode tracks
//! are ignored because the muxer creates them again.
//!
//! [`ColorInfo`]: crate::media::ColorInfo
//! [`ColorInfo::written`]: crate::media::ColorInfo::written

mod allowed;
mod clock;
mod compare;
mod container;
mod contents;
mod difference;
mod extras;
mod packets;
mod part;
mod payload;
mod pictures;
mod read;
mod result;
mod tags;
mod tracks;

pub use allowed::Allowed;
pub use compare::{Summary, compare};
pub use contents::{Contents, Depth};
pub use difference::{Difference, Finding, Weight};
pub use part::Cut;
pub use result::{Making, findings};
