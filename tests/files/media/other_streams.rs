//! Subtitles, attachments, covers, data, timecodes and further video: all streams except the painted video and audio.

use std::path::{Path, PathBuf};

use crate::common::{ALL, Desk, ffmpeg, probe, times};
use stylize_video::decode;
use stylize_video::encode::{self, EncodeError, FrameSink, Target};
use stylize_video::media::{Input, Output, Range};
use stylize_video::settings::{InputSettings, OutputSettings};

const VIDEO: &str = "-f lavfi -i testsrc2=s=64x48:r=25:d=2";
const H264: &str = "-c:v libx264 -preset ultrafast -bf 2";

/// Returns index, kind, codec, language and title of every stream.
fn listed(path: &Path) -> Vec<String> {
    probe(path, "", "stream=index,codec_type,codec_name:stream_tags=language,title")
}

/// Returns a hash of one stream's packets.
fn hash(path: &Path, index: usize) -> String {
    let map = format!("0:{index}");
    let arguments = ["-map", &map, "-c", "copy", "-f", "streamhash", "-hash", "md5", "-"];
    let text = ffmpeg(["-i".as_ref(), path.as_os_str()].into_iter().chain(arguments.map(std::ffi::OsStr::new)));
    text.trim().rsplit('=').next().unwrap().to_owned()
}

/// Returns the display times of a stream's pictures in seconds.
fn times_of(path: &Path, stream: &str) -> Vec<f64> {
    let mut times: Vec<f64> = probe(path, stream, "packet=pts_time").iter().map(|time| time.parse().unwrap()).collect();
    times.sort_by(f64::total_cmp);
    times
}

/// Returns start, duration (milliseconds) and bytes of those packets of a stream that show something.
fn packets(path: &Path, stream: &str) -> Vec<(i64, i64, String)> {
    let milliseconds = |text: &str| (1000.0 * text.parse::<f64>().unwrap_or(0.0)).round() as i64;
    probe(path, stream, "packet=pts_time,duration_time,size,data_hash")
        .iter()
        .map(|line| line.split(',').collect::<Vec<_>>())
        // In MP4, a packet of two zero bytes shows nothing.
        .filter(|fields| fields[2] != "2")
        .map(|fields| (milliseconds(fields[0]), milliseconds(fields[1]), fields[2].to_owned()))
        .collect()
}

/// Returns the subtitles of a stream as `ffmpeg` writes them to a file, with normalised line ends.
fn text(path: &Path, stream: usize) -> String {
    let map = format!("0:{stream}");
    let arguments = ["-map", &map, "-f", "srt", "-"];
    let text = ffmpeg(["-i".as_ref(), path.as_os_str()].into_iter().chain(arguments.map(std::ffi::OsStr::new)));
    text.replace('\r', "")
}

fn subtitles(desk: &Desk) -> PathBuf {
    let path = desk.path("in.srt");
    let text = "1\n00:00:00,500 --> 00:00:01,250\nHallo Welt\n\n2\n00:00:01,500 --> 00:00:01,903\nzwei\nZeilen äöü\n\n";
    std::fs::write(&path, text).unwrap();
    path
}

fn font(desk: &Desk) -> PathBuf {
    let path = desk.path("font.ttf");
    std::fs::write(&path, (0..3000_u32).map(|n| (n * n % 251) as u8).collect::<Vec<u8>>()).unwrap();
    path
}

fn chapters(desk: &Desk) -> PathBuf {
    let path = desk.path("chapters.txt");
    let text = ";FFMETADATA1\ntitle=Film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=800\ntitle=Anfang\n\
                [CHAPTER]\nTIMEBASE=1/1000\nSTART=800\nEND=2000\ntitle=Ende\n";
    std::fs::write(&path, text).unwrap();
    path
}

/// Opens the sink for a source, for the errors and warnings that precede the slow part.
fn opened(desk: &Desk, input: &Path, name: &str, strict: bool) -> Result<Box<dyn FrameSink>, EncodeError> {
    opened_part(desk, input, name, strict, ALL)
}

/// As [`opened`], for a part of the source.
fn opened_part(
    desk: &Desk,
    input: &Path,
    name: &str,
    strict: bool,
    range: Range,
) -> Result<Box<dyn FrameSink>, EncodeError> {
    let source = decode::open(&Input::Video(input.into()), range, &InputSettings::default()).unwrap();
    let work = desk.path(&format!("opened-{name}"));
    std::fs::create_dir_all(&work).unwrap();
    let target = Target { output: Output::Video(work.join(name)), work, label: None };
    encode::open(&target, source.info(), &OutputSettings { strict_streams: strict, ..OutputSettings::default() })
}

fn warnings(desk: &Desk, input: &Path, name: &str) -> Vec<String> {
    opened(desk, input, name, false).unwrap().warnings().to_vec()
}

