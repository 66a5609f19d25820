//! Scratch file for the pictures of a shot: a shot painted in several passes is too long for memory.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::stylize::StyleError;

/// Rows of samples in one unnamed temporary file, which disappears with the process however it ends.
#[derive(Debug)]
pub struct ScratchFile {
    file: File,
    folder: PathBuf,
    /// Length in bytes.
    length: u64,
}

/// Position and length of a run of samples in a [`ScratchFile`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    at: u64,
    samples: usize,
}

/// Bytes per sample. Samples are raw 32-bit floats, little-endian, so that they read back to the bit.
const SAMPLE: usize = 4;

impl ScratchFile {
    /// Creates an empty file in `folder`.
    ///
    /// # Errors
    /// If no file can be created there.
    pub fn new(folder: &Path) -> Result<Self, StyleError> {
        let file = tempfile::tempfile_in(folder);
        let file = file.map_err(|source| StyleError::Scratch { folder: folder.into(), megabytes: 0, source })?;
        Ok(Self { file, folder: folder.into(), length: 0 })
    }

    /// Appends samples at the end.
    ///
    /// # Errors
    /// If the disk is full or fails.
    pub fn append(&mut self, samples: &[f32]) -> Result<Extent, StyleError> {
        let extent = Extent { at: self.length, samples: samples.len() };
        self.write(extent, samples)?;
        self.length += (SAMPLE * samples.len()) as u64;
        Ok(extent)
    }

    /// Overwrites the samples at `extent`.
    ///
    /// # Errors
    /// As [`ScratchFile::append`].
    ///
    /// # Panics
    /// If the number of samples differs.
    pub fn replace(&mut self, extent: Extent, samples: &[f32]) -> Result<(), StyleError> {
        assert_eq!(extent.samples, samples.len(), "as many samples as before");
        self.write(extent, samples)
    }

    /// Reads the samples at `extent`.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn read(&self, extent: Extent) -> Result<Vec<f32>, StyleError> {
        let mut bytes = vec![0; SAMPLE * extent.samples];
        let mut file = &self.file;
        let read = file.seek(SeekFrom::Start(extent.at)).and_then(|_| file.read_exact(&mut bytes));
        read.map_err(|source| self.failed(source))?;
        let (samples, _) = bytes.as_chunks::<SAMPLE>();
        Ok(samples.iter().map(|sample| f32::from_le_bytes(*sample)).collect())
    }

    fn write(&mut self, extent: Extent, samples: &[f32]) -> Result<(), StyleError> {
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let written = self.file.seek(SeekFrom::Start(extent.at)).and_then(|_| self.file.write_all(&bytes));
        written.map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> StyleError {
        StyleError::Scratch { folder: self.folder.clone(), megabytes: self.length >> 20, source }
    }
}
