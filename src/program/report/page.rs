// SPDX-License-Identifier: MPL-2.0

//! The report of one recording.

use attitude::record::summary::{Person, Summarized, Summary};
use attitude::timeline::Timeline;
use attitude::timeline::baseline::BaselineChange;
use attitude::{Label, clock};
use maud::{Markup, html};

use super::axis::Axis;
use super::document::{document, patterns};
use super::drawn::Drawn;
use super::player::player;
use super::recording::RecordingFacts;
use super::{baseline, editor, notes, tables, text, timeline, trust, turns, zoom};
use crate::numbers;

const SCRIPTS: &[&str] = &[
    include_str!("report.js"),
    include_str!("details.js"),
    include_str!("zoom.js"),
    include_str!("keyboard-help.js"),
];

/// Style of the lines over the scores.
const LINES_STYLE: &str = include_str!("lines.css");

/// Maximum number of persons with a timeline: those seen longest.
const MAX_PERSONS: usize = 50;

/// Maximum number of persons in the report: those seen longest.
const MAX_LISTED: usize = 1000;

/// Duration up to which a key seeks by one second, else by five.
const FINE_UP_TO_NS: u64 = 600_000_000_000;

/// Returns the report as HTML.
pub(crate) fn report(recording: &RecordingFacts, summarized: &Summarized) -> String {
    let summary = &summarized.summary;
    let axis = Axis::new(recording, summary);
    let marks = notes::marks(&recording.notes, &axis);
    let step_s = match axis.span().len_ns() <= FINE_UP_TO_NS {
        true => 1,
        false => 5,
    };
    let body = html! {
        (patterns())
        header {
            h1 { (recording.name) }
            p { "Attitudes of the faces in this " (kind(recording)) ", over time" }
            @if let Some(damage) = &recording.damage {
                p.damage role="note" { strong { "Incomplete: " } (damage) }
            }
            @for remark in &recording.remarks {
                p.remark role="note" { strong { "Note: " } (remark) }
            }
            p.caution role="note" {
                (trust::caution([recording.model.as_deref()].into_iter()))
                " " a href="#trust" { "How far to trust this" }
            }
        }
        div.columns {
            @if let Some(address) = &recording.address {
                (player(address, recording.annotated.as_deref(), recording.origin_ns))
            }
            main data-step=(step_s) {
                (glance(recording, summary))
                @if let Some(corrections) = &recording.corrections {
                    (editor::section(corrections, summary))
                }
                (zoom::controls())
                @if !is_alone(summary) { (scene(summarized, &axis, &marks)) }
                (notes::table(&recording.notes, &summary.scene))
                (persons(summarized, &axis, &marks))
                (trust::trust(recording, &summary.params, summary.spacing_ns))
            }
        }
        (zoom::keyboard_help(step_s))
    };
    let mut style = LINES_STYLE.to_owned();
    let mut scripts = SCRIPTS.to_vec();
    if !recording.notes.is_empty() {
        style += notes::STYLE;
    }
    if recording.corrections.is_some() {
        style += editor::STYLE;
        scripts.push(editor::SCRIPT);
    }
    let title = format!("{} – attitudes", recording.name);
    document(&title, &style, &scripts, &body)
}

/// Returns true if all faces are those of one person, who has the same timeline as the scene.
fn is_alone(summary: &Summary) -> bool {
    matches!(&summary.persons[..], [person] if person.timeline == summary.scene)
}

fn kind(recording: &RecordingFacts) -> &'static str {
    match recording.session {
        Some(_) => "session",
        None => "recording",
    }
}

