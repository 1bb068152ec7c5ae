// SPDX-License-Identifier: MPL-2.0

//! Execution providers of ONNX Runtime.
//!
//! To add one, add a row to the table [`execution_providers`](crate::execution_providers), a file with
//! its registration, and the feature of ort in `Cargo.toml`; property, option and tests follow from
//! the table.

use std::fmt;
use std::str::FromStr;

use ort::ep::ExecutionProviderDispatch;

use crate::runtime;

mod cuda;
mod failure;
pub(crate) mod libraries;
mod openvino;
mod options;
pub(crate) mod plugin;
mod request;
mod webgpu;

pub use failure::ProviderFailure;
pub use options::ProviderOptions;
pub use request::{ProviderRequest, RequestError};

/// Maximum number of frames that use an accelerator at a time. It runs one network after the other;
/// meanwhile the CPU can scale and crop a few frames.
pub(crate) const ACCELERATOR_FRAMES: usize = 4;

/// Calls the macro `$define` with the table of execution providers: variant, name, description, and
/// the registration, which only this crate uses.
#[doc(hidden)]
#[macro_export]
macro_rules! execution_providers {
    ($define:ident) => {
        $define! {
            Auto "auto" "The first that runs of those that ONNX Runtime contains: CUDA, OpenVINO on a GPU, WebGPU, CPU" {
                Registration::None
            }
            Cpu "cpu" "CPU" {
                Registration::None
            }
            Cuda "cuda" "NVIDIA CUDA" {
                Registration::BuiltIn(&cuda::CUDA)
            }
            TensorRt "tensorrt" "NVIDIA TensorRT" {
                Registration::BuiltIn(&cuda::TENSORRT)
            }
            OpenVino "openvino" "Intel OpenVINO" {
                Registration::BuiltIn(&openvino::OPENVINO)
            }
            WebGpu "webgpu" "WebGPU, on any GPU with Vulkan" {
                Registration::BuiltIn(&webgpu::WEBGPU)
            }
            Plugin "plugin" "The provider in the library provider-library" {
                Registration::Plugin
            }
        }
    };
}

/// The way in which sessions get an execution provider.
#[derive(Clone, Copy)]
pub(crate) enum Registration {
    /// Sessions need none: the CPU runs them.
    None,
    /// The provider is a part of ONNX Runtime.
    BuiltIn(&'static BuiltIn),
    /// The provider is in a library of its own.
    Plugin,
}

/// An execution provider that is a part of some builds of ONNX Runtime.
pub(crate) struct BuiltIn {
    /// Returns `true` if the loaded ONNX Runtime contains it.
    pub(crate) is_contained: fn() -> bool,
    /// Creates its registration with a session.
    pub(crate) registration:
        fn(&ProviderRequest) -> Result<ExecutionProviderDispatch, ProviderFailure>,
    /// Beginnings of the names of libraries that the provider itself loads at run time. If they are
    /// beside ONNX Runtime, they are loaded before.
    pub(crate) preloads: &'static [&'static str],
    /// Keys of its options.
    pub(crate) option_keys: &'static [&'static str],
}

macro_rules! define_provider {
    ($($variant:ident $name:literal $description:literal { $registration:expr })*) => {
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

            /// Returns the name, which is also the value of the property and of the option.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Returns a description as one phrase.
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$variant => $description,)*
                }
            }

            pub(crate) const fn registration(self) -> Registration {
                match self {
                    $(Self::$variant => $registration,)*
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
    /// Providers that [`Auto`](Self::Auto) tries if ONNX Runtime contains them, in this order, before
    /// the CPU. TensorRT is not among them, because it compiles the networks for minutes.
    const AUTO: [Self; 3] = [Self::Cuda, Self::OpenVino, Self::WebGpu];

    /// Returns `true` if networks run on the CPU without another provider.
    pub const fn is_cpu(self) -> bool {
        matches!(self.registration(), Registration::None)
    }

    /// Returns `true` if the loaded ONNX Runtime contains the provider.
    pub fn is_contained(self) -> bool {
        match self.registration() {
            Registration::None => true,
            Registration::BuiltIn(provider) => {
                runtime::loaded_library().is_some() && (provider.is_contained)()
            }
            Registration::Plugin => false,
        }
    }

    /// Returns `true` if sessions of different threads may be created, run and released at the same
    /// time. With WebGPU, they crash (issues 27592, 31627 and 32561 of ONNX Runtime); nothing is
    /// known about providers in other libraries, of which WebGPU is one.
    pub(crate) const fn is_thread_safe(self) -> bool {
        !matches!(self, Self::WebGpu | Self::Plugin)
    }

    /// Checks that [`Auto`](Self::Auto) may use the provider.
    ///
    /// # Errors
    /// Returns the reason if it would be slower than the CPU.
    pub(crate) fn check_for_auto(self) -> Result<(), ProviderFailure> {
        match self {
            Self::WebGpu => webgpu::require_gpu(),
            _ => Ok(()),
        }
    }

    /// Returns the providers to try in turn before the CPU.
    pub(crate) fn accelerators(self) -> Vec<Self> {
        match self {
            Self::Auto => {
                let contained = Self::AUTO.into_iter().filter(|it| it.is_contained());
                contained.collect()
            }
            Self::Cpu => Vec::new(),
            requested => vec![requested],
        }
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
}
