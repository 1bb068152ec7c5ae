// SPDX-License-Identifier: MPL-2.0

//! Rows of CSV, quoted as in RFC 4180, with a line feed after each row.

use std::io::{self, Write};

use csv_core::WriteResult;

/// Writes rows of CSV.
#[derive(Default)]
pub(crate) struct RowWriter {
    quoting: csv_core::Writer,
    /// Memory for the value of a cell.
    cell: String,
}

impl RowWriter {
    /// Writes a row; `append` appends the value of a column to the cell.
    pub(crate) fn write<C>(
        &mut self,
        output: &mut (impl Write + ?Sized),
        columns: impl ExactSizeIterator<Item = C>,
        append: impl Fn(C, &mut String),
    ) -> io::Result<()> {
        let count = columns.len();
        for (index, column) in columns.enumerate() {
            self.cell.clear();
            append(column, &mut self.cell);
            let mut quoted = [0; 256];
            let mut rest = self.cell.as_bytes();
            loop {
                let (result, read, written) = self.quoting.field(rest, &mut quoted);
                output.write_all(&quoted[..written])?;
                rest = &rest[read..];
                if result == WriteResult::InputEmpty {
                    break;
                }
            }
            // The closing quote and the separator fit into the buffer.
            let (_, written) = match index + 1 < count {
                true => self.quoting.delimiter(&mut quoted),
                false => self.quoting.terminator(&mut quoted),
            };
            output.write_all(&quoted[..written])?;
        }
        Ok(())
    }
}
