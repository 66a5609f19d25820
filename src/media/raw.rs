//! Pictures stored as raw floats, so that reading returns exactly what was written, bit for bit.

use std::io::{self, Read, Write};

use super::Pixels;

/// Bytes of the header of each picture: width, height and whether there is alpha, 4 bytes each, little-endian.
const HEAD: usize = 12;
/// Upper limit for width and height: anything larger means damaged data.
const LONGEST: usize = 1 << 16;

/// Writes a picture.
///
/// # Errors
/// If the disk is full or a write fails.
pub fn write(to: &mut impl Write, pixels: &Pixels) -> io::Result<()> {
    let Pixels { width, height, rgb, alpha } = pixels;
    for number in [*width, *height, usize::from(alpha.is_some())] {
        let number = u32::try_from(number).map_err(|_| io::Error::other("a picture of such a size"))?;
        to.write_all(&number.to_le_bytes())?;
    }
    for plane in std::iter::once(rgb).chain(alpha) {
        let bytes: Vec<u8> = plane.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        to.write_all(&bytes)?;
    }
    Ok(())
}

/// Reads the next picture.
///
/// # Errors
/// If there is no further picture, or its data are damaged.
pub fn read(from: &mut impl Read) -> io::Result<Pixels> {
    let mut head = [0; HEAD];
    from.read_exact(&mut head)?;
    let (numbers, _) = head.as_chunks::<4>();
    let [width, height, alpha] = [0, 1, 2].map(|n| u32::from_le_bytes(numbers[n]) as usize);
    if !(1..=LONGEST).contains(&width) || !(1..=LONGEST).contains(&height) || alpha > 1 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a damaged picture"));
    }
    let mut plane = |count: usize| -> io::Result<Vec<f32>> {
        let mut bytes = Vec::new();
        // The buffer grows with the bytes read: a damaged header must not cause a huge allocation.
        from.take(4 * count as u64).read_to_end(&mut bytes)?;
        if bytes.len() != 4 * count {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (samples, _) = bytes.as_chunks::<4>();
        Ok(samples.iter().map(|sample| f32::from_le_bytes(*sample)).collect())
    };
    let rgb = plane(3 * width * height)?;
    let alpha = if alpha == 1 { Some(plane(width * height)?) } else { None };
    Ok(Pixels { width, height, rgb, alpha })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_was_written() {
        let rgb = (0..36).map(|n| f32::from_bits(0x3e00_0000 + n * 12345)).collect();
        let one = Pixels { width: 4, height: 3, rgb, alpha: Some(vec![0.25; 12]) };
        let two = Pixels::black(2, 2);
        let mut bytes = Vec::new();
        write(&mut bytes, &one).unwrap();
        write(&mut bytes, &two).unwrap();
        let mut from = bytes.as_slice();
        assert_eq!((read(&mut from).unwrap(), read(&mut from).unwrap()), (one, two));
        assert!(read(&mut from).is_err());
        let mut damaged = bytes.clone();
        damaged[0..4].copy_from_slice(&60_000u32.to_le_bytes());
        assert!(read(&mut damaged.as_slice()).is_err());
        damaged[0..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(read(&mut damaged.as_slice()).is_err());
    }
}
