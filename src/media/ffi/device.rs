//! Pictures in the memory of a hardware device.

use std::ptr;

use ffmpeg_next::format::Pixel;
use ffmpeg_next::{Error, codec::encoder, ffi, frame};

use super::check;

/// A pool of frames in the memory of a VAAPI device, whose encoders accept no others.
pub struct DeviceFrames {
    /// A reference to the pool; never null.
    frames: *mut ffi::AVBufferRef,
}

// SAFETY: FFmpeg counts the references to its buffers atomically, and the pool behind them has its own lock.
unsafe impl Send for DeviceFrames {}

impl DeviceFrames {
    /// Creates a pool on the default device. `format` is the software format that pictures have before the upload.
    pub fn vaapi(format: Pixel, width: usize, height: usize) -> Result<Self, Error> {
        let mut device = ptr::null_mut();
        // SAFETY: `device` becomes a new reference or stays null; the null arguments select FFmpeg's default device and
        // options. The pool takes its own reference before that of `device` is released; the data of `frames`, checked
        // for null, are an AVHWFramesContext, and `pool` frees the reference on failure.
        unsafe {
            let kind = ffi::AVHWDeviceType::AV_HWDEVICE_TYPE_VAAPI;
            check(ffi::av_hwdevice_ctx_create(&mut device, kind, ptr::null(), ptr::null_mut(), 0))?;
            let frames = ffi::av_hwframe_ctx_alloc(device);
            ffi::av_buffer_unref(&mut device);
            if frames.is_null() {
                return Err(Error::Other { errno: ffmpeg_next::error::ENOMEM });
            }
            let pool = Self { frames };
            let context = (*frames).data.cast::<ffi::AVHWFramesContext>();
            (*context).format = ffi::AVPixelFormat::AV_PIX_FMT_VAAPI;
            (*context).sw_format = format.into();
            (*context).width = width as i32;
            (*context).height = height as i32;
            // Encoders keep some frames, and pools of this kind of device do not grow.
            (*context).initial_pool_size = 20;
            check(ffi::av_hwframe_ctx_init(frames))?;
            Ok(pool)
        }
    }

    /// Makes an encoder that is not open yet take its pictures from this pool.
    pub fn serve(&self, encoder: &mut encoder::video::Video) -> Result<(), Error> {
        // SAFETY: the pool and the encoder's context are valid; the context owns the new reference and releases it when
        // freed.
        unsafe {
            let reference = ffi::av_buffer_ref(self.frames);
            if reference.is_null() {
                return Err(Error::Other { errno: ffmpeg_next::error::ENOMEM });
            }
            (*encoder.as_mut_ptr()).hw_frames_ctx = reference;
        }
        Ok(())
    }

    /// Copies a picture, with its timing and colour properties, into device memory.
    pub fn upload(&self, picture: &frame::Video) -> Result<frame::Video, Error> {
        let mut there = frame::Video::empty();
        // SAFETY: the pool and both frames are valid; the new frame owns the buffer that it receives.
        unsafe {
            check(ffi::av_hwframe_get_buffer(self.frames, there.as_mut_ptr(), 0))?;
            check(ffi::av_hwframe_transfer_data(there.as_mut_ptr(), picture.as_ptr(), 0))?;
            check(ffi::av_frame_copy_props(there.as_mut_ptr(), picture.as_ptr()))?;
        }
        Ok(there)
    }
}

impl Drop for DeviceFrames {
    fn drop(&mut self) {
        // SAFETY: this value owns the reference, which is valid and not used after the drop.
        unsafe { ffi::av_buffer_unref(&mut self.frames) };
    }
}
