// SPDX-License-Identifier: MPL-2.0

//! A loaded network: a session of ONNX Runtime, its tensors, and its runs on images.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::session::{Session, SessionOutputs};
use ort::value::{Outlet, TensorElementType, TensorRef, ValueType};

use super::description::{DescriptionError, InputSection};
use super::model::ModelError;
use super::optimized::OptimizedModel;
use super::provider::{Provider, ProviderRequest, Registration, libraries, plugin};
use super::runtime;
use super::settings;
use super::watchdog::{RunEnd, WatchedRuns};
use attitude::InferenceError;
use attitude::preprocessing::{TensorFormat, TensorLayout};
use attitude::sync::lock;

/// Execution provider of a network, and the limit of its runs.
#[derive(Clone, Debug)]
pub(crate) struct Execution {
    /// The provider; [`Provider::Auto`](super::provider::Provider::Auto) is the CPU here.
    pub(crate) provider: Arc<ProviderRequest>,
    /// Time after which a run is stopped.
    pub(crate) timeout: Duration,
}

/// Minimum time limit of a run on a provider other than the CPU if the input has another shape than
/// before, for which the provider may compile the network.
const MIN_COMPILATION_TIMEOUT: Duration = Duration::from_secs(600);

/// Is locked while a session of a provider that is not thread-safe is created, run or released, by
/// any engine of the process.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A loaded network with one input.
pub(crate) struct Network {
    session: LoadedSession,
    runs: WatchedRuns,
    execution: Execution,
    /// Shape of the input of the last run.
    last_shape: Option<[usize; 4]>,
}

/// A session that is released while no other one of its provider runs, if the provider requires it.
struct LoadedSession {
    /// `None` only while it is dropped.
    session: Option<Session>,
    provider: Arc<ProviderRequest>,
}

impl LoadedSession {
    fn get(&self) -> &Session {
        self.session.as_ref().expect("the session is loaded")
    }

    /// Returns the session for a run, and the lock to hold meanwhile.
    fn get_mut(&mut self) -> (&mut Session, Option<MutexGuard<'static, ()>>) {
        let guard = one_at_a_time(&self.provider);
        let session = self.session.as_mut().expect("the session is loaded");
        (session, guard)
    }
}

impl Drop for LoadedSession {
    fn drop(&mut self) {
        let _guard = one_at_a_time(&self.provider);
        self.session = None;
    }
}

/// Locks the sessions of a provider that is not thread-safe.
fn one_at_a_time(provider: &ProviderRequest) -> Option<MutexGuard<'static, ()>> {
    (!provider.kind.is_thread_safe()).then(|| lock(&ONE_AT_A_TIME))
}

/// The input of a network that processes images.
pub(crate) struct ImageInput {
    /// The tensor, for errors.
    pub(crate) tensor: Tensor,
    pub(crate) tensor_format: TensorFormat,
    /// Number of images; `None` if it is dynamic.
    pub(crate) batch: Option<usize>,
    /// Width in pixels by the tensor or the description; `None` if it is dynamic.
    pub(crate) width: Option<usize>,
    /// Height in pixels by the tensor or the description; `None` if it is dynamic.
    pub(crate) height: Option<usize>,
}

/// Images in a network's input, one after the other in memory.
pub(crate) struct Images<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) count: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl Network {
    /// Loads the model in `bytes`, or `optimized`, which is stored if it is not yet.
    ///
    /// # Errors
    /// Returns an error if the model is invalid, or the execution provider cannot run it.
    pub(crate) fn load(
        environment: &Environment,
        bytes: &[u8],
        optimized: Option<&OptimizedModel>,
        execution: Execution,
    ) -> Result<Self, ModelError> {
        let guard = one_at_a_time(&execution.provider);
        let session = match optimized {
            Some(optimized) => load_optimized(environment, bytes, optimized),
            None => load_session(environment, bytes, &execution.provider),
        };
        drop(guard);
        Ok(Self {
            session: LoadedSession {
                session: Some(session?),
                provider: execution.provider.clone(),
            },
            runs: WatchedRuns::new(execution.timeout).map_err(ModelError::Rejected)?,
            execution,
            last_shape: None,
        })
    }

    /// Returns `true` if the CPU runs the network.
    pub(crate) fn runs_on_cpu(&self) -> bool {
        self.execution.provider.kind.is_cpu()
    }

