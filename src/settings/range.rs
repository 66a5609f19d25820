//! The range of a number in the settings, and how an error words it.

use toml::Value;

/// Which numbers a key accepts. In a list, each number counts by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Range {
    /// Any number, or the value is no number.
    Any,
    /// This or more, but not infinity.
    AtLeast(f64),
    /// More than this; infinity too if the flag says so.
    MoreThan(f64, bool),
    /// From the first to the second, both included; worded as "must be".
    Within(f64, f64),
    /// As `Within`, worded as "is out of range".
    Limits(f64, f64),
    /// More than the first and at most the second.
    UpTo(f64, f64),
}

impl Range {
    fn contains(self, number: f64) -> bool {
        match self {
            Self::Any => true,
            Self::AtLeast(least) => number >= least && number.is_finite(),
            Self::MoreThan(bound, infinite) => number > bound && (infinite || number.is_finite()),
            Self::Within(least, most) | Self::Limits(least, most) => (least..=most).contains(&number),
            Self::UpTo(bound, most) => number > bound && number <= most,
        }
    }

    fn wording(self) -> String {
        match self {
            Self::Any => "may be any number".into(),
            Self::AtLeast(least) => format!("must be {least} or more"),
            Self::MoreThan(bound, _) => format!("must be more than {bound}"),
            Self::Within(least, most) => format!("must be {least} to {most}"),
            Self::Limits(least, most) => format!("is out of range: use {least} to {most}"),
            Self::UpTo(bound, most) => format!("is out of range: use more than {bound} and at most {most}"),
        }
    }

    /// Returns what is wrong with `value`, a number or a list of numbers.
    pub fn fault(self, value: &Value) -> Option<String> {
        let (number, shown) = match value {
            Value::Array(list) => return list.iter().find_map(|value| self.fault(value)),
            Value::Integer(number) => (*number as f64, number.to_string()),
            Value::Float(number) => (*number, number.to_string()),
            _ => return None,
        };
        (!self.contains(number)).then(|| format!("{shown} {}", self.wording()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_says_what_would_be_right() {
        let at = |range: Range, value: f64| range.fault(&Value::Float(value));
        let says = |range: Range, value: f64, text: &str| assert_eq!(at(range, value).unwrap(), text);
        says(Range::AtLeast(0.0), -1.0, "-1 must be 0 or more");
        says(Range::AtLeast(0.0), f64::INFINITY, "inf must be 0 or more");
        says(Range::MoreThan(0.0, false), f64::INFINITY, "inf must be more than 0");
        says(Range::MoreThan(0.0, true), 0.0, "0 must be more than 0");
        says(Range::Within(0.0, 1.0), 1.5, "1.5 must be 0 to 1");
        says(Range::Limits(0.0, 10.0), 11.0, "11 is out of range: use 0 to 10");
        says(Range::UpTo(0.0, 10.0), 0.0, "0 is out of range: use more than 0 and at most 10");
        for range in [Range::AtLeast(1.0), Range::MoreThan(0.0, true), Range::Within(0.0, 1.0), Range::UpTo(0.0, 1.0)] {
            assert_eq!(at(range, 1.0), None);
            assert!(at(range, f64::NAN).is_some(), "{range:?}");
        }
        assert_eq!(at(Range::MoreThan(0.0, true), f64::INFINITY), None);
        assert_eq!(at(Range::Any, f64::NAN), None);
        let list = Value::Array(vec![Value::Integer(10), Value::Integer(0)]);
        assert_eq!(Range::AtLeast(1.0).fault(&list).unwrap(), "0 must be 1 or more");
        assert_eq!(Range::AtLeast(1.0).fault(&Value::String("auto".into())), None);
    }
}
