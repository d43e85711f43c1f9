use std::{
    collections::VecDeque,
    io::{self, Write},
};

use bytes::{Bytes, BytesMut};
use dataset_model::MAX_ENTRY_BYTES;
use zstd::stream::{raw, write, zio};

use super::LogRecord;
use crate::{FederationError, Limits, checkpoint::decimal, crate_stream::WINDOW_LOG};

/// Two numbers of at most 20 digits, and a space.
const MAX_HEADER_BYTES: usize = 41;
/// Compressed bytes are unpacked in pieces of this size, so that not much can come of one.
const PIECE_BYTES: usize = 4 * 1024;

/// Reads a stream as it arrives. What it keeps is bounded by the limits, whatever is sent; whether the entries are those of a log,
/// and the crates theirs, is for the caller to check.
pub struct Decoder(write::Decoder<'static, Records>);

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").finish_non_exhaustive()
    }
}

impl Decoder {
    /// Expects a stream from its beginning.
    ///
    /// # Errors
    /// When the decompressor cannot be set up.
    pub fn new(limits: &Limits) -> Result<Self, FederationError> {
        let setup = |error: io::Error| FederationError::Setup(error.into());
        let mut decompressor = raw::Decoder::new().map_err(setup)?;
        decompressor.set_parameter(raw::DParameter::WindowLogMax(WINDOW_LOG)).map_err(setup)?;
        Ok(Self(write::Decoder::with_writer(zio::Writer::new(Records::new(limits), decompressor))))
    }

    /// Takes the next compressed bytes.
    ///
    /// # Errors
    /// When they are no zstd stream, a record is malformed, or more comes of them than the limits allow.
    pub fn push(&mut self, compressed: &[u8]) -> Result<(), FederationError> {
        for piece in compressed.chunks(PIECE_BYTES) {
            let outcome = self.0.write_all(piece).and_then(|()| self.0.flush());
            match (self.0.get_mut().failure.take(), outcome) {
                (Some(failure), _) => return Err(failure),
                (None, Err(error)) => return Err(malformed(&format!("this is no zstd stream: {error}"))),
                (None, Ok(())) => {}
            }
        }
        Ok(())
    }

    /// The next whole record that has come.
    pub fn take(&mut self) -> Option<LogRecord> {
        let records = self.0.get_mut();
        let record = records.ready.pop_front()?;
        records.kept -= weight(&record);
        Some(record)
    }

    /// Whether what has come ends where a record ends.
    pub fn is_between_records(&self) -> bool {
        matches!(&self.0.get_ref().state, State::Header(header) if header.is_empty())
    }
}

/// What is expected next of the decompressed stream.
enum State {
    Header(Vec<u8>),
    Entry { left: usize, bytes: BytesMut, crate_length: Option<usize> },
    Crate { left: usize, bytes: BytesMut, entry: Bytes },
}

struct Records {
    ready: VecDeque<LogRecord>,
    /// Bytes of the records that are ready.
    kept: u64,
    state: State,
    crate_bytes: u64,
    most: u64,
    /// The first thing that was wrong; it cannot pass through the decompressor as it is.
    failure: Option<FederationError>,
}

impl Records {
    fn new(limits: &Limits) -> Self {
        let (ready, state) = (VecDeque::new(), State::Header(Vec::new()));
        // What one piece unpacks to is small unless somebody made it so; a crate may still be under way.
        let most = limits.crate_bytes.saturating_add(limits.batch_bytes);
        Self { ready, kept: 0, state, crate_bytes: limits.crate_bytes, most, failure: None }
    }

    fn accept(&mut self, mut plain: &[u8]) -> Result<(), FederationError> {
        while let Some(first) = plain.first() {
            match &mut self.state {
                State::Header(header) => {
                    plain = plain.get(1..).unwrap_or_default();
                    if *first == b'\n' {
                        let header = std::mem::take(header);
                        self.state = self.open(&header)?;
                    } else if header.len() < MAX_HEADER_BYTES {
                        header.push(*first);
                    } else {
                        return Err(malformed("a header is too long"));
                    }
                }
                State::Entry { left, bytes, crate_length } => {
                    if !fill(left, bytes, &mut plain)? {
                        continue;
                    }
                    let (entry, crate_length) = (std::mem::take(bytes).freeze(), *crate_length);
                    self.state = match crate_length {
                        Some(left) => State::Crate { left, bytes: BytesMut::new(), entry },
                        None => self.close(LogRecord { entry, crate_bytes: None })?,
                    };
                }
                State::Crate { left, bytes, entry } => {
                    if !fill(left, bytes, &mut plain)? {
                        continue;
                    }
                    let crate_bytes = Some(std::mem::take(bytes).freeze());
                    let entry = std::mem::take(entry);
                    self.state = self.close(LogRecord { entry, crate_bytes })?;
                }
            }
        }
        Ok(())
    }

    fn open(&self, header: &[u8]) -> Result<State, FederationError> {
        let form = || malformed("a header is '<length> <length or ->'");
        let (entry, crate_length) =
            std::str::from_utf8(header).ok().and_then(|header| header.split_once(' ')).ok_or_else(form)?;
        let entry = decimal(entry).and_then(|length| usize::try_from(length).ok()).ok_or_else(form)?;
        if entry > MAX_ENTRY_BYTES {
            return Err(FederationError::TooLarge { what: "an entry".into(), limit: MAX_ENTRY_BYTES as u64 });
        }
        let crate_length = match crate_length {
            "-" => None,
            length => {
                let length = decimal(length).ok_or_else(form)?;
                if length > self.crate_bytes {
                    return Err(FederationError::TooLarge { what: "a crate".into(), limit: self.crate_bytes });
                }
                Some(usize::try_from(length).map_err(|_| form())?)
            }
        };
        Ok(State::Entry { left: entry, bytes: BytesMut::new(), crate_length })
    }

    fn close(&mut self, record: LogRecord) -> Result<State, FederationError> {
        self.kept += weight(&record);
        if self.kept > self.most {
            return Err(FederationError::TooLarge {
                what: "what a piece of the log unpacks to".into(),
                limit: self.most,
            });
        }
        self.ready.push_back(record);
        Ok(State::Header(Vec::new()))
    }
}

/// Takes what is left of a text and the newline behind it; says whether it is complete.
fn fill(left: &mut usize, bytes: &mut BytesMut, plain: &mut &[u8]) -> Result<bool, FederationError> {
    let (now, later) = plain.split_at(plain.len().min(*left));
    bytes.extend_from_slice(now);
    *left -= now.len();
    *plain = later;
    match plain.split_first() {
        Some((b'\n', rest)) if *left == 0 => {
            *plain = rest;
            Ok(true)
        }
        Some(_) if *left == 0 => Err(malformed("a text is longer than its header says")),
        _ => Ok(false),
    }
}

/// What a record counts for: its bytes, and what keeping it costs.
fn weight(record: &LogRecord) -> u64 {
    (record.entry.len() + record.crate_bytes.as_ref().map_or(0, Bytes::len) + size_of::<LogRecord>()) as u64
}

impl Write for Records {
    fn write(&mut self, plain: &[u8]) -> io::Result<usize> {
        match self.accept(plain) {
            Ok(()) => Ok(plain.len()),
            Err(failure) => {
                self.failure.get_or_insert(failure);
                Err(io::Error::other("refused"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn malformed(what: &str) -> FederationError {
    FederationError::malformed(format!("in the stream of the log, {what}"))
}
