//! What every picture is painted with: the network, the style pictures and the rules of a descent.

use tch::{Device, Tensor, no_grad};

use super::backbone::Backbone;
use super::colour::{ColourMap, keep_colours};
use super::effort::Effort;
use super::faces::{Doubt, FaceFinder, Search, in_colours_of};
use super::layer_plan::LayerPlan;
use super::loss::{Chroma, Content, GramTarget, LossTerm, Luminance, Style, Temporal, Variation, gram};
use super::objective::{Phase, PictureObjective};
use super::optimizer::{self, Budget, Curvature, descend};
use super::scene::Scene;
use super::still::Held;
use super::tensor::{from_pixels, resize, resize_sharply, scalar, to_pixels};
use super::{FrameStats, StyleError};
use crate::interrupt::CancelToken;
use crate::media::Pixels;
use crate::settings::{Colour, Convention, LossSettings, Settings, Size};

/// Networks halve a picture up to four times; below this nothing is left of it.
const SHORTEST_SIDE: f64 = 64.0;
/// A small picture is enlarged to the shortest side in its own aspect, but for no longer side than this.
const LONGEST_ENLARGED: f64 = 512.0;

/// Where the painting's contrast exceeds the scene's, by the ratio E of mean squares of the first content layer, beta is
/// divided by E^4, and the total variation's weight multiplied by E^1.5. The relative convention measures content by the
/// scene's own activations, of which dark or flat footage has so few that faces drown in paint, and a lattice shows
/// in plain walls. Measured in docs/networks.md.
const STYLE_YIELDS: f64 = 4.0;
const SMOOTHER: f64 = 1.5;
/// E counts for no more: beyond it nothing would be left of the style.
const MOST_EXCESS: f64 = 1.7;

/// A style picture in its own size, `[1,3,H,W]`, and its share of the blend.
#[derive(Debug)]
pub struct StylePicture {
    pub image: Tensor,
    pub weight: f64,
}

impl StylePicture {
    /// The same picture; its samples are shared.
    #[must_use]
    pub fn shared(&self) -> Self {
        Self { image: self.image.shallow_clone(), weight: self.weight }
    }
}

/// What stays the same within a shot.
#[derive(Debug)]
pub struct Look {
    /// The optimised frame's size.
    pub height: i64,
    pub width: i64,
    /// beta is multiplied by this.
    beta: f64,
    /// E, 1 to 1.7: the painting's contrast in units of the scene's.
    excess: f64,
    /// Content's colours to the style's. Fixed for the shot: a map of its own for every frame would flicker.
    colours: Option<ColourMap>,
    layers: LayerPlan,
    style: Style,
    variation: Variation,
}

/// A picture after its descent.
#[derive(Debug)]
pub struct Painted {
    /// `[1,3,H,W]` in the optimised size, 0..=1.
    pub image: Tensor,
    pub stats: FrameStats,
    /// What the next frame's descent can go on with.
    pub learned: Option<Curvature>,
}

/// What a picture has to do with earlier ones.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ties<'a> {
    pub temporal: Option<&'a Temporal>,
    pub held: Option<&'a Held>,
    /// Of the frame before.
    pub curvature: Option<&'a Curvature>,
}

/// Paints single pictures by gradient descent on their pixels.
pub struct Studio {
    backbone: Box<dyn Backbone>,
    layers: LayerPlan,
    styles: Vec<StylePicture>,
    finder: Option<FaceFinder>,
    settings: Settings,
    device: Device,
    cancel: CancelToken,
}

