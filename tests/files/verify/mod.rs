//! `verify`: correct copies pass, and each kind of damage is found and named.

mod command;
mod kept;
mod lost;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::common::{Desk, ffmpeg};
use stylize_video::verify::{Allowed, Contents, Depth, Difference, Summary, compare};

/// Pictures with B-frames and complete colour tags.
const VIDEO: &str = "-f lavfi -i testsrc2=s=64x48:r=25:d=2";
const H264: &str = "-c:v libx264 -preset veryfast -bf 2 -g 10 -pix_fmt yuv420p -colorspace bt709 -color_range tv \
                    -color_primaries bt709 -color_trc bt709";

/// Compares at both depths, which must agree.
fn verify(a: &Path, b: &Path) -> Result<Summary, Difference> {
    let read = |path, depth| Contents::read(path, depth).unwrap();
    let decoded = compare(&read(a, Depth::Decoded), &read(b, Depth::Decoded), &Allowed::default());
    let packets = compare(&read(a, Depth::Packets), &read(b, Depth::Packets), &Allowed::default());
    assert_eq!(decoded, packets, "both depths agree about {} and {}", a.display(), b.display());
    decoded
}

/// Returns the difference as the program prints it.
fn difference(a: &Path, b: &Path) -> String {
    verify(a, b).unwrap_err().to_string()
}

/// Runs `ffmpeg` on `inputs`; `arguments` follow them.
fn make(desk: &Desk, inputs: &[&Path], arguments: &str, name: &str) -> PathBuf {
    let output = desk.path(name);
    let inputs = inputs.iter().flat_map(|input| [OsStr::new("-i"), input.as_os_str()]);
    let rest = arguments.split_whitespace().map(OsStr::new).chain([output.as_os_str()]);
    ffmpeg(inputs.chain(rest));
    output
}

/// Copies all streams and tags of a file. (MP4's own form of chapters is made from them.)
fn copy(desk: &Desk, input: &Path, arguments: &str, name: &str) -> PathBuf {
    make(desk, &[input], &format!("-map 0 -map -0:d? -map_metadata 0 -c copy {arguments}"), name)
}

/// Replaces the pictures and keeps everything else in the file, as painting does. `filter` changes the pictures.
fn repaint(desk: &Desk, input: &Path, filter: &str, arguments: &str, name: &str) -> PathBuf {
    let arguments = format!(
        "-map 0 -map_metadata 0 -c copy {H264} -crf 40 -filter:v:0 {filter} -fps_mode passthrough \
         -enc_time_base:v:0 1:12800 {arguments}"
    );
    make(desk, &[input], &arguments, name)
}

fn file(desk: &Desk, name: &str, text: &str) -> PathBuf {
    let path = desk.path(name);
    std::fs::write(&path, text).unwrap();
    path
}

const CHAPTERS: &str = ";FFMETADATA1\ntitle=Blumen\nartist=Ich\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=800\n\
                        title=Anfang\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=800\nEND=2000\ntitle=Ende\n";
const SUBTITLES: &str =
    "1\n00:00:00,200 --> 00:00:00,900\n<i>Guten</i> Tag\n\n2\n00:00:01,000 --> 00:00:01,700\nWelt\n";

/// Makes a file with two audio streams (the second is the default), subtitles, chapters and tags, in MP4 or Matroska.
fn rich(desk: &Desk, name: &str) -> PathBuf {
    let (chapters, subtitles) = (file(desk, "chapters.txt", CHAPTERS), file(desk, "in.srt", SUBTITLES));
    let text = if name.ends_with(".mp4") { "mov_text" } else { "subrip" };
    let video = desk.clip("video.mkv", &format!("{VIDEO} {H264}"));
    let sound = desk.clip("sound.mka", "-f lavfi -i sine=d=2 -f lavfi -i sine=f=880:d=2 -map 0 -map 1 -c:a aac");
    make(
        desk,
        &[&video, &sound, &subtitles, &chapters],
        &format!(
            "-map 0 -map 1 -map 2 -map_metadata 3 -map_chapters 3 -c copy -c:s {text} \
             -metadata:s:a:0 language=ita -metadata:s:a:1 language=fra -metadata:s:s:0 language=deu \
             -disposition:a:0 0 -disposition:a:1 default -disposition:s:0 forced"
        ),
        name,
    )
}
