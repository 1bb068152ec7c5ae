// SPDX-License-Identifier: MPL-2.0

//! Text in CSV that a spreadsheet would run as a formula, such as a file name `=1+1.mp4`.
//!
//! An apostrophe in front makes it text. [`unescape`] reverts that.

use std::borrow::Cow;

/// First characters of formulas. Tabs and carriage returns are skipped by some spreadsheets.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Returns `true` if `text` begins like a formula, or like an escaped one.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(FORMULA)
}

/// Puts an apostrophe in front of text that begins like a formula.
pub fn escape(text: &str) -> Cow<'_, str> {
    match is_formula(text) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

/// Returns the text of an escaped cell.
pub fn unescape(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text) => text,
        _ => cell,
    }
}

/// Like [`escape`], in place.
pub(crate) fn escape_in_place(text: &mut String) {
    if is_formula(text) {
        text.insert(0, '\'');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text_and_back() {
        for text in ["=1+1", "+1", "-1", "@sum", "\t=1", "'=1", "''=1"] {
            let escaped = escape(text);
            assert_eq!(escaped, format!("'{text}"));
            assert_eq!(unescape(&escaped), text);
        }
    }

    #[test]
    fn other_text_is_unchanged() {
        for text in ["", "a=1", "talk.mp4", "'quoted'", "'"] {
            assert_eq!(escape(text), text);
            assert_eq!(unescape(text), text);
        }
    }
}
