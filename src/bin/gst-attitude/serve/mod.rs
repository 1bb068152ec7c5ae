// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude serve`: the live view, in a browser.
//!
//! ```text
//! page -> http -> sessions -> session (camera | source) -> results -> channels -> page
//! ```

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum_server::Handle;
use gst::prelude::*;
use tokio::signal::unix::{SignalKind, signal};

pub use arguments::Arguments;
use http::Server;
use sessions::Sessions;
use source::{Input, Source};

mod arguments;

mod ending;
mod results;

mod channels;
mod session;

mod camera;
mod source;

mod sessions;

mod page;

mod http;

use crate::console;

type Failure = Box<dyn Error>;

/// How long requests may take to end when the server does.
const MAX_REQUEST: Duration = Duration::from_secs(2);

/// Serves until Ctrl-C or SIGTERM.
pub fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    gst::init()?;
    gstattitude::plugin_register_static()?;
    let arguments = Arc::new(arguments);
    let input = arguments.source.as_deref().map(Input::new).transpose()?;
    let source = input.map(|input| Source::new(arguments.clone(), input));
    // Loads the networks, so that what is wrong with them is told now, and keeps them loaded.
    let networks = results::faceattitude(&arguments)?;
    start(&networks)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let served = runtime.block_on(serve(arguments, source));
    networks.set_state(gst::State::Null)?;
    served.map(|()| ExitCode::SUCCESS)
}

/// Starts `networks`, or tells why they do not.
fn start(networks: &gst::Element) -> Result<(), Failure> {
    let bus = gst::Bus::new();
    networks.set_bus(Some(&bus));
    if networks.set_state(gst::State::Paused).is_ok() {
        return Ok(());
    }
    let problem = bus.pop_filtered(&[gst::MessageType::Error]);
    let told = problem.and_then(|message| match message.view() {
        gst::MessageView::Error(error) => Some(error.error().message().to_owned()),
        _ => None,
    });
    networks.set_state(gst::State::Null)?;
    Err(told
        .unwrap_or_else(|| "faceattitude does not start".to_owned())
        .into())
}

async fn serve(arguments: Arc<Arguments>, source: Option<Source>) -> Result<(), Failure> {
    let sessions = Arc::new(Sessions::new(arguments.clone(), source));
    let routes = http::routes(Server {
        arguments: arguments.clone(),
        sessions: sessions.clone(),
    });
    let handle = Handle::<SocketAddr>::new();
    tokio::spawn(shut_down_on_signal(handle.clone(), sessions)?);
    tokio::spawn({
        let handle = handle.clone();
        async move {
            if let Some(address) = handle.listening().await {
                console::tell(format_args!(
                    "Open http://{address}/ in a browser; Ctrl-C ends"
                ));
            }
        }
    });
    axum_server::bind(arguments.listen)
        .handle(handle)
        .serve(routes.into_make_service())
        .await
        .map_err(|error| format!("{}: {error}", arguments.listen))?;
    Ok(())
}

/// Ends sessions and server at the first Ctrl-C or SIGTERM.
fn shut_down_on_signal(
    handle: Handle<SocketAddr>,
    sessions: Arc<Sessions>,
) -> Result<impl Future<Output = ()>, Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        std::future::poll_fn(|context| {
            match interrupt.poll_recv(context).is_ready() || terminate.poll_recv(context).is_ready()
            {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            }
        })
        .await;
        sessions.shut_down().await;
        handle.graceful_shutdown(Some(MAX_REQUEST));
    })
}
