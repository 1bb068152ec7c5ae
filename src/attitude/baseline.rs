// SPDX-License-Identifier: MPL-2.0

//! Baseline of a person: the valence of the person's own resting face.
//!
//! Some resting faces look negative or positive to the classifier. The baseline is the median
//! [valence](crate::Scores::valence) of a person, over the time so far or over a stated time. The
//! change of the valence against it shows how the face differs from the usual one. The attitude
//! stays that of the face; [`attitude_of_change`] returns the attitude of the change.
//!
//! The median is that of a histogram with 128 bins: a baseline is accurate to about 1/64, and
//! takes neither memory nor time that grow with the recording.

use serde::{Deserialize, Serialize};

use crate::Label;

/// Number of bins of the histogram.
const BINS: usize = 128;

/// Longest time between two values that counts as time with a known valence.
const MAX_STEP_NS: u64 = 1_000_000_000;

/// Minimum change of the valence against the baseline that is positive or, with a minus sign,
/// negative. For a baseline of 0, this gives the attitude of the scores in most samples.
pub const MIN_CHANGE: f32 = 0.4;

/// Selects how the baseline of a face is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BaselineMode {
    /// There is no baseline.
    #[default]
    Off,
    /// The baseline is the median of the valence so far.
    Auto,
    /// The baseline is the median of the valence over the first
    /// [`learning_ns`](BaselineParams::learning_ns).
    Learn,
}

/// Parameters of the baselines of faces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BaselineParams {
    /// How a baseline is computed.
    pub mode: BaselineMode,
    /// Time with a known valence after which the baseline is known.
    pub learning_ns: u64,
    /// When this changes, the baselines of all faces are discarded and computed from the next
    /// sample on.
    pub generation: u32,
}

impl Default for BaselineParams {
    fn default() -> Self {
        Self {
            mode: BaselineMode::default(),
            learning_ns: crate::settings::BASELINE_TIME_NS.default,
            generation: 0,
        }
    }
}

/// State of a baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BaselineState {
    /// The valence has not been known for long enough.
    Learning,
    /// The baseline is known.
    Known,
}

impl BaselineState {
    /// All states.
    pub const ALL: [Self; 2] = [Self::Learning, Self::Known];

    /// Returns the name: `learning` or `known`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Learning => "learning",
            Self::Known => "known",
        }
    }

    /// Returns the state with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Returns the attitude of a change of the valence against the baseline, by [`MIN_CHANGE`]; unknown
/// if the attitude of the face, `label`, is.
pub fn attitude_of_change(label: Label, valence_change: f32) -> Label {
    match label {
        Label::Unknown => Label::Unknown,
        Label::Known(_) if valence_change >= MIN_CHANGE => Label::POSITIVE,
        Label::Known(_) if valence_change <= -MIN_CHANGE => Label::NEGATIVE,
        Label::Known(_) => Label::NEUTRAL,
    }
}

/// Median of values from −1 to 1.
#[derive(Clone, Debug)]
pub struct ValenceMedian {
    counts: [u32; BINS],
    total: u32,
}

impl Default for ValenceMedian {
    fn default() -> Self {
        Self {
            counts: [0; BINS],
            total: 0,
        }
    }
}

impl ValenceMedian {
    /// Adds a value, −1 to 1.
    pub fn push(&mut self, valence: f32) {
        let position = (valence + 1.0) / 2.0 * BINS as f32;
        // The highest value belongs to the last bin.
        let bin = (position.max(0.0) as usize).min(BINS - 1);
        self.counts[bin] = self.counts[bin].saturating_add(1);
        self.total = self.total.saturating_add(1);
    }

    /// Returns the median, interpolated within its bin; `None` if there are no values.
    pub fn value(&self) -> Option<f32> {
        let half = self.total as f32 / 2.0;
        let mut below = 0;
        for (bin, &count) in self.counts.iter().enumerate() {
            if count > 0 && (below + count) as f32 >= half {
                let within = (half - below as f32) / count as f32;
                return Some((bin as f32 + within) / BINS as f32 * 2.0 - 1.0);
            }
            below += count;
        }
        None
    }
}

/// Computes the baseline of a face.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    median: ValenceMedian,
    /// Time with a known valence.
    learned_ns: u64,
    /// Time of the last value.
    last_ns: Option<u64>,
    generation: u32,
}

impl Baseline {
    /// Adds the valence at a time, if it is known. Times must not go back.
    pub fn push(&mut self, time_ns: u64, valence: Option<f32>, params: &BaselineParams) {
        if self.generation != params.generation || params.mode == BaselineMode::Off {
            *self = Self {
                generation: params.generation,
                ..Self::default()
            };
        }
        let is_computed = match params.mode {
            BaselineMode::Off => false,
            BaselineMode::Auto => true,
            BaselineMode::Learn => self.learned_ns < params.learning_ns,
        };
        if let Some(valence) = valence.filter(|_| is_computed) {
            self.median.push(valence);
            let since_last_ns = self.last_ns.map_or(0, |last| time_ns.saturating_sub(last));
            self.learned_ns += since_last_ns.min(MAX_STEP_NS);
            self.last_ns = Some(time_ns);
        }
    }

    /// Returns the state; `None` if there is no baseline.
    pub fn state(&self, params: &BaselineParams) -> Option<BaselineState> {
        match params.mode {
            BaselineMode::Off => None,
            _ if self.learned_ns < params.learning_ns => Some(BaselineState::Learning),
            _ => Some(BaselineState::Known),
        }
    }

    /// Returns the baseline, −1 to 1; `None` if it is not known.
    pub fn value(&self, params: &BaselineParams) -> Option<f32> {
        (self.state(params)? == BaselineState::Known)
            .then(|| self.median.value())
            .flatten()
    }
}

#[cfg(test)]
mod tests;
