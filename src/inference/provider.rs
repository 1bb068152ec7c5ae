// SPDX-License-Identifier: MPL-2.0

//! Execution providers: what runs a network.

use ort::ep::{self, ExecutionProvider as _, ExecutionProviderDispatch};

/// What may be asked to run the networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Provider {
    /// CUDA where the loaded ONNX Runtime has it and it runs, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// NVIDIA's CUDA.
    Cuda,
    /// NVIDIA's TensorRT.
    TensorRt,
    /// Intel's OpenVINO.
    OpenVino,
}

impl Provider {
    /// The name as the property's value has it.
    pub const fn name(self) -> &'static str {
        match self {
            Provider::Auto => "auto",
            Provider::Cpu => "cpu",
            Provider::Cuda => "cuda",
            Provider::TensorRt => "tensorrt",
            Provider::OpenVino => "openvino",
        }
    }

    /// Whether one inference of many faces takes hardly longer there than one of a single face.
    pub(super) const fn batches(self) -> bool {
        matches!(self, Provider::Cuda | Provider::TensorRt)
    }

    /// The providers to try for it, the first first.
    pub(super) fn attempts(self) -> Vec<Provider> {
        match self {
            Provider::Auto if ep::CUDA::is_available().unwrap_or(false) => {
                vec![Provider::Cuda, Provider::Cpu]
            }
            Provider::Auto => vec![Provider::Cpu],
            asked => vec![asked],
        }
    }

    /// What to register with a session so that it runs there; nothing for the CPU. A provider that
    /// cannot be registered is an error: by default ort goes on with the CPU and says nothing.
    pub(super) fn dispatch(self, device_id: i32) -> Option<ExecutionProviderDispatch> {
        let dispatch = match self {
            Provider::Auto | Provider::Cpu => return None,
            Provider::Cuda => ep::CUDA::default().with_device_id(device_id).build(),
            Provider::TensorRt => ep::TensorRT::default().with_device_id(device_id).build(),
            Provider::OpenVino => ep::OpenVINO::default().build(),
        };
        Some(dispatch.error_on_failure())
    }
}