/// Two audio streams, two subtitle streams, chapters, a font and a cover; the painted video is stream 1.
fn everything(desk: &Desk) -> PathBuf {
    let cover = desk.clip("cover.jpg", "-f lavfi -i color=red:s=32x32 -frames:v 1");
    desk.clip(
        "everything.mkv",
        &format!(
            "-f lavfi -i sine=d=2 {VIDEO} -f lavfi -i sine=f=880:d=2 -i {subtitles} -i {chapters} -map 0 -map 1 -map 2 \
             -map 3 -map 3 -map_metadata 4 -attach {font} -attach {cover} {H264} -c:a aac -c:s:0 subrip -c:s:1 ass \
             -metadata:s:a:0 language=ger -metadata:s:a:0 title=Ton -metadata:s:a:1 language=fre \
             -metadata:s:s:0 language=ger -metadata:s:s:1 language=ita -metadata:s:s:1 title=Zwei -metadata:s:v \
             title=Bild -metadata:s:t:0 mimetype=application/x-truetype-font -metadata:s:t:1 mimetype=image/jpeg \
             -disposition:a:0 0 -disposition:a:1 default -disposition:s:0 forced -disposition:s:1 \
             default+hearing_impaired",
            subtitles = subtitles(desk).display(),
            chapters = chapters(desk).display(),
            font = font(desk).display(),
            cover = cover.display(),
        ),
    )
}

#[test]
fn everything_stays_in_matroska() {
    let desk = Desk::new();
    let input = everything(&desk);
    assert_eq!(listed(&input).len(), 7);
    assert_eq!(warnings(&desk, &input, "out.mkv"), Vec::<String>::new());
    assert!(opened(&desk, &input, "strict.mkv", true).is_ok());
    let output = desk.transcode(&input, "out.mkv", ALL).unwrap();
    assert_eq!(listed(&output), listed(&input));
    for index in [0, 2, 3, 4, 6] {
        assert_eq!(hash(&output, index), hash(&input, index), "stream {index}");
    }
    let dispositions = "stream_disposition=default,forced,hearing_impaired,attached_pic";
    assert_eq!(probe(&output, "", dispositions), probe(&input, "", dispositions));
    let chapter = "chapter=start_time,end_time:chapter_tags=title";
    assert_eq!(probe(&output, "v", chapter), ["0.000000,0.800000,Anfang", "0.800000,2.000000,Ende"]);
    assert_eq!(probe(&output, "v:0", "format_tags=title"), ["Film"]);
    let names = "stream_tags=filename,mimetype";
    let attached = ["font.ttf,application/x-truetype-font", "cover.jpg,image/jpeg"];
    assert_eq!(probe(&output, "", names)[..], attached);
    for stream in ["s:0", "s:1", "a:0", "a:1"] {
        assert_eq!(packets(&output, stream), packets(&input, stream), "{stream}");
    }
    let dumped = desk.path("dumped.ttf");
    let arguments = ["-dump_attachment:5".as_ref(), dumped.as_os_str(), "-i".as_ref(), output.as_os_str()];
    let rest = ["-map", "0:0", "-c", "copy", "-f", "null", "-"].map(std::ffi::OsStr::new);
    ffmpeg(arguments.into_iter().chain(rest));
    assert_eq!(std::fs::read(dumped).unwrap(), std::fs::read(desk.path("font.ttf")).unwrap());
}

#[test]
fn mp4_keeps_what_it_can_hold_and_says_what_it_cannot() {
    let desk = Desk::new();
    let input = everything(&desk);
    assert_eq!(
        warnings(&desk, &input, "out.mp4"),
        [
            "stream 3 (subtitles subrip, German) is converted to mov_text",
            "stream 4 (subtitles ass, Italian) is left out: mp4 cannot hold it; .mkv would",
            "stream 5 (attachment font.ttf) is left out: mp4 cannot hold it; .mkv would",
        ]
    );
    let error = opened(&desk, &input, "strict.mp4", true).err().unwrap().to_string();
    assert_eq!(
        error,
        "strict.mp4: mp4 cannot hold stream 4 (subtitles ass, Italian) and stream 5 (attachment font.ttf) of the source; \
         use -o NAME.mkv"
    );
    let output = desk.transcode(&input, "out.mp4", ALL).unwrap();
    // The fifth stream is the muxer's own form of the chapters.
    let codecs: Vec<String> = probe(&output, "", "stream=codec_name,codec_type");
    assert_eq!(codecs, ["aac,audio", "h264,video", "aac,audio", "mov_text,subtitle", "bin_data,data", "mjpeg,video"],);
    assert_eq!(probe(&output, "", "stream_disposition=attached_pic"), ["0", "0", "0", "0", "0", "1"]);
    assert_eq!(hash(&output, 5), hash(&input, 6), "the cover");
    assert_eq!(text(&output, 3), text(&input, 3));
    assert_eq!(probe(&output, "s", "stream_tags=language"), ["ger"]);
    // From that output to Matroska again.
    let back = desk.transcode(&output, "back.mkv", ALL).unwrap();
    let codecs: Vec<String> = probe(&back, "", "stream=codec_name,codec_type");
    assert_eq!(codecs, ["aac,audio", "h264,video", "aac,audio", "subrip,subtitle", "mjpeg,video"]);
    assert_eq!(probe(&back, "", "stream_disposition=attached_pic"), ["0", "0", "0", "0", "1"]);
    assert_eq!(hash(&back, 4), hash(&input, 6), "the cover");
    assert_eq!(probe(&back, "", "stream_tags=filename,mimetype"), ["cover.jpg,image/jpeg"]);
}

