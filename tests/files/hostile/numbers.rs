//! Numbers in a file that stand for enumeration values, set to values outside the enumeration.

use crate::common::Desk;
use crate::common::clips::Clip;
use crate::formats::harness::{identity, program};

/// ProRes stores primaries, transfer and matrix as bytes in each picture's header, and FFmpeg passes them on unchecked.
/// Converting such a number to an enumeration used to end the program with a segmentation fault.
#[test]
fn colours_that_there_are_not() {
    let desk = Desk::new();
    let whole = Clip::of(2).size(64, 48).coded("-c:v prores_ks").make(&desk, "whole.mov");
    for (number, value) in [(14, 236), (15, 236), (16, 236), (14, 13), (16, 255)] {
        let name = format!("{number}-{value}.mov");
        let input = desk.changed(&whole, &name, |bytes| {
            // The picture's size and name, then its header.
            let headers: Vec<_> = bytes.windows(4).enumerate().filter(|(_, name)| name == b"icpf").collect();
            let places: Vec<usize> = headers.iter().map(|(at, _)| at + 4 + number).collect();
            assert_eq!(places.len(), 2);
            places.into_iter().for_each(|at| bytes[at] = value);
        });
        let ended = identity(&desk, &input, &format!("{number}-{value}.mkv")).run();
        assert_eq!(ended.code, 0, "{name}: {}", ended.stderr);
        let verified = program(&desk).arg("verify").args([&input, &input]).output().unwrap();
        assert_eq!(verified.status.code(), Some(0), "{name}: {}", String::from_utf8_lossy(&verified.stderr));
    }
}

/// An animation frame whose picture is larger than the frame: the library panics, and the program reports an error.
#[test]
fn a_frame_that_is_larger_than_it_says() {
    let desk = Desk::new();
    let whole =
        Clip::of(3).size(64, 48).see_through().coded("-c:v libwebp_anim -pix_fmt yuva420p").make(&desk, "a.webp");
    let input = desk.changed(&whole, "in.webp", |bytes| {
        // The width follows the start code of the picture that comes after the alpha.
        let alpha = bytes.windows(4).position(|name| name == b"ALPH").unwrap();
        let code = alpha + bytes[alpha..].windows(3).position(|code| code == [0x9d, 1, 0x2a]).unwrap();
        bytes[code + 3] += 16;
    });
    let ended = identity(&desk, &input, "out.mkv").run();
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("is not an animation that can be read"), "{}", ended.stderr);
}
