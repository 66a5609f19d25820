//! Library of stylize-video, which repaints a video, an image sequence or a picture in the style of a painting.

pub mod batch;
pub mod catch_panic;
mod child;
pub mod cli;
pub mod commands;
pub mod decode;
pub mod encode;
pub mod explore;
pub mod files;
pub mod identity;
pub mod interrupt;
pub mod job;
pub mod label;
pub mod measure;
pub mod media;
pub mod motion;
pub mod pipeline;
pub mod provenance;
pub mod read_limited;
pub mod report;
pub mod resume;
pub mod settings;
pub mod stylize;
pub mod verify;
pub mod weights;