/// Moves the tags of an MP4 file, including its cover, in front of its tracks.
fn tags_first(bytes: &mut [u8]) {
    let boxes = |bytes: &[u8], from: usize, to: usize| {
        let mut found = Vec::new();
        let mut at = from;
        while at < to {
            let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
            found.push((bytes[at + 4..at + 8].to_vec(), at..at + size));
            at += size;
        }
        found
    };
    let find = |list: &[(Vec<u8>, std::ops::Range<usize>)], name: &[u8]| {
        list.iter().find(|(found, _)| found == name).unwrap().1.clone()
    };
    let moov = find(&boxes(bytes, 0, bytes.len()), b"moov");
    let inner = boxes(bytes, moov.start + 8, moov.end);
    let (udta, mvhd) = (find(&inner, b"udta"), find(&inner, b"mvhd"));
    assert_eq!(udta.end, moov.end);
    bytes[mvhd.end..moov.end].rotate_right(udta.len());
}

#[test]
fn a_cover_that_comes_first_stays_a_cover() {
    let desk = Desk::new();
    let cover = desk.clip("cover.png", "-f lavfi -i color=red:s=32x32 -frames:v 1");
    let made = desk.clip(
        "made.mp4",
        &format!(
            "{VIDEO} -f lavfi -i sine=d=2 -i {} -map 1 -map 0 -map 2 {H264} -c:a aac -c:v:1 copy -disposition:v:1 \
                  attached_pic",
            cover.display()
        ),
    );
    let input = desk.changed(&made, "in.mp4", |bytes| tags_first(bytes));
    assert_eq!(probe(&input, "", "stream=codec_name"), ["png", "aac", "h264"]);
    for name in ["out.mp4", "out.mkv"] {
        assert_eq!(warnings(&desk, &input, name), Vec::<String>::new());
        let output = desk.transcode(&input, name, ALL).unwrap();
        assert_eq!(probe(&output, "", "stream=codec_name"), ["aac", "h264", "png"], "{name}");
        assert_eq!(probe(&output, "", "stream_disposition=attached_pic"), ["0", "0", "1"]);
        assert_eq!(hash(&output, 2), hash(&input, 0), "{name}");
    }
    assert_eq!(
        warnings(&desk, &input, "out.mov"),
        ["stream 0 (cover picture png) is left out: mov cannot hold it; .mp4 or .mkv would"]
    );
    let output = desk.transcode(&input, "out.mov", ALL).unwrap();
    assert_eq!(probe(&output, "", "stream=codec_name"), ["aac", "h264"]);
}

#[test]
fn text_subtitles_change_their_codec_and_nothing_else() {
    let desk = Desk::new();
    let srt = subtitles(&desk);
    let input = desk.clip("in.mp4", &format!("{VIDEO} -i {} {H264} -c:s mov_text", srt.display()));
    assert_eq!(warnings(&desk, &input, "out.mkv"), ["stream 1 (subtitles mov_text) is converted to subrip"]);
    let mkv = desk.transcode(&input, "out.mkv", ALL).unwrap();
    assert_eq!(probe(&mkv, "s", "stream=codec_name"), ["subrip"]);
    assert_eq!(text(&mkv, 1), std::fs::read_to_string(&srt).unwrap());
    let mp4 = desk.transcode(&mkv, "again.mp4", ALL).unwrap();
    assert_eq!(probe(&mp4, "s", "stream=codec_name"), ["mov_text"]);
    assert_eq!(text(&mp4, 1), std::fs::read_to_string(&srt).unwrap());
    assert_eq!(packets(&mp4, "s"), packets(&input, "s"));
    let mov = desk.transcode(&mp4, "copy.mov", ALL).unwrap();
    assert_eq!(hash(&mov, 1), hash(&mp4, 1), "copied as it is");
    let webm = desk.transcode(&mkv, "out.webm", ALL).unwrap();
    assert_eq!(probe(&webm, "s", "stream=codec_name"), ["webvtt"]);
    assert_eq!(text(&webm, 1), std::fs::read_to_string(&srt).unwrap());
    assert_eq!(times(&webm), times(&input));
    let from_webm = desk.transcode(&webm, "from_webm.mp4", ALL).unwrap();
    assert_eq!(text(&from_webm, 1), std::fs::read_to_string(&srt).unwrap());
}

