// SPDX-License-Identifier: MPL-2.0

//! Execution providers other than the CPU. `pipelines/setup.sh --tests` installs builds of ONNX
//! Runtime that contain them; a test whose build is missing is skipped. No test needs a GPU: WebGPU
//! runs on SwiftShader, the software renderer of Chromium, and OpenVINO on the CPU.

use std::path::Path;

use attitude_inference::devices::{self, Device, Trials};
use attitude_inference::engine::Engine;
use attitude_inference::networks::{Config, Networks};
use attitude_inference::provider::{Provider, ProviderRequest};
use attitude_inference::runtime::RuntimeOptions;

use crate::own_process::{in_own_process, in_own_process_with};
use crate::support::{config, fixture};
use crate::test_providers::{SWIFTSHADER, installed, present, vulkan};

/// Maximum difference of a score from the CPU's.
const TOLERANCE: f32 = 1e-3;

/// Returns the ONNX Runtime in this folder; `None` if it is missing.
fn runtime(folder: &str) -> Option<RuntimeOptions> {
    let library = installed(&format!("{folder}/libonnxruntime.so"))?;
    Some(RuntimeOptions {
        library: Some(library),
        ..RuntimeOptions::default()
    })
}

/// Returns the configuration of tiny models on this provider.
fn tiny(provider: impl Into<ProviderRequest>, runtime: &RuntimeOptions) -> Config {
    Config {
        provider: provider.into(),
        runtime: runtime.clone(),
        ..config(fixture("one-face.onnx"), fixture("brightness.onnx"))
    }
}

/// Asserts that the device that `is_wanted` selects has the CPU's scores.
fn assert_right(
    runtime: &RuntimeOptions,
    library: Option<&Path>,
    is_wanted: impl Fn(&Device) -> bool,
) {
    let devices = devices::list(runtime, library).unwrap();
    let devices = devices.into_iter().map(Result::unwrap);
    let devices: Vec<Device> = devices.filter(is_wanted).collect();
    let [device] = &devices[..] else {
        panic!("{devices:?}");
    };
    let trial = Trials::new(runtime).unwrap().run(device);
    let trial = trial.unwrap_or_else(|error| panic!("{error}"));
    println!("{trial:?}");
    assert!(trial.difference < TOLERANCE, "{trial:?}");
}

#[test]
fn webgpu_has_the_scores_of_the_cpu() {
    in_own_process_with(&vulkan(SWIFTSHADER), || {
        if let Some(runtime) = runtime("onnxruntime-webgpu")
            && present(Path::new(SWIFTSHADER))
        {
            assert_right(&runtime, None, |it| it.request.kind == Provider::WebGpu);
        }
    });
}

#[test]
fn a_provider_in_a_library_has_the_scores_of_the_cpu() {
    in_own_process_with(&vulkan(SWIFTSHADER), || {
        let library = installed("onnxruntime-ep-webgpu/libonnxruntime_providers_webgpu.so");
        if let Some(library) = library
            && present(Path::new(SWIFTSHADER))
        {
            let runtime = RuntimeOptions::default();
            assert_right(&runtime, Some(&library), |device| {
                device.request.kind == Provider::Plugin
            });
        }
    });
}

#[test]
fn openvino_has_the_scores_of_the_cpu() {
    in_own_process(|| {
        if let Some(runtime) = runtime("onnxruntime-openvino") {
            assert_right(&runtime, None, |device| {
                let request = &device.request;
                request.kind == Provider::OpenVino && request.device.as_deref() == Some("CPU")
            });
        }
    });
}

#[test]
fn sixteen_threads_load_run_and_release_webgpu_networks() {
    in_own_process_with(&vulkan(SWIFTSHADER), || {
        let Some(runtime) = runtime("onnxruntime-webgpu") else {
            return;
        };
        if !present(Path::new(SWIFTSHADER)) {
            return;
        }
        let config = tiny(Provider::WebGpu, &runtime);
        let engine = Engine::acquire(&config).unwrap();
        assert_eq!(engine.info().provider, Provider::WebGpu);
        std::thread::scope(|scope| {
            for thread in 0..16 {
                let (engine, config) = (&engine, &config);
                scope.spawn(move || match thread % 4 {
                    0 => detect(&mut Networks::load(config).unwrap()),
                    _ => detect(&mut engine.lease().unwrap()),
                });
            }
        });
    });
}

