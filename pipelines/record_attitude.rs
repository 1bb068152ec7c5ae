// SPDX-License-Identifier: MPL-2.0
//! Runs a pipeline and writes what `faceattitude` says on the bus, one JSON object a line.
//!
//! With `messages=sample` there is a line for every analysed frame, with `messages=change` (the
//! default) one for every change. Ctrl-C ends the pipeline in an orderly way: the end of stream
//! reaches the sinks, so that recordings are complete. A second Ctrl-C stops at once.
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

/// Runs the pipeline to its end; true if all went well, false if what went wrong has been reported.
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
    let good = Rc::new(Cell::new(true));
    let bus = pipeline.bus().ok_or("the pipeline has no bus")?;
    let _watch = bus.add_watch_local({
        let (pipeline, main_loop, good) = (pipeline.clone(), main_loop.clone(), good.clone());
        move |_, message| {
            let fail = || {
                good.set(false);
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
            glib::ControlFlow::Break // The signal's default action is back.
        }
    });

    let _ = pipeline.set_state(gst::State::Playing); // What fails says so on the bus.
    main_loop.run();
    pipeline.set_state(gst::State::Null)?;
    Ok(good.get())
}

/// Writes the record that the message carries, if it is one of `faceattitude`'s.
fn write_record(out: &mut File, message: &gst::message::Element) -> Result<(), Box<dyn Error>> {
    if let Some(structure) = message.structure()
        && structure.name() == "faceattitude"
    {
        let record = AttitudeMessage::try_from(structure)?.0;
        writeln!(out, "{}", serde_json::to_string(&record)?)?;
    }
    Ok(())
}

/// Tells where a message comes from and all that it says.
fn report(kind: &str, message: &gst::Message, error: &glib::Error, debug: Option<glib::GString>) {
    let source = message.src().map(|source| source.path_string());
    eprintln!("{kind} from {}: {error}", source.unwrap_or_default());
    eprintln!("{}", debug.unwrap_or_default());
}
