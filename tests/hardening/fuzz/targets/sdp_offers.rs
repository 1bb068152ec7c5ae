// SPDX-License-Identifier: MPL-2.0

//! Runs the target `sdp_offers` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gst_attitude_hardening::run("sdp_offers", data));
