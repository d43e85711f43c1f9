use std::{collections::HashSet, sync::Arc};

use dataset_model::{Access, Timestamp};
use ledger::Collection;
use serde::{Deserialize, Serialize};

use super::{SourceConfig, SourceKind, SourceName};
use crate::{Actor, ImportReport, Node, NodeError, policy};

/// What is remembered of a source. Key: its name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct SourceState {
    /// When it was last asked, or sent its listing.
    pub asked: Option<Timestamp>,
    /// When that ended.
    pub finished: Option<Timestamp>,
    /// When a listing was last read to its end.
    pub complete: Option<Timestamp>,
    /// Harvests that failed since the last that did not.
    pub failures: u32,
    /// From which moment on it is asked for changes, and with which settings that was learnt.
    pub progress: Option<Progress>,
    /// Records of it after that.
    #[serde(default)]
    pub records: u64,
    pub report: Option<ImportReport>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub of: String,
    pub from: String,
}

/// How a source stands, in numbers.
#[derive(Debug, Clone, Serialize)]
pub struct SourceSummary {
    /// Its name.
    pub name: String,
    /// In which way it lists its records; nothing for one whose listings are sent.
    pub kind: Option<SourceKind>,
    /// Where, for one that this node harvests.
    pub url: Option<String>,
    /// Seconds between two harvests; 0 for those that are asked for only.
    pub interval_seconds: Option<u64>,
    /// Records of it, as of its last reading.
    pub records: u64,
    /// Whether it is being harvested just now.
    pub busy: bool,
    /// When it was last asked, or sent its listing.
    pub asked: Option<Timestamp>,
    /// When that ended.
    pub finished: Option<Timestamp>,
    /// When a listing, or its changes, were last read to the end.
    pub complete: Option<Timestamp>,
    /// Harvests that failed since the last that did not.
    pub failures: u32,
    /// Where its report is shown.
    pub page: String,
}

/// A source with its last report.
#[derive(Debug, Clone, Serialize)]
pub struct SourceStatus {
    /// How it stands.
    #[serde(flatten)]
    pub summary: SourceSummary,
    /// What the last harvest or import did.
    pub report: Option<ImportReport>,
}

impl Node {
    pub(crate) fn source_states(&self) -> Collection<SourceState> {
        self.ledger.collection("source_states")
    }

    /// Every source: those configured, and those whose listings were sent.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn known_sources(self: &Arc<Self>, actor: &Actor) -> Result<Vec<SourceSummary>, NodeError> {
        policy::require_read(actor, Access::Open, unknown)?;
        let node = self.clone();
        let read = move || -> Result<Vec<SourceSummary>, NodeError> {
            let mut names: Vec<String> = node.config.sources.iter().map(|source| source.name.to_string()).collect();
            for row in node.source_states().iter_prefix("") {
                let (name, _) = row?;
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            names.iter().map(|name| Ok(node.source_now(&name.parse()?)?.summary)).collect()
        };
        tokio::task::spawn_blocking(read).await.map_err(|error| NodeError::Internal(error.to_string()))?
    }

    /// One source with its last report.
    ///
    /// # Errors
    /// When there is no such source.
    pub async fn known_source(self: &Arc<Self>, actor: &Actor, name: &SourceName) -> Result<SourceStatus, NodeError> {
        policy::require_read(actor, Access::Open, unknown)?;
        let (node, name) = (self.clone(), name.clone());
        let read = move || -> Result<SourceStatus, NodeError> {
            let known = node.configured(&name).is_some() || node.source_states().get(&name.to_string())?.is_some();
            if known { node.source_now(&name) } else { Err(unknown()) }
        };
        tokio::task::spawn_blocking(read).await.map_err(|error| NodeError::Internal(error.to_string()))?
    }

    pub(crate) fn configured(&self, name: &SourceName) -> Option<&SourceConfig> {
        self.config.sources.iter().find(|source| source.name == *name)
    }

    fn source_now(&self, name: &SourceName) -> Result<SourceStatus, NodeError> {
        let state = self.source_states().get(&name.to_string())?.unwrap_or_default();
        let config = self.configured(name);
        let summary = SourceSummary {
            name: name.to_string(),
            kind: config.map(|config| config.kind),
            // A query may hold what is for the source alone.
            url: config.map(|config| config.url[..url::Position::AfterPath].to_owned()),
            interval_seconds: config.map(|config| config.interval_seconds),
            records: state.records,
            busy: self.sources_in_use.of(name).try_read().is_err(),
            asked: state.asked,
            finished: state.finished,
            complete: state.complete,
            failures: state.failures,
            page: format!("{}/sources/{name}", self.config.public_url),
        };
        Ok(SourceStatus { summary, report: state.report })
    }

    /// Writes down what an import did.
    pub(crate) fn keep_import(
        &self,
        source: &SourceName,
        asked: Timestamp,
        report: &ImportReport,
    ) -> Result<(), NodeError> {
        // A listing that was sent says nothing about what a provider tells of its changes.
        self.keep_harvest(source, asked, report, None)
    }

    pub(crate) fn keep_harvest(
        &self,
        source: &SourceName,
        asked: Timestamp,
        report: &ImportReport,
        progress: Option<Progress>,
    ) -> Result<(), NodeError> {
        let key = source.to_string();
        let before = self.source_states().get(&key)?.unwrap_or_default();
        let finished = Some(Timestamp::now());
        let mut datasets = HashSet::new();
        for row in self.source_records().iter_prefix(&format!("{source}/")) {
            datasets.insert(row?.1.dataset);
        }
        let whole = report.stopped.is_none() && report.held_back == 0;
        let state = SourceState {
            asked: Some(asked),
            finished,
            complete: if whole { finished } else { before.complete },
            failures: if whole { 0 } else { before.failures.saturating_add(1) },
            progress: progress.or(before.progress),
            records: datasets.len() as u64,
            report: Some(report.clone()),
        };
        Ok(self.ledger.write(vec![self.source_states().put(&key, &state)?])?)
    }
}

fn unknown() -> NodeError {
    NodeError::NotFound("there is no source of that name: GET /api/v1/sources lists them".into())
}
