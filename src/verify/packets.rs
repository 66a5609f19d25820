//! Compares two streams packet by packet.

use std::ops::Range;

use ffmpeg_next::codec::Id;
use ffmpeg_next::media;

use super::clock::{Clock, half_tick, one_tick};
use super::container::Container;
use super::contents::{Packet, Track};
use super::difference::{Difference, Finding, Weight, or_none, seconds};
use super::payload::{is_pcm, is_plain};

/// At each edge of a stream, an edit list may hide at most this many packets besides those marked as hidden.
const EDGE: usize = 2;

/// Compares the bytes and times of all packets.
pub(super) fn compare(a: &Track, b: &Track, containers: (Container, Container), clock: Clock) -> Result<(), Finding> {
    let place = a.stream.name();
    let weight = content_weight(a, containers);
    let by_words = !a.words.is_empty() || !b.words.is_empty();
    let (keys_a, keys_b) = (keys(a), keys(b));
    let (range_a, range_b) = match aligned((a, &keys_a), (b, &keys_b), containers, clock) {
        Some(ranges) => ranges,
        None if is_pcm(a.stream.codec) && keys_a.len() != keys_b.len() => {
            return compare_samples(a, b, containers.1, clock);
        }
        None if keys_a.len() == keys_b.len() => (0..keys_a.len(), 0..keys_b.len()),
        None => return Err(Finding { weight, difference: different_numbers(&place, &keys_a, &keys_b) }),
    };
    for (index_a, index_b) in range_a.zip(range_b) {
        let (packet_a, packet_b) = (&a.packets[index_a], &b.packets[index_b]);
        let time = time_of(a, packet_a);
        let at = time.map(|time| format!(" at {}", seconds(time))).unwrap_or_default();
        let here = format!("{place}, packet {}{at}", index_a + 1);
        if keys_a[index_a] != keys_b[index_b] {
            let words = |track: &Track, index: usize| or_none(track.words.get(index).map(String::as_str));
            let difference = if by_words {
                Difference::new(here, "its text", words(a, index_a), words(b, index_b))
            } else {
                Difference::new(here, "its content", bytes(packet_a), bytes(packet_b))
            };
            return Err(Finding { weight, difference });
        }
        compare_time(&here, (a, packet_a), (b, packet_b), clock)
            .map_err(|difference| Finding { weight: time_weight(a), difference })?;
        compare_length(&here, (a, packet_a), (b, packet_b))
            .map_err(|difference| Finding { weight: Weight::Label, difference })?;
    }
    Ok(())
}

/// Returns one hash per packet: of its text for text subtitles, of its bytes otherwise.
fn keys(track: &Track) -> Vec<u64> {
    let content = |(index, packet): (usize, &Packet)| match track.words.get(index) {
        Some(words) => super::payload::hash(words.as_bytes()),
        None => packet.hash,
    };
    track.packets.iter().enumerate().map(content).collect()
}

/// Decides whether different bytes certainly mean different content. Containers may frame a codec in ways that this
/// module does not know.
fn content_weight(a: &Track, (from, to): (Container, Container)) -> Weight {
    let is_matroska = |container| matches!(container, Container::Matroska | Container::Webm);
    let one_family = from == to || (from.is_quicktime() && to.is_quicktime()) || (is_matroska(from) && is_matroska(to));
    // The first packet of an ADTS stream may hold the decoder setup.
    let is_adts = a.stream.codec == Id::AAC && a.stream.parameters.extradata.is_empty();
    let is_sure = is_plain(a.stream.codec) || (one_family && !a.begins_late);
    if is_sure && !is_adts { Weight::Content } else { Weight::Label }
}

/// Decides how serious a time difference is: muxers move timestamps that do not increase.
fn time_weight(a: &Track) -> Weight {
    let times = a.packets.iter().map(|packet| packet.dts.or(packet.pts));
    let grows = |pair: (Option<i64>, Option<i64>)| matches!(pair, (Some(one), Some(next)) if one < next);
    let is_sure = is_plain(a.stream.codec) || !a.begins_late;
    if is_sure && times.clone().zip(times.skip(1)).all(grows) { Weight::Content } else { Weight::Label }
}

/// Returns the ranges of both tracks that must be equal, or `None` if packets are missing that must not be.
fn aligned(
    (a, keys_a): (&Track, &[u64]),
    (b, keys_b): (&Track, &[u64]),
    containers: (Container, Container),
    clock: Clock,
) -> Option<(Range<usize>, Range<usize>)> {
    let may_hide = containers.0.is_quicktime() || containers.1.is_quicktime();
    let is_same_length = matches!(
        (a.stream.end, b.stream.end),
        (Some(end_a), Some(end_b)) if (end_a + clock.shift - end_b).abs() <= packet_length(a) + one_tick(a.stream.base, b.stream.base)
    );
    let hidden = a.packets.iter().chain(&b.packets).any(|packet| packet.hidden);
    // A packet is unseen if it is marked as hidden, or ends before 0 in a container whose readers drop such packets.
    let is_unseen = |packet: &Packet| {
        let end = time_of(a, packet).map(|time| time + a.stream.base.seconds(packet.duration) + clock.shift);
        packet.hidden || (containers.1.is_quicktime() && end.is_some_and(|end| end <= 0.0))
    };
    let unseen = if keys_a.len() > keys_b.len() {
        a.packets.iter().take_while(|packet| is_unseen(packet)).count()
    } else {
        b.packets.iter().take_while(|packet| packet.hidden).count()
    };
    let ranges = align(keys_a, keys_b, EDGE + unseen)?;
    let excused = keys_a.len() == keys_b.len() || (may_hide && (hidden || unseen > 0 || is_same_length));
    excused.then_some(ranges)
}

