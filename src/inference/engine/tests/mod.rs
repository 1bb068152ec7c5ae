// SPDX-License-Identifier: MPL-2.0

//! Tests of the engine with fake networks.

mod fakes;

mod live_stream;
mod pool;
mod recovery;
mod shared_classifier;
mod shared_networks;

use super::*;
