// SPDX-License-Identifier: MPL-2.0

//! The requested execution provider with its device and options.

use std::path::PathBuf;

use super::{Provider, ProviderFailure, ProviderOptions};
use crate::settings;

/// A request for an execution provider contradicts itself or what the provider has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// A text is not a list of options.
    #[error("'{0}' is not a list of options such as 'key=value,other=value'")]
    Malformed(String),
    /// A key occurs twice.
    #[error("the option '{0}' occurs twice")]
    Repeated(String),
    /// The provider has no option with this key.
    #[error("'{provider}' has no option '{key}'; its options are {known}", known = .known.join(", "))]
    UnknownOption {
        /// Name of the provider.
        provider: &'static str,
        /// The key.
        key: String,
        /// Keys that the provider has.
        known: &'static [&'static str],
    },
    /// Options are set for a provider that has none.
    #[error(
        "'{0}' has no options; set an execution-provider that has some, or no provider-options"
    )]
    NoOptions(&'static str),
    /// There is no library for the provider [`Plugin`](Provider::Plugin).
    #[error("'plugin' needs the library of the provider; set provider-library")]
    NoLibrary,
    /// There is a library for a provider that needs none.
    #[error("'{0}' does not use provider-library; set execution-provider to 'plugin'")]
    UnusedLibrary(&'static str),
    /// There is a limit of memory for a provider that has none.
    #[error("'{0}' does not use gpu-mem-limit, which is for 'cuda'; leave it unset")]
    UnusedMemoryLimit(&'static str),
}

/// An execution provider, the device that it uses, and its options.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProviderRequest {
    /// The execution provider.
    pub kind: Provider,
    /// Index of the GPU, unless `device` is set.
    pub device_id: i32,
    /// Device as the provider names it: an index, or a kind such as `GPU`, `NPU` or `GPU.1`.
    pub device: Option<String>,
    /// Maximum size of the memory arena of each network in bytes if the provider is
    /// [`Cuda`](Provider::Cuda); 0 for no limit.
    pub gpu_mem_limit: u64,
    /// Library that contains the provider [`Plugin`](Provider::Plugin).
    pub library: Option<PathBuf>,
    /// Options of the provider.
    pub options: ProviderOptions,
}

impl From<Provider> for ProviderRequest {
    /// Returns a request for the provider's default device and options.
    fn from(kind: Provider) -> Self {
        Self {
            kind,
            device_id: settings::DEVICE_ID.default,
            device: None,
            gpu_mem_limit: settings::GPU_MEM_LIMIT.default,
            library: None,
            options: ProviderOptions::default(),
        }
    }
}

impl ProviderRequest {
    /// Returns the same request for another provider. The CPU has no device and no options.
    pub(crate) fn with_kind(&self, kind: Provider) -> Self {
        if kind.is_cpu() {
            return kind.into();
        }
        Self {
            kind,
            ..self.clone()
        }
    }

    /// Checks that the provider has the requested options and limit, and that there is a library
    /// exactly if it needs one.
    ///
    /// # Errors
    /// Returns an error if this is not so.
    pub(crate) fn check(&self) -> Result<(), RequestError> {
        let is_limited = self.gpu_mem_limit != settings::GPU_MEM_LIMIT.default;
        if is_limited && !matches!(self.kind, Provider::Auto | Provider::Cuda) {
            return Err(RequestError::UnusedMemoryLimit(self.kind.name()));
        }
        match (self.kind, &self.library) {
            (Provider::Plugin, None) => Err(RequestError::NoLibrary),
            (Provider::Plugin, Some(_)) | (_, None) => self.options.check(self.kind),
            (kind, Some(_)) => Err(RequestError::UnusedLibrary(kind.name())),
        }
    }

    /// Returns the index of a GPU from a device such as `1` or `GPU.1`.
    ///
    /// # Errors
    /// Returns an error if the device is anything else.
    pub(super) fn gpu_index(&self) -> Result<i32, ProviderFailure> {
        let Some(device) = &self.device else {
            return Ok(self.device_id);
        };
        let index = match device.strip_prefix("GPU") {
            Some("") => "0",
            Some(suffix) => suffix.strip_prefix('.').unwrap_or(device),
            None => device,
        };
        match index.parse() {
            Ok(index @ 0..) => Ok(index),
            _ => Err(ProviderFailure {
                cause: format!("'{device}' is not one of its devices"),
                next_step: "set device to the index of a GPU, such as 0".to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_required_by_plugin_and_refused_by_others() {
        let request = |kind: Provider, library: Option<&str>| ProviderRequest {
            library: library.map(PathBuf::from),
            ..kind.into()
        };
        let check = |kind, library| request(kind, library).check();
        assert_eq!(check(Provider::Plugin, None), Err(RequestError::NoLibrary));
        assert_eq!(check(Provider::Plugin, Some("libep.so")), Ok(()));
        assert_eq!(check(Provider::Auto, None), Ok(()));
        let unused = Err(RequestError::UnusedLibrary("cuda"));
        assert_eq!(check(Provider::Cuda, Some("libep.so")), unused);
    }

    #[test]
    fn a_limit_of_memory_is_refused_by_providers_without_one() {
        let check = |kind: Provider| {
            let request = ProviderRequest {
                gpu_mem_limit: 1 << 30,
                ..kind.into()
            };
            request.check()
        };
        assert_eq!(check(Provider::Cuda), Ok(()));
        assert_eq!(check(Provider::Auto), Ok(()));
        for kind in [Provider::Cpu, Provider::WebGpu, Provider::TensorRt] {
            let unused = Err(RequestError::UnusedMemoryLimit(kind.name()));
            assert_eq!(check(kind), unused);
        }
    }

    #[test]
    fn the_index_of_a_gpu_is_that_of_device_or_else_device_id() {
        let request = |device: Option<&str>| ProviderRequest {
            device_id: 3,
            device: device.map(str::to_owned),
            ..Provider::Cuda.into()
        };
        for (device, index) in [
            (None, 3),
            (Some("0"), 0),
            (Some("GPU"), 0),
            (Some("GPU.2"), 2),
        ] {
            assert_eq!(request(device).gpu_index(), Ok(index), "{device:?}");
        }
        for device in ["-1", "NPU", "GPU.x", "GPU2", ""] {
            assert!(request(Some(device)).gpu_index().is_err(), "{device}");
        }
    }
}
