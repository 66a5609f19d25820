//! Compares the video: the properties of its pictures, and when each is shown.

use ffmpeg_next::color::{Primaries, Space, TransferCharacteristic};

use super::clock::{Clock, half_tick, one_tick};
use super::container::{self, Container};
use super::contents::{Contents, Video};
use super::difference::{Difference, same, seconds};
use crate::media::{ColorInfo, Model, Ratio};

/// Compares size, rotation, sample aspect ratio, colours, bit depth and alpha.
pub(super) fn compare_look(a: &Contents, b: &Contents) -> Result<(), Difference> {
    let (video_a, video_b) = (&a.video, &b.video);
    let place = &place(video_a);
    let is_copy = video_a.hash != 0 && video_a.hash == video_b.hash && video_a.stream.codec == video_b.stream.codec;
    let size = |video: &Video| format!("{}x{}", video.width, video.height);
    let (across, down) = video_b.samples.chroma;
    let fits = |a: u32, b: u32, halved: bool| a == b || (halved && a % 2 == 1 && a.checked_add(1) == Some(b));
    if !fits(video_a.width, video_b.width, across > 0) || !fits(video_a.height, video_b.height, down > 0) {
        return Err(Difference::new(place, "the size", size(video_a), size(video_b)));
    }
    let rotation = if is_copy { video_a.rotation.name() } else { "none" };
    if video_b.rotation.name() != rotation {
        // A painted picture is stored upright.
        return Err(Difference::new(place, "the turn still to be made", rotation, video_b.rotation.name()));
    }
    compare_shape(place, video_a, video_b)?;
    compare_color(place, video_a, video_b, is_copy)?;
    let (deep_a, deep_b) = (video_a.samples.depth, video_b.samples.depth);
    let needed = if deep_a > 8 && !container::is_shallow(video_b.stream.codec) { deep_a.min(10) } else { 8 };
    if deep_b < needed {
        return Err(Difference::new(place, "the depth", format!("{deep_a} bits"), format!("{deep_b} bits")));
    }
    let holds_alpha = container::holds_alpha(video_b.stream.codec) && b.container != Container::Avi;
    if video_a.samples.alpha && !video_b.samples.alpha && holds_alpha {
        return Err(Difference::new(place, "the alpha channel", "there", "missing"));
    }
    Ok(())
}

fn place(video: &Video) -> String {
    format!("stream {} (video)", video.stream.index)
}

fn compare_shape(place: &str, a: &Video, b: &Video) -> Result<(), Difference> {
    let value = |aspect: Option<Ratio>| aspect.map_or(1.0, Ratio::value);
    let (shape_a, shape_b) = (value(a.sample_aspect), value(b.sample_aspect));
    // Some containers store the display aspect ratio of the picture, in whole pixels.
    let slack = 1.0 / f64::from(a.width.min(a.height).max(1));
    if (shape_a / shape_b - 1.0).abs() <= slack.min(0.02) {
        return Ok(());
    }
    let text = |aspect: Option<Ratio>| aspect.map_or("1:1".into(), |aspect| format!("{}:{}", aspect.num, aspect.den));
    Err(Difference::new(place, "the shape of a pixel", text(a.sample_aspect), text(b.sample_aspect)))
}

fn compare_color(place: &str, a: &Video, b: &Video, is_copy: bool) -> Result<(), Difference> {
    if b.samples.model == Model::Rgb && !is_copy {
        return Ok(());
    }
    let told = b.color;
    let is_hdr = a.color.hdr().is_some();
    let accepted = match a.samples.model {
        _ if is_copy => vec![a.color],
        _ if is_hdr => vec![ColorInfo::BT709],
        model => vec![a.color.written(model)],
    };
    // If nothing fits, the message names the first accepted value.
    let wish = accepted[0];
    let fits_all = |wish: &ColorInfo| {
        matrix(wish.matrix) == matrix(told.matrix)
            && wish.full_range == told.full_range
            && primaries(wish.primaries, wish.matrix) == primaries(told.primaries, told.matrix)
            && transfer(wish.transfer) == transfer(told.transfer)
    };
    if accepted.iter().any(fits_all) {
        return Ok(());
    }
    let range = |full: bool| if full { "full" } else { "limited" };
    let any = |fits: &dyn Fn(&ColorInfo) -> bool| accepted.iter().any(fits);
    if !any(&|wish| matrix(wish.matrix) == matrix(told.matrix)) {
        return same(place, "the colour matrix", name(wish.matrix.name()), name(told.matrix.name()));
    }
    if !any(&|wish| wish.full_range == told.full_range) {
        return same(place, "the colour range", range(wish.full_range), range(told.full_range));
    }
    if !any(&|wish| transfer(wish.transfer) == transfer(told.transfer)) {
        return same(place, "the colour transfer", name(wish.transfer.name()), name(told.transfer.name()));
    }
    let text = |color: ColorInfo| {
        let tags = [color.matrix.name(), color.primaries.name(), color.transfer.name()];
        format!("{} ({})", tags.map(name).join("/"), range(color.full_range))
    };
    Err(Difference::new(place, "the set of colour tags", text(wish), text(told)))
}