/// Compares PCM that is split into packets differently: all its bytes, and its beginning.
fn compare_samples(a: &Track, b: &Track, container: Container, clock: Clock) -> Result<(), Finding> {
    let begin = |track: &Track| track.packets.first().and_then(|packet| time_of(track, packet));
    let (Some((size_a, hash_a)), Some((size_b, hash_b))) = (a.samples, b.samples) else { return Ok(()) };
    let (Some(begin_a), Some(begin_b)) = (begin(a), begin(b)) else { return Ok(()) };
    // Samples before 0 may be cut off in the middle of a packet.
    if container.is_quicktime() && begin_a + clock.shift < 0.0 {
        return Ok(());
    }
    let place = a.stream.name();
    let content = |what, a: String, b: String| {
        Err(Finding { weight: Weight::Content, difference: Difference::new(&place, what, a, b) })
    };
    if hash_a != hash_b {
        let bytes = |size: usize, hash: u64| format!("{size} bytes ({hash:016x})");
        return content("its content", bytes(size_a, hash_a), bytes(size_b, hash_b));
    }
    if !clock.is_near(begin_a, begin_b, a.stream.base, b.stream.base) {
        return content("its beginning", seconds(begin_a), seconds(begin_b));
    }
    Ok(())
}

/// Returns the duration of the longest packet, in seconds.
fn packet_length(track: &Track) -> f64 {
    let longest = track.packets.iter().map(|packet| packet.duration).max().unwrap_or(0);
    track.stream.base.seconds(longest)
}

fn time_of(track: &Track, packet: &Packet) -> Option<f64> {
    packet.pts.or(packet.dts).map(|ticks| track.stream.base.seconds(ticks))
}

fn bytes(packet: &Packet) -> String {
    format!("{} bytes ({:016x})", packet.size, packet.hash)
}

/// Returns the equal ranges of both lists, if only a few packets at the edges of one list are missing: at most `before`
/// at its beginning and `EDGE` at its end.
fn align(a: &[u64], b: &[u64], before: usize) -> Option<(Range<usize>, Range<usize>)> {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let missing = long.len() - short.len();
    let skip = (0..=missing).find(|&skip| {
        skip <= before && missing - skip <= EDGE && !short.is_empty() && long[skip..skip + short.len()] == *short
    })?;
    let (part, whole) = (skip..skip + short.len(), 0..short.len());
    Some(if a.len() >= b.len() { (part, whole) } else { (whole, part) })
}

fn different_numbers(place: &str, a: &[u64], b: &[u64]) -> Difference {
    let first = a.iter().zip(b).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len()));
    let count = format!("{} (they part at packet {})", b.len(), first + 1);
    Difference::new(place, "the number of packets", a.len(), count)
}

fn compare_time(
    place: &str,
    (a, packet_a): (&Track, &Packet),
    (b, packet_b): (&Track, &Packet),
    clock: Clock,
) -> Result<(), Difference> {
    let (base_a, base_b) = (a.stream.base, b.stream.base);
    // Times can only be compared if both packets have a pts.
    if let (Some(pts_a), Some(pts_b)) = (packet_a.pts, packet_b.pts) {
        let (time_a, time_b) = (base_a.seconds(pts_a), base_b.seconds(pts_b));
        if !clock.is_near(time_a, time_b, base_a, base_b) {
            return Err(Difference::new(place, "its time", seconds(time_a), seconds(time_b)));
        }
    }
    Ok(())
}

/// Compares durations of subtitles. Audio lasts as long as its samples, so its durations are not compared.
fn compare_length(
    place: &str,
    (a, packet_a): (&Track, &Packet),
    (b, packet_b): (&Track, &Packet),
) -> Result<(), Difference> {
    let (base_a, base_b) = (a.stream.base, b.stream.base);
    let (long_a, long_b) = (base_a.seconds(packet_a.duration), base_b.seconds(packet_b.duration));
    let slack = one_tick(base_a, base_b) + half_tick(base_a, base_b);
    let told = a.stream.medium == media::Type::Subtitle && packet_a.duration > 0 && packet_b.duration > 0;
    if told && (long_a - long_b).abs() > slack {
        return Err(Difference::new(place, "how long it is shown", seconds(long_a), seconds(long_b)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_may_be_missing_at_the_edges_only() {
        let all = [1, 2, 3, 4, 5, 6];
        assert_eq!(align(&all, &all, EDGE), Some((0..6, 0..6)));
        assert_eq!(align(&all, &all[1..], EDGE), Some((1..6, 0..5)));
        assert_eq!(align(&all[1..5], &all, EDGE), Some((0..4, 1..5)));
        assert_eq!(align(&all, &[1, 2, 4, 5, 6], EDGE), None);
        assert_eq!(align(&all, &all[3..], EDGE), None);
        assert_eq!(align(&all, &[], EDGE), None);
        assert_eq!(align(&all, &all[3..], 3), Some((3..6, 0..3)));
    }
}
