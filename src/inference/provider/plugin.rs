// SPDX-License-Identifier: MPL-2.0

//! Execution providers in libraries of their own, which ONNX Runtime 1.22 and newer can load.
//!
//! Feature `api-22` of ort would make ONNX Runtime 1.22 the oldest that this crate can load. Hence
//! this module requests the newer table of functions itself, if the loaded library has it.

use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr::{self, NonNull};
use std::sync::Mutex;

use once_cell::sync::Lazy;
use ort::AsPointer;
use ort::environment::Environment;
use ort::session::builder::SessionBuilder;
use ort::sys::{OrtApiBase, OrtEnv, OrtSessionOptions, OrtStatus};

use super::{ProviderFailure, ProviderRequest, libraries};
use crate::runtime;
use attitude::sync::lock;

/// Version of the table of functions.
const API_VERSION: u32 = 22;

/// A device that a provider can use; ONNX Runtime's `OrtEpDevice`.
#[repr(C)]
struct EpDevice {
    _opaque: [u8; 0],
}

/// ONNX Runtime's `OrtHardwareDevice`.
#[repr(C)]
struct HardwareDevice {
    _opaque: [u8; 0],
}

/// The members of ONNX Runtime's `OrtApi` that this module uses. New versions only append members.
#[repr(C)]
struct Api {
    _before: [*const c_void; 301],
    register_execution_provider_library:
        unsafe extern "system" fn(*mut OrtEnv, *const c_char, *const c_char) -> *mut OrtStatus,
    _unregister_execution_provider_library: *const c_void,
    get_ep_devices: unsafe extern "system" fn(
        *const OrtEnv,
        *mut *const *const EpDevice,
        *mut usize,
    ) -> *mut OrtStatus,
    session_options_append_execution_provider_v2: unsafe extern "system" fn(
        *mut OrtSessionOptions,
        *mut OrtEnv,
        *const *const EpDevice,
        usize,
        *const *const c_char,
        *const *const c_char,
        usize,
    ) -> *mut OrtStatus,
    _ep_selection_policies: [*const c_void; 2],
    hardware_device_type: unsafe extern "system" fn(*const HardwareDevice) -> c_int,
    _hardware_device_vendor_id: *const c_void,
    hardware_device_vendor: unsafe extern "system" fn(*const HardwareDevice) -> *const c_char,
    _hardware_device_properties: [*const c_void; 2],
    ep_device_ep_name: unsafe extern "system" fn(*const EpDevice) -> *const c_char,
    _ep_device_properties: [*const c_void; 3],
    ep_device_device: unsafe extern "system" fn(*const EpDevice) -> *const HardwareDevice,
}

/// A device of a provider in a library of its own.
#[derive(Clone, Debug)]
pub(crate) struct PluginDevice {
    pointer: NonNull<EpDevice>,
    /// ONNX Runtime's name of the provider.
    pub(crate) provider: String,
    /// Name of the device's vendor.
    pub(crate) vendor: String,
    pub(crate) kind: DeviceKind,
}

// SAFETY: The device belongs to ONNX Runtime, which does not change it, and lives as long as the
// library of the provider is registered, which is as long as the process.
unsafe impl Send for PluginDevice {}
// SAFETY: As above.
unsafe impl Sync for PluginDevice {}

/// Kind of a device, in the order of preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DeviceKind {
    Gpu,
    Npu,
    Cpu,
}

impl DeviceKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Gpu => "GPU",
            Self::Npu => "NPU",
        }
    }
}

/// Libraries that are registered with the environment, with their devices.
static LIBRARIES: Lazy<Mutex<HashMap<PathBuf, Vec<PluginDevice>>>> = Lazy::new(Mutex::default);

/// Returns the devices of the provider in `library`, which is loaded first if necessary: GPUs, NPUs,
/// CPUs.
///
/// # Errors
/// Returns an error if ONNX Runtime is too old, or the library cannot be loaded.
pub(crate) fn devices(
    environment: &Environment,
    library: &Path,
) -> Result<Vec<PluginDevice>, ProviderFailure> {
    let library = library.canonicalize().map_err(|error| ProviderFailure {
        cause: format!("{}: {error}", library.display()),
        next_step: "set provider-library to the library of an execution provider".to_owned(),
    })?;
    let mut libraries = lock(&LIBRARIES);
    if let Some(devices) = libraries.get(&library) {
        return Ok(devices.clone());
    }
    let api = api()?;
    let others = all_devices(api, environment)?;
    register(api, environment, &library)?;
    let mut devices = all_devices(api, environment)?;
    devices.retain(|device| others.iter().all(|other| other.pointer != device.pointer));
    devices.sort_by_key(|device| device.kind);
    libraries.insert(library, devices.clone());
    Ok(devices)
}

