use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use dataset_model::Timestamp;
use node::{ImportReport, SourceStatus, SourceSummary};

use super::{
    chrome::{Chrome, Section},
    format,
};
use crate::{links, site::Identity};

/// As many rejections and flagged records are shown; the API has all that are kept.
const SHOWN: usize = 500;

/// Where records come from that no node announced.
#[derive(Debug, Template)]
#[template(path = "sources.html")]
pub(crate) struct SourcesPage {
    pub chrome: Chrome,
    pub sources: Vec<SourceCard>,
}

/// The report of one source.
#[derive(Debug, Template)]
#[template(path = "source.html")]
pub(crate) struct SourcePage {
    pub chrome: Chrome,
    pub source: SourceCard,
    pub report: Option<ReportView>,
}

/// How a source stands.
#[derive(Debug, Clone)]
pub(crate) struct SourceCard {
    pub name: String,
    pub page: String,
    pub kind: &'static str,
    pub url: Option<String>,
    pub records: String,
    pub asked: String,
    pub complete: String,
    pub standing: &'static str,
    /// The class in the style sheet.
    pub class: &'static str,
}

/// What a harvest or an import did.
#[derive(Debug, Clone)]
pub(crate) struct ReportView {
    pub seen: String,
    pub stored: String,
    pub unchanged: String,
    pub withdrawn: String,
    pub rejected: String,
    pub changes_only: bool,
    pub held_back: Option<String>,
    pub stopped: Option<String>,
    pub rejections: Vec<Row>,
    pub rejections_left: Option<String>,
    pub repairs: Vec<(String, String)>,
    pub findings: Vec<(String, String)>,
    pub flagged: Vec<Row>,
}

/// An item with what is to be said about it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub what: String,
    pub href: Option<String>,
    pub words: String,
}

impl SourceCard {
    fn of(source: &SourceSummary) -> Self {
        let when = |time: Option<Timestamp>| time.map_or("not yet".to_owned(), format::moment);
        let (standing, class) = match (source.busy, source.failures, source.asked) {
            (true, ..) => ("being read", "calm"),
            (_, 1.., _) => ("not read to its end", "warn"),
            (.., None) => ("not asked yet", "calm"),
            _ => ("up to date", "good"),
        };
        Self {
            name: source.name.clone(),
            page: format!("/sources/{}", links::name(&source.name)),
            kind: source.kind.map_or("listing that was sent", |kind| match kind.as_str() {
                "oai" => "OAI-PMH provider",
                "sitemap" => "sitemap",
                _ => "listing on a web server",
            }),
            url: source.url.as_deref().and_then(links::web),
            records: format::number(source.records),
            asked: when(source.asked),
            complete: when(source.complete),
            standing,
            class,
        }
    }
}

impl ReportView {
    fn of(report: &ImportReport) -> Self {
        let count = |counts: &BTreeMap<String, u64>| {
            counts.iter().map(|(rule, count)| (rule.clone(), format::number(*count))).collect()
        };
        let rejections = report.rejected.iter().take(SHOWN).map(|row| Row {
            what: row.what.clone(),
            href: links::web(&row.what),
            words: row.why.clone(),
        });
        let left = report.rejected.len().saturating_sub(SHOWN) as u64 + report.rejected_besides;
        let words = |rules: &BTreeSet<String>| rules.iter().cloned().collect::<Vec<_>>().join(", ");
        let flagged = report.flagged.iter().take(SHOWN).map(|row| {
            let (repairs, findings) = (words(&row.repairs), words(&row.findings));
            let repaired = (!repairs.is_empty()).then(|| format!("repaired: {repairs}"));
            let found = (!findings.is_empty()).then(|| format!("found: {findings}"));
            Row {
                what: row.what.clone(),
                href: Some(links::dataset(row.dataset.as_str(), None)),
                words: repaired.into_iter().chain(found).collect::<Vec<_>>().join(" · "),
            }
        });
        Self {
            seen: format::number(report.seen),
            stored: format::number(report.stored),
            unchanged: format::number(report.unchanged),
            withdrawn: format::number(report.withdrawn),
            rejected: format::number(report.rejected.len() as u64 + report.rejected_besides),
            changes_only: report.changes_only,
            held_back: (report.held_back > 0).then(|| format::count(report.held_back, "record", "records")),
            stopped: report.stopped.clone(),
            rejections: rejections.collect(),
            rejections_left: (left > 0).then(|| format::number(left)),
            repairs: count(&report.repairs),
            findings: count(&report.findings),
            flagged: flagged.collect(),
        }
    }
}

impl SourcesPage {
    pub(crate) fn new(identity: &Identity, sources: &[SourceSummary]) -> Self {
        Self {
            chrome: Chrome::new(identity, Section::Other, "Sources"),
            sources: sources.iter().map(SourceCard::of).collect(),
        }
    }
}

impl SourcePage {
    pub(crate) fn new(identity: &Identity, source: &SourceStatus) -> Self {
        Self {
            chrome: Chrome::new(identity, Section::Other, &format!("Source {}", source.summary.name)),
            source: SourceCard::of(&source.summary),
            report: source.report.as_ref().map(ReportView::of),
        }
    }
}
