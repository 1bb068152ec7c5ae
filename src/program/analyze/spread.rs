// SPDX-License-Identifier: MPL-2.0

//! What a program needs that spreads recordings over machines: the plan before, and the tables after.

use std::collections::HashMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::inputs::{Input, told};
use super::outcome::{NO_VIDEO, Outcome};
use super::{Failure, Work};

/// What is to be done of a recording.
#[derive(Serialize)]
struct Planned<'a> {
    name: &'a str,
    input: String,
    uri: &'a str,
    fingerprint: &'a str,
    done: bool,
}

/// The plan, a line a recording.
pub fn plan(works: &[Work], forces: bool) -> serde_json::Result<String> {
    let line = |work: &Work| {
        let planned = Planned {
            name: &work.name,
            input: work.input.told(),
            uri: &work.input.uri,
            fingerprint: &work.fingerprint,
            done: work.is_done() && !forces,
        };
        Ok(serde_json::to_string(&planned)? + "\n")
    };
    works.iter().map(line).collect()
}

/// What became of recordings, by their addresses: why they have no results, `None` where they have.
pub struct Fates(HashMap<String, Option<String>>);

#[derive(Deserialize)]
struct Fate {
    uri: String,
    reason: Option<String>,
}

impl Fates {
    /// Reads a JSON object a line.
    ///
    /// # Errors
    /// Where the file cannot be read, or a line is something else.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text =
            std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", told(path)))?;
        let fates = text.lines().enumerate().map(|(number, line)| {
            let fate: Fate = serde_json::from_str(line)
                .map_err(|error| format!("{}:{}: {error}", told(path), number + 1))?;
            Ok((fate.uri, fate.reason))
        });
        fates.collect::<Result<_, Failure>>().map(Self)
    }

    /// Whether it is told what became of `input`.
    pub fn tell_of(&self, input: &Input) -> bool {
        self.0.contains_key(&input.uri)
    }

    /// What became of a recording.
    pub fn outcome(&self, work: &Work) -> Outcome {
        let reason = self.0.get(&work.input.uri).cloned().flatten();
        match (reason, &work.known) {
            // Who analyses one recording names it, wherever it was found.
            (Some(reason), _) if reason == NO_VIDEO && !work.input.is_named => {
                Outcome::PassedOver(NO_VIDEO)
            }
            (Some(reason), _) => Outcome::Failed(reason),
            (None, Some(document)) if work.is_done() => Outcome::Skipped(document.clone()),
            (None, _) => {
                let reason = "it has changed since it was planned; run this again";
                Outcome::Failed(reason.to_owned())
            }
        }
    }
}
