//! Losses that must be found.

use crate::common::Desk;
use crate::verify::{CHAPTERS, H264, SUBTITLES, VIDEO, copy, difference, file, make, repaint, rich};

/// Returns the difference between a rich MP4 and its changed copy.
fn after_copy(arguments: &str) -> String {
    let desk = Desk::new();
    let input = rich(&desk, "in.mp4");
    difference(&input, &copy(&desk, &input, arguments, "out.mp4"))
}

/// Returns the difference after new pictures are written.
fn after_repaint(filter: &str, arguments: &str) -> String {
    let desk = Desk::new();
    let input = rich(&desk, "in.mp4");
    difference(&input, &repaint(&desk, &input, filter, arguments, "out.mp4"))
}

#[track_caller]
fn assert_tells(line: &str, expected: &str) {
    assert!(line.starts_with(expected), "{line}");
}

#[test]
fn a_dropped_frame() {
    assert_tells(
        &after_repaint("select='not(eq(n,20))'", ""),
        "stream 0 (video): the number of frames is 50 in the first file, 49 (frame 21 is the first at another time, \
         0.84 s) in the second",
    );
    assert_tells(
        &after_repaint("select='lt(n,49)'", ""),
        "stream 0 (video): the number of frames is 50 in the first file, 49 in the second",
    );
}

#[test]
fn frames_that_come_later() {
    assert_tells(
        &after_repaint("setpts='PTS+gte(N,20)*0.04/TB'", ""),
        "frame 21: its time is 0.8 s in the first file, 0.84 s in the second",
    );
    assert_tells(
        &after_repaint("setpts='PTS+eq(N,30)*0.01/TB'", ""),
        "frame 31: its time is 1.2 s in the first file, 1.21 s in the second",
    );
}

#[test]
fn all_streams_moved() {
    assert_tells(
        &after_copy("-output_ts_offset 0.04"),
        "frame 1: its time is 0 s in the first file, 0.04 s in the second",
    );
}

#[test]
fn sound_moved_against_pictures() {
    let desk = Desk::new();
    let input = rich(&desk, "in.mp4");
    let output = make(
        &desk,
        &[&input],
        &format!("-itsoffset 0.1 -i {} -map 0:v -map 1:a -map 0:s -map_metadata 0 -c copy", input.display()),
        "out.mp4",
    );
    let line = difference(&input, &output);
    assert_tells(&line, "stream 1 (audio, aac), packet 1 at ");
    assert!(line.contains("its time is"), "{line}");
}

#[test]
fn a_shorter_last_frame() {
    let desk = Desk::new();
    let input =
        desk.clip("in.mp4", &format!("{VIDEO} -vf select='not(between(n,41,48))' -fps_mode passthrough {H264}"));
    let long = desk.clip("long.mkv", &format!("{VIDEO} -vf select='lt(n,41)' {H264}"));
    let list = file(&desk, "list.txt", &format!("file '{}'\nduration 3\n", long.display()));
    let longer = desk.clip("longer.mp4", &format!("-f concat -safe 0 -i {} -c copy", list.display()));
    assert_tells(&difference(&input, &longer), "stream 0 (video): the number of frames is 42");
    // The same frames, but the last one is shown for a second instead of one frame.
    let short = desk.clip("short.mp4", &format!("{VIDEO} {H264} -bf 0"));
    let held =
        copy(&desk, &short, "-bsf:v setts=duration='if(eq(N,49),25,1)*512' -video_track_timescale 12800", "held.mp4");
    assert_tells(
        &difference(&held, &short),
        "frame 50 (the last): how long it is shown is 1 s in the first file, 0.04 s in the second",
    );
}

#[test]
fn missing_sound() {
    assert_tells(
        &after_copy("-map -0:a:0"),
        "audio streams: their number is 2 (aac ita, aac fra) in the first file, 1 (aac fra) in the second",
    );
}

#[test]
fn a_changed_packet() {
    let line = after_copy("-bsf:a:1 noise=amount='if(eq(n,12),20,0)'");
    assert_tells(&line, "stream 2 (audio, aac), packet 13 at ");
    assert!(line.contains("its content is"), "{line}");
}

#[test]
fn a_packet_gone_from_the_middle() {
    assert_tells(&after_copy("-bsf:a:0 noise=drop='eq(n,40)'"), "stream 1 (audio, aac): the number of packets is ");
}

#[test]
fn another_language() {
    assert_tells(
        &after_copy("-metadata:s:a:0 language=spa"),
        "stream 1 (audio, aac): the language is `ita` in the first file, `spa` in the second",
    );
    assert_tells(
        &after_copy("-metadata:s:a:1 language="),
        "stream 2 (audio, aac): the language is `fra` in the first file, none in the second",
    );
}

#[test]
fn another_default() {
    assert_tells(
        &after_copy("-disposition:a:0 default -disposition:a:1 0"),
        "stream 1 (audio, aac): the disposition is not default in the first file, default in the second",
    );
    assert_tells(
        &after_copy("-disposition:s:0 0"),
        "stream 3 (subtitles, mov_text): the disposition is forced in the first file, none in the second",
    );
}