/// Detects the face of the tiny detector a few times.
fn detect(networks: &mut Networks) {
    let detector = networks.detector.as_mut().unwrap();
    let (width, height) = (320, 192);
    let picture = vec![128.0; detector.input().tensor_format.len(width, height)];
    let mut found = Vec::new();
    for _ in 0..3 {
        detector
            .detect(&picture, width, height, 0.5, &mut found)
            .unwrap();
        assert_eq!(found.len(), 1);
    }
}

#[test]
fn without_a_gpu_auto_reports_webgpu_and_uses_the_cpu() {
    in_own_process_with(&vulkan("/nowhere.json"), || {
        let Some(runtime) = runtime("onnxruntime-webgpu") else {
            return;
        };
        let error = match Networks::load(&tiny(Provider::WebGpu, &runtime)) {
            Ok(_) => return println!("skipped: WebGPU runs here"),
            Err(error) => error.to_string(),
        };
        assert!(
            error.contains("no GPU with Vulkan was found; install its Vulkan driver"),
            "{error}"
        );
        let networks = Networks::load(&tiny(Provider::Auto, &runtime)).unwrap();
        assert_eq!(networks.provider, Provider::Cpu);
        let [error] = &networks.provider_errors[..] else {
            panic!("{:?}", networks.provider_errors);
        };
        let expected = "the execution provider 'webgpu' cannot run: no GPU ";
        assert!(error.to_string().starts_with(expected), "{error}");
    });
}

#[test]
fn cuda_without_its_libraries_or_a_gpu_is_refused_with_the_next_step() {
    in_own_process(|| {
        let Some(runtime) = runtime("onnxruntime-gpu") else {
            return;
        };
        let error = match Networks::load(&tiny(Provider::Cuda, &runtime)) {
            Ok(_) => return println!("skipped: CUDA runs here"),
            Err(error) => error.to_string(),
        };
        let is_known = ["is missing; install", "no NVIDIA GPU is visible; check"]
            .iter()
            .any(|words| error.contains(words));
        assert!(is_known, "{error}");
    });
}

/// Returns the error of a request that is refused.
#[track_caller]
fn error_of(request: ProviderRequest) -> String {
    match Networks::load(&tiny(request, &RuntimeOptions::default())) {
        Ok(_) => panic!("loaded where an error was expected"),
        Err(error) => error.to_string(),
    }
}

/// Asserts that a request is refused with an error that contains `words`.
#[track_caller]
fn assert_refused(request: ProviderRequest, words: &[&str]) {
    let error = error_of(request);
    for word in words {
        assert!(error.contains(word), "no '{word}' in: {error}");
    }
}

#[test]
fn an_option_that_a_provider_does_not_have_is_refused() {
    let request = |kind: Provider| ProviderRequest {
        options: "use_tf23=1".parse().unwrap(),
        ..kind.into()
    };
    assert_refused(
        request(Provider::Cuda),
        &["'cuda'", "'use_tf23'", "use_tf32"],
    );
    assert_refused(request(Provider::Auto), &["'auto' has no options"]);
}

#[test]
fn a_library_without_a_provider_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("libtext.so");
    std::fs::write(&text, "not a library\n").unwrap();
    let request = |library: Option<&Path>| ProviderRequest {
        library: library.map(Path::to_owned),
        ..Provider::Plugin.into()
    };
    assert_refused(request(None), &["set provider-library"]);
    let missing = Path::new("/nowhere/libep.so");
    assert_refused(
        request(Some(missing)),
        &[
            "'plugin' cannot run: /nowhere/libep.so: No such file",
            "provider-library",
        ],
    );
    // ONNX Runtime 1.21 and older does not read it.
    let error = error_of(request(Some(&text)));
    assert!(error.contains("'plugin' cannot run"), "{error}");
    assert!(
        error.contains("libtext.so") || error.contains("1.22 or newer is required"),
        "{error}"
    );
}
