// SPDX-License-Identifier: MPL-2.0

//! Finds and loads ONNX Runtime's library, once a process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use once_cell::sync::OnceCell;
use ort::environment::{Environment, EnvironmentBuilder};
use ort::logging::LogLevel;

/// The file to look for in folders.
const LIBRARY: &str = "libonnxruntime.so";

/// The names under which the system's linker may know it: the first is what a development package
/// installs, the others are sonames of releases and of Debian 13's package.
const SYSTEM_NAMES: [&str; 3] = [LIBRARY, "libonnxruntime.so.1", "libonnxruntime.so.1.21"];

/// The command that installs it, for error messages.
const INSTALL_HINT: &str = "pipelines/setup.sh of gst-plugin-attitude installs one; \
     so does Debian 13's package libonnxruntime1.21";

/// Where to look, and whom to tell what ONNX Runtime logs.
#[derive(Clone, Debug)]
pub struct Search {
    /// This file and no other.
    pub requested: Option<PathBuf>,
    /// The folder that the plugin was loaded from.
    pub plugin_folder: Option<PathBuf>,
    /// Takes warnings and errors of ONNX Runtime.
    pub log: fn(&str),
}

impl Default for Search {
    /// In all places; what is logged is dropped.
    fn default() -> Self {
        Self {
            requested: None,
            plugin_folder: None,
            log: |_| {},
        }
    }
}

/// Why there is no ONNX Runtime.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RuntimeError {
    /// None of the places has a library that works.
    #[error("no ONNX Runtime (1.{} or newer) found. Looked at: {}. {INSTALL_HINT}", ort::MINOR_VERSION, .tried.join("; "))]
    NotFound {
        /// Each place with the reason why it does not serve.
        tried: Vec<String>,
    },
    /// The process has loaded another one already and cannot load a second.
    #[error(
        "this process has already loaded ONNX Runtime from {loaded}; {requested} cannot be loaded \
         beside it: ask for the same one everywhere, or for none"
    )]
    AnotherIsLoaded {
        /// The loaded library.
        loaded: PathBuf,
        /// The one asked for now.
        requested: PathBuf,
    },
    /// The library was loaded but could not be set up.
    #[error("ONNX Runtime from {library} does not start: {reason}. {INSTALL_HINT}")]
    Environment {
        /// The loaded library.
        library: PathBuf,
        /// What it says.
        reason: String,
    },
}

struct Runtime {
    library: PathBuf,
    environment: Environment,
}

/// Loading fails where nothing is installed yet; a failure is not kept, so that a later try finds
/// what was installed meanwhile.
static RUNTIME: OnceCell<Runtime> = OnceCell::new();

/// The process's ONNX Runtime, loaded by the first caller.
///
/// # Errors
/// Where there is none, or `search` asks for another one than is loaded.
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

/// The library that the process has loaded; `None` before.
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
        // From here on the process has this library and can have no other.
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

/// Runs what asserts that the library answers as ONNX Runtime does; one that does not is an error.
fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    // Nothing of ours is left half-way by a panic in it.
    catch_unwind(AssertUnwindSafe(run))
        .map_err(|_| "it is damaged: it does not answer as ONNX Runtime does".to_owned())
}

/// What the linker or the library says.
fn reason(error: &ort::LoadDynamicError) -> String {
    match error {
        ort::LoadDynamicError::Dlopen { error, .. } => {
            std::error::Error::source(error).map_or(error.to_string(), ToString::to_string)
        }
        ort::LoadDynamicError::MissingApi { .. } => "it is no ONNX Runtime".to_owned(),
        other => other.to_string(),
    }
}

/// The places in the order of looking. What the user names stands alone: falling back from it
/// would hide a mistake.
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

/// The user's data folder by the XDG Base Directory specification.
fn data_folder() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    set("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&set("HOME")?).join(".local/share")))
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
