//! Replaces numbers that FFmpeg copies from a file unchecked (such as the matrix in ProRes) into fields that are Rust
//! enumerations here, where reading a value outside the enumeration is undefined behaviour.

use std::ptr;

use ffmpeg_next::{ffi, frame};

/// The number for "unspecified": 2 in the enumerations of H.273.
const UNSPECIFIED: i32 = 2;

/// Replaces the numbers without a name in FFmpeg by "unspecified", in the parameters of a stream.
///
/// # Safety
/// `parameters` is valid, and no reference to it is in use.
pub(super) unsafe fn parameters(parameters: *mut ffi::AVCodecParameters) {
    // SAFETY: the fields lie in a valid struct and no reference to it exists; they are read and written as the integers
    // that they are in C.
    unsafe {
        matrix(ptr::addr_of_mut!((*parameters).color_space).cast());
        range(ptr::addr_of_mut!((*parameters).color_range).cast());
        primaries(ptr::addr_of_mut!((*parameters).color_primaries).cast());
        transfer(ptr::addr_of_mut!((*parameters).color_trc).cast());
        siting(ptr::addr_of_mut!((*parameters).chroma_location).cast());
        let order = ptr::addr_of_mut!((*parameters).field_order).cast();
        keep(order, ffi::AVFieldOrder::AV_FIELD_BT as i32, 0);
    }
}

/// Does the same for a frame that a decoder returned.
pub fn tidy(frame: &mut frame::Video) {
    // SAFETY: the frame is live and borrowed exclusively for this call; its fields are read and written as the integers
    // that they are in C.
    unsafe {
        let frame = frame.as_mut_ptr();
        matrix(ptr::addr_of_mut!((*frame).colorspace).cast());
        range(ptr::addr_of_mut!((*frame).color_range).cast());
        primaries(ptr::addr_of_mut!((*frame).color_primaries).cast());
        transfer(ptr::addr_of_mut!((*frame).color_trc).cast());
        siting(ptr::addr_of_mut!((*frame).chroma_location).cast());
    }
}

/// # Safety
/// Of this and the four functions below: `value` is valid for reads and writes.
unsafe fn matrix(value: *mut i32) {
    // SAFETY: the caller guarantees that `value` is valid for reads and writes.
    unsafe { keep(value, ffi::AVColorSpace::AVCOL_SPC_NB as i32 - 1, UNSPECIFIED) };
}

unsafe fn range(value: *mut i32) {
    // SAFETY: the caller guarantees that `value` is valid for reads and writes.
    unsafe { keep(value, ffi::AVColorRange::AVCOL_RANGE_NB as i32 - 1, 0) };
}

unsafe fn primaries(value: *mut i32) {
    // SAFETY: the caller guarantees that `value` is valid for reads and writes. EBU 3213 is tested first because there
    // are numbers without a name between the last two.
    unsafe {
        if *value != ffi::AVColorPrimaries::AVCOL_PRI_EBU3213 as i32 {
            keep(value, ffi::AVColorPrimaries::AVCOL_PRI_SMPTE432 as i32, UNSPECIFIED);
        }
    }
}

unsafe fn transfer(value: *mut i32) {
    // SAFETY: the caller guarantees that `value` is valid for reads and writes.
    unsafe { keep(value, ffi::AVColorTransferCharacteristic::AVCOL_TRC_NB as i32 - 1, UNSPECIFIED) };
}

unsafe fn siting(value: *mut i32) {
    // SAFETY: the caller guarantees that `value` is valid for reads and writes.
    unsafe { keep(value, ffi::AVChromaLocation::AVCHROMA_LOC_NB as i32 - 1, 0) };
}

/// Replaces `value` by `instead` unless it is in 0..=`most`.
///
/// # Safety
/// `value` is valid for reads and writes.
unsafe fn keep(value: *mut i32, most: i32, instead: i32) {
    // SAFETY: the caller guarantees that `value` is valid for reads and writes.
    unsafe {
        if !(0..=most).contains(&*value) {
            *value = instead;
        }
    }
}

#[cfg(test)]
mod tests {
    use ffmpeg_next::color::{Primaries, Range, Space, TransferCharacteristic};

    use super::*;

    #[test]
    fn numbers_without_a_name_are_not_told() {
        let mut frame = frame::Video::empty();
        let set = |frame: &mut frame::Video, number: i32| {
            // SAFETY: the fields belong to a live frame and are written as the integers that they are in C.
            unsafe {
                let frame = frame.as_mut_ptr();
                *ptr::addr_of_mut!((*frame).colorspace).cast::<i32>() = number;
                *ptr::addr_of_mut!((*frame).color_range).cast::<i32>() = number;
                *ptr::addr_of_mut!((*frame).color_primaries).cast::<i32>() = number;
                *ptr::addr_of_mut!((*frame).color_trc).cast::<i32>() = number;
                *ptr::addr_of_mut!((*frame).chroma_location).cast::<i32>() = number;
            }
            tidy(frame);
        };
        for number in [236, -1, 255, 1 << 20, i32::MIN] {
            set(&mut frame, number);
            assert_eq!(frame.color_space(), Space::Unspecified);
            assert_eq!(frame.color_range(), Range::Unspecified);
            assert_eq!(frame.color_primaries(), Primaries::Unspecified);
            assert_eq!(frame.color_transfer_characteristic(), TransferCharacteristic::Unspecified);
        }
        set(&mut frame, 13);
        assert_eq!(frame.color_primaries(), Primaries::Unspecified, "a gap");
        set(&mut frame, 1);
        assert_eq!((frame.color_space(), frame.color_range()), (Space::BT709, Range::MPEG));
        set(&mut frame, 22);
        assert_eq!(frame.color_primaries(), Primaries::EBU3213);
    }
}
