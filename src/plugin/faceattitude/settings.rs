// SPDX-License-Identifier: MPL-2.0

//! The properties: one place for their defaults, ranges and meaning.

use std::path::PathBuf;

use gst::prelude::*;

use super::{ExecutionProvider, Fallback, Messages, Mode};
use crate::meta::FACE;
use attitude::analyzer::Params;
use attitude::tracking::MIN_TIMEOUT_IN_SPACINGS;

/// All that can be set.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub detector_model: Option<PathBuf>,
    pub attitude_model: Option<PathBuf>,
    /// As it was set; parsed at the start, which can fail.
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

/// What a frame depends on; copied once a frame.
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
            execution_provider: ExecutionProvider::default(),
            device_id: 0,
            batch_timeout_ns: 2_000_000,
            fallback: Fallback::default(),
            mode: Mode::default(),
            detect_faces: true,
            face_type: FACE.to_owned(),
            frame: FrameSettings {
                sample_interval_ns: 200_000_000,
                params: Params::default(),
                messages: Messages::default(),
                roi_meta: true,
                analytics_meta: true,
                overlay: false,
            },
        }
    }
}

/// Longest that faces may wait for others.
const MAX_BATCH_TIMEOUT_NS: u64 = 1_000_000_000;

/// Longest side that a detector's input may be asked to have, and most faces.
const MAX_DETECTOR_SIZE: u32 = 4096;
const MAX_FACES: u32 = 512;

