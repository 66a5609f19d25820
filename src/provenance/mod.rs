//! Records in the output itself how it was made: enough to tell whether a job is already done, where a file comes from,
//! and to paint another input the very same way.
//!
//! [`Stamp`] is the record. [`crate::label`] embeds it in a file; a folder of pictures has it in each picture whose
//! format can hold it, and in a [`Contents`] file. It has no dates and no names of inputs or outputs, so the same job
//! writes the same bytes.

mod contents;
mod like;
mod stamp;

use std::path::Path;

pub use contents::{CONTENTS, Contents, Entry};
pub use like::{Like, LikeError};
pub use stamp::{Painted, PresetStamp, Stamp, StyleStamp};

use crate::label;
use crate::media::Output;

/// Returns the stamp of a file, or of a folder of pictures; `None` if there is none that this version reads. It is
/// cheap, and safe whatever the file holds.
pub fn read(path: &Path) -> Option<Stamp> {
    if path.is_dir() {
        return Contents::read(path).map(|contents| contents.stamp);
    }
    label::read(path).ok().flatten().and_then(|text| Stamp::parse(&text))
}

/// The stamp that was found in an output, and whether the output is complete.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    Whole(Box<Stamp>),
    /// There is a stamp, but part of the output is missing.
    CutOff,
}

/// Like [`read`], but also checks that the output is complete: in a folder, each picture must be there in its full
/// length; a file must not have been cut off.
pub fn read_output(output: &Output) -> Option<Said> {
    let (stamp, whole) = match output {
        Output::Sequence { folder, .. } => {
            let contents = Contents::read(folder)?;
            let whole = contents.is_whole(folder);
            (contents.stamp, whole)
        }
        Output::Video(path) | Output::Picture(path) => (read(path)?, label::is_whole(path)),
        Output::Stdout => return None,
    };
    Some(if whole { Said::Whole(Box::new(stamp)) } else { Said::CutOff })
}
