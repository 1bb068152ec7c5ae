// SPDX-License-Identifier: MPL-2.0

//! Properties of the element. Defaults, ranges and meanings that the program shares are in
//! [`attitude::settings`] and [`attitude_inference::settings`].

use std::path::PathBuf;

use gst::prelude::*;

use super::{ExecutionProvider, Fallback, Messages, Mode};
use crate::meta::FACE;
use attitude::analyzer::Params;
use attitude::settings::{self as analysis, Number, Text};
use attitude::tracking::MIN_TIMEOUT_IN_SPACINGS;
use attitude_inference::settings as inference;

/// Values of all properties.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub detector_model: Option<PathBuf>,
    pub attitude_model: Option<PathBuf>,
    /// As set; parsed when the element starts, which can fail.
    pub mapping: Option<String>,
    pub onnxruntime: Option<PathBuf>,
    pub execution_provider: ExecutionProvider,
    pub device_id: i32,
    pub batch_timeout_ns: u64,
    pub fallback: Fallback,
    pub mode: Mode,
    pub detect_faces: bool,
    pub face_type: String,
    pub frame: FrameSettings,
}

/// Values that a frame depends on; copied once per frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameSettings {
    pub sample_interval_ns: u64,
    pub params: Params,
    pub messages: Messages,
    pub roi_meta: bool,
    pub analytics_meta: bool,
    pub overlay: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            detector_model: None,
            attitude_model: None,
            mapping: None,
            onnxruntime: None,
            execution_provider: ExecutionProvider::Auto,
            device_id: inference::DEVICE_ID.default,
            batch_timeout_ns: inference::BATCH_TIMEOUT_NS.default,
            fallback: Fallback::default(),
            mode: Mode::default(),
            detect_faces: true,
            face_type: FACE.to_owned(),
            frame: FrameSettings {
                sample_interval_ns: analysis::SAMPLE_INTERVAL_NS.default,
                params: Params::default(),
                messages: Messages::default(),
                roi_meta: true,
                analytics_meta: true,
                overlay: false,
            },
        }
    }
}

/// Returns the properties with their defaults.
pub(super) fn properties() -> Vec<glib::ParamSpec> {
    let defaults = Settings::default();
    let frame = defaults.frame;
    vec![
        text(&inference::DETECTOR_MODEL),
        text(&inference::ATTITUDE_MODEL),
        text(&inference::MAPPING),
        text(&inference::ONNXRUNTIME),
        glib::ParamSpecEnum::builder_with_default(inference::EXECUTION_PROVIDER.name, defaults.execution_provider)
            .nick(inference::EXECUTION_PROVIDER.nick)
            .blurb(inference::EXECUTION_PROVIDER.meaning)
            .mutable_ready()
            .build(),
        glib::ParamSpecInt::builder(inference::DEVICE_ID.name)
            .nick(inference::DEVICE_ID.nick)
            .blurb(inference::DEVICE_ID.meaning)
            .minimum(inference::DEVICE_ID.min)
            .maximum(inference::DEVICE_ID.max)
            .default_value(inference::DEVICE_ID.default)
            .mutable_ready()
            .build(),
        time(&inference::BATCH_TIMEOUT_NS, gst::PARAM_FLAG_MUTABLE_READY),
        glib::ParamSpecEnum::builder_with_default(inference::FALLBACK.name, defaults.fallback)
            .nick(inference::FALLBACK.nick)
            .blurb(inference::FALLBACK.meaning)
            .mutable_ready()
            .build(),
        glib::ParamSpecEnum::builder_with_default("mode", defaults.mode)
            .nick("Mode")
            .blurb("Whether frames pass at once and results attach to later frames, or sampled frames wait for their results")
            .mutable_ready()
            .build(),
        glib::ParamSpecBoolean::builder("detect-faces")
            .nick("Detect faces")
            .blurb(
                "Detect the faces; if false, use the regions of interest and detections of type face-type \
                 that upstream attached",
            )
            .default_value(defaults.detect_faces)
            .mutable_ready()
            .build(),
        glib::ParamSpecString::builder("face-type")
            .nick("Face type")
            .blurb("Type of the upstream regions and detections that are faces, for detect-faces=false")
            .default_value(defaults.face_type.as_str())
            .mutable_ready()
            .build(),
        time(&analysis::SAMPLE_INTERVAL_NS, gst::PARAM_FLAG_MUTABLE_PLAYING),
        count(&analysis::DETECTOR_SIZE),
        count(&analysis::MIN_FACE_SIZE),
        count(&analysis::MAX_FACES),
        score(&analysis::DETECTION_THRESHOLD),
        score(&analysis::OVERLAP_THRESHOLD),
        score(&analysis::MIN_CONFIDENCE),
        time(&analysis::SMOOTHING_NS, gst::PARAM_FLAG_MUTABLE_PLAYING),
        time(&analysis::TRACK_TIMEOUT_NS, gst::PARAM_FLAG_MUTABLE_PLAYING),
        glib::ParamSpecEnum::builder_with_default("messages", frame.messages)
            .nick("Messages")
            .blurb("When to post an element message 'faceattitude' on the bus")
            .mutable_playing()
            .build(),
        flag(
            "roi-meta",
            "ROI meta",
            "Attach a GstVideoRegionOfInterestMeta of type 'face' per face to every frame",
            frame.roi_meta,
        ),
        flag(
            "analytics-meta",
            "Analytics meta",
            "Attach a GstAnalyticsRelationMeta with the faces to every frame; needs GStreamer 1.24 and \
             the plugin built with the feature 'analytics'",
            frame.analytics_meta,
        ),
        flag(
            "overlay",
            "Overlay",
            "Draw boxes, labels and histories",
            frame.overlay,
        ),
    ]
}

