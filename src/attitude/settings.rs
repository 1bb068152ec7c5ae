// SPDX-License-Identifier: MPL-2.0

//! Names, descriptions, defaults and ranges of the settings of an analysis.
//!
//! The properties of the element `faceattitude` and the options of the program `gst-attitude` are
//! defined by these constants.

use std::ops::RangeInclusive;

use crate::clock::{NS_PER_MS, NS_PER_S};

/// A setting that is a number: the property `name` of the element and the option `--name` of the
/// program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NumberSetting<T> {
    /// Name, in lower case with hyphens.
    pub name: &'static str,
    /// Name for graphical interfaces.
    pub nick: &'static str,
    /// Description as one phrase, for help texts and the blurb of a property. It contains the unit,
    /// except for times, whose unit is not the same in properties and options.
    pub blurb: &'static str,
    /// Default value.
    pub default: T,
    /// Minimum value.
    pub min: T,
    /// Maximum value.
    pub max: T,
}

impl<T: Copy> NumberSetting<T> {
    /// Returns the range of accepted values.
    pub const fn range(&self) -> RangeInclusive<T> {
        self.min..=self.max
    }
}

/// A setting that is a string, such as a path or a name, without a default value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextSetting {
    /// Name, in lower case with hyphens.
    pub name: &'static str,
    /// Name for graphical interfaces.
    pub nick: &'static str,
    /// Description as one phrase, for help texts and the blurb of a property.
    pub blurb: &'static str,
}

/// Running time between samples, in nanoseconds.
pub const SAMPLE_INTERVAL_NS: NumberSetting<u64> = NumberSetting {
    name: "sample-interval",
    nick: "Sample interval",
    blurb: "Running time between analyzed frames; 0 = every frame",
    default: 200 * NS_PER_MS,
    min: 0,
    max: u64::MAX,
};

/// Long side of the detector's input, in pixels. The maximum bounds time and memory: an input that
/// is large enough for small faces in an 8K frame would take seconds and gigabytes.
pub const DETECTOR_SIZE: NumberSetting<u32> = NumberSetting {
    name: "detector-size",
    nick: "Detector size",
    blurb: "Long side of the detector's input, in pixels; a larger input finds smaller faces and costs \
              more, 0 = as large as min-face-size requires",
    default: 320,
    min: 0,
    max: 4096,
};

/// Maximum time between two searches of the whole frame, in nanoseconds. With the default, every third
/// sample of five per second is searched.
pub const DETECTION_INTERVAL_NS: NumberSetting<u64> = NumberSetting {
    name: "detection-interval",
    nick: "Detection interval",
    blurb: "Maximum time between searches of the whole frame; between them, only the surroundings of \
              known faces are searched, 0 = search the whole frame in every sample",
    default: 600 * NS_PER_MS,
    min: 0,
    max: u64::MAX,
};

/// Minimum height of a face, in frame pixels.
pub const MIN_FACE_SIZE: NumberSetting<u32> = NumberSetting {
    name: "min-face-size",
    nick: "Minimum face size",
    blurb: "Minimum height of a face, in frame pixels; smaller faces are ignored",
    default: 24,
    min: 0,
    max: u32::MAX,
};

/// Maximum number of tracked faces.
pub const MAX_FACES: NumberSetting<u32> = NumberSetting {
    name: "max-faces",
    nick: "Maximum faces",
    blurb: "Maximum number of tracked faces; the highest-scoring faces are kept",
    default: 16,
    min: 1,
    max: 512,
};

/// Minimum score of a detection, 0 to 1. With the default and an input of 320 pixels, the default
/// detector had no false detections in videos of empty rooms, and detected heads that are tilted to
/// the side in all samples.
pub const DETECTION_THRESHOLD: NumberSetting<f32> = NumberSetting {
    name: "detection-threshold",
    nick: "Detection threshold",
    blurb: "Minimum score of a detected face",
    default: 0.6,
    min: 0.0,
    max: 1.0,
};

/// Maximum overlap of two detections of different faces, as intersection over union, 0 to 1.
pub const OVERLAP_THRESHOLD: NumberSetting<f32> = NumberSetting {
    name: "overlap-threshold",
    nick: "Overlap threshold",
    blurb: "Intersection over union above which two detections count as one face",
    default: 0.4,
    min: 0.0,
    max: 1.0,
};

/// Minimum confidence of a known attitude, its smoothed score times the smoothed
/// [quality](crate::quality), 0 to 1. The quality of a good picture is about 0.94: of the default
/// model's classifications below the default, less than half are correct.
pub const MIN_CONFIDENCE: NumberSetting<f32> = NumberSetting {
    name: "min-confidence",
    nick: "Minimum confidence",
    blurb: "Minimum confidence of an attitude, its smoothed score times the quality; below it the attitude is 'unknown'",
    default: 0.45,
    min: 0.0,
    max: 1.0,
};

/// Time constant of the smoothed scores, in nanoseconds.
pub const SMOOTHING_NS: NumberSetting<u64> = NumberSetting {
    name: "smoothing",
    nick: "Smoothing",
    blurb: "Time constant of the smoothed scores; 0 = raw scores",
    default: 500 * NS_PER_MS,
    min: 0,
    max: u64::MAX,
};

/// Time for which a track is kept without a detection, in nanoseconds.
pub const TRACK_TIMEOUT_NS: NumberSetting<u64> = NumberSetting {
    name: "track-timeout",
    nick: "Track timeout",
    blurb: "Time to keep the track of a face that is not detected; shorter times are raised to \
              three times the time between samples",
    default: 1000 * NS_PER_MS,
    min: 0,
    max: u64::MAX,
};

/// Whether trends are computed.
pub const TREND: TextSetting = TextSetting {
    name: "trend",
    nick: "Trend",
    blurb: "Compute whether the valence of each face and of the scene rises or falls over a minute, \
              and post a message named 'faceattitude-trend' when that changes",
};

/// How the baseline of each face is computed.
pub const BASELINE: TextSetting = TextSetting {
    name: "baseline",
    nick: "Baseline",
    blurb: "Compare the valence of each face with its own baseline: auto = the median so far, \
              learn = the median over the first baseline-time",
};

/// Time with a known valence after which a baseline is known, in nanoseconds.
pub const BASELINE_TIME_NS: NumberSetting<u64> = NumberSetting {
    name: "baseline-time",
    nick: "Baseline time",
    blurb: "Time with a known attitude after which the baseline of a face is known",
    default: 20 * NS_PER_S,
    min: NS_PER_S,
    max: 3600 * NS_PER_S,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_track_timeout_states_its_minimum() {
        assert_eq!(crate::tracking::MIN_TIMEOUT_IN_INTERVALS, 3);
        assert!(
            TRACK_TIMEOUT_NS
                .blurb
                .contains("three times the time between samples")
        );
    }

    #[test]
    fn defaults_are_in_their_ranges() {
        for number in [DETECTOR_SIZE, MIN_FACE_SIZE, MAX_FACES] {
            assert!(number.range().contains(&number.default), "{number:?}");
        }
        for number in [DETECTION_THRESHOLD, OVERLAP_THRESHOLD, MIN_CONFIDENCE] {
            assert!(number.range().contains(&number.default), "{number:?}");
        }
        for number in [
            SAMPLE_INTERVAL_NS,
            SMOOTHING_NS,
            TRACK_TIMEOUT_NS,
            BASELINE_TIME_NS,
        ] {
            assert!(number.range().contains(&number.default), "{number:?}");
        }
    }
}
