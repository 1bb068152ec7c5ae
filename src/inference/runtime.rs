// SPDX-License-Identifier: MPL-2.0

//! Finds and loads ONNX Runtime's library, once per process.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use etcetera::BaseStrategy;
use once_cell::sync::OnceCell;
use ort::environment::{Environment, EnvironmentBuilder};
use ort::logging::LogLevel;

/// Sonames for the dynamic linker beside [`library_name`], the name in development packages: those of
/// releases and of Debian 13's package.
const SONAMES: &[&str] = if cfg!(target_os = "linux") {
    &["libonnxruntime.so.1", "libonnxruntime.so.1.21"]
} else {
    &[]
};

/// Folder of what is installed for all users; packages set it when they are built.
const LIBRARY_FOLDER: Option<&str> = option_env!("GST_ATTITUDE_LIBRARY_FOLDER");

/// Folders of what `pipelines/onnxruntime.sh` installs, those for GPUs first.
const INSTALLED_FOLDERS: [&str; 4] = [
    "onnxruntime-gpu",
    "onnxruntime-openvino",
    "onnxruntime-webgpu",
    "onnxruntime",
];

/// Next step in error messages.
const INSTALL_HINT: &str = "Install it with gst-attitude-onnxruntime, with pipelines/setup.sh of gst-attitude's \
     sources, or with Debian 13's package libonnxruntime1.21";

/// The file of ONNX Runtime to load, or the folders to search for it, and a receiver of its log.
#[derive(Clone, Debug)]
pub struct RuntimeOptions {
    /// File to load; `None` to search for one.
    pub library: Option<PathBuf>,
    /// Folder that the plugin was loaded from, which is searched.
    pub plugin_folder: Option<PathBuf>,
    /// Receives the warnings and errors that ONNX Runtime logs.
    pub log: fn(&str),
    /// Receives the steps of loading networks on an execution provider that compiles them, which
    /// takes seconds to minutes.
    pub progress: fn(&str),
}

impl Default for RuntimeOptions {
    /// Searches all folders except the plugin's, and drops the log and the progress.
    fn default() -> Self {
        Self {
            library: None,
            plugin_folder: None,
            log: |_| {},
            progress: |_| {},
        }
    }
}

/// The reason why a file is not used as ONNX Runtime.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LibraryError {
    /// The file does not exist.
    #[error("no such file")]
    NotFound,
    /// The dynamic linker rejects the file, or its version is too old.
    #[error("{0}")]
    NotLoaded(String),
    /// The file is another library.
    #[error("not ONNX Runtime")]
    NotOnnxRuntime,
    /// The library lacks functions, or they do not do what ONNX Runtime's do.
    #[error("damaged: a function of ONNX Runtime is missing or does not work")]
    Damaged,
    /// The library was loaded but fails to initialize.
    #[error("{0}")]
    NotInitialized(String),
}

impl From<ort::LoadDynamicError> for LibraryError {
    fn from(error: ort::LoadDynamicError) -> Self {
        match error {
            ort::LoadDynamicError::Dlopen { ref error, .. } => Self::NotLoaded(
                std::error::Error::source(error).map_or(error.to_string(), ToString::to_string),
            ),
            ort::LoadDynamicError::MissingApi { .. } => Self::NotOnnxRuntime,
            other => Self::NotLoaded(other.to_string()),
        }
    }
}

impl From<ort::Error> for LibraryError {
    fn from(error: ort::Error) -> Self {
        Self::NotInitialized(error.to_string())
    }
}

/// ONNX Runtime cannot be loaded.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RuntimeError {
    /// No file is a usable library.
    #[error(
        "no ONNX Runtime (1.{} or newer) found. Looked at: {}. {INSTALL_HINT}",
        ort::MINOR_VERSION,
        format_tried(.tried)
    )]
    NotFound {
        /// Each file, with the reason why it is not used.
        tried: Vec<(PathBuf, LibraryError)>,
    },
    /// The process has already loaded another library; it cannot load a second one.
    #[error(
        "this process has already loaded ONNX Runtime from {loaded} and cannot load {requested} as well; \
         set onnxruntime to the same file everywhere, or leave it unset"
    )]
    AnotherIsLoaded {
        /// The loaded library.
        loaded: PathBuf,
        /// The requested library.
        requested: PathBuf,
    },
    /// The library was loaded but fails to initialize.
    #[error("ONNX Runtime from {library} does not start: {reason}. {INSTALL_HINT}")]
    NotStarted {
        /// The loaded library.
        library: PathBuf,
        /// The reason.
        reason: LibraryError,
    },
}

fn format_tried(tried: &[(PathBuf, LibraryError)]) -> String {
    let tried: Vec<String> = tried
        .iter()
        .map(|(library, reason)| format!("{} ({reason})", library.display()))
        .collect();
    tried.join("; ")
}

struct Runtime {
    library: PathBuf,
    environment: Environment,
}

/// Empty after a failure, so that a later attempt finds a library that was installed meanwhile.
static RUNTIME: OnceCell<Runtime> = OnceCell::new();

/// Loads ONNX Runtime, unless the process has loaded it already, and returns the library.
///
/// # Errors
/// Returns an error if no usable library is found, or `options` requests another one than the
/// loaded one.
pub fn load(options: &RuntimeOptions) -> Result<&'static Path, RuntimeError> {
    Ok(&runtime(options)?.library)
}

