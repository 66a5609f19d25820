//! Help texts that list what the tables of networks and codecs hold.

use crate::encode::codec_names;
use crate::settings::BACKBONES;

pub fn backbone() -> String {
    format!("Networks whose features are compared: auto, or one or several (a+b) of {}", BACKBONES.join(", "))
}

pub fn codec() -> String {
    let names: Vec<&str> = codec_names().collect();
    format!("{}, or an encoder of FFmpeg such as libx265 or h264_nvenc", names.join(", "))
}
