// SPDX-License-Identifier: MPL-2.0

//! Positions in a recording, as players show them.
//!
//! MP4 and QuickTime state when each track begins, so their stream times are positions. In other
//! containers, timestamps may begin at any time, as in a piece of a longer recording; the first one
//! of sound and video is the position 0. GStreamer's demuxers treat such files in different ways, so
//! positions are computed from timestamps.

use std::sync::{Arc, Mutex};

use attitude::clock::{self, NS_PER_S};
use attitude::sync::lock;
use gst::prelude::*;

use super::demuxers::{on_demuxer, reads_playlists};

/// Returns `true` if `pad` is that of a video stream of a demuxer.
pub(super) fn is_video_stream(pad: &gst::Pad) -> bool {
    StreamKind::of(pad) == StreamKind::Video
}

/// What is known about the times of a recording from its demuxer.
#[derive(Clone, Default)]
pub(super) struct RecordingTimes(Arc<Mutex<Times>>);

#[derive(Default)]
struct Times {
    container: Container,
    /// Set if the container states its duration, instead of an estimate by the demuxer.
    states_duration: bool,
    /// Time from the start of the sound to the start of the video, if it is known from the file. The
    /// demuxer may not know the timestamps of sound that precedes the video, or any.
    sound_lead_ns: u64,
    streams: Vec<Stream>,
}

/// How a container states its times.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Container {
    /// There is none, or it states where its streams begin.
    #[default]
    Absolute,
    /// Its first timestamp is the start. It states no duration, or that of the streams.
    Relative,
    /// Its first timestamp is the start. It states the last timestamp as its duration.
    RelativeWithEnd,
}

/// Times of the packets of a stream.
struct Stream {
    kind: StreamKind,
    /// The first one; `None` before the first packet, and if it is never played.
    first: Option<Start>,
    /// Latest start of a packet, as a timestamp or, if the container is absolute, as a stream time.
    latest_ns: Option<u64>,
    /// Latest end of a packet, in the same time.
    end_ns: Option<u64>,
    /// Start of the first packet minus its decoding timestamp, in nanoseconds.
    decoding_delay_ns: Option<i128>,
}

impl Stream {
    /// Adds a packet that starts at this time.
    fn add(&mut self, start: gst::ClockTime, packet: &gst::BufferRef) {
        let start_ns = start.nseconds();
        self.latest_ns = self.latest_ns.max(Some(start_ns));
        // Durations are those between packets, which are in the order of decoding.
        let delay_ns = packet
            .dts()
            .map(|dts| i128::from(start_ns) - i128::from(dts.nseconds()));
        let decoding_delay_ns = self.decoding_delay_ns.or(delay_ns);
        self.decoding_delay_ns = decoding_delay_ns;
        let decoded_ns = packet
            .dts()
            .zip(decoding_delay_ns)
            .and_then(|(dts, delay_ns)| u64::try_from(i128::from(dts.nseconds()) + delay_ns).ok());
        let duration_ns = packet.duration().map_or(0, gst::ClockTime::nseconds);
        let end_ns = decoded_ns.unwrap_or(start_ns).saturating_add(duration_ns);
        self.end_ns = self.end_ns.max(Some(end_ns.max(start_ns)));
    }
}

/// Kind of a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StreamKind {
    Video,
    Sound,
    Other,
}

impl StreamKind {
    /// Returns the kind of the stream of `pad`.
    fn of(pad: &gst::Pad) -> Self {
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let name = caps
            .structure(0)
            .map_or("", |structure| structure.name().as_str());
        match name.split('/').next() {
            Some("video" | "image") => Self::Video,
            Some("audio") => Self::Sound,
            _ => Self::Other,
        }
    }
}

/// A start of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Start {
    pts_ns: u64,
    stream_time_ns: u64,
}

/// Converts times to positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PositionScale {
    /// Stream times are positions.
    StreamTime,
    /// Positions count from this start.
    Timestamp {
        /// Timestamp of the start.
        origin_ns: u64,
        /// Stream time of the start, to which a demuxer seeks.
        stream_time_ns: u64,
        /// Time from the start of the recording to this start.
        lead_ns: u64,
        /// Set if the container's duration is its last timestamp.
        has_end: bool,
    },
}

impl PositionScale {
    /// Returns the position of a frame with this timestamp and stream time; `None` if it has none.
    pub(super) fn position_ns(
        self,
        pts_ns: Option<u64>,
        stream_time_ns: Option<u64>,
    ) -> Option<u64> {
        match self {
            Self::StreamTime => stream_time_ns,
            Self::Timestamp {
                origin_ns, lead_ns, ..
            } => pts_ns.map(|pts_ns| pts_ns.saturating_sub(origin_ns).saturating_add(lead_ns)),
        }
    }

    /// Returns the timestamp of position 0; 0 if timestamps do not count from another time.
    pub(super) fn origin_ns(self) -> u64 {
        match self {
            Self::StreamTime => 0,
            Self::Timestamp {
                origin_ns, lead_ns, ..
            } => origin_ns.saturating_sub(lead_ns),
        }
    }

