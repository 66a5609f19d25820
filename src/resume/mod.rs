//! What survives a run that ends before its job does: the parts that are painted, and the state to go on from.
//!
//! Everything lies in a folder beside the output, `.NAME.stylize/`:
//!
//! | file | what |
//! |---|---|
//! | `lock` | held by the run that works here, with its pid, host and beginning |
//! | `manifest.json` | which job this is, and which parts are finished; replaced atomically after each part |
//! | `part-*` | the parts, each put on the disk before the manifest names it |
//! | `state-*` | floats that the next frame needs: earlier painted frames and what belongs to them |
//! | `former/` | the same of another job, until this one has finished a part |
//! | `tail-*.raw` | after a clean interruption: painted frames that do not fill a part yet, as floats |
//!
//! Where parts end depends on the source and the settings alone (at cuts, and every `checkpoint` frames), never on
//! when a run was interrupted; each is encoded by a fresh encoder. So the result has the same bytes however often that
//! happened.

mod error;
mod former;
mod journal;
mod manifest;
mod tail;
mod work;

pub use error::ResumeError;
pub use former::{kept, make_room};
pub use journal::{Journal, Opened};
pub use manifest::{Complete, Manifest, ManifestError};
pub use tail::Tail;
pub use work::{Holder, WorkFolder};
