// SPDX-License-Identifier: MPL-2.0

//! Registration of the execution provider for any GPU with Vulkan.

use std::path::Path;

use ort::ep::{ExecutionProvider as _, ExecutionProviderDispatch, WebGPU};

use super::options::with_options;
use super::{BuiltIn, ProviderFailure, ProviderRequest};

/// WebGPU.
pub(super) const WEBGPU: BuiltIn = BuiltIn {
    is_contained: || WebGPU::is_available().unwrap_or(false),
    registration: webgpu,
    preloads: &[],
    option_keys: &[
        "dawnBackendType",
        "defaultBufferCacheMode",
        "forceCpuNodeNames",
        "powerPreference",
        "preferredLayout",
        "queryResolveBufferCacheMode",
        "storageBufferCacheMode",
        "uniformBufferCacheMode",
        "validationMode",
    ],
};

/// Files of the drivers of GPUs: those of Linux, of NVIDIA and of the Windows Subsystem for Linux.
const GPU_DEVICES: [&str; 3] = ["/dev/dri/renderD128", "/dev/nvidia0", "/dev/dxg"];

/// Returns the failure of WebGPU if there is no GPU, when Vulkan's driver may be a software renderer
/// that takes seconds per frame.
pub(super) fn require_gpu() -> Result<(), ProviderFailure> {
    if GPU_DEVICES.iter().any(|device| Path::new(device).exists()) {
        return Ok(());
    }
    Err(ProviderFailure {
        cause: format!(
            "no GPU is visible, as none of {} exists",
            GPU_DEVICES.join(", ")
        ),
        next_step:
            "install its driver, or make the device visible in the container; 'webgpu' instead of \
                    'auto' also uses a software renderer"
                .to_owned(),
    })
}

fn webgpu(request: &ProviderRequest) -> Result<ExecutionProviderDispatch, ProviderFailure> {
    // `deviceId` of WebGPU is the number of a context in the process, not of a GPU.
    if request.gpu_index()? != 0 {
        return Err(ProviderFailure {
            cause: "WebGPU selects the GPU itself".to_owned(),
            next_step: "leave device and device-id unset, and select the GPU with the option \
                        powerPreference, or with VK_DRIVER_FILES in the environment"
                .to_owned(),
        });
    }
    Ok(with_options(WebGPU::default(), &request.options).build())
}
