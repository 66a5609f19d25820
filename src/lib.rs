//! Library of stylize-video, which repaints a video, an image sequence or a picture in the style of a painting.
//!
//! The program is a thin layer over it: [`cli`] parses the command line, [`commands`] and [`batch`] do what it asks for,
//! and [`pipeline`] joins the stages [`decode`], [`stylize`] and [`encode`]. [`settings`] holds everything that a preset,
//! an option or a variable can set.
//!
//! [`stylize::Stylizer`] paints pictures without any file. This example takes a built-in preset, makes it small enough to
//! finish in a moment, and paints one picture with the network that is compiled in:
//!
//! ```
//! use stylize_video::interrupt::CancelToken;
//! use stylize_video::media::Pixels;
//! use stylize_video::motion::Shot;
//! use stylize_video::settings::{Environment, Library, Size};
//! use stylize_video::stylize::{self, Stylizer};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // An empty environment: no user presets, only the built-in ones.
//! let mut settings = Library::new(&Environment::default()).load("vangogh")?.settings()?;
//! settings.network.backbone = "patches".into();
//! settings.frame.size = Size::Pixels(48);
//! settings.optimizer.iterations = [2, 1];
//! settings.strength = 0.8;
//! settings.validate()?;
//! // A strength above one half gives the style more weight than the preset alone.
//! assert!(settings.beta() > settings.loss.beta);
//!
//! let mut built = stylize::build(&settings, &CancelToken::default(), None)?;
//! let mut painted = Vec::new();
//! let content = Pixels::black(48, 32);
//! built.stylizer.push(&content, &Shot::New.into(), &mut |picture| Ok(painted.push(picture)))?;
//! built.stylizer.finish(&mut |picture| Ok(painted.push(picture)))?;
//! assert_eq!((painted.len(), painted[0].pixels.width, painted[0].pixels.height), (1, 48, 32));
//! println!("{}: J = {:.3e}", built.notes[0], painted[0].stats.objective);
//! # Ok(())
//! # }
//! ```

pub mod batch;
pub mod catch_panic;
mod child;
pub mod cli;
pub mod commands;
mod containers;
pub mod decode;
pub mod encode;
pub mod explore;
pub mod files;
pub mod identity;
pub mod interrupt;
pub mod job;
pub mod label;
pub mod measure;
pub mod media;
pub mod motion;
pub mod pipeline;
pub mod provenance;
pub mod read_limited;
pub mod report;
pub mod resume;
pub mod settings;
pub mod stylize;
pub mod verify;
pub mod weights;