    /// Returns the entry `key` of the model's metadata; `None` if there is none.
    pub(crate) fn metadata(&self, key: &str) -> Option<String> {
        self.session.get().metadata().ok()?.custom(key)
    }

    /// Returns the output with this name, or the only output if `name` is `None`.
    ///
    /// # Errors
    /// Returns an error if there is no such output, several without a name, or it is not float32.
    pub(crate) fn output(&self, name: Option<&str>) -> Result<Tensor, ModelError> {
        Tensor::find(self.session.get().outputs(), name, Direction::Output)
    }

    /// Returns the input that `section` describes.
    ///
    /// # Errors
    /// Returns an error if there is no such input, or its type, dimensions or channels differ from
    /// the description.
    pub(crate) fn image_input(&self, section: &InputSection) -> Result<ImageInput, ModelError> {
        let name = section.tensor.as_deref();
        let tensor = Tensor::find(self.session.get().inputs(), name, Direction::Input)?;
        let tensor_format = section.tensor_format();
        let channels = tensor_format.channels.count();
        let dimensions = match (tensor_format.layout, &tensor.shape[..]) {
            (TensorLayout::Nchw, &[n, c, h, w]) => Some((n, c, h, w)),
            (TensorLayout::Nhwc, &[n, h, w, c]) => Some((n, c, h, w)),
            _ => None,
        };
        let has_channels =
            |&(_, found, _, _): &(_, Option<usize>, _, _)| found.is_none_or(|it| it == channels);
        let Some((batch, _, height, width)) = dimensions.filter(has_channels) else {
            let expected = match tensor_format.layout {
                TensorLayout::Nchw => format!("?x{channels}x?x?"),
                TensorLayout::Nhwc => format!("?x?x?x{channels}"),
            };
            return Err(tensor.mismatch(&format!(
                "{expected} by color and layout in its description"
            )));
        };
        Ok(ImageInput {
            tensor,
            tensor_format,
            batch,
            width: width.or(section.width),
            height: height.or(section.height),
        })
    }

    /// Returns `true` if there is an input with this name.
    pub(crate) fn has_input(&self, name: &str) -> bool {
        self.session
            .get()
            .inputs()
            .iter()
            .any(|input| input.name() == name)
    }

    /// Returns `true` if there is an output with this name.
    pub(crate) fn has_output(&self, name: &str) -> bool {
        self.session
            .get()
            .outputs()
            .iter()
            .any(|output| output.name() == name)
    }

    /// Runs the network on `images`, whose channels and layout are those of `format`.
    ///
    /// # Errors
    /// Returns an error if the inference fails, or is stopped because it takes too long.
    pub(crate) fn run(
        &mut self,
        format: &TensorFormat,
        images: &Images,
    ) -> Result<Outputs<'_>, InferenceError> {
        let &Images {
            data,
            count,
            width,
            height,
        } = images;
        let channels = format.channels.count();
        let shape = match format.layout {
            TensorLayout::Nchw => [count, channels, height, width],
            TensorLayout::Nhwc => [count, height, width, channels],
        };
        let failed = |error: ort::Error| InferenceError(message(&error));
        let tensor = TensorRef::from_array_view((shape, data)).map_err(failed)?;
        let timeout = self.timeout(shape);
        let (session, guard) = self.session.get_mut();
        let (outputs, end) = self.runs.watch(timeout, |options| {
            session.run_with_options(ort::inputs![tensor], options)
        });
        drop(guard);
        self.last_shape = Some(shape);
        match (outputs, end) {
            (Ok(outputs), _) => Ok(Outputs(outputs)),
            (Err(_), RunEnd::Terminated) => Err(InferenceError(format!(
                "the network was stopped after {timeout:?} without a result; use a faster model, \
                 or raise {}",
                settings::INFERENCE_TIMEOUT_NS.name
            ))),
            (Err(error), RunEnd::Completed) => Err(failed(error)),
        }
    }

    /// Returns the time limit of the next run, on an input of this shape.
    fn timeout(&self, shape: [usize; 4]) -> Duration {
        let timeout = self.execution.timeout;
        if self.last_shape == Some(shape) || self.runs_on_cpu() {
            timeout
        } else {
            timeout.max(MIN_COMPILATION_TIMEOUT)
        }
    }
}

