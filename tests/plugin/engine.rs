// SPDX-License-Identifier: MPL-2.0

//! Tests of many elements in one process, which share networks and threads, and nothing else.

use std::time::Duration;

use gst::prelude::*;

use crate::support::*;

/// Returns the number of threads of the engine in this process.
fn workers() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let name = |task: std::io::Result<std::fs::DirEntry>| {
        // The thread may have ended.
        std::fs::read_to_string(task.unwrap().path().join("comm")).unwrap_or_default()
    };
    tasks
        .map(name)
        .filter(|name| name.trim() == "attitude")
        .count()
}

fn live() -> Rig {
    Rig::tiny(&[("mode", "live"), ("sample-interval", "0")])
}

/// Passes frames until one carries a face, and returns its label.
fn label(rig: &mut Rig, luma: u8) -> String {
    for _ in 0..1000 {
        if let Some(region) = regions(&rig.pass_face(luma)).pop() {
            return region.label;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("no face");
}

#[test]
fn any_number_of_streams_shares_the_same_threads_which_end_with_the_last_stream() {
    in_own_process(|| {
        let mut first = live();
        assert_eq!(label(&mut first, POSITIVE), "positive");
        let threads = workers();
        let cores = std::thread::available_parallelism().unwrap().get();
        assert_eq!(threads, (cores / 2).max(1));
        let mut more: Vec<Rig> = (0..16).map(|_| live()).collect();
        for (rig, (luma, expected)) in more.iter_mut().zip(
            [(NEGATIVE, "negative"), (NEUTRAL, "neutral")]
                .into_iter()
                .cycle(),
        ) {
            assert_eq!(label(rig, luma), expected);
        }
        assert_eq!(workers(), threads);
        drop(first);
        assert_eq!(workers(), threads);
        drop(more);
        assert_eq!(workers(), 0);
    });
}

#[test]
fn streams_that_wait_for_their_results_need_no_thread() {
    in_own_process(|| {
        let mut rigs: Vec<Rig> = (0..4).map(|_| Rig::tiny(&[])).collect();
        for rig in &mut rigs {
            assert_eq!(regions(&rig.pass_face(NEGATIVE))[0].label, "negative");
        }
        assert_eq!(workers(), 0);
    });
}

#[test]
fn live_streams_and_streams_that_wait_get_their_own_results_side_by_side() {
    in_own_process(|| {
        std::thread::scope(|scope| {
            for (luma, expected) in [
                (POSITIVE, "positive"),
                (NEUTRAL, "neutral"),
                (NEGATIVE, "negative"),
            ] {
                scope.spawn(move || {
                    let mut rig = Rig::tiny(&[("sample-interval", "0"), ("smoothing", "0")]);
                    for _ in 0..100 {
                        assert_eq!(regions(&rig.pass_face(luma))[0].label, expected);
                    }
                });
                scope.spawn(move || {
                    let mut rig = live();
                    for _ in 0..20 {
                        assert_eq!(label(&mut rig, luma), expected);
                    }
                });
            }
        });
    });
}

#[test]
fn each_stream_uses_its_own_settings() {
    in_own_process(|| {
        let mut seeing = live();
        let mut blind = live();
        blind.element.set_property("min-face-size", 1000u32);
        for _ in 0..10 {
            assert_eq!(label(&mut seeing, POSITIVE), "positive");
            assert!(regions(&blind.pass_face(POSITIVE)).is_empty());
        }
    });
}

#[test]
fn a_stream_that_ends_during_an_inference_does_not_affect_the_others() {
    in_own_process(|| {
        let slow = model("slow");
        let slow_rig = || Rig::tiny(&[("mode", "live"), ("attitude-model", &slow)]);
        let mut staying = slow_rig();
        for _ in 0..3 {
            let mut leaving = slow_rig();
            leaving.pass();
            staying.pass();
            drop(leaving);
        }
        assert_eq!(label(&mut staying, NEUTRAL), "neutral");
        // The last stream ends during an inference too.
        staying.next_pts += gst::ClockTime::SECOND;
        staying.pass();
        drop(staying);
        assert_eq!(workers(), 0);
    });
}

#[test]
fn a_replaced_model_file_is_loaded_again() {
    in_own_process(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.onnx");
        let element =
            || tiny_element(&[("mode", "sync"), ("attitude-model", path.to_str().unwrap())]);
        std::fs::copy(model("brightness"), &path).unwrap();
        let first = element();
        first.set_state(gst::State::Paused).unwrap();
        std::fs::write(&path, b"no model").unwrap();
        assert!(refusal(&element()).contains("model.onnx"));
        first.set_state(gst::State::Null).unwrap();
    });
}

#[test]
fn no_detector_is_loaded_for_upstream_detections() {
    in_own_process(|| {
        let element = tiny_element(&[("detector-model", "/not/there.onnx")]);
        assert!(refusal(&element).contains("/not/there.onnx"));
        element.set_property("detect-faces", false);
        element.set_state(gst::State::Paused).unwrap();
        element.set_state(gst::State::Null).unwrap();
    });
}
