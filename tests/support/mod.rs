// SPDX-License-Identifier: MPL-2.0

//! Support for the tests of the plugin and the program.

#![allow(dead_code)] // Each test binary uses a part of it.

mod brokers;
mod elements;
mod files;
mod frames;
mod own_process;
mod pipelines;
mod process;
mod python;
mod results;
mod rig;
mod rtsp_camera;
mod server;
mod stalling_server;
mod subscriber;
mod test_providers;
mod waiting;

#[allow(unused_imports)] // Not every test binary uses brokers.
pub use brokers::*;
pub use elements::*;
pub use files::*;
pub use frames::*;
#[allow(unused_imports)] // Not every test binary needs processes of its own.
pub use own_process::*;
pub use pipelines::*;
pub use process::*;
#[allow(unused_imports)] // Not every test binary uses Python.
pub use python::*;
pub use results::*;
pub use rig::*;
#[allow(unused_imports)] // Not every test binary needs a camera.
pub use rtsp_camera::*;
#[allow(unused_imports)] // Not every test binary needs a server.
pub use server::*;
#[allow(unused_imports)] // Not every test binary needs a server.
pub use stalling_server::*;
#[allow(unused_imports)] // Not every test binary uses brokers.
pub use subscriber::*;
#[allow(unused_imports)] // Not every test binary uses other providers than the CPU.
pub use test_providers::*;
#[allow(unused_imports)] // Not every test binary waits.
pub use waiting::*;