/// Creates a session on the CPU from a stored optimized model. If there is none, optimizes the model in
/// `bytes` and stores the result.
fn load_optimized(
    environment: &Environment,
    bytes: &[u8],
    optimized: &OptimizedModel,
) -> Result<Session, ModelError> {
    let load = || {
        let bytes = optimized.read()?;
        let mut builder = builder(environment, GraphOptimizationLevel::Disable).ok()?;
        builder.commit_from_memory(&bytes).ok()
    };
    let store = || {
        let draft = optimized.begin()?;
        let session = builder(environment, GraphOptimizationLevel::All)
            .and_then(|builder| Ok(builder.with_optimized_model_path(draft.path())?))
            // ONNX Runtime warns that the optimized model fits only this processor.
            .and_then(|builder| Ok(builder.with_log_level(LogLevel::Error)?))
            .and_then(|mut builder| builder.commit_from_memory(bytes))
            .ok()?;
        draft.store();
        Some(session)
    };
    match load().or_else(store) {
        Some(session) => Ok(session),
        // The error is that without a stored model.
        None => load_session(environment, bytes, &Provider::Cpu.into()),
    }
}

/// Creates a session. Libraries that the provider needs may be beside ONNX Runtime.
fn load_session(
    environment: &Environment,
    bytes: &[u8],
    provider: &ProviderRequest,
) -> Result<Session, ModelError> {
    let folder = match provider.kind.registration() {
        Registration::BuiltIn(built_in) => {
            let folder = runtime::loaded_library().and_then(Path::parent);
            libraries::preload(folder, built_in.preloads);
            folder
        }
        Registration::None | Registration::Plugin => None,
    };
    let rejected = |error: ort::Error| ModelError::Rejected(message(&error));
    libraries::with_libraries_in(folder, || {
        let mut builder = builder(environment, GraphOptimizationLevel::All).map_err(rejected)?;
        match provider.kind.registration() {
            Registration::None => {}
            Registration::BuiltIn(built_in) => {
                let registration = (built_in.registration)(provider)?;
                builder = builder
                    // By default ort uses the CPU silently if the provider cannot be registered.
                    .with_execution_providers([registration.error_on_failure()])
                    .map_err(|error| rejected(error.into()))?;
            }
            Registration::Plugin => plugin::append(&mut builder, environment, provider)?,
        }
        builder.commit_from_memory(bytes).map_err(rejected)
    })
}

fn builder(
    environment: &Environment,
    optimization: GraphOptimizationLevel,
) -> Result<SessionBuilder, ort::Error> {
    // For networks that run for about a millisecond, a thread pool that spins between two
    // inferences costs more than it gains, so that a network runs in the calling thread.
    Ok(Session::builder(environment)?
        .with_optimization_level(optimization)?
        .with_intra_threads(1)?
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?)
}

/// Returns the message of `error` without its full stop, as a part of another message.
fn message(error: &ort::Error) -> String {
    error.message().trim_end().trim_end_matches('.').to_owned()
}

/// Outputs of one run of a network.
pub(crate) struct Outputs<'a>(SessionOutputs<'a>);

impl Outputs<'_> {
    /// Returns the values of the output `name`, in row-major order.
    ///
    /// # Errors
    /// Returns an error if the output is missing, is not float32, or has another shape than
    /// `shape`.
    pub(crate) fn get(&self, name: &str, shape: &[usize]) -> Result<&[f32], InferenceError> {
        let value = self
            .0
            .get(name)
            .ok_or_else(|| InferenceError(format!("the network returned no output '{name}'")))?;
        let (found, data) = value
            .try_extract_tensor::<f32>()
            .map_err(|error| InferenceError(message(&error)))?;
        let is_expected =
            found.len() == shape.len() && found.iter().zip(shape).all(|(&f, &s)| f == s as i64);
        if is_expected {
            Ok(data)
        } else {
            Err(InferenceError(format!(
                "output '{name}' has shape {}, expected {}",
                format_shape(found),
                format_shape(shape)
            )))
        }
    }
}

/// Direction of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Input,
    Output,
}

impl Direction {
    const fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
        }
    }
}

/// The declaration of an input or output of type float32.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tensor {
    direction: Direction,
    pub(crate) name: String,
    /// Dimensions; `None` if one is dynamic.
    pub(crate) shape: Vec<Option<usize>>,
}

