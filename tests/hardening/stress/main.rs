// SPDX-License-Identifier: MPL-2.0

//! Stress tests of the elements: random operations, always the same ones for a seed.
//!
//! `HARDENING_SEED` chooses other operations, and `HARDENING_ROUNDS` multiplies their number.

#[path = "../../support/mod.rs"]
mod support;

mod metadata;
mod models;
mod negotiation;
mod resources;
mod seeks;
mod states;
mod streams;

use gst::prelude::*;
use gst_attitude_hardening::Random;

/// Stops a pipeline at the end of a test: one that goes on after a failure would keep the process
/// from ending.
struct StopAtEnd(gst::Element);

impl Drop for StopAtEnd {
    fn drop(&mut self) {
        let _ = self.0.set_state(gst::State::Null);
    }
}

/// Returns random numbers for the test with this number.
fn random(test: u64) -> Random {
    Random::new(number("HARDENING_SEED", 1) * 1000 + test)
}

/// Returns `count` times the number of rounds.
fn rounds(count: usize) -> usize {
    count * number("HARDENING_ROUNDS", 1) as usize
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect("a whole number"))
}
