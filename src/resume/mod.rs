//! Resume: what survives a run that ends before its job does, i.e. the painted parts and the state to continue from.
//!
//! Everything lies in a folder next to the output, `.NAME.stylize/`:
//!
//! | file | content |
//! |---|---|
//! | `lock` | held by the run that works here; names its pid, host and start time |
//! | `manifest.json` | identifies the job and lists the finished parts; replaced atomically after each part |
//! | `part-*` | the parts, each on the disk before the manifest names it |
//! | `state-*` | floats that the next frame needs: earlier painted frames and the data that belongs to them |
//! | `former/` | the same files of another job, until this job has finished a part |
//! | `tail-*.raw` | after a clean interruption: painted frames that do not fill a part yet, as floats |
//!
//! Parts end at cuts and every `checkpoint` frames, which depends on the source and the settings alone, never on when a
//! run was interrupted. Each part has its own encoder. The result therefore has the same bytes however often the job
//! was interrupted.

mod error;
mod holder;
mod join;
mod journal;
mod manifest;
mod superseded;
mod tail;
mod work;

pub use error::ResumeError;
pub use holder::Holder;
pub use join::join;
pub use journal::{Journal, Opened};
pub use manifest::{Complete, Manifest, ManifestError, Place};
pub use superseded::{kept, make_room};
pub use tail::{Tail, tail_bytes};
pub use work::WorkFolder;
