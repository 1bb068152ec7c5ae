// SPDX-License-Identifier: MPL-2.0

//! Names, defaults, ranges and descriptions of the settings of the networks. [`attitude::settings`]
//! has those of the analysis.

use attitude::settings::{NumberSetting, TextSetting};

/// File of the face detector.
pub const DETECTOR_MODEL: TextSetting = TextSetting {
    name: "detector-model",
    nick: "Detector model",
    blurb: "ONNX file of the face detector, such as YuNet or UltraFace; if unset, the embedded one",
};

/// File of the attitude or emotion classifier.
pub const ATTITUDE_MODEL: TextSetting = TextSetting {
    name: "attitude-model",
    nick: "Attitude model",
    blurb: "ONNX file of the attitude or emotion classifier, described by a .toml file of the same name \
              beside it; if unset, the embedded one",
};

/// Mapping of the classifier's emotions to attitudes.
pub const MAPPING: TextSetting = TextSetting {
    name: "mapping",
    nick: "Mapping",
    blurb: "Emotions that count as positive or neutral, such as 'positive=happiness,surprise; \
              neutral=neutral'; all others count as negative; if unset, the attitude model's own mapping",
};

/// Path of ONNX Runtime.
pub const ONNXRUNTIME: TextSetting = TextSetting {
    name: "onnxruntime",
    nick: "ONNX Runtime",
    blurb: "Path of libonnxruntime.so, one per process; if unset, ORT_DYLIB_PATH, else the library in the \
              plugin's folder, the one that setup.sh or gst-attitude-onnxruntime installs, or a system library",
};

/// Execution provider of ONNX Runtime; see [`Provider`](crate::provider::Provider).
pub const EXECUTION_PROVIDER: TextSetting = TextSetting {
    name: "execution-provider",
    nick: "Execution provider",
    blurb: "Execution provider of ONNX Runtime that runs the networks",
};

/// Action if the execution provider cannot run.
pub const FALLBACK: TextSetting = TextSetting {
    name: "fallback",
    nick: "Fallback",
    blurb: "Action if the requested execution provider cannot run",
};

/// Index of the GPU.
pub const DEVICE_ID: NumberSetting<i32> = NumberSetting {
    name: "device-id",
    nick: "Device ID",
    blurb: "Index of the GPU",
    default: 0,
    min: 0,
    max: i32::MAX,
};

/// Device of the execution provider.
pub const DEVICE: TextSetting = TextSetting {
    name: "device",
    nick: "Device",
    blurb: "Device of the execution provider: the index of a GPU, or a kind such as 'GPU', 'GPU.1' or 'NPU' for \
              openvino and plugin; if unset, device-id; 'gst-attitude devices' lists devices",
};

/// Maximum size of CUDA's memory arena of a network, in bytes; 0 for no limit.
pub const GPU_MEM_LIMIT: NumberSetting<u64> = NumberSetting {
    name: "gpu-mem-limit",
    nick: "GPU memory limit",
    blurb: "Maximum memory on the GPU that the arena of each network takes with CUDA, in bytes; 0 = no limit",
    default: 2 << 30,
    min: 0,
    max: 1 << 40,
};

/// Library of an execution provider.
pub const PROVIDER_LIBRARY: TextSetting = TextSetting {
    name: "provider-library",
    nick: "Provider library",
    blurb: "Library of the execution provider 'plugin', for ONNX Runtime 1.22 and newer",
};

/// Options of the execution provider.
pub const PROVIDER_OPTIONS: TextSetting = TextSetting {
    name: "provider-options",
    nick: "Provider options",
    blurb: "Options of the execution provider as ONNX Runtime documents them, such as \
              'use_tf32=1,prefer_nhwc=1'",
};

/// Time after which a run of a network is stopped, in nanoseconds.
pub const INFERENCE_TIMEOUT_NS: NumberSetting<u64> = NumberSetting {
    name: "inference-timeout",
    nick: "Inference timeout",
    blurb: "Time after which an inference is stopped and counts as failed",
    default: 10_000_000_000,
    min: 1_000_000,
    max: 3_600_000_000_000,
};

/// Maximum time that faces wait for faces of other streams, in nanoseconds.
pub const BATCH_TIMEOUT_NS: NumberSetting<u64> = NumberSetting {
    name: "batch-timeout",
    nick: "Batch timeout",
    blurb: "On a GPU, maximum time that faces wait for faces of other streams, to be classified in one batch",
    default: 2_000_000,
    min: 0,
    max: 1_000_000_000,
};
