// SPDX-License-Identifier: MPL-2.0

//! Turns of a timeline: quiet marks between the scores and the segments, and a sentence that lists
//! them.

use attitude::clock;
use attitude::timeline::Turn;
use attitude::trend::Direction;
use maud::{Markup, html};

use super::axis::Axis;
use super::chart::SCORES_PX;
use super::text;

/// Maximum number of turns in the sentence: the largest ones.
const MAX_LISTED: usize = 20;

/// Height of a mark, in px: that of the space between the scores and the segments.
const MARK_PX: u32 = 4;

/// Returns the marks that are drawn over a timeline; nothing if there are no turns.
pub(crate) fn marks(turns: &[Turn], axis: &Axis) -> Markup {
    html! {
        @if !turns.is_empty() {
            svg.turns aria-hidden="true" focusable="false" {
                @for turn in turns {
                    @let (x, width) = axis.extent(turn.span);
                    rect class=(attitude(turn)) x=(x) y=(SCORES_PX) width=(width) height=(MARK_PX) {
                        title { (describe(turn)) }
                    }
                }
            }
        }
    }
}

/// Returns a sentence with the turns; nothing if there are none.
pub(crate) fn list(turns: &[Turn]) -> Markup {
    let mut listed: Vec<&Turn> = turns.iter().collect();
    listed.sort_by(|a, b| b.change.abs().total_cmp(&a.change.abs()));
    listed.truncate(MAX_LISTED);
    listed.sort_by_key(|turn| turn.span.start_ns);
    html! {
        @if !turns.is_empty() {
            p.turn-list {
                @if listed.len() < turns.len() { "The largest turns: " } @else { "Turns: " }
                @for (index, turn) in listed.into_iter().enumerate() {
                    @if index > 0 { ", " }
                    (attitude(turn)) " from " (text::moment(turn.span.start_ns)) " to "
                    (clock::position(turn.span.end_ns)) " (" (text::valence(turn.change)) ")"
                }
                ". In brackets the change of the " a href="#trust" { "valence" } " per minute."
            }
        }
    }
}

/// Returns the attitude towards which a face turns, which is also a class of the style sheet.
fn attitude(turn: &Turn) -> &'static str {
    match turn.direction {
        Direction::Falling => "negative",
        Direction::Rising => "positive",
        Direction::Steady => "neutral",
    }
}

fn describe(turn: &Turn) -> String {
    format!(
        "Turning {} from {} to {}: valence {} per minute",
        attitude(turn),
        clock::position(turn.span.start_ns),
        clock::position(turn.span.end_ns),
        text::valence(turn.change)
    )
}

#[cfg(test)]
mod tests {
    use attitude::timeline::Span;

    use super::*;
    use crate::report::strip::tests::{S, axis};

    fn turn(start_s: u64, change: f64) -> Turn {
        Turn {
            span: Span {
                start_ns: start_s * S,
                end_ns: (start_s + 30) * S,
            },
            direction: match change < 0.0 {
                true => Direction::Falling,
                false => Direction::Rising,
            },
            change,
        }
    }

    #[test]
    fn turns_are_marked_and_listed() {
        let turns = [turn(30, -0.45), turn(90, 0.5)];
        let marks = marks(&turns, &axis(120)).into_string();
        assert!(
            marks.contains(r#"<rect class="negative" x="25%" y="80" width="25%""#),
            "{marks}"
        );
        assert!(marks.contains("Turning positive from 1:30.0 to 2:00.0: valence +0.50 per minute"));
        let list = list(&turns).into_string();
        assert!(
            list.contains("negative from <a href=\"#t=30\">0:30.0</a> to 1:00.0 (−0.45), "),
            "{list}"
        );
    }

    #[test]
    fn only_the_largest_turns_are_listed() {
        let turns: Vec<Turn> = (0..30)
            .map(|i| turn(60 * i, if i == 7 { 0.9 } else { -0.4 }))
            .collect();
        let list = list(&turns).into_string();
        assert_eq!(list.matches("#t=").count(), 20);
        assert!(
            list.starts_with("<p class=\"turn-list\">The largest turns: ")
                && list.contains("+0.90")
        );
        assert_eq!(super::list(&[]).into_string(), "");
    }
}