impl Studio {
    /// # Errors
    /// Unknown layer names, no style picture.
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
        Ok(Self { backbone, layers, styles, finder: None, settings, device, cancel })
    }

    /// The same, which looks for faces.
    #[must_use]
    pub fn with_faces(self, finder: Option<FaceFinder>) -> Self {
        Self { finder, ..self }
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

    /// A source frame in the optimised size, `[1,3,H,W]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn raw(&self, pixels: &Pixels) -> Result<Tensor, StyleError> {
        let (h, w) = self.working_size(pixels.height, pixels.width);
        Ok(resize(&from_pixels(pixels, self.device)?, h, w)?.f_contiguous()?)
    }

    /// How much of a face there is in each place of `raw` `[1,3,H,W]`: `[1,1,H,W]`, 0..=1. `None` where faces are not looked
    /// for, or count no more than anything else. In footage that paint drowns, what may be one is taken for one.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn faces(&self, look: &Look, raw: &Tensor, search: Search) -> Result<Option<Tensor>, StyleError> {
        let finder = self.finder.as_ref().filter(|_| self.looks_for_faces());
        let doubt = if look.excess < MOST_EXCESS { Doubt::Usual } else { Doubt::Little };
        finder.map(|finder| finder.find(raw, search, doubt)).transpose()
    }

    pub fn looks_for_faces(&self) -> bool {
        self.finder.is_some() && self.settings.faces() != 1.0
    }

    /// What a shot that begins with `raw` has in common.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn look(&self, raw: &Tensor) -> Result<Look, StyleError> {
        no_grad(|| {
            let (_, _, height, width) = raw.size4()?;
            let matches = self.settings.style.match_colours && self.settings.style.colour == Colour::Style;
            let colours = if matches { Some(ColourMap::between(raw, self.style_picture())?) } else { None };
            self.look_with(colours, raw, [height, width], 1.0)
        })
    }

    fn look_with(
        &self,
        colours: Option<ColourMap>,
        raw: &Tensor,
        [height, width]: [i64; 2],
        beta: f64,
    ) -> Result<Look, StyleError> {
        let layers = self.layers.at(self.backbone.as_ref(), height, width);
        let mut look = Look {
            height,
            width,
            beta,
            excess: 1.0,
            colours,
            layers,
            style: Style::default(),
            variation: Variation::new(self.settings.loss.tv),
        };
        self.compare_with_style(&mut look, raw)?;
        Ok(look)
    }

    /// The same look for the frame in another size; `raw` is the frame itself, in any size. `beta`: what the setting is
    /// multiplied by.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn look_at(&self, look: &Look, raw: &Tensor, size: [i64; 2], beta: f64) -> Result<Look, StyleError> {
        no_grad(|| self.look_with(look.colours.as_ref().map(ColourMap::shared), raw, size, beta))
    }

    /// Descends from `start`, near earlier frames by `ties.temporal` and held to one by `ties.held`.
    ///
    /// # Errors
    /// What libtorch reports; `NotFinite`; `Cancelled`.
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
        };
        let image = minimum.x.f_clamp(0.0, 1.0)?;
        let image = ties.held.map_or_else(|| Ok(image.shallow_clone()), |held| held.apply(&image))?;
        Ok(Painted { image, stats, learned: optimizer.learned()? })
    }

    /// A painted picture in the source's size, with the source's alpha, and its colours where they are to be kept.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn frame(&self, painted: &Tensor, source: &Pixels) -> Result<Pixels, StyleError> {
        let mut full = resize(painted, source.height as i64, source.width as i64)?;
        if self.settings.style.colour == Colour::Content {
            full = keep_colours(&full, &from_pixels(source, self.device)?)?;
        }
        let mut pixels = to_pixels(&full)?;
        pixels.alpha.clone_from(&source.alpha);
        Ok(pixels)
    }

    /// The optimised frame's height and width for a source of `height` x `width`.
    fn working_size(&self, height: usize, width: usize) -> (i64, i64) {
        let (h, w) = (height as f64, width as f64);
        let long = match self.settings.frame.size {
            Size::Pixels(n) => f64::from(n),
            // Never larger than the source: there is nothing to gain.
            Size::Auto => f64::from(super::device::default_size(self.device)).min(h.max(w)),
        };
        scaled_size(h, w, long / h.max(w), SHORTEST_SIDE)
    }

    /// Gives a look the style pictures' Gram matrices, blended, at strokes of the right size for its frame.
    fn compare_with_style(&self, look: &mut Look, raw: &Tensor) -> Result<(), StyleError> {
        let total: f64 = self.styles.iter().map(|style| style.weight).sum();
        let layers = &look.layers;
        let wanted = layers.style();
        let contrast_layer = layers.content().first().copied();
        let asked: Vec<usize> = wanted.iter().copied().chain(contrast_layer).collect();
        let mut blend: Vec<Option<Tensor>> = wanted.iter().map(|_| None).collect();
        let mut contrast = 0.0;
        for style in &self.styles {
            let mut image = scaled_style(&style.image, self.settings.style.scale, look.height, look.width)?;
            if self.settings.style.colour == Colour::Content && self.settings.style.match_colours {
                image = ColourMap::between(&image, raw)?.apply(&image)?;
            }
            let mut found = self.backbone.forward(&image, &asked)?;
            let share = style.weight / total;
            if let Some(features) = found.get(wanted.len()) {
                contrast += share * mean_square(features)?;
            }
            found.truncate(wanted.len());
            for (slot, features) in blend.iter_mut().zip(found) {
                let share = gram(&features)?.f_mul_scalar(share)?;
                *slot = Some(match slot.take() {
                    Some(sum) => sum.f_add(&share)?,
                    None => share,
                });
            }
        }
        let targets = blend
            .into_iter()
            .flatten()
            .zip(layers.weights.iter().copied())
            .enumerate()
            .filter(|&(_, (_, weight))| weight > 0.0)
            .map(|(place, (gram, weight))| GramTarget { place, gram, weight })
            .collect();
        let shown = resize(&look.content(raw)?, look.height, look.width)?;
        let own = self.backbone.forward(&shown, &asked[wanted.len()..])?;
        let own = own.first().map_or(Ok(contrast), mean_square)?;
        let LossSettings { convention, tv, .. } = self.settings.loss;
        let excess =
            if convention == Convention::Relative { (contrast / own.max(1e-12)).clamp(1.0, MOST_EXCESS) } else { 1.0 };
        look.excess = excess;
        look.style = Style::new(targets, convention, self.settings.beta() * look.beta / excess.powf(STYLE_YIELDS))?;
        look.variation = Variation::new(tv * excess.powf(SMOOTHER));
        Ok(())
    }

    /// How often a face counts: the more, the more the painting's contrast exceeds the scene's.
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

    /// Where the scene's colours are not matched to the painting's, they are not what the picture is to have.
    fn chroma_term(&self, content: &Tensor) -> Result<Option<Chroma>, StyleError> {
        let weight = self.settings.chroma();
        (weight > 0.0 && self.settings.style.match_colours).then(|| Chroma::new(content, weight)).transpose()
    }

    /// A face is compared with in the colours it has in `start`: those of black and white film would make it grey.
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
    /// The content as the objective sees it, `[1,3,H,W]`: its colours matched to the style's, where that is wanted.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn content(&self, raw: &Tensor) -> Result<Tensor, StyleError> {
        match &self.colours {
            Some(map) => map.apply(raw),
            None => Ok(raw.shallow_clone()),
        }
    }
}

