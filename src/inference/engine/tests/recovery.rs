// SPDX-License-Identifier: MPL-2.0

//! Networks whose device fails.

use std::sync::{Arc, OnceLock};

use super::fakes::{self, Step};
use crate::engine::recovery::Recovery;
use crate::networks::Networks;
use crate::provider::Provider;
use attitude::InferenceError;

/// Returns networks with a detector that takes `steps`.
fn networks(steps: impl IntoIterator<Item = Step>) -> Networks {
    let (networks, _, sender) = fakes::networks();
    for step in steps {
        sender.send(step).unwrap();
    }
    networks
}

fn detect(networks: &mut Networks) -> Result<usize, InferenceError> {
    let detector = networks.detector.as_mut().unwrap();
    let mut found = Vec::new();
    detector.detect(&[0.0; 32 * 32], 32, 32, 0.5, &mut found)?;
    Ok(found.len())
}

#[test]
fn if_the_device_fails_the_cpu_continues_with_the_same_picture() {
    let failure = Arc::new(OnceLock::new());
    let on_cpu = || Ok(networks([Step::FindFace, Step::FindFace, Step::Fail]));
    let recovery = Recovery::new(Provider::Plugin, on_cpu, failure.clone());
    let mut networks = recovery.protect(networks([Step::FindFace, Step::Fail]));
    assert_eq!(detect(&mut networks), Ok(1));
    assert_eq!(failure.get(), None);
    assert_eq!(detect(&mut networks), Ok(1));
    assert_eq!(failure.get().unwrap().cause, "out of order");
    assert_eq!(detect(&mut networks), Ok(1));
    let error = InferenceError("out of order".to_owned());
    assert_eq!(detect(&mut networks), Err(error));
}

#[test]
fn a_network_that_fails_on_the_cpu_too_stays_on_its_device() {
    let failure = Arc::new(OnceLock::new());
    let on_cpu = || Ok(networks([Step::Fail]));
    let recovery = Recovery::new(Provider::Plugin, on_cpu, failure.clone());
    let mut networks = recovery.protect(networks([Step::Fail, Step::FindFace]));
    assert!(detect(&mut networks).is_err());
    assert_eq!(failure.get(), None);
    assert_eq!(detect(&mut networks), Ok(1));
}
