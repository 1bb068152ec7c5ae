// SPDX-License-Identifier: MPL-2.0

//! Options that several subcommands share: networks, classifier, sampling, faces. Their names,
//! defaults, ranges and descriptions are those of the element's properties.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use attitude::mapping::Mapping;
use attitude::settings::{
    DETECTOR_SIZE, MAX_FACES, MIN_FACE_SIZE, NumberSetting, SAMPLE_INTERVAL_NS,
};
use attitude_inference::model::ModelSource;
use attitude_inference::networks::{Config, UnknownLabels};
use attitude_inference::provider::{Provider, ProviderOptions, ProviderRequest};
use attitude_inference::runtime::RuntimeOptions;
use attitude_inference::settings::{
    ATTITUDE_MODEL, DETECTOR_MODEL, DEVICE, DEVICE_ID, EXECUTION_PROVIDER, FALLBACK, GPU_MEM_LIMIT,
    MAPPING, ONNXRUNTIME, PROVIDER_LIBRARY, PROVIDER_OPTIONS,
};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, RangedI64ValueParser, TypedValueParser};
use gst::prelude::*;
use serde::{Deserialize, Serialize};

use crate::parsing::{self, ValueError};

/// Options of the networks, except the classifier's model.
#[derive(Args)]
pub(crate) struct NetworkArguments {
    #[arg(long = DETECTOR_MODEL.name, value_name = "FILE", help = DETECTOR_MODEL.blurb)]
    pub(crate) detector_model: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) runtime: RuntimeArguments,

    #[arg(
        long = EXECUTION_PROVIDER.name,
        value_name = "PROVIDER",
        help = EXECUTION_PROVIDER.blurb,
        default_value_t = Provider::Auto,
        value_parser = provider()
    )]
    pub(crate) execution_provider: Provider,

    #[arg(
        long = DEVICE_ID.name,
        value_name = "N",
        help = DEVICE_ID.blurb,
        default_value_t = DEVICE_ID.default,
        value_parser = in_range(&DEVICE_ID)
    )]
    pub(crate) device_id: i32,

    #[arg(long = DEVICE.name, help = DEVICE.blurb)]
    pub(crate) device: Option<String>,

    #[arg(
        long = GPU_MEM_LIMIT.name,
        value_name = "BYTES",
        help = GPU_MEM_LIMIT.blurb,
        default_value_t = GPU_MEM_LIMIT.default,
        value_parser = clap::value_parser!(u64).range(GPU_MEM_LIMIT.range())
    )]
    pub(crate) gpu_mem_limit: u64,

    #[arg(long = PROVIDER_LIBRARY.name, value_name = "FILE", help = PROVIDER_LIBRARY.blurb)]
    pub(crate) provider_library: Option<PathBuf>,

    #[arg(long = PROVIDER_OPTIONS.name, value_name = "KEY=VALUE,...", help = PROVIDER_OPTIONS.blurb)]
    pub(crate) provider_options: Option<ProviderOptions>,

    #[arg(
        long = MIN_FACE_SIZE.name,
        value_name = "PX",
        help = MIN_FACE_SIZE.blurb,
        default_value_t = MIN_FACE_SIZE.default,
        value_parser = in_range(&MIN_FACE_SIZE)
    )]
    pub(crate) min_face_size: u32,
}

impl NetworkArguments {
    /// Returns the face detector.
    pub(crate) fn detector(&self) -> ModelSource {
        ModelSource::file_or(self.detector_model.as_deref(), ModelSource::FACE_DETECTOR)
    }

    /// Returns the configuration of the networks that the element of
    /// [`element_settings`](Self::element_settings) runs.
    pub(crate) fn config(&self, classifier: &ModelSource, mapping: Option<&Mapping>) -> Config {
        Config {
            detector: Some(self.detector()),
            classifier: classifier.clone(),
            mapping: mapping.cloned(),
            unknown_labels: UnknownLabels::Refuse,
            provider: ProviderRequest {
                kind: self.execution_provider,
                device_id: self.device_id,
                device: self.device.clone(),
                gpu_mem_limit: self.gpu_mem_limit,
                library: self.provider_library.clone(),
                options: self.provider_options.clone().unwrap_or_default(),
            },
            // Times and scores of another provider than the requested one would be misleading.
            falls_back: false,
            runtime: self.runtime.options(),
            ..Config::default()
        }
    }

