// SPDX-License-Identifier: MPL-2.0

//! Finds and loads ONNX Runtime's library, once per process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use once_cell::sync::OnceCell;
use ort::environment::{Environment, EnvironmentBuilder};
use ort::logging::LogLevel;

/// File name of the library.
const LIBRARY: &str = "libonnxruntime.so";

/// Names that the dynamic linker may know: the first comes with development packages, the others are
/// sonames of releases and of Debian 13's package.
const SYSTEM_NAMES: [&str; 3] = [LIBRARY, "libonnxruntime.so.1", "libonnxruntime.so.1.21"];

/// The command that installs it, for error messages.
const INSTALL_HINT: &str = "pipelines/setup.sh of gst-plugin-attitude installs one; \
     so does Debian 13's package libonnxruntime1.21";

/// Where to search for the library, and a receiver of its log.
#[derive(Clone, Debug)]
pub struct Search {
    /// This file and no other.
    pub requested: Option<PathBuf>,
    /// The folder that the plugin was loaded from.
    pub plugin_folder: Option<PathBuf>,
    /// Receives the warnings and errors that ONNX Runtime logs.
    pub log: fn(&str),
}

impl Default for Search {
    /// Searches all places and drops the log.
    fn default() -> Self {
        Self {
            requested: None,
            plugin_folder: None,
            log: |_| {},
        }
    }
}

/// ONNX Runtime cannot be loaded.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RuntimeError {
    /// No place has a usable library.
    #[error("no ONNX Runtime (1.{} or newer) found. Looked at: {}. {INSTALL_HINT}", ort::MINOR_VERSION, .tried.join("; "))]
    NotFound {
        /// Each place, with the reason why it is not used.
        tried: Vec<String>,
    },
    /// The process has already loaded another library; it cannot load a second one.
    #[error(
        "this process has already loaded ONNX Runtime from {loaded}; {requested} cannot be loaded \
         beside it: ask for the same one everywhere, or for none"
    )]
    AnotherIsLoaded {
        /// The loaded library.
        loaded: PathBuf,
        /// The requested library.
        requested: PathBuf,
    },
    /// The library was loaded but cannot be initialised.
    #[error("ONNX Runtime from {library} does not start: {reason}. {INSTALL_HINT}")]
    Environment {
        /// The loaded library.
        library: PathBuf,
        /// Its error.
        reason: String,
    },
}

struct Runtime {
    library: PathBuf,
    environment: Environment,
}

/// Empty after a failure, so that a later attempt finds a library that was installed meanwhile.
static RUNTIME: OnceCell<Runtime> = OnceCell::new();

/// Returns the process's ONNX Runtime, which the first call loads.
///
/// # Errors
/// If there is none, or `search` requests another one than the loaded one.
pub fn environment(search: &Search) -> Result<&'static Environment, RuntimeError> {
    let runtime = RUNTIME.get_or_try_init(|| load(search))?;
    match &search.requested {
        Some(requested) if !is_same_file(requested, &runtime.library) => {
            Err(RuntimeError::AnotherIsLoaded {
                loaded: runtime.library.clone(),
                requested: requested.clone(),
            })
        }
        _ => Ok(&runtime.environment),
    }
}

/// Returns the loaded library; `None` if none is loaded yet.
pub fn loaded_library() -> Option<&'static Path> {
    Some(&RUNTIME.get()?.library)
}

fn load(search: &Search) -> Result<Runtime, RuntimeError> {
    let mut tried = Vec::new();
    for library in candidates(search) {
        let is_file = library.components().count() > 1;
        if is_file && !library.exists() {
            tried.push(format!("{} (not there)", library.display()));
            continue;
        }
        let builder = guarded(|| ort::init_from(&library).map_err(|error| reason(&error)));
        let builder = match builder.flatten() {
            Ok(builder) => builder,
            Err(reason) => {
                tried.push(format!("{} ({reason})", library.display()));
                continue;
            }
        };
        // From here on the process has this library and cannot load another one.
        let built = guarded(|| build(builder, search.log).map_err(|error| error.to_string()));
        return match built.flatten() {
            Ok(environment) => Ok(Runtime {
                library,
                environment,
            }),
            Err(reason) => Err(RuntimeError::Environment { library, reason }),
        };
    }
    Err(RuntimeError::NotFound { tried })
}

fn build(builder: EnvironmentBuilder, log: fn(&str)) -> Result<Environment, ort::Error> {
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

/// Runs code that panics if the library does not behave like ONNX Runtime, and returns that as an error.
fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    // A panic in it leaves no state of ours incomplete.
    catch_unwind(AssertUnwindSafe(run))
        .map_err(|_| "it is damaged: it does not answer as ONNX Runtime does".to_owned())
}

/// Returns the error text of the linker or the library.
fn reason(error: &ort::LoadDynamicError) -> String {
    match error {
        ort::LoadDynamicError::Dlopen { error, .. } => {
            std::error::Error::source(error).map_or(error.to_string(), ToString::to_string)
        }
        ort::LoadDynamicError::MissingApi { .. } => "it is no ONNX Runtime".to_owned(),
        other => other.to_string(),
    }
}

/// Returns the files to try, in order. A file that the user names is the only one: a fallback would hide
/// the mistake.
fn candidates(search: &Search) -> Vec<PathBuf> {
    if let Some(requested) = &search.requested {
        return vec![requested.clone()];
    }
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()) {
        return vec![path.into()];
    }
    let beside_plugin = search.plugin_folder.iter().map(|dir| dir.join(LIBRARY));
    let system = SYSTEM_NAMES.iter().map(PathBuf::from);
    let installed = data_folder().into_iter().flat_map(|data| {
        ["onnxruntime-gpu", "onnxruntime"]
            .map(|name| data.join("gst-attitude").join(name).join(LIBRARY))
    });
    beside_plugin.chain(system).chain(installed).collect()
}

/// Returns the user's data folder by the XDG Base Directory specification.
fn data_folder() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    set("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&set("HOME")?).join(".local/share")))
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
