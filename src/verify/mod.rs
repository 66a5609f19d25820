//! Verify: whether a file B keeps what a file A has, for all but the look of its pictures.
//!
//! [`Contents::read`] takes down what a file holds in one pass that keeps a few numbers per packet; [`compare`] then
//! finds the first difference, in this order:
//!
//! - **The video.** Its upright size (one pixel more in each direction where A's is odd and B's chroma is
//!   subsampled), turned by nothing, shape of its pixels, colours, bits and alpha; the number of frames and the time of
//!   each, which also is what every frame but the last lasts; a constant frame rate; the end of the last; language,
//!   tags and dispositions. Colours are those of A (by the rule for untagged video of [`ColorInfo`]) or those that
//!   [`ColorInfo::written`] makes of them; RGB is right for all. Where B's packets are A's (a copy), turn and colours
//!   are to be A's own.
//! - **Every other stream**, in order: kind, codec, what its decoder needs, language, tags, dispositions, and the time
//!   and bytes of each packet. Bytes are compared below the container's framing: AAC without ADTS headers, H.264 and
//!   HEVC as NAL units without delimiters. Text subtitles may change between `mov_text` and subrip, WebVTT or plain
//!   text; then words and times are compared. Decoding times are a muxer's own business.
//! - **Cover pictures and attachments** by their bytes and names, **chapters** by time and title, and the **file's
//!   tags**.
//!
//! Times are on one clock. A shift that all streams have in common is accepted only where A has times before 0 that B
//! cannot hold, or B's container has no start time at all (GIF). A clock that begins far from 0 in A and not in B is moved
//! to begin at 0 first, and one that breaks off within a file is mended, as for painting. Pictures may be off by half a tick of the coarser
//! time base, everything else by two. What B's container has no place for (a tag, a disposition, alpha) is not missed;
//! a whole stream is. Left aside are MP4's own form of chapters and time code tracks, which its muxer makes anew.
//!
//! [`ColorInfo`]: crate::media::ColorInfo
//! [`ColorInfo::written`]: crate::media::ColorInfo::written

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

pub use compare::{Allowed, Summary, compare};
pub use contents::{Contents, Depth};
pub use difference::{Difference, Finding, Weight};
pub use part::Cut;
pub use result::{Making, findings};
