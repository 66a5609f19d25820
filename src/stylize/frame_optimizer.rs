//! Paints single pictures: owns the network, the style pictures and the settings of the descent, and builds the loss
//! terms.

use tch::{Device, Tensor, no_grad};

use super::backbone::Backbone;
use super::colour::{ColourMap, keep_colours};
use super::effort::Effort;
use super::faces::{Doubt, FaceFinder, Search, in_colours_of};
use super::frame_size::{scaled_style, sizes, working_size};
use super::layer_plan::LayerPlan;
use super::loss::{Chroma, Content, Flatness, GramTarget, LossTerm, Luminance, Style, Temporal, Variation, View};
use super::model::Model;
use super::objective::{Phase, PictureObjective};
use super::optimizer::{self, Budget, Curvature, descend};
use super::pinned::Pin;
use super::scene::Scene;
use super::style_pictures::StylePicture;
use super::style_targets::{StyleTargets, TargetMemory, Wanted, mean_square};
use super::tensor::{from_pixels, resize, to_pixels};
use super::{FrameStats, StyleError, TermValues};
use crate::interrupt::CancelToken;
use crate::media::Pixels;
use crate::settings::{Colour, Convention, LossSettings, Settings, StyleSettings};

/// Where the painting's contrast exceeds the scene's, by the ratio E of the mean squares of the first content layer,
/// beta is divided by E^4 and the weight of the total variation multiplied by E^1.5. The relative convention measures
/// content by the scene's own activations. Dark or flat footage has so few of them that faces would drown in paint, and
/// a lattice would show on plain walls. Measured in docs/networks.md.
const STYLE_YIELDS: f64 = 4.0;
const SMOOTHER: f64 = 1.5;
/// Upper limit of E: beyond it nothing would be left of the style.
const MOST_EXCESS: f64 = 1.7;

/// A style distance D (J_style / beta) of the scene's large forms above `FAR` divides beta by (D / FAR)^1.25, at most by
/// 2: the further the scene is from the painting, the stronger is the pull of the style from the first iteration on.
/// Where E divides beta by more, D does not count. The coarsest size tells D: what a blurred background lacks in fine
/// detail, strokes may add.
const FAR: f64 = 0.32;
const FAR_YIELDS: f64 = 1.25;
const FAR_YIELDS_AT_MOST: f64 = 2.0;

/// Everything that stays the same within a shot: size, style targets, colour map and weights.
#[derive(Debug)]
pub struct Look {
    /// The optimised frame's size.
    pub height: i64,
    pub width: i64,
    /// Factor on beta.
    beta: f64,
    /// E, 1 to 1.7: the painting's contrast in units of the scene's.
    excess: f64,
    /// D of the shot's coarsest size.
    distance: f64,
    /// Maps the content's colours to the style's. Fixed for the shot, since a separate map for every frame would
    /// flicker.
    colours: Option<ColourMap>,
    layers: LayerPlan,
    style: Style,
    variation: Variation,
    flatness: Flatness,
}

/// A picture after its descent.
#[derive(Debug)]
pub struct Painted {
    /// `[1,3,H,W]` in the optimised size, 0..=1.
    pub image: Tensor,
    pub stats: FrameStats,
    /// Curvature that the descent of the next phase or frame can start with.
    pub learned: Option<Curvature>,
}

