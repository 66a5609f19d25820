//! Copies that must pass.

use crate::common::{ALL, Desk, real_clip};
use crate::verify::{H264, VIDEO, copy, make, repaint, rich, verify};
use stylize_video::media::Range;
use stylize_video::verify::{Allowed, Contents, Depth, compare};

#[test]
fn copies_between_containers() {
    let desk = Desk::new();
    for (from, to) in [("in.mp4", "out.mp4"), ("in.mp4", "out.mov"), ("in.mkv", "out.mkv")] {
        let input = rich(&desk, from);
        let summary = verify(&input, &copy(&desk, &input, "", to)).unwrap();
        assert_eq!((summary.frames, summary.streams, summary.chapters), (50, 3, 2), "{from} to {to}");
        assert!(summary.packets > 150);
    }
}

#[test]
fn text_subtitles_may_change_their_form() {
    let desk = Desk::new();
    let mp4 = rich(&desk, "in.mp4");
    verify(&mp4, &copy(&desk, &mp4, "-c:s subrip", "out.mkv")).unwrap();
    let mkv = rich(&desk, "in.mkv");
    verify(&mkv, &copy(&desk, &mkv, "-c:s mov_text", "out.mp4")).unwrap();
}

#[test]
fn new_pictures() {
    let desk = Desk::new();
    let input = rich(&desk, "in.mp4");
    let summary = verify(&input, &repaint(&desk, &input, "negate", "", "out.mp4")).unwrap();
    assert_eq!((summary.width, summary.height), (64, 48));
}

#[test]
fn our_own_results() {
    let desk = Desk::new();
    let sound = "-f lavfi -i sine=d=2 -c:a aac -metadata title=Blumen -metadata:s:a language=ita";
    let uneven = "settb=1/1000,setpts='40*N+13*lt(N,40)*mod(N,3)+271*gt(N,20)'";
    let cases = [
        ("plain.mp4", format!("{VIDEO} {sound} {H264}")),
        ("late.mkv", format!("{VIDEO} {sound} {H264} -output_ts_offset 3.5")),
        ("stream.ts", format!("{VIDEO} {sound} {H264}")),
        ("odd.mkv", format!("{VIDEO} -vf scale=63:47 -c:v ffv1 -pix_fmt yuv420p")),
        ("anamorphic.mp4", format!("{VIDEO} -vf setsar=4/3 {H264}")),
        ("untagged.avi", format!("{VIDEO} -c:v mpeg4 -bf 2 -q:v 3")),
        ("uneven.mp4", format!("{VIDEO} -vf {uneven} -fps_mode passthrough -enc_time_base 1/1000 {H264}")),
        ("frames.gif", "-f lavfi -i testsrc2=s=64x48:r=10:d=2".into()),
    ];
    for (name, arguments) in cases {
        let input = desk.clip(name, &arguments);
        for extension in ["mp4", "mkv", "mov"] {
            let output = desk.transcode(&input, &format!("{name}.{extension}"), ALL).unwrap();
            let read = |path| Contents::read(path, Depth::Decoded).unwrap();
            let found = compare(&read(&input), &read(&output), &Allowed::default());
            assert!(found.is_ok(), "{name} to {extension}: {}", found.unwrap_err());
        }
    }
}

#[test]
fn turned_pictures_that_stand_upright() {
    let desk = Desk::new();
    let upright = desk.clip("upright.mp4", &format!("{VIDEO} {H264}"));
    for turn in [90, 180, 270] {
        let input = copy(&desk, &upright, &format!("-metadata:s:v rotate={turn}"), "turned.mp4");
        let output = desk.transcode(&input, &format!("out{turn}.mp4"), ALL).unwrap();
        let summary = verify(&input, &output).unwrap();
        assert_eq!((summary.width, summary.height), if turn == 180 { (64, 48) } else { (48, 64) });
        // The player rotates a copy in the same way as its source.
        verify(&input, &copy(&desk, &input, "", "copy.mp4")).unwrap();
    }
}

#[test]
fn a_transport_stream_s_sound_loses_only_its_headers() {
    let desk = Desk::new();
    let input = desk.clip("in.ts", &format!("{VIDEO} -f lavfi -i sine=d=2 {H264} -c:a aac"));
    let output = make(&desk, &[&input], "-map 0 -c copy -copyts -movie_timescale 90000", "out.mp4");
    assert_eq!(verify(&input, &output).unwrap().streams, 1);
}

#[test]
fn a_second_video_in_another_framing() {
    let desk = Desk::new();
    let input = desk.clip("in.ts", &format!("{VIDEO} -f lavfi -i testsrc=s=32x32:r=25:d=2 -map 0 -map 1 {H264}"));
    let output = make(&desk, &[&input], "-map 0 -c copy -copyts", "out.mp4");
    let summary = verify(&input, &output).unwrap();
    assert_eq!((summary.streams, summary.packets), (1, 50));
}

#[test]
fn times_before_zero_may_move_together() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", &format!("{VIDEO} -f lavfi -i sine=d=2 {H264} -c:a aac"));
    // The encoder's delay lies before 0, where Matroska cannot hold packets.
    let output = copy(&desk, &input, "", "out.mkv");
    let summary = verify(&input, &output).unwrap();
    assert!((0.02..0.03).contains(&summary.shift), "{}", summary.shift);
}

#[test]
fn streams_that_are_known_to_be_missing() {
    let desk = Desk::new();
    let input = rich(&desk, "in.mp4");
    let output = make(&desk, &[&input], "-map 0:0 -map 0:2 -c:v copy -c:a libopus", "out.mp4");
    let read = |path| Contents::read(path, Depth::Packets).unwrap();
    let allowed = Allowed { left_out: vec![1, 3], reencoded: vec![2] };
    let summary = compare(&read(&input), &read(&output), &allowed).unwrap();
    assert_eq!(summary.streams, 1);
    assert!(compare(&read(&input), &read(&output), &Allowed::default()).is_err());
}

#[test]
fn a_part_of_the_source() {
    let desk = Desk::new();
    let input = desk.clip("in.mp4", &format!("{VIDEO} -f lavfi -i sine=d=2 {H264} -c:a aac"));
    let read = |path: &std::path::Path| Contents::read(path, Depth::Packets).unwrap();
    for (start, first, frames) in [(0.0, 0, 10), (0.4, 10, 7), (1.0, 25, 25)] {
        let range = Range { start, frames: Some(frames) };
        let name = format!("from{first}.mp4");
        let output = read(&desk.transcode(&input, &name, range).unwrap());
        let summary = compare(&read(&input).part(first, frames), &output, &Allowed::default()).unwrap();
        assert_eq!((summary.frames, summary.streams), (frames, 1));
        assert!(summary.packets >= frames, "sound of {name}");
        let next = compare(&read(&input).part(first + 1, frames), &output, &Allowed::default());
        assert!(next.is_err(), "{name} is not the part one frame later");
    }
}

#[test]
#[ignore = "needs STYLIZE_VIDEO_TEST_MEDIA"]
fn real_clips() {
    for name in ["flower.mp4", "friday.mp4"] {
        let input = real_clip(name);
        let desk = Desk::new();
        for output in ["out.mp4", "out.mkv", "out.mov"] {
            let output = copy(&desk, &input, "", output);
            let found = verify(&input, &output).unwrap();
            assert!(found.frames >= 150 && found.streams == 1);
        }
    }
}
