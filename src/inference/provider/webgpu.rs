// SPDX-License-Identifier: MPL-2.0

//! Registration of the execution provider for any GPU with Vulkan.

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
