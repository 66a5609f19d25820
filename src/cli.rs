//! The command line. It has no defaults and does no I/O: an option that is not given leaves the other layers alone.

// Documentation comments here are the text of --help: `[HH:]MM` is no link.
#![allow(rustdoc::broken_intra_doc_links)]

mod commands;
mod folders;
mod layers;
mod options;
mod run_options;
mod schedule;
mod share;
mod talk;
mod telemetry;
mod texts;
mod unattended;
mod values;

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::batch::RunOptions;
use crate::job::Engine;
use crate::media::Range;
use crate::settings::StyleArg;

use folders::{BatchArgs, FolderArgs};
use run_options::RunOptionArgs;
use share::ShareArgs;

pub use commands::{InfoArgs, MeasureArgs, PresetsCommand, VerifyArgs, WeightsCommand};
pub use folders::JobFileArgs;
pub use layers::LayersArgs;
pub use schedule::ScheduleError;
pub use talk::TalkArgs;
pub use unattended::UnattendedArgs;

const EXAMPLES: &str = "\
Examples:
  stylize-video holiday.mp4                      writes holiday.monet.mp4
  stylize-video --preset vangogh --size 720 holiday.mp4 -o night.mp4
  stylize-video --style mine.jpg --style yours.jpg=0.5 holiday.mp4
  stylize-video --start 1:30 --frames 48 holiday.mp4      try out a part
  stylize-video --preset sketch 'render/f_%04d.png' -o drawn/f_%04d.png
  stylize-video --if-exists skip *.mov -o painted/        a batch that can be continued
  stylize-video inbox/ --recursive -o outbox/             all new videos of a folder
  stylize-video run jobs.toml                             jobs from a file
  stylize-video --preset monet --print-settings > mine.toml

Settings come from the defaults, the preset, config.toml in the user's config folder
(~/.config/stylize-video), STYLIZE_VIDEO_* variables (STYLIZE_VIDEO_LOSS_BETA=200) and options.
Where several set a value, the last of them wins.

Exit codes:
  0  all done or skipped
  1  a job failed
  2  wrong usage, or a mistake in a preset, setting or job file
  75  another run works on the output, or time was up (--until, --max-runtime): run it again later
  129, 130, 143  interrupted by SIGHUP, by ctrl-c, by SIGTERM";

/// Repaints videos, image sequences and pictures in the style of a painting, without flicker
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    override_usage = "stylize-video [OPTIONS] <INPUT>... [-o OUTPUT]\n       stylize-video <COMMAND>",
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    max_term_width = 110
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub run: RunArgs,
    #[command(flatten)]
    pub talk: TalkArgs,
}

