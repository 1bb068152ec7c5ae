// SPDX-License-Identifier: MPL-2.0

//! Benchmarks; each is a bench target of this package.
