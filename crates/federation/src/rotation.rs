//! How a log goes on under a new key: a statement signed by both, in a chain that begins with the key that was pinned.

use base64::{Engine, engine::general_purpose::STANDARD};
use dataset_model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Checkpoint, Comparison, FederationError, NodeKey, PublicKey, Puller, checkpoint::decimal, note, tiles::Tree,
};

/// The first line of a statement.
const HEADER: &str = "heliograph/key-change/v1";
/// The most statements of a chain that are read.
const MAX_CHANGES: usize = 100;

/// A log's change from one key to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyChange {
    /// The key before.
    pub from: PublicKey,
    /// The key from then on. Its name, that of the log, is the same.
    pub to: PublicKey,
    /// The log at that moment.
    pub tree: Tree,
    /// When it was changed.
    pub time: Timestamp,
    /// The statement, signed by both keys.
    pub note: String,
}

/// All changes of a log's key, the first one first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyChain {
    /// The name of the log.
    pub log: String,
    /// The key in use.
    pub public_key: String,
    /// The signed statements.
    pub changes: Vec<String>,
}

impl KeyChange {
    /// Signs the change of a log's key with both keys.
    ///
    /// # Errors
    /// When the keys have different names, or are the same.
    pub fn sign(from: &NodeKey, to: &NodeKey, tree: Tree, time: Timestamp) -> Result<Self, FederationError> {
        if from.origin() != to.origin() || from.public_key() == to.public_key() {
            return Err(FederationError::bad_key("a log's new key has its name, and is another one"));
        }
        let root = STANDARD.encode(tree.root.as_bytes());
        let (old, new) = (from.public_key(), to.public_key());
        let text = format!("{HEADER}\n{}\n{old}\n{new}\n{}\n{root}\n{time}\n", from.origin(), tree.size);
        let [one, other] =
            [from, to].map(|key| note::line(key.origin(), key.public_key().id(), &key.sign_bytes(text.as_bytes())));
        Ok(Self { from: old, to: new, tree, time, note: format!("{text}\n{one}{other}") })
    }

    /// Reads a statement and checks both signatures.
    ///
    /// # Errors
    /// When it has another form, or one of the two keys did not sign it.
    pub fn read(note: &str) -> Result<Self, FederationError> {
        let malformed = || FederationError::malformed("a change of key has seven lines, signed by both keys");
        let text = note::read(note.as_bytes())?.text;
        let lines: Vec<&str> = text.lines().collect();
        let &[HEADER, log, from, to, size, root, time] = lines.as_slice() else { return Err(malformed()) };
        let (from, to): (PublicKey, PublicKey) = (from.parse()?, to.parse()?);
        let root = STANDARD.decode(root).ok().and_then(|root| root.try_into().ok()).ok_or_else(malformed)?;
        let size = decimal(size).ok_or_else(malformed)?;
        let time = time.parse().map_err(|_| malformed())?;
        if from.origin() != log || to.origin() != log || from == to {
            return Err(malformed());
        }
        from.verify_note(note.as_bytes())?;
        to.verify_note(note.as_bytes())?;
        Ok(Self { from, to, tree: Tree { size, root: Digest::from_bytes(root) }, time, note: note.to_owned() })
    }
}

impl KeyChain {
    /// The changes that lead on from a key, in order; none when it is the last one. What is before them is not looked at.
    ///
    /// # Errors
    /// When a statement that leads on cannot be read or is not signed by both keys, or the chain is too long.
    pub fn after(&self, key: &PublicKey) -> Result<Vec<KeyChange>, FederationError> {
        if self.changes.len() > MAX_CHANGES {
            return Err(FederationError::malformed(format!("a chain of more than {MAX_CHANGES} keys")));
        }
        let mut changes: Vec<KeyChange> = Vec::new();
        for note in &self.changes {
            let current = changes.last().map_or(key, |change| &change.to);
            let marker = format!("\n{current}\n");
            // The first mention of the key as the old one; statements of earlier keys are none of our business.
            if note.split_once(&marker).is_some_and(|(before, _)| before.lines().count() == 2) {
                changes.push(KeyChange::read(note)?);
            }
        }
        Ok(changes)
    }
}

/// A log's key that somebody trusts, and the changes that led on from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKeys {
    first: PublicKey,
    changes: Vec<KeyChange>,
}

impl LogKeys {
    /// A key alone.
    pub fn new(first: PublicKey) -> Self {
        Self { first, changes: Vec::new() }
    }

