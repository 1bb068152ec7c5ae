// SPDX-License-Identifier: MPL-2.0

//! Zooming of timelines: the details that the script draws, its controls, and the keyboard help.

use attitude::timeline::Series;
use attitude::{Attitude, Scores};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use maud::{Markup, html};

use super::chart::normalized;

/// Maximum number of bins of the details: two hours by the second.
pub(super) const MAX_BINS: usize = 7200;

/// Byte of a score of 1; that of a bin without scores is [`NO_SCORE`].
const ONE: f64 = 200.0;
const NO_SCORE: u8 = 255;

/// Returns the positive and the negative score of each bin of `series` as bytes in Base64.
pub(super) fn detail(series: &Series) -> String {
    let bytes: Vec<u8> = series
        .bins
        .iter()
        .flat_map(|bin| match bin {
            Some(scores) => [Attitude::Positive, Attitude::Negative].map(|it| byte(scores, it)),
            None => [NO_SCORE; 2],
        })
        .collect();
    BASE64_STANDARD.encode(bytes)
}

fn byte(scores: &Scores, attitude: Attitude) -> u8 {
    (ONE * normalized(scores, attitude)).round() as u8
}

/// Returns the buttons, which the script shows.
pub(super) fn controls() -> Markup {
    html! {
        div.zoom #zoom role="group" aria-label="Timelines" hidden {
            button #zoom-in type="button" aria-keyshortcuts="+" { "Zoom in" }
            button #zoom-out type="button" aria-keyshortcuts="-" { "Zoom out" }
            button #zoom-whole type="button" aria-keyshortcuts="0" { "Show all" }
            button #show-keys type="button" aria-keyshortcuts="?" { "Keys" }
            output #zoom-part {}
        }
    }
}

/// Returns the dialog that lists the keys. An arrow key seeks by `step_s` seconds.
pub(super) fn keyboard_help(step_s: u32) -> Markup {
    let step = format!("Seek by {step_s} s, on a timeline");
    let leap = format!("Seek by {} s, on a timeline", 10 * step_s);
    let keys = [
        ("← →", &*step),
        ("Page up, page down", &*leap),
        ("Home, end", "Seek to the start or the end, on a timeline"),
        ("+ −", "Zoom in or out at the current position"),
        ("0", "Show the whole recording"),
        ("Ctrl + wheel", "Zoom at the pointer"),
        ("Shift + wheel", "Move the visible part"),
        ("?", "Show this help"),
        ("Escape", "Close this help"),
    ];
    html! {
        dialog #keyboard-help aria-labelledby="keyboard-help-heading" {
            h2 #keyboard-help-heading { "Keys" }
            table {
                @for (key, description) in keys {
                    tr { th scope="row" { kbd { (key) } } td { (description) } }
                }
            }
            button type="button" { "Close" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_two_bytes_per_bin() {
        let scores = |scores| Some(Scores::from_array(scores));
        let series = Series {
            start_ns: 0,
            bin_ns: 1,
            bins: vec![scores([1.0, 0.0, 0.0]), None, scores([0.25, 0.25, 0.5])],
        };
        let bytes = BASE64_STANDARD.decode(detail(&series)).unwrap();
        assert_eq!(bytes, [200, 0, NO_SCORE, NO_SCORE, 50, 100]);
    }
}
