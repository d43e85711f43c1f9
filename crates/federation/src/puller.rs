use bytes::Bytes;
use dataset_model::{Digest, MerkleTree};
use futures::{StreamExt, TryStreamExt, stream};
use url::Url;

use crate::{
    BulkPull, Checkpoint, FederationError, Limits, LogReader, PeerClient, PublicKey,
    bundle::{self, WIDTH},
    tiles::{self, Question, Tiles, Tree},
};

/// Requests that are under way at the same time.
const CONCURRENCY: usize = 4;
/// Hash tiles that are kept for the next proof, 8 KiB each.
const KNOWN_TILES: usize = 64;

/// Follows one peer's log, believing nothing that its pinned key does not vouch for. It keeps no state: the caller says
/// what it holds.
#[derive(Debug, Clone)]
pub struct Puller<C = PeerClient> {
    client: C,
    key: PublicKey,
}

/// What a signed tree says of the first entries of another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// It extends the other tree.
    Extends,
    /// It has another beginning.
    Differs {
        /// The root over as many of its first entries as the other tree has.
        root: Digest,
        /// The proof of that (RFC 6962 §2.1.2).
        proof: Vec<Digest>,
    },
}

/// The next entries of a log, proven to be in the signed tree at their places.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The entries, in order; empty at the end of the log.
    pub entries: Vec<Bytes>,
    /// The tree after them.
    pub tree: MerkleTree,
}

impl Puller<PeerClient> {
    /// Follows the node at `base`, whose log is signed by `key`.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(base: Url, key: PublicKey, limits: Limits) -> Result<Self, FederationError> {
        Ok(Self { client: PeerClient::new(base, limits)?, key })
    }

    /// The rest of the log after those held, with crates, as one stream: for a reader with far to go.
    ///
    /// # Errors
    /// When it cannot be had: the peer may not offer it ([`FederationError::Refused`]). [`next_batch`](Self::next_batch) always
    /// works.
    pub async fn bulk(&self, checkpoint: &Checkpoint, held: &MerkleTree) -> Result<BulkPull, FederationError> {
        BulkPull::open(self, checkpoint, held.size()).await
    }

    /// Crates by digest: see [`PeerClient::crates`].
    ///
    /// # Errors
    /// As there.
    pub async fn crates(&self, digests: &[Digest]) -> Result<Vec<(Digest, Option<Bytes>)>, FederationError> {
        self.client.crates(digests).await
    }
}

impl<C: LogReader> Puller<C> {
    /// Follows a log through a reader of the caller's.
    pub fn through(client: C, key: PublicKey) -> Self {
        Self { client, key }
    }

    /// The key that is believed.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The client below, for questions that need no proof.
    pub fn client(&self) -> &C {
        &self.client
    }

    /// The same log, believed by another key.
    pub fn with_key(&self, key: PublicKey) -> Self
    where
        C: Clone,
    {
        Self { client: self.client.clone(), key }
    }

    /// The peer's latest checkpoint: signed by the pinned key, and compared with nothing.
    ///
    /// # Errors
    /// [`FederationError::BadSignature`]; or when it cannot be had.
    pub async fn signed_checkpoint(&self) -> Result<Checkpoint, FederationError> {
        self.key.verify_checkpoint(&self.client.checkpoint().await?)
    }

    /// Compares a signed tree with a smaller one, or one of its size, by the peer's tiles as far as the signed root vouches for
    /// them.
    ///
    /// # Errors
    /// [`FederationError::Inconsistent`] when the peer's tiles do not fit the signed tree; [`FederationError::RolledBack`] when
    /// the other tree is larger; or when the peer cannot be reached.
    pub async fn compare(&self, signed: Tree, other: Tree) -> Result<Comparison, FederationError> {
        if self.extends(signed, other).await? {
            return Ok(Comparison::Extends);
        }
        if signed.size == other.size {
            return Ok(Comparison::Differs { root: signed.root, proof: Vec::new() });
        }
        let mut tiles = Tiles::new();
        self.fetch_tiles(signed, &Question::Extends(other.size), &mut tiles).await?;
        self.fetch_tiles(signed, &Question::Root(other.size), &mut tiles).await?;
        let (root, proof) = tiles::prefix(signed, other.size, &tiles)?;
        Ok(Comparison::Differs { root, proof })
    }

