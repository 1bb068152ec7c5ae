// SPDX-License-Identifier: MPL-2.0

//! Settings and properties of `faceattitude`. Names, defaults, ranges and meanings that the program
//! shares are in [`attitude::settings`] and [`attitude_inference::settings`].

use std::path::PathBuf;
use std::sync::LazyLock;

use super::{Baseline, ExecutionProvider, Fallback, Messages, Mode, OrientationMethod};
use crate::meta::FACE;
use crate::properties::{Mutable, Property, field, text};
use attitude::analyzer::Params;
use attitude::settings::{self as analysis, TextSetting};
use attitude::tracking::MIN_TIMEOUT_IN_INTERVALS;
use attitude_inference::settings as inference;

/// Values of all [`PROPERTIES`].
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub detector_model: Option<PathBuf>,
    pub attitude_model: Option<PathBuf>,
    /// As set; parsed when the element starts, which can fail.
    pub mapping: Option<String>,
    pub onnxruntime: Option<PathBuf>,
    pub execution_provider: ExecutionProvider,
    pub device_id: i32,
    pub device: Option<String>,
    pub gpu_mem_limit: u64,
    pub provider_library: Option<PathBuf>,
    /// As set; parsed when the element starts, which can fail.
    pub provider_options: Option<String>,
    pub batch_timeout_ns: u64,
    pub inference_timeout_ns: u64,
    pub fallback: Fallback,
    pub mode: Mode,
    pub detect_faces: bool,
    pub face_type: String,
    pub baseline: Baseline,
    pub frame: FrameSettings,
}

/// Settings of the processing of a frame; copied once per frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameSettings {
    pub sample_interval_ns: u64,
    pub orientation: OrientationMethod,
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
            device: None,
            gpu_mem_limit: inference::GPU_MEM_LIMIT.default,
            provider_library: None,
            provider_options: None,
            batch_timeout_ns: inference::BATCH_TIMEOUT_NS.default,
            inference_timeout_ns: inference::INFERENCE_TIMEOUT_NS.default,
            fallback: Fallback::default(),
            mode: Mode::default(),
            detect_faces: true,
            face_type: FACE.to_owned(),
            baseline: Baseline::default(),
            frame: FrameSettings {
                sample_interval_ns: analysis::SAMPLE_INTERVAL_NS.default,
                orientation: OrientationMethod::default(),
                params: Params::default(),
                messages: Messages::default(),
                roi_meta: true,
                analytics_meta: true,
                overlay: false,
            },
        }
    }
}

const MODE: TextSetting = text(
    "mode",
    "Mode",
    "Whether sampled frames wait for their results (sync), or all frames pass at once and results \
     attach to later frames (live); auto = live if upstream is live, otherwise sync",
);

const DETECT_FACES: TextSetting = text(
    "detect-faces",
    "Detect faces",
    "Detect faces; if false, use upstream detections of type face-type",
);

const FACE_TYPE: TextSetting = text(
    "face-type",
    "Face type",
    "Type of the upstream regions of interest and detections that are faces, if detect-faces is \
     false",
);

const ORIENTATION: TextSetting = text(
    "orientation",
    "Orientation",
    "Orientation of the picture in frames, which are analyzed upright; auto = that in the \
     image-orientation tag",
);

const MESSAGES: TextSetting = text(
    "messages",
    "Messages",
    "Samples for which an element message named 'faceattitude' is posted on the bus",
);

const ROI_META: TextSetting = text(
    "roi-meta",
    "ROI meta",
    "Attach a GstVideoRegionOfInterestMeta of type 'face' per face to every frame",
);

const ANALYTICS_META: TextSetting = text(
    "analytics-meta",
    "Analytics meta",
    "Attach a GstAnalyticsRelationMeta with the faces to every frame; needs GStreamer 1.24 and \
     the plugin built with the feature 'analytics'",
);

const OVERLAY: TextSetting = text(
    "overlay",
    "Overlay",
    "Draw boxes, labels and history strips, as attitudeoverlay does with its default properties",
);

