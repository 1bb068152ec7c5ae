// SPDX-License-Identifier: MPL-2.0

//! The analyses that the frames of a recording pass through at once, each with settings of its own.

use attitude::settings::{DETECTION_INTERVAL_NS, DETECTION_THRESHOLD, DETECTOR_SIZE, MAX_FACES};

use super::RunContext;
use super::limits::{self, FaceLimits};
use super::settings::Settings;
use crate::worker::message::AnalysisSettings;

/// Minimum score of a face that is only hidden, half the default: to hide too much does less harm.
const HIDING_THRESHOLD: f32 = DETECTION_THRESHOLD.default / 2.0;

/// Purpose of one of the analyses that frames pass through.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Its samples are the results.
    Samples,
    /// It checks the size of the detector's input.
    SizeCheck,
    /// It finds further faces to hide.
    Hiding,
}

impl Role {
    /// Returns the settings of the analysis.
    pub(super) fn settings(self, context: &RunContext, limits: FaceLimits) -> AnalysisSettings {
        let (arguments, settings) = (context.arguments, &context.settings);
        let (networks, classifier) = (&arguments.networks, &arguments.classifier);
        let samples = AnalysisSettings {
            element: networks.element_settings(&classifier.source(), classifier.mapping.as_ref()),
            sample_interval_ns: settings.sample_interval_ns(),
            later_interval: None,
            max_faces: limits.max_faces,
            detector_size: limits.detector_size,
            // A face that is to be hidden must not be found late.
            detection_interval_ns: if settings.blur {
                0
            } else {
                DETECTION_INTERVAL_NS.default
            },
            min_confidence: settings.min_confidence,
            detection_threshold: None,
        };
        match self {
            Self::Samples => samples,
            Self::SizeCheck => AnalysisSettings {
                sample_interval_ns: limits::FIRST_INTERVAL_NS,
                later_interval: Some(limits::LATER_INTERVAL),
                max_faces: MAX_FACES.max,
                detector_size: limits.check_size().unwrap_or_default(),
                detection_interval_ns: 0,
                ..samples
            },
            Self::Hiding => AnalysisSettings {
                max_faces: MAX_FACES.max,
                // A smaller input finds faces that fill the picture.
                detector_size: DETECTOR_SIZE.default,
                detection_threshold: Some(HIDING_THRESHOLD),
                ..samples
            },
        }
    }
}

/// Returns the analyses of a recording.
pub(super) fn roles(settings: &Settings, limits: FaceLimits) -> impl Iterator<Item = Role> {
    let roles = [
        Some(Role::Samples),
        limits.check_size().map(|_| Role::SizeCheck),
        settings.blur.then_some(Role::Hiding),
    ];
    roles.into_iter().flatten()
}