    /// The name of the log that is followed.
    pub fn origin(&self) -> &str {
        self.key.origin()
    }

    /// Checks that the peer signed a checkpoint that came by another way, such as a hint. Whether its log extends what is held
    /// is not known by that.
    ///
    /// # Errors
    /// [`FederationError::Malformed`] or [`FederationError::BadSignature`].
    pub fn verify_checkpoint(&self, note: &[u8]) -> Result<Checkpoint, FederationError> {
        self.key.verify_checkpoint(note)
    }

    /// The peer's latest checkpoint, when its log extends what is held.
    ///
    /// # Errors
    /// [`FederationError::BadSignature`], [`FederationError::RolledBack`] when the log is shorter than what is held,
    /// [`FederationError::Fork`] when what is held is not its beginning, [`FederationError::Inconsistent`] when the
    /// peer's tiles do not fit what it signed; or when it cannot be reached.
    pub async fn checkpoint(&self, held_size: u64, held_root: Digest) -> Result<Checkpoint, FederationError> {
        let checkpoint = self.signed_checkpoint().await?;
        let held = Tree { size: held_size, root: held_root };
        if self.extends(checkpoint.tree(), held).await? {
            Ok(checkpoint)
        } else {
            Err(FederationError::Fork { size: held_size })
        }
    }

    /// The entries after those held: up to `max_entries` of them, fewer when they are large or the log ends. It stops at
    /// the end of a bundle where it can, so that no bundle is fetched twice. The batch may be kept before the rest of
    /// the log is read: its tree is proven to be one that the checkpoint extends.
    ///
    /// # Errors
    /// [`FederationError::BadEntry`] when an entry is not the one in the signed tree, or is in it but no canonical
    /// entry; [`FederationError::Fork`] when what is held is not the log's beginning; otherwise as
    /// [`checkpoint`](Self::checkpoint).
    pub async fn next_batch(
        &self,
        checkpoint: &Checkpoint,
        held: &MerkleTree,
        max_entries: u64,
    ) -> Result<Batch, FederationError> {
        let (signed, start) = (checkpoint.tree(), held.size());
        if start >= signed.size {
            let extends = self.extends(signed, tree(held)).await?;
            return if extends { Ok(Batch::empty(held)) } else { Err(FederationError::Fork { size: start }) };
        }
        let entries = self.entries(start, last_of_batch(start, signed.size, max_entries), signed.size).await?;
        self.prove(checkpoint, held, entries, &mut Tiles::new()).await
    }

    /// Proves that entries follow those held in the signed log. Tiles that were fetched before are not fetched again.
    pub(crate) async fn prove(
        &self,
        checkpoint: &Checkpoint,
        held: &MerkleTree,
        entries: Vec<Bytes>,
        known: &mut Tiles,
    ) -> Result<Batch, FederationError> {
        let (signed, start) = (checkpoint.tree(), held.size());
        let mut after = held.clone();
        entries.iter().for_each(|entry| after.push(entry));
        if !self.extends_knowing(signed, tree(&after), known).await? {
            return Err(self.blame(signed, start, &entries).await);
        }
        match (start..).zip(&entries).find(|(_, entry)| !bundle::is_canonical_entry(entry)) {
            Some((index, _)) => Err(FederationError::BadEntry { index }),
            None => Ok(Batch { entries, tree: after }),
        }
    }

    /// Whether a signed tree extends another one, by the peer's tiles as far as the signed root vouches for them.
    async fn extends(&self, signed: Tree, smaller: Tree) -> Result<bool, FederationError> {
        self.extends_knowing(signed, smaller, &mut Tiles::new()).await
    }

    async fn extends_knowing(&self, signed: Tree, smaller: Tree, known: &mut Tiles) -> Result<bool, FederationError> {
        if smaller.size > signed.size {
            return Err(FederationError::RolledBack { held: smaller.size, offered: signed.size });
        }
        if smaller.size == signed.size {
            return Ok(smaller.root == signed.root);
        }
        if smaller.size == 0 {
            return Ok(true);
        }
        if known.len() > KNOWN_TILES {
            known.clear();
        }
        self.fetch_tiles(signed, &Question::Extends(smaller.size), known).await?;
        tiles::extends(signed, smaller, known)
    }

