//! Detects where shots begin: hard cuts, found by comparing source frames.

use super::similarity::Similarity;

/// Score, in percent of full scale, from which a frame is a cut. In a measurement with 25 cuts and many thousand other
/// frames, every score of 20 or more was a cut (or a one-frame flash).
const THRESHOLD: f64 = 20.0;
/// A frame is a cut if more than this share of it is not visible in the previous frame.
pub(super) const UNSEEN: f32 = 0.88;
/// Frames of one scene share at least this much of their brightness, however fast the camera turns: measured whip pans
/// had 0.77 and more, cuts 0.57 and less.
const SAME_SCENE: f64 = 0.7;
/// A camera motion of more than this share of the frame, from one frame to the next, blurs the picture.
const FAST: f32 = 0.08;

/// How a frame relates to the previous one: the first of a new shot, a continuation, or an outlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shot {
    New,
    Continues,
    /// Unlike both its neighbours, which are alike. It does not belong to the chain of frames, and the motion
    /// of the next frame is taken from the frame before the flash.
    Flash,
}

/// How the frame after a suspicious one compares with the frames before it.
#[derive(Debug, Clone, Copy)]
pub struct Ahead {
    /// Comparison with the suspicious frame.
    pub next: Similarity,
    /// Comparison with the frame before the suspicious one.
    pub over: Similarity,
}

/// Distinguishes cuts from flashes and fast motion, one frame after another.
#[derive(Debug, Default)]
pub struct Judge {
    /// Difference of the previous frame from its own predecessor; `None` after a cut and at the beginning.
    steady: Option<f64>,
    /// Whether the previous frame was part of fast motion.
    racing: bool,
}

impl Judge {
    /// Returns whether the next frame is needed for a decision.
    pub fn is_suspicious(now: &Similarity) -> bool {
        now.comparable && (unlike(now) || now.difference >= THRESHOLD)
    }

    /// Decides how a frame follows from the previous one (`now` compares the two), and returns its score: the smaller
    /// of the difference and the change of the difference, as in FFmpeg's `scdet`, so that steady fast motion is not a
    /// cut. The difference of a cut says nothing about motion, so after a cut the difference of the next frame serves
    /// as the reference. `ahead` is `None` if the frame is not suspicious, and at the end of the clip.
    pub fn decide(&mut self, now: &Similarity, ahead: Option<&Ahead>) -> (Shot, f64) {
        if !now.comparable {
            *self = Self::default();
            return (Shot::New, 100.0);
        }
        let reference = self.steady.or(ahead.map(|ahead| ahead.next.difference)).unwrap_or(0.0);
        let score = now.difference.min((now.difference - reference).abs());
        if ahead.is_some_and(|ahead| is_flash(now, ahead)) {
            return (Shot::Flash, now.difference);
        }
        // A cut is a single break between stretches where flow can follow the frames. Flow also breaks at both ends of
        // a whip pan, where blur appears and vanishes, and often within it; but then there is fast motion next to the
        // break, and the scene is the same.
        let races = self.racing || ahead.is_some_and(|ahead| fast(&ahead.next));
        let races = races && unlike(now) && now.overlap >= SAME_SCENE;
        let cut = !races && (unlike(now) || score >= THRESHOLD);
        *self = Self { steady: (!cut).then_some(now.difference), racing: !cut && fast(now) };
        (if cut { Shot::New } else { Shot::Continues }, score)
    }

    /// Continues after a flash with the frame that follows it; `over` compares that frame with the one before the
    /// flash.
    pub fn after_flash(&mut self, over: &Similarity) {
        *self = Self { steady: Some(over.difference), racing: false };
    }
}

/// Returns whether hardly anything of a frame is visible in the other one.
fn unlike(pair: &Similarity) -> bool {
    pair.unseen.is_some_and(|unseen| unseen > UNSEEN)
}

/// Returns whether motion is hard or impossible to follow.
fn fast(pair: &Similarity) -> bool {
    unlike(pair) || pair.speed > FAST
}