    /// Returns the stream time of a position, for seeking.
    pub(super) fn stream_time_ns(self, position_ns: u64) -> u64 {
        match self {
            Self::StreamTime => position_ns,
            Self::Timestamp {
                stream_time_ns,
                lead_ns,
                ..
            } => position_ns
                .saturating_sub(lead_ns)
                .saturating_add(stream_time_ns),
        }
    }

    /// Returns the duration of the recording if `duration_ns` is that of the container.
    pub(super) fn duration_ns(self, duration_ns: u64) -> u64 {
        match self {
            Self::Timestamp {
                origin_ns,
                has_end: true,
                ..
            } => duration_ns.saturating_sub(origin_ns),
            _ => duration_ns,
        }
    }
}

impl RecordingTimes {
    /// Sets the time from the start of the sound to the start of the video.
    pub(super) fn set_sound_lead_ns(&self, lead_ns: u64) {
        lock(&self.0).sound_lead_ns = lead_ns;
    }

    /// Returns the time from the start of the sound to the start of the video if no packet up to now
    /// has a timestamp; otherwise 0.
    pub(super) fn assumed_lead_ns(&self) -> u64 {
        let times = lock(&self.0);
        let is_timed = times.streams.iter().any(|one| one.first.is_some());
        match times.container {
            Container::Relative if !is_timed => times.sound_lead_ns,
            _ => 0,
        }
    }

    /// Observes the streams of the demuxers in `source`.
    pub(super) fn watch(&self, source: &gst::Element) {
        let times = self.clone();
        on_demuxer(source, move |demuxer, factory| {
            times.watch_demuxer(demuxer, factory);
        });
    }

    fn watch_demuxer(&self, demuxer: &gst::Element, factory: &gst::ElementFactory) {
        let is_playlist = reads_playlists(factory);
        let container = match factory.name().as_str() {
            "qtdemux" => Container::Absolute,
            // A playlist states the times of its pieces.
            _ if is_playlist => Container::Absolute,
            "matroskademux" => Container::RelativeWithEnd,
            _ => Container::Relative,
        };
        {
            let mut times = lock(&self.0);
            times.container = container;
            // `qtdemux` ends with the video, although the sound may be longer.
            let stating = ["asfdemux", "flvdemux", "matroskademux", "mxfdemux"];
            times.states_duration = stating.contains(&factory.name().as_str());
        }
        if factory.name() == "matroskademux" {
            // A gap between frames is time that passes, not time to skip.
            demuxer.set_property("max-gap-time", 0u64);
        }
        if !is_playlist {
            let times = self.clone();
            demuxer.connect_pad_added(move |_, pad| times.watch_stream(pad));
        }
    }

