use std::future::Future;

use bytes::Bytes;

use crate::{FederationError, PeerClient};

/// What a log is read through. A [`PeerClient`] reads it from a peer over HTTP; a simulation has a network of its own. Nothing
/// that comes is verified by it.
pub trait LogReader {
    /// The signed checkpoint (C2SP `tlog-checkpoint`).
    fn checkpoint(&self) -> impl Future<Output = Result<Vec<u8>, FederationError>> + Send;

    /// A hash tile, 32 bytes for each of `width` hashes, or 256 (C2SP `tlog-tiles`).
    fn tile(
        &self,
        level: u8,
        index: u64,
        width: Option<u8>,
    ) -> impl Future<Output = Result<Bytes, FederationError>> + Send;

    /// A bundle of `width` entries, or 256.
    fn entry_bundle(
        &self,
        index: u64,
        width: Option<u8>,
    ) -> impl Future<Output = Result<Bytes, FederationError>> + Send;

    /// Bytes of entries after which a batch ends.
    fn batch_bytes(&self) -> u64;
}

impl LogReader for PeerClient {
    async fn checkpoint(&self) -> Result<Vec<u8>, FederationError> {
        Self::checkpoint(self).await
    }

    async fn tile(&self, level: u8, index: u64, width: Option<u8>) -> Result<Bytes, FederationError> {
        Self::tile(self, level, index, width).await
    }

    async fn entry_bundle(&self, index: u64, width: Option<u8>) -> Result<Bytes, FederationError> {
        Self::entry_bundle(self, index, width).await
    }

    fn batch_bytes(&self) -> u64 {
        self.limits().batch_bytes
    }
}
