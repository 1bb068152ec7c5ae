// SPDX-License-Identifier: MPL-2.0

//! The pool of an engine's networks.

use std::sync::mpsc;

use super::fakes::Bench;

#[test]
fn if_no_more_networks_can_be_loaded_requests_wait_for_the_loaded_ones() {
    let bench = Bench::with_max_networks(3);
    let lease = bench.engine.lease().unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| bench.engine.lease().is_ok());
        while bench.engine.pool.request_count() < 3 {
            std::thread::yield_now();
        }
        drop(lease);
        assert!(waiting.join().unwrap());
    });
}

#[test]
fn requests_are_served_in_order_and_a_panic_returns_the_networks() {
    let bench = Bench::new();
    let lease = bench.engine.lease().unwrap();
    let (served, order) = mpsc::channel();
    std::thread::scope(|scope| {
        for number in 0..3 {
            let (engine, served) = (&bench.engine, served.clone());
            let requests = engine.pool.request_count();
            scope.spawn(move || {
                let _lease = engine.lease().unwrap();
                served.send(number).unwrap();
                // Unwinding returns the networks.
                let _ = std::panic::catch_unwind(|| {
                    let _lease = (number == 2).then(|| panic!("as it should"));
                });
            });
            while bench.engine.pool.request_count() == requests {
                std::thread::yield_now();
            }
        }
        assert!(order.try_recv().is_err());
        drop(lease);
    });
    drop(served);
    assert!(order.iter().eq([0, 1, 2]));
}
