//! Packet by packet.

use std::ops::Range;

use ffmpeg_next::media;

use super::clock::{Clock, half_tick, one_tick};
use super::contents::{Packet, Track};
use super::difference::{Difference, or_none, seconds};

/// At most so many packets may be hidden by an edit list at either edge of a stream.
const EDGE: usize = 2;

/// Compares bytes and times. `may_hide`: an edit list may have taken packets off the edges.
pub(super) fn compare(a: &Track, b: &Track, may_hide: bool, clock: Clock) -> Result<(), Difference> {
    let place = a.stream.name();
    let by_words = !a.words.is_empty() || !b.words.is_empty();
    let content = |track: &Track, index: usize| match track.words.get(index) {
        Some(words) => super::payload::hash(words.as_bytes()),
        None => track.packets[index].hash,
    };
    let keys = |track: &Track| -> Vec<u64> { (0..track.packets.len()).map(|index| content(track, index)).collect() };
    let (keys_a, keys_b) = (keys(a), keys(b));
    let is_same_length = matches!(
        (a.stream.end, b.stream.end),
        (Some(end_a), Some(end_b)) if (end_a + clock.shift - end_b).abs() <= packet_length(a) + one_tick(a.stream.base, b.stream.base)
    );
    let hidden = a.packets.iter().chain(&b.packets).any(|packet| packet.hidden);
    let (range_a, range_b) = match align(&keys_a, &keys_b) {
        Some(ranges) if keys_a.len() == keys_b.len() || (may_hide && (hidden || is_same_length)) => ranges,
        _ if keys_a.len() == keys_b.len() => (0..keys_a.len(), 0..keys_b.len()),
        _ => return Err(different_numbers(&place, &keys_a, &keys_b)),
    };
    for (index_a, index_b) in range_a.zip(range_b) {
        let (packet_a, packet_b) = (&a.packets[index_a], &b.packets[index_b]);
        let time = time_of(a, packet_a);
        let at = time.map(|time| format!(" at {}", seconds(time))).unwrap_or_default();
        let here = format!("{place}, packet {}{at}", index_a + 1);
        if keys_a[index_a] != keys_b[index_b] {
            let words = |track: &Track, index: usize| or_none(track.words.get(index).map(String::as_str));
            return Err(if by_words {
                Difference::new(here, "its text", words(a, index_a), words(b, index_b))
            } else {
                Difference::new(here, "its content", bytes(packet_a), bytes(packet_b))
            });
        }
        compare_times(&here, (a, packet_a), (b, packet_b), clock)?;
    }
    Ok(())
}

/// Seconds of a packet of medium length.
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

/// The parts of both lists that are the same, if nothing but a few packets at the edges of one is missing.
fn align(a: &[u64], b: &[u64]) -> Option<(Range<usize>, Range<usize>)> {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let missing = long.len() - short.len();
    let skip = (0..=missing).find(|&skip| {
        skip <= EDGE && missing - skip <= EDGE && !short.is_empty() && long[skip..skip + short.len()] == *short
    })?;
    let (part, whole) = (skip..skip + short.len(), 0..short.len());
    Some(if a.len() >= b.len() { (part, whole) } else { (whole, part) })
}

fn different_numbers(place: &str, a: &[u64], b: &[u64]) -> Difference {
    let first = a.iter().zip(b).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len()));
    let count = format!("{} (they part at packet {})", b.len(), first + 1);
    Difference::new(place, "the number of packets", a.len(), count)
}

fn compare_times(
    place: &str,
    (a, packet_a): (&Track, &Packet),
    (b, packet_b): (&Track, &Packet),
    clock: Clock,
) -> Result<(), Difference> {
    let (base_a, base_b) = (a.stream.base, b.stream.base);
    // Without a time of display on both sides there is nothing to hold against each other.
    if let (Some(pts_a), Some(pts_b)) = (packet_a.pts, packet_b.pts) {
        let (time_a, time_b) = (base_a.seconds(pts_a), base_b.seconds(pts_b));
        if !clock.is_near(time_a, time_b, base_a, base_b) {
            return Err(Difference::new(place, "its time", seconds(time_a), seconds(time_b)));
        }
    }
    // Sound lasts as long as its samples; only texts and pictures need to be told.
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
        assert_eq!(align(&all, &all), Some((0..6, 0..6)));
        assert_eq!(align(&all, &all[1..]), Some((1..6, 0..5)));
        assert_eq!(align(&all[1..5], &all), Some((0..4, 1..5)));
        assert_eq!(align(&all, &[1, 2, 4, 5, 6]), None);
        assert_eq!(align(&all, &all[3..]), None);
        assert_eq!(align(&all, &[]), None);
    }
}
