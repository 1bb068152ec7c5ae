// SPDX-License-Identifier: MPL-2.0

//! The program `gst-attitude`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gst_attitude::main()
}
