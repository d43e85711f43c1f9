use dataset_model::Digest;
use serde::{Deserialize, Serialize};

use crate::{FederationError, PublicKey, tiles::Tree};

/// Two signed statements about one log that cannot both be true. Whoever has the log's public key can check it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForkProof {
    /// How many entries the trees below are over.
    pub size: u64,
    /// The two histories.
    pub sides: [ForkSide; 2],
}

/// One of two histories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForkSide {
    /// The checkpoint as the log signed it.
    pub note: String,
    /// The root over the first entries of that checkpoint's tree.
    pub root: Digest,
    /// The hashes that prove that it is (RFC 6962 §2.1.2). Nothing when the node that found the fork could not have them.
    pub proof: Option<Vec<Digest>>,
}

impl ForkProof {
    /// Checks that keys of the log signed both checkpoints, and that their trees differ within their first entries.
    ///
    /// # Errors
    /// When a checkpoint is not signed by one of the keys, a proof is missing or does not fit, or there is no contradiction.
    pub fn verify(&self, keys: &[PublicKey]) -> Result<(), FederationError> {
        for side in &self.sides {
            let signed = keys.iter().find_map(|key| key.verify_checkpoint(side.note.as_bytes()).ok());
            let checkpoint = signed.ok_or(FederationError::BadSignature)?;
            let proof = side.proof.as_ref().ok_or_else(|| FederationError::malformed("one side is not proven"))?;
            if !checkpoint.tree().extends(Tree { size: self.size, root: side.root }, proof) {
                return Err(FederationError::malformed("a side's proof does not fit its checkpoint"));
            }
        }
        let [one, other] = &self.sides;
        if self.size == 0 || one.root == other.root {
            return Err(FederationError::malformed("the two sides do not contradict each other"));
        }
        Ok(())
    }
}