impl Tensor {
    fn find(
        outlets: &[Outlet],
        name: Option<&str>,
        direction: Direction,
    ) -> Result<Self, ModelError> {
        let outlet = match (name, outlets) {
            (Some(name), _) => outlets.iter().find(|outlet| outlet.name() == name),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        let Some(outlet) = outlet else {
            let of = direction.name();
            return Err(ModelError::Description(DescriptionError::NoTensor {
                problem: match name {
                    Some(name) => {
                        format!("it has no {of} '{name}', which its description requires")
                    }
                    None => format!("its description must name the {of} tensor"),
                },
                direction: of,
                names: outlets
                    .iter()
                    .map(|outlet| outlet.name().to_owned())
                    .collect(),
            }));
        };
        match outlet.dtype() {
            ValueType::Tensor {
                ty: TensorElementType::Float32,
                shape,
                ..
            } => Ok(Self {
                direction,
                name: outlet.name().to_owned(),
                shape: shape
                    .iter()
                    .map(|&size| usize::try_from(size).ok())
                    .collect(),
            }),
            other => Err(ModelError::Tensor {
                tensor: format!("{} '{}'", direction.name(), outlet.name()),
                found: format!("type {other}"),
                expected: "a float32 tensor".to_owned(),
            }),
        }
    }

    /// Returns an error that the tensor has another shape than `expected`, such as `?x3x?x?`.
    pub(crate) fn mismatch(&self, expected: &str) -> ModelError {
        let shape = self.shape.iter().map(|size| match size {
            Some(size) => size.to_string(),
            None => "?".to_owned(),
        });
        let shape: Vec<String> = shape.collect();
        ModelError::Tensor {
            tensor: format!("{} '{}'", self.direction.name(), self.name),
            found: format!("shape {}", format_shape(&shape)),
            expected: expected.to_owned(),
        }
    }
}

/// Formats a shape such as 1x3x48x48.
fn format_shape<T: fmt::Display>(shape: &[T]) -> String {
    if shape.is_empty() {
        return "of a scalar".to_owned();
    }
    let sizes: Vec<String> = shape.iter().map(T::to_string).collect();
    sizes.join("x")
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::model::ModelSource;
    use crate::runtime::RuntimeOptions;

    /// Returns all outputs for a gray image.
    fn outputs(mut session: Session) -> Vec<Vec<f32>> {
        let ValueType::Tensor { shape, .. } = session.inputs()[0].dtype() else {
            panic!("the input is no tensor");
        };
        let fixed = |(index, &size): (usize, &i64)| match (usize::try_from(size), index) {
            (Ok(size), _) => size,
            (Err(_), 0) => 1,
            (Err(_), _) => 64,
        };
        let shape: Vec<usize> = shape.iter().enumerate().map(fixed).collect();
        let gray = vec![100.0_f32; shape.iter().product()];
        let image = TensorRef::from_array_view((shape, &gray[..])).unwrap();
        let outputs = session.run(ort::inputs![image]).unwrap();
        let values = outputs.iter();
        values
            .map(|(_, value)| value.try_extract_tensor::<f32>().unwrap().1.to_vec())
            .collect()
    }

    #[test]
    fn a_stored_model_has_the_same_outputs_and_is_replaced_if_it_is_damaged() {
        let environment = runtime::environment(&RuntimeOptions::default()).unwrap();
        for source in [ModelSource::FACE_DETECTOR, ModelSource::ATTITUDE] {
            let folder = tempfile::tempdir().unwrap();
            let bytes = source.read(Provider::Cpu).unwrap();
            let digest = source.digest(Provider::Cpu).unwrap();
            let stored = OptimizedModel::in_folder(folder.path().to_owned(), &digest).unwrap();
            let expected = load_session(environment, &bytes, &Provider::Cpu.into()).unwrap();
            let expected = outputs(expected);
            let load = || outputs(load_optimized(environment, &bytes, &stored).unwrap());
            assert_eq!(load(), expected, "optimized");
            assert!(stored.read().is_some(), "it has been stored");
            assert_eq!(load(), expected, "read");
            let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap();
            std::fs::write(file.unwrap().path(), b"damaged").unwrap();
            assert_eq!(load(), expected, "optimized again");
            assert!(stored.read().is_some(), "it has been replaced");
        }
    }
}
