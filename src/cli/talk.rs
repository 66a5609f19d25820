//! Options for what a run says.

use clap::{ArgAction, Args, ValueEnum};

use crate::report::{LogFormat, Verbosity};

/// How much is said, and how; the same for all commands.
#[derive(Debug, Clone, Copy, Args)]
pub struct TalkArgs {
    /// Print more messages (-vv: even more)
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub verbose: u8,

    /// Print only what went wrong (-qq: only what failed)
    #[arg(short, long, action = ArgAction::Count, global = true, conflicts_with = "verbose")]
    pub quiet: u8,

    /// Form of progress and messages on stderr: text, or one JSON object per line
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t, global = true)]
    pub log_format: LogFormatArg,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum LogFormatArg {
    #[default]
    Text,
    Json,
}

impl TalkArgs {
    pub fn verbosity(self) -> Verbosity {
        let count = |n: u8| i8::try_from(n).unwrap_or(i8::MAX);
        Verbosity(count(self.verbose) - count(self.quiet))
    }

    pub fn format(self) -> LogFormat {
        match self.log_format {
            LogFormatArg::Text => LogFormat::Text,
            LogFormatArg::Json => LogFormat::Json,
        }
    }
}
