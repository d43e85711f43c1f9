use askama::Template;
use dataset_model::Finding;
use node::Tombstone;

use super::{
    chrome::{Chrome, Section},
    format,
};
use crate::{links, refusal::Refusal, site::Identity};

/// A page that says why there is no page.
#[derive(Debug, Template)]
#[template(path = "refusal.html")]
pub(crate) struct RefusalPage {
    pub chrome: Chrome,
    pub heading: &'static str,
    pub detail: String,
    pub next: &'static str,
    pub status: u16,
    pub findings: Vec<Finding>,
    pub tombstone: Option<Box<TombstoneView>>,
}

/// What remains of a withdrawn dataset, for people.
#[derive(Debug, Clone)]
pub(crate) struct TombstoneView {
    pub id: String,
    pub node: String,
    pub reason: String,
    pub when: String,
    pub when_exact: String,
    pub version: String,
    pub page: Option<String>,
}

impl RefusalPage {
    pub(crate) fn new(identity: &Identity, refusal: &Refusal) -> Self {
        let chrome = Chrome { unlisted: true, ..Chrome::new(identity, Section::Other, refusal.heading) };
        Self {
            chrome,
            heading: refusal.heading,
            detail: refusal.detail.clone(),
            next: refusal.next,
            status: refusal.status.as_u16(),
            findings: refusal.findings.clone(),
            tombstone: refusal.tombstone.clone(),
        }
    }
}

impl TombstoneView {
    pub(crate) fn of(tombstone: &Tombstone) -> Self {
        let reason = serde_json::to_value(tombstone.reason).ok();
        Self {
            id: tombstone.id.to_string(),
            node: tombstone.node.to_string(),
            reason: reason.as_ref().and_then(|value| value.as_str()).unwrap_or("other").replace('-', " "),
            when: format::moment(tombstone.time),
            when_exact: tombstone.time.to_string(),
            version: tombstone.version.to_string(),
            page: links::web(&tombstone.page),
        }
    }
}