    /// Entries from `start` to before `end`, or to the end of the bundle with which they become too many bytes.
    async fn entries(&self, start: u64, end: u64, size: u64) -> Result<Vec<Bytes>, FederationError> {
        let bundles = (start / WIDTH..=(end - 1) / WIDTH).map(|index| self.bundle(index, size));
        let mut bundles = stream::iter(bundles).buffered(CONCURRENCY);
        let (mut entries, mut bytes) = (Vec::new(), 0);
        let mut first = start / WIDTH * WIDTH;
        while let Some(bundle) = bundles.try_next().await? {
            let (skip, wanted) = (start.saturating_sub(first), end.saturating_sub(first));
            let part = (0..).zip(bundle).filter(|(at, _)| (skip..wanted).contains(at)).map(|(_, entry)| entry);
            let before = entries.len();
            entries.extend(part);
            bytes += entries.iter().skip(before).map(|entry| entry.len() as u64).sum::<u64>();
            if bytes >= self.client.batch_bytes() {
                break;
            }
            first += WIDTH;
        }
        Ok(entries)
    }

    /// All entries of a bundle that a log of `size` entries has.
    async fn bundle(&self, index: u64, size: u64) -> Result<Vec<Bytes>, FederationError> {
        let width = (size - index * WIDTH).min(WIDTH);
        let bytes = self.client.entry_bundle(index, u8::try_from(width).ok()).await?;
        bundle::parse(bytes, width)
    }

    /// What is wrong with entries that do not lead to the signed tree.
    async fn blame(&self, signed: Tree, start: u64, entries: &[Bytes]) -> FederationError {
        let leaves = Question::Leaves(start..start + entries.len() as u64);
        let mut tiles = Tiles::new();
        let found = match self.fetch_tiles(signed, &leaves, &mut tiles).await {
            Ok(()) => tiles::first_wrong(signed, start, entries, &tiles),
            Err(error) => Err(error),
        };
        match found {
            Ok(Some(index)) => FederationError::BadEntry { index },
            Ok(None) => FederationError::Fork { size: start },
            Err(error) => error,
        }
    }

    /// The first leaf in a range that is not the one in the signed tree.
    pub(crate) async fn first_wrong_leaf(
        &self,
        checkpoint: &Checkpoint,
        indexes: std::ops::Range<u64>,
        leaves: &[Digest],
    ) -> Result<Option<u64>, FederationError> {
        let (signed, mut tiles) = (checkpoint.tree(), Tiles::new());
        self.fetch_tiles(signed, &Question::Leaves(indexes.clone()), &mut tiles).await?;
        tiles::first_wrong_leaf(signed, indexes, leaves, &tiles)
    }

    /// Fetches the tiles that a question needs and that are not known yet.
    async fn fetch_tiles(&self, signed: Tree, question: &Question, known: &mut Tiles) -> Result<(), FederationError> {
        let fetch = |tile: tlog_tiles::Tile| async move {
            let bytes = self.client.tile(tile.level(), tile.level_index(), u8::try_from(tile.width()).ok()).await?;
            Ok((tile, bytes))
        };
        let missing: Vec<_> = question.tiles(signed).into_iter().filter(|tile| !known.contains_key(tile)).collect();
        let fetched: Vec<_> = stream::iter(missing).map(fetch).buffer_unordered(CONCURRENCY).try_collect().await?;
        known.extend(fetched);
        Ok(())
    }
}

impl Batch {
    fn empty(held: &MerkleTree) -> Self {
        Self { entries: Vec::new(), tree: held.clone() }
    }
}

fn tree(tree: &MerkleTree) -> Tree {
    Tree { size: tree.size(), root: tree.root() }
}

/// Where a batch ends: at the end of the log, or of a bundle, or failing that after `max_entries`.
fn last_of_batch(start: u64, size: u64, max_entries: u64) -> u64 {
    let end = size.min(start.saturating_add(max_entries.max(1)));
    let whole = end / WIDTH * WIDTH;
    if end < size && whole > start { whole } else { end }
}
