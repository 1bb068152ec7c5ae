// SPDX-License-Identifier: MPL-2.0
//! Runs a pipeline and writes the messages of `faceattitude`, one JSON object per line.
//!
//! With `messages=sample`, it writes one line per sample; with `messages=change`, the default, one
//! line per change. Ctrl-C sends an end of stream through the pipeline, so that recordings are
//! complete. A second Ctrl-C stops the program at once. A pipeline may wait for its source for any
//! time; GStreamer's element `watchdog` in it ends it after a time without frames.
//!
//! ```sh
//! cargo run --release -p gst-attitude-pipelines --example record_attitude -- faces.jsonl \
//!     'v4l2src ! decodebin ! videoconvert ! faceattitude messages=sample ! fakesink'
//! ```

use std::{cell::Cell, env, error::Error, fs::File, io::Write, process::ExitCode, rc::Rc};

use gst::{MessageView, prelude::*};
use gstattitude::message::AttitudeMessage;

const SIGINT: i32 = 2;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the pipeline to its end. Returns false after an error that has already been reported.
fn run() -> Result<bool, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [path, description] = &arguments[..] else {
        return Err("usage: record_attitude OUT.jsonl 'PIPELINE'".into());
    };
    gst::init()?;
    gstattitude::plugin_register_static()?;
    let pipeline = gst::parse::launch(description)?
        .downcast::<gst::Pipeline>()
        .map_err(|_| "a pipeline needs at least two elements")?;
    let mut out = File::create(path).map_err(|error| format!("{path}: {error}"))?;

    let main_loop = glib::MainLoop::new(None, false);
    let succeeded = Rc::new(Cell::new(true));
    let bus = pipeline.bus().ok_or("the pipeline has no bus")?;
    let _watch = bus.add_watch_local({
        let (pipeline, main_loop, succeeded) =
            (pipeline.clone(), main_loop.clone(), succeeded.clone());
        move |_, message| {
            let fail = || {
                succeeded.set(false);
                main_loop.quit();
            };
            match message.view() {
                MessageView::Element(element) => {
                    if let Err(error) = write_record(&mut out, element) {
                        eprintln!("Error: {error}");
                        fail();
                    }
                }
                MessageView::Warning(warning) => {
                    report("Warning", message, &warning.error(), warning.debug());
                }
                MessageView::Error(error) => {
                    report("Error", message, &error.error(), error.debug());
                    fail();
                }
                MessageView::Latency(_) => {
                    let _ = pipeline.recalculate_latency();
                }
                MessageView::Eos(_) => main_loop.quit(),
                _ => {}
            }
            glib::ControlFlow::Continue
        }
    })?;
    glib_unix::unix_signal_add(SIGINT, {
        let pipeline = pipeline.clone();
        move || {
            pipeline.send_event(gst::event::Eos::new());
            glib::ControlFlow::Break // Restores the default action of the signal.
        }
    });

    let _ = pipeline.set_state(gst::State::Playing); // Errors are reported on the bus.
    main_loop.run();
    pipeline.set_state(gst::State::Null)?;
    Ok(succeeded.get())
}

/// Writes the record in the message if `faceattitude` posted it.
fn write_record(out: &mut File, message: &gst::message::Element) -> Result<(), Box<dyn Error>> {
    if let Some(structure) = message.structure()
        && structure.name() == "faceattitude"
    {
        let record = AttitudeMessage::try_from(structure)?.0;
        writeln!(out, "{}", serde_json::to_string(&record)?)?;
    }
    Ok(())
}

/// Prints an error or a warning with its source, without the first line of its debug text: the
/// position in GStreamer's source code.
fn report(kind: &str, message: &gst::Message, error: &glib::Error, debug: Option<glib::GString>) {
    let source = message.src().map(|source| source.name());
    let debug = debug.unwrap_or_default();
    let details: Vec<_> = debug.lines().skip(1).collect();
    eprintln!(
        "{kind} from {}: {error} {}",
        source.unwrap_or_default(),
        details.join(" ")
    );
}
