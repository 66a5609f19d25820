//! The stylize-video program: parses the command line, calls the library and sets the exit code.

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use stylize_video::batch::job_spec::{JobSpec, JobSpecError, plan_all};
use stylize_video::batch::plan::{PlanError, Planned, video_extensions};
use stylize_video::batch::{self, JobGroup, RunContext, RunOptions};
use stylize_video::catch_panic;
use stylize_video::cli::{
    self, Cli, Command, JobFileArgs, LayersArgs, MeasureArgs, PresetsCommand, RunArgs, ScheduleError, UnattendedArgs,
    WeightsCommand,
};
use stylize_video::commands::doctor::{self, FfmpegInfo, Findings, PresetFolder, TorchInfo, encoder_names};
use stylize_video::commands::job_specs::{self, FileRequest};
use stylize_video::commands::{self, presets};
use stylize_video::explore::ExploreError;
use stylize_video::explore::pictures::Reading;
use stylize_video::interrupt::{self, CancelToken, Deadline, Reason};
use stylize_video::job::Engine;
use stylize_video::media::{self, libav};
use stylize_video::provenance::{Like, LikeError};
use stylize_video::report::download::DownloadBar;
use stylize_video::report::telemetry::Telemetry;
use stylize_video::report::{self, Event, LogFormat, Observer, Style};
use stylize_video::settings::{Environment, LayerInputs, Library, Settings, SettingsError};
use stylize_video::stylize::device;
use stylize_video::stylize::meter_network::MeterNetwork;
use stylize_video::verify::Allowed;
use stylize_video::weights::SearchPath;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Before any thread starts, because it sets an environment variable.
    media::init();
    // If this fails, exceeding the file size limit ends the process, as it does for any program.
    let _ = interrupt::survive_limits();
    catch_panic::install_hook();
    let style = Style::of_stderr(cli.talk.format(), cli.talk.verbosity());
    match run(cli, &style) {
        Ok(code) => code,
        Err(error) => {
            report::final_error(&style, &error);
            ExitCode::from(exit_code(&error))
        }
    }
}

