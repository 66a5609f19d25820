//! Builds a stylizer from the settings and a loaded model.

use std::path::Path;

use tch::Device;

use super::meter_network::MeterNetwork;
use super::model::ModelSlot;
use super::networks::{advice, no_faces};
use super::video::multi_pass::MultiPass;
use super::video::single_pass::SinglePass;
use super::{StyleError, Stylizer, device};
use crate::interrupt::CancelToken;
use crate::report::Observer;
use crate::settings::Settings;

/// A stylizer, and the notes to show the user before a long run.
pub struct Built<'a> {
    pub stylizer: Box<dyn Stylizer + 'a>,
    /// Network that measures the result; it knows the same style.
    pub meter: MeterNetwork,
    pub notes: Vec<String>,
}

/// Scratch folder and observer that a clip painted in several passes needs in addition to its settings.
#[derive(Clone, Copy)]
pub struct Workshop<'a> {
    /// Folder that holds the pictures between passes.
    pub folder: &'a Path,
    /// Receives an event for every frame of every pass.
    pub observer: &'a dyn Observer,
}

/// Builds the stylizer that `settings` describe. Without a `workshop` it paints in a single pass.
///
/// # Errors
/// If the device does not exist, the backbone or a layer is unknown, weights are missing or damaged, a style picture
/// cannot be read, or the workshop's folder cannot be used.
pub fn build<'a>(
    settings: &Settings,
    cancel: &CancelToken,
    workshop: Option<Workshop<'a>>,
) -> Result<Built<'a>, StyleError> {
    build_with(&mut ModelSlot::default(), settings, cancel, workshop)
}

/// As [`build`], with the model that the last stylizer left in `slot` if it fits.
///
/// # Errors
/// As [`build`].
pub fn build_with<'a>(
    slot: &mut ModelSlot,
    settings: &Settings,
    cancel: &CancelToken,
    workshop: Option<Workshop<'a>>,
) -> Result<Built<'a>, StyleError> {
    let model = slot.model(settings)?;
    let mut notes = vec![format!("backbone {} on {}", model.backbone.name(), name_of(model.device))];
    notes.extend(advice(settings));
    let meter = MeterNetwork::with(model.meter.shared(), &model.styles, &settings.style, model.device)?;
    notes.extend(model.finder.is_none().then(|| no_faces(settings)).flatten());
    let single_pass = SinglePass::new(model.frame_optimizer(settings, cancel)?);
    let stylizer: Box<dyn Stylizer + 'a> = match workshop.filter(|_| settings.temporal.is_reworked()) {
        Some(Workshop { folder, observer }) => Box::new(MultiPass::new(single_pass, folder, observer)?),
        None => Box::new(single_pass),
    };
    Ok(Built { stylizer, meter, notes })
}

fn name_of(device: Device) -> String {
    match device {
        Device::Cuda(n) => format!("cuda:{n}"),
        _ => match device::threads() {
            1 => "the CPU, 1 thread".into(),
            threads => format!("the CPU, {threads} threads"),
        },
    }
}
