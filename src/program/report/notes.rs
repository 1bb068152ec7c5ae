// SPDX-License-Identifier: MPL-2.0

//! Notes of a session: numbered marks above all timelines, and a table of the notes.

use attitude::clock::{self, NS_PER_MS};
use attitude::record::note::TimedNote;
use attitude::timeline::Timeline;
use maud::{Markup, html};

use super::axis::{Axis, Width};
use super::chart::{SCORES_PX, anchor};
use super::text;

/// Style of pages with notes.
pub(crate) const STYLE: &str = include_str!("notes.css");

/// Height above a timeline for the numbers, in px; the style sheet has it too.
const NUMBERS_PX: u32 = 18;

/// Distance, as a share of the width, below which marks are merged into one.
const MIN_DISTANCE: f64 = 0.03;

/// Maximum number of notes in a mark's tooltip, and of characters of each.
const MAX_TOOLTIP_NOTES: usize = 5;
const MAX_TOOLTIP_CHARS: usize = 120;

/// Returns the marks that are drawn over each timeline; nothing if there are no notes.
pub(crate) fn marks(notes: &[TimedNote], axis: &Axis) -> Markup {
    html! {
        @if !notes.is_empty() {
            svg.marks aria-hidden="true" focusable="false" {
                @for mark in merged(notes, axis) { (mark.markup()) }
            }
        }
    }
}

/// One or more notes with a common mark.
struct Mark<'a> {
    /// Number of the first note, from 1.
    number: usize,
    /// Position of the first note, 0 to 1.
    position: f64,
    /// By time, never empty.
    notes: &'a [TimedNote],
}

/// Returns the marks of `notes`; notes that are close to each other have a common mark.
fn merged<'a>(notes: &'a [TimedNote], axis: &Axis) -> Vec<Mark<'a>> {
    let mut marks: Vec<Mark> = Vec::new();
    for (index, note) in notes.iter().enumerate() {
        let position = axis.position(note.time_ns);
        match marks.last_mut() {
            Some(last) if position - last.position < MIN_DISTANCE => {
                last.notes = &notes[last.number - 1..=index];
            }
            _ => marks.push(Mark {
                number: index + 1,
                position,
                notes: &notes[index..=index],
            }),
        }
    }
    marks
}

impl Mark<'_> {
    fn markup(&self) -> Markup {
        let x = Width(self.position);
        // The mark ends above the strip, so that its words stay readable.
        let bottom = NUMBERS_PX + SCORES_PX;
        html! {
            g {
                title { (self.tooltip()) }
                line.halo x1=(x) x2=(x) y1=(NUMBERS_PX) y2=(bottom) {}
                line x1=(x) x2=(x) y1=(NUMBERS_PX) y2=(bottom) {}
                text x=(x) y="13" text-anchor=(anchor(self.position)) { (self.numbers()) }
            }
        }
    }

    fn numbers(&self) -> String {
        match self.notes.len() {
            1 => self.number.to_string(),
            count => format!("{}–{}", self.number, self.number + count - 1),
        }
    }

    fn tooltip(&self) -> String {
        let shown = self.notes.iter().take(MAX_TOOLTIP_NOTES).map(|note| {
            let line = note.text.replace('\n', " ");
            let mut text: String = line.chars().take(MAX_TOOLTIP_CHARS).collect();
            if text.len() < line.len() {
                text.push('…');
            }
            // Isolated, so that its text direction does not affect the rest.
            format!("{} \u{2068}{text}\u{2069}", clock::position(note.time_ns))
        });
        let mut lines: Vec<String> = shown.collect();
        if self.notes.len() > MAX_TOOLTIP_NOTES {
            lines.push(format!("and {} more", self.notes.len() - MAX_TOOLTIP_NOTES));
        }
        lines.join("\n")
    }
}