#[test]
fn subtitles_are_cut_with_the_video() {
    let desk = Desk::new();
    let srt = subtitles(&desk);
    let input = desk.clip("in.mkv", &format!("{VIDEO} -i {} {H264} -c:s subrip", srt.display()));
    // The first subtitle begins before the part, and the second ends after it.
    let part = Range { start: 1.0, frames: Some(20) };
    let output = desk.transcode(&input, "out.mkv", part).unwrap();
    let shown: Vec<(i64, i64)> = packets(&output, "s").into_iter().map(|(begin, length, _)| (begin, length)).collect();
    assert_eq!(shown, [(0, 250), (500, 300)]);
    // MP4 stores a gap without subtitles as a separate packet.
    let none = desk.transcode(&input, "none.mp4", Range { start: 0.0, frames: Some(5) }).unwrap();
    assert_eq!(probe(&none, "", "stream=codec_name"), ["h264", "mov_text"]);
    assert_eq!(packets(&none, "s"), []);
}

/// Makes a PGS file: one picture of 8x2 pixels, shown from 0.5 s to 1.5 s.
fn pgs(desk: &Desk) -> PathBuf {
    let mut bytes = Vec::new();
    let mut segment = |milliseconds: u32, kind: u8, body: &[u8]| {
        bytes.extend_from_slice(b"PG");
        bytes.extend_from_slice(&(90 * milliseconds).to_be_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.push(kind);
        bytes.extend_from_slice(&(body.len() as u16).to_be_bytes());
        bytes.extend_from_slice(body);
    };
    // Composition (64x48, start of an epoch, one object at 4,4), window, palette, object, end.
    segment(500, 0x16, &[0, 64, 0, 48, 0x10, 0, 0, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 4, 0, 4]);
    segment(500, 0x17, &[1, 0, 0, 4, 0, 4, 0, 8, 0, 2]);
    segment(500, 0x14, &[0, 0, 1, 235, 128, 128, 255]);
    let line = [0, 0x88, 1, 0, 0];
    let object = [[0, 0, 0, 0xc0, 0, 0, 14, 0, 8, 0, 2].as_slice(), &line, &line].concat();
    segment(500, 0x15, &object);
    segment(500, 0x80, &[]);
    // The picture is removed.
    segment(1500, 0x16, &[0, 64, 0, 48, 0x10, 0, 1, 0, 0, 0, 0]);
    segment(1500, 0x17, &[1, 0, 0, 4, 0, 4, 0, 8, 0, 2]);
    segment(1500, 0x80, &[]);
    let path = desk.path("in.sup");
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn bitmap_subtitles_stay_where_they_can() {
    let desk = Desk::new();
    let sup = pgs(&desk);
    let input = desk.clip(
        "in.mkv",
        &format!("{VIDEO} -i {} -map 1 -map 0 {H264} -c:s copy -metadata:s:s language=ger", sup.display()),
    );
    assert_eq!(listed(&input).len(), 2);
    let output = desk.transcode(&input, "out.mkv", ALL).unwrap();
    assert_eq!(listed(&output), listed(&input));
    assert_eq!(hash(&output, 0), hash(&input, 0));
    assert_eq!(packets(&output, "s"), packets(&input, "s"));
    for name in ["out.mp4", "out.webm"] {
        let kind = &name[4..];
        assert_eq!(
            warnings(&desk, &input, name),
            [format!("stream 0 (subtitles hdmv_pgs_subtitle, German) is left out: {kind} cannot hold it; .mkv would")]
        );
    }
    // MP4 can also hold DVD subtitles.
    let dvd = desk.clip("dvd.mkv", &format!("{VIDEO} -i {} -map 0 -map 1 {H264} -c:s dvdsub", sup.display()));
    for name in ["dvd.mp4", "out.mkv"] {
        assert_eq!(warnings(&desk, &dvd, name), Vec::<String>::new());
        let output = desk.transcode(&dvd, name, ALL).unwrap();
        assert_eq!(probe(&output, "s", "stream=codec_name"), ["dvd_subtitle"]);
        assert_eq!(hash(&output, 1), hash(&dvd, 1), "{name}");
    }
}

#[test]
fn a_timecode_stays_and_counts_from_the_first_frame() {
    let desk = Desk::new();
    let input = desk.clip("in.mov", &format!("{VIDEO} -timecode 01:02:03:04 {H264}"));
    assert_eq!(probe(&input, "d", "stream=codec_tag_string"), ["tmcd"]);
    for name in ["out.mov", "out.mp4"] {
        assert_eq!(warnings(&desk, &input, name), Vec::<String>::new());
        let output = desk.transcode(&input, name, ALL).unwrap();
        assert_eq!(probe(&output, "d", "stream=codec_tag_string:stream_tags=timecode"), ["tmcd,01:02:03:04"]);
        assert_eq!(probe(&output, "v", "stream_tags=timecode"), ["01:02:03:04"]);
        assert_eq!(times(&output), times(&input));
    }
    let mkv = desk.transcode(&input, "out.mkv", ALL).unwrap();
    assert_eq!(probe(&mkv, "", "stream=codec_name"), ["h264"]);
    let back = desk.transcode(&mkv, "back.mov", ALL).unwrap();
    assert_eq!(probe(&back, "d", "stream=codec_tag_string:stream_tags=timecode"), ["tmcd,01:02:03:04"]);
    let part = desk.transcode(&input, "part.mov", Range { start: 1.0, frames: Some(10) }).unwrap();
    assert_eq!(probe(&part, "d", "stream_tags=timecode"), ["01:02:04:04"]);
}

#[test]
fn a_timecode_goes_together_with_a_cover_and_chapters() {
    let desk = Desk::new();
    let cover = desk.clip("cover.jpg", "-f lavfi -i color=red:s=32x32 -frames:v 1");
    let chapters = chapters(&desk);
    let of_streams = desk.clip(
        "streams.mp4",
        &format!(
            "-i {} {VIDEO} -f lavfi -i sine=d=2 -i {} -map 0 -map 1 -map 2 -map_metadata 3 -c:v:0 copy -c:v:1 libx264 -c:a aac -disposition:v:0 attached_pic \
             -timecode 00:59:59:24",
            cover.display(),
            chapters.display()
        ),
    );
    let of_file = desk.clip(
        "file.mkv",
        &format!(
            "{VIDEO} -f lavfi -i sine=d=2 -i {} -attach {} -map 0 -map 1 -map_metadata 2 -c:a aac -metadata timecode=00:59:59:24 -metadata:s:t \
             mimetype=image/jpeg {H264}",
            chapters.display(),
            cover.display()
        ),
    );
    for (input, name) in [(of_streams, "streams.mp4"), (of_file, "file.mp4")] {
        assert_eq!(warnings(&desk, &input, name), Vec::<String>::new());
        let output = desk.transcode(&input, name, ALL).unwrap();
        let codecs = probe(&output, "", "stream=codec_name,codec_tag_string");
        assert_eq!(codecs, ["h264,avc1", "aac,mp4a", "bin_data,text", "unknown,tmcd", "mjpeg,[0][0][0][0]"], "{name}");
        assert_eq!(probe(&output, "d:1", "stream_tags=timecode"), ["00:59:59:24"], "{name}");
        assert_eq!(hash(&output, 4), hash(&cover, 0), "{name}");
    }
}

#[test]
fn a_timecode_that_is_none_does_not_stop_the_file() {
    let desk = Desk::new();
    let input = desk.clip("in.mkv", &format!("{VIDEO} -metadata:s:v timecode=noon {H264}"));
    assert_eq!(warnings(&desk, &input, "out.mov"), ["the timecode noon is left out: mov cannot hold it"]);
    let output = desk.transcode(&input, "out.mov", ALL).unwrap();
    assert_eq!(probe(&output, "", "stream=codec_name"), ["h264"]);
    let mkv = desk.transcode(&input, "out.mkv", ALL).unwrap();
    assert_eq!(probe(&mkv, "v", "stream_tags=TIMECODE"), ["noon"]);
}

#[test]
fn further_video_is_copied() {
    let desk = Desk::new();
    let input = desk.clip(
        "in.mp4",
        &format!(
            "{VIDEO} -f lavfi -i mandelbrot=s=32x32:r=10 -f lavfi -i sine=d=2 -map 2 -map 1 -map 0 -t 2 {H264} -c:a aac \
             -metadata:s:v:0 language=fre -disposition:v:0 0 -disposition:v:1 default -aspect:v:0 2:1"
        ),
    );
    // The size decides which of them is painted.
    for name in ["out.mp4", "out.mkv", "out.mov"] {
        assert_eq!(warnings(&desk, &input, name), Vec::<String>::new());
        let output = desk.transcode(&input, name, ALL).unwrap();
        assert_eq!(
            probe(&output, "", "stream=codec_name,width"),
            probe(&input, "", "stream=codec_name,width"),
            "{name}"
        );
        assert_eq!(hash(&output, 1), hash(&input, 1), "{name}");
        assert_ne!(hash(&output, 2), hash(&input, 2), "{name}: painted again");
        assert_eq!(packets(&output, "v:0").len(), 20, "{name}");
        let shape = "stream=sample_aspect_ratio,display_aspect_ratio";
        assert_eq!(probe(&output, "v:0", shape), probe(&input, "v:0", shape), "{name}");
        let of = |path: &Path, stream| -> Vec<f64> {
            let first = times_of(path, "v:1")[0];
            times_of(path, stream).iter().map(|time| time - first).collect()
        };
        for stream in ["v:0", "v:1"] {
            let (output, input) = (of(&output, stream), of(&input, stream));
            assert_eq!(output.len(), input.len());
            assert!(output.iter().zip(&input).all(|(a, b)| (a - b).abs() < 0.0011), "{name} {stream}");
        }
    }
    assert_eq!(
        opened(&desk, &desk.clip("mute.mkv", &format!("-i {} -map 0:v -c copy", input.display())), "out.webm", false)
            .unwrap()
            .warnings(),
        ["stream 0 (video h264, French) is left out: webm cannot hold it; .mp4, .mkv or .mov would"]
    );
}

#[test]
fn data_is_copied_where_the_container_knows_it() {
    let desk = Desk::new();
    let srt = subtitles(&desk);
    let made = desk.clip("made.mp4", &format!("{VIDEO} -i {} {H264} -c:s mov_text", srt.display()));
    // GoPro's telemetry, recognised by its name alone.
    let input = desk.changed(&made, "in.mp4", |bytes| {
        for (from, to) in [(b"tx3g", b"gpmd"), (b"sbtl", b"meta")] {
            let places: Vec<usize> =
                bytes.windows(4).enumerate().filter(|(_, w)| w == from).map(|(at, _)| at).collect();
            assert!(!places.is_empty());
            for at in places {
                bytes[at..at + 4].copy_from_slice(to);
            }
        }
    });
    let name = "stream=codec_type,codec_tag_string";
    assert_eq!(probe(&input, "d", name), ["data,gpmd"]);
    let output = desk.transcode(&input, "out.mp4", ALL).unwrap();
    assert_eq!(warnings(&desk, &input, "out.mp4"), Vec::<String>::new());
    assert_eq!(probe(&output, "d", name), ["data,gpmd"]);
    assert_eq!(hash(&output, 1), hash(&input, 1));
    assert_eq!(
        warnings(&desk, &input, "out.mkv"),
        ["stream 1 (data bin_data) is left out: mkv cannot hold it; .mp4 or .mov would"]
    );
}

#[test]
fn a_transport_stream_goes_to_mp4_and_matroska() {
    let desk = Desk::new();
    let input = desk.clip("in.ts", &format!("-f lavfi -i sine=d=2 {VIDEO} -map 0 -map 1 {H264} -c:a aac"));
    // (Each stream is listed twice: by itself and in its programme.)
    assert_eq!(probe(&input, "", "stream=codec_name"), ["aac", "h264", "aac", "h264"]);
    // AAC loses the headers that only a transport stream needs.
    let bare = desk.clip("bare.mp4", &format!("-i {} -map 0:a -c copy", input.display()));
    for name in ["out.mp4", "out.mkv"] {
        assert_eq!(warnings(&desk, &input, name), Vec::<String>::new());
        let output = desk.transcode(&input, name, ALL).unwrap();
        let codecs = probe(&output, "", "stream=codec_name");
        assert_eq!(codecs, ["aac", "h264"], "{name}");
        assert_eq!(hash(&output, 0), hash(&bare, 0), "{name}");
        let slack = if name == "out.mkv" { 0.0006 } else { 0.00002 };
        for (a, b) in times(&output).iter().zip(&times(&input)) {
            assert!((a - b).abs() < slack, "{name}: {a} and {b}");
        }
    }
}

#[test]
fn sound_from_avi_goes_where_it_can() {
    let desk = Desk::new();
    let mp3 = desk.clip("mp3.avi", &format!("{VIDEO} -f lavfi -i sine=d=2 -c:v mpeg4 -c:a libmp3lame"));
    for name in ["out.mp4", "out.mkv"] {
        let output = desk.transcode(&mp3, name, ALL).unwrap();
        assert_eq!(hash(&output, 1), hash(&mp3, 1), "{name}");
    }
    let pcm = desk.clip("pcm.avi", &format!("{VIDEO} -f lavfi -i sine=d=2 -c:v mpeg4 -c:a pcm_s16le"));
    for name in ["out.mkv", "out.mov"] {
        let output = desk.transcode(&pcm, name, ALL).unwrap();
        assert_eq!(hash(&output, 1), hash(&pcm, 1), "{name}");
    }
    let error = opened(&desk, &pcm, "out.mp4", false).err().unwrap().to_string();
    assert!(error.ends_with("mp4 cannot hold the source's pcm_s16le audio; use -o NAME.mkv or NAME.mov"), "{error}");
}

#[test]
fn all_streams_stay_on_one_clock() {
    let desk = Desk::new();
    let srt = subtitles(&desk);
    let made = format!("{VIDEO} -f lavfi -i sine=d=2 -i {} {H264} -c:a aac", srt.display());
    let inputs = [
        desk.clip("late.mkv", &format!("{made} -c:s subrip -output_ts_offset 3.5")),
        desk.clip("late.mp4", &format!("{made} -c:s mov_text -output_ts_offset 3.5 -movie_timescale 90000")),
        desk.clip("whole.mkv", &format!("{made} -c:s subrip")),
    ];
    for (number, input) in inputs.iter().enumerate() {
        for extension in ["mkv", "mp4"] {
            let output = desk.transcode(input, &format!("out{number}.{extension}"), ALL).unwrap();
            let first = |path: &Path| times(path)[0];
            assert!((first(&output) - first(input)).abs() < 0.025, "{} {extension}", input.display());
            let shown = |path: &Path| -> Vec<(i64, i64)> {
                let since_first = |begin: i64| begin - (1000.0 * first(path)).round() as i64;
                packets(path, "s").into_iter().map(|(begin, length, _)| (since_first(begin), length)).collect()
            };
            for (got, expected) in shown(&output).iter().zip(&shown(input)) {
                let context = format!("{} {extension}: {got:?} and {expected:?}", input.display());
                assert!((got.0 - expected.0).abs() <= 1 && (got.1 - expected.1).abs() <= 1, "{context}");
            }
            assert_eq!(shown(&output).len(), 2);
        }
    }
}

#[test]
fn subtitles_without_a_pause_stay_so() {
    let desk = Desk::new();
    let srt = desk.path("close.srt");
    let lines: Vec<String> = (0..20)
        .map(|n| {
            format!(
                "{}\n00:00:0{},{:03} --> 00:00:0{},{:03}\nZeile {n}\n\n",
                n + 1,
                n / 10,
                n % 10 * 100,
                (n + 1) / 10,
                (n + 1) % 10 * 100
            )
        })
        .collect();
    std::fs::write(&srt, lines.concat()).unwrap();
    let input = desk.clip("in.mkv", &format!("{VIDEO} -i {} {H264} -c:s subrip", srt.display()));
    let mp4 = desk.transcode(&input, "out.mp4", ALL).unwrap();
    assert_eq!(probe(&mp4, "s", "packet=size").len(), 20, "no packet that ends a subtitle");
    let back = desk.transcode(&mp4, "back.mkv", ALL).unwrap();
    assert_eq!(text(&back, 1), lines.concat());
}

#[test]
fn subtitles_of_television_go_to_matroska() {
    let desk = Desk::new();
    let sup = pgs(&desk);
    let input = desk.clip(
        "in.ts",
        &format!("{VIDEO} -i {} -map 0 -map 1 {H264} -c:s dvbsub -metadata:s:s language=ita", sup.display()),
    );
    assert_eq!(
        warnings(&desk, &input, "out.mp4"),
        ["stream 1 (subtitles dvb_subtitle, Italian) is left out: mp4 cannot hold it; .mkv would"]
    );
    let output = desk.transcode(&input, "out.mkv", ALL).unwrap();
    assert_eq!(probe(&output, "s", "stream=codec_name:stream_tags=language"), ["dvb_subtitle,ita"]);
    let bare = desk.clip("bare.mkv", &format!("-i {} -map 0:s -c copy", input.display()));
    assert_eq!(hash(&output, 1), hash(&bare, 0));
}

#[test]
fn data_of_no_known_kind_is_not_given_a_name() {
    let desk = Desk::new();
    let data = desk.path("data.bin");
    std::fs::write(&data, [7; 500]).unwrap();
    let input = desk.clip("in.ts", &format!("{VIDEO} -f data -i {} -map 0 -map 1 {H264} -c:d copy", data.display()));
    for name in ["out.mp4", "out.mkv"] {
        let kind = &name[4..];
        let expected = format!("stream 1 (data bin_data) is left out: {kind} cannot hold it, nor can any other");
        assert_eq!(warnings(&desk, &input, name), [expected]);
        let output = desk.transcode(&input, name, ALL).unwrap();
        assert_eq!(probe(&output, "", "stream=codec_name"), ["h264"]);
    }
    let error = opened(&desk, &input, "strict.mkv", true).err().unwrap().to_string();
    let expected = "strict.mkv: mkv cannot hold stream 1 (data bin_data) of the source; leave --strict-streams away";
    assert_eq!(error, expected);
}

/// Converts a source to `name` and returns the warnings that only the end produces.
fn told_at_the_end(desk: &Desk, input: &Path, name: &str) -> Vec<String> {
    told_of_a_part(desk, input, name, ALL)
}

/// As [`told_at_the_end`], for a part of the source.
fn told_of_a_part(desk: &Desk, input: &Path, name: &str, range: Range) -> Vec<String> {
    let mut source = decode::open(&Input::Video(input.into()), range, &InputSettings::default()).unwrap();
    let mut sink = opened_part(desk, input, name, false, range).unwrap();
    while let Some(frame) = source.next().unwrap() {
        sink.push(frame).unwrap();
    }
    sink.finish().unwrap().warnings
}

#[test]
fn subtitles_that_are_no_text_are_counted() {
    let desk = Desk::new();
    let srt = subtitles(&desk);
    let made = desk.clip("made.mkv", &format!("{VIDEO} -i {} {H264} -c:s subrip", srt.display()));
    let input = desk.changed(&made, "in.mkv", |bytes| {
        let at = bytes.windows(5).position(|window| window == b"Hallo").unwrap();
        bytes[at] = 0xff;
    });
    let told = told_at_the_end(&desk, &input, "out.mp4");
    assert_eq!(told, ["stream 1: subtitles that cannot be read are left out (1)"]);
    assert_eq!(packets(&desk.path("opened-out.mp4/out.mp4"), "s").len(), 1);
}

#[test]
fn subtitles_at_the_same_time_are_told_of() {
    let desk = Desk::new();
    let srt = desk.path("in.srt");
    let text = "1\n00:00:00,500 --> 00:00:01,250\nEins\n\n2\n00:00:00,500 --> 00:00:01,250\nZwei\n\n\
                3\n00:00:01,250 --> 00:00:01,500\nDrei\n\n";
    std::fs::write(&srt, text).unwrap();
    let input = desk.clip("in.mkv", &format!("{VIDEO} -i {} {H264} -c:s subrip", srt.display()));
    let told = told_at_the_end(&desk, &input, "out.mp4");
    assert_eq!(told, ["stream 1: subtitles end early, where the next one begins: MP4 shows one at a time (1)"]);
    assert_eq!(packets(&desk.path("opened-out.mp4/out.mp4"), "s").len(), 3);
    assert_eq!(told_at_the_end(&desk, &input, "out.mkv"), Vec::<String>::new());
    assert_eq!(self::text(&desk.path("opened-out.mkv/out.mkv"), 1), text);
}

#[test]
fn subtitles_at_the_same_time_outside_the_part_are_not_told_of() {
    let desk = Desk::new();
    let srt = desk.path("in.srt");
    // One and two overlap until 0.6 s, two and three until 0.9 s, and four and five from 1.5 s on.
    let text = "1\n00:00:00,100 --> 00:00:00,600\nEins\n\n2\n00:00:00,400 --> 00:00:00,900\nZwei\n\n\
                3\n00:00:00,700 --> 00:00:01,200\nDrei\n\n4\n00:00:01,300 --> 00:00:01,900\nVier\n\n\
                5\n00:00:01,500 --> 00:00:01,900\nFuenf\n\n";
    std::fs::write(&srt, text).unwrap();
    let input = desk.clip("in.mkv", &format!("{VIDEO} -i {} {H264} -c:s subrip", srt.display()));
    let overlaps = |start: f64, frames: u64| {
        let told = told_of_a_part(&desk, &input, "out.mp4", Range { start, frames: Some(frames) });
        let count = told.first().map_or("0", |line| line.rsplit(['(', ')']).nth(1).unwrap());
        (told.len(), count.to_owned())
    };
    assert_eq!(overlaps(0.0, 50), (1, "3".to_owned()));
    // The part begins when only two and three are left, then after both; it ends before five begins.
    assert_eq!(overlaps(0.64, 34), (1, "2".to_owned()));
    assert_eq!(overlaps(0.96, 10), (0, "0".to_owned()));
    assert_eq!(overlaps(0.0, 12), (1, "1".to_owned()));
}

#[test]
fn video_without_times_is_not_copied_wrongly() {
    let desk = Desk::new();
    let input = desk.clip(
        "in.avi",
        &format!("{VIDEO} -f lavfi -i testsrc=s=32x32:d=2 -map 0 -map 1 {H264} -c:v:1 mpeg4 -bf:v:1 2"),
    );
    for name in ["out.mp4", "out.mkv"] {
        let expected = "stream 1 (video mpeg4) is left out: its packets do not say when they are shown";
        assert_eq!(warnings(&desk, &input, name), [expected]);
        let output = desk.transcode(&input, name, ALL).unwrap();
        assert_eq!(probe(&output, "", "stream=codec_name"), ["h264"]);
    }
    // Without reordering, the times are unambiguous.
    let plain = desk.clip(
        "plain.avi",
        &format!("{VIDEO} -f lavfi -i testsrc=s=32x32:d=2 -map 0 -map 1 -c:v libx264 -bf 0 -c:v:1 mpeg4"),
    );
    for name in ["out.mp4", "plain.mkv"] {
        assert_eq!(warnings(&desk, &plain, name), Vec::<String>::new());
        let output = desk.transcode(&plain, name, ALL).unwrap();
        assert_eq!(hash(&output, 1), hash(&plain, 1));
        assert_eq!(times_of(&output, "v:1").len(), 50);
    }
}

#[test]
fn the_painted_video_stays_stereoscopic() {
    let desk = Desk::new();
    let input = desk.clip("in.mkv", &format!("{VIDEO} -metadata:s:v stereo_mode=left_right {H264}"));
    let kind = "stream_side_data=side_data_type,type";
    let expected = ["Stereo 3D,side by side"];
    assert_eq!(probe(&input, "v", kind), expected);
    for name in ["out.mkv", "out.mp4"] {
        assert_eq!(probe(&desk.transcode(&input, name, ALL).unwrap(), "v", kind), expected, "{name}");
    }
}

#[test]
fn damaged_sound_does_not_cost_the_pictures() {
    let desk = Desk::new();
    let sound = "-f lavfi -i sine=d=2:sample_rate=48000";
    let made = desk.clip("made.mkv", &format!("{VIDEO} {sound} {H264} -c:a eac3"));
    // Its second packet loses the word at its beginning, which MP4's muxer looks for.
    let input = desk.changed(&made, "in.mkv", |bytes| {
        let starts: Vec<usize> =
            bytes.windows(4).enumerate().filter(|(_, w)| w[..2] == [0x0b, 0x77]).map(|(at, _)| at).collect();
        assert!(starts.len() > 40);
        bytes[starts[1]] = 0;
    });
    let told = told_at_the_end(&desk, &input, "out.mp4");
    assert_eq!(told, ["damaged packets of the source's other streams are left out (1)"]);
    let output = desk.path("opened-out.mp4/out.mp4");
    assert_eq!(times(&output), times(&made));
    assert_eq!(packets(&output, "a").len(), packets(&input, "a").len() - 1);
}