    /// Returns the properties of a `faceattitude` that runs these networks.
    pub(crate) fn element_settings(
        &self,
        classifier: &ModelSource,
        mapping: Option<&Mapping>,
    ) -> ElementSettings {
        let path = |path: &Option<PathBuf>| path.clone().map(PathBuf::into_os_string);
        ElementSettings {
            detector_model: path(&self.detector_model),
            attitude_model: match classifier {
                ModelSource::File(path) => Some(path.clone().into_os_string()),
                ModelSource::Embedded { .. } => None,
            },
            onnxruntime: path(&self.runtime.onnxruntime),
            mapping: mapping.map(Mapping::to_string),
            execution_provider: self.execution_provider.name().to_owned(),
            device_id: self.device_id,
            device: self.device.clone(),
            gpu_mem_limit: self.gpu_mem_limit,
            provider_library: path(&self.provider_library),
            provider_options: self.provider_options.as_ref().map(ToString::to_string),
            min_face_size: self.min_face_size,
        }
    }
}

/// Describes the mapping of emotions that is assumed for `model`.
pub(crate) fn assumed_mapping(model: &str, mapping: &Mapping) -> String {
    format!(
        "the description of {model} has no section [attitude]; its emotions count as {mapping}; use --mapping \
         for another one"
    )
}

/// Properties of a `faceattitude` that select and run its networks. Paths are `OsString`, which
/// JSON can hold even if they are not Unicode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ElementSettings {
    detector_model: Option<OsString>,
    attitude_model: Option<OsString>,
    onnxruntime: Option<OsString>,
    mapping: Option<String>,
    execution_provider: String,
    device_id: i32,
    device: Option<String>,
    gpu_mem_limit: u64,
    provider_library: Option<OsString>,
    provider_options: Option<String>,
    min_face_size: u32,
}

impl ElementSettings {
    /// Creates a `faceattitude` in mode `sync` that posts every sample on the bus.
    pub(crate) fn create(&self) -> Result<gst::Element, glib::BoolError> {
        let path = |path: &Option<OsString>| path.as_ref().map(PathBuf::from);
        let element = gst::ElementFactory::make("faceattitude")
            .property_from_str("mode", "sync")
            .property_from_str("messages", "sample")
            .property_from_str(EXECUTION_PROVIDER.name, &self.execution_provider)
            .property_from_str(FALLBACK.name, "error")
            .property(DEVICE_ID.name, self.device_id)
            .property(DEVICE.name, &self.device)
            .property(GPU_MEM_LIMIT.name, self.gpu_mem_limit)
            .property(PROVIDER_LIBRARY.name, path(&self.provider_library))
            .property(PROVIDER_OPTIONS.name, &self.provider_options)
            .property(MIN_FACE_SIZE.name, self.min_face_size)
            .property(DETECTOR_MODEL.name, path(&self.detector_model))
            .property(ONNXRUNTIME.name, path(&self.onnxruntime))
            .property(MAPPING.name, &self.mapping)
            .build()?;
        if let Some(model) = path(&self.attitude_model) {
            element.set_property(ATTITUDE_MODEL.name, model);
        }
        Ok(element)
    }
}

/// Options of the attitude classifier, for subcommands that use one.
#[derive(Args)]
pub(crate) struct ClassifierArguments {
    #[arg(long = ATTITUDE_MODEL.name, value_name = "FILE", help = ATTITUDE_MODEL.blurb)]
    pub(crate) attitude_model: Option<PathBuf>,

    #[arg(long = MAPPING.name, help = MAPPING.blurb)]
    pub(crate) mapping: Option<Mapping>,
}

impl ClassifierArguments {
    /// Returns the model.
    pub(crate) fn source(&self) -> ModelSource {
        ModelSource::file_or(self.attitude_model.as_deref(), ModelSource::ATTITUDE)
    }
}

/// Options of the ONNX Runtime to load.
#[derive(Args)]
pub(crate) struct RuntimeArguments {
    #[arg(long = ONNXRUNTIME.name, value_name = "FILE", help = ONNXRUNTIME.blurb)]
    pub(crate) onnxruntime: Option<PathBuf>,
}

impl RuntimeArguments {
    /// Returns the ONNX Runtime to load. Its log is dropped: warnings do not concern the user, and
    /// failures are reported as errors.
    pub(crate) fn options(&self) -> RuntimeOptions {
        RuntimeOptions {
            library: self.onnxruntime.clone(),
            ..RuntimeOptions::default()
        }
    }
}

