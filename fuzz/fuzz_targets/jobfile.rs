#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    stylize_video_fuzz::jobfile(bytes);
});
