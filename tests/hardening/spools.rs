// SPDX-License-Identifier: MPL-2.0

//! Files with messages that wait for a broker.

use attitude_publish::fuzzing::spool;

use crate::file::with_file;

/// Opens the file as a spool. If it is one, all its messages can be read and removed.
pub(crate) fn run(data: &[u8]) {
    with_file(data, |path| match spool(path) {
        Ok(messages) => assert!(messages > 0),
        Err(error) => assert!(!error.to_string().is_empty()),
    });
}