/// Adds the provider in the library of `request` to the options of a session.
///
/// # Errors
/// Returns an error if the library cannot be loaded, or has no such device.
pub(crate) fn append(
    builder: &mut SessionBuilder,
    environment: &Environment,
    request: &ProviderRequest,
) -> Result<(), ProviderFailure> {
    let library = request.library.as_deref().unwrap_or(Path::new(""));
    let devices = devices(environment, library)?;
    let device = select(&devices, request)?;
    let strings = |of: fn((&str, &str)) -> CString| -> Vec<CString> {
        request.options.iter().map(of).collect()
    };
    // The parser of options refuses NUL.
    let keys = strings(|(key, _)| CString::new(key).unwrap_or_default());
    let values = strings(|(_, value)| CString::new(value).unwrap_or_default());
    let pointers = |strings: &[CString]| -> Vec<*const c_char> {
        strings.iter().map(|string| string.as_ptr()).collect()
    };
    let (key_pointers, value_pointers) = (pointers(&keys), pointers(&values));
    let device: *const EpDevice = device.pointer.as_ptr();
    let api = api()?;
    // SAFETY: All pointers are valid during the call, and the lengths are those of the arrays.
    Ok(check(unsafe {
        (api.session_options_append_execution_provider_v2)(
            builder.ptr_mut(),
            environment.ptr().cast_mut(),
            &raw const device,
            1,
            key_pointers.as_ptr(),
            value_pointers.as_ptr(),
            key_pointers.len(),
        )
    })?)
}

/// Returns the device that is requested by its index, its kind, both as in `GPU.1`, or its vendor; the
/// first one by default.
fn select<'a>(
    devices: &'a [PluginDevice],
    request: &ProviderRequest,
) -> Result<&'a PluginDevice, ProviderFailure> {
    let found = match request.device.as_deref() {
        None => devices.get(usize::try_from(request.device_id).unwrap_or_default()),
        Some(device) => {
            let (kind, index) = device.split_once('.').unwrap_or((device, "0"));
            let mut of_kind = devices.iter().filter(|it| it.kind.name() == kind);
            let vendor = device.to_lowercase();
            let has_vendor = |it: &&PluginDevice| it.vendor.to_lowercase().contains(&vendor);
            match (device.parse::<usize>(), index.parse()) {
                (Ok(index), _) => devices.get(index),
                (Err(_), Ok(index)) => of_kind.nth(index),
                (Err(_), Err(_)) => None,
            }
            .or_else(|| devices.iter().find(has_vendor))
        }
    };
    found.ok_or_else(|| {
        if devices.is_empty() {
            return no_device();
        }
        let names: Vec<String> = devices.iter().map(PluginDevice::describe).collect();
        ProviderFailure {
            cause: "the provider has no such device".to_owned(),
            next_step: format!("set device to one of: {}", names.join(", ")),
        }
    })
}

/// Returns the failure of a provider without devices.
pub(crate) fn no_device() -> ProviderFailure {
    ProviderFailure {
        cause: "the provider's library finds no device that it can use".to_owned(),
        next_step:
            "install the driver of the GPU; in a container, make /dev/dri and /sys/class/drm \
                    visible"
                .to_owned(),
    }
}

impl PluginDevice {
    /// Returns kind and vendor, such as `GPU (Intel)`.
    pub(crate) fn describe(&self) -> String {
        match self.vendor.as_str() {
            "" => self.kind.name().to_owned(),
            vendor => format!("{} ({vendor})", self.kind.name()),
        }
    }
}

fn register(api: &Api, environment: &Environment, library: &Path) -> Result<(), ProviderFailure> {
    let path = CString::new(library.as_os_str().as_encoded_bytes()).unwrap_or_default();
    let registered = libraries::with_libraries_in(library.parent(), || {
        // SAFETY: The environment and the strings are valid during the call. ONNX Runtime locks its
        // list of libraries. The name of the registration is the path, which is unique.
        check(unsafe {
            (api.register_execution_provider_library)(
                environment.ptr().cast_mut(),
                path.as_ptr(),
                path.as_ptr(),
            )
        })
    });
    Ok(registered?)
}

/// Returns the devices of all providers.
fn all_devices(api: &Api, environment: &Environment) -> Result<Vec<PluginDevice>, ProviderFailure> {
    let (mut first, mut count) = (ptr::null(), 0);
    // SAFETY: The pointers are valid during the call.
    check(unsafe { (api.get_ep_devices)(environment.ptr(), &raw mut first, &raw mut count) })?;
    if first.is_null() {
        return Ok(Vec::new());
    }
    // SAFETY: ONNX Runtime returns an array of this length, which it changes only when a library is
    // registered; the mutex of `LIBRARIES` is locked.
    let devices = unsafe { std::slice::from_raw_parts(first, count) };
    let pointers = devices.iter().copied();
    Ok(pointers
        .filter_map(|device| NonNull::new(device.cast_mut()))
        .map(|device| describe(api, device))
        .collect())
}

