//! One job: its input through the pipeline into its output.

use std::time::Instant;

use super::Engine;
use super::plan::Job;
use super::publish::{PublishError, Staged};
use crate::decode;
use crate::encode::{self, Target};
use crate::interrupt::CancelToken;
use crate::media::Input;
use crate::motion::{self, FlowError, Given, Wanted};
use crate::pipeline::{self, Outcome, PipelineError};
use crate::report::{Event, Observer};
use crate::settings::{IfExists, NextInit, Settings};
use crate::stylize::fake::{Bars, Identity};
use crate::stylize::{self, StyleError, Stylizer, Workshop};

/// Why a job failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum JobError {
    #[error(transparent)]
    Decode(#[from] decode::DecodeError),
    #[error(transparent)]
    Encode(#[from] encode::EncodeError),
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Motion(#[from] FlowError),
}

/// Input and output, as they are told.
pub(super) fn names(job: &Job) -> (String, String) {
    (job.input_path().display().to_string(), job.output.path().display().to_string())
}

/// Does a job from first to last.
///
/// # Errors
/// The first failure of any stage; nothing is left under the output's name then.
pub(super) fn run_job(
    job: &Job,
    settings: &Settings,
    given: &Given,
    engine: Engine,
    observer: &dyn Observer,
    cancel: &CancelToken,
) -> Result<(), JobError> {
    let began = Instant::now();
    let mut source = decode::open(&job.input, job.range, &settings.input)?;
    let wanted = wanted(job, settings, given, engine, observer)?;
    if wanted.flow.is_some() {
        let counted = matches!(job.input, Input::Sequence { .. }) && settings.input.filter.trim().is_empty();
        given.check(source.info(), counted)?;
    }
    let staged = Staged::new(&job.output)?;
    let target = Target { output: staged.output().clone(), work: staged.work().to_path_buf() };
    let sink = encode::open(&target, source.info(), &settings.output)?;
    let (input, output) = names(job);
    let info = source.info();
    let (frames, width, height) = (info.frames, info.width, info.height);
    observer.event(&Event::Started { input, output: output.clone(), frames, width, height });
    for message in source.take_warnings().into_iter().chain(sink.warnings().iter().cloned()) {
        observer.event(&Event::Warning { message });
    }
    // One picture is neither gone through twice nor a ring.
    let several = !matches!(job.input, Input::Picture(_));
    let workshop = several.then(|| Workshop { folder: staged.work(), observer });
    let make = || make_stylizer(settings, engine, workshop, observer, cancel);
    let measured = wanted.flow.is_some();
    let Outcome { encoded, waited_for_motion, steadiness } =
        pipeline::run(source, motion::watch(wanted)?, measured, make, sink, observer, cancel)?;
    for message in encoded.warnings {
        observer.event(&Event::Warning { message });
    }
    staged.publish(settings.output.if_exists == IfExists::Replace)?;
    let (seconds, waited_for_motion) = (began.elapsed().as_secs_f64(), waited_for_motion.as_secs_f64());
    tracing::info!(waited_for_motion, share = waited_for_motion / seconds, "painting waited for motion (seconds)");
    observer.event(&Event::Finished { output, frames: encoded.frames, seconds, waited_for_motion, steadiness });
    Ok(())
}

/// What a job wants of its source's motion.
fn wanted(
    job: &Job,
    settings: &Settings,
    given: &Given,
    engine: Engine,
    observer: &dyn Observer,
) -> Result<Wanted, FlowError> {
    let list = given.cuts.clone();
    if engine != Engine::Optimise || matches!(job.input, Input::Picture(_)) {
        return Ok(Wanted { list, ..Wanted::default() });
    }
    let anchored = settings.temporal.weight > 0.0;
    let used = settings.init.next == NextInit::Warped || anchored || settings.temporal.is_reworked();
    let flow = match &given.flow {
        _ if !used => {
            if given.flow.is_some() {
                let message = "--flow is of no use: neither init.next = \"warped\" nor temporal.weight asks for motion";
                observer.event(&Event::Warning { message: message.into() });
            }
            None
        }
        Some(files) => Some(Box::new(files.clone()) as Box<_>),
        None => Some(motion::estimate()?),
    };
    let far = settings.searched().to_vec();
    // Cuts are looked for whether flow is used or not, so that an init finds the shots that another does.
    let cuts = if list.is_none() { motion::estimate_cuts()? } else { None };
    Ok(Wanted { flow, cuts, rules: settings.temporal.consistency, list, far, ring: settings.temporal.ring })
}

fn make_stylizer<'a>(
    settings: &Settings,
    engine: Engine,
    workshop: Option<Workshop<'a>>,
    observer: &dyn Observer,
    cancel: &CancelToken,
) -> Result<Box<dyn Stylizer + 'a>, StyleError> {
    match engine {
        Engine::Optimise => {}
        Engine::Identity => return Ok(Box::new(Identity)),
        Engine::Bars => return Ok(Box::new(Bars)),
    }
    let built = stylize::build(settings, cancel, workshop)?;
    for message in built.notes {
        observer.event(&Event::Note { message });
    }
    Ok(built.stylizer)
}