#[test]
fn swapped_streams() {
    let desk = Desk::new();
    let input = rich(&desk, "in.mp4");
    let output = make(&desk, &[&input], "-map 0:0 -map 0:2 -map 0:1 -map 0:3 -map_metadata 0 -c copy", "out.mp4");
    assert_tells(&difference(&input, &output), "stream 1 (audio, aac): the language is `ita`");
}

#[test]
fn chapters() {
    let desk = Desk::new();
    let input = rich(&desk, "in.mp4");
    for (from, to, expected) in [
        ("Ende", "Schluss", "chapter 2: its title is `Ende` in the first file, `Schluss` in the second"),
        ("=800", "=900", "chapter 1: its end is 0.8 s in the first file, 0.9 s in the second"),
    ] {
        let list = file(&desk, "changed.txt", &CHAPTERS.replace(from, to));
        let output = make(&desk, &[&input, &list], "-map 0 -map_metadata 0 -map_chapters 1 -c copy", "out.mp4");
        assert_tells(&difference(&input, &output), expected);
    }
    let output = make(&desk, &[&input], "-map 0 -map -0:d? -map_metadata 0 -map_chapters -1 -c copy", "out.mp4");
    assert_tells(&difference(&input, &output), "chapters: their number is 2 in the first file, 0 in the second");
}

#[test]
fn a_lost_title() {
    assert_tells(
        &after_copy("-metadata title="),
        "file: the tag `title` is `Blumen` in the first file, none in the second",
    );
    assert_tells(&after_copy("-metadata artist=Du"), "file: the tag `artist` is `Ich` in the first file, `Du` in the");
}

#[test]
fn tags_only_matroska_has() {
    let desk = Desk::new();
    let input = copy(&desk, &rich(&desk, "rich.mkv"), "-metadata:s:a:0 title=Ton -metadata kamera=alt", "in.mkv");
    let output = copy(&desk, &input, "-metadata:s:a:0 title=Stille", "out.mkv");
    assert_tells(
        &difference(&input, &output),
        "stream 1 (audio, aac): the tag `title` is `Ton` in the first file, `Stille` in the second",
    );
    let output = copy(&desk, &input, "-metadata kamera=", "out.mkv");
    assert_tells(&difference(&input, &output), "file: the tag `kamera` is `alt` in the first file, none in the second");
}

#[test]
fn wrong_colour_tags() {
    assert_tells(
        &after_repaint("setparams=colorspace=bt470bg", "-colorspace bt470bg"),
        "stream 0 (video): the colour matrix is bt709 in the first file, bt470bg in the second",
    );
    assert_tells(
        &after_repaint("setparams=range=pc", "-color_range pc"),
        "stream 0 (video): the colour range is limited in the first file, full in the second",
    );
    assert_tells(
        &after_repaint("null", "-color_trc smpte2084"),
        "stream 0 (video): the colour transfer is bt709 in the first file, smpte2084 in the second",
    );
}

#[test]
fn hdr_tags_on_painted_pictures() {
    let desk = Desk::new();
    let tags = "-colorspace bt2020nc -color_primaries bt2020 -color_trc smpte2084";
    let input = desk.clip("in.mp4", &format!("{VIDEO} {H264} -pix_fmt yuv420p10le {tags}"));
    let output = desk.clip("out.mp4", &format!("{VIDEO} {H264} -pix_fmt yuv420p10le -crf 40 {tags}"));
    assert_tells(
        &difference(&input, &output),
        "stream 0 (video): the colour matrix is bt709 in the first file, bt2020nc",
    );
    let output = desk.clip("sdr.mp4", &format!("{VIDEO} {H264} -crf 40"));
    assert_tells(&difference(&input, &output), "stream 0 (video): the depth is 10 bits in the first file, 8 bits in");
}

#[test]
fn alpha() {
    let desk = Desk::new();
    let source = format!("{VIDEO} -vf format=rgba,colorchannelmixer=aa=0.5");
    let input = desk.clip("in.mov", &format!("{source} -c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le"));
    let output = desk.clip("out.mov", &format!("{VIDEO} -c:v prores_ks -profile:v 4444 -pix_fmt yuv444p10le"));
    assert_tells(
        &difference(&input, &output),
        "stream 0 (video): the alpha channel is there in the first file, missing in",
    );
}

#[test]
fn shape_and_size() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", &format!("{VIDEO} -vf setsar=4/3 {H264}"));
    let output = repaint(&desk, &input, "setsar=1", "", "out.mp4");
    assert_tells(
        &difference(&input, &output),
        "stream 0 (video): the shape of a pixel is 4:3 in the first file, 1:1 in the second",
    );
    let output = repaint(&desk, &input, "scale=64:46,setsar=4/3", "", "out.mp4");
    assert_tells(
        &difference(&input, &output),
        "stream 0 (video): the size is 64x48 in the first file, 64x46 in the second",
    );
    // One extra pixel is allowed for odd sizes only.
    let output = repaint(&desk, &input, "scale=66:48,setsar=4/3", "", "out.mp4");
    assert_tells(&difference(&input, &output), "stream 0 (video): the size is 64x48");
}

