// SPDX-License-Identifier: MPL-2.0

//! Names, defaults, ranges and descriptions of the settings of the networks. [`attitude::settings`] has
//! those of the analysis.

use attitude::settings::{Number, Text};

/// File of the face detector.
pub const DETECTOR_MODEL: Text = Text {
    name: "detector-model",
    nick: "Detector model",
    meaning: "ONNX file of the face detector, such as YuNet or UltraFace; if unset, the embedded one",
};

/// File of the attitude or emotion classifier.
pub const ATTITUDE_MODEL: Text = Text {
    name: "attitude-model",
    nick: "Attitude model",
    meaning: "ONNX file of the attitude or emotion classifier, described by a .toml file of the same name \
              beside it; if unset, the embedded one",
};

/// Mapping of the classifier's emotions to attitudes.
pub const MAPPING: Text = Text {
    name: "mapping",
    nick: "Mapping",
    meaning: "Emotions that count as positive or neutral, such as 'positive=happiness,surprise; \
              neutral=neutral'; all others count as negative; if unset, the attitude model's own mapping",
};

/// Path of ONNX Runtime.
pub const ONNXRUNTIME: Text = Text {
    name: "onnxruntime",
    nick: "ONNX Runtime",
    meaning: "Path of libonnxruntime.so, one per process; if unset, ORT_DYLIB_PATH, else the library in the \
              plugin's folder, a system library, or the one that setup.sh installs",
};

/// Execution provider of ONNX Runtime; see [`Provider`](crate::provider::Provider).
pub const EXECUTION_PROVIDER: Text = Text {
    name: "execution-provider",
    nick: "Execution provider",
    meaning: "Execution provider of ONNX Runtime that runs the networks",
};

/// Action if the execution provider cannot run.
pub const FALLBACK: Text = Text {
    name: "fallback",
    nick: "Fallback",
    meaning: "Action if the requested execution provider cannot run",
};

/// Index of the GPU.
pub const DEVICE_ID: Number<i32> = Number {
    name: "device-id",
    nick: "Device ID",
    meaning: "Index of the GPU",
    default: 0,
    min: 0,
    max: i32::MAX,
};

/// Maximum time that faces wait for faces of other streams, in nanoseconds.
pub const BATCH_TIMEOUT_NS: Number<u64> = Number {
    name: "batch-timeout",
    nick: "Batch timeout",
    meaning: "On a GPU, maximum time that faces wait for faces of other streams, to be classified in one batch",
    default: 2_000_000,
    min: 0,
    max: 1_000_000_000,
};
