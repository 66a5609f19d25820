//! How the values of options are read.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use clap::builder::{OsStringValueParser, PossibleValue, TypedValueParser};
use jiff::SignedDuration;

use crate::job::Engine;
use crate::settings::StyleArg;

impl ValueEnum for Engine {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Optimise, Self::Identity, Self::Bars]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::Optimise => "optimise",
            Self::Identity => "identity",
            Self::Bars => "bars",
        }))
    }
}

/// `mine.jpg` or `mine.jpg=0.5`. Paths need not be UTF-8 to be read.
pub fn style() -> impl TypedValueParser<Value = StyleArg> {
    OsStringValueParser::new().map(|text| split_style(&text))
}

/// A `=` that no number follows belongs to the path.
fn split_style(text: &OsStr) -> StyleArg {
    let weighted = text.to_str().and_then(|text| text.rsplit_once('=')).and_then(|(image, weight)| {
        let weight = weight.trim().parse().ok()?;
        Some(StyleArg { image: image.into(), weight })
    });
    weighted.unwrap_or_else(|| StyleArg { image: PathBuf::from(text), weight: 1.0 })
}

/// `120` or `120,20`.
pub fn iterations(text: &str) -> Result<[u32; 2], String> {
    let number = |part: &str| match part.trim().parse::<u32>() {
        Ok(n) if n >= 1 => Ok(n),
        _ => Err(format!("`{part}` is not a whole number of 1 or more")),
    };
    match text.split_once(',') {
        None => number(text).map(|first| [first, (first / 4).max(1)]),
        Some((first, next)) => Ok([number(first)?, number(next)?]),
    }
}

/// `90`, `90.5`, `1:30`, `0:01:30.500`, in seconds.
pub fn time(text: &str) -> Result<f64, String> {
    let wrong = || format!("`{text}` is not a time: use seconds or [HH:]MM:SS[.mmm]");
    let parts: Vec<&str> = text.trim().split(':').collect();
    let (last, before) = parts.split_last().ok_or_else(wrong)?;
    if before.len() > 2 || last.is_empty() || !last.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return Err(wrong());
    }
    let seconds: f64 = last.parse().map_err(|_| wrong())?;
    if !before.is_empty() && seconds >= 60.0 {
        return Err(wrong());
    }
    let mut whole: u32 = 0;
    for (index, part) in before.iter().enumerate() {
        let digits = !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
        let value: u32 = part.parse().ok().filter(|_| digits).ok_or_else(wrong)?;
        if index > 0 && value >= 60 {
            return Err(wrong());
        }
        whole = whole.checked_mul(60).and_then(|n| n.checked_add(value)).ok_or_else(wrong)?;
    }
    Ok(f64::from(whole) * 60.0 + seconds)
}

/// `10`, `10s`, `2min`, `1h 30m`: seconds, or as people write times.
pub fn span(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.trim().parse::<u32>() {
        return Ok(Duration::from_secs(seconds.into()));
    }
    let wrong = || format!("`{text}` is no length of time: use seconds, or as in 10s, 2min, 1h30m");
    let span: SignedDuration = text.trim().parse().map_err(|_| wrong())?;
    Duration::try_from(span).map_err(|_| wrong())
}

/// The name of an option's value as the user types it, which is also its name in TOML.
pub fn name_of(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, seconds) in
            [("0", 0.0), ("90.5", 90.5), ("1:30", 90.0), ("0:01:30.500", 90.5), ("100:00", 6000.0), ("2:00:00", 7200.0)]
        {
            assert_eq!(time(text), Ok(seconds), "{text}");
        }
        for text in ["", "-1", "1:60", "1:2:3:4", "1:60:00", ":30", "1:", "inf", "nan", "1e3", "1.2.3", "99999999999:0"]
        {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn lengths_of_time() {
        for (text, seconds) in
            [("0", 0), ("10", 10), ("10s", 10), ("2min", 120), ("2m", 120), ("1h30m", 5400), ("1h 30m", 5400)]
        {
            assert_eq!(span(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(span("500ms"), Ok(Duration::from_millis(500)));
        for text in ["", "-1", "-10s", "ten", "10 parsecs", "99999999999999999999h"] {
            assert!(span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_next_frames_take_a_quarter() {
        assert_eq!(iterations("120"), Ok([120, 30]));
        assert_eq!(iterations("2"), Ok([2, 1]));
        assert_eq!(iterations("100, 7"), Ok([100, 7]));
        for text in ["", "0", "10,0", "10,", "-3", "1,2,3"] {
            assert!(iterations(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_weight_is_a_number_after_the_last_equals_sign() {
        let split = |text: &str| {
            let StyleArg { image, weight } = split_style(OsStr::new(text));
            (image.display().to_string(), weight)
        };
        assert_eq!(split("a.png"), ("a.png".into(), 1.0));
        assert_eq!(split("a.png=0.5"), ("a.png".into(), 0.5));
        assert_eq!(split("a=b.png"), ("a=b.png".into(), 1.0));
        assert_eq!(split("a=b.png=2"), ("a=b.png".into(), 2.0));
    }
}
