//! Every row of the table in `docs/formats.md`, through the program's command line.

pub mod harness;

mod claims;
mod clocks;
mod codecs;
mod colour;
mod content;
mod damage;
mod deep;
mod filters;
mod oddities;
mod pictures;
mod pipes;
mod proof;
mod shape;
mod stills;
mod streams;
mod table;
mod timing;
