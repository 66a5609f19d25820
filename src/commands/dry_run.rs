//! `--dry-run` and `--print-settings`: print what a run would do.

use std::fmt::Write;

use super::print;
use crate::batch::plan::Planned;
use crate::job::Job;
use crate::media::{Input, Names, Output};
use crate::report::{causes, sanitised};
use crate::settings::{Resolved, Settings, Size};

/// Prints the merged settings as TOML.
///
/// # Errors
/// If stdout cannot be written to.
pub fn print_settings(settings: &Settings) -> anyhow::Result<()> {
    Ok(print(toml::to_string(settings)?)?)
}

/// Prints the plan for each job spec: its inputs, then the settings that they share.
///
/// # Errors
/// If stdout cannot be written to.
pub fn dry_run<'a>(plans: impl Iterator<Item = (&'a [Planned], &'a Resolved)>) -> anyhow::Result<()> {
    let mut text = String::new();
    for (planned, resolved) in plans {
        describe_all(&mut text, planned)?;
        text.push_str(&summary(resolved));
    }
    Ok(print(text)?)
}

fn describe_all(text: &mut String, planned: &[Planned]) -> std::fmt::Result {
    if planned.is_empty() {
        writeln!(text, "no input: nothing to do")?;
    }
    for planned in planned {
        match planned {
            Planned::Run(job) => writeln!(text, "{}", sanitised(&describe(job)))?,
            Planned::Skip { job, why } => {
                writeln!(text, "{} (skipped: {})", sanitised(&describe(job)), sanitised(why))?
            }
            Planned::Fail { input, error } => {
                let (input, error) = (input.display().to_string(), causes(error));
                let error = error.strip_prefix(&format!("{input}: ")).unwrap_or(&error);
                writeln!(text, "{}: fails: {}", sanitised(&input), sanitised(error))?;
            }
        }
    }
    Ok(())
}

fn describe(job: &Job) -> String {
    let what = match &job.input {
        Input::Video(path) => format!("{}: video", path.display()),
        Input::Picture(path) => format!("{}: picture", path.display()),
        Input::Stdin => "standard input: video".to_string(),
        Input::Sequence { folder, files } => {
            let folder = if folder.as_os_str().is_empty() { ".".into() } else { folder.display().to_string() };
            let name = |file: Option<&std::path::PathBuf>| {
                file.and_then(|file| file.file_name()).unwrap_or_default().to_string_lossy().into_owned()
            };
            let (first, last) = (name(files.first()), name(files.last()));
            format!("{folder}: sequence of {} pictures, {first} to {last}", files.len())
        }
    };
    let mut part = String::new();
    if job.range.start > 0.0 {
        part.push_str(&format!(", from {} s", job.range.start));
    }
    if let Some(frames) = job.range.frames {
        part.push_str(&format!(", at most {frames} frames"));
    }
    let names = match &job.output {
        Output::Sequence { names: Names::Listed(names), .. } => match (names.first(), names.last()) {
            (Some(first), Some(last)) => format!(" ({first} to {last})"),
            _ => String::new(),
        },
        Output::Sequence { names: Names::Numbered(name), .. } => format!(" ({} and on)", name.with(1)),
        Output::Video(_) | Output::Picture(_) | Output::Stdout => String::new(),
    };
    format!("{what}{part} -> {}{names}", job.output.path().display())
}

/// Formats the settings that vary most between runs; `--print-settings` prints all of them.
fn summary(Resolved { settings, preset, .. }: &Resolved) -> String {
    let images: Vec<String> = settings
        .style
        .images
        .iter()
        .map(
            |image| if image.weight == 1.0 { image.image.clone() } else { format!("{}={}", image.image, image.weight) },
        )
        .collect();
    let size = match settings.frame.size {
        Size::Auto => "auto".to_string(),
        Size::Pixels(n) => n.to_string(),
    };
    let [first, next] = settings.optimizer.iterations;
    format!(
        "preset {preset}; style {}; alpha {}, beta {}; size {size}; iterations {first}, then {next}; backbone {}; \
         device {}; seed {}\n",
        images.join(" + "),
        settings.loss.alpha,
        settings.loss.beta,
        settings.network.backbone,
        String::from(settings.device),
        settings.seed,
    )
}
