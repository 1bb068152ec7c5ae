// SPDX-License-Identifier: MPL-2.0

//! Fuzz targets: functions that take any bytes, and panic if the code under test does something
//! that it must not do with them. `corpora.rs` runs each on its corpus and on changes of it, and
//! `fuzz/` under libFuzzer.

mod analysis;
mod configurations;
mod description;
mod exports;
mod file;
mod labels;
mod lines;
mod mapping;
mod media;
mod random;
mod repairs;
mod requests;
mod sdp_answers;
mod sdp_offers;
mod spools;

pub use random::Random;

/// A fuzz target.
pub struct Target {
    /// Name of the target, of its corpus in `corpora/`, and of its binary in `fuzz/`.
    pub name: &'static str,
    /// Runs the code under test on any bytes.
    ///
    /// # Panics
    /// Panics if the code under test panics or breaks a promise.
    pub run: fn(&[u8]),
}

/// All fuzz targets.
pub const TARGETS: [Target; 13] = [
    Target {
        name: "analysis",
        run: analysis::run,
    },
    Target {
        name: "configurations",
        run: configurations::run,
    },
    Target {
        name: "description",
        run: description::run,
    },
    Target {
        name: "exports",
        run: exports::run,
    },
    Target {
        name: "labels",
        run: labels::run,
    },
    Target {
        name: "lines",
        run: lines::run,
    },
    Target {
        name: "mapping",
        run: mapping::run,
    },
    Target {
        name: "media",
        run: media::run,
    },
    Target {
        name: "repairs",
        run: repairs::run,
    },
    Target {
        name: "requests",
        run: requests::run,
    },
    Target {
        name: "sdp_answers",
        run: sdp_answers::run,
    },
    Target {
        name: "sdp_offers",
        run: sdp_offers::run,
    },
    Target {
        name: "spools",
        run: spools::run,
    },
];

/// Runs the target with this name.
///
/// # Panics
/// Panics if there is none, or if the target does.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("a target has this name").run)(data);
}
