//! Pictures in the memory of a device.

use std::ptr;

use ffmpeg_next::format::Pixel;
use ffmpeg_next::{Error, codec::encoder, ffi, frame};

use super::check;

/// Room for pictures in the memory of a VAAPI device, whose encoders take no others.
pub struct DeviceFrames {
    /// Never null.
    frames: *mut ffi::AVBufferRef,
}

// SAFETY: FFmpeg counts references to its buffers atomically, and the pool behind them has a lock of its own.
unsafe impl Send for DeviceFrames {}

impl DeviceFrames {
    /// On the device that is used where none is named. `format` is what pictures are made of before they go there.
    pub fn vaapi(format: Pixel, width: usize, height: usize) -> Result<Self, Error> {
        let mut device = ptr::null_mut();
        // SAFETY: `device` becomes a new reference or stays null; null stands for the device and options FFmpeg chooses.
        // The pool takes a reference of its own before that of `device` is given up; its data is an AVHWFramesContext.
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
            // Encoders hold some back; the pools of this kind of device do not grow.
            (*context).initial_pool_size = 20;
            check(ffi::av_hwframe_ctx_init(frames))?;
            Ok(pool)
        }
    }

    /// Has an encoder that is not open yet take its pictures from here.
    pub fn serve(&self, encoder: &mut encoder::video::Video) -> Result<(), Error> {
        // SAFETY: both are valid; the encoder's context owns the new reference and gives it up when it is freed.
        unsafe {
            let reference = ffi::av_buffer_ref(self.frames);
            if reference.is_null() {
                return Err(Error::Other { errno: ffmpeg_next::error::ENOMEM });
            }
            (*encoder.as_mut_ptr()).hw_frames_ctx = reference;
        }
        Ok(())
    }

    /// Copies a picture, with its time and colours, into the device's memory.
    pub fn upload(&self, picture: &frame::Video) -> Result<frame::Video, Error> {
        let mut there = frame::Video::empty();
        // SAFETY: the pool and both frames are valid; the new frame owns the buffer that it gets.
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
        // SAFETY: the reference is this one's own.
        unsafe { ffi::av_buffer_unref(&mut self.frames) };
    }
}