fn name(name: Option<&'static str>) -> &'static str {
    name.unwrap_or("unknown")
}

/// Treats the two names of BT.601's matrix as one.
fn matrix(matrix: Space) -> Space {
    if matrix == Space::BT470BG { Space::SMPTE170M } else { matrix }
}

/// Treats SDR transfer curves that look the same as one; untagged video is included.
fn transfer(transfer: TransferCharacteristic) -> TransferCharacteristic {
    match transfer {
        TransferCharacteristic::Unspecified
        | TransferCharacteristic::SMPTE170M
        | TransferCharacteristic::BT2020_10
        | TransferCharacteristic::BT2020_12 => TransferCharacteristic::BT709,
        other => other,
    }
}

/// Replaces untagged primaries with those that usually go with the matrix.
fn primaries(primaries: Primaries, with: Space) -> Primaries {
    match (primaries, with) {
        (Primaries::Unspecified, Space::BT2020NCL | Space::BT2020CL) => Primaries::BT2020,
        (Primaries::Unspecified, _) => Primaries::BT709,
        (told, _) => told,
    }
}

/// Compares the number and times of the frames.
pub(super) fn compare_times(a: &Video, b: &Video, clock: Clock) -> Result<(), Difference> {
    let (base_a, base_b) = (a.stream.base, b.stream.base);
    let mut pairs = a.frames.iter().zip(&b.frames).enumerate();
    let off = pairs.find(|(_, (pts_a, pts_b))| !clock.is_picture((**pts_a, base_a), (**pts_b, base_b)));
    let times = |(&pts_a, &pts_b)| (base_a.seconds(pts_a), base_b.seconds(pts_b));
    if a.frames.len() != b.frames.len() {
        let first = match off {
            Some((index, pair)) => {
                let (_, time) = times(pair);
                format!(" (frame {} is the first at another time, {})", index + 1, seconds(time))
            }
            None => String::new(),
        };
        let count = format!("{}{first}", b.frames.len());
        return Err(Difference::new(place(a), "the number of frames", a.frames.len(), count));
    }
    if let Some((index, pair)) = off {
        let (time_a, time_b) = times(pair);
        return Err(Difference::new(format!("frame {}", index + 1), "its time", seconds(time_a), seconds(time_b)));
    }
    Ok(())
}

/// Compares how long the last frame is shown: by the header, which MP4 may round to milliseconds, or by the packets,
/// whose durations MP4 stores in decoding order. It is a difference only if no pair of values agrees.
pub(super) fn compare_last(a: &Video, b: &Video) -> Result<(), Difference> {
    let lengths = |video: &Video| -> Vec<f64> {
        let Some(&last) = video.frames.last() else { return Vec::new() };
        let ends = video.stream.end.into_iter().chain(video.end);
        ends.map(|end| end - video.stream.base.seconds(last)).filter(|&length| length > 0.0).collect()
    };
    let (lengths_a, lengths_b) = (lengths(a), lengths(b));
    let (Some(&long_a), Some(&long_b)) = (lengths_a.first(), lengths_b.first()) else { return Ok(()) };
    // The time and the end of the last frame are both rounded.
    let slack = one_tick(a.stream.base, b.stream.base) + half_tick(a.stream.base, b.stream.base);
    if lengths_a.iter().any(|a| lengths_b.iter().any(|b| (a - b).abs() <= slack)) {
        return Ok(());
    }
    let frame = format!("frame {} (the last)", a.frames.len());
    Err(Difference::new(frame, "how long it is shown", seconds(long_a), seconds(long_b)))
}

/// Compares the container's frame rates, if A's frames come at a constant rate.
pub(super) fn compare_rate(a: &Video, b: &Video) -> Result<(), Difference> {
    let (Some(rate_a), Some(rate_b)) = (a.rate, b.rate) else { return Ok(()) };
    let is_constant = is_constant(a, rate_a);
    if !is_constant || (rate_a.value() / rate_b.value() - 1.0).abs() < 5e-4 {
        return Ok(());
    }
    let text = |rate: Ratio| format!("{}/{} a second", rate.num, rate.den);
    Err(Difference::new(place(a), "the frame rate", text(rate_a), text(rate_b)))
}

/// Whether there are at least three frames, and each is where the rate puts it.
fn is_constant(video: &Video, rate: Ratio) -> bool {
    let base = video.stream.base;
    let Some(&first) = video.frames.first().filter(|_| video.frames.len() > 2) else { return false };
    let on_time = |(index, &pts): (usize, &i64)| {
        (base.seconds(pts.saturating_sub(first)) - index as f64 / rate.value()).abs() <= one_tick(base, base)
    };
    video.frames.iter().enumerate().all(on_time)
}
