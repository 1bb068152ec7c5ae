// SPDX-License-Identifier: MPL-2.0

//! Failures of execution providers: the cause and the next step, from ONNX Runtime's messages.

use std::fmt;

use super::{Provider, libraries};
use crate::runtime;

/// The reason why an execution provider cannot run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderFailure {
    /// The cause, as a clause.
    pub cause: String,
    /// The action that helps, as a clause.
    pub next_step: String,
}

impl fmt::Display for ProviderFailure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}; {}", self.cause, self.next_step)
    }
}

impl std::error::Error for ProviderFailure {}

/// Parts of messages of ONNX Runtime and the drivers below it, with the cause and the next step.
const KNOWN: &[(&[&str], &str, &str)] = &[
    (
        &["no CUDA-capable device", "CUDA failure 100"],
        "no NVIDIA GPU is visible",
        "check it with nvidia-smi, and CUDA_VISIBLE_DEVICES in the environment",
    ),
    (
        &[
            "driver version is insufficient",
            "CUDA failure 35:",
            "CUDA failure 36:",
        ],
        "the NVIDIA driver is too old for the CUDA of this ONNX Runtime",
        "update the driver",
    ),
    (
        &["invalid device ordinal", "CUDA failure 101"],
        "there is no GPU with this index",
        "see gst-attitude devices",
    ),
    (
        &["is smaller than requested bytes"],
        "gpu-mem-limit is too small for the networks",
        "raise it",
    ),
    (
        &[
            "out of memory",
            "CUDA failure 2:",
            "Failed to allocate memory",
        ],
        "the GPU has too little free memory",
        "end other programs on it, or select another one with device",
    ),
    (
        &["[Device] is lost", "DEVICE_LOST"],
        "the driver has lost the device",
        "start again; the system's log may have the reason",
    ),
    (
        &["no kernel image", "CUDA failure 209"],
        "this ONNX Runtime has no code for this GPU",
        "install a newer one with gst-attitude-onnxruntime --gpu=cuda, or use 'webgpu'",
    ),
    (
        &["Failed to load provider OpenVINO"],
        "OpenVINO finds no such device",
        "install the driver of the device (Debian's intel-opencl-icd for GPUs), or set device to 'CPU'",
    ),
    (
        &["WebGPU adapter", "No supported adapters"],
        "no GPU with Vulkan was found",
        "install its Vulkan driver (Debian's mesa-vulkan-drivers for AMD and Intel) and check it with \
         vulkaninfo",
    ),
];

/// Beginnings of names of libraries, with the next step if one is missing.
const INSTALLABLE: &[(&str, &str)] = &[
    ("libcuda.so", "install NVIDIA's driver"),
    (
        "libcu",
        "install it with gst-attitude-onnxruntime --gpu=cuda",
    ),
    (
        "libnvrtc",
        "install it with gst-attitude-onnxruntime --gpu=cuda",
    ),
    ("libnv", "install TensorRT from NVIDIA"),
    (
        "libopenvino",
        "install it with gst-attitude-onnxruntime --gpu=openvino",
    ),
    (
        "libonnxruntime_providers",
        "install ONNX Runtime again with gst-attitude-onnxruntime --gpu",
    ),
    ("libvulkan", "install it: apt install libvulkan1"),
];

impl ProviderFailure {
    /// Returns cause and next step of the failure of `provider` for which ONNX Runtime returned
    /// `message`.
    pub(crate) fn diagnose(provider: Provider, message: &str) -> Self {
        if let Some(library) = libraries::missing_library(message) {
            let known = INSTALLABLE
                .iter()
                .find(|(start, _)| library.starts_with(start));
            return Self {
                cause: format!("the library {library} is missing"),
                next_step: known
                    .map_or("install the package that contains it", |known| known.1)
                    .to_owned(),
            };
        }
        if !matches!(provider, Provider::Plugin) && !provider.is_contained() {
            let library = runtime::loaded_library().map_or(String::new(), |library| {
                format!(" in {}", library.display())
            });
            return Self {
                cause: format!(
                    "the ONNX Runtime{library} does not contain {}",
                    provider.description()
                ),
                next_step: match provider {
                    Provider::Cuda | Provider::TensorRt => {
                        "install one that does with gst-attitude-onnxruntime --gpu=cuda"
                    }
                    Provider::OpenVino => {
                        "install one that does with gst-attitude-onnxruntime --gpu=openvino"
                    }
                    _ => "install one that does with gst-attitude-onnxruntime --gpu=webgpu",
                }
                .to_owned(),
            };
        }
        let known = KNOWN
            .iter()
            .find(|(parts, ..)| parts.iter().any(|part| message.contains(part)));
        match known {
            Some((_, cause, next_step)) => Self {
                cause: (*cause).to_owned(),
                next_step: (*next_step).to_owned(),
            },
            None => Self {
                cause: first_line(message).to_owned(),
                next_step: "install its libraries, or use 'cpu'".to_owned(),
            },
        }
    }
}

/// Returns the first line of a message without places in the source code; of an error of CUDA, its
/// number and text.
fn first_line(message: &str) -> &str {
    if let Some(start) = message.find("CUDA failure ") {
        return message[start..].split(" ;").next().unwrap_or_default();
    }
    let line = message.lines().next().unwrap_or_default();
    let text = match line.rsplit_once(") ") {
        Some((place, text)) if place.contains(".cc:") || place.contains(".h:") => text,
        _ => line,
    };
    text.trim().trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_is_named_with_the_command_that_installs_it() {
        let of = |library: &str| {
            let message = format!("error: {library}: cannot open shared object file: No such file");
            ProviderFailure::diagnose(Provider::Cuda, &message).to_string()
        };
        for (library, step) in [
            ("libcudnn.so.9", "gst-attitude-onnxruntime --gpu=cuda"),
            ("libcuda.so.1", "NVIDIA's driver"),
            ("libnvinfer.so.10", "TensorRT"),
            ("libopenvino.so.2541", "--gpu=openvino"),
            ("libother.so", "package that contains it"),
        ] {
            let failure = of(library);
            assert!(
                failure.contains(library) && failure.contains(step),
                "{failure}"
            );
        }
    }

    #[test]
    fn a_known_cause_replaces_the_message() {
        let message = "CUDA failure 101: invalid device ordinal ; GPU=7 ; hostname=h ; \
            file=/onnxruntime_src/cuda_execution_provider.cc";
        let failure = ProviderFailure::diagnose(Provider::Plugin, message);
        assert_eq!(
            failure.to_string(),
            "there is no GPU with this index; see gst-attitude devices"
        );
    }

    #[test]
    fn a_limit_of_memory_that_is_reached_is_no_full_gpu() {
        let of = |message| ProviderFailure::diagnose(Provider::Plugin, message).to_string();
        let message = "Available memory of 1000 is smaller than requested bytes of 221184";
        assert!(of(message).contains("gpu-mem-limit is too small"));
        let message = "CUDA failure 2: out of memory ; GPU=0 ; hostname=h";
        assert!(of(message).contains("too little free memory"));
    }

    #[test]
    fn of_an_unknown_message_the_first_line_is_the_cause() {
        let message = "/src/provider.cc:12 void f(int) Something failed.\nstack";
        let failure = ProviderFailure::diagnose(Provider::Plugin, message);
        assert_eq!(failure.cause, "Something failed");
        let message =
            "FAIL : CUDA failure 999: unknown error ; GPU=0 ; hostname=h ; file=/src/x.cc";
        let failure = ProviderFailure::diagnose(Provider::Plugin, message);
        assert_eq!(failure.cause, "CUDA failure 999: unknown error");
    }
}
