use std::io::{self, Write};

use bytes::Bytes;

use super::LogRecord;
use crate::pieces::pieces;

/// Writes records as they come, and yields the compressed stream piece by piece. It holds one record at a time.
///
/// After an error nothing more comes, so that a reader sees a stream that broke off and not one that looks complete.
pub fn encode<E: From<io::Error>>(
    records: impl Iterator<Item = Result<LogRecord, E>>,
) -> impl Iterator<Item = Result<Bytes, E>> {
    pieces(records, |out, record| write_record(out, &record))
}

fn write_record(out: &mut impl Write, record: &LogRecord) -> io::Result<()> {
    let length = record.crate_bytes.as_ref().map_or_else(|| "-".to_owned(), |bytes| bytes.len().to_string());
    writeln!(out, "{} {length}", record.entry.len())?;
    for bytes in std::iter::once(&record.entry).chain(&record.crate_bytes) {
        out.write_all(bytes)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