/// Options of the time between samples.
#[derive(Args)]
pub(crate) struct SamplingArguments {
    #[arg(
        long = SAMPLE_INTERVAL_NS.name,
        value_name = "DURATION",
        help = SAMPLE_INTERVAL_NS.blurb,
        default_value_t = DurationArgument { ns: SAMPLE_INTERVAL_NS.default }
    )]
    sample_interval: DurationArgument,

    /// Number of frames to analyze per second, instead of --sample-interval; 0 = every frame
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "sample_interval",
        value_parser = samples_per_second
    )]
    samples_per_second: Option<f64>,
}

impl SamplingArguments {
    /// Returns the time between samples; 0 = every frame.
    pub(crate) fn interval_ns(&self) -> u64 {
        match self.samples_per_second {
            Some(0.0) => 0,
            Some(rate) => (1e9 / rate).round() as u64,
            None => self.sample_interval.ns,
        }
    }

    /// Returns the number of samples per second; 0 = every frame.
    pub(crate) fn samples_per_second(&self) -> f64 {
        match (self.samples_per_second, self.sample_interval.ns) {
            (Some(rate), _) => rate,
            (None, 0) => 0.0,
            (None, ns) => 1e9 / ns as f64,
        }
    }
}

/// Options of the faces that are found.
#[derive(Args)]
pub(crate) struct FaceArguments {
    #[arg(
        long = MAX_FACES.name,
        alias = "faces",
        value_name = "N",
        help = MAX_FACES.blurb,
        default_value_t = MAX_FACES.default,
        value_parser = in_range(&MAX_FACES)
    )]
    pub(crate) max_faces: u32,

    // The element's default suits large pictures too: of 200 portraits that fill their pictures,
    // the default detector finds all at 320 px and 70% at 640 px; of the same portraits at a sixth
    // of the picture's height, it finds 92% at 320 px and all at 640 px.
    #[arg(
        long = DETECTOR_SIZE.name,
        value_name = "PX",
        help = DETECTOR_SIZE.blurb,
        default_value_t = DETECTOR_SIZE.default,
        value_parser = in_range(&DETECTOR_SIZE)
    )]
    pub(crate) detector_size: u32,
}

/// Options of the faces that are found, for each recording.
#[derive(Args)]
pub(crate) struct RecordingFaceArguments {
    /// Maximum number of tracked faces, 1 to 512; auto = as many as there are, at most 512
    #[arg(
        long = MAX_FACES.name,
        alias = "faces",
        value_name = "N",
        default_value_t = Choice::Auto,
        value_parser = choice(&MAX_FACES)
    )]
    pub(crate) max_faces: Choice,

    /// Long side of the detector's input, in pixels; auto = 320, or 640 or 1280 if faces are small
    ///
    /// A larger input finds smaller faces and costs more; 0 = as large as --min-face-size requires.
    /// At the start and every 20 seconds, a frame is searched at twice the size too. If that finds
    /// faces that are missing, auto analyzes the recording again at that size; for other values, a
    /// note says so.
    #[arg(
        long = DETECTOR_SIZE.name,
        value_name = "PX",
        default_value_t = Choice::Auto,
        value_parser = choice(&DETECTOR_SIZE)
    )]
    pub(crate) detector_size: Choice,
}

/// A number that is requested, or chosen for each recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Auto,
    Number(u32),
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Number(number) => number.fmt(f),
        }
    }
}

impl Serialize for Choice {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::Number(number) => serializer.serialize_u32(*number),
        }
    }
}

/// Option of the detection of stalls in everything that is played.
#[derive(Args)]
pub(crate) struct StallArguments {
    /// Time without progress after which a recording or stream ends as stalled, such as 30s or 2m;
    /// 0 = never
    ///
    /// Any progress counts, however slow it is: data that was read, frames that were decoded. Of a
    /// recording, what was read before is kept, and is marked as damaged.
    #[arg(long, value_name = "DURATION", default_value_t = DurationArgument { ns: 30_000_000_000 })]
    stall_timeout: DurationArgument,
}

impl StallArguments {
    /// Returns the time; `None` if nothing counts as stalled.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        let timeout = Duration::from_nanos(self.stall_timeout.ns);
        (!timeout.is_zero()).then_some(timeout)
    }
}

/// A duration such as `200ms` or `1s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DurationArgument {
    pub(crate) ns: u64,
}

impl fmt::Display for DurationArgument {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        humantime::format_duration(Duration::from_nanos(self.ns)).fmt(f)
    }
}

