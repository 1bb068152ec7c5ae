// SPDX-License-Identifier: MPL-2.0

//! The messages about the samples of a stream.

use super::Messages;
use super::settings::FrameSettings;
use crate::message::{AttitudeMessage, TrendMessage};
use attitude::analyzer::Analysis;
use attitude::record::change::{FaceChangeDetector, TrendChangeDetector};
use attitude::record::{FrameStamp, Record};

/// Makes the messages about the samples of a stream.
#[derive(Debug, Default)]
pub(super) struct SampleMessages {
    faces: FaceChangeDetector,
    trends: TrendChangeDetector,
}

impl SampleMessages {
    /// Begins another stream, in which the same track ids belong to other faces.
    pub fn begin_stream(&mut self) {
        self.faces.begin_stream();
        self.trends = TrendChangeDetector::default();
    }

    /// Adds the structures of the messages about the sample of `analysis` to `messages`.
    pub fn add(
        &mut self,
        stream: &str,
        stamp: &FrameStamp,
        analysis: &Analysis,
        emotion_labels: &[String],
        settings: &FrameSettings,
        messages: &mut Vec<gst::Structure>,
    ) {
        let has_record = match settings.messages {
            Messages::None => return,
            Messages::Sample => true,
            Messages::Change => {
                let faces = analysis.faces.iter();
                self.faces
                    .update(faces.map(|face| (face.track, face.label)))
            }
        };
        if has_record {
            let record = Record::new(stream, stamp, analysis, emotion_labels);
            messages.push(AttitudeMessage(record).into());
        }
        self.trends.update(analysis, |change| {
            let message = TrendMessage {
                stream: stream.to_owned(),
                track: change.track,
                running_time_ns: stamp.running_time_ns,
                stream_time_ns: stamp.stream_time_ns,
                trend: change.trend,
            };
            messages.push(message.into());
        });
    }
}
