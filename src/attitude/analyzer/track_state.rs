// SPDX-License-Identifier: MPL-2.0

//! The state of a track beyond its position: its classifications, trend and baseline.

use super::Params;
use crate::Scores;
use crate::baseline::{Baseline, BaselineState};
use crate::classification::Classification;
use crate::smoothing::Smoother;
use crate::tracking;
use crate::trend::{Trend, TrendDetector};

/// The state of a track.
#[derive(Clone, Debug, Default)]
pub(super) struct TrackState {
    pub smoother: Smoother,
    /// Scores of the last classification.
    pub raw_scores: Option<Scores>,
    /// Time of the last classification.
    pub classified_ns: Option<u64>,
    trend_detector: TrendDetector,
    pub trend: Option<Trend>,
    baseline: Baseline,
    /// State of the baseline.
    pub baseline_state: Option<BaselineState>,
    /// Valence minus the baseline.
    pub valence_change: Option<f32>,
}

impl tracking::TrackState for TrackState {
    /// Returns the trend and the baseline; the face is not classified.
    fn returned(self) -> Self {
        Self {
            trend_detector: self.trend_detector,
            baseline: self.baseline,
            ..Self::default()
        }
    }
}

impl TrackState {
    /// Updates the scores with a classification and the quality of the picture, 0 to 1.
    pub fn classify(&mut self, found: Classification, quality: f32, time_ns: u64, params: &Params) {
        self.smoother.update(
            found,
            quality * found.face.unwrap_or(1.0),
            time_ns,
            params.smoothing_ns,
            params.min_confidence,
        );
        self.raw_scores = Some(found.scores);
        self.classified_ns = Some(time_ns);
    }

    /// Ends the sample at `time_ns`: discards a classification that is older than `timeout_ns`, and
    /// updates trend and baseline.
    pub fn end_sample(&mut self, time_ns: u64, timeout_ns: u64, params: &Params) {
        let is_stale = |classified_ns| time_ns.saturating_sub(classified_ns) >= timeout_ns;
        if self.classified_ns.is_some_and(is_stale) {
            self.smoother = Smoother::default();
            self.raw_scores = None;
            self.classified_ns = None;
        }
        let valence = self.known_valence(time_ns);
        self.trend = params
            .has_trend
            .then(|| self.trend_detector.push(time_ns, valence))
            .flatten();
        let baseline = &params.baseline;
        self.baseline.push(time_ns, valence, baseline);
        self.baseline_state = self.baseline.state(baseline);
        let valence = self.smoother.scores().map(|scores| scores.valence());
        self.valence_change = valence
            .zip(self.baseline.value(baseline))
            .map(|(valence, baseline)| valence - baseline);
    }

    /// Returns the valence if the face was classified at `time_ns` and its attitude is known. That
    /// of an unknown attitude, such as of a face that is turned away, says little.
    pub fn known_valence(&self, time_ns: u64) -> Option<f32> {
        let scores = self.smoother.scores()?;
        let is_known = self.classified_ns == Some(time_ns) && self.smoother.label().is_known();
        is_known.then(|| scores.valence())
    }
}
