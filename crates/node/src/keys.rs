//! The node's signing key on disk.

use std::path::Path;

use dataset_model::NodeId;
use federation::{NodeKey, PublicKey};

use crate::{
    NodeError,
    service::{unusable, write_secret},
};

/// The file of the key.
pub(crate) const FILE: &str = "node.key";

/// Reads the key in a folder; makes one where there is none. Only its owner can read the file.
pub(crate) fn load_or_make(folder: &Path, node: &NodeId) -> Result<NodeKey, NodeError> {
    let path = folder.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => NodeKey::from_text(text.trim())
            .map_err(|error| NodeError::Invalid(format!("{} holds no node key: {error}", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = NodeKey::generate(&format!("heliograph/{node}"));
            write_secret(&path, &key.to_text()).map_err(|error| unusable(&path, &error))?;
            Ok(key)
        }
        Err(error) => Err(unusable(&path, &error)),
    }
}

/// The public key of the node whose keys are in this folder; a key is made where there is none, so that peers can be
/// told of each other before they start.
///
/// # Errors
/// When the folder cannot be read or written.
pub fn public_key_of(folder: &Path, node: &NodeId) -> Result<String, NodeError> {
    Ok(load_or_make(folder, node)?.public_key().to_string())
}

/// A new key pair as text: secret, public.
pub fn generate_key(origin: &str) -> (String, String) {
    let key = NodeKey::generate(origin);
    (key.to_text(), key.public_key().to_string())
}

/// Checks that text is a public key.
///
/// # Errors
/// When it is none; the message says what is wrong.
pub fn check_public_key(text: &str) -> Result<(), NodeError> {
    text.parse::<PublicKey>().map(drop).map_err(|error| NodeError::Invalid(error.to_string()))
}
