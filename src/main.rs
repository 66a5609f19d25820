//! The command line of stylize-video.

use std::process::ExitCode;

use clap::Parser;
use stylize_video::batch::plan::{self, PlanError, Planned, Request};
use stylize_video::cli::{self, Cli, Command, PresetsCommand, RunArgs};
use stylize_video::commands::{self, presets};
use stylize_video::report::{self, Event, Style};
use stylize_video::settings::{Ambient, Library, Settings, SettingsError};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let style = Style::of_stderr(cli.talk.format(), cli.talk.verbosity());
    match run(cli, &style) {
        Ok(code) => code,
        Err(error) => {
            report::final_error(&style, &error);
            ExitCode::from(exit_code(&error))
        }
    }
}

/// Does what the command line says.
fn run(cli: Cli, style: &Style) -> anyhow::Result<ExitCode> {
    report::log::init(style, std::env::var("STYLIZE_VIDEO_LOG").ok().filter(|text| !text.is_empty()).as_deref())?;
    let ambient = Ambient::of_process();
    match cli.command {
        None => stylize(&cli.run, ambient, style),
        Some(Command::Presets(command)) => {
            let library = Library::new(&ambient);
            match command {
                PresetsCommand::List => presets::list(&library)?,
                PresetsCommand::Show { name } => presets::show(&library, &name)?,
                PresetsCommand::Check { files } => {
                    if !presets::check(&library, &files, |error| report::final_error(style, &error))? {
                        return Ok(ExitCode::from(2));
                    }
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Completions { shell }) => {
            commands::print(cli::completions(shell))?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Weights(_)) => anyhow::bail!("this build cannot manage weights"),
        Some(Command::Doctor) => anyhow::bail!("this build has no doctor"),
    }
}

fn stylize(args: &RunArgs, ambient: Ambient, style: &Style) -> anyhow::Result<ExitCode> {
    let resolved = Settings::resolve(&args.layers(ambient))?;
    if args.print_settings {
        commands::plan::print_settings(&resolved.settings)?;
        return Ok(ExitCode::SUCCESS);
    }
    let planned = plan::plan(&Request {
        inputs: &args.inputs,
        output: args.output.as_deref(),
        preset: &resolved.preset,
        range: args.range(),
        if_exists: resolved.settings.output.if_exists,
        dry_run: args.dry_run,
    })?;
    let failed = planned.iter().any(|planned| matches!(planned, Planned::Fail { .. }));
    if args.dry_run {
        commands::plan::dry_run(&planned, &resolved)?;
        return Ok(ExitCode::from(u8::from(failed)));
    }
    let observer = report::choose(style);
    let mut failed = failed;
    for planned in planned {
        let event = match planned {
            Planned::Run(job) => {
                failed = true;
                let error = "this build only plans: use --dry-run".into();
                Event::Failed { input: job.input_path().display().to_string(), error }
            }
            Planned::Skip { job, why } => {
                let shown = |path: &std::path::Path| path.display().to_string();
                Event::Skipped { input: shown(job.input_path()), output: shown(job.output.path()), why }
            }
            Planned::Fail { input, error } => {
                Event::Failed { input: input.display().to_string(), error: report::causes(&error) }
            }
        };
        observer.event(&event);
    }
    Ok(ExitCode::from(u8::from(failed)))
}

/// 2 for mistakes of the user, 1 for everything else.
fn exit_code(error: &anyhow::Error) -> u8 {
    let settings = error.downcast_ref::<SettingsError>().map(SettingsError::exit_code);
    settings.or_else(|| error.downcast_ref::<PlanError>().map(PlanError::exit_code)).unwrap_or(1)
}
