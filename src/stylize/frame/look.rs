//! The look of a shot: what stays the same from frame to frame, measured on its first frame and the style pictures.

use tch::{Tensor, no_grad};

use super::colour::ColourMap;
use super::frame_size::{scaled_style, sizes};
use super::layer_plan::LayerPlan;
use super::loss::{ShotFacts, View, style_of_shot};
use super::style_pictures::StylePicture;
use super::style_targets::{StyleTargets, TargetMemory, Wanted, mean_square};
use crate::settings::{Colour, Convention, Settings, StyleSettings};
use crate::stylize::StyleError;
use crate::stylize::backbone::Backbone;
use crate::stylize::tensor::resize;

/// Upper limit of E: beyond it nothing would be left of the style.
pub(in crate::stylize) const MOST_EXCESS: f64 = 1.7;

/// Everything that stays the same within a shot: size, style targets, colour map and weights.
#[derive(Debug)]
pub struct Look {
    /// The optimised frame's size.
    pub height: i64,
    pub width: i64,
    /// Maps the content's colours to the style's. Fixed for the shot, since a separate map for every frame would
    /// flicker.
    colours: Option<ColourMap>,
    pub(in crate::stylize) facts: ShotFacts,
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

/// What looks are measured with.
#[derive(Clone, Copy)]
pub(in crate::stylize) struct LookSource<'a> {
    pub backbone: &'a dyn Backbone,
    pub layers: &'a LayerPlan,
    pub styles: &'a [StylePicture],
    pub targets: &'a TargetMemory,
    pub settings: &'a Settings,
}

impl LookSource<'_> {
    /// Returns the look of a shot that begins with `raw`, `[1,3,H,W]`.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn look(self, raw: &Tensor) -> Result<Look, StyleError> {
        no_grad(|| {
            let (_, _, height, width) = raw.size4()?;
            let matches = self.settings.style.match_colours && self.settings.style.colour == Colour::Style;
            let colours = if matches { Some(ColourMap::between(raw, &self.styles[0].image)?) } else { None };
            let (coarse_height, coarse_width) = sizes((height, width), 0)[0];
            let forms = self.measured(colours, raw, [coarse_height, coarse_width], 1.0, None)?;
            self.measured(forms.colours, raw, [height, width], 1.0, Some(forms.facts.distance))
        })
    }

    /// Returns the same look for another frame size; `raw` is the frame itself, in any size, and `beta` the factor on
    /// the beta setting.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn look_at(self, look: &Look, raw: &Tensor, size: [i64; 2], beta: f64) -> Result<Look, StyleError> {
        let colours = look.colours.as_ref().map(ColourMap::shared);
        no_grad(|| self.measured(colours, raw, size, beta, Some(look.facts.distance)))
    }

    /// Returns the look with the style targets for its size (the blended Gram matrices of the style pictures, with
    /// strokes of the right size for the frame), the contrast ratio E, and D, which is measured here if `distance` is
    /// `None`.
    fn measured(
        self,
        colours: Option<ColourMap>,
        raw: &Tensor,
        [height, width]: [i64; 2],
        beta: f64,
        distance: Option<f64>,
    ) -> Result<Look, StyleError> {
        let layers = self.layers.at(self.backbone, height, width);
        let wanted = layers.style().len();
        let contrast_layer = layers.content().first().copied();
        let asked: Vec<usize> = layers.style().iter().copied().chain(contrast_layer).collect();
        let StyleTargets { grams, contrast, detail } = self.style_targets((&asked, wanted), [height, width], raw)?;
        let facts = ShotFacts { layers, grams, detail, beta, excess: 1.0, distance: 0.0 };
        let mut look = Look { height, width, colours, facts };
        let shown = resize(&look.content(raw)?, height, width)?;
        let own = self.backbone.forward(&shown, &asked)?;
        if self.settings.loss.convention == Convention::Relative {
            let contrast_of_scene = own.get(wanted).map_or(Ok(contrast), mean_square)?;
            let style = style_of_shot(self.settings, &look.facts)?;
            look.facts.distance = distance.map_or_else(|| style.distance(&View::new(&shown, &own)), Ok)?;
            look.facts.excess = (contrast / contrast_of_scene.max(1e-12)).clamp(1.0, MOST_EXCESS);
        }
        Ok(look)
    }

    /// Returns the style targets at the layers `asked`, of which the first `count` are style layers.
    fn style_targets(
        self,
        (asked, count): (&[usize], usize),
        size: [i64; 2],
        raw: &Tensor,
    ) -> Result<StyleTargets, StyleError> {
        let StyleSettings { scale, colour, match_colours, .. } = self.settings.style;
        let scaled = |image: &Tensor| scaled_style(image, scale, size[0], size[1]);
        if colour == Colour::Content && match_colours {
            // In the colours of this frame, which no other frame shares.
            return StyleTargets::of(self.backbone, self.styles, (asked, count), |image| {
                let image = scaled(image)?;
                ColourMap::between(&image, raw)?.apply(&image)
            });
        }
        let wanted = Wanted { size, scale, layers: asked.to_vec(), threads: crate::stylize::device::threads() };
        self.targets.get(wanted, || StyleTargets::of(self.backbone, self.styles, (asked, count), scaled))
    }
}
