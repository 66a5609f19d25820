//! Finds out whether a file is cut off by comparing the sizes that its structure announces with its real size.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use crate::containers::boxes::Boxes;
use crate::containers::ebml::{self, Elements};
use crate::containers::{riff, take};

/// The highest number of elements of a file to look at.
const MOST: usize = 4_000_000;

/// Returns how many announced bytes the file lacks, and how many it has. Returns `None` if it announces nothing or is
/// complete. Only the sizes of the elements are used, not a duration or file length that a header claims.
pub(super) fn bytes_missing(path: &Path, demuxer: &str) -> Option<(u64, u64)> {
    let mut file = BufReader::new(File::open(path).ok()?);
    let length = file.get_ref().metadata().ok().filter(|found| found.is_file())?.len();
    let is = |name: &str| demuxer.split(',').any(|part| part == name);
    let end = match () {
        () if is("matroska") => segment(&mut file, length),
        () if is("mov") => fragments(&mut file),
        () if is("avi") => movie_list(&mut file),
        () if is("flv") => tags(&mut file, length),
        () if is("asf") => data_object(&mut file, length),
        () if is("ogg") => last_page(&mut file, length),
        () => return None,
    };
    let end = end.ok().flatten()?;
    (end > length).then(|| (end - length, length))
}

/// Returns the end of the segment or, if its size is unknown (a live recording), of its last element.
fn segment(file: &mut (impl Read + Seek), length: u64) -> io::Result<Option<u64>> {
    let mut elements = Elements::new(file)?;
    let header = elements.next().transpose()?;
    if header.is_none_or(|header| header.id != ebml::HEADER || header.size.is_none()) {
        return Ok(None);
    }
    let mut end = None;
    // What follows a damaged element is not looked at. Another file may be appended to a segment.
    for element in elements.take(MOST).map_while(Result::ok) {
        match element.end() {
            Some(segment) if element.id == ebml::SEGMENT && segment >= length => return Ok(Some(segment)),
            Some(_) if element.id == 0 => return Ok(None),
            Some(found) => end = Some(found),
            // The elements inside come next.
            None if [ebml::SEGMENT, ebml::CLUSTER].contains(&element.id) => {}
            None => break,
        }
    }
    Ok(end)
}

/// Returns the end of the last box of a fragmented MP4. For other MP4 files it returns `None`: their picture index
/// tells more.
fn fragments(file: &mut (impl Read + Seek)) -> io::Result<Option<u64>> {
    let (mut end, mut fragmented) = (0, false);
    for found in Boxes::new(file)?.take(MOST) {
        let found = found?;
        fragmented |= &found.kind == b"moof";
        let Some(next) = found.next() else { break };
        end = next;
    }
    Ok(fragmented.then_some(end))
}

/// Whether an MP4 is fragmented, so that the index at its beginning lists only a few of its pictures.
pub(super) fn is_fragmented(path: &Path) -> bool {
    let look = || -> io::Result<bool> {
        let mut file = BufReader::new(File::open(path)?);
        Ok(fragments(&mut file)?.is_some())
    };
    look().unwrap_or(false)
}

/// Returns the end of an AVI's `movi` list. If a recorder is switched off, the size stays empty and proves nothing.
fn movie_list(file: &mut (impl Read + Seek)) -> io::Result<Option<u64>> {
    let mut end = None;
    let mut files = riff::Chunks::new(file, 0)?;
    while let Some(whole) = files.next().transpose()?.filter(|whole| &whole.name == b"RIFF") {
        let mut chunks = riff::Chunks::new(files.source(), whole.begin + riff::FIRST)?;
        while let Some(chunk) = chunks.next().transpose()? {
            if &chunk.name != b"LIST" {
                continue;
            }
            // A name that the end of the file cuts off is no evidence.
            if take(chunks.source()).is_ok_and(|name: [u8; 4]| name == *b"movi") {
                let told = chunk.size > 4 && chunk.size != u32::MAX;
                end = told.then(|| chunk.end());
                break;
            }
        }
        if whole.size <= 4 {
            break;
        }
    }
    Ok(end)
}

/// Returns the end of the last tag of an FLV.
fn tags(file: &mut (impl Read + Seek), length: u64) -> io::Result<Option<u64>> {
    let head: [u8; 9] = take(file)?;
    if !head.starts_with(b"FLV") {
        return Ok(None);
    }
    let mut at = u64::from(u32::from_be_bytes([head[5], head[6], head[7], head[8]])) + 4;
    for _ in 0..MOST {
        if at + 11 > length {
            break;
        }
        file.seek(SeekFrom::Start(at))?;
        let tag: [u8; 4] = take(file)?;
        // Audio, video and script tags; anything else is not a tag, and its size is unknown.
        if ![8, 9, 18].contains(&(tag[0] & 0x1f)) {
            return Ok(None);
        }
        let size = u32::from_be_bytes([0, tag[1], tag[2], tag[3]]);
        let next = at + 11 + u64::from(size);
        if next > length {
            return Ok(Some(next));
        }
        at = next + 4;
    }
    Ok(None)
}

/// Returns the end of the packets of an ASF (WMV) file.
fn data_object(file: &mut (impl Read + Seek), length: u64) -> io::Result<Option<u64>> {
    const HEADER: [u8; 4] = [0x30, 0x26, 0xb2, 0x75];
    const DATA: [u8; 4] = [0x36, 0x26, 0xb2, 0x75];
    let mut at = 0_u64;
    for _ in 0..100 {
        if at + 24 > length {
            break;
        }
        file.seek(SeekFrom::Start(at))?;
        let name: [u8; 16] = take(file)?;
        let size = u64::from_le_bytes(take(file)?);
        if at == 0 && !name.starts_with(&HEADER) {
            break;
        }
        if name.starts_with(&DATA) {
            // In a live stream the size is unknown.
            return Ok((size > 50 && size < u64::MAX / 2).then(|| at.saturating_add(size)));
        }
        at = at.saturating_add(size.max(24));
    }
    Ok(None)
}

