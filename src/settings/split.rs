//! Splits text by FFmpeg's quoting rules: quoted and escaped separators do not split.

/// Whether quotes and backslashes stay in the parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marks {
    Kept,
    Dropped,
}

/// Splits a text at the characters for which `parts_it` is true; empty parts are kept.
pub fn split(text: &str, parts_it: impl Fn(char) -> bool, marks: Marks) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for letter in text.chars() {
        let mark = match letter {
            _ if std::mem::take(&mut escaped) => false,
            '\\' if !quoted => {
                escaped = true;
                true
            }
            '\'' => {
                quoted = !quoted;
                true
            }
            letter if !quoted && parts_it(letter) => {
                parts.push(String::new());
                continue;
            }
            _ => false,
        };
        if let Some(part) = parts.last_mut().filter(|_| !mark || marks == Marks::Kept) {
            part.push(letter);
        }
    }
    parts
}
