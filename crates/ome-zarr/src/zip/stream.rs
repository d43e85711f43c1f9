//! An archive as it streams past: nothing is read twice, nothing is sought.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Take};

use flate2::bufread::DeflateDecoder;

use super::{fault::ArchiveFault, limits::ArchiveLimits};
use crate::{error::OmeZarrError, source::SourceError};

/// Bytes read ahead.
const AHEAD: usize = 128 * 1024;

/// A reader that knows how far it has come.
pub(crate) struct Stream<R> {
    inner: BufReader<R>,
    position: u64,
}

impl<R: Read> Stream<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { inner: BufReader::with_capacity(AHEAD, reader), position: 0 }
    }

    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    pub(crate) fn into_inner(self) -> R {
        self.inner.into_inner()
    }

    /// Exactly `count` bytes; `count` comes from a field of at most 16 bits, or a constant.
    pub(crate) fn exact(&mut self, count: usize) -> Result<Vec<u8>, OmeZarrError> {
        let mut bytes = vec![0; count];
        self.read_exact(&mut bytes).map_err(failed)?;
        Ok(bytes)
    }

    pub(crate) fn is_at_end(&mut self) -> Result<bool, OmeZarrError> {
        Ok(self.fill_buf().map_err(failed)?.is_empty())
    }
}

impl<R: Read> Read for Stream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl<R: Read> BufRead for Stream<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.position += count as u64;
        self.inner.consume(count);
    }
}

/// A failed read in our words: a rule broken on the way down, a cut-off archive, or a source that failed.
pub(crate) fn failed(error: io::Error) -> OmeZarrError {
    let kind = error.kind();
    match error.downcast::<ArchiveFault>() {
        Ok(fault) => fault.into(),
        Err(_) if kind == ErrorKind::UnexpectedEof => ArchiveFault::truncated().into(),
        Err(error) => SourceError::new("the archive", error).into(),
    }
}

/// The bytes of one entry, counted, hashed and held within the limits as they are read.
pub(crate) struct Member<'a, R> {
    name: &'a str,
    data: Data<'a, R>,
    /// Bytes of the archive it takes up, where that is said before it.
    packed: Option<u64>,
    limits: &'a ArchiveLimits,
    /// Unpacked bytes of the entries before.
    before: u64,
    size: u64,
    hasher: crc32fast::Hasher,
    fault: Option<ArchiveFault>,
}

enum Data<'a, R> {
    Stored(Take<&'a mut Stream<R>>),
    Deflated(DeflateDecoder<Take<&'a mut Stream<R>>>),
}

/// A compressed file of unknown length may run ahead of its ratio by as much as this many packed bytes would explain.
const AHEAD_OF_RATIO: u64 = 1 << 20;

impl<'a, R: Read> Member<'a, R> {
    /// `size` bytes as they are.
    pub(crate) fn stored(
        stream: &'a mut Stream<R>,
        name: &'a str,
        size: u64,
        limits: &'a ArchiveLimits,
        before: u64,
    ) -> Self {
        Self::new(Data::Stored(stream.take(size)), name, Some(size), limits, before)
    }

    /// Bytes under deflate, `packed` of them where that is known.
    pub(crate) fn deflated(
        stream: &'a mut Stream<R>,
        name: &'a str,
        packed: Option<u64>,
        limits: &'a ArchiveLimits,
        before: u64,
    ) -> Self {
        let decoder = DeflateDecoder::new(stream.take(packed.unwrap_or(u64::MAX)));
        Self::new(Data::Deflated(decoder), name, packed, limits, before)
    }

    fn new(data: Data<'a, R>, name: &'a str, packed: Option<u64>, limits: &'a ArchiveLimits, before: u64) -> Self {
        let hasher = crc32fast::Hasher::new();
        Self { name, data, packed, limits, before, size: 0, hasher, fault: None }
    }

    /// Reads what the reader left, and gives size and checksum.
    pub(crate) fn finish(mut self) -> Result<(u64, u32), OmeZarrError> {
        io::copy(&mut self, &mut io::sink()).map_err(failed)?;
        if let Data::Deflated(decoder) = &self.data {
            self.limits.check_entry(self.name, self.size, decoder.total_in())?;
        }
        match &self.data {
            Data::Stored(left) if left.limit() > 0 => Err(ArchiveFault::truncated().into()),
            Data::Deflated(decoder) if self.packed.is_some() && decoder.get_ref().limit() > 0 => {
                Err(ArchiveFault::checksum(self.name).into())
            }
            _ => Ok((self.size, self.hasher.finalize())),
        }
    }

    /// The rule that was broken while somebody else read from this.
    pub(crate) fn take_fault(&mut self) -> Option<ArchiveFault> {
        self.fault.take()
    }

    fn check(&self) -> Result<(), ArchiveFault> {
        let packed = match (&self.data, self.packed) {
            (_, Some(packed)) => packed,
            (Data::Deflated(decoder), None) => decoder.total_in() + AHEAD_OF_RATIO,
            (Data::Stored(_), None) => self.size,
        };
        self.limits.check_entry(self.name, self.size, packed)?;
        self.limits.check_total(self.before.saturating_add(self.size))
    }
}

impl<R: Read> Read for Member<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.data {
            Data::Stored(bytes) => bytes.read(buffer)?,
            Data::Deflated(decoder) => decoder.read(buffer).map_err(|error| damaged(self.name, error))?,
        };
        self.size += count as u64;
        self.hasher.update(&buffer[..count]);
        if let Err(fault) = self.check() {
            self.fault = Some(fault.clone());
            return Err(io::Error::other(fault));
        }
        Ok(count)
    }
}

/// What the decoder cannot make sense of is a damaged entry; failures of the source pass.
fn damaged(name: &str, error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::InvalidInput | ErrorKind::InvalidData => io::Error::other(ArchiveFault::checksum(name)),
        _ => error,
    }
}
