// SPDX-License-Identifier: MPL-2.0

//! Execution providers of ONNX Runtime.
//!
//! To add one, add a row to the table [`execution_providers`](crate::execution_providers) and the
//! feature of ort in `Cargo.toml`; property, option and tests follow from the table.

use std::fmt;
use std::str::FromStr;

use ort::ep::{self, ExecutionProvider as _, ExecutionProviderDispatch};

/// Maximum number of frames that use an accelerator at a time. It runs one network after the other;
/// meanwhile the CPU can scale and crop a few frames.
const ACCELERATOR_FRAMES: usize = 4;

/// Calls the macro `$define` with the table of execution providers: variant, name, description, and
/// the fields of [`ProviderRow`](crate::provider::Provider), which only this crate uses.
#[doc(hidden)]
#[macro_export]
macro_rules! execution_providers {
    ($define:ident) => {
        $define! {
            Auto "auto" "CUDA if it runs, else the CPU" {
                runs_on_gpu: false,
                max_frames: None,
                registration: None,
            }
            Cpu "cpu" "CPU" {
                runs_on_gpu: false,
                max_frames: None,
                registration: None,
            }
            Cuda "cuda" "NVIDIA CUDA" {
                runs_on_gpu: true,
                max_frames: Some(ACCELERATOR_FRAMES),
                registration: Some(|device_id| ep::CUDA::default().with_device_id(device_id).build()),
            }
            TensorRt "tensorrt" "NVIDIA TensorRT" {
                runs_on_gpu: true,
                max_frames: Some(ACCELERATOR_FRAMES),
                registration: Some(|device_id| ep::TensorRT::default().with_device_id(device_id).build()),
            }
            OpenVino "openvino" "Intel OpenVINO" {
                runs_on_gpu: false,
                max_frames: Some(ACCELERATOR_FRAMES),
                registration: Some(|_| ep::OpenVINO::default().build()),
            }
        }
    };
}

/// Properties of an execution provider.
struct ProviderRow {
    name: &'static str,
    description: &'static str,
    /// `true` if it runs on a GPU, where classifying many faces takes hardly longer than one.
    runs_on_gpu: bool,
    /// Maximum number of frames at a time; `None` if that depends on the number of cores.
    max_frames: Option<usize>,
    /// Creates the registration with a session for a device; `None` for the CPU, which needs none.
    registration: Option<fn(i32) -> ExecutionProviderDispatch>,
}

macro_rules! define_provider {
    ($($variant:ident $name:literal $description:literal { $($row:tt)* })*) => {
        /// An execution provider that can be requested to run the networks.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Provider {
            $(
                #[doc = concat!($description, ".")]
                $variant,
            )*
        }

        impl Provider {
            /// All providers.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            const fn row(self) -> ProviderRow {
                match self {
                    $(Self::$variant => ProviderRow { name: $name, description: $description, $($row)* },)*
                }
            }
        }
    };
}

execution_providers!(define_provider);

impl Default for Provider {
    fn default() -> Self {
        Self::Auto
    }
}

impl Provider {
    /// Returns the name, which is also the value of the property and of the option.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// Returns a description as one phrase.
    pub const fn description(self) -> &'static str {
        self.row().description
    }

    /// Returns `true` if it runs on a GPU, where classifying many faces takes hardly longer than
    /// one.
    pub const fn runs_on_gpu(self) -> bool {
        self.row().runs_on_gpu
    }

    /// Returns `true` if networks run on the CPU without another provider.
    pub(crate) const fn is_cpu(self) -> bool {
        self.row().registration.is_none()
    }

    /// Returns the maximum number of frames at a time; `None` if that depends on the number of
    /// cores.
    pub(crate) const fn max_frames(self) -> Option<usize> {
        self.row().max_frames
    }

    /// Returns the provider to try first: for [`Auto`](Self::Auto) CUDA if ONNX Runtime has it,
    /// else the CPU.
    pub(crate) fn resolve(self) -> Self {
        match self {
            Self::Auto if ep::CUDA::is_available().unwrap_or(false) => Self::Cuda,
            Self::Auto => Self::Cpu,
            requested => requested,
        }
    }

    /// Returns the registration of the provider with a session for the device `device_id`; `None`
    /// for the CPU, which needs none.
    pub(crate) fn registration(self, device_id: i32) -> Option<ExecutionProviderDispatch> {
        let registration = self.row().registration?;
        // By default ort uses the CPU silently if the provider cannot be registered.
        Some(registration(device_id).error_on_failure())
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that no execution provider has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an execution provider; use one of {names}", names = names())]
pub struct UnknownProvider(String);

fn names() -> String {
    let names: Vec<&str> = Provider::ALL
        .iter()
        .map(|provider| provider.name())
        .collect();
    names.join(", ")
}

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(name: &str) -> Result<Self, UnknownProvider> {
        let mut all = Self::ALL.iter().copied();
        all.find(|provider| provider.name() == name)
            .ok_or_else(|| UnknownProvider(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_parsed_from_its_name() {
        for &provider in Provider::ALL {
            assert_eq!(provider.name().parse(), Ok(provider));
        }
        let error = "abacus".parse::<Provider>().unwrap_err().to_string();
        assert!(error.contains("auto, cpu, cuda"), "{error}");
    }

    #[test]
    fn a_provider_of_a_gpu_is_registered_and_limited() {
        for provider in Provider::ALL
            .iter()
            .filter(|provider| provider.runs_on_gpu())
        {
            assert!(
                !provider.is_cpu() && provider.max_frames().is_some(),
                "{provider}"
            );
        }
    }
}
