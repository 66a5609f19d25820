//! Where a shot begins: hard cuts, found on the source from what two frames have in common.

use super::likeness::Likeness;

/// Share of full scale, in percent, by which a cut differs from its frame before. Of 25 cuts and many thousand other
/// frames measured, no score of 20 or more was anything but a cut (or a one-frame flash).
const THRESHOLD: f64 = 20.0;
/// More of a frame than this that is not seen in the one before it is a cut.
pub(super) const UNSEEN: f32 = 0.88;
/// Frames of one scene have this much of their brightness in common, however fast the camera turns: whip pans measured
/// had 0.77 and more, cuts 0.57 and less.
const SAME_SCENE: f64 = 0.7;
/// A camera that turns by more of the frame than this, from one frame to the next, blurs it.
const FAST: f32 = 0.08;

/// Whether a frame goes on from the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shot {
    New,
    Continues,
    /// Unlike both its neighbours, which are alike (a flash): it is not part of the chain, and the next frame's step
    /// leads to the frame before it.
    Aside,
}

/// What the frame after a suspicious one has to do with it.
#[derive(Debug, Clone, Copy)]
pub struct Ahead {
    /// With the suspicious frame.
    pub next: Likeness,
    /// With the frame before that.
    pub over: Likeness,
}

/// Tells cuts from flashes and fast motion, one frame after another.
#[derive(Debug, Default)]
pub struct Judge {
    /// How much the frame before differed from its own, where that was no cut.
    steady: Option<f64>,
    /// Whether that was fast motion.
    racing: bool,
}

impl Judge {
    /// Whether the frame after must be seen before anything can be said.
    pub fn is_suspicious(now: &Likeness) -> bool {
        now.comparable && (unlike(now) || now.difference >= THRESHOLD)
    }

    /// How a frame follows from the one before it (`now` is what they have in common), and its score: the smaller of
    /// the difference and the difference's own change, as FFmpeg's `scdet` has it, so that steady fast motion is no
    /// cut. After a cut, whose difference says nothing of motion, it is held against the frame after. `ahead` is `None`
    /// where nobody suspects anything, and at the end of the clip.
    pub fn decide(&mut self, now: &Likeness, ahead: Option<&Ahead>) -> (Shot, f64) {
        if !now.comparable {
            *self = Self::default();
            return (Shot::New, 100.0);
        }
        let reference = self.steady.or(ahead.map(|ahead| ahead.next.difference)).unwrap_or(0.0);
        let score = now.difference.min((now.difference - reference).abs());
        if ahead.is_some_and(|ahead| is_flash(now, ahead)) {
            return (Shot::Aside, now.difference);
        }
        // A cut is a single break between frames that can be followed; at both ends of a whip pan, where blur comes and
        // goes, and often within it, flow breaks too. But then fast motion is beside the break, and it is one scene.
        let races = self.racing || ahead.is_some_and(|ahead| fast(&ahead.next));
        let races = races && unlike(now) && now.overlap >= SAME_SCENE;
        let cut = !races && (unlike(now) || score >= THRESHOLD);
        *self = Self { steady: (!cut).then_some(now.difference), racing: !cut && fast(now) };
        (if cut { Shot::New } else { Shot::Continues }, score)
    }

    /// The frame after a flash goes on from the one before it, of which it has `over`.
    pub fn after_flash(&mut self, over: &Likeness) {
        *self = Self { steady: Some(over.difference), racing: false };
    }
}

/// Whether hardly anything of the frame is seen in the other one.
fn unlike(pair: &Likeness) -> bool {
    pair.unseen.is_some_and(|unseen| unseen > UNSEEN)
}

/// Motion that is hard to follow, or cannot be followed.
fn fast(pair: &Likeness) -> bool {
    unlike(pair) || pair.speed > FAST
}

