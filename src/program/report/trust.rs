// SPDX-License-Identifier: MPL-2.0

//! What a reader must know to take the figures for no more than they are. The facts are those of
//! the model's card.

use attitude::timeline::Rules;
use maud::{Markup, html};

use super::recording::Recording;
use super::strip::MAX_SPELLS;
use super::text;

/// What the default model calls itself: on a CPU, and elsewhere.
const DEFAULT_MODELS: [&str; 2] = ["gst-attitude-int8", "gst-attitude"];

/// In short, before the first figure. `models` are those of all that is on the page.
pub fn caution<'a>(mut models: impl Iterator<Item = Option<&'a str>>) -> Markup {
    html! {
        strong { "This page does not tell what anybody felt." }
        " A program looked at the shape of faces, one moment at a time. "
        @if models.all(is_default) {
            "On faces that it has not seen, its default model is wrong about once in six."
        } @else { "How often its model is wrong is not known here." }
    }
}

/// Whether a model is the default one, as far as that is known.
fn is_default(model: Option<&str>) -> bool {
    model.is_none_or(|name| DEFAULT_MODELS.contains(&name))
}

/// In full.
pub fn trust(recording: &Recording, rules: &Rules, spacing_ns: Option<u64>) -> Markup {
    html! {
        section aria-labelledby="trust" {
            h2 #trust { "How far to trust this" }
            (expressions())
            (errors(recording.model.as_deref()))
            (persons(rules))
            (reading(rules, spacing_ns))
            (law())
        }
    }
}

fn expressions() -> Markup {
    html! {
        h3 { "An expression is not a feeling" }
        p {
            "People smile when they are sad and frown when they think. Positive means that a face looks \
             happy, neutral that it shows nothing marked, negative that it shows anything else: anger, \
             disgust, fear, sadness, contempt, and surprise, even where that is a happy one. What was \
             said, why, and by whom is not known here."
        }
        p {
            "Fit for statistics over many faces and minutes, seen by people who know how often it errs; \
             for demonstrations; for research. Not fit for deciding anything about anybody: hiring, \
             grades, credit, health, policing, truthfulness."
        }
    }
}

fn errors(model: Option<&str>) -> Markup {
    html! {
        h3 { "How often it errs" }
        @match model {
            None => p {
                "Which model judged these faces is not known here. What follows holds for the default one."
            },
            Some(name) if DEFAULT_MODELS.contains(&name) => {}
            Some(model) => p {
                "Nothing is known here of how often the model " q { (model) } " errs. "
                code { "gst-attitude evaluate" } " tells that, by faces that you have labelled."
            },
        }
        @if is_default(model) {
            p {
                "Of faces like those that it learnt from, but that it had not seen, the model got about \
                 one in six wrong. Mostly it mixes up neutral and negative: it called 18% of the neutral \
                 ones negative, and 12% of the negative ones neutral. Expect more errors on other \
                 recordings, and above all on faces that are blurred, dim, small, turned or half hidden. For \
                 whom it errs more often, by age, sex, skin colour or origin, nobody has measured."
            }
            p {
                "It was never tested on children, or on people whose faces move differently, for instance \
                 after a palsy."
            }
        }
        p {
            "Confidence is the model's score, 0 to 1, for the attitude that it told. It is no probability \
             that a person is in a mood. The model has no answer for what is not a face: what the \
             detector takes for one gets an attitude. While a face cannot be judged, or no score is clear, \
             its attitude is unknown."
        }
    }
}

fn persons(rules: &Rules) -> Markup {
    html! {
        h3 { "Who is who" }
        p {
            "Nobody is recognised, and no picture of a face is compared with another. A person here is a face \
             that was followed from frame to frame, a track. "
            @if rules.join_gap_ns == 0 {
                "Tracks were not joined: who is lost from sight and comes back is another person here."
            } @else {
                "A track counts as the same person's as an earlier one only by place and time: it begins within "
                (text::length(rules.join_gap_ns)) " of that one's end, the centres of their boxes are at most "
                (rules.join_distance) " heights of a box apart, and neither box is more than "
                (rules.join_height_ratio) " times as high as the other. So who comes back elsewhere or later is \
                another person here, and who takes another's seat at once may be counted as that one."
            }
        }
    }
}

fn reading(rules: &Rules, spacing_ns: Option<u64>) -> Markup {
    html! {
        h3 { "How the figures are made" }
        ul {
            li {
                "Shares of the time go by the attitude of each sample, "
                @if let Some(spacing_ns) = spacing_ns {
                    "which stands for the time until the next one, usually " (text::length(spacing_ns)) "."
                } @else { "which stands for the time until the next one." }
            }
            li {
                "The strips, spells and changes are calmer: a spell begins where a score reaches "
                (rules.begin_score) ", ends where it falls under " (rules.end_score)
                " or another one takes over, and lasts for " (text::length(rules.min_segment_ns))
                " or more. So they need not add up to the shares. Where there are more than " (MAX_SPELLS)
                ", a strip shows what lasts longest in each of as many stretches."
            }
            li {
                "A gap is a time without the face: " (text::length(rules.gap_from_ns(spacing_ns.unwrap_or(0))))
                " or more between two samples."
            }
            li {
                "The size of a change is by how much positive less negative score rises (+) or falls (−), from "
                (text::length(rules.change_window_ns)) " before it to as long after it: 2 at most."
            }
            li {
                "The 95% interval of a mean says how far it would move by chance in another recording like this \
                 one. It knows nothing of the model's errors, nor of another day. Where less than half a minute \
                 was judged, or spells are so long that only a few fit, there is none."
            }
            li { "The scene is the mean of all faces that were judged at a time." }
        }
    }
}

fn law() -> Markup {
    html! {
        h3 { "What the law says" }
        p {
            "In the European Union, Article 5(1)(f) of the AI Act, Regulation (EU) 2024/1689, "
            strong { "forbids inferring the emotions of people at work and in education" }
            " but for medical and safety reasons. An interview for a job is no exception. Other uses have duties \
             of their own; ask a lawyer, and the people."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(model: Option<&str>) -> String {
        let recording = Recording {
            model: model.map(str::to_owned),
            ..Recording::default()
        };
        let rules = Rules::default();
        let trust = trust(&recording, &rules, Some(200_000_000)).into_string();
        caution([model].into_iter()).into_string() + &trust
    }

    #[test]
    fn figures_of_the_default_model_are_told_of_no_other() {
        for name in DEFAULT_MODELS {
            assert_eq!(told(Some(name)).matches("in six").count(), 2);
        }
        let unknown = told(None);
        assert!(
            unknown.contains("in six")
                && unknown.contains("What follows holds for the default one")
        );
        let other = told(Some("<b>mine</b>"));
        assert!(!other.contains("in six") && other.contains("&lt;b&gt;mine&lt;/b&gt;"));
    }

    #[test]
    fn the_rules_are_told_with_their_numbers() {
        let told = told(None);
        for number in [
            "within 10 s",
            "at most 0.5 heights",
            "than 1.5 times",
            "reaches 0.55",
            "under 0.45",
        ] {
            assert!(told.contains(number), "{number}");
        }
        let apart = Rules {
            join_gap_ns: 0,
            ..Rules::default()
        };
        let persons = persons(&apart).into_string();
        assert!(persons.contains("not joined") && !persons.contains("heights"));
    }
}
