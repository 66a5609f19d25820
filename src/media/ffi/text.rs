//! Converts text subtitles from one codec to another, packet by packet.

use std::{mem, ptr};

use ffmpeg_next::codec::{self, decoder, encoder};
use ffmpeg_next::{Error, Packet, ffi};

use super::check;

/// Maximum length of one subtitle in bytes, as in the `ffmpeg` tool.
const LONGEST: usize = 1 << 20;

/// Returns whether a codec is a subtitle codec whose packets hold text.
pub fn is_text_subtitle(codec: codec::Id) -> bool {
    // SAFETY: the call accepts any value and returns null or a static descriptor.
    let descriptor = unsafe { ffi::avcodec_descriptor_get(codec.into()).as_ref() };
    descriptor.is_some_and(|found| found.props & ffi::AV_CODEC_PROP_TEXT_SUB != 0)
}

/// Opens an encoder of text subtitles for the output of a decoder.
pub fn open_text_encoder(decoder: &decoder::Subtitle, to: codec::Id) -> Result<encoder::subtitle::Encoder, Error> {
    let found = encoder::find(to).ok_or(Error::EncoderNotFound)?;
    let mut encoder = codec::Context::new_with_codec(found).encoder().subtitle()?;
    // SAFETY: both contexts are valid for the life of their owners; the header, `size` bytes long, is copied with a
    // zero byte after it into a buffer that FFmpeg frees with the encoder's context, which has no header yet.
    unsafe {
        let from = decoder.as_ptr();
        let context = encoder.as_mut_ptr();
        (*context).time_base = ffi::AVRational { num: 1, den: 1000 };
        let size = usize::try_from((*from).subtitle_header_size).unwrap_or(0);
        if !(*from).subtitle_header.is_null() && size > 0 {
            let header = ffi::av_mallocz(size + 1).cast::<u8>();
            if header.is_null() {
                return Err(Error::Other { errno: ffmpeg_next::error::ENOMEM });
            }
            ptr::copy_nonoverlapping((*from).subtitle_header, header, size);
            (*context).subtitle_header = header;
            (*context).subtitle_header_size = (*from).subtitle_header_size;
        }
    }
    encoder.open_as(found)
}

/// Returns a packet's text in the encoder's format; `None` for a packet without text. The display times stay with the
/// packet.
pub fn convert_text(
    decoder: &mut decoder::Subtitle,
    encoder: &mut encoder::subtitle::Encoder,
    packet: &Packet,
) -> Result<Option<Vec<u8>>, Error> {
    use ffmpeg_next::packet::Ref;
    // SAFETY: an all-zero AVSubtitle is a valid empty one.
    let mut subtitle: ffi::AVSubtitle = unsafe { mem::zeroed() };
    let mut got = 0;
    // SAFETY: context and packet are valid; the decoder does not write to the packet.
    let decoded = unsafe {
        ffi::avcodec_decode_subtitle2(decoder.as_mut_ptr(), &mut subtitle, &mut got, packet.as_ptr().cast_mut())
    };
    let mut bytes = vec![0; LONGEST];
    let mut encoded = 0;
    if decoded >= 0 && got != 0 && subtitle.num_rects > 0 {
        // Encoders accept no other value.
        subtitle.start_display_time = 0;
        // SAFETY: context and subtitle are valid; the encoder writes at most `LONGEST` bytes, the length of the buffer.
        encoded = unsafe {
            ffi::avcodec_encode_subtitle(encoder.as_mut_ptr(), bytes.as_mut_ptr(), LONGEST as i32, &subtitle)
        };
    }
    // SAFETY: the subtitle is empty or was filled by the decoder; it is not used afterwards.
    unsafe { ffi::avsubtitle_free(&mut subtitle) };
    check(decoded)?;
    check(encoded)?;
    bytes.truncate(usize::try_from(encoded).unwrap_or(0));
    Ok((!bytes.is_empty()).then_some(bytes))
}
