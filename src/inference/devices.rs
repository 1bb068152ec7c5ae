// SPDX-License-Identifier: MPL-2.0

//! Lists the devices of all execution providers that the loaded ONNX Runtime contains, and tries the
//! default models on each.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::model::ModelSource;
use crate::networks::{Config, LoadError, Networks};
use crate::provider::{Provider, ProviderFailure, ProviderRequest, plugin};
use crate::runtime::{self, RuntimeError, RuntimeOptions};
use attitude::InferenceError;

/// Size of the picture of a trial in pixels.
const PICTURE_SIZE: (usize, usize) = (320, 192);

/// Maximum number of timed samples of a trial.
const SAMPLES: usize = 20;

/// Time after which a trial begins no further sample.
const MAX_TIME: Duration = Duration::from_secs(3);

/// A device of an execution provider.
#[derive(Clone, Debug)]
pub struct Device {
    /// The request that selects it.
    pub request: ProviderRequest,
    /// Name of the provider: that of the property, or ONNX Runtime's for one in a library.
    pub provider: String,
    /// Name of the device; empty if it is not known.
    pub name: String,
    /// Name of its vendor; empty if it is not known.
    pub vendor: String,
    /// Size of its memory in bytes; `None` if it is not known.
    pub memory_bytes: Option<u64>,
}

/// Measurements of the default models on a device.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    /// Time to load the models and to run each once.
    pub cold_start: Duration,
    /// Median time of a sample with one face, without scaling and cropping.
    pub sample: Duration,
    /// Maximum difference of a score from the CPU's with the same models.
    pub difference: f32,
}

/// Tries the default models on devices.
pub struct Trials {
    runtime: RuntimeOptions,
    /// Scores on the CPU.
    expected: Vec<f32>,
}

/// Returns the devices of the CPU, of the providers that ONNX Runtime contains, and of that in
/// `library`. If the library cannot be loaded, its error is the last item.
///
/// # Errors
/// Returns an error if ONNX Runtime cannot be loaded.
pub fn list(
    runtime: &RuntimeOptions,
    library: Option<&Path>,
) -> Result<Vec<Result<Device, ProviderFailure>>, RuntimeError> {
    let environment = runtime::environment(runtime)?;
    let mut devices = vec![cpu()];
    for provider in [Provider::Cuda, Provider::TensorRt] {
        if provider.is_contained() {
            devices.extend(nvidia_devices(provider));
        }
    }
    if Provider::OpenVino.is_contained() {
        devices.extend(["GPU", "NPU", "CPU"].map(|name| Device {
            name: name.to_owned(),
            request: ProviderRequest {
                device: Some(name.to_owned()),
                ..Provider::OpenVino.into()
            },
            ..unknown(Provider::OpenVino)
        }));
    }
    if Provider::WebGpu.is_contained() {
        devices.push(unknown(Provider::WebGpu));
    }
    let mut devices: Vec<_> = devices.into_iter().map(Ok).collect();
    if let Some(library) = library {
        match plugin::devices(environment, library) {
            Ok(found) if found.is_empty() => devices.push(Err(plugin::no_device())),
            Ok(found) => {
                let found = found.iter().enumerate();
                devices.extend(found.map(|(index, device)| {
                    Ok(Device {
                        request: ProviderRequest {
                            device: Some(index.to_string()),
                            library: Some(library.to_owned()),
                            ..Provider::Plugin.into()
                        },
                        provider: device.provider.clone(),
                        name: device.describe(),
                        vendor: device.vendor.clone(),
                        memory_bytes: None,
                    })
                }));
            }
            Err(failure) => devices.push(Err(failure)),
        }
    }
    Ok(devices)
}

/// Returns the default device of `provider`, of which nothing is known.
fn unknown(provider: Provider) -> Device {
    Device {
        request: provider.into(),
        provider: provider.name().to_owned(),
        name: String::new(),
        vendor: String::new(),
        memory_bytes: None,
    }
}

fn cpu() -> Device {
    let text = |path| std::fs::read_to_string(path).unwrap_or_default();
    let value_of = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let memory = value_of(&text("/proc/meminfo"), "MemTotal");
    let kibibytes = memory.and_then(|memory| memory.split_once(' ')?.0.parse::<u64>().ok());
    Device {
        name: value_of(&text("/proc/cpuinfo"), "model name").unwrap_or_default(),
        memory_bytes: kibibytes.map(|kibibytes| kibibytes << 10),
        ..unknown(Provider::Cpu)
    }
}

