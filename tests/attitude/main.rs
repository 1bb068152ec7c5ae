// SPDX-License-Identifier: MPL-2.0

//! Tests of the crate `attitude` with files of the repository.

#[path = "../support/files.rs"]
mod files;

mod crops;
