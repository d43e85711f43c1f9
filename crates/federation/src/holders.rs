//! Several nodes that may have the same bytes: asked in turn, and no more once one fails or lies.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};

use dataset_model::Manifest;

use crate::{FederationError, FileAddress, Meter, PeerClient, ProvenFiles};

/// The largest list of files that is read, in bytes: some five million files.
const MANIFEST_BYTES: u64 = 1 << 30;

/// Nodes that may have a version's bytes, in the order they are asked in.
#[derive(Debug)]
pub struct Holders {
    all: Vec<(String, PeerClient)>,
    left_out: Mutex<Vec<(String, String)>>,
}

impl Holders {
    /// Nodes by name, the best one first; of two with one name, the first counts.
    pub fn new(all: impl IntoIterator<Item = (String, PeerClient)>) -> Self {
        let mut kept: Vec<(String, PeerClient)> = Vec::new();
        for (name, client) in all {
            if kept.iter().all(|(known, _)| *known != name) {
                kept.push((name, client));
            }
        }
        Self { all: kept, left_out: Mutex::default() }
    }

    /// The nodes that are no longer asked, and what each did.
    pub fn left_out(&self) -> Vec<(String, String)> {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Downloads a file as [`PeerClient::download`] does, from the first node that gives it right; gives that node's name.
    ///
    /// # Errors
    /// [`FederationError::NobodyHas`] when no node is left to be asked, [`FederationError::Disk`] when the bytes cannot be
    /// kept here.
    pub async fn download(
        &self,
        address: FileAddress<'_>,
        part: &Path,
        meter: &Meter,
    ) -> Result<String, FederationError> {
        for (name, client) in self.asked() {
            match client.download(address, part, meter).await {
                Ok(()) => return Ok(name.clone()),
                Err(error @ FederationError::Disk { .. }) => return Err(error),
                Err(error) => self.leave_out(name, &error),
            }
        }
        Err(self.exhausted(format!("'{}' of {} {}", address.file.path, address.dataset, address.version)))
    }

    /// The list of a version's files, from the first node whose list is the one that was signed.
    ///
    /// # Errors
    /// [`FederationError::NobodyHas`] when no node is left to be asked.
    pub async fn manifest(&self, proven: &ProvenFiles) -> Result<Manifest, FederationError> {
        let path = format!("/api/v1/datasets/{}/versions/{}/manifest", proven.what, proven.version);
        for (name, client) in self.asked() {
            match client.raw_json(&path, MANIFEST_BYTES).await.and_then(|bytes| proven.manifest(&bytes)) {
                Ok(manifest) => return Ok(manifest),
                Err(error) => self.leave_out(name, &error),
            }
        }
        Err(self.exhausted(format!("the list of files of {} {}", proven.what, proven.version)))
    }

    fn asked(&self) -> Vec<&(String, PeerClient)> {
        let left_out = self.left_out();
        self.all.iter().filter(|(name, _)| left_out.iter().all(|(out, _)| out != name)).collect()
    }

    fn leave_out(&self, name: &str, error: &FederationError) {
        let mut left_out = self.left_out.lock().unwrap_or_else(PoisonError::into_inner);
        if left_out.iter().all(|(out, _)| out != name) {
            tracing::info!(source = name, %error, "a node that should have the bytes is not asked for more of them");
            left_out.push((name.to_owned(), error.to_string()));
        }
    }

    fn exhausted(&self, what: String) -> FederationError {
        let said: Vec<String> = self.left_out().into_iter().map(|(name, why)| format!("{name}: {why}")).collect();
        let why = if said.is_empty() { "no node is known to have it".to_owned() } else { said.join("; ") };
        FederationError::NobodyHas { what, why }
    }
}
