// SPDX-License-Identifier: MPL-2.0

//! One loaded network: a session of ONNX Runtime with its checked input and its outputs.

use ort::environment::Environment;
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{Session, SessionOutputs};
use ort::value::{Outlet, TensorElementType, TensorRef, ValueType};

use super::model::ModelError;
use super::provider::Provider;
use attitude::InferenceError;

/// Provider and device of a network.
#[derive(Clone, Copy, Debug)]
pub struct Placement {
    /// The provider; [`Provider::Auto`] counts as the CPU here.
    pub provider: Provider,
    /// Number of the GPU.
    pub device_id: i32,
}

/// A session and what is known of its tensors.
pub struct Network {
    session: Session,
}

impl Network {
    /// Loads the model in `bytes`. It runs in the calling thread alone: a pool that spins between
    /// two inferences costs more than it gains for networks of a millisecond.
    pub fn load(
        environment: &Environment,
        bytes: &[u8],
        placement: Placement,
    ) -> Result<Self, ort::Error> {
        let mut builder = Session::builder(environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(1)?
            .with_intra_op_spinning(false)?
            .with_inter_op_spinning(false)?;
        if let Some(dispatch) = placement.provider.dispatch(placement.device_id) {
            builder = builder.with_execution_providers([dispatch])?;
        }
        Ok(Self {
            session: builder.commit_from_memory(bytes)?,
        })
    }

    /// The document that the model carries under `key` in its metadata.
    pub fn metadata(&self, key: &str) -> Option<String> {
        self.session.metadata().ok()?.custom(key)
    }

    /// The only input, or the one of that name.
    pub fn input(&self, name: Option<&str>) -> Result<Tensor, ModelError> {
        find(self.session.inputs(), name, "input")
    }

    /// The only output, or the one of that name.
    pub fn output(&self, name: Option<&str>) -> Result<Tensor, ModelError> {
        find(self.session.outputs(), name, "output")
    }

    /// Returns true if there is an input of that name.
    pub fn has_input(&self, name: &str) -> bool {
        self.session.inputs().iter().any(|i| i.name() == name)
    }

    /// Returns true if there is an output of that name.
    pub fn has_output(&self, name: &str) -> bool {
        self.session.outputs().iter().any(|o| o.name() == name)
    }

    /// Runs the network on `data` of shape `shape` as its only input.
    pub fn run(&mut self, shape: [usize; 4], data: &[f32]) -> Result<Outputs<'_>, InferenceError> {
        let tensor = TensorRef::from_array_view((shape, data)).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![tensor]).map_err(failed)?;
        Ok(Outputs(outputs))
    }
}

fn failed(error: ort::Error) -> InferenceError {
    InferenceError(error.message().to_owned())
}

/// Outputs of a run of a network.
pub struct Outputs<'a>(SessionOutputs<'a>);

impl Outputs<'_> {
    /// The numbers of output `name`, checked to have exactly `shape`.
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<&[f32], InferenceError> {
        let value = self
            .0
            .get(name)
            .ok_or_else(|| InferenceError(format!("there is no output '{name}'")))?;
        let (found, data) = value.try_extract_tensor::<f32>().map_err(failed)?;
        let is_expected =
            found.len() == shape.len() && found.iter().zip(shape).all(|(&f, &s)| f == s as i64);
        if is_expected {
            Ok(data)
        } else {
            Err(InferenceError(format!(
                "output '{name}' has shape {:?} where {shape:?} was expected",
                &found[..]
            )))
        }
    }
}

/// The declaration of an input or output of floats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// Its dimensions, `None` where free.
    pub shape: Vec<Option<usize>>,
}

impl Tensor {
    /// An error that says what was found where `expected` was.
    pub fn mismatch(&self, expected: &str) -> ModelError {
        ModelError::Tensor {
            tensor: self.name.clone(),
            found: format_shape(&self.shape),
            expected: expected.to_owned(),
        }
    }
}

fn format_shape(shape: &[Option<usize>]) -> String {
    let dimensions: Vec<String> = shape
        .iter()
        .map(|d| d.map_or("?".to_owned(), |d| d.to_string()))
        .collect();
    format!("({})", dimensions.join(", "))
}

fn find(outlets: &[Outlet], name: Option<&str>, kind: &str) -> Result<Tensor, ModelError> {
    let names = || {
        let names: Vec<&str> = outlets.iter().map(Outlet::name).collect();
        names.join(", ")
    };
    let outlet = match name {
        Some(name) => outlets.iter().find(|outlet| outlet.name() == name),
        None if outlets.len() == 1 => outlets.first(),
        None => None,
    };
    let outlet = outlet.ok_or_else(|| ModelError::Description {
        problem: match name {
            Some(name) => format!("there is no {kind} '{name}', only: {}", names()),
            None => format!(
                "the description must name the {kind} tensor, one of: {}",
                names()
            ),
        },
    })?;
    match outlet.dtype() {
        ValueType::Tensor {
            ty: TensorElementType::Float32,
            shape,
            ..
        } => Ok(Tensor {
            name: outlet.name().to_owned(),
            shape: shape.iter().map(|&d| usize::try_from(d).ok()).collect(),
        }),
        other => Err(ModelError::Tensor {
            tensor: outlet.name().to_owned(),
            found: other.to_string(),
            expected: "a tensor of 32-bit floats".to_owned(),
        }),
    }
}
