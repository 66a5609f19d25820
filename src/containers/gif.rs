//! GIF: the extensions before the first picture. Each is a chain of sub-blocks of at most 255 bytes.

use std::io::{self, Read, Seek, SeekFrom};

use super::take;

/// First byte of an extension.
pub(crate) const EXTENSION: u8 = 0x21;

/// Label of an application's extension.
pub(crate) const APPLICATION: u8 = 0xff;

/// Highest number of sub-blocks: in a damaged file they could continue to its end, however long it is.
const MOST: usize = 1 << 16;

/// Walks over the labels of extensions up to the first block of another kind. A cut-off file is an error.
pub(crate) struct Extensions<'a, R> {
    from: &'a mut R,
    /// Whether the sub-blocks of the last extension are still to be passed.
    open: bool,
    ended: bool,
}

impl<'a, R: Read + Seek> Extensions<'a, R> {
    /// Starts after the header and the global palette.
    pub fn new(from: &'a mut R) -> io::Result<Self> {
        from.seek(SeekFrom::Start(10))?;
        let [flags] = take(from)?;
        let palette = if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
        from.seek(SeekFrom::Start(13 + palette))?;
        Ok(Self { from, open: false, ended: false })
    }

    /// Returns the contents of the last extension without the sub-blocks' lengths; of a longer one only somewhat more
    /// than `most` bytes. A second call returns nothing.
    pub fn contents(&mut self, most: usize) -> io::Result<Vec<u8>> {
        let mut contents = Vec::new();
        self.pass(|block| {
            if contents.len() <= most {
                contents.extend(block);
            }
        })?;
        Ok(contents)
    }

    /// Reads the sub-blocks of the last extension up to the empty one that ends them.
    fn pass(&mut self, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        if !std::mem::take(&mut self.open) {
            return Ok(());
        }
        for _ in 0..MOST {
            let [length] = take(self.from)?;
            if length == 0 {
                return Ok(());
            }
            let mut block = [0; 255];
            let block = &mut block[..usize::from(length)];
            self.from.read_exact(block)?;
            each(block);
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }

    /// Returns where the extensions end: before the first one whose label is not `label`, or before another block.
    pub fn end_of(mut self, label: u8) -> io::Result<u64> {
        loop {
            self.pass(|_| {})?;
            let begin = self.from.stream_position()?;
            if self.step()? != Some(label) {
                return Ok(begin);
            }
        }
    }

    fn step(&mut self) -> io::Result<Option<u8>> {
        self.pass(|_| {})?;
        let [EXTENSION, label] = take(self.from)? else { return Ok(None) };
        self.open = true;
        Ok(Some(label))
    }
}

impl<R: Read + Seek> Iterator for Extensions<'_, R> {
    type Item = io::Result<u8>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let found = self.step().transpose();
        self.ended = !matches!(found, Some(Ok(_)));
        found
    }
}
