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

/// Whether an output says how it was made, and is not all there any more.
pub fn is_cut_off(output: &Output) -> bool {
    match output {
        Output::Sequence { folder, .. } => Contents::read(folder).is_some_and(|contents| !contents.is_whole(folder)),
        Output::Video(path) | Output::Picture(path) => read(path).is_some() && !label::is_whole(path),
        Output::Stdout => false,
    }
}

/// As [`read`], for an output that must be whole: of a folder, each picture must be there in its full length; a
/// file must not have been cut off since.
pub fn read_output(output: &Output) -> Option<Stamp> {
    match output {
        Output::Sequence { folder, .. } => {
            Contents::read(folder).filter(|contents| contents.is_whole(folder)).map(|contents| contents.stamp)
        }
        Output::Video(path) | Output::Picture(path) => read(path).filter(|_| label::is_whole(path)),
        Output::Stdout => None,
    }
}
