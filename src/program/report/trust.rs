// SPDX-License-Identifier: MPL-2.0

//! The limits of the figures, for readers of a report. The facts are those of the model's card.

use attitude::timeline::TimelineParams;
use maud::{Markup, html};

use super::recording::RecordingFacts;
use super::strip::MAX_DRAWN;
use super::text;

/// Names of the default model: on a CPU, and elsewhere.
const DEFAULT_MODELS: [&str; 2] = ["gst-attitude-int8", "gst-attitude"];

/// Returns the short caution at the top of a page. `models` are those of all its recordings.
pub(crate) fn caution<'a>(mut models: impl Iterator<Item = Option<&'a str>>) -> Markup {
    html! {
        strong { "This page does not show what anybody felt." }
        " A program classified the shape of faces, one moment at a time. "
        @if models.all(is_default) {
            "On faces outside its training data, the default model is wrong about once in seven."
        } @else { "The error rate of its model is not known here." }
    }
}

/// Returns true if a model is the default one, or unknown.
fn is_default(model: Option<&str>) -> bool {
    model.is_none_or(|name| DEFAULT_MODELS.contains(&name))
}

/// Returns the section about the limits of the figures.
pub(crate) fn trust(
    recording: &RecordingFacts,
    params: &TimelineParams,
    spacing_ns: Option<u64>,
) -> Markup {
    html! {
        section aria-labelledby="trust" {
            h2 #trust { "How far to trust this" }
            (expressions())
            (errors(recording.model.as_deref()))
            (persons(params))
            (reading(params, spacing_ns))
            (law())
        }
    }
}

fn expressions() -> Markup {
    html! {
        h3 { "An expression is not a feeling" }
        p {
            "People smile when they are sad and frown when they think. Positive means that a face looks \
             happy, neutral that it shows no marked expression, negative that it shows anything else: anger, \
             disgust, fear, sadness, contempt, and surprise, even if it is a happy one. What was \
             said, why, and by whom is not known here."
        }
        p {
            "Suitable for statistics over many faces and minutes, seen by people who know how often it \
             errs; for demonstrations; for research. Not suitable for decisions about people: hiring, \
             grades, credit, health, policing, truthfulness."
        }
    }
}

fn errors(model: Option<&str>) -> Markup {
    html! {
        h3 { "How often it errs" }
        @match model {
            None => p {
                "The model that classified these faces is not known here. The following is about the default model."
            },
            Some(name) if DEFAULT_MODELS.contains(&name) => {}
            Some(model) => p {
                "The error rate of the model " q { (model) } " is not known here. Measure it on your own labeled faces with "
                code { "gst-attitude evaluate" } "."
            },
        }
        @if is_default(model) {
            p {
                "On faces of its data sets that it was not trained on, the model disagrees with most voters about \
                 once in seven. It mostly confuses neutral and negative: it called 8% of the neutral faces \
                 negative, and 14% of the negative faces neutral. Expect more errors on other recordings, above \
                 all on faces that are blurred, dim, small, turned or half hidden. Its errors by age, gender and \
                 ethnicity were measured on 51 people only: it misses the faint smiles of men more often than \
                 those of women."
            }
            p {
                "It was never tested on children, or on people whose faces move differently, for instance \
                 after a palsy."
            }
        }
        p {
            "Confidence is the model's score, 0 to 1, for the attitude that it chose, times the quality of the \
             picture: less for a face that is small, blurred, dim or turned away. It is not a probability that \
             a person is in a mood. Records of older versions have no quality; their confidence is the score. \
             The model has no class for pictures that are not a face: \
             a false detection gets an attitude. While a face cannot be classified, or no confidence is high enough, \
             its attitude is unknown."
        }
    }
}

