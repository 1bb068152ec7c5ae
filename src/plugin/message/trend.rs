// SPDX-License-Identifier: MPL-2.0

//! The bus message `faceattitude-trend`, and trends in the message `faceattitude`.

use super::{MessageError, check_name, get, get_named, get_time_ns};
use crate::clock_time::clock_time;
use attitude::trend::{Direction, Trend};

/// Name of the message structure.
pub const TREND_NAME: &str = "faceattitude-trend";

/// Names of the fields.
mod field {
    pub const STREAM: &str = "stream";
    pub const TRACK: &str = "track";
    pub const RUNNING_TIME: &str = "running-time";
    pub const STREAM_TIME: &str = "stream-time";
    pub const DIRECTION: &str = "direction";
    pub const SINCE: &str = "since";
    pub const CHANGE: &str = "change";
    pub const STANDARD_ERROR: &str = "standard-error";
}

/// The valence of a face or of the scene begins to rise or fall, or becomes steady.
#[derive(Clone, Debug, PartialEq)]
pub struct TrendMessage {
    /// Identifier of the stream, from its stream-start event.
    pub stream: String,
    /// Track id of the face; `None` for the scene.
    pub track: Option<u32>,
    /// Running time of the sample; `None` if the frame is outside the GStreamer segment.
    pub running_time_ns: Option<u64>,
    /// Stream time of the sample; `None` if the frame is outside the GStreamer segment.
    pub stream_time_ns: Option<u64>,
    /// The trend, in running time.
    pub trend: Trend,
}

impl From<TrendMessage> for gst::Structure {
    fn from(message: TrendMessage) -> Self {
        let mut structure = gst::Structure::builder(TREND_NAME)
            .field(field::STREAM, &message.stream)
            .field_if_some(field::TRACK, message.track)
            .field(
                field::RUNNING_TIME,
                message.running_time_ns.and_then(clock_time),
            )
            .field(
                field::STREAM_TIME,
                message.stream_time_ns.and_then(clock_time),
            )
            .build();
        set_fields(&mut structure, &message.trend);
        structure
    }
}

impl TryFrom<&gst::StructureRef> for TrendMessage {
    type Error = MessageError;

    fn try_from(structure: &gst::StructureRef) -> Result<Self, MessageError> {
        check_name(structure, TREND_NAME)?;
        Ok(Self {
            stream: get(structure, field::STREAM)?,
            track: super::get_optional(structure, field::TRACK)?,
            running_time_ns: get_time_ns(structure, field::RUNNING_TIME)?,
            stream_time_ns: get_time_ns(structure, field::STREAM_TIME)?,
            trend: from_fields(structure)?,
        })
    }
}

/// Returns `trend` as a structure.
pub(super) fn to_structure(trend: Trend) -> gst::Structure {
    let mut structure = gst::Structure::new_empty("trend");
    set_fields(&mut structure, &trend);
    structure
}

/// Returns the trend in a field; `None` if the field is missing.
pub(super) fn get_optional(
    structure: &gst::StructureRef,
    field: &'static str,
) -> Result<Option<Trend>, MessageError> {
    let trend: Option<gst::Structure> = super::get_optional(structure, field)?;
    trend.map(|trend| from_fields(&trend)).transpose()
}

fn set_fields(structure: &mut gst::StructureRef, trend: &Trend) {
    structure.set(field::DIRECTION, trend.direction.name());
    structure.set(field::SINCE, clock_time(trend.since_ns));
    structure.set(field::CHANGE, trend.change);
    structure.set(field::STANDARD_ERROR, trend.standard_error);
}

fn from_fields(structure: &gst::StructureRef) -> Result<Trend, MessageError> {
    Ok(Trend {
        direction: get_named(
            structure,
            field::DIRECTION,
            &Direction::ALL,
            Direction::name,
        )?,
        since_ns: get::<gst::ClockTime>(structure, field::SINCE)?.nseconds(),
        change: get(structure, field::CHANGE)?,
        standard_error: get(structure, field::STANDARD_ERROR)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trend_survives_the_conversion_to_a_message_and_back() {
        gst::init().unwrap();
        for (track, running_time_ns) in [(Some(3), Some(62_000_000_000)), (None, None)] {
            let message = TrendMessage {
                stream: "camera".to_owned(),
                track,
                running_time_ns,
                stream_time_ns: None,
                trend: Trend {
                    direction: Direction::Falling,
                    since_ns: 60_000_000_000,
                    change: -0.5,
                    standard_error: 0.1,
                },
            };
            let structure = gst::Structure::from(message.clone());
            assert_eq!(structure.has_field("track"), track.is_some());
            let read = TrendMessage::try_from(structure.as_ref()).unwrap();
            assert_eq!(read, message);
        }
        let other = gst::Structure::new_empty("faceattitude");
        let error = TrendMessage::try_from(other.as_ref()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the structure is named 'faceattitude', expected 'faceattitude-trend'"
        );
    }
}