fn describe(api: &Api, pointer: NonNull<EpDevice>) -> PluginDevice {
    let device = pointer.as_ptr();
    // SAFETY: The device is valid, and its properties and their strings live as long as it.
    unsafe {
        let hardware = (api.ep_device_device)(device);
        PluginDevice {
            pointer,
            provider: text((api.ep_device_ep_name)(device)),
            vendor: text((api.hardware_device_vendor)(hardware)),
            kind: match (api.hardware_device_type)(hardware) {
                1 => DeviceKind::Gpu,
                2 => DeviceKind::Npu,
                _ => DeviceKind::Cpu,
            },
        }
    }
}

/// Copies a string of ONNX Runtime.
///
/// # Safety
/// The pointer must be null or that of a string that ends with NUL.
unsafe fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: The caller guarantees it.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_string_lossy().into_owned()
}

/// The message of a failed function of ONNX Runtime.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct StatusError(String);

impl From<StatusError> for ProviderFailure {
    fn from(error: StatusError) -> Self {
        Self::diagnose(super::Provider::Plugin, &error.0)
    }
}

/// Converts a status to a result, and releases it.
fn check(status: *mut OrtStatus) -> Result<(), StatusError> {
    if status.is_null() {
        return Ok(());
    }
    let api = ort::api();
    // SAFETY: The status is valid, and is not used after it has been released.
    let message = unsafe {
        let message = text((api.GetErrorMessage)(status));
        (api.ReleaseStatus)(status);
        message
    };
    Err(StatusError(message))
}

/// Returns the functions for libraries of providers.
///
/// # Errors
/// Returns an error if the loaded ONNX Runtime is too old.
fn api() -> Result<&'static Api, ProviderFailure> {
    let failure = |cause: String| ProviderFailure {
        cause,
        next_step: "install a newer one with gst-attitude-onnxruntime, or set onnxruntime"
            .to_owned(),
    };
    let library = runtime::loaded_library().unwrap_or(Path::new(""));
    let unusable = || {
        failure(format!(
            "the loaded ONNX Runtime, {}, has no functions for it",
            library.display()
        ))
    };
    // SAFETY: The library is loaded already, so that no code of it runs.
    let library = unsafe { libloading::Library::new(library) }.map_err(|_| unusable())?;
    // SAFETY: This is the type of the function. The library stays loaded, as ort uses it.
    let base = unsafe {
        let get_base = library
            .get::<unsafe extern "system" fn() -> *const OrtApiBase>(b"OrtGetApiBase")
            .map_err(|_| unusable())?;
        get_base().as_ref().ok_or_else(unusable)?
    };
    // SAFETY: The function returns a static table.
    let lowest = unsafe { (base.GetApi)(ort::MINOR_VERSION) };
    if !ptr::eq(lowest, ort::api()) {
        // The name is also that of another library than the one that ort has loaded.
        return Err(unusable());
    }
    // SAFETY: The function returns a static string.
    let version = unsafe { text((base.GetVersionString)()) };
    let minor = version.split('.').nth(1).and_then(|it| it.parse().ok());
    // An older library would print an error.
    if minor.is_none_or(|minor: u32| minor < API_VERSION) {
        return Err(failure(format!(
            "ONNX Runtime {version} cannot load providers; 1.{API_VERSION} or newer is required"
        )));
    }
    // SAFETY: A table of this version has at least the members of `Api`, and is static.
    unsafe { (base.GetApi)(API_VERSION).cast::<Api>().as_ref() }.ok_or_else(unusable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Provider;

    fn device(kind: DeviceKind, vendor: &str) -> PluginDevice {
        PluginDevice {
            pointer: NonNull::dangling(),
            provider: "FakeExecutionProvider".to_owned(),
            vendor: vendor.to_owned(),
            kind,
        }
    }

    #[test]
    fn a_device_is_selected_by_kind_index_or_vendor() {
        let devices = [
            device(DeviceKind::Gpu, "Intel"),
            device(DeviceKind::Gpu, "NVIDIA"),
            device(DeviceKind::Npu, "Intel"),
            device(DeviceKind::Cpu, "AMD"),
        ];
        let select = |name: Option<&str>| {
            let request = ProviderRequest {
                device: name.map(str::to_owned),
                ..Provider::Plugin.into()
            };
            select(&devices, &request).map(PluginDevice::describe)
        };
        for (name, expected) in [
            (None, "GPU (Intel)"),
            (Some("1"), "GPU (NVIDIA)"),
            (Some("2"), "NPU (Intel)"),
            (Some("GPU.1"), "GPU (NVIDIA)"),
            (Some("CPU"), "CPU (AMD)"),
            (Some("nvidia"), "GPU (NVIDIA)"),
        ] {
            assert_eq!(select(name).as_deref(), Ok(expected), "{name:?}");
        }
        let error = select(Some("GPU.2")).unwrap_err();
        assert!(error.next_step.contains("GPU (NVIDIA)"), "{error}");
    }

    #[test]
    fn a_library_without_devices_is_reported() {
        let error = select(&[], &Provider::Plugin.into()).unwrap_err();
        assert!(error.cause.contains("no device"), "{error}");
    }
}
