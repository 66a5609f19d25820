//! Numbers that a file may set to anything, but that are enumerations here: some of FFmpeg's decoders hand on a byte of
//! the file as it is (ProRes its matrix), and to read such a number as one of an enumeration is undefined.

use std::ptr;

use ffmpeg_next::{ffi, frame};

/// The number of what is not told: 2 in the enumerations of H.273.
const UNSPECIFIED: i32 = 2;

/// What FFmpeg has no name for becomes what is not told, in the parameters of a stream.
///
/// # Safety
/// `parameters` is valid, and no reference to it is in use.
pub(super) unsafe fn parameters(parameters: *mut ffi::AVCodecParameters) {
    // SAFETY: the fields lie in a valid struct; they are read and written as the integers that C has there.
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

/// The same, of a frame that a decoder has given.
pub fn tidy(frame: &mut frame::Video) {
    // SAFETY: the frame is live and borrowed for this call alone; the rest is as above.
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
/// For these five: `value` can be read and written.
unsafe fn matrix(value: *mut i32) {
    // SAFETY: as above.
    unsafe { keep(value, ffi::AVColorSpace::AVCOL_SPC_NB as i32 - 1, UNSPECIFIED) };
}

unsafe fn range(value: *mut i32) {
    // SAFETY: as above.
    unsafe { keep(value, ffi::AVColorRange::AVCOL_RANGE_NB as i32 - 1, 0) };
}

unsafe fn primaries(value: *mut i32) {
    // SAFETY: as above. There are numbers without a name between the last two.
    unsafe {
        if *value != ffi::AVColorPrimaries::AVCOL_PRI_EBU3213 as i32 {
            keep(value, ffi::AVColorPrimaries::AVCOL_PRI_SMPTE432 as i32, UNSPECIFIED);
        }
    }
}

unsafe fn transfer(value: *mut i32) {
    // SAFETY: as above.
    unsafe { keep(value, ffi::AVColorTransferCharacteristic::AVCOL_TRC_NB as i32 - 1, UNSPECIFIED) };
}

unsafe fn siting(value: *mut i32) {
    // SAFETY: as above.
    unsafe { keep(value, ffi::AVChromaLocation::AVCHROMA_LOC_NB as i32 - 1, 0) };
}

/// # Safety
/// As above.
unsafe fn keep(value: *mut i32, most: i32, instead: i32) {
    // SAFETY: as above.
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
            // SAFETY: the fields of a live frame, written as the integers that they are in C.
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
