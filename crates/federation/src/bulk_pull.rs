use bytes::Bytes;
use dataset_model::{Digest, Entry, MerkleTree};
use reqwest::Response;

use crate::{
    Batch, Checkpoint, FederationError, PeerClient, Puller, fetch,
    log_stream::{Decoder, LogRecord},
    tiles::Tiles,
};

/// Reads a log as one stream of entries with their crates, and hands it on in batches, each proven to be the next part of the
/// signed log. Few requests, whatever the log's size; what was handed on stays good when the stream breaks off.
#[derive(Debug)]
pub struct BulkPull {
    puller: Puller,
    checkpoint: Checkpoint,
    stream: LogReader,
    /// Hash tiles fetched so far; neighbouring proofs share most of them.
    tiles: Tiles,
    /// Why the stream ended early, once what had come before is handed on.
    failure: Option<FederationError>,
}

/// The next entries of a log with their crates, proven to be in the signed tree at their places.
#[derive(Debug, Clone)]
pub struct BulkBatch {
    /// The entries, and the tree after them; none at the end of the stream.
    pub batch: Batch,
    /// The crates they point to, as far as the peer gave them, each with the digest that its entry names.
    pub crates: Vec<(Digest, Bytes)>,
}

impl BulkPull {
    pub(crate) async fn open(puller: &Puller, checkpoint: &Checkpoint, from: u64) -> Result<Self, FederationError> {
        let stream = LogReader::open(puller.client(), from, checkpoint.size).await?;
        let (puller, checkpoint) = (puller.clone(), checkpoint.clone());
        Ok(Self { puller, checkpoint, stream, tiles: Tiles::new(), failure: None })
    }

    /// The entries after those held, which must be where the stream has come to: at most `max_entries`, fewer where crates are
    /// large.
    ///
    /// # Errors
    /// As [`Puller::next_batch`] and [`Puller::crates`]; [`FederationError::Timeout`] when the batch does not come within the time
    /// for bulk answers. What was handed on before is not affected.
    pub async fn next_batch(&mut self, held: &MerkleTree, max_entries: u64) -> Result<BulkBatch, FederationError> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let most = max_entries.min(self.checkpoint.size.saturating_sub(held.size()));
        let (mut entries, mut crates, mut bytes) = (Vec::new(), Vec::new(), 0);
        let limits = self.puller.client().limits().clone();
        let reading = async {
            while (entries.len() as u64) < most && bytes < limits.batch_bytes {
                let Some(record) = self.stream.next().await? else { break };
                bytes += record.entry.len() as u64 + record.crate_bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
                crates.extend(record.crate_bytes.map(|bytes| (held.size() + entries.len() as u64, bytes)));
                entries.push(record.entry);
            }
            Ok::<(), FederationError>(())
        };
        let outcome = match tokio::time::timeout(limits.bulk, reading).await {
            Ok(outcome) => outcome,
            Err(_) => Err(FederationError::Timeout { url: self.stream.url.clone() }),
        };
        match outcome {
            Err(failure) if entries.is_empty() => return Err(failure),
            // What has come is complete in itself.
            outcome => self.failure = outcome.err(),
        }
        let batch = self.puller.prove(&self.checkpoint, held, entries, &mut self.tiles).await?;
        let crates = of_their_entries(held.size(), &batch, crates)?;
        Ok(BulkBatch { batch, crates })
    }
}

/// Checks that each crate is the one its entry names.
fn of_their_entries(
    start: u64,
    batch: &Batch,
    crates: Vec<(u64, Bytes)>,
) -> Result<Vec<(Digest, Bytes)>, FederationError> {
    let check = |(index, bytes): (u64, Bytes)| {
        let entry = usize::try_from(index - start).ok().and_then(|at| batch.entries.get(at));
        let named = entry.and_then(|entry| Entry::from_bytes(entry).ok()).and_then(|entry| entry.crate_digest());
        match named {
            Some(digest) if digest == Digest::of(&bytes) => Ok((digest, bytes)),
            Some(digest) => Err(FederationError::WrongDigest { digest }),
            None => Err(FederationError::malformed(format!("a crate came for entry {index}, which has none"))),
        }
    };
    crates.into_iter().map(check).collect()
}

/// The records of an answer as they arrive.
#[derive(Debug)]
struct LogReader {
    url: String,
    response: Response,
    decoder: Decoder,
    piece: Bytes,
}

/// As much of what has arrived is unpacked at a time.
const STEP_BYTES: usize = 4 * 1024;

impl LogReader {
    async fn open(client: &PeerClient, from: u64, to: u64) -> Result<Self, FederationError> {
        let (url, response) = client.log(from, to).await?;
        let decoder = Decoder::new(client.limits())?;
        Ok(Self { url, response, decoder, piece: Bytes::new() })
    }

    async fn next(&mut self) -> Result<Option<LogRecord>, FederationError> {
        loop {
            if let Some(record) = self.decoder.take() {
                return Ok(Some(record));
            }
            if self.piece.is_empty() {
                match fetch::next_piece(&mut self.response, &self.url).await? {
                    Some(piece) => self.piece = piece,
                    None if self.decoder.is_between_records() => return Ok(None),
                    None => return Err(FederationError::malformed("the stream of the log broke off within a record")),
                }
            }
            let step = self.piece.split_to(self.piece.len().min(STEP_BYTES));
            self.decoder.push(&step)?;
        }
    }
}