/// Returns the end of the last page of an Ogg file.
fn last_page(file: &mut (impl Read + Seek), length: u64) -> io::Result<Option<u64>> {
    // A page has at most 65307 bytes.
    let from = length.saturating_sub(1 << 17);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let Some(place) = tail.windows(5).rposition(|head| head == b"OggS\0") else { return Ok(None) };
    let page = &tail[place..];
    let Some(&count) = page.get(26) else { return Ok(Some(from + place as u64 + 28)) };
    let segments = page.get(27..27 + usize::from(count)).map(|sizes| sizes.iter().map(|&size| u64::from(size)).sum());
    let size = segments.map_or(u64::from(count) + 28, |size: u64| 27 + u64::from(count) + size);
    Ok(Some(from + place as u64 + size))
}

/// Counts the pages of an Ogg file with a wrong checksum, which FFmpeg skips silently.
pub(super) fn bad_pages(path: &Path) -> u64 {
    let count = |path: &Path| -> io::Result<u64> {
        let mut file = BufReader::with_capacity(1 << 17, File::open(path)?);
        let mut bad = 0;
        loop {
            let mut head = [0; 27];
            if file.read_exact(&mut head).is_err() {
                return Ok(bad);
            }
            if !head.starts_with(b"OggS\0") {
                // This is no page, and the next one is not searched for.
                return Ok(bad + 1);
            }
            let mut sizes = vec![0; usize::from(head[26])];
            file.read_exact(&mut sizes)?;
            let mut body = vec![0; sizes.iter().map(|&size| usize::from(size)).sum()];
            if file.read_exact(&mut body).is_err() {
                return Ok(bad);
            }
            let told = u32::from_le_bytes([head[22], head[23], head[24], head[25]]);
            head[22..26].fill(0);
            let sum = [&head[..], &sizes, &body].into_iter().fold(0, ogg_sum);
            bad += u64::from(sum != told);
        }
    };
    count(path).unwrap_or(0)
}

/// Continues Ogg's checksum (a CRC-32) with more bytes.
fn ogg_sum(before: u32, bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut at = 0;
        while at < 256 {
            let mut value = (at as u32) << 24;
            let mut bit = 0;
            while bit < 8 {
                value = (value << 1) ^ if value >> 31 == 1 { 0x04c1_1db7 } else { 0 };
                bit += 1;
            }
            table[at] = value;
            at += 1;
        }
        table
    };
    bytes.iter().fold(before, |sum, &byte| sum << 8 ^ TABLE[(sum >> 24) as usize ^ usize::from(byte)])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn end(walk: impl Fn(&mut Cursor<Vec<u8>>, u64) -> io::Result<Option<u64>>, bytes: &[u8]) -> Option<u64> {
        walk(&mut Cursor::new(bytes.to_vec()), bytes.len() as u64).unwrap_or_default()
    }

    #[test]
    fn a_segment_ends_where_its_size_says() {
        let header = [0x1a, 0x45, 0xdf, 0xa3, 0x81, 7];
        let segment_of = |size: &[u8]| [&header, [0x18, 0x53, 0x80, 0x67].as_slice(), size].concat();
        assert_eq!(end(segment, &segment_of(&[0x40, 100])), Some(112));
        assert_eq!(end(segment, &segment_of(&[0x01, 0, 0, 0, 0, 0, 1, 0])), Some(18 + 256));
        let unknown = segment_of(&[0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(end(segment, &unknown), None);
        // With an unknown size, the elements inside decide.
        let cluster = [&unknown[..], &[0x1f, 0x43, 0xb6, 0x75, 0x8a, 0xe7, 0x81]].concat();
        assert_eq!(end(segment, &cluster), Some(18 + 5 + 10));
        let open = [&unknown[..], &[0x1f, 0x43, 0xb6, 0x75, 0xff, 0xe7, 0x81, 0, 0xa3, 0x90, 0]].concat();
        assert_eq!(end(segment, &open), Some(18 + 5 + 3 + 2 + 16));
        assert_eq!(end(segment, b"RIFF"), None);
    }

    #[test]
    fn a_page_has_a_sum() {
        // The check value of this CRC (polynomial 0x04c11db7, initial value 0, not reflected).
        assert_eq!(ogg_sum(0, b"123456789"), 0x89a1_897f);
    }

    #[test]
    fn lists_tags_objects_and_pages_end_where_their_sizes_say() {
        let list =
            |size: u32| [b"RIFF".as_slice(), &[0; 4], b"AVI ", b"LIST", &size.to_le_bytes(), b"movi00dc"].concat();
        let movies = |file: &mut Cursor<Vec<u8>>, _| movie_list(file);
        assert_eq!(end(movies, &list(1000)), Some(12 + 8 + 1000));
        assert_eq!((end(movies, &list(0)), end(movies, &list(u32::MAX))), (None, None));
        let flv = [b"FLV\x01\x05\0\0\0\x09\0\0\0\0".as_slice(), b"\x09\0\0\x20\0\0\0\0\0\0\0abc"].concat();
        assert_eq!(end(tags, &flv), Some(13 + 11 + 32));
        let page = [b"xxOggS\0".as_slice(), &[0; 21], &[2, 10, 20], &[1; 7]].concat();
        assert_eq!(end(last_page, &page), Some(2 + 27 + 2 + 30));
    }
}
