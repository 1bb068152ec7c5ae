// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude evaluate`: how good models are on labelled faces.
//!
//! ```text
//! data -> faces | videos -> results (with predictions) -> report
//! ```

use std::num::NonZeroUsize;
use std::path::PathBuf;

use attitude::analyzer::Params;
use attitude::evaluation::bootstrap::Bootstrap;
use attitude::mapping::Mapping;
use attitude_inference::model::Source;
use attitude_inference::networks::Networks;
use attitude_inference::provider::Provider;
use indicatif::{ProgressBar, ProgressStyle};

pub use arguments::Arguments;
use data::{Data, Segment};
use faces::{Judge, Outcome};
use labels::Labels;
use output::Output;
use predictions::Predictions;
use report::Report;
use report::setup::{ModelFile, NetworkFile, Setup};
use results::{Judged, Results};
use table::Failure;
use videos::{Clip, Player};

use crate::console;
use crate::exit::Status;

mod arguments;

mod labels;
mod table;

mod data;

mod faces;
mod picture;
mod videos;

mod predictions;
mod results;

mod output;
mod report;

mod warnings;

/// Most faces of a picture among which the labelled one is looked for.
const MAX_FACES: u32 = 512;

/// Evaluates and reports; true if all went well, false if what went wrong has been reported.
pub fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let labels = Labels(arguments.mapping.as_ref());
    let data = Data::read(&arguments.data, labels)?;
    let others = arguments.predictions.iter();
    let others: Vec<Predictions> = others
        .map(|(name, path)| predictions::read(name, path, labels))
        .collect::<Result<_, _>>()?;
    if !others.is_empty() {
        predictions::require_one_face_a_file(&data.faces)?;
    }
    for other in &others {
        if let Some(warning) = predictions::check_files(other, &data)? {
            console::warn(warning);
        }
    }
    let models = match &arguments.attitude_models[..] {
        [] => vec![Source::ATTITUDE],
        models => models.to_vec(),
    };
    // Before the long work, lest its results have no place to go to.
    let output = arguments.output.as_deref().map(Output::open).transpose()?;
    let networks = load(arguments, &models)?;
    let names = names(&models, &networks, &others)?;
    for warning in warnings::warnings(arguments, &data, &others, &networks, &names) {
        console::warn(warning);
    }

    let setup = setup(arguments, &data, &models, &names, networks[0].provider)?;

    let mut judged = judge_faces(arguments, &data, &models, networks)?;
    let (of_videos, failures) = judge_videos(arguments, &data.segments, &models)?;
    judged.extend(of_videos);
    for Judged { file, outcome, .. } in &judged {
        if let Outcome::Unreadable(reason) = outcome {
            console::error(format!("{file}: {reason}"));
        }
    }

    let results = Results::new(names, &judged, &others);
    let bootstrap = Bootstrap {
        resamples: arguments.resamples as usize,
        ..Bootstrap::default()
    };
    let report = Report::new(setup, &results, &bootstrap, data.skipped, failures);
    if results.compared.is_empty() {
        let counts = report.data.left_out();
        return Err(format!("no face could be compared: {}", counts.join(", ")).into());
    }
    for gap in report.data.gaps() {
        console::warn(gap);
    }
    // What is kept comes first, lest it be lost where printing fails.
    if let Some(output) = &output {
        output.write(&report, &results)?;
    }
    console::print(&report.to_markdown())?;
    Ok(Status::of(report.data.unreadable == 0 && failures == 0))
}

/// What is evaluated, for the report. `names` are those of `models`, which `provider` runs.
fn setup(
    arguments: &Arguments,
    data: &Data,
    models: &[Source],
    names: &[String],
    provider: Provider,
) -> Result<Setup, Failure> {
    let uses_detector = !arguments.no_detector || !data.segments.is_empty();
    let detector = uses_detector.then(|| arguments.networks.detector());
    let models = names.iter().zip(models).map(|(name, source)| {
        Ok(ModelFile {
            name: name.clone(),
            file: NetworkFile::of(source, provider)?,
        })
    });
    Ok(Setup {
        data: arguments
            .data
            .iter()
            .map(|path| path.display().to_string())
            .collect(),
        mapping: arguments.mapping.as_ref().map(Mapping::to_string),
        detector: detector
            .map(|source| NetworkFile::of(&source, provider))
            .transpose()?,
        detector_size: uses_detector.then_some(arguments.networks.detector_size),
        models: models.collect::<Result<_, Failure>>()?,
    })
}

/// The networks of each model.
fn load(arguments: &Arguments, models: &[Source]) -> Result<Vec<Networks>, Failure> {
    let load = |model: &Source| {
        let mapping = arguments.mapping.as_ref();
        Networks::load(&arguments.networks.config(model, mapping))
    };
    Ok(models.iter().map(load).collect::<Result<_, _>>()?)
}

