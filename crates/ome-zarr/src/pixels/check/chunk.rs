use crate::{array::Compressor, validate::Rule};

use super::super::{chain::Chain, decoder::Decoder, guard};

/// The bytes of a CRC32C checksum.
const CHECKSUM_BYTES: usize = 4;

/// Decodes chunks and says what is wrong with them.
pub(super) struct ChunkChecker {
    decoder: Decoder,
    compressor: Compressor,
    /// Decoded, in bytes.
    chunk_bytes: u64,
    /// Checksums that stand between pixels and compressor, and behind the compressor.
    checksums: (usize, usize),
}

impl ChunkChecker {
    pub(super) fn new(decoder: Decoder, chain: &Chain, chunk_bytes: u64) -> Self {
        let name = |codec: &serde_json::Value| codec.get("name").and_then(|name| name.as_str()).map(str::to_owned);
        let names: Vec<Option<String>> = chain.codecs.iter().map(name).collect();
        let is = |name: &Option<String>, wanted: &[&str]| name.as_deref().is_some_and(|name| wanted.contains(&name));
        let compressor = names.iter().position(|name| is(name, &["blosc", "gzip", "zstd"])).unwrap_or(0);
        let count = |names: &[Option<String>]| names.iter().filter(|name| is(name, &["crc32c"])).count();
        let (before, behind) = names.split_at_checked(compressor).unwrap_or_default();
        Self { decoder, compressor: chain.compressor, chunk_bytes, checksums: (count(before), count(behind)) }
    }

    /// The size of a decoded chunk, in bytes.
    pub(super) fn chunk_bytes(&self) -> u64 {
        self.chunk_bytes
    }

    /// No compressor makes a chunk much larger than it was.
    pub(super) fn encoded_limit(&self) -> u64 {
        self.chunk_bytes + self.chunk_bytes / 8 + 65_536
    }

    /// Decodes a chunk; the rule it breaks, and how.
    pub(super) fn check(&self, encoded: &[u8]) -> Result<(), (Rule, String)> {
        self.check_size(encoded)?;
        self.check_end(encoded)?;
        match self.decoder.decode(Some(encoded)) {
            Ok(_) => Ok(()),
            Err(reason) => Err((Rule::ChunkDecode, format!("the chunk cannot be decoded: {reason}"))),
        }
    }

    fn check_size(&self, encoded: &[u8]) -> Result<(), (Rule, String)> {
        let (before, behind) = self.checksums;
        let expected = self.chunk_bytes + (before * CHECKSUM_BYTES) as u64;
        let named = match self.compressor {
            Compressor::None => Some((encoded.len() as u64).saturating_sub((behind * CHECKSUM_BYTES) as u64)),
            compressor => guard::named_size(compressor, encoded),
        };
        match named.filter(|named| *named != expected) {
            Some(named) => {
                Err((Rule::ChunkSize, format!("the chunk holds {named} bytes of pixels instead of {expected}")))
            }
            None => Ok(()),
        }
    }

    fn check_end(&self, encoded: &[u8]) -> Result<(), (Rule, String)> {
        let behind = self.checksums.1 * CHECKSUM_BYTES;
        let Some(end) = guard::end(self.compressor, encoded) else { return Ok(()) };
        let expected = end.saturating_add(behind);
        if encoded.len() > expected {
            let message = format!("the chunk goes on for {} bytes behind its end", encoded.len() - expected);
            return Err((Rule::ChunkTrailing, message));
        }
        if encoded.len() < expected {
            let message = format!("the chunk ends {} bytes too early", expected - encoded.len());
            return Err((Rule::ChunkDecode, message));
        }
        Ok(())
    }
}
