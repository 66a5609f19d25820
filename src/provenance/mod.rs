//! How an output was made, in the output itself: enough to tell whether a job is done already, to see where a file is
//! from, and to paint another input the very same way.
//!
//! [`Stamp`] is what is said. [`crate::label`] puts it into a file; a folder of pictures has it in each picture that can
//! hold it, and in a [`Contents`] of its own. No dates and no names of inputs or outputs are in it: the same job writes
//! the same bytes.

mod contents;
mod like;
mod stamp;

use std::path::Path;

pub use contents::{CONTENTS, Contents, Entry};
pub use like::{Like, LikeError};
pub use stamp::{Painted, PresetStamp, Stamp, StyleStamp};

use crate::label;
use crate::media::Output;

/// The stamp in a file, or in a folder of pictures; `None` where there is none that this version reads. Cheap, and safe
/// whatever the file holds.
pub fn read(path: &Path) -> Option<Stamp> {
    if path.is_dir() {
        return Contents::read(path).map(|contents| contents.stamp);
    }
    label::read(path).ok().flatten().and_then(|text| Stamp::parse(&text))
}

/// What an output says of itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    Whole(Box<Stamp>),
    /// It says how it was made, and is not all there any more.
    CutOff,
}

/// As [`read`], for an output that should be whole: of a folder, each picture must be there in its full length; a file
/// must not have been cut off since.
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