/// What to stylise and how.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Videos, pictures (png, jpg, webp), image sequences (frame_%04d.png, or a folder of pictures), folders of videos
    #[arg(value_name = "INPUT", required_unless_present = "print_settings")]
    pub inputs: Vec<PathBuf>,

    /// Output file, or a folder (needed for several inputs) [default: beside the input, in.mp4 -> in.monet.mp4]
    #[arg(short, long, value_name = "OUTPUT")]
    pub output: Option<PathBuf>,

    /// Preset by name (see `presets list`) or file [default: monet]
    #[arg(long, value_name = "NAME|FILE")]
    pub preset: Option<String>,

    /// Use the settings recorded in this earlier output, in place of preset, config and environment
    #[arg(long, value_name = "FILE", conflicts_with = "preset")]
    pub like: Option<PathBuf>,

    /// Style picture in place of the preset's; can be given several times, blended by weight
    #[arg(long = "style", value_name = "IMG[=WEIGHT]", value_parser = values::style())]
    pub styles: Vec<StyleArg>,

    /// Long side in pixels of the frame that is optimised; the output keeps the input's size
    #[arg(long, value_name = "N|auto")]
    pub size: Option<String>,

    /// Iterations of a shot's first frame and of those after it [NEXT: a quarter of FIRST]
    #[arg(long, value_name = "FIRST[,NEXT]", value_parser = values::iterations)]
    pub iterations: Option<[u32; 2]>,

    /// Paint each shot N times, forward and backward in turn: more even from first to last frame, but slower [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=100))]
    pub passes: Option<i64>,

    /// Make the last frame lead into the first, for clips that loop (with three passes unless --passes is given)
    #[arg(long = "loop")]
    pub ring: bool,

    /// Start at this time of a video: seconds or [HH:]MM:SS[.mmm]
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub start: Option<f64>,

    /// Save a part at each cut and after at most this many frames; an interrupted run resumes from it [default: 48]
    #[arg(long, value_name = "FRAMES", value_parser = clap::value_parser!(i64).range(1..=1_000_000))]
    pub checkpoint: Option<i64>,

    #[command(flatten)]
    pub options: RunOptionArgs,

    #[command(flatten)]
    pub folders: FolderArgs,

    #[command(flatten)]
    pub batch: BatchArgs,

    #[command(flatten)]
    pub unattended: UnattendedArgs,

    #[command(flatten)]
    pub share: ShareArgs,

    /// Stop after N frames
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub frames: Option<u64>,

    /// How much paint, from 0 (a tinted photograph) to 1 (all paint) [default: 0.5]
    #[arg(long, value_name = "0..1")]
    pub strength: Option<String>,

    #[arg(long, value_name = "NAME", help = texts::backbone())]
    pub backbone: Option<String>,

    /// Folder with weights files, searched before all others
    #[arg(long, value_name = "DIR")]
    pub weights_dir: Option<String>,

    /// auto, cpu, cuda or cuda:N
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,

    /// How lively strokes are, from 0 (still) to 1 (redrawn in every frame) [default: 0]
    #[arg(long, value_name = "0..1")]
    pub boil: Option<String>,

    /// The source's optical flow as Middlebury files, flow_%d_%d.flo (from, to) [default: estimated]
    #[arg(long, value_name = "PATTERN")]
    pub flow: Option<String>,

    /// A list of where shots begin, as `shots` prints it [default: detected]
    #[arg(long, value_name = "FILE")]
    pub cuts: Option<String>,

    /// Seed of all random numbers
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    pub seed: Option<i64>,

    /// Filters before the painting, in FFmpeg's language: crop=640:360,fps=12
    #[arg(long, value_name = "GRAPH")]
    pub pre_filter: Option<String>,

    /// Filters after the painting: scale=1920:-2
    #[arg(long, value_name = "GRAPH")]
    pub post_filter: Option<String>,

    #[arg(long, value_name = "NAME|auto", help_heading = "Files", help = texts::codec())]
    pub codec: Option<String>,

    /// Quality, lower is better [default: 18 for H.264, a similar quality for others]
    #[arg(long, value_name = "N|auto", help_heading = "Files")]
    pub crf: Option<String>,

    /// Pixel format, by FFmpeg's name [default: like the source]
    #[arg(long, value_name = "NAME|auto", help_heading = "Files")]
    pub pix_fmt: Option<String>,

    /// Option of the encoder; can be given several times
    #[arg(long = "encoder-opt", value_name = "KEY=VALUE", help_heading = "Files")]
    pub encoder_options: Vec<String>,

    /// Format of the output, whatever its name ends in: mp4, mkv, mov, webm, gif, apng, webp, y4m, nut
    #[arg(long, value_name = "KIND", help_heading = "Files")]
    pub format: Option<String>,

    /// Fail rather than leave out a stream that the output cannot hold
    #[arg(long, help_heading = "Files")]
    pub strict_streams: bool,

    /// Convert sound that the output cannot hold to a codec that it can: AAC, or Opus in webm
    #[arg(long, help_heading = "Files")]
    pub convert_audio: bool,

    /// Keep timestamps that begin far from 0, as in a copy of a broadcast [default: moved to begin at 0]
    #[arg(long, help_heading = "Files")]
    pub keep_clock: bool,

    /// Skip up to N damaged places of an input [default: 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..), help_heading = "Files")]
    pub max_corrupt: Option<i64>,

    /// FFmpeg's demuxer, for inputs that cannot be recognised, such as rawvideo
    #[arg(long, value_name = "NAME", help_heading = "Files")]
    pub input_format: Option<String>,

    /// Option of the demuxer, such as video_size=640x480; can be given several times
    #[arg(long = "input-opt", value_name = "KEY=VALUE", help_heading = "Files")]
    pub input_options: Vec<String>,

    /// FFmpeg protocols that a playlist given with --input-format may use besides files: http,https,tcp,tls
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Files")]
    pub allow_protocols: Vec<String>,

    /// What to do if an output already exists
    #[arg(long, value_name = "WHAT", value_enum)]
    pub if_exists: Option<IfExistsArg>,

    /// Any setting by its key, such as --set loss.beta=200 (--print-settings shows all)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,

    /// Print the merged settings, which can be used as a preset, and do nothing else
    #[arg(long, conflicts_with = "plan")]
    pub print_settings: bool,

    /// Print what a run would do, and do nothing else
    #[arg(long, conflicts_with = "print_settings")]
    pub dry_run: bool,

    /// For tests: `identity` gives frames back as they are, `bars` paints known colours
    #[arg(long, value_enum, default_value_t, hide = true)]
    pub stylizer: Engine,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum IfExistsArg {
    Fail,
    Skip,
    Replace,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Do the jobs of a job file (docs/unattended.md)
    Run(JobFileArgs),
    /// List, show and check presets
    #[command(subcommand)]
    Presets(PresetsCommand),
    /// List, download and import the weights of pre-trained networks
    #[command(subcommand)]
    Weights(WeightsCommand),
    /// Measure how steady a result is next to its source, and whether moving things leave ghosts
    Measure(MeasureArgs),
    /// Show what each layer of a network learned, in your own pictures
    Layers(LayersArgs),
    /// Print where shots begin, as a list for --cuts
    Shots {
        /// A video, sequence or folder of pictures
        #[arg(value_name = "INPUT")]
        input: PathBuf,
        /// Print a JSON array instead
        #[arg(long)]
        json: bool,
    },
    /// Print how an output (a file, or a folder of pictures) was made
    Info(InfoArgs),
    /// Check that a result keeps its source's frames, times, streams and tags
    Verify(VerifyArgs),
    /// Check FFmpeg, libtorch, devices and weights
    Doctor,
    /// Print a completion script for a shell
    Completions { shell: Shell },
}

impl RunArgs {
    /// How it is to be done.
    pub fn options(&self) -> RunOptions {
        self.batch.options(self.options.options(), 1)
    }

    /// The part of the input to stylise.
    pub fn range(&self) -> Range {
        Range { start: self.start.unwrap_or(0.0), frames: self.frames }
    }
}

/// The completion script for `shell`.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "stylize-video", &mut script);
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }
}
