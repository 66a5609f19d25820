//! Saved state of a stylizer, from which another process continues as if nothing had happened. All values are floats,
//! stored to the bit.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;

use safetensors::{Dtype, SafeTensors, View};
use tch::{Device, Tensor};

use super::StyleError;
use super::tensor::{from_planes, to_planes};

/// Name under which the numbers are stored among the planes.
const NUMBERS: &str = "numbers";

/// Planes of 32-bit floats, and numbers. Empty at the start of a shot, where the next picture needs no state.
#[derive(Debug, Default)]
pub struct Snapshot {
    numbers: Vec<f64>,
    planes: BTreeMap<String, Plane>,
}

#[derive(Debug)]
enum Plane {
    /// `[1,C,H,W]`, on any device; copied only when it is written.
    Tensor(Tensor),
    Floats(Vec<f32>),
}

impl Plane {
    /// Returns the number of floats.
    fn len(&self) -> usize {
        match self {
            Self::Tensor(tensor) => tensor.numel(),
            Self::Floats(floats) => floats.len(),
        }
    }
}

impl Snapshot {
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.planes.is_empty()
    }

    /// Returns the bytes of its planes and numbers; the file has a few kilobytes more, for their names.
    pub fn bytes(&self) -> u64 {
        let floats: usize = self.planes.values().map(Plane::len).sum();
        (size_of::<f32>() * floats + size_of::<f64>() * self.numbers.len()) as u64
    }

    pub fn numbers(&self) -> &[f64] {
        &self.numbers
    }

    pub(super) fn set_numbers(&mut self, numbers: Vec<f64>) {
        self.numbers = numbers;
    }

    pub(super) fn put(&mut self, name: String, tensor: &Tensor) {
        self.planes.insert(name, Plane::Tensor(tensor.shallow_clone()));
    }

    pub(super) fn put_floats(&mut self, name: String, floats: Vec<f32>) {
        self.planes.insert(name, Plane::Floats(floats));
    }

    /// Returns the plane `name` as a picture `[1,channels,height,width]`.
    pub(super) fn picture(
        &self,
        name: &str,
        (channels, height, width): (i64, i64, i64),
        device: Device,
    ) -> Result<Tensor, StyleError> {
        let floats = self.floats(name)?;
        if floats.len() as i64 != channels * height * width {
            return Err(lacks(name));
        }
        from_planes(&floats, channels, height, width, device)
    }

    pub(super) fn floats(&self, name: &str) -> Result<Vec<f32>, StyleError> {
        match self.planes.get(name).ok_or_else(|| lacks(name))? {
            Plane::Tensor(tensor) => to_planes(tensor),
            Plane::Floats(floats) => Ok(floats.clone()),
        }
    }

    /// Writes the snapshot as safetensors, one plane at a time, and syncs it to disk.
    ///
    /// # Errors
    /// If the disk is full or fails, or what libtorch reports.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let fault = RefCell::new(None);
        let (data, shape) = (Data::Numbers(&self.numbers), [self.numbers.len()]);
        let numbers = Bytes { dtype: Dtype::F64, shape, data, fault: &fault };
        let planes = self.planes.iter().map(|(name, plane)| {
            let count = plane.len();
            (name.as_str(), Bytes { dtype: Dtype::F32, shape: [count], data: Data::Plane(plane), fault: &fault })
        });
        let all: Vec<(&str, Bytes<'_>)> = planes.chain([(NUMBERS, numbers)]).collect();
        let failed = |error: safetensors::SafeTensorError| match error {
            safetensors::SafeTensorError::IoError(error) => error,
            error => io::Error::other(error.to_string()),
        };
        safetensors::serialize_to_file(all, None, path).map_err(failed)?;
        if let Some(error) = fault.take() {
            return Err(io::Error::other(error));
        }
        File::open(path)?.sync_all()
    }

    /// Reads a file that [`Snapshot::write`] has written.
    ///
    /// # Errors
    /// If the file is missing or damaged.
    pub fn read(path: &Path) -> io::Result<Self> {
        let bytes = std::fs::read(path)?;
        let damaged = |what: &dyn std::fmt::Display| io::Error::new(io::ErrorKind::InvalidData, what.to_string());
        let tensors = SafeTensors::deserialize(&bytes).map_err(|error| damaged(&error))?;
        let mut snapshot = Self::default();
        for (name, view) in tensors.iter() {
            match view.dtype() {
                Dtype::F64 if name == NUMBERS => {
                    let (numbers, _) = view.data().as_chunks::<8>();
                    snapshot.numbers = numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
                }
                Dtype::F32 => {
                    let (floats, _) = view.data().as_chunks::<4>();
                    let floats = floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
                    snapshot.put_floats(name.to_owned(), floats);
                }
                _ => return Err(damaged(&"numbers of a strange kind")),
            }
        }
        Ok(snapshot)
    }
}

fn lacks(name: &str) -> StyleError {
    StyleError::Snapshot { name: name.to_owned() }
}

/// A tensor in the form that safetensors expects.
struct Bytes<'a> {
    dtype: Dtype,
    shape: [usize; 1],
    data: Data<'a>,
    /// The `View` trait cannot return errors; errors from the device are stored here.
    fault: &'a RefCell<Option<StyleError>>,
}

enum Data<'a> {
    Plane(&'a Plane),
    Numbers(&'a [f64]),
}

impl View for Bytes<'_> {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> std::borrow::Cow<'_, [u8]> {
        let little = |floats: &[f32]| floats.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<u8>>();
        match &self.data {
            Data::Numbers(numbers) => numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>(),
            Data::Plane(Plane::Floats(floats)) => little(floats),
            Data::Plane(Plane::Tensor(tensor)) => match to_planes(tensor) {
                Ok(floats) => little(&floats),
                Err(error) => {
                    self.fault.replace(Some(error));
                    vec![0; self.data_len()]
                }
            },
        }
        .into()
    }

    fn data_len(&self) -> usize {
        self.shape[0] * self.dtype.bitsize() / 8
    }
}
