// SPDX-License-Identifier: MPL-2.0

//! Lines of records and notes, which other programs may have written or changed.

use attitude::record::Record;
use attitude::record::formats::jsonl::{Line, read_line, write_line};
use attitude::record::formats::{FORMATS, Output, TimedRecord, Timing};
use attitude::timeline::Span;

/// Parses lines. A record keeps its meaning if it is written and read again; together, records can
/// be written in all formats.
pub(crate) fn run(data: &[u8]) {
    let mut records = Vec::new();
    for line in data.split(|&byte| byte == b'\n') {
        match read_line(line) {
            Ok(Line::Record(record)) => {
                let mut written = Vec::new();
                write_line(&record, &mut written).expect("a vector can be written to");
                assert_eq!(read_line(&written), Ok(Line::Record(record.clone())));
                records.push(record);
            }
            Ok(Line::Note(note)) => assert!(!note.note.is_empty()),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    for format in FORMATS {
        let interval_ns = 200_000_000;
        let timings = [
            Timing::Frames,
            Timing::Samples { interval_ns },
            Timing::Session { interval_ns },
        ];
        for timing in timings {
            let mut writer = (format.writer)(timing).expect("the header can be created");
            write(writer.as_mut(), &records).expect("a vector can be written to");
        }
    }
}

fn write(
    writer: &mut dyn attitude::record::formats::Writer,
    records: &[Record],
) -> std::io::Result<()> {
    let mut output = Output::default();
    writer.begin(Span::default(), &mut output)?;
    for record in records {
        writer.write(&TimedRecord::sample(record), &mut output)?;
    }
    writer.finish(&mut output)
}