fn persons(params: &TimelineParams) -> Markup {
    html! {
        h3 { "Who is who" }
        p {
            "Nobody is recognized, and no picture of a face is compared with another. A person here is a face \
             that was tracked from frame to frame. "
            @if params.join_gap_ns == 0 {
                "Tracks were not joined: a person who disappears and comes back is another person here."
            } @else {
                "Tracks are joined to one person by position and time alone: if the later one begins within "
                (text::length(params.join_gap_ns)) " of the earlier one's end, the centers of their boxes are at most "
                (params.join_distance) " box heights apart, and neither box is more than "
                (params.join_height_ratio) " times as high as the other. So a person who comes back elsewhere or later counts as \
                another one, and a person who takes another's seat at once may count as the same."
            }
        }
    }
}

fn reading(params: &TimelineParams, spacing_ns: Option<u64>) -> Markup {
    html! {
        h3 { "How the figures are computed" }
        ul {
            li {
                "Shares of time count the attitude of each sample "
                @if let Some(spacing_ns) = spacing_ns {
                    "for the time until the next one, usually " (text::length(spacing_ns)) "."
                } @else { "for the time until the next one." }
            }
            li {
                "Strips, segments and changes are smoothed: a segment begins when the confidence in an attitude reaches "
                (params.begin_score) ", ends when it falls below " (params.end_score)
                " or another attitude takes over, and lasts at least " (text::length(params.min_segment_ns))
                ". So their lengths may differ from the shares. If more than " (MAX_DRAWN)
                " are visible, a strip shows the longest attitude in each of as many columns."
            }
            li {
                "A gap is a time without the face: " (text::length(params.max_interval_without_gap_ns(spacing_ns.unwrap_or(0))))
                " or more between two samples."
            }
            li {
                "The size of a change is the rise (+) or fall (−) of the positive minus the negative score, from "
                (text::length(params.change_window_ns)) " before it to the same time after it; at most 2."
            }
            li {
                "The 95% interval of a mean says how far it would vary by chance in another recording like this \
                 one. It does not cover the model's errors or differences between days. It is left out if less \
                 than half a minute was classified, or if only a few segments fit into the recording."
            }
            li { "The scene is the mean of all faces that were classified at the same time." }
        }
    }
}

fn law() -> Markup {
    html! {
        h3 { "What the law says" }
        p {
            "In the European Union, Article 5(1)(f) of the AI Act, Regulation (EU) 2024/1689, "
            strong { "forbids inferring the emotions of people at work and in education" }
            " except for medical and safety reasons. A job interview is no exception. Under Article 50(3), \
             deployers must inform the people exposed to emotion recognition. Other uses have duties of their \
             own; ask a lawyer, and the people."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page_text(model: Option<&str>) -> String {
        let recording = RecordingFacts {
            model: model.map(str::to_owned),
            ..RecordingFacts::default()
        };
        let params = TimelineParams::default();
        let trust = trust(&recording, &params, Some(200_000_000)).into_string();
        caution([model].into_iter()).into_string() + &trust
    }

    #[test]
    fn figures_of_the_default_model_are_not_shown_for_other_models() {
        for name in DEFAULT_MODELS {
            assert_eq!(page_text(Some(name)).matches("in seven").count(), 2);
        }
        let unknown = page_text(None);
        assert!(
            unknown.contains("in seven")
                && unknown.contains("The following is about the default model")
        );
        let other = page_text(Some("<b>mine</b>"));
        assert!(!other.contains("in seven") && other.contains("&lt;b&gt;mine&lt;/b&gt;"));
    }

    #[test]
    fn the_rules_are_listed_with_their_numbers() {
        let text = page_text(None);
        for number in [
            "within 10 s",
            "at most 0.5 box heights",
            "than 1.5 times",
            "reaches 0.55",
            "below 0.45",
        ] {
            assert!(text.contains(number), "{number}");
        }
        let apart = TimelineParams {
            join_gap_ns: 0,
            ..TimelineParams::default()
        };
        let persons = persons(&apart).into_string();
        assert!(persons.contains("not joined") && !persons.contains("box heights"));
    }
}
