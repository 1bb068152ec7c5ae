// SPDX-License-Identifier: MPL-2.0

//! One recording: from its pipeline to its folder.

use attitude::record::Record;

use super::annotation;
use super::document::Document;
use super::inputs::{Identity, Input, Place};
use super::outcome::{NO_VIDEO, Outcome};
use super::outputs::Outputs;
use super::pipeline::Pipeline;
use super::play::{Ending, Listener, play, video};
use super::progress::Track;
use super::store::{Store, StoreError};
use super::truncation::truncation;
use super::{Analyst, Work};
use crate::exit::Interrupt;

/// Analyses what has to be; `None` where the run is to end.
///
/// # Errors
/// Where results cannot be kept.
pub fn analyze(
    work: &Work,
    analyst: &Analyst,
    store: &Store,
    interrupt: &Interrupt,
    track: &mut Track<'_>,
) -> Result<Option<Outcome>, StoreError> {
    let Work { input, name, .. } = work;
    if let Some(document) = &work.known
        && work.is_done()
        && !analyst.arguments.force
    {
        return Ok(Some(Outcome::Skipped(document.clone())));
    }
    track.begin(analyst.settings.from_ns, analyst.settings.to_ns);
    let partial = store.begin(name)?;
    let annotated = analyst
        .settings
        .annotate
        .then(|| partial.path(annotation::FILE));
    let (arguments, settings) = (analyst.arguments, &analyst.settings);
    let uri = match input.playable_uri() {
        Ok(uri) => uri,
        Err(error) => return Ok(Some(Outcome::Failed(error.to_string()))),
    };
    let playing = match Pipeline::new(&uri, arguments, settings, annotated.as_deref()) {
        Ok(playing) => playing,
        Err(error) => return Ok(Some(Outcome::Failed(error.to_string()))),
    };
    let mut taker = Taker {
        name,
        outputs: Outputs::open(&partial, settings)?,
        track,
        last: None,
    };
    let ending = play(&playing, settings, interrupt, &mut taker)?;
    let video = video(&playing, taker.last.as_ref());
    drop(playing);
    let damage = match ending {
        Ending::Stopped => return Ok(None),
        Ending::Unwritable(reason) => {
            return Err(StoreError::new(&store.path(name), reason));
        }
        Ending::Failed(reason) => return Ok(Some(Outcome::Failed(reason))),
        // A folder holds all sorts of files.
        Ending::NoVideo if !input.is_named => return Ok(Some(Outcome::PassedOver(NO_VIDEO))),
        Ending::NoVideo => return Ok(Some(Outcome::Failed(NO_VIDEO.to_owned()))),
        Ending::Broken(reason) => Some(reason),
        Ending::End => cut_off(&input.place),
    };
    if taker.outputs.samples() == 0 {
        let reason = match (damage, settings.from_ns) {
            (Some(damage), _) => damage,
            (None, Some(_)) => {
                "it has no frame in the part that --from and --to ask for".to_owned()
            }
            (None, None) => "it has no frame".to_owned(),
        };
        return Ok(Some(Outcome::Failed(reason)));
    }
    if let (Place::Url(_), Some(damage)) = (&input.place, &damage) {
        // A second try may bring the whole.
        return Ok(Some(Outcome::Failed(damage.clone())));
    }
    if has_changed(input) {
        let reason = "it changed while it was analysed; run this again when it is complete";
        return Ok(Some(Outcome::Failed(reason.to_owned())));
    }
    let facts = analyst.engine.facts();
    let (models, provider) = (&analyst.models, facts.provider.name());
    let fingerprint = work.fingerprint.clone();
    let mut document = Document::begin(input, name, fingerprint, settings, models, provider);
    document.recording.video = video;
    document.damage = damage;
    let document = taker.outputs.finish(document, arguments.destination())?;
    partial.commit()?;
    Ok(Some(Outcome::Done(Box::new(document))))
}

/// Takes what a recording shows.
struct Taker<'a, 't> {
    name: &'a str,
    outputs: Outputs<'a>,
    track: &'a mut Track<'t>,
    last: Option<Record>,
}

impl Listener for Taker<'_, '_> {
    fn sample(&mut self, mut record: Record, duration_ns: Option<u64>) -> Result<(), StoreError> {
        // What GStreamer calls a stream depends on where the file is.
        record.stream = self.name.to_owned();
        self.track.reach(record.stream_time_ns, duration_ns);
        self.outputs.note(&record)?;
        self.last = Some(record);
        Ok(())
    }

    fn warning(&mut self, text: &str) {
        self.track.warn(text);
    }
}

/// What a file misses that seems to have been played to its end.
fn cut_off(place: &Place) -> Option<String> {
    match place {
        // It was just read: what cannot be told of it is no damage.
        Place::File(path) => truncation(path).ok().flatten(),
        Place::Url(_) => None,
    }
}

fn has_changed(input: &Input) -> bool {
    match &input.place {
        Place::File(path) => Identity::of_file(path).ok().as_ref() != Some(&input.identity),
        Place::Url(_) => false,
    }
}