/// Runs the command that the command line selects and returns its exit code.
fn run(cli: Cli, style: &Style) -> anyhow::Result<ExitCode> {
    report::log::init(style, std::env::var("STYLIZE_VIDEO_LOG").ok().filter(|text| !text.is_empty()).as_deref())?;
    let environment = Environment::of_process();
    match cli.command {
        None => stylize(&cli.run, environment, style),
        Some(Command::Run(args)) => job_file(&args, &environment, style),
        Some(Command::Presets(command)) => {
            let library = Library::new(&environment);
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
        Some(Command::Weights(command)) => manage_weights(command, environment),
        Some(Command::Measure(args)) => {
            let settings = Settings::resolve(&args.layers(environment))?.settings;
            let network = MeterNetwork::open(&settings, args.has_style())?;
            let MeasureArgs { result, source, flow, json, .. } = &args;
            commands::print(commands::measure::measure(result, source, flow.as_deref(), Box::new(network), *json)?)?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Layers(args)) => show_layers(&args, environment, style),
        Some(Command::Shots { input, json }) => {
            commands::shots::shots(&input, json)?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Info(args)) => {
            commands::info::info(&args.file, args.json)?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Verify(args)) => {
            let allowed = Allowed { left_out: args.left_out, reencoded: args.reencoded };
            let kept = commands::verify::verify(&args.a, &args.b, &allowed, args.json)?;
            Ok(ExitCode::from(u8::from(!kept)))
        }
        Some(Command::Doctor) => examine(environment),
    }
}

/// Returns the folders searched for weights; the one named in the settings comes first.
fn weights_places(environment: Environment) -> anyhow::Result<SearchPath> {
    let layers = LayerInputs { environment, ..LayerInputs::default() };
    let resolved = Settings::resolve(&layers)?;
    Ok(SearchPath::new(Some(Path::new(&resolved.settings.network.weights_dir))))
}

fn manage_weights(command: WeightsCommand, environment: Environment) -> anyhow::Result<ExitCode> {
    let places = weights_places(environment)?;
    let mut out = Vec::new();
    let done = match command {
        WeightsCommand::List => commands::weights::list(&places, &mut out),
        WeightsCommand::Fetch { names, from_hub } => {
            let cancel = CancelToken::on_signals()?;
            let mut bar = DownloadBar::default();
            commands::weights::fetch(&names, from_hub, &places, &cancel, &mut bar, &mut out)
        }
        WeightsCommand::Import { file, network } => {
            commands::weights::import(&file, network.as_deref(), &places, &mut out)
        }
        WeightsCommand::Path { name } => commands::weights::path(&name, &places, &mut out),
    };
    // Print what was done before a failure, too.
    commands::print(out)?;
    done?;
    Ok(ExitCode::SUCCESS)
}

fn show_layers(args: &LayersArgs, environment: Environment, style: &Style) -> anyhow::Result<ExitCode> {
    let resolved = Settings::resolve(&args.layers(environment))?;
    if args.list {
        commands::layers::list(&resolved.settings)?;
        return Ok(ExitCode::SUCCESS);
    }
    let request = commands::layers::Request {
        inputs: args.inputs.clone(),
        output: args.output.clone(),
        layers: args.layers.clone(),
        units: args.units.clone(),
        reading: Reading { every: args.every, size: args.size as usize },
        ranked: !args.styles.is_empty(),
        activations: args.activations.clone(),
        restart: args.restart,
    };
    let cancel = CancelToken::on_signals()?;
    let observer = report::choose(style);
    let done = commands::layers::layers(&request, &resolved.settings, observer.as_ref(), &cancel);
    match (done, cancel.signal()) {
        (Err(error), Some(signal)) => {
            report::final_error(style, &error);
            Ok(ExitCode::from(128 + signal as u8))
        }
        (done, _) => done.map(|()| ExitCode::SUCCESS),
    }
}

fn examine(environment: Environment) -> anyhow::Result<ExitCode> {
    let cuda = device::cuda_devices();
    let encoders = encoder_names().filter(|name| libav::has_encoder(name)).map(str::to_owned).collect();
    let presets = Library::new(&environment).folders();
    let findings = Findings {
        torch: TorchInfo {
            version: device::libtorch_version().into(),
            cuda: cuda.is_some(),
            cuda_devices: cuda.unwrap_or(0),
        },
        ffmpeg: FfmpegInfo {
            libraries: libav::libraries(),
            encoders,
            endings: video_extensions().into_iter().collect(),
        },
        weights: weights_places(environment)?,
        presets: presets.into_iter().map(|(place, presets)| PresetFolder { place, presets }).collect(),
    };
    let mut out = Vec::new();
    let faults = doctor::report(&findings, &mut out)?;
    commands::print(out)?;
    Ok(ExitCode::from(u8::from(faults > 0)))
}

/// Lowers the process's priority (`--nice`). Threads inherit it from the thread that starts them, so call this first.
fn give_way(nice: Option<i32>, observer: &dyn Observer) {
    let Some(nice) = nice else { return };
    if let Err(error) = rustix::process::nice(nice) {
        observer.event(&Event::Warning { message: format!("--nice {nice}: {error}; the priority stays as it was") });
    }
}

fn stylize(args: &RunArgs, environment: Environment, style: &Style) -> anyhow::Result<ExitCode> {
    let presets = job_specs::preset_names(&environment);
    let like = args.like.as_deref().map(Like::open).transpose()?;
    let resolved = Settings::resolve(&args.layers(environment, like.as_ref().map(Like::recorded)))?;
    if args.print_settings {
        commands::dry_run::print_settings(&resolved.settings)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(like) = like.filter(|_| args.stylizer == Engine::Optimise) {
        like.check(&resolved.settings)?;
    }
    let spec = JobSpec {
        inputs: args.inputs.clone(),
        output: args.output.clone(),
        template: None,
        range: args.range(),
        folders: args.folders.folders(presets)?,
        settle: args.batch.settle,
        resolved,
        file: None,
        dry_run: args.dry_run || args.unattended.plan,
        share: args.share.share(),
    };
    let run = Run {
        watch: args.folders.watch,
        dry_run: args.dry_run,
        options: args.options(),
        engine: args.stylizer,
        unattended: &args.unattended,
    };
    perform(&[spec], &run, style)
}

fn job_file(args: &JobFileArgs, environment: &Environment, style: &Style) -> anyhow::Result<ExitCode> {
    let JobFileArgs { file, sets, watch, dry_run, stylizer: engine, unattended, .. } = args;
    let (watch, dry_run, engine) = (*watch, *dry_run, *engine);
    let settle = args.batch.settle;
    let request = FileRequest { file, sets, watch, settle, dry_run: dry_run || unattended.plan };
    let (specs, parallel) = job_specs::of_file(&request, environment)?;
    let options = args.batch.options(args.options.options(), parallel);
    perform(&specs, &Run { watch, dry_run, options, engine, unattended }, style)
}

/// Options that apply to all job specs of a run.
struct Run<'a> {
    watch: bool,
    dry_run: bool,
    options: RunOptions,
    engine: Engine,
    unattended: &'a UnattendedArgs,
}

/// Does the jobs of the specs, or prints what would be done (`--dry-run`, `--plan`).
fn perform(specs: &[JobSpec], run: &Run<'_>, style: &Style) -> anyhow::Result<ExitCode> {
    let options = run.options;
    let engine = run.engine;
    let groups = plan_all(specs, engine, options)?;
    let shown = report::choose(style);
    for spec in specs {
        commands::report_skipped(&spec.folders.skipped.take(), style.verbosity, shown.as_ref());
    }
    if run.dry_run {
        let failed =
            groups.iter().flat_map(|group| &group.planned).any(|planned| matches!(planned, Planned::Fail { .. }));
        commands::dry_run::dry_run(groups.iter().map(|group| (&*group.planned, &group.resolved)))?;
        return Ok(ExitCode::from(u8::from(failed)));
    }
    let schedule = &run.unattended.schedule;
    let now = jiff::ZonedDateTime::now();
    let deadline = schedule.deadline(style.began, &now)?;
    for message in schedule.describe(&now)? {
        shown.event(&Event::Note { message });
    }
    if run.unattended.plan {
        return estimate(&groups, (engine, options), deadline, (style, shown.as_ref()));
    }
    let cancel = CancelToken::on_signals()?.until(deadline);
    give_way(schedule.nice, shown.as_ref());
    let observer = Telemetry::around(shown, run.unattended.telemetry.places())?;
    let context = RunContext { engine, options, observer: &observer, cancel: &cancel };
    if groups.iter().all(|group| group.planned.is_empty()) && !run.watch {
        observer.event(&Event::Note { message: "nothing to do: no video and no picture is there".into() });
    }
    let summary = if run.watch { batch::watch::watch(specs, groups, context) } else { batch::run(groups, context) };
    // A watch that is stopped between two jobs has ended normally.
    let stopped = cancel.reason().filter(|_| summary.is_cancelled()).map(|reason| match reason {
        // Shell convention: 128 plus the signal's number.
        Reason::Signal(signal) => 128 + signal as u8,
        Reason::TimeIsUp => batch::EXIT_TRY_LATER,
    });
    Ok(ExitCode::from(stopped.unwrap_or(summary.exit_code())))
}

/// `--plan`: prints an estimate instead of painting.
fn estimate(
    groups: &[JobGroup],
    (engine, options): (Engine, RunOptions),
    deadline: Deadline,
    (style, shown): (&Style, &dyn Observer),
) -> anyhow::Result<ExitCode> {
    let json = style.format == LogFormat::Json;
    let request = commands::plan::Request { engine, options, deadline, json };
    let possible = commands::plan::estimates(groups, request, shown)?;
    Ok(ExitCode::from(u8::from(!possible)))
}

/// Returns 2 for user mistakes, 1 for everything else.
fn exit_code(error: &anyhow::Error) -> u8 {
    let settings = error.downcast_ref::<SettingsError>().map(SettingsError::exit_code);
    let spec = error.downcast_ref::<JobSpecError>().map(JobSpecError::exit_code);
    let like = error.downcast_ref::<LikeError>().map(|_| 2);
    let schedule = error.downcast_ref::<ScheduleError>().map(|_| 2);
    let explore = error.downcast_ref::<ExploreError>().map(ExploreError::exit_code);
    settings
        .or(spec)
        .or(like)
        .or(schedule)
        .or(explore)
        .or_else(|| error.downcast_ref::<PlanError>().map(PlanError::exit_code))
        .unwrap_or(1)
}
