// SPDX-License-Identifier: MPL-2.0

//! What the element counts, for the property `stats`.

use std::time::Duration;

use crate::analysis::analyzer::Timings;

/// Counters since the element left READY.
#[derive(Clone, Debug, Default)]
pub(super) struct Stats {
    /// Frames that passed.
    pub frames: u64,
    /// Frames that were analysed.
    pub samples: u64,
    /// Frames that were due but gave way to a newer one.
    pub skipped: u64,
    /// Analyses that failed.
    pub failures: u64,
    /// Faces that are followed.
    pub faces: u32,
    /// Sum over all samples.
    spent: Timings,
}

impl Stats {
    /// Counts a sample.
    pub fn add_sample(&mut self, faces: usize, timings: &Timings) {
        self.samples += 1;
        self.faces = faces as u32;
        self.spent.scaling += timings.scaling;
        self.spent.detection += timings.detection;
        self.spent.crop += timings.crop;
        self.spent.classification += timings.classification;
    }

    /// For applications. Times are means over all samples.
    pub fn to_structure(&self) -> gst::Structure {
        let mean = |spent: Duration| {
            let ns = spent.as_nanos() / u128::from(self.samples.max(1));
            gst::ClockTime::from_nseconds(ns as u64)
        };
        gst::Structure::builder("faceattitude-stats")
            .field("frames", self.frames)
            .field("samples", self.samples)
            .field("skipped", self.skipped)
            .field("failures", self.failures)
            .field("faces", self.faces)
            .field("scaling-time", mean(self.spent.scaling))
            .field("detection-time", mean(self.spent.detection))
            .field("crop-time", mean(self.spent.crop))
            .field("classification-time", mean(self.spent.classification))
            .build()
    }
}