/// Returns the loaded library; `None` if none is loaded yet.
pub fn loaded_library() -> Option<&'static Path> {
    Some(&RUNTIME.get()?.library)
}

/// Returns the environment of the process's ONNX Runtime, which is loaded first if necessary. A
/// process can have only one environment, so an application with sessions of its own creates them
/// in this one.
///
/// # Errors
/// Returns the errors of [`load`].
pub fn environment(options: &RuntimeOptions) -> Result<&'static Environment, RuntimeError> {
    Ok(&runtime(options)?.environment)
}

fn runtime(options: &RuntimeOptions) -> Result<&'static Runtime, RuntimeError> {
    let runtime = RUNTIME.get_or_try_init(|| find_and_load(options))?;
    match &options.library {
        Some(requested) if !is_same_file(requested, &runtime.library) => {
            Err(RuntimeError::AnotherIsLoaded {
                loaded: runtime.library.clone(),
                requested: requested.clone(),
            })
        }
        _ => Ok(runtime),
    }
}

/// Keeps ONNX Runtime from sending telemetry to its manufacturer. From 1.29 on, Microsoft's builds for
/// Linux send the path of the program and an id of the device when the environment is created, before
/// [`EnvironmentBuilder::with_telemetry`] has an effect.
fn disable_telemetry() {
    const VARIABLE: &str = "ORT_DISABLE_TELEMETRY";
    if std::env::var_os(VARIABLE).is_none() {
        // SAFETY: Threads of C code may read the environment meanwhile. glibc and musl do not free the
        // environment that they read when a program adds its first variable, and glibc from 2.41 on
        // never does. There is no other way: ONNX Runtime reads only the environment.
        unsafe { std::env::set_var(VARIABLE, "1") };
    }
}

fn find_and_load(options: &RuntimeOptions) -> Result<Runtime, RuntimeError> {
    disable_telemetry();
    let mut tried = Vec::new();
    for library in candidates(options) {
        let is_path = library.components().count() > 1;
        if is_path && !library.exists() {
            tried.push((library, LibraryError::NotFound));
            continue;
        }
        let builder = match catch_damage(|| ort::init_from(&library)) {
            Ok(builder) => builder,
            Err(reason) => {
                tried.push((library, reason));
                continue;
            }
        };
        // From here on the process has this library and cannot load another one.
        return match catch_damage(|| build_environment(builder, options.log)) {
            Ok(environment) => Ok(Runtime {
                library,
                environment,
            }),
            Err(reason) => Err(RuntimeError::NotStarted { library, reason }),
        };
    }
    Err(RuntimeError::NotFound { tried })
}

fn build_environment(
    builder: EnvironmentBuilder,
    log: fn(&str),
) -> Result<Environment, ort::Error> {
    builder
        .with_name("gst-attitude")
        .with_telemetry(false)
        .with_logger(Arc::new(move |level, _, _, location, message| {
            if matches!(level, LogLevel::Warning | LogLevel::Error | LogLevel::Fatal) {
                log(&format!("{location}: {message}"));
            }
        }))
        .build()
}

/// Runs code of ort that panics if the library does not behave like ONNX Runtime, and returns the
/// panic as an error.
fn catch_damage<T, E: Into<LibraryError>>(
    run: impl FnOnce() -> Result<T, E>,
) -> Result<T, LibraryError> {
    // The code has no state of this crate that a panic could leave incomplete.
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result.map_err(Into::into),
        Err(_) => Err(LibraryError::Damaged),
    }
}

/// Returns the files to try, in order. A file that the user names is the only one: a fallback would
/// hide the mistake.
fn candidates(options: &RuntimeOptions) -> Vec<PathBuf> {
    if let Some(requested) = &options.library {
        return vec![requested.clone()];
    }
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()) {
        return vec![path.into()];
    }
    let name = library_name();
    let beside_plugin = options.plugin_folder.iter().map(|dir| dir.join(&name));
    let for_user = native_folders().map(|folders| folders.data_dir().join("gst-attitude"));
    let for_all = LIBRARY_FOLDER.map(PathBuf::from);
    let installed = for_user.into_iter().chain(for_all);
    let installed = installed
        .flat_map(|folder| INSTALLED_FOLDERS.map(|runtime| folder.join(runtime).join(&name)));
    let system = SONAMES.iter().map(PathBuf::from);
    let system = std::iter::once(PathBuf::from(&name)).chain(system);
    // What was installed for gst-attitude precedes the system's library, which has no GPU support.
    beside_plugin.chain(installed).chain(system).collect()
}

/// Returns the file name of the library on this platform, such as `libonnxruntime.so`.
fn library_name() -> String {
    format!("{DLL_PREFIX}onnxruntime{DLL_SUFFIX}")
}

/// Returns the folder `name` for what execution providers compile, which is created if necessary;
/// `None` if that is not possible.
pub(crate) fn cache_folder(name: &str) -> Option<PathBuf> {
    let folder = native_folders()?
        .cache_dir()
        .join("gst-attitude")
        .join(name);
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder)
}

/// Returns the user's folders by the conventions of this platform: on Linux, the XDG Base Directory
/// specification. `None` without a home.
fn native_folders() -> Option<impl BaseStrategy> {
    etcetera::base_strategy::choose_native_strategy().ok()
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