impl FromStr for DurationArgument {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        const EXPECTED: ValueError = ValueError("a duration such as 200ms or 1s, or 0");
        if text == "0" {
            return Ok(Self { ns: 0 });
        }
        let duration = humantime::parse_duration(text).map_err(|_| EXPECTED)?;
        let ns = duration.as_nanos().try_into().map_err(|_| EXPECTED)?;
        Ok(Self { ns })
    }
}

fn samples_per_second(text: &str) -> Result<f64, ValueError> {
    parsing::parse_number(text, "0, or a number from 0.001 to 1000", |&rate| {
        rate == 0.0 || (0.001..=1000.0).contains(&rate)
    })
}

fn in_range<T>(setting: &NumberSetting<T>) -> RangedI64ValueParser<T>
where
    T: Copy + Into<i64> + TryFrom<i64> + Clone + Send + Sync + 'static,
    <T as TryFrom<i64>>::Error: Send + Sync + 'static + std::error::Error,
{
    RangedI64ValueParser::new().range(setting.min.into()..=setting.max.into())
}

/// Returns a parser of "auto" and the numbers in the range of `setting`.
fn choice(
    setting: &'static NumberSetting<u32>,
) -> impl Fn(&str) -> Result<Choice, String> + Clone + Send + Sync + 'static {
    |text| {
        let number = || text.parse().ok().filter(|n| setting.range().contains(n));
        match text {
            "auto" => Ok(Choice::Auto),
            _ => number().map(Choice::Number).ok_or_else(|| {
                let range = setting.range();
                format!("{text} is not in {range:?}, and not auto")
            }),
        }
    }
}

fn provider() -> impl TypedValueParser<Value = Provider> {
    let values = Provider::ALL
        .iter()
        .map(|provider| PossibleValue::new(provider.name()).help(provider.description()));
    PossibleValuesParser::new(values).try_map(|name| name.parse::<Provider>())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Options {
        #[command(flatten)]
        sampling: SamplingArguments,
        #[command(flatten)]
        faces: FaceArguments,
        #[command(flatten)]
        networks: NetworkArguments,
    }

    fn parse(arguments: &[&str]) -> Result<Options, clap::Error> {
        Options::try_parse_from([&["program"], arguments].concat())
    }

    #[test]
    fn the_defaults_are_those_of_the_element() {
        let options = parse(&[]).unwrap();
        assert_eq!(options.sampling.interval_ns(), SAMPLE_INTERVAL_NS.default);
        assert_eq!(options.sampling.samples_per_second(), 5.0);
        assert_eq!(options.faces.max_faces, MAX_FACES.default);
        assert_eq!(options.faces.detector_size, DETECTOR_SIZE.default);
        assert_eq!(options.networks.min_face_size, MIN_FACE_SIZE.default);
    }

    #[test]
    fn the_time_between_samples_is_a_duration_or_a_rate() {
        for (arguments, ns) in [
            (["--sample-interval", "40ms"], 40_000_000),
            (["--sample-interval", "1s"], 1_000_000_000),
            (["--sample-interval", "0"], 0),
            (["--samples-per-second", "25"], 40_000_000),
            (["--samples-per-second", "0"], 0),
        ] {
            assert_eq!(
                parse(&arguments).unwrap().sampling.interval_ns(),
                ns,
                "{arguments:?}"
            );
        }
        assert!(parse(&["--sample-interval", "fast"]).is_err());
        assert!(parse(&["--sample-interval=1s", "--samples-per-second=1"]).is_err());
    }

    #[test]
    fn numbers_can_be_chosen_for_each_recording() {
        let parse = choice(&DETECTOR_SIZE);
        assert_eq!(parse("auto"), Ok(Choice::Auto));
        assert_eq!(parse("640"), Ok(Choice::Number(640)));
        for text in ["4097", "-1", "large", ""] {
            let error = parse(text).unwrap_err();
            assert_eq!(error, format!("{text} is not in 0..=4096, and not auto"));
        }
        let json = serde_json::to_string(&[Choice::Auto, Choice::Number(320)]).unwrap();
        assert_eq!(json, r#"["auto",320]"#);
    }

    #[test]
    fn earlier_names_of_options_are_accepted() {
        assert_eq!(parse(&["--faces", "3"]).unwrap().faces.max_faces, 3);
    }

    #[test]
    fn values_out_of_range_and_unknown_providers_are_refused() {
        for arguments in [
            ["--max-faces", "0"],
            ["--max-faces", "513"],
            ["--detector-size", "4097"],
            ["--gpu-mem-limit", "-1"],
            ["--execution-provider", "abacus"],
        ] {
            assert!(parse(&arguments).is_err(), "{arguments:?}");
        }
    }
}
