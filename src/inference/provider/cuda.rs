// SPDX-License-Identifier: MPL-2.0

//! Registrations of the execution providers for NVIDIA's GPUs.
//!
//! The input of each run comes from the CPU, and its output is read there. Hence these are not used:
//! - CUDA graphs: ONNX Runtime replays one without copying the input to the GPU, so that their
//!   options are refused.
//! - Page-locked input: a sample would be copied there first, as the driver does with other memory.
//! - One stream for detector and classifier: the CPU crops the faces in between, so that a common
//!   stream would only keep the networks of different frames from running at the same time.

use ort::ep::cuda::ConvAlgorithmSearch;
use ort::ep::{ArenaExtendStrategy, CUDA as CudaProvider, ExecutionProvider as _};
use ort::ep::{ExecutionProviderDispatch, TensorRT as TensorRtProvider};

use super::options::with_options;
use super::{BuiltIn, ProviderFailure, ProviderRequest};
use crate::runtime::cache_folder;

/// NVIDIA CUDA.
pub(super) const CUDA: BuiltIn = BuiltIn {
    is_contained: || CudaProvider::is_available().unwrap_or(false),
    registration: cuda,
    preloads: &["libcudnn.so."],
    option_keys: &[
        "arena_extend_strategy",
        "cudnn_conv1d_pad_to_nc1d",
        "cudnn_conv_algo_search",
        "cudnn_conv_use_max_workspace",
        "fuse_conv_bias",
        "gpu_mem_limit",
        "prefer_nhwc",
        "sdpa_kernel",
        "tunable_op_enable",
        "tunable_op_max_tuning_duration_ms",
        "tunable_op_tuning_enable",
        "use_ep_level_unified_stream",
        "use_tf32",
    ],
};

/// NVIDIA TensorRT.
pub(super) const TENSORRT: BuiltIn = BuiltIn {
    is_contained: || TensorRtProvider::is_available().unwrap_or(false),
    registration: tensorrt,
    preloads: &["libcudnn.so.", "libnvinfer.so."],
    option_keys: &[
        "trt_auxiliary_streams",
        "trt_bf16_enable",
        "trt_build_heuristics_enable",
        "trt_builder_optimization_level",
        "trt_dla_core",
        "trt_dla_enable",
        "trt_engine_cache_enable",
        "trt_engine_cache_path",
        "trt_engine_cache_prefix",
        "trt_engine_hw_compatible",
        "trt_force_timing_cache",
        "trt_fp16_enable",
        "trt_layer_norm_fp32_fallback",
        "trt_max_partition_iterations",
        "trt_max_workspace_size",
        "trt_min_subgraph_size",
        "trt_profile_max_shapes",
        "trt_profile_min_shapes",
        "trt_profile_opt_shapes",
        "trt_sparsity_enable",
        "trt_tactic_sources",
        "trt_timing_cache_enable",
        "trt_timing_cache_path",
    ],
};

fn cuda(request: &ProviderRequest) -> Result<ExecutionProviderDispatch, ProviderFailure> {
    let provider = CudaProvider::default()
        .with_device_id(request.gpu_index()?)
        // The default, EXHAUSTIVE, tries all algorithms again for each new size of a batch.
        .with_conv_algorithm_search(ConvAlgorithmSearch::Heuristic)
        // TF32 has the precision of float16: scores would differ from the CPU's in the third digit.
        .with_tf32(false)
        .with_memory_limit(memory_limit(request.gpu_mem_limit))
        .with_arena_extend_strategy(ArenaExtendStrategy::SameAsRequested);
    Ok(with_options(provider, &request.options).build())
}

/// Returns ONNX Runtime's limit of an arena in bytes, which is the maximum where ours is 0.
fn memory_limit(gpu_mem_limit: u64) -> usize {
    match gpu_mem_limit {
        0 => usize::MAX,
        bytes => usize::try_from(bytes).unwrap_or(usize::MAX),
    }
}

fn tensorrt(request: &ProviderRequest) -> Result<ExecutionProviderDispatch, ProviderFailure> {
    let mut provider = TensorRtProvider::default().with_device_id(request.gpu_index()?);
    // Compiling the networks takes minutes; the next start reads them from the cache.
    if let Some(folder) = cache_folder("tensorrt") {
        provider = provider
            .with_engine_cache(true)
            .with_engine_cache_path(folder.display())
            .with_timing_cache(true)
            .with_timing_cache_path(folder.display());
    }
    Ok(with_options(provider, &request.options).build())
}
