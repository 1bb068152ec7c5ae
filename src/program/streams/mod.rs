// SPDX-License-Identifier: MPL-2.0

//! Live streams of several sources, each with a `faceattitude` of its own: their analysis, records
//! and condition.
//!
//! ```text
//! location -> video -> analysis -> stream -> consumers (output, publishing)
//!                                    `-> registry -> monitor (metrics, health)
//! host: what all of them share
//! ```

mod location;

mod analysis;
mod numbering;
mod stream;

mod changes;
mod consumer;
mod output;

mod metrics;
mod monitor;
mod registry;

mod host;

pub(crate) mod bus;

pub(crate) use analysis::{Analysis, AnalysisArguments, LoadedNetworks, NetworksError, is_live};
pub(crate) use consumer::{Consumers, RecordConsumer};
pub(crate) use host::{Host, HostArguments, HostError};
pub(crate) use location::{Location, LocationError};
pub(crate) use registry::Registry;
pub(crate) use stream::{Identity, Stream};