/// What the models are called, with their files where two call themselves the same.
fn names(
    models: &[Source],
    networks: &[Networks],
    others: &[Predictions],
) -> Result<Vec<String>, Failure> {
    let own = |networks: &Networks| networks.classifier.model_name().to_owned();
    let own: Vec<String> = networks.iter().map(own).collect();
    let name =
        |(model, name): (&Source, &String)| match own.iter().filter(|other| *other == name).count()
        {
            1 => name.clone(),
            _ => format!("{name} ({})", model.name()),
        };
    let names: Vec<String> = models.iter().zip(&own).map(name).collect();
    let all: Vec<&String> = names
        .iter()
        .chain(others.iter().map(|other| &other.name))
        .collect();
    match all
        .iter()
        .enumerate()
        .find(|(index, name)| all[..*index].contains(name))
    {
        None => Ok(names),
        Some((_, name)) => Err(format!("two models or predictions are called '{name}'").into()),
    }
}

fn judge_faces(
    arguments: &Arguments,
    data: &Data,
    models: &[Source],
    networks: Vec<Networks>,
) -> Result<Vec<Judged>, Failure> {
    let params = Params {
        detector_size: arguments.networks.detector_size,
        min_face_size: arguments.networks.min_face_size,
        max_faces: MAX_FACES,
        ..Params::default()
    };
    let judge = |networks| Judge::new(networks, params, !arguments.no_detector);
    let jobs = arguments
        .jobs
        .or_else(|| std::thread::available_parallelism().ok());
    let jobs = jobs
        .map_or(1, NonZeroUsize::get)
        .min(faces::batches(&data.faces));
    let mut judges = vec![judge(networks)];
    for _ in 1..jobs {
        judges.push(judge(load(arguments, models)?));
    }
    let progress = progress(data.faces.len(), "pictures");
    let outcomes = faces::judge(&data.faces, &mut judges, &progress);
    console::remove_bar(&progress);
    let outcomes = outcomes?;
    let judged = data
        .faces
        .iter()
        .zip(outcomes)
        .map(|(face, outcome)| Judged {
            file: face.file.clone(),
            group: face.group.clone(),
            label: face.label.clone(),
            outcome,
        });
    Ok(judged.collect())
}

/// The samples in the segments, and how many segments there are none of for a mistake.
fn judge_videos(
    arguments: &Arguments,
    segments: &[Segment],
    models: &[Source],
) -> Result<(Vec<Judged>, usize), Failure> {
    if segments.is_empty() {
        return Ok((Vec::new(), 0));
    }
    gst::init()?;
    gstattitude::plugin_register_static()?;
    let player = Player {
        models,
        mapping: arguments.mapping.as_ref(),
        networks: &arguments.networks,
        sample_interval_ms: arguments.sample_interval_ms,
    };
    let mut paths: Vec<&PathBuf> = Vec::new();
    for segment in segments {
        if !paths.contains(&&segment.path) {
            paths.push(&segment.path);
        }
    }
    let progress = progress(paths.len(), "videos");
    let (mut judged, mut failures) = (Vec::new(), 0);
    for path in paths {
        let clip = player.play(path);
        progress.inc(1);
        if let Err(error) = &clip {
            console::error(format_args!("{}: {error}", path.display()));
        }
        for segment in segments.iter().filter(|segment| segment.path == *path) {
            match clip.as_ref().map(|clip| judge_segment(clip, segment)) {
                Ok(Ok(samples)) => judged.extend(samples),
                Ok(Err(error)) => {
                    console::error(format_args!("{}: {error}", segment.place));
                    failures += 1;
                }
                Err(_) => failures += 1,
            }
        }
    }
    console::remove_bar(&progress);
    Ok((judged, failures))
}

/// The samples in a segment. Those of a file are one group, as they show the same people.
fn judge_segment(clip: &Clip, segment: &Segment) -> Result<Vec<Judged>, String> {
    let Segment {
        file, path, group, ..
    } = segment;
    let samples = clip.samples(segment)?;
    let group = group.clone().unwrap_or_else(|| {
        // However the file is written.
        let path = path.canonicalize().unwrap_or_else(|_| path.clone());
        path.display().to_string()
    });
    let judged = samples.into_iter().map(|sample| Judged {
        file: format!("{file}@{:.3}", sample.time_s),
        group: Some(group.clone()),
        label: segment.label.clone(),
        outcome: sample.outcome,
    });
    Ok(judged.collect())
}

/// A bar on the terminal, if there is one.
fn progress(len: usize, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}, {eta} left");
    let bar = console::add_bar(ProgressBar::new(len as u64).with_message(what));
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
