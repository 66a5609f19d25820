//! The frame rate of a picture sequence.

use std::path::Path;

use super::error::DecodeError;
use crate::media::TimeBase;

/// 25 pictures per second.
pub(super) const DEFAULT: TimeBase = TimeBase::new(1, 25);

/// Reads the rate from the input's options. Sequences have only one: `framerate=24`, `24000/1001` or `23.976`.
///
/// # Errors
/// On any other option, and on an invalid rate.
pub(super) fn of(folder: &Path, options: &[String]) -> Result<TimeBase, DecodeError> {
    options.iter().try_fold(DEFAULT, |_, option| {
        let wrong = || DecodeError::SequenceOption { folder: folder.into(), option: option.clone() };
        let base = option.strip_prefix("framerate=").and_then(parse);
        base.ok_or_else(wrong)
    })
}

/// Parses a rate between 1000 pictures per second and one picture in 1000 seconds.
fn parse(text: &str) -> Option<TimeBase> {
    let whole = |text: &str| text.parse::<i32>().ok().filter(|&number| number > 0);
    let base = match text.split_once('/') {
        Some((rate, seconds)) => TimeBase::new(whole(seconds)?, whole(rate)?),
        None => match whole(text) {
            Some(rate) => TimeBase::new(1, rate),
            None => {
                let thousandths = text.parse::<f64>().ok().filter(|rate| (0.001..=1000.0).contains(rate))? * 1000.0;
                TimeBase::new(1000, thousandths.round() as i32)
            }
        },
    };
    (1e-3..=1e3).contains(&base.seconds(1)).then_some(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates() {
        assert_eq!(parse("24"), Some(TimeBase::new(1, 24)));
        assert_eq!(parse("30000/1001"), Some(TimeBase::new(1001, 30000)));
        assert_eq!(parse("23.976"), Some(TimeBase::new(1000, 23976)));
        for wrong in ["", "0", "-1", "1/0", "x", "NaN", "1e9", "5000"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert!(of(Path::new("f"), &["pattern_type=glob".into()]).is_err());
    }
}