/// The neighbours are alike, and the frame between them is like neither: by what is seen, or clearly by brightness.
fn is_flash(now: &Likeness, Ahead { next, over }: &Ahead) -> bool {
    let alike = over.comparable && next.comparable && !unlike(over) && over.difference < THRESHOLD;
    let brighter = now.difference.min(next.difference) > 2.0 * over.difference;
    alike && (brighter || unlike(now) && unlike(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Judges a row of pairs; `over` gives what the frames beside frame `t` have in common.
    fn judged(pairs: &[Likeness], over: impl Fn(usize) -> Likeness) -> Vec<Shot> {
        let (mut judge, mut shots, mut t) = (Judge::default(), Vec::new(), 0);
        while let Some(now) = pairs.get(t) {
            let ahead = pairs.get(t + 1).map(|next| Ahead { next: *next, over: over(t) });
            let (shot, _) = judge.decide(now, ahead.as_ref().filter(|_| Judge::is_suspicious(now)));
            shots.push(shot);
            t += 1;
            if shot == Shot::Aside {
                judge.after_flash(&over(t - 1));
                shots.push(Shot::Continues);
                t += 1;
            }
        }
        shots
    }

    fn pair(difference: f64, unseen: f32) -> Likeness {
        Likeness { comparable: true, difference, unseen: Some(unseen), speed: 0.01, overlap: 0.9 }
    }

    const CALM: Likeness =
        Likeness { comparable: true, difference: 2.0, unseen: Some(0.05), speed: 0.01, overlap: 0.95 };

    #[test]
    fn a_single_break_is_a_cut_by_either_measure() {
        use Shot::{Continues, New};
        for cut in [pair(40.0, 0.3), pair(5.0, 0.95)] {
            assert_eq!(judged(&[CALM, cut, CALM], |_| cut), [Continues, New, Continues]);
            // Without a next frame too.
            assert_eq!(judged(&[CALM, cut], |_| cut), [Continues, New]);
        }
    }

    #[test]
    fn breaks_in_a_row_within_one_scene_are_fast_motion() {
        use Shot::{Continues, New};
        let racing = pair(8.0, 0.97);
        assert_eq!(judged(&[CALM, racing, racing, racing, CALM], |_| racing), [Continues; 5]);
        // The clip may end within.
        assert_eq!(judged(&[CALM, racing, racing], |_| racing), [Continues; 3]);
        // Blur comes and goes; between, it can be followed.
        let followed = Likeness { speed: 0.25, ..pair(8.0, 0.3) };
        assert_eq!(judged(&[CALM, racing, followed, followed, racing, CALM], |_| racing), [Continues; 6]);
        let elsewhere = Likeness { overlap: 0.2, ..racing };
        assert_eq!(judged(&[CALM, racing, elsewhere, CALM], |_| elsewhere), [Continues, Continues, New, Continues]);
    }

    #[test]
    fn a_flash_is_set_aside_and_its_return_is_no_cut() {
        use Shot::{Aside, Continues, New};
        // As measured on a white frame: much brighter, and less unseen than a cut.
        let flash = pair(46.0, 0.81);
        let over = |t: usize| if t == 3 || t == 0 { CALM } else { pair(30.0, 0.97) };
        assert_eq!(judged(&[flash, flash, CALM], over), [Aside, Continues, Continues]);
        // The frame after a cut: the cut's own difference must not hide it.
        let cut = pair(30.0, 0.97);
        let one_later = [CALM, CALM, cut, flash, flash, CALM];
        assert_eq!(judged(&one_later, over), [Continues, Continues, New, Aside, Continues, Continues]);
        // A cut right after the flash is one.
        assert_eq!(judged(&[flash, flash, cut, CALM], over), [Aside, Continues, New, Continues]);
    }

    #[test]
    fn steady_fast_motion_is_no_flash() {
        let fast = pair(22.0, 0.5);
        let half_way = pair(19.0, 0.7);
        assert_eq!(judged(&[CALM, pair(12.0, 0.4), fast, fast, fast], |_| half_way), [Shot::Continues; 5]);
        // A shot that begins with it has no more cuts than one.
        let shots = judged(&[CALM, pair(45.0, 0.97), fast, fast, fast], |t| if t == 1 { fast } else { half_way });
        assert_eq!(shots.iter().filter(|shot| **shot == Shot::New).count(), 1, "{shots:?}");
    }

    #[test]
    fn another_size_begins_a_shot() {
        let other = Likeness { comparable: false, difference: 0.0, unseen: None, speed: 0.0, overlap: 0.0 };
        assert_eq!(judged(&[other, CALM], |_| other), [Shot::New, Shot::Continues]);
    }
}
