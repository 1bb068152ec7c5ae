// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude analyze`: recordings into tables and summaries.
//!
//! ```text
//! inputs -> names -> jobs -> recording (pipeline -> play -> outputs -> store) -> ledger, pages
//! ```
//!
//! Where another program does the middle of this on many machines, `spread` tells it what `names`
//! gives, and reads what `ledger` is to take.

use std::num::NonZeroUsize;
use std::sync::Arc;

use attitude_inference::engine::Engine;

pub use arguments::Arguments;
use document::{Document, fingerprint};
use inputs::{Input, Inputs, told};
use outcome::Outcome;
use progress::Progress;
use settings::{Models, Settings};
use spread::Fates;
use store::{Store, StoreError};

use crate::console;
use crate::exit::{Interrupt, Status};
use crate::workers;

mod arguments;
mod settings;

mod inputs;
mod media;

mod names;

mod recording;

mod annotation;
mod pipeline;

mod play;
mod truncation;

mod document;
mod outcome;
mod outputs;
mod pages;
mod store;

mod ledger;
mod spread;

mod progress;
mod speed;

type Failure = Box<dyn std::error::Error>;

/// What all recordings have in common.
struct Analyst<'a> {
    arguments: &'a Arguments,
    settings: Settings,
    models: Models,
    /// Held, so that each recording's element finds it loaded.
    engine: Arc<Engine>,
}

/// A recording to analyse.
struct Work {
    input: Input,
    /// What its folder is called.
    name: String,
    /// That of the results that it is to have.
    fingerprint: String,
    /// Its results of an earlier run.
    known: Option<Box<Document>>,
}

impl Work {
    /// Whether it has the results that it is to have.
    fn is_done(&self) -> bool {
        let known = self.known.as_ref();
        known.is_some_and(|document| document.fingerprint == self.fingerprint)
    }
}

/// Analyses all that is asked for.
pub fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let interrupt = Interrupt::watch()?;
    gst::init()?;
    gstattitude::plugin_register_static()?;
    let origin = arguments.origin.as_deref();
    let inputs = arguments
        .check()
        .and_then(|()| Inputs::find(&arguments.inputs, &arguments.output, origin))
        .and_then(|inputs| match (&arguments.name, inputs.recordings.len()) {
            (Some(_), 2..) => Err("--name is for one recording".to_owned()),
            _ => Ok(inputs),
        });
    let inputs = match inputs {
        Ok(inputs) => inputs,
        Err(mistake) => {
            console::error(mistake);
            return Ok(Status::Usage);
        }
    };
    if inputs.recordings.is_empty() && inputs.failures.is_empty() {
        return Err("there is no recording in what was asked for; --verbose tells why".into());
    }
    // Before the long work, lest its results be in vain.
    let analyst = Analyst::prepare(arguments)?;
    let store = Store::open(&arguments.output)?;
    if let Some(warning) = &store.warning {
        console::warn(warning);
    }
    let fates = arguments.collect.as_deref().map(Fates::read).transpose()?;
    let is_told = |input: &Input| fates.as_ref().is_none_or(|fates| fates.tell_of(input));
    let recordings = inputs.recordings.into_iter().filter(is_told).collect();
    let works = works(recordings, &analyst, &store)?;
    if arguments.plan {
        console::print(&spread::plan(&works, arguments.force)?)?;
        return Ok(Status::Success);
    }
    let progress = Progress::new(arguments, &works);
    for (path, reason) in &inputs.passed_over {
        progress.pass_over(&told(path), reason);
    }
    for (path, reason) in &inputs.failures {
        progress.fail(&told(path), reason);
    }
    let failures = inputs.failures.len();
    let threads = threads(arguments.jobs, works.len());
    let finished = workers::run(&mut vec![(); threads], &works, |(), work| {
        let mut track = progress.track(work);
        let outcome = match (interrupt.is_set(), &fates) {
            (true, _) => Ok(None),
            (false, Some(fates)) => Ok(Some(fates.outcome(work))),
            (false, None) => recording::analyze(work, &analyst, &store, &interrupt, &mut track),
        };
        if outcome.is_err() {
            // The other recordings cannot be written either.
            interrupt.stop();
        }
        track.end(outcome.as_ref().ok().and_then(Option::as_ref));
        match outcome {
            Ok(Some(outcome)) => Ok(outcome),
            Ok(None) => Err(None),
            Err(error) => Err(Some(error)),
        }
    });
    let (outcomes, unwritable) = (finished.outputs, finished.error.flatten());
    progress.end(&outcomes, failures, interrupt.is_set());
    if let Some(error) = unwritable {
        return Err(error.into());
    }
    store.write(ledger::FILE, &ledger::table(&works, &outcomes)?)?;
    let index = pages::index(&works, &outcomes, &store)?;
    store.write(pages::INDEX, index.as_bytes())?;
    if interrupt.is_set() {
        return Ok(Status::Interrupted);
    }
    let is_good = outcomes.iter().flatten().all(Outcome::is_good) && failures == 0;
    Ok(Status::of(is_good))
}

impl<'a> Analyst<'a> {
    /// Sees to it that all is there that the recordings need.
    fn prepare(arguments: &'a Arguments) -> Result<Self, Failure> {
        let settings = Settings::of(arguments);
        if settings.annotate
            && let Some(missing) = annotation::missing()
        {
            return Err(missing.into());
        }
        let (classifier, mapping) = (arguments.classifier(), arguments.mapping.as_ref());
        let engine = Engine::acquire(&arguments.networks.config(&classifier, mapping))?;
        let description = arguments.attitude_model.as_ref();
        let description =
            description.and_then(|path| std::fs::read(path.with_extension("toml")).ok());
        Ok(Self {
            arguments,
            settings,
            models: Models::of(engine.facts(), description.as_deref()),
            engine,
        })
    }
}

fn works(
    recordings: Vec<Input>,
    analyst: &Analyst,
    store: &Store,
) -> Result<Vec<Work>, StoreError> {
    let mut known = store.known()?;
    let names = match &analyst.arguments.name {
        Some(name) => vec![name.clone()],
        None => names::names(&recordings, &known),
    };
    let works = recordings.into_iter().zip(names).map(|(input, name)| Work {
        fingerprint: fingerprint(&input.identity, &analyst.settings, &analyst.models),
        input,
        known: known.remove(&name).flatten().map(Box::new),
        name,
    });
    Ok(works.collect())
}

/// Most recordings at a time, where nobody says how many: each takes memory for its decoder.
const MAX_THREADS: usize = 8;

/// How many recordings are analysed at a time. On two cores two took a fifth less time than one after
/// the other, though decoders have threads of their own, and four hardly less than two.
fn threads(asked: Option<NonZeroUsize>, recordings: usize) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = asked.map_or_else(|| cores().min(MAX_THREADS), NonZeroUsize::get);
    threads.min(recordings)
}
