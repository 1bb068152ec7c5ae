// SPDX-License-Identifier: MPL-2.0

//! Tests of the computation on files of the repository.

#[path = "../support/files.rs"]
mod files;

mod crops;
