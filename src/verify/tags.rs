//! Metadata tags with case-insensitive names.

use std::collections::BTreeMap;

use super::container::Container;
use super::difference::{Difference, or_none};

/// Tags with lower-case names and trimmed values. Empty values are dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tags(BTreeMap<String, String>);

impl Tags {
    pub fn new(entries: Vec<(String, String)>) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.to_lowercase(), value.trim().to_owned()));
        Self(entries.filter(|(_, value)| !value.is_empty()).collect())
    }

    pub fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }

    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Checks that `b` has every tag that its container can hold and that `skip` does not exclude. Additional tags in
    /// `b` are accepted, except a title.
    pub fn kept_by(
        &self,
        b: &Self,
        place: &str,
        container: Container,
        holds: impl Fn(Container, &str) -> bool,
        skip: impl Fn(&str) -> bool,
    ) -> Result<(), Difference> {
        for (key, value) in &self.0 {
            if skip(key) || !holds(container, key) {
                continue;
            }
            let found = b.get(key);
            if !found.is_some_and(|found| alike(key, value, found)) {
                return Err(Difference::new(place, format!("the tag `{key}`"), or_none(Some(value)), or_none(found)));
            }
        }
        match b.get("title").filter(|_| self.get("title").is_none()) {
            Some(title) => Err(Difference::new(place, "the tag `title`", or_none(None), or_none(Some(title)))),
            None => Ok(()),
        }
    }
}

/// Compares two values of a tag. MP4 stores locations as numbers and writes them with a different number of digits.
fn alike(key: &str, a: &str, b: &str) -> bool {
    if !key.starts_with("location") {
        return a == b;
    }
    let numbers = |text: &str| -> Vec<f64> {
        let spaced: String =
            text.chars().flat_map(|c| if "+-/".contains(c) { vec![' ', c] } else { vec![c] }).collect();
        spaced.split_whitespace().filter_map(|part| part.parse().ok()).collect()
    };
    let (a, b) = (numbers(a), numbers(b));
    a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_compared_as_numbers() {
        assert!(alike("location", "+48.1+011.5/", "+48.1000+011.5000/"));
        assert!(!alike("location", "+48.1+011.5/", "+48.1-011.5/"));
        assert!(!alike("title", "a", "b"));
    }
}