/// Returns the GPUs that NVIDIA's driver lists; one without a name if it lists none.
fn nvidia_devices(provider: Provider) -> Vec<Device> {
    let output = Command::new("nvidia-smi")
        .args([
            "--query-gpu=index,name,memory.total",
            "--format=csv,noheader,nounits",
        ])
        .output();
    let text = output.map_or(String::new(), |output| {
        String::from_utf8_lossy(&output.stdout).into_owned()
    });
    let devices: Vec<Device> = text
        .lines()
        .filter_map(|line| nvidia_device(line, provider))
        .collect();
    if devices.is_empty() {
        vec![unknown(provider)]
    } else {
        devices
    }
}

/// Returns the GPU in a line of `nvidia-smi`: index, name and memory in MiB.
fn nvidia_device(line: &str, provider: Provider) -> Option<Device> {
    let mut fields = line.split(',').map(str::trim);
    let (index, name, memory) = (fields.next()?, fields.next()?, fields.next()?);
    let mebibytes: Option<u64> = memory.parse().ok();
    Some(Device {
        request: ProviderRequest {
            device_id: index.parse().ok()?,
            ..provider.into()
        },
        name: name.to_owned(),
        vendor: "NVIDIA".to_owned(),
        memory_bytes: mebibytes.map(|mebibytes| mebibytes << 20),
        ..unknown(provider)
    })
}

impl Trials {
    /// Runs the default models on the CPU.
    ///
    /// # Errors
    /// Returns an error if the CPU cannot run them.
    pub fn new(runtime: &RuntimeOptions) -> Result<Self, LoadError> {
        let mut networks = load(runtime, Provider::Cpu.into())?;
        Ok(Self {
            runtime: runtime.clone(),
            expected: scores(&mut networks).map_err(trial_error)?,
        })
    }

    /// Runs the default models on `device`.
    ///
    /// # Errors
    /// Returns an error if the device cannot run them.
    pub fn run(&self, device: &Device) -> Result<Trial, LoadError> {
        let started = Instant::now();
        let mut networks = load(&self.runtime, device.request.clone())?;
        let cold_start = started.elapsed();
        let found = scores(&mut networks).map_err(trial_error)?;
        let begun = Instant::now();
        let mut times = Vec::with_capacity(SAMPLES);
        while times.is_empty() || times.len() < SAMPLES && begun.elapsed() < MAX_TIME {
            let started = Instant::now();
            scores(&mut networks).map_err(trial_error)?;
            times.push(started.elapsed());
        }
        times.sort_unstable();
        let differences = self.expected.iter().zip(&found).map(|(a, b)| (a - b).abs());
        Ok(Trial {
            cold_start,
            sample: times[times.len() / 2],
            difference: match self.expected.len() == found.len() {
                // The maximum of floats ignores NaN, which must not pass for equal.
                true => differences.fold(0.0, |max, it| if it <= max { max } else { it }),
                false => f32::NAN,
            },
        })
    }
}

/// Loads the default models, in float32 on the CPU too, as other providers run them.
fn load(runtime: &RuntimeOptions, request: ProviderRequest) -> Result<Networks, LoadError> {
    Networks::load(&Config {
        classifier: ModelSource::ATTITUDE.in_float32(),
        provider: request,
        falls_back: false,
        runtime: runtime.clone(),
        ..Config::default()
    })
}

/// Detects faces in a picture and classifies a part of it; returns all scores.
fn scores(networks: &mut Networks) -> Result<Vec<f32>, InferenceError> {
    let (width, height) = PICTURE_SIZE;
    let mut scores = Vec::new();
    if let Some(detector) = &mut networks.detector {
        let mut candidates = Vec::new();
        let picture = picture(detector.input().tensor_format.len(width, height));
        detector.detect(&picture, width, height, 0.0, &mut candidates)?;
        scores.extend(candidates.iter().map(|face| face.score));
    }
    let input = networks.classifier.input();
    let crop = picture(input.tensor_format.len(input.width, input.height));
    let mut classifications = Vec::new();
    networks
        .classifier
        .classify(&crop, 1, &mut classifications)?;
    scores.extend(classifications.iter().flat_map(|it| it.scores.to_array()));
    Ok(scores)
}

/// Returns a tensor of this length with values of a picture from 0 to 255.
fn picture(len: usize) -> Vec<f32> {
    let wave = |index: usize, period: f32| (index as f32 / period).sin();
    let value = |index| 128.0 + 60.0 * wave(index, 7.3) + 60.0 * wave(index, 391.0);
    (0..len).map(value).collect()
}

fn trial_error(error: InferenceError) -> LoadError {
    LoadError::model(&ModelSource::ATTITUDE, error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_is_read_from_a_line_of_nvidia_smi() {
        let device = nvidia_device("1, NVIDIA H100 80GB HBM3, 81559", Provider::Cuda).unwrap();
        assert_eq!(device.request.device_id, 1);
        assert_eq!(device.name, "NVIDIA H100 80GB HBM3");
        assert_eq!(device.memory_bytes, Some(81559 << 20));
        assert!(nvidia_device("No devices were found", Provider::Cuda).is_none());
    }
}
