// SPDX-License-Identifier: MPL-2.0

//! Turns: the times at which the valence rises or falls.

use serde::{Deserialize, Serialize};

use super::segments::Span;
use super::{TimedObservation, rounded};
use crate::trend::{Direction, TrendDetector};

/// A time span in which the valence rises or falls.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// The time span, from when the [trend](crate::trend) is found until it ends. The valence began
    /// to change before, within the length of the window.
    #[serde(flatten)]
    pub span: Span,
    /// The direction; not steady.
    pub direction: Direction,
    /// The largest change of the line that is fitted to the valence, per minute.
    pub change: f64,
}

/// Returns the turns in `observations`, sorted by time. As in a live analysis, only the valence of
/// known attitudes counts.
pub(crate) fn turns(observations: &[TimedObservation]) -> Vec<Turn> {
    let mut detector = TrendDetector::default();
    let mut turns: Vec<Turn> = Vec::new();
    let mut is_open = false;
    let mut seen_until_ns = 0;
    for timed in observations {
        let trend = detector.push(timed.span.start_ns, timed.observation.known_valence());
        let turn = trend.filter(|trend| trend.direction != Direction::Steady);
        if let Some(last) = turns.last_mut().filter(|_| is_open) {
            let is_same = turn.is_some_and(|turn| turn.direction == last.direction);
            if is_same {
                last.extend(f64::from(turn.map_or(0.0, |turn| turn.change)));
            } else {
                let end_ns = trend.map_or(seen_until_ns, |trend| trend.since_ns);
                last.span.end_ns = end_ns.min(seen_until_ns);
                is_open = false;
            }
        }
        if let Some(turn) = turn.filter(|_| !is_open) {
            is_open = true;
            turns.push(Turn {
                span: Span {
                    start_ns: turn.since_ns,
                    end_ns: turn.since_ns,
                },
                direction: turn.direction,
                change: rounded(turn.change.into()),
            });
        }
        seen_until_ns = timed.span.end_ns;
    }
    if let Some(last) = turns.last_mut().filter(|_| is_open) {
        last.span.end_ns = seen_until_ns;
    }
    turns
}

impl Turn {
    /// Adds a change of the fitted line.
    fn extend(&mut self, change: f64) {
        if change.abs() > self.change.abs() {
            self.change = rounded(change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::NS_PER_S as S;
    use crate::timeline::{Observation, TimelineParams, with_spans};
    use crate::{Label, Scores};

    /// Returns one observation per second whose valence is a function of the time in seconds.
    fn observations(times_s: impl Iterator<Item = u64>, label: Label) -> Vec<TimedObservation> {
        let valence = |s: u64| 0.5 - ((s as f32 - 100.0) / 120.0).clamp(0.0, 1.0);
        let observation = |s: u64| Observation {
            time_ns: s * S,
            scores: Some(Scores::from_array([
                valence(s).max(0.0),
                1.0 - valence(s).abs(),
                (-valence(s)).max(0.0),
            ])),
            label,
            ..Observation::default()
        };
        let observations: Vec<Observation> = times_s.map(observation).collect();
        with_spans(&observations, S, &TimelineParams::default())
    }

    #[test]
    fn a_valence_that_falls_is_one_turn() {
        let found = turns(&observations(0..400, Label::NEUTRAL));
        let [
            Turn {
                span,
                direction,
                change,
            },
        ] = found[..]
        else {
            panic!("{found:?}");
        };
        assert_eq!(direction, Direction::Falling);
        assert!((110 * S..160 * S).contains(&span.start_ns), "{span:?}");
        assert!((220 * S..280 * S).contains(&span.end_ns), "{span:?}");
        // By 1 in two minutes.
        assert!((change + 0.5).abs() < 0.02, "{change}");
    }

    #[test]
    fn a_turn_ends_with_the_recording_or_before_a_gap() {
        let found = turns(&observations(0..200, Label::NEUTRAL));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].span.end_ns, 200 * S);
        let found = turns(&observations((0..200).chain(300..400), Label::NEUTRAL));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].span.end_ns, 200 * S);
    }

    #[test]
    fn unknown_attitudes_make_no_turn() {
        assert_eq!(turns(&observations(0..400, Label::Unknown)), []);
    }
}