/// Returns whether the two neighbours are alike and the frame between them resembles neither, by flow or clearly by
/// brightness.
fn is_flash(now: &Similarity, Ahead { next, over }: &Ahead) -> bool {
    let alike = over.comparable && next.comparable && !unlike(over) && over.difference < THRESHOLD;
    let brighter = now.difference.min(next.difference) > 2.0 * over.difference;
    alike && (brighter || unlike(now) && unlike(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Judges a sequence of comparisons; `over(t)` compares the two neighbours of frame `t`.
    fn judged(pairs: &[Similarity], over: impl Fn(usize) -> Similarity) -> Vec<Shot> {
        let (mut judge, mut shots, mut t) = (Judge::default(), Vec::new(), 0);
        while let Some(now) = pairs.get(t) {
            let ahead = pairs.get(t + 1).map(|next| Ahead { next: *next, over: over(t) });
            let (shot, _) = judge.decide(now, ahead.as_ref().filter(|_| Judge::is_suspicious(now)));
            shots.push(shot);
            t += 1;
            if shot == Shot::Flash {
                judge.after_flash(&over(t - 1));
                shots.push(Shot::Continues);
                t += 1;
            }
        }
        shots
    }

    fn pair(difference: f64, unseen: f32) -> Similarity {
        Similarity { comparable: true, difference, unseen: Some(unseen), speed: 0.01, overlap: 0.9 }
    }

    const CALM: Similarity =
        Similarity { comparable: true, difference: 2.0, unseen: Some(0.05), speed: 0.01, overlap: 0.95 };

    #[test]
    fn a_single_break_is_a_cut_by_either_measure() {
        use Shot::{Continues, New};
        for cut in [pair(40.0, 0.3), pair(5.0, 0.95)] {
            assert_eq!(judged(&[CALM, cut, CALM], |_| cut), [Continues, New, Continues]);
            // The same at the end of the clip.
            assert_eq!(judged(&[CALM, cut], |_| cut), [Continues, New]);
        }
    }

    #[test]
    fn breaks_in_a_row_within_one_scene_are_fast_motion() {
        use Shot::{Continues, New};
        let racing = pair(8.0, 0.97);
        assert_eq!(judged(&[CALM, racing, racing, racing, CALM], |_| racing), [Continues; 5]);
        // The clip may end within it.
        assert_eq!(judged(&[CALM, racing, racing], |_| racing), [Continues; 3]);
        // Blur appears and vanishes; in between, flow can follow.
        let followed = Similarity { speed: 0.25, ..pair(8.0, 0.3) };
        assert_eq!(judged(&[CALM, racing, followed, followed, racing, CALM], |_| racing), [Continues; 6]);
        let elsewhere = Similarity { overlap: 0.2, ..racing };
        assert_eq!(judged(&[CALM, racing, elsewhere, CALM], |_| elsewhere), [Continues, Continues, New, Continues]);
    }

    #[test]
    fn a_flash_is_left_out_and_its_return_is_no_cut() {
        use Shot::{Continues, Flash, New};
        // Values measured on a white frame: much brighter, with less unseen than at a cut.
        let flash = pair(46.0, 0.81);
        let over = |t: usize| if t == 3 || t == 0 { CALM } else { pair(30.0, 0.97) };
        assert_eq!(judged(&[flash, flash, CALM], over), [Flash, Continues, Continues]);
        // A flash right after a cut: the cut's own difference must not hide it.
        let cut = pair(30.0, 0.97);
        let one_later = [CALM, CALM, cut, flash, flash, CALM];
        assert_eq!(judged(&one_later, over), [Continues, Continues, New, Flash, Continues, Continues]);
        // A cut right after the flash is still found.
        assert_eq!(judged(&[flash, flash, cut, CALM], over), [Flash, Continues, New, Continues]);
    }

    #[test]
    fn steady_fast_motion_is_no_flash() {
        let fast = pair(22.0, 0.5);
        let half_way = pair(19.0, 0.7);
        assert_eq!(judged(&[CALM, pair(12.0, 0.4), fast, fast, fast], |_| half_way), [Shot::Continues; 5]);
        // A shot that begins with fast motion has only one cut.
        let shots = judged(&[CALM, pair(45.0, 0.97), fast, fast, fast], |t| if t == 1 { fast } else { half_way });
        assert_eq!(shots.iter().filter(|shot| **shot == Shot::New).count(), 1, "{shots:?}");
    }

    #[test]
    fn another_size_begins_a_shot() {
        let other = Similarity { comparable: false, difference: 0.0, unseen: None, speed: 0.0, overlap: 0.0 };
        assert_eq!(judged(&[other, CALM], |_| other), [Shot::New, Shot::Continues]);
    }
}