/// The properties with their defaults.
pub(super) fn properties() -> Vec<glib::ParamSpec> {
    let defaults = Settings::default();
    let frame = defaults.frame;
    let params = frame.params;
    let text = |name: &str, nick: &str, blurb: &str| {
        glib::ParamSpecString::builder(name)
            .nick(nick)
            .blurb(blurb)
            .mutable_ready()
            .build()
    };
    let time = |name: &str, nick: &str, blurb: &str, default_ns: u64| {
        glib::ParamSpecUInt64::builder(name)
            .nick(nick)
            .blurb(blurb)
            .default_value(default_ns)
            .mutable_playing()
            .build()
    };
    let share = |name: &str, nick: &str, blurb: &str, default: f32| {
        glib::ParamSpecFloat::builder(name)
            .nick(nick)
            .blurb(blurb)
            .minimum(0.0)
            .maximum(1.0)
            .default_value(default)
            .mutable_playing()
            .build()
    };
    let flag = |name: &str, nick: &str, blurb: &str, default: bool| {
        glib::ParamSpecBoolean::builder(name)
            .nick(nick)
            .blurb(blurb)
            .default_value(default)
            .mutable_playing()
            .build()
    };
    vec![
        text(
            "detector-model",
            "Detector model",
            "ONNX file of the face detector (null = the embedded one); YuNet and UltraFace work unchanged",
        ),
        text(
            "attitude-model",
            "Attitude model",
            "ONNX file of the attitude or emotion classifier (null = the embedded one); \
             a .toml file of the same name beside it describes it",
        ),
        text(
            "mapping",
            "Mapping",
            "Which of the attitude model's emotions count to which attitude (null = as the model says), \
             such as 'positive=happiness,surprise; neutral=neutral'; all others are negative",
        ),
        text(
            "onnxruntime",
            "ONNX Runtime",
            "Path of libonnxruntime.so (null = ORT_DYLIB_PATH, beside the plugin, the system, \
             then where setup.sh puts it); one a process",
        ),
        glib::ParamSpecEnum::builder_with_default("execution-provider", defaults.execution_provider)
            .nick("Execution provider")
            .blurb("What runs the networks")
            .mutable_ready()
            .build(),
        glib::ParamSpecInt::builder("device-id")
            .nick("Device ID")
            .blurb("Number of the GPU")
            .minimum(0)
            .default_value(defaults.device_id)
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt64::builder("batch-timeout")
            .nick("Batch timeout")
            .blurb(
                "How long faces may wait for those of other streams, to be judged together on a GPU, \
                 in ns",
            )
            .maximum(MAX_BATCH_TIMEOUT_NS)
            .default_value(defaults.batch_timeout_ns)
            .mutable_ready()
            .build(),
        glib::ParamSpecEnum::builder_with_default("fallback", defaults.fallback)
            .nick("Fallback")
            .blurb("What happens where the asked execution provider cannot run")
            .mutable_ready()
            .build(),
        glib::ParamSpecEnum::builder_with_default("mode", defaults.mode)
            .nick("Mode")
            .blurb("How frames and their results meet")
            .mutable_ready()
            .build(),
        glib::ParamSpecBoolean::builder("detect-faces")
            .nick("Detect faces")
            .blurb(
                "Find the faces; false = take the regions and detections of type face-type that \
                 upstream has attached",
            )
            .default_value(defaults.detect_faces)
            .mutable_ready()
            .build(),
        glib::ParamSpecString::builder("face-type")
            .nick("Face type")
            .blurb("Type of upstream's regions and detections that are faces, for detect-faces=false")
            .default_value(defaults.face_type.as_str())
            .mutable_ready()
            .build(),
        time(
            "sample-interval",
            "Sample interval",
            "Running time between analysed frames, in ns (0 = every frame)",
            frame.sample_interval_ns,
        ),
        glib::ParamSpecUInt::builder("detector-size")
            .nick("Detector size")
            .blurb(
                "Long side of the detector's input in px; larger finds smaller faces and costs more \
                 (0 = what min-face-size needs)",
            )
            .maximum(MAX_DETECTOR_SIZE)
            .default_value(params.detector_size)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("min-face-size")
            .nick("Minimum face size")
            .blurb("Height in px of the frame under which a face is passed over")
            .default_value(params.min_face_size)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("max-faces")
            .nick("Maximum faces")
            .blurb("Most faces that are followed; the surest are taken")
            .minimum(1)
            .maximum(MAX_FACES)
            .default_value(params.max_faces)
            .mutable_playing()
            .build(),
        share(
            "detection-threshold",
            "Detection threshold",
            "Least score of a detected face",
            params.detection_threshold,
        ),
        share(
            "overlap-threshold",
            "Overlap threshold",
            "Intersection over union above which two detections are one face",
            params.overlap_threshold,
        ),
        share(
            "min-confidence",
            "Minimum confidence",
            "Smoothed score below which the attitude is 'unknown'",
            params.min_confidence,
        ),
        time(
            "smoothing",
            "Smoothing",
            "Time constant of the scores, in ns (0 = raw scores)",
            params.smoothing_ns,
        ),
        time(
            "track-timeout",
            "Track timeout",
            "How long a face that is not seen is kept, in ns; at least three times the time between samples",
            params.track_timeout_ns,
        ),
        glib::ParamSpecEnum::builder_with_default("messages", frame.messages)
            .nick("Messages")
            .blurb("When an element message 'faceattitude' is posted on the bus")
            .mutable_playing()
            .build(),
        flag(
            "roi-meta",
            "ROI meta",
            "Attach a GstVideoRegionOfInterestMeta of type 'face' for each face to every frame",
            frame.roi_meta,
        ),
        flag(
            "analytics-meta",
            "Analytics meta",
            "Attach a GstAnalyticsRelationMeta that tells of the faces to every frame; \
             needs GStreamer 1.24 and the plugin built with the feature 'analytics'",
            frame.analytics_meta,
        ),
        flag(
            "overlay",
            "Overlay",
            "Draw boxes, labels and history",
            frame.overlay,
        ),
    ]
}

impl Settings {
    /// What holds for the next frame: a face that every sample finds must not reach the track
    /// timeout from one sample to the next.
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

    /// The type of the regions that upstream attaches to faces; `None` where they are to be found.
    pub fn upstream_type(&self) -> Option<String> {
        (!self.detect_faces).then(|| self.face_type.clone())
    }

    /// Sets one of [`properties`].
    ///
    /// # Panics
    /// Where `name` is none of them, or `value` of another type; GObject checks both before.
    pub fn set(&mut self, name: &str, value: &glib::Value) {
        fn to<'a, T: glib::value::FromValue<'a>>(value: &'a glib::Value) -> T {
            value.get().expect("GObject checked the type")
        }
        // An empty path is none, as from a field that was left empty.
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

    /// The value of one of [`properties`].
    ///
    /// # Panics
    /// Where `name` is none of them; GObject checks it before.
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
