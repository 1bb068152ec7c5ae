// SPDX-License-Identifier: MPL-2.0

//! When and where a frame is.

use attitude::record::FrameStamp;

/// From 1900, where NTP's time begins, to 1970.
const NTP_TO_UNIX: gst::ClockTime = gst::ClockTime::from_seconds(2_208_988_800);

/// The stamp of `buffer`, the first of its stream as far as this knows, in `segment`; `size` is
/// width and height.
pub(super) fn stamp(
    buffer: &gst::BufferRef,
    segment: &gst::Segment,
    size: (u32, u32),
) -> FrameStamp {
    let pts = buffer.pts();
    let segment = segment.downcast_ref::<gst::ClockTime>();
    let running_time = segment.and_then(|segment| segment.to_running_time(pts));
    let stream_time = segment.and_then(|segment| segment.to_stream_time(pts));
    FrameStamp {
        frame: 0,
        pts_ns: pts.map(gst::ClockTime::nseconds),
        running_time_ns: running_time.map(gst::ClockTime::nseconds),
        stream_time_ns: stream_time.map(gst::ClockTime::nseconds),
        utc_ns: utc_ns(buffer),
        width: size.0,
        height: size.1,
    }
}

/// Nanoseconds since 1970, by the first reference timestamp of Unix' or NTP's time.
fn utc_ns(buffer: &gst::BufferRef) -> Option<u64> {
    let mut references = buffer.iter_meta::<gst::ReferenceTimestampMeta>();
    references.find_map(|meta| {
        let time = meta.timestamp();
        let unix = match meta.reference().structure(0)?.name().as_str() {
            "timestamp/x-unix" => Some(time),
            "timestamp/x-ntp" => time.checked_sub(NTP_TO_UNIX),
            _ => None,
        };
        unix.map(gst::ClockTime::nseconds)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_day_is_that_of_unix_or_ntp() {
        gst::init().unwrap();
        let time = gst::ClockTime::from_seconds(1_700_000_000);
        for (references, expected) in [
            (&[("timestamp/x-unix", time)][..], Some(time)),
            (
                &[
                    ("timestamp/x-something", time),
                    ("timestamp/x-ntp", time + NTP_TO_UNIX),
                ],
                Some(time),
            ),
            (&[("timestamp/x-ntp", gst::ClockTime::SECOND)], None),
            (&[], None),
        ] {
            let mut buffer = gst::Buffer::new();
            for (name, time) in references {
                let caps = gst::Caps::new_empty_simple(*name);
                gst::ReferenceTimestampMeta::add(buffer.get_mut().unwrap(), &caps, *time, None);
            }
            assert_eq!(utc_ns(&buffer), expected.map(gst::ClockTime::nseconds));
        }
    }
}
