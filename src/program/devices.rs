// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude devices`: lists the devices of the execution providers, and tries each.

use std::path::PathBuf;
use std::time::Duration;

use attitude_inference::devices::{self, Device, Trial, Trials};
use attitude_inference::networks::LoadError;
use attitude_inference::provider::Provider;
use attitude_inference::runtime::{self, RuntimeError};
use attitude_inference::settings::PROVIDER_LIBRARY;
use clap::Args;

use crate::console::{self, PrintError};
use crate::exit::Status;
use crate::options::RuntimeArguments;

/// Lists the devices that can run the networks, and tries the default models on each
///
/// For each device of the execution providers that ONNX Runtime contains: how to select it, its name
/// and memory, whether the default models run on it, the time to load them (which includes compiling
/// them), the time of a sample with one face, and the maximum difference of a score from the CPU's.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    runtime: RuntimeArguments,

    #[arg(long = PROVIDER_LIBRARY.name, value_name = "FILE", help = PROVIDER_LIBRARY.blurb)]
    provider_library: Option<PathBuf>,
}

/// Providers that were run on hardware. The others were run on software that imitates it, or not at
/// all.
const TRIED_ON_HARDWARE: [Provider; 1] = [Provider::Cpu];

/// Devices cannot be listed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DevicesError {
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    #[error(transparent)]
    Cpu(#[from] LoadError),
    #[error(transparent)]
    Print(#[from] PrintError),
}

/// Prints the devices. The status is a failure if the library of a provider cannot be used.
///
/// # Errors
/// Returns an error if ONNX Runtime cannot be loaded, the CPU cannot run the default models, or
/// standard output cannot be written.
pub(crate) fn run(arguments: &Arguments) -> Result<Status, DevicesError> {
    let runtime = arguments.runtime.options();
    let devices = devices::list(&runtime, arguments.provider_library.as_deref())?;
    if let Some(library) = runtime::loaded_library() {
        console::print(&format!("ONNX Runtime: {}\n\n", library.display()))?;
    }
    let trials = Trials::new(&runtime)?;
    let mut all_listed = true;
    for device in devices {
        match device {
            Ok(device) => console::print(&describe(&device, trials.run(&device)))?,
            Err(failure) => {
                console::error(&failure);
                all_listed = false;
            }
        }
    }
    for provider in missing() {
        console::print(&format!("{}: not in this ONNX Runtime\n", provider.name()))?;
    }
    Ok(Status::of(all_listed))
}

/// Returns the providers that ONNX Runtime does not contain.
fn missing() -> impl Iterator<Item = Provider> {
    let providers = Provider::ALL.iter().copied();
    providers.filter(|&provider| provider != Provider::Plugin && !provider.is_contained())
}

fn describe(device: &Device, trial: Result<Trial, LoadError>) -> String {
    let mut text = format!("{}\n", selection(device));
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!("  {name:<12} {value}\n"));
        }
    };
    add("provider", &device.provider);
    add("name", &device.name);
    add("vendor", &device.vendor);
    let memory = device.memory_bytes;
    add(
        "memory",
        &memory.map_or(String::new(), |bytes| format!("{} MiB", bytes >> 20)),
    );
    match trial {
        Ok(trial) => {
            add("trial", "runs");
            add("cold start", &milliseconds(trial.cold_start));
            add("sample", &milliseconds(trial.sample));
            add("difference", &format!("{:.1e}", trial.difference));
        }
        Err(error) => add("trial", &error.to_string()),
    }
    if !TRIED_ON_HARDWARE.contains(&device.request.kind) {
        add("note", "not yet tested on real hardware by its developers");
    }
    text.push('\n');
    text
}

/// Returns the options that select a device.
fn selection(device: &Device) -> String {
    let request = &device.request;
    let mut text = format!("--execution-provider {}", request.kind.name());
    if let Some(device) = &request.device {
        text.push_str(&format!(" --device {device}"));
    } else if request.device_id != 0 {
        text.push_str(&format!(" --device-id {}", request.device_id));
    }
    if let Some(library) = &request.library {
        text.push_str(&format!(" --provider-library {}", library.display()));
    }
    text
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", 1e3 * duration.as_secs_f64())
}