/// Returns the table of notes, with the attitude of `scene` at each; nothing if there are no notes.
pub(crate) fn table(notes: &[TimedNote], scene: &Timeline) -> Markup {
    html! {
        @if !notes.is_empty() {
            section aria-labelledby="notes" {
                h2 #notes { "Notes" }
                p.help { "Written by a person who watched. Their numbers stand above all timelines." }
                div.scroll {
                    table.notes {
                        caption.visually-hidden { "Notes" }
                        thead {
                            tr {
                                th scope="col" { "No." }
                                th scope="col" { "Time" }
                                th scope="col" { "Note" }
                                th scope="col" { "All faces then" }
                            }
                        }
                        tbody {
                            @for (index, note) in notes.iter().enumerate() { (row(index + 1, note, scene)) }
                        }
                    }
                }
            }
        }
    }
}

fn row(number: usize, note: &TimedNote, scene: &Timeline) -> Markup {
    let segments = &scene.segments;
    // Times of corrections are rounded down to milliseconds: an event at the start of a segment is in it.
    let until_ns = note.time_ns.saturating_add(NS_PER_MS - 1);
    let index = segments.partition_point(|segment| segment.span.end_ns <= until_ns);
    let shown = segments.get(index);
    let shown = shown.filter(|segment| segment.span.start_ns <= until_ns);
    html! {
        tr {
            td.number { (number) }
            td { (text::moment(note.time_ns)) }
            // The text direction of a note must not affect the rest of the row.
            td.text dir="auto" { (note.text) }
            td {
                @match shown {
                    Some(segment) => (text::named(segment.attitude)),
                    None => span.attitude.gap { "not seen" },
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use attitude::Label;
    use attitude::timeline::{Segment, Span};

    use super::*;
    use crate::report::strip::tests::{S, axis, segment};

    fn note(time_s: u64, text: &str) -> TimedNote {
        TimedNote {
            time_ns: time_s * S,
            text: text.to_owned(),
        }
    }

    #[test]
    fn notes_that_are_close_share_a_mark() {
        let notes: Vec<TimedNote> = [0, 50, 51, 52, 100].map(|s| note(s, "<x>")).into();
        let drawn = marks(&notes, &axis(100)).into_string();
        for part in [
            r#"<text x="0%" y="13" text-anchor="start">1</text>"#,
            r#"<text x="50%" y="13" text-anchor="middle">2–4</text>"#,
            r#"<text x="100%" y="13" text-anchor="end">5</text>"#,
            "0:50.0 \u{2068}&lt;x&gt;\u{2069}\n0:51.0",
        ] {
            assert!(drawn.contains(part), "no {part} in {drawn}");
        }
        assert_eq!(marks(&[], &axis(100)).into_string(), "");
    }

    #[test]
    fn many_and_long_notes_are_shortened() {
        let notes = vec![note(1, &"é".repeat(500)); 9_999];
        let drawn = marks(&notes, &axis(100)).into_string();
        assert!(drawn.contains("and 9994 more"));
        assert_eq!(
            drawn.matches('é').count(),
            MAX_TOOLTIP_NOTES * MAX_TOOLTIP_CHARS
        );
        assert_eq!(drawn.matches('…').count(), MAX_TOOLTIP_NOTES);
    }

    #[test]
    fn the_table_shows_the_attitude_at_each_note() {
        let scene = Timeline {
            segments: vec![
                segment(0, 2000, Label::NEUTRAL),
                segment(3000, 4000, Label::Unknown),
                Segment {
                    span: Span {
                        start_ns: 6 * S + 212_212,
                        end_ns: 7 * S,
                    },
                    attitude: Label::POSITIVE,
                },
            ],
            ..Timeline::default()
        };
        let notes = [1, 2, 3, 5, 6].map(|s| note(s, "x"));
        let table = table(&notes, &scene).into_string();
        let shown = table.split("<tr>").skip(2).map(|row| {
            let cell = row.rsplit("<td>").next().unwrap_or_default();
            cell.split(['>', '<']).nth(2).unwrap_or_default()
        });
        let shown: Vec<&str> = shown.collect();
        assert_eq!(
            shown,
            ["neutral", "not seen", "unknown", "not seen", "positive"]
        );
        assert!(table.contains(r##"<a href="#t=3">0:03.0</a>"##));
        assert!(table.contains(r#"dir="auto""#));
    }
}
