//! Scrubbing: every stored byte is read now and then and compared with its digest; what is wrong is named, and healed from
//! another copy.

use std::{collections::HashSet, sync::Arc, time::Duration};

use archive_store::{Archive, ArchiveError};
use dataset_model::{DatasetId, DatasetKey, Digest, Digester, ManifestFile, Timestamp, VersionNumber};
use federation::{FileAddress, Meter};
use futures::TryStreamExt;
use ledger::Collection;
use serde::{Deserialize, Serialize};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    Actor, Node, NodeError, Scope,
    elapsed::seconds_since,
    harvest::sentence,
    mirroring::{
        copying::{peer_fault, remove_file},
        object_of, read_copy_key,
    },
    policy::{require, require_read},
};

/// Files after which it is written down how far a pass is.
const SAVED_EVERY: usize = 256;
/// Seconds between two looks at whether a pass is due.
const LOOK: u64 = 60;
/// What says where the files of an object are.
const INVENTORY: &str = "inventory.json";
/// Damaged files that are told one by one.
const MOST_TOLD: usize = 1000;

/// A file whose bytes are not those that were published. Key: `{own|copy}/{node}/{dataset}/{version}/{path}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// The dataset, with the node that published it.
    #[serde(flatten)]
    pub dataset: DatasetKey,
    /// The version.
    pub version: VersionNumber,
    /// The file.
    pub path: dataset_model::FilePath,
    /// Whether it is a copy of another node's.
    pub copy: bool,
    /// What is wrong with it.
    pub what: String,
    /// When it was found.
    pub found: Timestamp,
    /// The node it was healed from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healed_from: Option<String>,
    /// Why it could not be healed yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_healed: Option<String>,
}

/// What a pass saw.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ScrubReport {
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it had read everything; not while it goes on.
    pub finished: Option<Timestamp>,
    /// Files read.
    pub files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Files that were wrong.
    pub damaged: Vec<Damage>,
    /// Of them, files that are right again.
    pub healed: u64,
    /// Where it is: nothing at the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<(String, usize)>,
}

/// How scrubbing stands.
#[derive(Debug, Clone, Serialize)]
pub struct ScrubState {
    /// The pass that goes on, or the last one.
    pub pass: ScrubReport,
    /// Files that are wrong and not healed.
    pub damaged: Vec<Damage>,
}

/// A version whose bytes are here.
struct Unit {
    name: String,
    key: DatasetKey,
    version: VersionNumber,
    copy: bool,
    archive: Archive,
    object: (DatasetId, VersionNumber),
}

impl Node {
    /// Files that are wrong and not healed.
    fn damages(&self) -> Collection<Damage> {
        self.ledger.collection("damage")
    }

    /// The pass that goes on, or the last one. One document, `pass`.
    fn scrub_passes(&self) -> Collection<ScrubReport> {
        self.ledger.collection("scrub")
    }

