//! The chain: one frame after another, each starting from what the one before became.

use tch::{Device, Tensor, no_grad};

use super::backbone::Backbone;
use super::chain::{Carried, Chain};
use super::colour::{ColourMap, keep_colours};
use super::init::{self, Init, Start};
use super::loss::{Content, GramTarget, LossTerm, Style, Temporal, Variation, gram};
use super::objective::PictureObjective;
use super::optimizer::{self, Budget, descend};
use super::tensor::{from_pixels, resize, to_pixels};
use super::{FrameStats, StyleError, Stylized, Stylizer};
use crate::interrupt::CancelToken;
use crate::media::Pixels;
use crate::motion::{Arrival, Shot};
use crate::settings::{Colour, Settings, Size};

/// Networks halve a picture up to four times; below this nothing is left of it.
const SHORTEST_SIDE: f64 = 64.0;
/// A small picture is enlarged to the shortest side in its own aspect, but for no longer side than this.
const LONGEST_ENLARGED: f64 = 512.0;

/// A style picture in its own size, `[1,3,H,W]`, and its share of the blend.
#[derive(Debug)]
pub struct StylePicture {
    pub image: Tensor,
    pub weight: f64,
}

/// Which layers of the backbone are compared.
#[derive(Debug)]
struct LayerPlan {
    /// Indices into the backbone's layers: style layers, then content layers.
    wanted: Vec<usize>,
    style: usize,
}

/// What stays the same within a shot.
struct ShotState {
    height: i64,
    width: i64,
    /// Content's colours to the style's.
    colours: Option<ColourMap>,
    style: Style,
    /// J of the shot's first frame: later frames need no lower one. Going on would trade a little more content for
    /// style in every frame, until the last ones show nothing of it.
    first_objective: Option<f64>,
    chain: Chain,
}

/// Paints frames by gradient descent on their pixels.
pub struct Painter {
    backbone: Box<dyn Backbone>,
    layers: LayerPlan,
    styles: Vec<StylePicture>,
    settings: Settings,
    device: Device,
    first: Box<dyn Init>,
    next: Box<dyn Init>,
    variation: Variation,
    shot: Option<ShotState>,
    cancel: CancelToken,
}

impl Painter {
    /// # Errors
    /// Unknown layer names, no style picture, not as many style layers as weights.
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
        let layers = plan_layers(backbone.as_ref(), &settings)?;
        Ok(Self {
            layers,
            backbone,
            styles,
            device,
            first: init::first(settings.init.first, settings.seed),
            next: init::next(settings.init.next, settings.seed),
            variation: Variation::new(settings.loss.tv),
            settings,
            shot: None,
            cancel,
        })
    }

    /// The optimised frame's height and width for a source of `height` x `width`.
    fn working_size(&self, height: usize, width: usize) -> (i64, i64) {
        let (h, w) = (height as f64, width as f64);
        let long = match self.settings.frame.size {
            Size::Pixels(n) => f64::from(n),
            // Never larger than the source: there is nothing to gain.
            Size::Auto => f64::from(super::device::default_size(self.device)).min(h.max(w)),
        };
        scaled_size(h, w, long / h.max(w))
    }

    /// The style pictures' Gram matrices, blended, at strokes of the right size for an `h` x `w` frame.
    fn style_term(&self, content: &Tensor, h: i64, w: i64) -> Result<Style, StyleError> {
        let total: f64 = self.styles.iter().map(|style| style.weight).sum();
        let wanted = &self.layers.wanted[..self.layers.style];
        let mut blend: Vec<Option<Tensor>> = wanted.iter().map(|_| None).collect();
        for style in &self.styles {
            let mut image = self.scaled(&style.image, h, w)?;
            if self.settings.style.colour == Colour::Content && self.settings.style.match_colours {
                image = ColourMap::between(&image, content)?.apply(&image)?;
            }
            for (slot, features) in blend.iter_mut().zip(self.backbone.forward(&image, wanted)?) {
                let share = gram(&features)?.f_mul_scalar(style.weight / total)?;
                *slot = Some(match slot.take() {
                    Some(sum) => sum.f_add(&share)?,
                    None => share,
                });
            }
        }
        let weights = self.settings.loss.style_weights;
        let targets = blend
            .into_iter()
            .flatten()
            .zip(weights)
            .enumerate()
            .filter(|&(_, (_, weight))| weight > 0.0)
            .map(|(place, (gram, weight))| GramTarget { place, gram, weight })
            .collect();
        Style::new(targets, self.settings.loss.convention, self.settings.loss.beta)
    }

    /// A style picture with the frame's area times style.scale squared, its own aspect kept.
    fn scaled(&self, image: &Tensor, h: i64, w: i64) -> Result<Tensor, StyleError> {
        let (_, _, own_h, own_w) = image.size4()?;
        let ratio = ((h * w) as f64 / (own_h * own_w) as f64).sqrt() * self.settings.style.scale;
        let (h, w) = scaled_size(own_h as f64, own_w as f64, ratio);
        resize(image, h, w)
    }

    fn begin_shot(&self, content: &Tensor) -> Result<ShotState, StyleError> {
        let (_, _, height, width) = content.size4()?;
        let matches = self.settings.style.match_colours && self.settings.style.colour == Colour::Style;
        // Fixed for the shot: a map of its own for every frame would flicker.
        let colours = if matches { Some(ColourMap::between(content, &self.styles[0].image)?) } else { None };
        let style = self.style_term(content, height, width)?;
        let temporal = &self.settings.temporal;
        let chain = Chain::new(&temporal.offsets, temporal.consistency);
        Ok(ShotState { height, width, colours, style, first_objective: None, chain })
    }

    /// The distance to the shot's earlier frames; `None` where no motion leads to them.
    fn temporal_term(&self, chain: &Chain, moves: bool) -> Result<Option<Temporal>, StyleError> {
        let temporal = &self.settings.temporal;
        if temporal.weight == 0.0 || !moves {
            return Ok(None);
        }
        let anchors = chain.anchors(&temporal.offsets, self.device)?;
        Ok((!anchors.is_empty()).then(|| Temporal::new(anchors, temporal.weight, temporal.distance)))
    }

    fn content_term(&self, content: &Tensor) -> Result<Content, StyleError> {
        let wanted = &self.layers.wanted[self.layers.style..];
        let features = self.backbone.forward(content, wanted)?;
        let targets = features.into_iter().enumerate().map(|(i, target)| (self.layers.style + i, target)).collect();
        Content::new(targets, self.settings.loss.convention, self.settings.loss.alpha)
    }
}