/// Properties that can be set, in the order of their ids.
pub(super) static PROPERTIES: LazyLock<Vec<Property<Settings>>> = LazyLock::new(|| {
    use Mutable::{Playing, Ready};
    vec![
        Property::path(&inference::DETECTOR_MODEL, Ready, field!(detector_model)),
        Property::path(&inference::ATTITUDE_MODEL, Ready, field!(attitude_model)),
        Property::text(&inference::MAPPING, Ready, field!(mapping)),
        Property::path(&inference::ONNXRUNTIME, Ready, field!(onnxruntime)),
        Property::choice(
            &inference::EXECUTION_PROVIDER,
            Ready,
            field!(execution_provider),
        ),
        Property::number(&inference::DEVICE_ID, Ready, field!(device_id)),
        Property::text(&inference::DEVICE, Ready, field!(device)),
        Property::number(&inference::GPU_MEM_LIMIT, Ready, field!(gpu_mem_limit)),
        Property::path(
            &inference::PROVIDER_LIBRARY,
            Ready,
            field!(provider_library),
        ),
        Property::text(
            &inference::PROVIDER_OPTIONS,
            Ready,
            field!(provider_options),
        ),
        Property::time(
            &inference::BATCH_TIMEOUT_NS,
            Ready,
            field!(batch_timeout_ns),
        ),
        Property::time(
            &inference::INFERENCE_TIMEOUT_NS,
            Ready,
            field!(inference_timeout_ns),
        ),
        Property::choice(&inference::FALLBACK, Ready, field!(fallback)),
        Property::choice(&MODE, Ready, field!(mode)),
        Property::flag(&DETECT_FACES, Ready, field!(detect_faces)),
        Property::text_with_default(&FACE_TYPE, Ready, field!(face_type)),
        Property::choice(&ORIENTATION, Playing, field!(frame.orientation)),
        Property::time(
            &analysis::SAMPLE_INTERVAL_NS,
            Playing,
            field!(frame.sample_interval_ns),
        ),
        Property::number(
            &analysis::DETECTOR_SIZE,
            Playing,
            field!(frame.params.detector_size),
        ),
        Property::time(
            &analysis::DETECTION_INTERVAL_NS,
            Playing,
            field!(frame.params.detection_interval_ns),
        ),
        Property::number(
            &analysis::MIN_FACE_SIZE,
            Playing,
            field!(frame.params.min_face_size),
        ),
        Property::number(
            &analysis::MAX_FACES,
            Playing,
            field!(frame.params.max_faces),
        ),
        Property::number(
            &analysis::DETECTION_THRESHOLD,
            Playing,
            field!(frame.params.detection_threshold),
        ),
        Property::number(
            &analysis::OVERLAP_THRESHOLD,
            Playing,
            field!(frame.params.overlap_threshold),
        ),
        Property::number(
            &analysis::MIN_CONFIDENCE,
            Playing,
            field!(frame.params.min_confidence),
        ),
        Property::time(
            &analysis::SMOOTHING_NS,
            Playing,
            field!(frame.params.smoothing_ns),
        ),
        Property::time(
            &analysis::TRACK_TIMEOUT_NS,
            Playing,
            field!(frame.params.track_timeout_ns),
        ),
        Property::flag(&analysis::TREND, Playing, field!(frame.params.has_trend)),
        Property::choice(&analysis::BASELINE, Playing, field!(baseline)),
        Property::time(
            &analysis::BASELINE_TIME_NS,
            Playing,
            field!(frame.params.baseline.learning_ns),
        ),
        Property::choice(&MESSAGES, Playing, field!(frame.messages)),
        Property::flag(&ROI_META, Playing, field!(frame.roi_meta)),
        Property::flag(&ANALYTICS_META, Playing, field!(frame.analytics_meta)),
        Property::flag(&OVERLAY, Playing, field!(frame.overlay)),
    ]
});

impl Settings {
    /// Discards the baselines at the next sample, from which on they are computed again.
    pub fn learn_baselines(&mut self) {
        let generation = &mut self.frame.params.baseline.generation;
        *generation = generation.wrapping_add(1);
    }

    /// Returns the settings for the next frame. The track timeout is raised if it is so short that
    /// a face would be lost between two samples that both contain it.
    pub fn for_frame(&self) -> FrameSettings {
        let mut frame = self.frame;
        frame.params.baseline.mode = self.baseline.into();
        let timeout_ns = &mut frame.params.track_timeout_ns;
        *timeout_ns = (*timeout_ns).max(
            frame
                .sample_interval_ns
                .saturating_mul(MIN_TIMEOUT_IN_INTERVALS),
        );
        frame
    }

    /// Returns the type of the upstream regions that are faces; `None` if faces are detected.
    pub fn upstream_type(&self) -> Option<String> {
        (!self.detect_faces).then(|| self.face_type.clone())
    }
}
