// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude review`: corrects the results of `analyze` in a browser.
//!
//! ```text
//! report page -> http -> results (corrections -> derived files)
//! ```

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum_server::{Handle, from_tcp};

pub(crate) use arguments::Arguments;
use results::{Results, ResultsError};

mod arguments;
mod http;
mod results;

use crate::console;
use crate::exit::{Interrupt, SignalError, Status};
use crate::numbers::count;
use crate::web_server::access::{Access, RandomError};
use crate::web_server::{ConnectionLimit, limited};

/// Maximum time for requests to end when the server shuts down.
const MAX_SHUTDOWN: Duration = Duration::from_secs(2);

/// Time between two checks for a signal.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// The server does not start, or stops early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReviewError {
    #[error(transparent)]
    Results(#[from] ResultsError),
    #[error(transparent)]
    Signal(#[from] SignalError),
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error("cannot listen on {0}; choose another --port")]
    Listen(SocketAddr, #[source] io::Error),
    #[error("the server failed")]
    Io(#[from] io::Error),
}

/// Serves until Ctrl-C or SIGTERM, then applies the corrections.
///
/// # Errors
/// Returns an error if there are no results, or the server cannot start.
pub(crate) fn run(arguments: &Arguments) -> Result<Status, ReviewError> {
    let results = Arc::new(Results::find(&arguments.results)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let interrupt = Interrupt::watch()?;
    let served = runtime.block_on(serve(arguments.port, results.clone(), interrupt));
    runtime.shutdown_timeout(MAX_SHUTDOWN);
    served?;
    let refreshed = results.refresh_all(console::warn);
    if refreshed > 0 {
        let recordings = count(refreshed, "recording");
        console::line(format_args!("applied the corrections of {recordings}"));
    }
    Ok(Status::Success)
}

async fn serve(port: u16, results: Arc<Results>, interrupt: Interrupt) -> Result<(), ReviewError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener =
        TcpListener::bind(address).map_err(|error| ReviewError::Listen(address, error))?;
    let address = listener.local_addr()?;
    let access = Arc::new(Access::personal(address)?);
    let handle = Handle::<SocketAddr>::new();
    tokio::spawn(shut_down(handle.clone(), interrupt));
    let recordings = count(results.len(), "recording");
    let pages = access.addresses(address).join(" or ");
    console::line(format_args!(
        "Open {pages} in a browser to review {recordings}; Ctrl-C stops"
    ));
    let routes = http::routes(access, results).into_make_service();
    let server = from_tcp(listener)?.acceptor(ConnectionLimit::default());
    limited(server).handle(handle).serve(routes).await?;
    Ok(())
}

async fn shut_down(handle: Handle<SocketAddr>, interrupt: Interrupt) {
    while !interrupt.is_set() {
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
    handle.graceful_shutdown(Some(MAX_SHUTDOWN));
}