/// `h` x `w` times `scale`, large enough for a network. Where that would make a thread of a picture huge (1 x 4000,
/// say), only its short side is stretched.
fn scaled_size(h: f64, w: f64, scale: f64) -> (i64, i64) {
    let scale = scale.max((SHORTEST_SIDE / h.min(w)).min(LONGEST_ENLARGED / h.max(w)));
    let side = |length: f64| (length * scale).round().max(SHORTEST_SIDE) as i64;
    (side(h), side(w))
}

fn plan_layers(backbone: &dyn Backbone, settings: &Settings) -> Result<LayerPlan, StyleError> {
    let network = &settings.network;
    let names = |chosen: &[String], own: Vec<&str>| -> Vec<String> {
        if chosen.is_empty() { own.into_iter().map(str::to_owned).collect() } else { chosen.to_vec() }
    };
    let style = names(&network.style_layers, backbone.style_layers().to_vec());
    let weights = settings.loss.style_weights.len();
    if style.len() != weights {
        return Err(StyleError::LayerCount { given: style.len(), weights });
    }
    let content = names(&network.content_layers, backbone.content_layers());
    let wanted = style.iter().chain(&content).map(|name| backbone.layer(name)).collect::<Result<_, _>>()?;
    Ok(LayerPlan { wanted, style: style.len() })
}

impl Stylizer for Painter {
    fn stylize(&mut self, pixels: &Pixels, arrival: &Arrival) -> Result<Stylized, StyleError> {
        let source = from_pixels(pixels, self.device)?;
        let (h, w) = self.working_size(pixels.height, pixels.width);
        let raw = resize(&source, h, w)?;
        let mut state = match self.shot.take() {
            Some(state) if arrival.shot == Shot::Continues && (state.height, state.width) == (h, w) => state,
            _ => no_grad(|| self.begin_shot(&raw))?,
        };
        let (first, next) = (self.first.as_ref(), self.next.as_ref());
        let content = match &state.colours {
            Some(map) => map.apply(&raw)?,
            None => raw,
        };
        let content_term = no_grad(|| self.content_term(&content))?;
        let continues = state.chain.last().is_some();
        let motion = arrival.step.as_ref().filter(|_| continues);
        if let Some(step) = motion {
            state.chain.step(step, w as usize, h as usize);
        }
        let warped = motion.map(|_| state.chain.carried_along(self.device)).transpose()?.flatten();
        let start = Start {
            content: &content,
            style: &self.styles[0].image,
            previous: state.chain.last(),
            warped: warped.as_ref(),
        };
        let start = if continues { next.start(&start)? } else { first.start(&start)? };

        let temporal = self.temporal_term(&state.chain, motion.is_some())?;
        let mut terms: Vec<&dyn LossTerm> = vec![&content_term, &state.style, &self.variation];
        terms.extend(temporal.iter().map(|term| term as &dyn LossTerm));
        let objective = PictureObjective::new(self.backbone.as_ref(), &self.layers.wanted, terms);
        let settings = &self.settings.optimizer;
        let budget = Budget {
            iterations: settings.iterations[usize::from(continues)],
            tolerance: settings.tolerance,
            check_every: settings.check_every,
            target: state.first_objective.filter(|_| settings.tolerance > 0.0),
        };
        let mut optimizer = optimizer::begin(settings, &start)?;
        let minimum = descend(optimizer.as_mut(), &objective, budget, &self.cancel)?;
        let painted = minimum.x.f_clamp(0.0, 1.0)?;

        let mut full = resize(&painted, pixels.height as i64, pixels.width as i64)?;
        if self.settings.style.colour == Colour::Content {
            full = keep_colours(&full, &source)?;
        }
        let mut result = to_pixels(&full)?;
        result.alpha.clone_from(&pixels.alpha);
        tracing::debug!(
            size = ?(h, w),
            new_shot = !continues,
            iterations = minimum.iterations,
            from = minimum.initial,
            to = minimum.objective,
            "frame painted"
        );
        let stats = FrameStats {
            iterations: minimum.iterations,
            initial_objective: minimum.initial,
            objective: minimum.objective,
        };
        let first_objective = state.first_objective.or(Some(minimum.objective));
        state.chain.remember(Carried { painted, content });
        self.shot = Some(ShotState { first_objective, ..state });
        Ok(Stylized { pixels: result, stats })
    }
}