/// Connections of a picture to earlier ones: temporal term, held pixels, curvature.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ties<'a> {
    pub temporal: Option<&'a Temporal>,
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

    /// Returns a studio that shares the tensors of `model`.
    ///
    /// # Errors
    /// As [`FrameOptimizer::new`].
    pub(super) fn of(model: &Model, settings: &Settings, cancel: &CancelToken) -> Result<Self, StyleError> {
        let styles = model.styles.iter().map(StylePicture::shared).collect();
        let frame_optimizer =
            Self::new(model.backbone.shared(), styles, settings.clone(), model.device, cancel.clone())?;
        let finder = model.finder.as_ref().map(FaceFinder::shared);
        Ok(Self { finder, targets: model.targets.clone(), ..frame_optimizer })
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
        let doubt = if look.excess < MOST_EXCESS { Doubt::Usual } else { Doubt::Little };
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
        no_grad(|| {
            let (_, _, height, width) = raw.size4()?;
            let matches = self.settings.style.match_colours && self.settings.style.colour == Colour::Style;
            let colours = if matches { Some(ColourMap::between(raw, self.style_picture())?) } else { None };
            let (coarse_height, coarse_width) = sizes((height, width), 0)[0];
            let forms = self.look_with(colours, raw, [coarse_height, coarse_width], 1.0, None)?;
            self.look_with(forms.colours, raw, [height, width], 1.0, Some(forms.distance))
        })
    }

    /// `distance` is D if it is known.
    fn look_with(
        &self,
        colours: Option<ColourMap>,
        raw: &Tensor,
        [height, width]: [i64; 2],
        beta: f64,
        distance: Option<f64>,
    ) -> Result<Look, StyleError> {
        let layers = self.layers.at(self.backbone.as_ref(), height, width);
        let mut look = Look {
            height,
            width,
            beta,
            excess: 1.0,
            distance: 0.0,
            colours,
            layers,
            style: Style::default(),
            variation: Variation::new(self.settings.loss.tv),
            flatness: Flatness::new(0.0, 1.0),
        };
        self.compare_with_style(&mut look, raw, distance)?;
        Ok(look)
    }

    /// Returns the same look for another frame size; `raw` is the frame itself, in any size, and `beta` the factor on
    /// the beta setting.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn look_at(&self, look: &Look, raw: &Tensor, size: [i64; 2], beta: f64) -> Result<Look, StyleError> {
        let colours = look.colours.as_ref().map(ColourMap::shared);
        no_grad(|| self.look_with(colours, raw, size, beta, Some(look.distance)))
    }

    /// Runs the descent from `start`. `ties.temporal` keeps the picture near earlier frames, `ties.held` fixes pixels
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
        let content = &scene.content;
        let content_term = no_grad(|| self.content_term(look, scene, start, effort.phase))?;
        let luminance = no_grad(|| self.luminance_term(look, scene))?;
        let chroma = no_grad(|| self.chroma_term(content))?;
        let mut terms: Vec<&dyn LossTerm> = vec![&content_term, &look.style, &look.variation];
        if self.settings.loss.flatness > 0.0 {
            terms.push(&look.flatness);
        }
        terms.extend(luminance.as_ref().map(|term| term as &dyn LossTerm));
        terms.extend(chroma.as_ref().map(|term| term as &dyn LossTerm));
        let apart = ties.temporal.map(|term| term as &dyn LossTerm);
        let objective = PictureObjective::new(self.backbone.as_ref(), &look.layers.wanted, terms, apart)
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

    /// Sets the look's style targets: the blended Gram matrices of the style pictures, with strokes of the right size
    /// for the frame. Also sets the weights of style and total variation from the contrast ratio E and from D, which is
    /// measured here if `distance` is `None`.
    fn compare_with_style(&self, look: &mut Look, raw: &Tensor, distance: Option<f64>) -> Result<(), StyleError> {
        let layers = &look.layers;
        let wanted = layers.style();
        let contrast_layer = layers.content().first().copied();
        let asked: Vec<usize> = wanted.iter().copied().chain(contrast_layer).collect();
        let StyleTargets { grams, contrast, detail } = self.style_targets(&asked, wanted.len(), look, raw)?;
        let targets = grams
            .into_iter()
            .zip(layers.weights.iter().copied())
            .enumerate()
            .filter(|&(_, (_, weight))| weight > 0.0)
            .map(|(place, (gram, weight))| GramTarget { place, gram, weight })
            .collect();
        let shown = resize(&look.content(raw)?, look.height, look.width)?;
        let own = self.backbone.forward(&shown, &asked)?;
        let contrast_of_scene = own.get(wanted.len()).map_or(Ok(contrast), mean_square)?;
        let LossSettings { convention, tv, flatness, .. } = self.settings.loss;
        look.style = Style::new(targets, convention, self.settings.beta() * look.beta)?;
        let mut excess = 1.0;
        if convention == Convention::Relative {
            excess = (contrast / contrast_of_scene.max(1e-12)).clamp(1.0, MOST_EXCESS);
            look.distance = distance.map_or_else(|| look.style.distance(&View::new(&shown, &own)), Ok)?;
            look.style.divide(yields(excess, look.distance));
        }
        look.excess = excess;
        look.variation = Variation::new(tv * excess.powf(SMOOTHER));
        look.flatness = Flatness::new(flatness, detail);
        Ok(())
    }

    /// Returns the style targets at the layers `asked`, of which `count` are style layers.
    fn style_targets(
        &self,
        asked: &[usize],
        count: usize,
        look: &Look,
        raw: &Tensor,
    ) -> Result<StyleTargets, StyleError> {
        let StyleSettings { scale, colour, match_colours, .. } = self.settings.style;
        let (size, layers) = ([look.height, look.width], (asked, count));
        let scaled = |image: &Tensor| scaled_style(image, scale, look.height, look.width);
        if colour == Colour::Content && match_colours {
            // In the colours of this frame, which no other frame shares.
            return StyleTargets::of(self.backbone.as_ref(), &self.styles, layers, |image| {
                let image = scaled(image)?;
                ColourMap::between(&image, raw)?.apply(&image)
            });
        }
        let wanted = Wanted { size, scale, layers: asked.to_vec(), threads: super::device::threads() };
        self.targets.get(wanted, || StyleTargets::of(self.backbone.as_ref(), &self.styles, layers, scaled))
    }

    /// How often a face counts: the more the painting's contrast exceeds the scene's, the more often.
    fn face_counts(&self, look: &Look) -> f64 {
        1.0 + (self.settings.faces() - 1.0) * look.excess
    }

    fn luminance_term(&self, look: &Look, scene: &Scene) -> Result<Option<Luminance>, StyleError> {
        let weight = self.settings.luminance();
        if weight <= 0.0 {
            return Ok(None);
        }
        let term = Luminance::new(&scene.content, weight)?;
        Ok(Some(match scene.light_counts(self.face_counts(look))? {
            Some(counts) => term.counted(&counts)?,
            None => term,
        }))
    }

    /// Without matched colours, the scene's chroma is not the chroma that the picture should have.
    fn chroma_term(&self, content: &Tensor) -> Result<Option<Chroma>, StyleError> {
        let weight = self.settings.chroma();
        (weight > 0.0 && self.settings.style.match_colours).then(|| Chroma::new(content, weight)).transpose()
    }

    /// A face is compared in the colours that it has in `start`: the colours of black-and-white film would make it
    /// grey.
    fn content_term(&self, look: &Look, scene: &Scene, start: &Tensor, phase: Phase) -> Result<Content, StyleError> {
        let content = match scene.faces.as_ref().filter(|_| scene.is_painted) {
            Some(faces) => in_colours_of(start, &scene.content, faces)?,
            None => scene.content.shallow_clone(),
        };
        let layers = &look.layers;
        let features = self.backbone.forward(&phase.apply(&content)?, layers.content())?;
        let places = layers.style().len()..;
        let targets = places.zip(features).collect();
        let term = Content::new(targets, self.settings.loss.convention, self.settings.loss.alpha)?;
        let seen = |map: Option<Tensor>| map.map(|map| phase.apply(&map)).transpose();
        let counts = seen(scene.content_counts(self.face_counts(look))?)?;
        term.counted(counts.as_ref(), seen(scene.moving_counts()?)?.as_ref())
    }
}

