// SPDX-License-Identifier: MPL-2.0

//! Measures how many faces per second an execution provider classifies, in batches of several sizes,
//! and compares that with a session of ONNX Runtime without anything around it, as a Markdown table.
//!
//!     cargo bench --bench providers -- [cpu | cuda | webgpu]
//!
//! `ORT_DYLIB_PATH` selects ONNX Runtime.

use std::time::{Duration, Instant};

use attitude_inference::model::ModelSource;
use attitude_inference::networks::{Config, Networks};
use attitude_inference::provider::Provider;
use attitude_inference::runtime::{self, RuntimeOptions};
use ort::ep;
use ort::session::Session;
use ort::value::TensorRef;

const BATCHES: [usize; 4] = [1, 4, 16, 64];
/// Number of calls before each measurement.
const WARM_UP: usize = 3;
/// Duration of each measurement.
const MEASURED: Duration = Duration::from_secs(2);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Cargo adds `--bench`.
    let argument = std::env::args().skip(1).find(|it| !it.starts_with("--"));
    let provider: Provider = argument.as_deref().unwrap_or("cpu").parse()?;
    let runtime = RuntimeOptions::default();
    let started = Instant::now();
    let mut networks = Networks::load(&Config {
        provider: provider.into(),
        falls_back: false,
        runtime: runtime.clone(),
        ..Config::default()
    })?;
    println!(
        "{provider}, cold start {} ms\n",
        started.elapsed().as_millis()
    );
    let mut bare = bare_session(provider, &runtime)?;
    let classifier = &mut networks.classifier;
    let input = classifier.input().clone();
    let (width, height) = (input.width, input.height);
    println!("| batch | faces/s | bare session | ratio |\n|---|---|---|---|");
    let mut found = Vec::new();
    for batch in BATCHES {
        let crops = vec![128.0_f32; batch * input.tensor_format.len(width, height)];
        let shape = [batch, input.tensor_format.channels.count(), height, width];
        let ours = faces_per_second(batch, || {
            classifier.classify(&crops, batch, &mut found)?;
            Ok(())
        })?;
        let theirs = faces_per_second(batch, || {
            let tensor = TensorRef::from_array_view((shape, &crops[..]))?;
            bare.run(ort::inputs![tensor])?;
            Ok(())
        })?;
        println!(
            "| {batch} | {ours:.0} | {theirs:.0} | {:.2} |",
            ours / theirs
        );
    }
    Ok(())
}

/// Returns a session of the same model with one thread and ONNX Runtime's defaults.
fn bare_session(
    provider: Provider,
    runtime: &RuntimeOptions,
) -> Result<Session, Box<dyn std::error::Error>> {
    let builder = Session::builder(runtime::environment(runtime)?)?.with_intra_threads(1)?;
    let mut builder = match provider {
        Provider::Cuda => {
            let cuda = ep::CUDA::default().with_tf32(false);
            builder.with_execution_providers([cuda.build().error_on_failure()])?
        }
        Provider::WebGpu => {
            let webgpu = ep::WebGPU::default();
            builder.with_execution_providers([webgpu.build().error_on_failure()])?
        }
        _ => builder,
    };
    Ok(builder.commit_from_memory(&ModelSource::ATTITUDE.read(provider)?)?)
}

/// Calls `run` for the time of a measurement.
fn faces_per_second(
    batch: usize,
    mut run: impl FnMut() -> Result<(), Box<dyn std::error::Error>>,
) -> Result<f64, Box<dyn std::error::Error>> {
    for _ in 0..WARM_UP {
        run()?;
    }
    let started = Instant::now();
    let mut calls = 0;
    while started.elapsed() < MEASURED {
        run()?;
        calls += 1;
    }
    Ok((calls * batch) as f64 / started.elapsed().as_secs_f64())
}
