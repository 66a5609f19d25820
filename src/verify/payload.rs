//! Extracts and hashes the payload of a packet, without the framing that a container adds.

use ffmpeg_next::codec::Id;
use sha2::{Digest, Sha256};

use super::contents::Stream;

/// The framing of a stream's packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Plain,
    /// AAC with an ADTS header of 7 or 9 bytes per packet.
    Adts,
    /// NAL units separated by start codes.
    StartCodes {
        hevc: bool,
    },
    /// NAL units preceded by their length, in a field of `bytes` bytes.
    Lengths {
        hevc: bool,
        bytes: usize,
    },
}

impl Framing {
    pub fn of(stream: &Stream) -> Self {
        let extradata = &stream.parameters.extradata;
        // A codec's configuration record begins with its version, 1; without a record, packets have start codes.
        let record = |lengths: usize| {
            let found = extradata.first().is_some_and(|&version| version == 1);
            found.then(|| extradata.get(lengths).map_or(4, |byte| usize::from(byte & 3) + 1))
        };
        let nal = |hevc: bool, lengths: usize| match record(lengths) {
            Some(bytes) => Self::Lengths { hevc, bytes },
            None => Self::StartCodes { hevc },
        };
        match stream.codec {
            Id::AAC if extradata.is_empty() => Self::Adts,
            Id::H264 => nal(false, 4),
            Id::HEVC => nal(true, 21),
            _ => Self::Plain,
        }
    }

    /// Returns the size of the payload in bytes, and its hash.
    pub fn digest(self, data: &[u8]) -> (usize, u64) {
        match self {
            Self::Plain => (data.len(), hash(data)),
            Self::Adts => {
                let body = without_adts(data);
                (body.len(), hash(body))
            }
            Self::StartCodes { hevc } => join(split(data), hevc),
            Self::Lengths { hevc, bytes } => match cut(data, bytes) {
                Some(units) => join(units, hevc),
                None => (data.len(), hash(data)),
            },
        }
    }
}

/// Returns the first 8 bytes of the SHA-256 hash.
pub(super) fn hash(data: &[u8]) -> u64 {
    first(&Sha256::digest(data))
}

/// Combines two hashes into one.
pub(super) fn chain(before: u64, next: u64) -> u64 {
    hash(&[before.to_le_bytes(), next.to_le_bytes()].concat())
}

pub(super) fn first(digest: &[u8]) -> u64 {
    digest.iter().take(8).fold(0, |sum, &byte| sum << 8 | u64::from(byte))
}

fn without_adts(data: &[u8]) -> &[u8] {
    let header = match data {
        [0xff, second, ..] if second & 0xf6 == 0xf0 => {
            if second & 1 == 1 {
                7
            } else {
                9
            }
        }
        _ => 0,
    };
    data.get(header..).unwrap_or(data)
}

/// Hashes NAL units one after the other, without access unit delimiters.
fn join<'a>(units: impl IntoIterator<Item = &'a [u8]>, hevc: bool) -> (usize, u64) {
    let mut size = 0;
    let mut digest = Sha256::new();
    for unit in units {
        let delimiter = match unit.first() {
            None => true,
            Some(byte) if hevc => byte >> 1 & 0x3f == 35,
            Some(byte) => byte & 0x1f == 9,
        };
        if !delimiter {
            size += unit.len();
            digest.update((unit.len() as u64).to_le_bytes());
            digest.update(unit);
        }
    }
    (size, first(&digest.finalize()))
}

/// Returns the NAL units between start codes (`00 00 01`), without trailing zeros.
fn split(data: &[u8]) -> Vec<&[u8]> {
    let mut units = Vec::new();
    let mut begin = None;
    let mut at = 0;
    while at + 3 <= data.len() {
        if data[at..at + 3] == [0, 0, 1] {
            units.extend(begin.map(|begin: usize| trimmed(&data[begin..at])));
            at += 3;
            begin = Some(at);
        } else {
            at += 1;
        }
    }
    units.extend(begin.map(|begin| trimmed(&data[begin..])));
    units
}

fn trimmed(unit: &[u8]) -> &[u8] {
    let end = unit.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    &unit[..end]
}