    /// The same key, and where a chain leads from it.
    ///
    /// # Errors
    /// [`FederationError::BadSignature`] when it does not lead anywhere, and as [`KeyChain::after`].
    pub fn led_on_by(&self, chain: &KeyChain) -> Result<Self, FederationError> {
        let changes = chain.after(&self.first)?;
        if changes.is_empty() {
            return Err(FederationError::BadSignature);
        }
        Ok(Self { first: self.first.clone(), changes })
    }

    /// The key in use.
    pub fn current(&self) -> &PublicKey {
        self.changes.last().map_or(&self.first, |change| &change.to)
    }

    /// The changes since the first key.
    pub fn changes(&self) -> &[KeyChange] {
        &self.changes
    }

    /// Reads a checkpoint and checks its signature. A key that was given up counts for no more entries than the log had then.
    ///
    /// # Errors
    /// [`FederationError::BadSignature`] when none of the keys that count has signed it; when it is no checkpoint.
    pub fn verify_checkpoint(&self, note: &[u8]) -> Result<Checkpoint, FederationError> {
        let earlier = self.changes.iter().map(|change| (&change.from, change.tree.size)).rev();
        for (key, most) in std::iter::once((self.current(), u64::MAX)).chain(earlier) {
            match key.verify_checkpoint(note) {
                Err(FederationError::BadSignature) => {}
                Ok(checkpoint) if checkpoint.size > most => {}
                read => return read,
            }
        }
        Err(FederationError::BadSignature)
    }
}

impl Puller {
    /// The peer's latest checkpoint, and the keys that lead to the one that signed it. When that is not the pinned key, it is
    /// believed if statements lead from the pinned key to it, and the log extends the tree in each.
    ///
    /// # Errors
    /// [`FederationError::BadSignature`] when nothing leads to the key that signed; when a statement does not fit the log; or
    /// when checkpoint or hash tiles cannot be had.
    pub async fn checkpoint_by_any_key(&self) -> Result<(Checkpoint, LogKeys), FederationError> {
        let pinned = LogKeys::new(self.key().clone());
        match self.signed_checkpoint().await {
            Err(FederationError::BadSignature) => {}
            checkpoint => return Ok((checkpoint?, pinned)),
        }
        let chain = self.client().key_chain().await.map_err(|_| FederationError::BadSignature)?;
        let keys = pinned.led_on_by(&chain)?;
        let checkpoint = self.with_key(keys.current().clone()).signed_checkpoint().await?;
        self.require_changes_in(&keys, &checkpoint).await?;
        Ok((checkpoint, keys))
    }

    /// Fails unless a signed tree extends the one at each change of its key, by the peer's hash tiles.
    ///
    /// # Errors
    /// [`FederationError::Malformed`] when it does not; when hash tiles cannot be had.
    pub async fn require_changes_in(&self, keys: &LogKeys, checkpoint: &Checkpoint) -> Result<(), FederationError> {
        for change in keys.changes() {
            let fits = change.tree.size <= checkpoint.size
                && self.compare(checkpoint.tree(), change.tree).await? == Comparison::Extends;
            if !fits {
                return Err(FederationError::malformed("it changed its key at a moment that is not in its log"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_given_up_counts_for_what_the_log_had_then() {
        let [first, second, other] = [(); 3].map(|()| NodeKey::generate("heliograph/europe"));
        let tree = Tree { size: 5, root: Digest::of("five") };
        let time = "2026-11-23T10:00:00Z".parse().unwrap();
        let change = KeyChange::sign(&first, &second, tree, time).unwrap();
        let chain =
            |note: String| KeyChain { log: "heliograph/europe".into(), public_key: String::new(), changes: vec![note] };
        let pinned = LogKeys::new(first.public_key());
        let keys = pinned.led_on_by(&chain(change.note)).unwrap();
        assert_eq!(keys.current(), &second.public_key());
        let read =
            |key: &NodeKey, size| keys.verify_checkpoint(key.sign_checkpoint(size, Digest::of("root")).as_bytes());
        assert_eq!((read(&second, 9).unwrap().size, read(&first, 5).unwrap().size), (9, 5));
        for refused in [read(&first, 6), read(&other, 1)] {
            assert!(matches!(refused, Err(FederationError::BadSignature)), "{refused:?}");
        }
        let stranger = KeyChange::sign(&other, &second, tree, time).unwrap();
        assert!(matches!(pinned.led_on_by(&chain(stranger.note)), Err(FederationError::BadSignature)));
    }
}
