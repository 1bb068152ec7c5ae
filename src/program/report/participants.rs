// SPDX-License-Identifier: MPL-2.0

//! The participants of several recordings, as corrections assign them, and what they showed.

use std::collections::BTreeMap;

use attitude::Label;
use attitude::record::summary::{Person, Summary};
use attitude::timeline::Shares;
use maud::{Markup, html};

use super::index::{AnalysisResult, Entry};
use super::text;
use super::timeline::bar;

/// A participant's persons, each with its recording's name and the address of its report.
type Appearances<'a> = Vec<(&'a Person, &'a str, &'a str)>;

/// Returns the section of participants; nothing if there are none.
pub(super) fn section(entries: &[Entry]) -> Option<Markup> {
    let mut participants: BTreeMap<&str, Appearances> = BTreeMap::new();
    for Entry { recording, result } in entries {
        let AnalysisResult::Report(summary, address) = result else {
            continue;
        };
        for person in &summary.persons {
            if let Some(participant) = &person.participant {
                let appearances = participants.entry(participant).or_default();
                appearances.push((person, &recording.name, address));
            }
        }
    }
    (!participants.is_empty()).then(|| {
        html! {
            section aria-labelledby="participants" {
                h2 #participants { "Participants" }
                p.help { "Over all recordings to which corrections assign the participant, by the time seen." }
                div.scroll {
                    table.index {
                        caption.visually-hidden { "Participants" }
                        thead {
                            tr {
                                th scope="col" { "Participant" }
                                th scope="col" { "Recordings" }
                                th scope="col" { "Seen" }
                                th scope="col" { "Valence" }
                                @for label in Label::ALL { th scope="col" { (text::named(label)) } }
                            }
                        }
                        tbody {
                            @for (participant, appearances) in &participants { (row(participant, appearances)) }
                        }
                    }
                }
            }
        }
    })
}

fn row(participant: &str, appearances: &Appearances) -> Markup {
    let seen_ns = appearances
        .iter()
        .map(|(person, ..)| person.timeline.seen_ns);
    let valence = mean(appearances, |person| person.timeline.valence);
    let share = |label: Label| {
        mean(appearances, |person| {
            Some(person.timeline.shares.as_ref()?[label])
        })
    };
    html! {
        tr {
            th scope="row" { (participant) }
            td {
                @for (index, (_, name, address)) in appearances.iter().enumerate() {
                    @if index > 0 { ", " }
                    a href=(address) { (name) }
                }
            }
            td.number { (text::length(seen_ns.sum())) }
            td.number { (valence.map_or("–".to_owned(), text::valence)) }
            @for label in Label::ALL {
                @match share(label) {
                    Some(share) => td.share { (bar(share, label.name())) " " (text::percent(share)) },
                    None => td.share { "–" },
                }
            }
        }
    }
}

/// Returns the mean of a value over the time in which the participant was seen; `None` without such
/// time.
fn mean(appearances: &Appearances, value: impl Fn(&Person) -> Option<f64>) -> Option<f64> {
    let (mut sum, mut total_ns) = (0.0, 0.0);
    for (person, ..) in appearances {
        if let Some(value) = value(person) {
            let seen_ns = person.timeline.seen_ns as f64;
            sum += value * seen_ns;
            total_ns += seen_ns;
        }
    }
    (total_ns > 0.0).then_some(sum / total_ns)
}

/// Returns the text in which a recording is searched: its name, and those of its persons.
pub(super) fn searched(name: &str, summary: Option<&Summary>) -> String {
    let persons = summary.into_iter().flat_map(|summary| &summary.persons);
    let names = persons.flat_map(|person| [&person.participant, &person.name]);
    let names = names.flatten().map(String::as_str);
    std::iter::once(name)
        .chain(names)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Returns the attitude with the largest share; `None` without shares.
pub(super) fn most_frequent(shares: Option<&Shares>) -> Option<Label> {
    let shares = shares?;
    Label::ALL
        .into_iter()
        .max_by(|a, b| shares[*a].total_cmp(&shares[*b]))
}

#[cfg(test)]
mod tests {
    use attitude::timeline::Timeline;

    use super::super::recording::RecordingFacts;
    use super::*;

    fn summary(participant: &str, seen_s: u64, valence: f64) -> Summary {
        let timeline = Timeline {
            seen_ns: seen_s * 1_000_000_000,
            valence: Some(valence),
            ..Timeline::default()
        };
        Summary {
            persons: vec![Person {
                participant: Some(participant.to_owned()),
                name: Some("Ann".to_owned()),
                timeline,
                ..Person::default()
            }],
            ..Summary::default()
        }
    }

    #[test]
    fn a_participant_has_means_over_recordings_by_the_time_seen() {
        let recording = RecordingFacts {
            name: "a.mp4".to_owned(),
            ..RecordingFacts::default()
        };
        let summaries = [summary("<p1>", 30, 0.5), summary("<p1>", 10, -0.5)];
        let results = summaries
            .each_ref()
            .map(|summary| AnalysisResult::Report(summary, "a/report.html".to_owned()));
        let entries = results.each_ref().map(|result| Entry {
            recording: &recording,
            result,
        });
        let page = section(&entries).unwrap().into_string();
        for part in [
            "<th scope=\"row\">&lt;p1&gt;</th>",
            "<a href=\"a/report.html\">a.mp4</a>, <a",
            "<td class=\"number\">40 s</td><td class=\"number\">+0.25</td>",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
        assert!(section(&entries[..0]).is_none());
        assert_eq!(searched("a.mp4", Some(&summaries[0])), "a.mp4 <p1> Ann");
    }

    #[test]
    fn the_most_frequent_attitude_has_the_largest_share() {
        let shares = Shares {
            positive: 0.2,
            neutral: 0.5,
            negative: 0.3,
            unknown: 0.0,
        };
        assert_eq!(most_frequent(Some(&shares)), Some(Label::NEUTRAL));
        assert_eq!(most_frequent(None), None);
    }
}