    fn watch_stream(&self, pad: &gst::Pad) {
        let index = {
            let mut times = lock(&self.0);
            times.streams.push(Stream {
                kind: StreamKind::of(pad),
                first: None,
                latest_ns: None,
                end_ns: None,
                decoding_delay_ns: None,
            });
            times.streams.len() - 1
        };
        let times = self.clone();
        pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            let Some(buffer) = info.buffer() else {
                return gst::PadProbeReturn::Ok;
            };
            if let Some(pts) = buffer.pts() {
                let mut times = lock(&times.0);
                let container = times.container;
                let stream = &mut times.streams[index];
                let stream_time = stream_time(pad, pts);
                let start = match container {
                    Container::Absolute => stream_time,
                    _ => Some(pts),
                };
                if let Some(start) = start {
                    stream.add(start, buffer);
                }
                // Packets before the segment are not played.
                stream.first = stream.first.or_else(|| {
                    stream_time.map(|stream_time| Start {
                        pts_ns: pts.nseconds(),
                        stream_time_ns: stream_time.nseconds(),
                    })
                });
            }
            gst::PadProbeReturn::Ok
        });
    }

    /// Returns the scale; `None` as long as it may change because a stream has no packet yet.
    pub(super) fn scale(&self) -> Option<PositionScale> {
        let is_known = {
            let times = lock(&self.0);
            let is_known = |stream: &Stream| stream.first.is_some();
            times.container == Container::Absolute || times.played_streams().all(is_known)
        };
        is_known.then(|| self.scale_so_far())
    }

    /// Returns the position at which the first sound or video starts, according to the packets up
    /// to now.
    pub(super) fn start_ns(&self) -> Option<u64> {
        let times = lock(&self.0);
        let starts = times.played_streams().filter_map(|stream| stream.first);
        match times.container {
            Container::Absolute => starts.map(|start| start.stream_time_ns).min(),
            _ => starts.map(|_| 0).min(),
        }
    }

    /// Returns the time of the latest packet, which [`position_ns`](Self::position_ns) converts;
    /// `None` before the first packet.
    pub(super) fn latest_packet_ns(&self) -> Option<u64> {
        let times = lock(&self.0);
        times.streams.iter().filter_map(|one| one.latest_ns).max()
    }

    /// Returns the position at the time of a packet, according to the packets up to now.
    pub(super) fn position_ns(&self, time_ns: u64) -> Option<u64> {
        let scale = self.scale_so_far();
        lock(&self.0).position_ns(scale, time_ns)
    }

    /// Returns the position at which the only video ends; `None` if it is not known.
    pub(super) fn video_end_ns(&self) -> Option<u64> {
        let scale = self.scale_so_far();
        let times = lock(&self.0);
        times.position_ns(scale, times.only_video()?.end_ns?)
    }

    /// Describes what is missing at the end of a recording that was played to its end; `None` if
    /// nothing is. The container's duration is `duration_ns`, and the last frame ended at
    /// `frames_end_ns`, both as positions. A sound that is longer than the video is no damage.
    pub(super) fn missing_end(
        &self,
        duration_ns: Option<u64>,
        frames_end_ns: Option<u64>,
    ) -> Option<String> {
        let scale = self.scale_so_far();
        let times = lock(&self.0);
        let position_ns = |time_ns| times.position_ns(scale, time_ns);
        let ends_ns = times.streams.iter().filter_map(|stream| stream.end_ns);
        let end_ns = ends_ns.max().and_then(position_ns)?;
        if let Some(duration_ns) = duration_ns
            && times.states_duration
            && is_far_before(end_ns, duration_ns)
        {
            return Some(format!(
                "its data end at {} of {}: the rest is missing or damaged",
                clock::position(end_ns),
                clock::position(duration_ns)
            ));
        }
        let video = times.only_video()?;
        let video_end_ns = video.latest_ns.and_then(position_ns)?;
        let frames_end_ns = frames_end_ns?;
        is_far_before(frames_end_ns, video_end_ns).then(|| {
            format!(
                "no frame can be decoded from {} to {}: the data are damaged",
                clock::position(frames_end_ns),
                clock::position(video_end_ns)
            )
        })
    }

    /// Returns the scale according to the packets up to now.
    pub(super) fn scale_so_far(&self) -> PositionScale {
        let times = lock(&self.0);
        let first = times
            .played_streams()
            .filter_map(|stream| stream.first)
            .min();
        match (times.container, first) {
            // No packet has a timestamp, so those of the frames start at 0.
            (Container::Relative, None) if times.sound_lead_ns > 0 => PositionScale::Timestamp {
                origin_ns: 0,
                stream_time_ns: 0,
                lead_ns: times.sound_lead_ns,
                has_end: false,
            },
            (Container::Absolute, _) | (_, None) => PositionScale::StreamTime,
            (container, Some(start)) => PositionScale::Timestamp {
                origin_ns: start.pts_ns,
                stream_time_ns: start.stream_time_ns,
                lead_ns: times.unknown_lead_ns(start),
                has_end: container == Container::RelativeWithEnd,
            },
        }
    }
}

impl Times {
    /// Returns the streams of sound and video.
    fn played_streams(&self) -> impl Iterator<Item = &Stream> {
        let streams = self.streams.iter();
        streams.filter(|stream| stream.kind != StreamKind::Other)
    }

    /// Returns the part of the lead of the sound that precedes `first`, the first known start.
    fn unknown_lead_ns(&self, first: Start) -> u64 {
        let video = self.only_video().and_then(|video| video.first);
        video.map_or(0, |video| {
            let known_ns = video.pts_ns.saturating_sub(first.pts_ns);
            self.sound_lead_ns.saturating_sub(known_ns)
        })
    }

    /// Returns the video; `None` if there is none or more than one.
    fn only_video(&self) -> Option<&Stream> {
        let streams = self.streams.iter();
        let mut videos = streams.filter(|stream| stream.kind == StreamKind::Video);
        videos.next().filter(|_| videos.next().is_none())
    }

    /// Returns the position on `scale` at a time of a stream.
    fn position_ns(&self, scale: PositionScale, time_ns: u64) -> Option<u64> {
        match self.container {
            Container::Absolute => Some(time_ns),
            _ => scale.position_ns(Some(time_ns), None),
        }
    }
}

/// Maximum difference of a stated end and the end of the data without damage: durations are rounded,
/// and that of the last packet may be unknown.
const MAX_MISSING_NS: u64 = NS_PER_S;

fn is_far_before(end_ns: u64, stated_end_ns: u64) -> bool {
    end_ns.saturating_add(MAX_MISSING_NS) < stated_end_ns
}

/// Converts a timestamp at `pad` to the stream time; `None` if it is outside the segment.
pub(super) fn stream_time(pad: &gst::Pad, pts: gst::ClockTime) -> Option<gst::ClockTime> {
    let segment = pad.sticky_event::<gst::event::Segment>(0)?;
    let segment = segment.segment().downcast_ref::<gst::ClockTime>()?;
    segment.to_stream_time(pts)
}
