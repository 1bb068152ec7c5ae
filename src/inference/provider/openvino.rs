// SPDX-License-Identifier: MPL-2.0

//! Registration of the execution provider for Intel's GPUs and NPUs.

use ort::ep::{ExecutionProvider as _, ExecutionProviderDispatch, OpenVINO};

use super::options::with_options;
use super::{BuiltIn, ProviderFailure, ProviderRequest};
use crate::runtime::cache_folder;

/// Intel OpenVINO.
pub(super) const OPENVINO: BuiltIn = BuiltIn {
    is_contained: || OpenVINO::is_available().unwrap_or(false),
    registration: openvino,
    preloads: &[],
    option_keys: &[
        "cache_dir",
        "device_type",
        "disable_dynamic_shapes",
        "enable_opencl_throttling",
        "enable_qdq_optimizer",
        "load_config",
        "model_priority",
        "num_of_threads",
        "num_streams",
        "precision",
        "reshape_input",
    ],
};

fn openvino(request: &ProviderRequest) -> Result<ExecutionProviderDispatch, ProviderFailure> {
    let mut provider = OpenVINO::default().with_device_type(device_type(request));
    if let Some(folder) = cache_folder("openvino") {
        provider = provider.with_cache_dir(folder.display());
    }
    Ok(with_options(provider, &request.options).build())
}

/// Returns OpenVINO's name of the device. Its default device is the CPU, on which ONNX Runtime's own
/// provider is faster, so that ours is the GPU.
fn device_type(request: &ProviderRequest) -> String {
    let numbered = |index: i32| match index {
        0 => "GPU".to_owned(),
        index => format!("GPU.{index}"),
    };
    match &request.device {
        None => numbered(request.device_id),
        Some(device) => device.parse().map_or(device.clone(), numbered),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Provider;

    #[test]
    fn a_device_is_openvinos_own_name_or_the_index_of_a_gpu() {
        let request = |device: Option<&str>| ProviderRequest {
            device: device.map(str::to_owned),
            ..Provider::OpenVino.into()
        };
        for (device, expected) in [
            (None, "GPU"),
            (Some("0"), "GPU"),
            (Some("1"), "GPU.1"),
            (Some("NPU"), "NPU"),
            (Some("AUTO:GPU,CPU"), "AUTO:GPU,CPU"),
        ] {
            assert_eq!(device_type(&request(device)), expected);
        }
    }
}