    /// Files that are wrong and not healed, as far as is known.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn damaged_files(&self) -> Result<Vec<Damage>, NodeError> {
        self.damages().iter_prefix("").take(MOST_TOLD).map(|row| Ok(row?.1)).collect()
    }

    /// How scrubbing stands.
    ///
    /// # Errors
    /// Unless the actor may read what is open; when the ledger cannot be read.
    pub fn scrub_state(&self, actor: &Actor) -> Result<ScrubState, NodeError> {
        require_read(actor, dataset_model::Access::Open, || NodeError::NotFound("no state".into()))?;
        Ok(ScrubState { pass: self.scrub_passes().get("pass")?.unwrap_or_default(), damaged: self.damaged_files()? })
    }

    /// Reads everything now, as fast as it goes, and heals what is wrong. A caller that hangs up ends nothing.
    ///
    /// # Errors
    /// Unless the actor is an administrator; when the archive cannot be read at all.
    pub async fn scrub(self: &Arc<Self>, actor: &Actor) -> Result<ScrubReport, NodeError> {
        require(actor, Scope::Admin)?;
        let node = self.clone();
        let pass = tokio::spawn(async move {
            let _alone = node.scrubbing.lock().await;
            let begun = ScrubReport { started: Some(Timestamp::now()), ..ScrubReport::default() };
            node.scrub_from(begun, &Meter::new(None, |_| {})).await
        });
        pass.await.map_err(|error| NodeError::Internal(format!("scrubbing: {error}")))?
    }

    /// Starts the task that reads everything every so many days.
    pub(crate) fn start_scrubbing(self: &Arc<Self>, stopped: &watch::Receiver<bool>) -> JoinHandle<()> {
        let (node, mut stopped) = (self.clone(), stopped.clone());
        tokio::spawn(async move {
            while !*stopped.borrow() {
                tokio::select! {
                    outcome = node.scrub_when_due() => if let Err(error) = outcome {
                        tracing::warn!(error = sentence(&error), "scrubbing stopped; it goes on in a minute");
                    },
                    // A pass that is dropped goes on where it last wrote down how far it was.
                    _ = stopped.changed() => return,
                }
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_secs(LOOK)) => {}
                    _ = stopped.changed() => return,
                }
            }
        })
    }

    async fn scrub_when_due(self: &Arc<Self>) -> Result<(), NodeError> {
        let days = self.config.scrub.days;
        if days == 0 {
            return Ok(());
        }
        let _alone = self.scrubbing.lock().await;
        let last = self.scrub_passes().get("pass")?.unwrap_or_default();
        let now = Timestamp::now();
        let begun = match (last.started, last.finished) {
            (Some(_), None) => last,
            (Some(started), Some(_))
                if seconds_since(started, now).is_some_and(|passed| passed < days.saturating_mul(86_400)) =>
            {
                return Ok(());
            }
            // A new node has nothing that could have rotted: its first pass is due when the time has come.
            (None, _) => ScrubReport { started: Some(now), finished: Some(now), ..ScrubReport::default() },
            _ => ScrubReport { started: Some(now), ..ScrubReport::default() },
        };
        if begun.finished.is_some() {
            return Ok(self.ledger.write(vec![self.scrub_passes().put("pass", &begun)?])?);
        }
        let meter = Meter::new(Some(self.config.scrub.bytes_per_second), |_| {});
        self.scrub_from(begun, &meter).await.map(drop)
    }

    /// Goes on with a pass, to its end.
    async fn scrub_from(&self, mut pass: ScrubReport, meter: &Meter) -> Result<ScrubReport, NodeError> {
        let from = pass.at.clone();
        let (mut last, mut seen) = (None, HashSet::new());
        for unit in self.units()? {
            let skip = match &from {
                Some((name, _)) if unit.name < *name => continue,
                Some((name, files)) if unit.name == *name => *files,
                _ => 0,
            };
            // What versions of one dataset share is read once.
            if last.replace((unit.key.clone(), unit.copy)) != Some((unit.key.clone(), unit.copy)) {
                seen = HashSet::new();
            }
            self.scrub_unit(&unit, (&mut pass, skip), &mut seen, meter).await?;
        }
        pass.finished = Some(Timestamp::now());
        pass.at = None;
        self.ledger.write(vec![self.scrub_passes().put("pass", &pass)?])?;
        tracing::info!(
            files = pass.files,
            bytes = pass.bytes,
            damaged = pass.damaged.len(),
            healed = pass.healed,
            "read every stored file"
        );
        Ok(pass)
    }

    /// Every version whose bytes are here, in one order.
    fn units(&self) -> Result<Vec<Unit>, NodeError> {
        let mut units = Vec::new();
        for head in self.ledger.heads(&self.config.id) {
            let key = DatasetKey { node: self.config.id.clone(), id: head?.0 };
            for (entry, _) in self.copiable(&key)? {
                let (version, object) = (entry.version, (key.id.clone(), entry.version));
                let name = format!("own/{key}/{version}");
                units.push(Unit {
                    name,
                    key: key.clone(),
                    version,
                    copy: false,
                    archive: self.archive.clone(),
                    object,
                });
            }
        }
        for row in self.copies().iter_prefix("") {
            let (name, copy) = row?;
            let Some((key, version)) = read_copy_key(&name) else { continue };
            let object = (object_of(&key)?, copy.object_version);
            let archive = self.mirrors.archive.clone();
            units.push(Unit { name: format!("copy/{name}"), key, version, copy: true, archive, object });
        }
        units.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(units)
    }

    async fn scrub_unit(
        &self,
        unit: &Unit,
        (pass, skip): (&mut ScrubReport, usize),
        seen: &mut HashSet<Digest>,
        meter: &Meter,
    ) -> Result<(), NodeError> {
        let manifest = match unit.archive.manifest(&unit.object.0, unit.object.1).await {
            Ok(manifest) => manifest,
            // Withdrawn since the pass began.
            Err(_) if !self.is_live(&unit.key)? => return Ok(()),
            Err(error) => return self.object_is_damaged(unit, &error, pass).await,
        };
        let mut right = true;
        let readable = format!("{}/{INVENTORY}", unit.name);
        if !unit.copy && self.damages().get(&readable)?.is_some() {
            self.ledger.write(vec![self.damages().remove(&readable)])?;
        }
        for (at, file) in manifest.files().iter().enumerate().skip(skip) {
            if at % SAVED_EVERY == 0 {
                pass.at = Some((unit.name.clone(), at));
                self.ledger.write(vec![self.scrub_passes().put("pass", pass)?])?;
            }
            if !seen.insert(file.sha256) {
                continue;
            }
            right &= self.scrub_file(unit, file, pass, meter).await?;
        }
        if unit.copy
            && right
            && let Some(copy) = self.copy_of(&unit.key, unit.version)?
        {
            let name = unit.name.trim_start_matches("copy/");
            let verified = crate::mirroring::Copy { verified: Timestamp::now(), ..copy };
            self.ledger.write(vec![self.copies().put(name, &verified)?])?;
        }
        Ok(())
    }

    /// An object whose own records cannot be read: a copy is made again, an own one is named.
    async fn object_is_damaged(
        &self,
        unit: &Unit,
        error: &ArchiveError,
        pass: &mut ScrubReport,
    ) -> Result<(), NodeError> {
        let what = sentence(error);
        tracing::warn!(dataset = %unit.key, version = %unit.version, what, copy = unit.copy, "a stored object is damaged");
        let path = INVENTORY.parse().map_err(|error| NodeError::Internal(format!("{INVENTORY}: {error}")))?;
        if unit.copy {
            self.erase_copies(&unit.key).await?;
            self.mirrors.copy_again();
        }
        let not_healed = if unit.copy { "it is copied again" } else { "restore the object from a backup" };
        let damage = Damage {
            dataset: unit.key.clone(),
            version: unit.version,
            path,
            copy: unit.copy,
            what,
            found: Timestamp::now(),
            healed_from: None,
            not_healed: Some(not_healed.to_owned()),
        };
        if !unit.copy {
            self.ledger.write(vec![self.damages().put(&format!("{}/{INVENTORY}", unit.name), &damage)?])?;
        }
        pass.damaged.push(damage);
        Ok(())
    }

    /// Reads one file; heals it where it is wrong. Whether it is right in the end.
    async fn scrub_file(
        &self,
        unit: &Unit,
        file: &ManifestFile,
        pass: &mut ScrubReport,
        meter: &Meter,
    ) -> Result<bool, NodeError> {
        let name = format!("{}/{}", unit.name, file.path);
        let known = self.damages().get(&name)?;
        pass.files += 1;
        let Some(what) = wrong_with(unit, file, meter, &mut pass.bytes).await? else {
            if known.is_some() {
                self.ledger.write(vec![self.damages().remove(&name)])?;
            }
            return Ok(true);
        };
        if !self.is_live(&unit.key)? {
            return Ok(true);
        }
        let mut damage = Damage {
            dataset: unit.key.clone(),
            version: unit.version,
            path: file.path.clone(),
            copy: unit.copy,
            what,
            found: known.map_or_else(Timestamp::now, |known| known.found),
            healed_from: None,
            not_healed: None,
        };
        match self.heal(unit, file, meter).await {
            Ok(source) => {
                tracing::info!(dataset = %unit.key, version = %unit.version, path = %file.path, source, "healed a damaged file");
                damage.healed_from = Some(source);
                pass.healed += 1;
                self.ledger.write(vec![self.damages().remove(&name)])?;
            }
            Err(error) => {
                let why = sentence(&error);
                tracing::warn!(dataset = %unit.key, version = %unit.version, path = %file.path, what = damage.what, why, "a stored file is damaged and could not be healed");
                damage.not_healed = Some(why);
                self.ledger.write(vec![self.damages().put(&name, &damage)?])?;
            }
        }
        let healed = damage.healed_from.is_some();
        if pass.damaged.len() < MOST_TOLD {
            pass.damaged.push(damage);
        }
        Ok(healed)
    }

    /// Fetches right bytes and puts them in the place of the wrong ones; gives the node they came from.
    async fn heal(&self, unit: &Unit, file: &ManifestFile, meter: &Meter) -> Result<String, NodeError> {
        let sources = self.sources_of(&unit.key, unit.version, true);
        let part = self.part_of(&unit.object.0, file)?;
        let address = FileAddress { dataset: &unit.key.id, version: unit.version, file };
        let source = sources.download(address, &part, meter).await.map_err(|error| peer_fault(&unit.key, error))?;
        let replaced = unit.archive.replace_bytes(&unit.object.0, unit.object.1, &file.path, part.clone()).await;
        self.bytes_were_replaced();
        replaced.map_err(NodeError::Archive)?;
        remove_file(&part)?;
        // Only when nothing else arrives in it.
        drop(std::fs::remove_dir(self.parts_of(&unit.object.0)));
        Ok(source)
    }

    /// How many damaged files wait to be healed.
    pub fn damaged_count(&self) -> u64 {
        self.damages().iter_prefix("").count() as u64
    }

    /// What the operator should look at although the node works.
    pub fn needs_attention(&self) -> Vec<String> {
        let damaged = self.damaged_count();
        let damaged = (damaged > 0).then(|| format!("{damaged} stored file(s) are damaged: see /api/v1/scrub"));
        let erasing = self.eraser.failure().map(|why| format!("something withdrawn is not erased yet: {why}"));
        let mirrors = self.mirrors.failures();
        self.shortage().into_iter().chain(damaged).chain(erasing).chain(mirrors).collect()
    }
}

/// What is wrong with a stored file, if anything is.
async fn wrong_with(
    unit: &Unit,
    file: &ManifestFile,
    meter: &Meter,
    read: &mut u64,
) -> Result<Option<String>, NodeError> {
    let mut pieces = match unit.archive.stored_bytes(&unit.object.0, unit.object.1, &file.path).await {
        Ok(pieces) => pieces,
        Err(ArchiveError::Damaged { why, .. }) => return Ok(Some(why)),
        Err(error) => return Err(NodeError::Archive(error)),
    };
    let (mut digester, mut length) = (Digester::default(), 0);
    loop {
        match pieces.try_next().await {
            Ok(Some(piece)) => {
                digester.update(&piece);
                length += piece.len() as u64;
                *read += piece.len() as u64;
                meter.pass(piece.len() as u64).await;
            }
            Ok(None) => break,
            Err(error) => return Ok(Some(sentence(&error))),
        }
    }
    if length != file.size {
        return Ok(Some(format!("it has {length} bytes instead of {}", file.size)));
    }
    Ok((digester.finish() != file.sha256).then(|| "its bytes are not those that were published".to_owned()))
}
