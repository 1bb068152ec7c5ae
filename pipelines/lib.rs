// SPDX-License-Identifier: MPL-2.0

//! Example applications; each is an example target of this package.