fn text(setting: &Text) -> glib::ParamSpec {
    glib::ParamSpecString::builder(setting.name)
        .nick(setting.nick)
        .blurb(setting.meaning)
        .mutable_ready()
        .build()
}

fn count(setting: &Number<u32>) -> glib::ParamSpec {
    glib::ParamSpecUInt::builder(setting.name)
        .nick(setting.nick)
        .blurb(setting.meaning)
        .minimum(setting.min)
        .maximum(setting.max)
        .default_value(setting.default)
        .mutable_playing()
        .build()
}

fn score(setting: &Number<f32>) -> glib::ParamSpec {
    glib::ParamSpecFloat::builder(setting.name)
        .nick(setting.nick)
        .blurb(setting.meaning)
        .minimum(setting.min)
        .maximum(setting.max)
        .default_value(setting.default)
        .mutable_playing()
        .build()
}

/// Returns a property that is a time, changeable up to the state that `flags` names.
fn time(setting: &Number<u64>, flags: glib::ParamFlags) -> glib::ParamSpec {
    glib::ParamSpecUInt64::builder(setting.name)
        .nick(setting.nick)
        .blurb(&format!("{} (in nanoseconds)", setting.meaning))
        .minimum(setting.min)
        .maximum(setting.max)
        .default_value(setting.default)
        .flags(glib::ParamFlags::READWRITE | flags)
        .build()
}

fn flag(name: &str, nick: &str, blurb: &str, default: bool) -> glib::ParamSpec {
    glib::ParamSpecBoolean::builder(name)
        .nick(nick)
        .blurb(blurb)
        .default_value(default)
        .mutable_playing()
        .build()
}

impl Settings {
    /// Returns the values for the next frame, with a track timeout that a face that every sample
    /// contains does not reach between two samples.
    pub fn for_frame(&self) -> FrameSettings {
        let mut frame = self.frame;
        let timeout_ns = &mut frame.params.track_timeout_ns;
        *timeout_ns = (*timeout_ns).max(
            frame
                .sample_interval_ns
                .saturating_mul(MIN_TIMEOUT_IN_SPACINGS),
        );
        frame
    }

    /// Returns the type of the upstream regions that are faces; `None` if faces are detected.
    pub fn upstream_type(&self) -> Option<String> {
        (!self.detect_faces).then(|| self.face_type.clone())
    }

