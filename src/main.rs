//! The command line of stylize-video.

fn main() {}
