//! The options of demuxers and encoders that a preset or a record may set.

/// Demuxer options that only describe the input's bytes.
pub(super) const INPUT_OPTIONS: [&str; 6] =
    ["analyzeduration", "framerate", "ignore_loop", "pixel_format", "probesize", "video_size"];

/// Encoder options that only control encoding. Others, such as `stats` or `x265-params`, can name files.
pub(super) const ENCODER_OPTIONS: [&str; 31] = [
    "aq-mode",
    "b",
    "bf",
    "bufsize",
    "coder",
    "context",
    "cpu-used",
    "crf",
    "deadline",
    "film-grain",
    "g",
    "keyint_min",
    "lag-in-frames",
    "level",
    "maxrate",
    "preset",
    "profile",
    "qp",
    "quality",
    "rc-lookahead",
    "refs",
    "row-mt",
    "slicecrc",
    "slices",
    "speed",
    "threads",
    "tile-columns",
    "tile-rows",
    "tiles",
    "tune",
    "vendor",
];
