// SPDX-License-Identifier: MPL-2.0

//! Which networks judge faces, and on what they run: what can be said of that on the command line,
//! and an element that does so.

use std::path::{Path, PathBuf};

use attitude::mapping::Mapping;
use attitude_inference::model::Source;
use attitude_inference::networks::Config;
use attitude_inference::provider::Provider;
use attitude_inference::runtime::Search;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, value_parser};
use gst::prelude::*;

/// As the element's properties of these names, and within the same limits.
#[derive(Args)]
pub struct NetworkArguments {
    /// ONNX file of the face detector, instead of the embedded one
    #[arg(long, value_name = "FILE")]
    pub detector_model: Option<PathBuf>,

    #[command(flatten)]
    pub runtime: RuntimeArguments,

    /// What runs the networks
    #[arg(long, value_name = "PROVIDER", default_value = "auto", value_parser = provider())]
    pub execution_provider: Provider,

    /// Number of the GPU
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = value_parser!(i32).range(0..))]
    pub device_id: i32,

    /// Long side of the detector's input in px; more finds smaller faces, 0 = what --min-face-size
    /// needs
    // As the element's, and not more, though pictures may be large: of 200 portraits that fill
    // their pictures the default detector finds all at 320 px and 70% at 640 px; of the same at a
    // sixth of the picture's height 92% and all.
    #[arg(long, value_name = "PX", default_value_t = 320, value_parser = value_parser!(u32).range(0..=4096))]
    pub detector_size: u32,

    /// Least height of a face in px; smaller ones are passed over
    #[arg(long, value_name = "PX", default_value_t = 24)]
    pub min_face_size: u32,
}

/// The attitude classifier, for subcommands that use one.
#[derive(Args)]
pub struct ClassifierArguments {
    /// ONNX file of the attitude or emotion classifier, instead of the embedded one
    #[arg(long, value_name = "FILE")]
    pub attitude_model: Option<PathBuf>,

    /// Attitude of each emotion, instead of the model's own mapping; all others are negative
    ///
    /// For example 'positive=happiness,surprise; neutral=neutral'.
    #[arg(long)]
    pub mapping: Option<Mapping>,
}

impl ClassifierArguments {
    /// Returns the model.
    pub fn source(&self) -> Source {
        match &self.attitude_model {
            Some(path) => Source::File(path.clone()),
            None => Source::ATTITUDE,
        }
    }
}

/// The ONNX Runtime to load.
#[derive(Args)]
pub struct RuntimeArguments {
    /// Path of libonnxruntime.so; else ORT_DYLIB_PATH, the system, and the folder of setup.sh
    #[arg(long, value_name = "FILE")]
    pub onnxruntime: Option<PathBuf>,
}

impl NetworkArguments {
    /// The face detector.
    pub fn detector(&self) -> Source {
        match &self.detector_model {
            Some(path) => Source::File(path.clone()),
            None => Source::FACE_DETECTOR,
        }
    }

    /// The networks that [`element`](Self::element) runs for the same `classifier` and `mapping`.
    pub fn config(&self, classifier: &Source, mapping: Option<&Mapping>) -> Config {
        Config {
            detector: Some(self.detector()),
            classifier: classifier.clone(),
            mapping: mapping.cloned(),
            provider: self.execution_provider,
            device_id: self.device_id,
            // Figures of another provider than was asked for would mislead.
            falls_back: false,
            search: Search {
                // What it warns of is no mistake of the user's; what fails is told as an error.
                requested: self.runtime.onnxruntime.clone(),
                ..Search::default()
            },
            ..Config::default()
        }
    }

    /// A `faceattitude` in mode `sync` that tells of every sample on the bus.
    pub fn element(
        &self,
        classifier: &Source,
        mapping: Option<&Mapping>,
    ) -> Result<gst::Element, glib::BoolError> {
        let element = gst::ElementFactory::make("faceattitude")
            .property_from_str("mode", "sync")
            .property_from_str("messages", "sample")
            .property_from_str("execution-provider", self.execution_provider.name())
            .property_from_str("fallback", "error")
            .property("device-id", self.device_id)
            .property("detector-size", self.detector_size)
            .property("min-face-size", self.min_face_size)
            .build()?;
        let set_path = |name: &str, path: &Path| element.set_property(name, path);
        if let Source::File(path) = classifier {
            set_path("attitude-model", path);
        }
        if let Some(path) = &self.detector_model {
            set_path("detector-model", path);
        }
        if let Some(path) = &self.runtime.onnxruntime {
            set_path("onnxruntime", path);
        }
        if let Some(mapping) = mapping {
            element.set_property("mapping", mapping.to_string());
        }
        Ok(element)
    }
}

fn provider() -> impl TypedValueParser<Value = Provider> {
    const PROVIDERS: [Provider; 5] = [
        Provider::Auto,
        Provider::Cpu,
        Provider::Cuda,
        Provider::TensorRt,
        Provider::OpenVino,
    ];
    PossibleValuesParser::new(PROVIDERS.map(Provider::name)).map(|name| {
        let named = PROVIDERS
            .into_iter()
            .find(|provider| provider.name() == name);
        named.unwrap_or_default()
    })
}
