//! Escapes file names and tags before printing. They are untrusted, and could otherwise control the terminal.

use std::borrow::Cow;
use std::fmt::Write;

/// Returns a text in one line, with every character escaped that could move the cursor, change colours or reverse the
/// writing direction: as `\n`, `\u{1b}` and so on. (Backslashes stay unchanged because Windows paths are full of them.)
pub fn sanitised(text: &str) -> Cow<'_, str> {
    escaped(text, is_hostile)
}

/// Like [`sanitised`], but keeps line breaks and tabs.
pub fn sanitised_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |character| is_hostile(character) && !matches!(character, '\n' | '\t'))
}

fn escaped(text: &str, is_bad: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&is_bad) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' if is_bad(character) => out.extend(character.escape_default()),
            bad if is_bad(bad) => drop(write!(out, "\\u{{{:x}}}", u32::from(bad))),
            fine => out.push(fine),
        }
    }
    Cow::Owned(out)
}

/// Whether a character is a control character, a line separator, or changes the writing direction.
fn is_hostile(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_spelled_out() {
        assert_eq!(sanitised("Wäsche $(rm) 'a'.mp4"), "Wäsche $(rm) 'a'.mp4");
        assert_eq!(sanitised("a\nerror: b\r\t"), "a\\nerror: b\\r\\t");
        assert_eq!(sanitised("\u{1b}]0;x\u{7}\u{9b}2J"), "\\u{1b}]0;x\\u{7}\\u{9b}2J");
        assert_eq!(sanitised("cod\u{202e}4pm.exe"), "cod\\u{202e}4pm.exe");
        assert_eq!(sanitised_lines("a\tb\n\u{1b}[2J"), "a\tb\n\\u{1b}[2J");
    }
}
