// SPDX-License-Identifier: MPL-2.0

//! Links the streams of a recording to the analyses and the annotated video.

use std::sync::{Arc, Mutex};

use attitude::sync::lock;
use gst::prelude::*;

use super::annotation::Annotation;
use super::{AUDIO, VIDEO};

/// Returns `true` if the caps of `pad` are those of decoded video.
pub(super) fn is_video(pad: &gst::Pad) -> bool {
    has_media_type(pad, VIDEO)
}

/// Returns `true` if the caps of `pad` are those of decoded sound.
fn is_sound(pad: &gst::Pad) -> bool {
    has_media_type(pad, AUDIO)
}

fn has_media_type(pad: &gst::Pad, media_type: &str) -> bool {
    let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
    let first = caps.structure(0);
    first.is_some_and(|structure| structure.name() == media_type)
}

/// Links streams of the source.
pub(super) struct StreamLinker {
    pub pipeline: glib::WeakRef<gst::Pipeline>,
    pub video_input: glib::WeakRef<gst::Pad>,
    pub annotation: Option<Arc<Annotation>>,
    /// Blocks the streams that are linked.
    pub block: Option<PadBlock>,
}

impl StreamLinker {
    /// Links one video and one other stream of `pads`, which are all streams.
    pub(super) fn link_streams(&self, pads: &[gst::Pad]) {
        let (videos, others): (Vec<&gst::Pad>, Vec<&gst::Pad>) =
            pads.iter().partition(|pad| is_video(pad));
        for pads in [videos, others] {
            self.link_first(&pads);
        }
    }

    /// Links one of `pads`, all of which are videos or none: a default one, or else the first.
    fn link_first(&self, pads: &[&gst::Pad]) {
        let (default, others): (Vec<&gst::Pad>, Vec<&gst::Pad>) =
            pads.iter().partition(|pad| is_default(pad));
        let mut pads = default.into_iter().chain(others);
        pads.find(|pad| self.link(pad));
    }

    /// Links `pad`; returns `true` if it was linked. If it cannot be linked, an error is posted on
    /// the bus.
    fn link(&self, pad: &gst::Pad) -> bool {
        let (Some(pipeline), Some(video_input)) =
            (self.pipeline.upgrade(), self.video_input.upgrade())
        else {
            return false;
        };
        let is_video = is_video(pad);
        let is_linked = match (is_video, &self.annotation) {
            (true, _) => pad.link(&video_input).is_ok(),
            (false, Some(annotation)) if is_sound(pad) => annotation.add_sound(&pipeline, pad),
            (false, _) => false,
        };
        if is_linked && let Some(block) = &self.block {
            block.add(pad, is_video);
        }
        is_linked
    }
}

/// Returns `true` if the container states that the stream of `pad` is played by default.
fn is_default(pad: &gst::Pad) -> bool {
    let start = pad.sticky_event::<gst::event::StreamStart>(0);
    start.is_some_and(|start| start.stream_flags().contains(gst::StreamFlags::SELECT))
}

/// Blocks pads until the position to play from is set: an encoder cannot go back in time.
#[derive(Clone, Default)]
pub(super) struct PadBlock(Arc<Mutex<BlockedPads>>);

#[derive(Default)]
struct BlockedPads {
    video: Option<gst::Pad>,
    probes: Vec<(gst::Pad, gst::PadProbeId)>,
}

impl PadBlock {
    /// Blocks `pad`.
    fn add(&self, pad: &gst::Pad, is_video: bool) {
        let probe = pad.add_probe(gst::PadProbeType::BLOCK_DOWNSTREAM, |_, _| {
            gst::PadProbeReturn::Ok
        });
        let mut blocked = lock(&self.0);
        blocked
            .probes
            .extend(probe.map(|probe| (pad.clone(), probe)));
        if is_video {
            blocked.video = Some(pad.clone());
        }
    }

    /// Returns the blocked video pad; `None` if there is none.
    pub(super) fn video_pad(&self) -> Option<gst::Pad> {
        lock(&self.0).video.clone()
    }

    /// Lets all pads continue.
    pub(super) fn remove(&self) {
        let blocked = std::mem::take(&mut *lock(&self.0));
        for (pad, probe) in blocked.probes {
            pad.remove_probe(probe);
        }
    }
}
