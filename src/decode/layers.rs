//! Detects a second layer in an HEVC stream (transparency, or the other eye's view), which FFmpeg does not decode.
//! Looks at packet bytes only.

use ffmpeg_next::{Packet, Stream, codec};

use crate::media::ffi;

/// The number of packets to look at. A stream with a second layer has it from the beginning.
const MOST: u32 = 8;

/// The warning for the user.
const NOTE: &str = "its HEVC stream has a second layer (transparency, or the other eye's view), which FFmpeg does not \
                    read: it is lost";

/// Looks for a second layer in the packets of a stream.
#[derive(Debug)]
pub(super) struct Layers {
    /// Packets still to look at.
    left: u32,
    /// Size in bytes of the length field in front of each NAL unit; `None` if start codes separate the units.
    lengths: Option<usize>,
}

impl Layers {
    pub fn of(stream: &Stream) -> Self {
        let left = if stream.parameters().id() == codec::Id::HEVC { MOST } else { 0 };
        let setup = ffi::extradata(stream);
        let lengths = setup.first().filter(|&&version| version == 1).and(setup.get(21));
        Self { left, lengths: lengths.map(|byte| usize::from(byte & 3) + 1) }
    }

    /// Returns the warning if the packet has a second layer. The warning is returned once per stream.
    pub fn look(&mut self, packet: &Packet) -> Option<String> {
        self.left = self.left.checked_sub(1)?;
        let data = packet.data()?;
        let found = match self.lengths {
            Some(length) => framed(data, length),
            None => started(data),
        };
        found.then(|| {
            self.left = 0;
            NOTE.to_owned()
        })
    }
}

/// Whether the header of a NAL unit names a layer other than the first.
fn is_other(unit: &[u8]) -> bool {
    matches!(unit, [first, second, ..] if first & 0x80 == 0 && (first & 1) << 5 | second >> 3 != 0)
}

fn framed(mut data: &[u8], length: usize) -> bool {
    while let Some((size, rest)) = data.split_at_checked(length) {
        let size = size.iter().fold(0_usize, |size, &byte| size << 8 | usize::from(byte));
        let Some((unit, rest)) = rest.split_at_checked(size) else { return false };
        if is_other(unit) {
            return true;
        }
        data = rest;
    }
    false
}

fn started(data: &[u8]) -> bool {
    data.windows(5).any(|bytes| bytes.starts_with(&[0, 0, 1]) && is_other(&bytes[3..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_layer_is_found() {
        assert!(!framed(&[0, 0, 0, 3, 0x26, 0x01, 0xff], 4) && !framed(&[0, 0, 0, 9, 0x26, 0x09], 4));
        assert!(framed(&[0, 3, 0x26, 0x01, 0xff, 0, 3, 0x26, 0x09, 0xff], 2));
        assert!(started(&[0, 0, 0, 1, 0x26, 0x01, 0xff, 0, 0, 1, 0x26, 0x09, 0xff]));
        assert!(!started(&[0, 0, 0, 1, 0x26, 0x01, 0xff]));
    }
}