#[test]
fn turns() {
    let desk = Desk::new();
    let upright = desk.clip("upright.mp4", &format!("{VIDEO} {H264}"));
    let quarter = copy(&desk, &upright, "-metadata:s:v rotate=90", "quarter.mp4");
    assert_tells(
        &difference(&quarter, &upright),
        "stream 0 (video): the size is 48x64 in the first file, 64x48 in the second",
    );
    let half = copy(&desk, &upright, "-metadata:s:v rotate=180", "half.mp4");
    let name = "stream 0 (video): the turn still to be made is";
    assert_tells(&difference(&half, &upright), &format!("{name} hflip,vflip in the first file, none in the second"));
    // Painted upright, but still tagged with the rotation.
    let painted = repaint(&desk, &upright, "hflip,vflip", "", "painted.mp4");
    let twice = copy(&desk, &painted, "-metadata:s:v rotate=180", "twice.mp4");
    assert_tells(&difference(&half, &twice), &format!("{name} none in the first file, hflip,vflip in the second"));
}

#[test]
fn another_rate() {
    let desk = Desk::new();
    let input = desk.clip("in.mkv", &format!("{VIDEO} {H264}"));
    let output = make(&desk, &[&input], &format!("-map 0 {H264} -r 50 -fps_mode passthrough"), "out.mkv");
    let line = difference(&input, &output);
    assert_tells(&line, "stream 0 (video): the frame rate is 25/1 a second in the first file");
}

#[test]
fn attachments() {
    let desk = Desk::new();
    let rich = rich(&desk, "rich.mkv");
    let attach = |name: &str, text: &str, out: &str| {
        let font = file(&desk, name, text);
        copy(&desk, &rich, &format!("-attach {} -metadata:s:t mimetype=font/ttf", font.display()), out)
    };
    let input = attach("a.ttf", "first font", "in.mkv");
    assert_tells(&difference(&input, &rich), "attachments: their number is 1 in the first file, 0 in the second");
    let output = attach("a.ttf", "other font", "out.mkv");
    assert_tells(&difference(&input, &output), "attachment 1: its content is 10 bytes");
    let output = attach("b.ttf", "first font", "out.mkv");
    assert_tells(
        &difference(&input, &output),
        "attachment 1: its filename is `a.ttf` in the first file, `b.ttf` in the",
    );
}

#[test]
fn covers() {
    let desk = Desk::new();
    let video = rich(&desk, "rich.mp4");
    let cover = |color: &str, out: &str| {
        let picture = desk.clip(&format!("{color}.png"), &format!("-f lavfi -i color={color}:s=16x16 -frames:v 1"));
        let arguments = "-map 1 -map 0 -map_metadata 0 -c copy -disposition:v:0 attached_pic -disposition:v:1 default";
        make(&desk, &[&video, &picture], arguments, out)
    };
    let input = cover("red", "in.mp4");
    let summary = crate::verify::verify(&input, &copy(&desk, &input, "", "copy.mp4")).unwrap();
    assert_eq!(summary.covers, 1);
    assert_tells(&difference(&input, &cover("blue", "out.mp4")), "cover picture 1: its content is ");
    let line = difference(&input, &copy(&desk, &input, "-map -0:v:m:none? -map -0:v -map 0:v:0", "out.mp4"));
    assert_tells(&line, "cover pictures: their number is 1 in the first file, 0 in the second");
}

#[test]
fn changed_subtitles() {
    let desk = Desk::new();
    let mkv = rich(&desk, "in.mkv");
    let mp4 = copy(&desk, &mkv, "-c:s mov_text", "same.mp4");
    for (from, to, expected) in [
        ("Welt", "Wald", "packet 2 at 1 s: its text is `Welt` in the first file, `Wald` in the second"),
        ("00:00:01,000", "00:00:01,100", "packet 2 at 1 s: its time is 1 s in the first file, 1.1 s in the second"),
        ("01,700", "01,900", "packet 2 at 1 s: how long it is shown is 0.7 s in the first file, 0.9 s in the second"),
    ] {
        let text = file(&desk, "changed.srt", &SUBTITLES.replace(from, to));
        for (input, codec, out) in
            [(&mkv, "subrip", "out.mkv"), (&mkv, "mov_text", "out.mp4"), (&mp4, "subrip", "out.mkv")]
        {
            let arguments = format!(
                "-map 0:v -map 0:a -map 1 -map_metadata 0 -c copy -c:s {codec} -metadata:s:s language=deu \
                 -metadata:s:s handler_name=SubtitleHandler \
                 -disposition:s forced"
            );
            let output = make(&desk, &[input, &text], &arguments, out);
            let line = difference(input, &output);
            assert_tells(&line, "stream 3 (subtitles, ");
            assert!(line.ends_with(expected), "{line}");
        }
    }
}