/// Returns the section with the facts and one row per person.
fn glance(recording: &RecordingFacts, summary: &Summary) -> Markup {
    let listed = longest_seen(&summary.persons, MAX_LISTED);
    html! {
        section aria-labelledby="glance" {
            h2 #glance { "At a glance" }
            dl {
                @for (name, value) in known_facts(recording, summary) {
                    div { dt { (name) } dd { (value) } }
                }
            }
            div.scroll {
                table.overview {
                    caption.visually-hidden { "The scene and the persons" }
                    thead {
                        tr {
                            th scope="col" { "Who" }
                            th scope="col" { "Seen for" }
                            th scope="col" { "Attitudes, by share of that time" }
                            th scope="col" { "Changes" }
                            th scope="col" { "Mean confidence" }
                            th scope="col" { "Mean valence, −1 to 1" }
                        }
                    }
                    tbody {
                        @if !is_alone(summary) { (overview("#scene", "All faces", &summary.scene)) }
                        @for (person, _) in summary.persons.iter().zip(listed).filter(|(_, listed)| *listed) {
                            (overview(&format!("#person-{}", person.id), &person.name(), &person.timeline))
                        }
                    }
                }
            }
            (legend())
        }
    }
}

/// Returns the names and values of the known facts.
fn known_facts(recording: &RecordingFacts, summary: &Summary) -> Vec<(&'static str, String)> {
    let size = recording.size_px;
    let range = recording.range;
    let spacing = summary
        .spacing_ns
        .map(|spacing_ns| format!(", usually {} apart", text::length(spacing_ns)));
    let samples = format!(
        "{}{}, {} with faces",
        numbers::count(summary.samples, "sample"),
        spacing.unwrap_or_default(),
        numbers::grouped(summary.samples_with_faces)
    );
    let left_out = (summary.samples_left_out > 0).then(|| {
        let count = numbers::count(summary.samples_left_out, "sample");
        format!("{count} without a time, or with a time not after the previous sample")
    });
    let session = recording.session.as_ref();
    let noted =
        (!recording.notes.is_empty()).then(|| numbers::grouped(recording.notes.len() as u64));
    let known = [
        (
            "Seen",
            session.map(|_| "live, without a recording".to_owned()),
        ),
        ("Began", session.and_then(|session| session.began.clone())),
        ("Length", recording.duration_ns.map(text::length)),
        (
            "Frame size",
            size.map(|(width, height)| format!("{width}×{height} px")),
        ),
        (
            "Analyzed part",
            range.map(|span| {
                format!(
                    "{} to {}",
                    clock::position(span.start_ns),
                    clock::position(span.end_ns)
                )
            }),
        ),
        ("Analyzed", Some(samples)),
        ("Left out", left_out),
        (
            "Persons",
            Some(numbers::grouped(summary.persons.len() as u64)),
        ),
        ("Notes", noted),
        ("Model", recording.model.clone()),
        ("Execution provider", recording.provider.clone()),
    ];
    let known = known.into_iter();
    known
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

fn overview(address: &str, name: &str, timeline: &Timeline) -> Markup {
    html! {
        tr {
            th scope="row" { a href=(address) { (name) } }
            td.number { (text::length(timeline.seen_ns)) }
            td {
                @match &timeline.shares {
                    Some(shares) => (timeline::shares_bar(shares)),
                    None => "–",
                }
            }
            td.number { (numbers::grouped(timeline.changes.len() as u64)) }
            td.number { (timeline.confidence.map_or("–".to_owned(), text::score)) }
            td.number { (timeline.valence.map_or("–".to_owned(), text::valence)) }
        }
    }
}

fn legend() -> Markup {
    html! {
        ul.legend aria-label="Signs and colors" {
            @for label in Label::ALL { li { (text::named(label)) } }
            li { span.attitude.gap { "not seen" } }
        }
    }
}

fn scene(summarized: &Summarized, axis: &Axis, marks: &Markup) -> Markup {
    let series = Drawn::new(|max_bins| summarized.scene_series(max_bins));
    html! {
        section aria-labelledby="scene" {
            (title(&html! { h2 #scene { "All faces" } }))
            (series.help())
            (shown("all faces", &summarized.summary.scene, None, &series, axis, marks))
        }
    }
}

fn persons(summarized: &Summarized, axis: &Axis, marks: &Markup) -> Markup {
    let persons = &summarized.summary.persons;
    let drawn = longest_seen(persons, MAX_PERSONS);
    let listed = longest_seen(persons, MAX_LISTED);
    html! {
        section aria-labelledby="persons" {
            h2 #persons { "Persons" }
            @if persons.is_empty() { p { "No face was found." } }
            @else {
                p.help {
                    "Nobody is recognized: a person here is a face that was tracked, " a href="#trust" {
                        "joined by position and time alone"
                    } "."
                    @if drawn.iter().any(|drawn| !drawn) {
                        " Of the " (numbers::grouped(persons.len() as u64)) " persons, the " (MAX_PERSONS)
                        " seen longest have a timeline."
                    }
                    @if listed.iter().any(|listed| !listed) {
                        " Only the " (numbers::grouped(MAX_LISTED as u64)) " seen longest are listed."
                    }
                }
            }
            @for (index, person) in persons.iter().enumerate().filter(|(index, _)| listed[*index]) {
                article aria-labelledby={ "person-" (person.id) } {
                    (title(&heading(person)))
                    @if drawn[index] {
                        @let series = Drawn::new(|max_bins| summarized.person_series(index, max_bins));
                        @let change = person.baseline_change.as_ref();
                        @if is_alone(&summarized.summary) { (series.help()) }
                        (shown(&person.name(), &person.timeline, change, &series, axis, marks))
                    } @else {
                        (timeline::facts(&person.timeline))
                    }
                    (tracks(person))
                }
            }
        }
    }
}

/// Returns the heading, with the attitude at the current position.
fn title(heading: &Markup) -> Markup {
    html! {
        div.title {
            (heading)
            p.now aria-hidden="true" hidden { "Now " span.attitude {} }
        }
    }
}

fn heading(person: &Person) -> Markup {
    html! {
        h3 id={ "person-" (person.id) } dir="auto" {
            (person.name())
            @if let Some(participant) = &person.participant { " (participant " (participant) ")" }
        }
    }
}

/// Returns the timeline, facts and tables of a person or the scene; `change` are the attitudes
/// against the baseline, if there is one.
fn shown(
    name: &str,
    timeline: &Timeline,
    change: Option<&BaselineChange>,
    series: &Drawn,
    axis: &Axis,
    marks: &Markup,
) -> Markup {
    let marks = html! {
        @if let Some(change) = change { (baseline::line(&series.picture, change, axis)) }
        (turns::marks(&timeline.turns, axis))
        (marks)
    };
    html! {
        (timeline::picture(name, timeline, &series.picture, &series.detail, axis, &marks))
        (timeline::facts(timeline))
        (turns::list(&timeline.turns))
        @if let Some(change) = change { (baseline::facts(change)) }
        (timeline::figures(name, timeline))
        (tables::changes(name, &timeline.changes))
        (tables::data(name, timeline, &series.table))
    }
}

/// Returns for each of `persons` whether it is one of the `max` seen longest.
fn longest_seen(persons: &[Person], max: usize) -> Vec<bool> {
    let mut indices: Vec<usize> = (0..persons.len()).collect();
    indices.sort_by_key(|&index| std::cmp::Reverse(persons[index].timeline.seen_ns));
    let mut is_longest = vec![false; persons.len()];
    for &index in indices.iter().take(max) {
        is_longest[index] = true;
    }
    is_longest
}

/// Returns the tracks of a person.
fn tracks(person: &Person) -> Markup {
    let spans = person.tracks.iter().map(|track| {
        let (first, last) = (
            clock::position(track.first_ns),
            clock::position(track.last_ns),
        );
        format!("{} ({first} to {last})", track.track)
    });
    let tracks: Vec<String> = spans.collect();
    html! {
        @match &tracks[..] {
            [] => {}
            [one] => p.tracks { "Track " (one) },
            more => details.tracks {
                summary { "Joined from " (numbers::count(more.len(), "track")) }
                p { "Tracks " (more.join(", ")) }
            },
        }
    }
}