    /// Sets one of [`properties`].
    ///
    /// # Panics
    /// Panics if there is no property `name`, or if `value` has another type; GObject checks both.
    pub fn set(&mut self, name: &str, value: &glib::Value) {
        fn to<'a, T: glib::value::FromValue<'a>>(value: &'a glib::Value) -> T {
            value.get().expect("GObject checked the type")
        }
        // An empty path counts as unset: graphical tools write one for an empty field.
        let path = |value| to::<Option<PathBuf>>(value).filter(|p| !p.as_os_str().is_empty());
        let frame = &mut self.frame;
        let params = &mut frame.params;
        match name {
            "detector-model" => self.detector_model = path(value),
            "attitude-model" => self.attitude_model = path(value),
            "mapping" => {
                self.mapping = to::<Option<String>>(value).filter(|text| !text.is_empty());
            }
            "onnxruntime" => self.onnxruntime = path(value),
            "execution-provider" => self.execution_provider = to(value),
            "device-id" => self.device_id = to(value),
            "batch-timeout" => self.batch_timeout_ns = to(value),
            "fallback" => self.fallback = to(value),
            "mode" => self.mode = to(value),
            "detect-faces" => self.detect_faces = to(value),
            "face-type" => {
                let face_type = to::<Option<String>>(value).filter(|text| !text.is_empty());
                self.face_type = face_type.unwrap_or_else(|| FACE.to_owned());
            }
            "sample-interval" => frame.sample_interval_ns = to(value),
            "detector-size" => params.detector_size = to(value),
            "min-face-size" => params.min_face_size = to(value),
            "max-faces" => params.max_faces = to(value),
            "detection-threshold" => params.detection_threshold = to(value),
            "overlap-threshold" => params.overlap_threshold = to(value),
            "min-confidence" => params.min_confidence = to(value),
            "smoothing" => params.smoothing_ns = to(value),
            "track-timeout" => params.track_timeout_ns = to(value),
            "messages" => frame.messages = to(value),
            "roi-meta" => frame.roi_meta = to(value),
            "analytics-meta" => frame.analytics_meta = to(value),
            "overlay" => frame.overlay = to(value),
            _ => unreachable!("no such property: {name}"),
        }
    }

    /// Returns the value of one of [`properties`].
    ///
    /// # Panics
    /// Panics if there is no property `name`; GObject checks that.
    pub fn get(&self, name: &str) -> glib::Value {
        let frame = &self.frame;
        let params = &frame.params;
        let path = |path: &Option<PathBuf>| {
            let text = path
                .as_ref()
                .map(|path| path.to_string_lossy().into_owned());
            text.to_value()
        };
        match name {
            "detector-model" => path(&self.detector_model),
            "attitude-model" => path(&self.attitude_model),
            "mapping" => self.mapping.to_value(),
            "onnxruntime" => path(&self.onnxruntime),
            "execution-provider" => self.execution_provider.to_value(),
            "device-id" => self.device_id.to_value(),
            "batch-timeout" => self.batch_timeout_ns.to_value(),
            "fallback" => self.fallback.to_value(),
            "mode" => self.mode.to_value(),
            "detect-faces" => self.detect_faces.to_value(),
            "face-type" => self.face_type.to_value(),
            "sample-interval" => frame.sample_interval_ns.to_value(),
            "detector-size" => params.detector_size.to_value(),
            "min-face-size" => params.min_face_size.to_value(),
            "max-faces" => params.max_faces.to_value(),
            "detection-threshold" => params.detection_threshold.to_value(),
            "overlap-threshold" => params.overlap_threshold.to_value(),
            "min-confidence" => params.min_confidence.to_value(),
            "smoothing" => params.smoothing_ns.to_value(),
            "track-timeout" => params.track_timeout_ns.to_value(),
            "messages" => frame.messages.to_value(),
            "roi-meta" => frame.roi_meta.to_value(),
            "analytics-meta" => frame.analytics_meta.to_value(),
            "overlay" => frame.overlay.to_value(),
            _ => unreachable!("no such property: {name}"),
        }
    }
}