impl Look {
    /// Returns the content as the objective sees it, `[1,3,H,W]`: with its colours matched to the style's, if
    /// requested.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn content(&self, raw: &Tensor) -> Result<Tensor, StyleError> {
        match &self.colours {
            Some(map) => map.apply(raw),
            None => Ok(raw.shallow_clone()),
        }
    }
}

/// Returns what beta is divided by for a contrast ratio E of `excess` and a scene at `distance` from the style.
fn yields(excess: f64, distance: f64) -> f64 {
    (distance / FAR).powf(FAR_YIELDS).min(FAR_YIELDS_AT_MOST).max(excess.powf(STYLE_YIELDS))
}

#[cfg(test)]
mod tests {
    use super::yields;

    #[test]
    fn style_yields_to_contrast_or_to_distance_whichever_asks_for_more() {
        for (excess, distance, expected) in [
            (1.0, 0.0, 1.0),
            (1.0, 0.32, 1.0),
            (1.0, 0.48, 1.5f64.powf(1.25)),
            (1.0, 10.0, 2.0),
            (1.2, 0.3, 1.2f64.powi(4)),
            (1.7, 10.0, 1.7f64.powi(4)),
        ] {
            let found = yields(excess, distance);
            assert!((found - expected).abs() < 1e-12, "E {excess}, D {distance}: {found}, not {expected}");
        }
    }
}
