use std::collections::{BTreeMap, BTreeSet};

use dataset_model::{DatasetId, Summary};
use serde::{Deserialize, Serialize};

/// As many rejections are told one by one.
const MOST_REJECTIONS: usize = 10_000;
/// As many records are told of one by one.
const MOST_FLAGGED: usize = 1000;
/// As long are the words about one.
const MOST_WORDS: usize = 600;

/// What an import of a listing did. It adds up: `seen = stored + unchanged + rejected`, those not told one by one included.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Further items that could not be kept, beyond those told one by one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rejected_besides: u64,
    /// Records that are no longer there and were not withdrawn, because they are more than half of the source: a person
    /// has to confirm it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub held_back: u64,
    /// Why the listing was not read to a certain end, if it was not; nothing was taken for gone then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// Whether only what changed since the last time was asked for; the source says itself what is gone.
    #[serde(default)]
    pub changes_only: bool,
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
    /// Records that were read with repairs or have findings, the first thousand.
    #[serde(default)]
    pub flagged: Vec<Flagged>,
}

/// A record that was kept, and about which there is something to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flagged {
    /// Where it stands in the listing.
    pub what: String,
    /// Its id here.
    pub dataset: DatasetId,
    /// The rules by which it was repaired.
    pub repairs: BTreeSet<String>,
    /// The rules that it breaks.
    pub findings: BTreeSet<String>,
}

/// An item that could not be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Which.
    pub what: String,
    /// Why.
    pub why: String,
}

impl ImportReport {
    /// Whether the numbers add up.
    pub fn adds_up(&self) -> bool {
        self.seen == self.stored + self.unchanged + self.rejected.len() as u64 + self.rejected_besides
    }

    pub(crate) fn reject(&mut self, what: &str, why: impl Into<String>) {
        if self.rejected.len() >= MOST_REJECTIONS {
            self.rejected_besides += 1;
            return;
        }
        let clip = |text: &str| text.chars().take(MOST_WORDS).collect::<String>();
        self.rejected.push(Rejected { what: clip(what), why: clip(&why.into()) });
    }

    /// Tells of a record that was kept.
    pub(crate) fn flag(&mut self, what: &str, dataset: &DatasetId, summary: &Summary) {
        let repairs: BTreeSet<String> = summary.repairs.iter().map(|repair| repair.rule.clone()).collect();
        let findings: BTreeSet<String> = summary.findings.iter().map(|finding| finding.rule.clone()).collect();
        if self.flagged.len() < MOST_FLAGGED && !(repairs.is_empty() && findings.is_empty()) {
            let what = what.chars().take(MOST_WORDS).collect();
            self.flagged.push(Flagged { what, dataset: dataset.clone(), repairs, findings });
        }
    }

    pub(crate) fn count(&mut self, summary: &Summary) {
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
