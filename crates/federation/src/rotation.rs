//! How a log goes on under a new key: a statement signed by both, in a chain that begins with the key that was pinned.

use base64::{Engine, engine::general_purpose::STANDARD};
use dataset_model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{FederationError, NodeKey, PublicKey, checkpoint::decimal, note, tiles::Tree};

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
