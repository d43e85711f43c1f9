use std::collections::BTreeMap;

use serde::Serialize;

/// What an import of a listing did. It adds up: `seen = stored + unchanged + rejected`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ImportReport {
    /// The source's name.
    pub source: String,
    /// Items the listing held.
    pub seen: u64,
    /// Records added or changed.
    pub stored: u64,
    /// Records that were here already, byte for byte.
    pub unchanged: u64,
    /// Records the listing no longer holds; they were taken back.
    pub withdrawn: u64,
    /// Items that could not be kept, each with its reason.
    pub rejected: Vec<Rejected>,
    /// Whether the listing was complete; withdrawals are only detected when it was.
    pub complete: bool,
    /// Of the items seen and kept, how many were read with repairs.
    pub repaired: u64,
    /// Of the items seen and kept, how many break a MUST of the profile; they are kept and flagged.
    pub incomplete: u64,
    /// How often each repair was made.
    pub repairs: BTreeMap<String, u64>,
    /// How often each finding was made.
    pub findings: BTreeMap<String, u64>,
}

/// An item that could not be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// Which.
    pub what: String,
    /// Why.
    pub why: String,
}

impl ImportReport {
    /// Whether the numbers add up.
    pub fn adds_up(&self) -> bool {
        self.seen == self.stored + self.unchanged + self.rejected.len() as u64
    }

    pub(crate) fn reject(&mut self, what: &str, why: impl Into<String>) {
        self.rejected.push(Rejected { what: what.to_owned(), why: why.into() });
    }

    pub(crate) fn count(&mut self, summary: &dataset_model::Summary) {
        use dataset_model::Findings;
        self.repaired += u64::from(!summary.repairs.is_empty());
        self.incomplete += u64::from(summary.findings.has_errors());
        for repair in &summary.repairs {
            *self.repairs.entry(repair.rule.clone()).or_default() += 1;
        }
        for finding in &summary.findings {
            *self.findings.entry(finding.rule.clone()).or_default() += 1;
        }
    }
}
