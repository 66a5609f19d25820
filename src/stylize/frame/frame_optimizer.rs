//! Paints single pictures: owns the network, the style pictures and the settings of the descent.

use tch::{Device, Tensor};

use super::colour::keep_colours;
use super::effort::Effort;
use super::faces::{Doubt, FaceFinder, Search};
use super::frame_size::working_size;
use super::layer_plan::LayerPlan;
use super::look::{Look, LookSource, MOST_EXCESS};
use super::loss::{FrameFacts, terms};
use super::objective::PictureObjective;
use super::optimizer::{self, Budget, Curvature, descend};
use super::scene::Scene;
use super::style_pictures::StylePicture;
use super::style_targets::TargetMemory;
use crate::interrupt::CancelToken;
use crate::media::Pixels;
use crate::settings::{Colour, Settings};
use crate::stylize::backbone::Backbone;
use crate::stylize::temporal::history::Anchor;
use crate::stylize::temporal::pinned::Pin;
use crate::stylize::tensor::{from_pixels, resize, to_pixels};
use crate::stylize::{FrameStats, StyleError, TermValues};

/// A picture after its descent.
#[derive(Debug)]
pub struct Painted {
    /// `[1,3,H,W]` in the optimised size, 0..=1.
    pub image: Tensor,
    pub stats: FrameStats,
    /// Curvature that the descent of the next phase or frame can start with.
    pub learned: Option<Curvature>,
}

/// Connections of a picture to earlier ones: targets of the temporal term, held pixels, curvature.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ties<'a> {
    pub anchors: &'a [Anchor],
    pub held: Option<&'a Pin>,
    /// Curvature from the descent of the previous phase or frame.
    pub curvature: Option<&'a Curvature>,
}

/// Paints single pictures by gradient descent on their pixels.
pub struct FrameOptimizer {
    backbone: Box<dyn Backbone>,
    layers: LayerPlan,
    styles: Vec<StylePicture>,
    finder: Option<FaceFinder>,
    targets: TargetMemory,
    settings: Settings,
    device: Device,
    cancel: CancelToken,
}

impl FrameOptimizer {
    /// # Errors
    /// If a layer name is unknown or there is no style picture.
    pub fn new(
        backbone: Box<dyn Backbone>,
        styles: Vec<StylePicture>,
        settings: Settings,
        device: Device,
        cancel: CancelToken,
    ) -> Result<Self, StyleError> {
        if styles.is_empty() {
            return Err(StyleError::NoStyle);
        }
        let layers = LayerPlan::new(backbone.as_ref(), &settings)?;
        let targets = TargetMemory::default();
        Ok(Self { backbone, layers, styles, finder: None, targets, settings, device, cancel })
    }

    /// Searches for faces with `finder` and remembers style targets in `targets`.
    pub(in crate::stylize) fn sharing(self, finder: Option<FaceFinder>, targets: TargetMemory) -> Self {
        Self { finder, targets, ..self }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    pub fn device(&self) -> Device {
        self.device
    }

    /// The first style picture, `[1,3,H,W]` in its own size.
    pub fn style_picture(&self) -> &Tensor {
        &self.styles[0].image
    }

    /// Returns a source frame in the optimised size, `[1,3,H,W]`.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn raw(&self, pixels: &Pixels) -> Result<Tensor, StyleError> {
        let [h, w] = working_size(self.settings.frame.size, self.device, [pixels.height, pixels.width]);
        Ok(resize(&from_pixels(pixels, self.device)?, h, w)?.f_contiguous()?)
    }

    /// Returns how much of a face each pixel of `raw` `[1,3,H,W]` shows: `[1,1,H,W]`, 0..=1. `None` if faces are not
    /// searched for, or count no more than anything else. In footage that tends to drown in paint, doubtful finds count
    /// as faces too.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn faces(&self, look: &Look, raw: &Tensor, search: Search) -> Result<Option<Tensor>, StyleError> {
        let finder = self.finder.as_ref().filter(|_| self.looks_for_faces());
        let doubt = if look.facts.excess < MOST_EXCESS { Doubt::Usual } else { Doubt::Little };
        finder.map(|finder| finder.find(raw, search, doubt)).transpose()
    }

    pub fn looks_for_faces(&self) -> bool {
        self.finder.is_some() && self.settings.faces() != 1.0
    }

    /// Returns the look of a shot that begins with `raw`.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn look(&self, raw: &Tensor) -> Result<Look, StyleError> {
        self.looks().look(raw)
    }

    /// Returns the same look for another frame size; `raw` is the frame itself, in any size, and `beta` the factor on
    /// the beta setting.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn look_at(&self, look: &Look, raw: &Tensor, size: [i64; 2], beta: f64) -> Result<Look, StyleError> {
        self.looks().look_at(look, raw, size, beta)
    }

    fn looks(&self) -> LookSource<'_> {
        let Self { backbone, layers, styles, targets, settings, .. } = self;
        LookSource { backbone: backbone.as_ref(), layers, styles, targets, settings }
    }

    /// Runs the descent from `start`. `ties.anchors` keep the picture near earlier frames, `ties.held` fixes pixels
    /// to an anchor.
    ///
    /// # Errors
    /// Returns what libtorch reports, `NotFinite` or `Cancelled`.
    pub fn paint(
        &self,
        look: &Look,
        scene: &Scene,
        start: &Tensor,
        ties: Ties<'_>,
        effort: Effort,
    ) -> Result<Painted, StyleError> {
        let frame = FrameFacts {
            settings: &self.settings,
            backbone: self.backbone.as_ref(),
            shot: &look.facts,
            scene,
            start,
            phase: effort.phase,
            anchors: ties.anchors,
        };
        let terms = terms(&frame)?;
        let terms = terms.iter().map(Box::as_ref).collect();
        let objective = PictureObjective::new(self.backbone.as_ref(), &look.facts.layers.wanted, terms)
            .held(ties.held)
            .phase(effort.phase);
        let settings = &self.settings.optimizer;
        let budget = Budget {
            iterations: effort.iterations,
            at_least: effort.at_least,
            tolerance: settings.tolerance,
            check_every: settings.check_every,
            target: effort.target.filter(|_| settings.tolerance > 0.0),
        };
        let mut optimizer = optimizer::begin(settings, start, effort.preconditioner, ties.curvature)?;
        let minimum = descend(optimizer.as_mut(), &objective, budget, &self.cancel)?;
        let stats = FrameStats {
            iterations: minimum.iterations,
            initial_objective: minimum.initial,
            objective: minimum.objective,
            temporal: minimum.apart,
            terms: TermValues::new(&objective.term_names(), &minimum.terms),
        };
        let image = minimum.x.f_clamp(0.0, 1.0)?;
        let image = ties.held.map_or_else(|| Ok(image.shallow_clone()), |held| held.apply(&image))?;
        Ok(Painted { image, stats, learned: optimizer.learned()? })
    }

    /// Returns a painted picture in the source's size, with the source's alpha, and with its colours if they should be
    /// kept.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn frame(&self, painted: &Tensor, source: &Pixels) -> Result<Pixels, StyleError> {
        let mut full = resize(painted, source.height as i64, source.width as i64)?;
        if self.settings.style.colour == Colour::Content {
            full = keep_colours(&full, &from_pixels(source, self.device)?)?;
        }
        let mut pixels = to_pixels(&full)?;
        pixels.alpha.clone_from(&source.alpha);
        Ok(pixels)
    }
}
