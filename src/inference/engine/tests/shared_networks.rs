// SPDX-License-Identifier: MPL-2.0

//! Handles of several threads for one detector and one classifier.

use std::time::Duration;

use super::fakes::{self, Step};
use crate::engine::shared_networks::SharedNetworks;
use attitude::InferenceError;

#[test]
fn handles_run_one_detector_one_inference_after_the_other() {
    let (networks, begun, steps) = fakes::networks();
    let shared = SharedNetworks::new(networks, 2, Duration::ZERO);
    let detect = || {
        let mut detector = shared.handles().detector.unwrap();
        let mut found = Vec::new();
        detector.detect(&[0.0; 32 * 32], 32, 32, 0.5, &mut found)?;
        Ok::<_, InferenceError>(found.len())
    };
    std::thread::scope(|scope| {
        let calls = [scope.spawn(detect), scope.spawn(detect)];
        begun.recv_timeout(fakes::TIMEOUT).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        assert!(begun.try_recv().is_err(), "the second call must wait");
        steps.send(Step::FindFace).unwrap();
        steps.send(Step::Fail).unwrap();
        let results = calls.map(|call| call.join().unwrap());
        assert_eq!(results.iter().filter(|found| **found == Ok(1)).count(), 1);
        assert_eq!(results.iter().filter(|found| found.is_err()).count(), 1);
    });
}