/// A style picture `[1,3,H,W]` as wide as an `h` x `w` frame is long, or of the frame's area, whichever is larger, times
/// `scale`; its own aspect kept.
///
/// # Errors
/// What libtorch reports.
pub fn scaled_style(image: &Tensor, scale: f64, h: i64, w: i64) -> Result<Tensor, StyleError> {
    let (_, _, own_h, own_w) = image.size4()?;
    let by_area = ((h * w) as f64 / (own_h * own_w) as f64).sqrt();
    let ratio = by_area.max(h.max(w) as f64 / own_w as f64) * scale;
    let least = SHORTEST_SIDE.min(h.min(w) as f64);
    let (h, w) = scaled_size(own_h as f64, own_w as f64, ratio, least);
    resize_sharply(image, h, w)
}

/// `h` x `w` times `scale`, with a short side of `least` pixels at least. Where that would make a thread of a picture
/// huge (1 x 4000, say), only its short side is stretched.
fn scaled_size(h: f64, w: f64, scale: f64, least: f64) -> (i64, i64) {
    let scale = scale.max((least / h.min(w)).min(LONGEST_ENLARGED / h.max(w)));
    let side = |length: f64| (length * scale).round().max(least) as i64;
    (side(h), side(w))
}

/// Of activations in any shape.
fn mean_square(features: &Tensor) -> Result<f64, StyleError> {
    scalar(&features.f_square()?.f_mean(features.kind())?)
}