/// Returns the NAL units behind big-endian lengths; `None` if the lengths do not fit.
fn cut(mut data: &[u8], bytes: usize) -> Option<Vec<&[u8]>> {
    let mut units = Vec::new();
    while !data.is_empty() {
        let (length, rest) = data.split_at_checked(bytes)?;
        let length = length.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
        let (unit, rest) = rest.split_at_checked(length)?;
        units.push(trimmed(unit));
        data = rest;
    }
    Some(units)
}

/// Whether a codec's packets are plain text subtitles in any format.
pub(super) fn is_text(codec: Id) -> bool {
    matches!(codec, Id::SUBRIP | Id::WEBVTT | Id::TEXT | Id::MOV_TEXT)
}

/// Whether a codec's packets are raw samples, which can be split anywhere.
pub(super) fn is_pcm(codec: Id) -> bool {
    codec.name().starts_with("pcm_")
}

/// Whether a codec's packets have the same bytes in all containers, apart from the framing that [`Framing`] handles.
pub(super) fn is_plain(codec: Id) -> bool {
    use Id::{AAC, AC3, ALAC, ASS, FLAC, MP2, MP3, OPUS, SSA, VORBIS};
    is_pcm(codec) || is_text(codec) || matches!(codec, AAC | AC3 | ALAC | ASS | FLAC | MP2 | MP3 | OPUS | SSA | VORBIS)
}

/// Returns the text of a subtitle packet without style markup.
pub(super) fn words(codec: Id, data: &[u8]) -> String {
    let text = match data {
        [high, low, rest @ ..] if codec == Id::MOV_TEXT => {
            let length = usize::from(*high) << 8 | usize::from(*low);
            rest.get(..length).unwrap_or(rest)
        }
        _ => data,
    };
    let text = String::from_utf8_lossy(text);
    let mut plain = String::new();
    let mut rest = text.as_ref();
    while let Some(open) = rest.find(['<', '{']) {
        let (before, mark) = rest.split_at(open);
        plain += before;
        // A lone `<` is not markup, and braces hold a style only with a backslash: `{\an8}`.
        let closing = match mark.as_bytes() {
            [b'<', next, ..] if next.is_ascii_alphanumeric() || *next == b'/' => Some('>'),
            [b'{', b'\\', ..] => Some('}'),
            _ => None,
        };
        match closing.and_then(|closing| mark.find(closing)) {
            Some(close) => rest = &mark[close + 1..],
            None => {
                plain += &mark[..1];
                rest = &mark[1..];
            }
        }
    }
    plain += rest;
    let plain = plain.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ").replace("&amp;", "&");
    plain.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" / ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nal_units_are_the_same_behind_codes_and_lengths() {
        let coded = [&[0, 0, 0, 1, 9, 0xf0, 0, 0, 0, 1, 0x65, 1, 2, 0, 0, 1, 0x41, 7][..], &[0, 0][..]].concat();
        let lengths = [0, 0, 0, 3, 0x65, 1, 2, 0, 0, 0, 2, 0x41, 7];
        let a = Framing::StartCodes { hevc: false }.digest(&coded);
        assert_eq!(a, Framing::Lengths { hevc: false, bytes: 4 }.digest(&lengths));
        assert_eq!(a.0, 5);
        assert_ne!(a, Framing::StartCodes { hevc: false }.digest(&coded[..12]));
    }

    #[test]
    fn lengths_that_do_not_fit_are_hashed_as_they_are() {
        let broken = [0, 0, 0, 200, 1, 2];
        assert_eq!(Framing::Lengths { hevc: true, bytes: 4 }.digest(&broken), (6, hash(&broken)));
    }

    #[test]
    fn adts_headers_are_left_out() {
        let header = [0xff, 0xf1, 0x50, 0x80, 0x02, 0x1f, 0xfc];
        let packet = [&header[..], b"sound"].concat();
        assert_eq!(Framing::Adts.digest(&packet), Framing::Plain.digest(b"sound"));
    }

    #[test]
    fn words_have_no_style() {
        assert_eq!(words(Id::SUBRIP, b"{\\an8}<i>Guten</i> Tag\r\n1 < 2 {sic}"), "Guten Tag / 1 < 2 {sic}");
        assert_eq!(words(Id::MOV_TEXT, b"\0\x05Hallo\0\0\0\x0cstyl\0\0\0\0"), "Hallo");
        assert_eq!(words(Id::MOV_TEXT, b"\0\0"), "");
        assert_eq!(words(Id::WEBVTT, b"a &amp; b"), "a & b");
    }
}
