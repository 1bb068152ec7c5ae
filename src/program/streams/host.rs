// SPDX-License-Identifier: MPL-2.0

//! What the live streams of a process share: the networks, the consumers of their records, the
//! monitor, and the end of the program.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use attitude::record::tags::Tags;
use clap::Args;

use super::analysis::{AnalysisArguments, LoadedNetworks, NetworksError};
use super::consumer::Consumers;
use super::monitor::{Monitor, MonitorError};
use super::output::{Output, OutputArguments, OutputError};
use super::registry::Registry;
use crate::console;
use crate::exit::{Interrupt, SignalError};
use crate::options::StallArguments;
use crate::publishing::{BrokerArguments, PublishError, Publishing};
use crate::shutdown::{self, EndInTimeError};
use crate::web_server::socket_address;

/// Options of what the streams share.
#[derive(Args)]
pub(crate) struct HostArguments {
    #[command(flatten)]
    output: OutputArguments,

    /// Tags of all records, such as site=north,floor=3
    #[arg(long, value_name = "TAGS")]
    tags: Option<Tags>,

    /// IP address and port of a web server with /metrics and /healthz; by default, there is none
    #[arg(long, value_name = "ADDRESS", value_parser = socket_address)]
    listen: Option<SocketAddr>,

    #[command(flatten)]
    pub(crate) stall: StallArguments,

    #[command(flatten)]
    pub(crate) analysis: AnalysisArguments,

    #[command(flatten)]
    broker: BrokerArguments,
}

impl HostArguments {
    /// Returns the tags of all records.
    pub(crate) fn tags(&self) -> Tags {
        self.tags.clone().unwrap_or_default()
    }
}

/// Streams cannot be analyzed, or their records are lost.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HostError {
    #[error(transparent)]
    Networks(#[from] NetworksError),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error(transparent)]
    Monitor(#[from] MonitorError),
    #[error(transparent)]
    Signal(#[from] SignalError),
    #[error(transparent)]
    End(#[from] EndInTimeError),
}

/// What the streams share.
pub(crate) struct Host {
    /// The streams that the monitor reports.
    pub(crate) registry: Registry,
    /// The consumers of all records.
    pub(crate) consumers: Consumers,
    interrupt: Interrupt,
    publishing: Option<Arc<Publishing>>,
    output: Option<Arc<Output>>,
    monitor: Option<Monitor>,
    /// Streams come and go; the networks stay loaded.
    _networks: LoadedNetworks,
}

impl Host {
    /// Loads the networks, and starts whatever receives the records. `records` receives them too.
    ///
    /// After a signal, the program ends within `max_end`, even if streams do not stop.
    pub(crate) fn start(
        arguments: &HostArguments,
        records: Consumers,
        max_end: Duration,
    ) -> Result<Self, HostError> {
        let networks = LoadedNetworks::load(&arguments.analysis)?;
        // The first signal ends the program in order, the second one at once.
        let interrupt = Interrupt::watch()?;
        shutdown::end_in_time(max_end, "some sources did not stop in time")?;
        let publishing = arguments
            .broker
            .start(|text| tracing::warn!("publishing: {text}"))?
            .map(Arc::new);
        let output = arguments.output.start()?;
        let mut consumers = records.to_vec();
        consumers.extend(output.clone().map(|output| output as _));
        consumers.extend(publishing.clone().map(|publishing| publishing as _));
        let registry = Registry::default();
        let monitor = arguments.listen.map(|address| {
            let (registry, publishing) = (registry.clone(), publishing.clone());
            Monitor::start(address, registry, publishing, networks.provider())
        });
        let monitor = monitor.transpose()?;
        if let Some(monitor) = &monitor {
            let address = monitor.address;
            console::line(format_args!("Metrics on http://{address}/metrics"));
        }
        Ok(Self {
            registry,
            consumers: consumers.into(),
            interrupt,
            publishing,
            output,
            monitor,
            _networks: networks,
        })
    }

    /// Returns `true` after Ctrl-C or SIGTERM, and if the output has lost its reader.
    pub(crate) fn must_end(&self) -> bool {
        let is_broken = || {
            self.output
                .as_ref()
                .is_some_and(|output| output.is_broken())
        };
        self.interrupt.is_set() || is_broken()
    }

    /// Delivers and writes what waits.
    ///
    /// # Errors
    /// Returns an error if the output could not be written.
    pub(crate) fn finish(self) -> Result<(), HostError> {
        drop(self.monitor);
        if let Some(unpublished) = self.publishing.and_then(|publishing| publishing.finish()) {
            console::warn(unpublished);
        }
        if let Some(output) = self.output {
            output.finish()?;
        }
        Ok(())
    }
}
