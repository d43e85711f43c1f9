use std::collections::{HashMap, HashSet};

use dataset_model::{Finding, Repair, Severity};

use super::rules::Rule;

/// Repairs and findings kept for one crate, each; a hostile crate could otherwise make a million.
const MAX_RECORDED: usize = 500;
/// Findings of one rule kept for one crate.
const MAX_OF_RULE: usize = 100;
/// Characters of the old and new text kept in a repair.
const MAX_QUOTED: usize = 200;

/// Collects what was repaired and what is wrong while a crate is read.
#[derive(Debug, Default)]
pub(super) struct Journal {
    repairs: Vec<Repair>,
    repaired: HashSet<(&'static str, String)>,
    findings: Vec<Finding>,
    /// Findings of each rule, those included that are not kept.
    counts: HashMap<String, usize>,
    dropped: usize,
}

/// Where an entity stands in the crate file.
pub(super) fn place(at: usize, key: &str) -> String {
    let key = key.replace('~', "~0").replace('/', "~1");
    let end = if key.is_empty() { String::new() } else { format!("/{key}") };
    format!("ro-crate-metadata.json#/@graph/{at}{end}")
}

impl Journal {
    /// Records a repair once, however often it was needed.
    pub(super) fn repair(&mut self, rule: &'static str, from: &str, to: &str) {
        if self.repairs.len() >= MAX_RECORDED {
            self.dropped += 1;
        } else if self.repaired.insert((rule, from.to_owned())) {
            self.repairs.push(Repair { rule: rule.to_owned(), from: clip(from), to: clip(to) });
        }
    }

    pub(super) fn find(&mut self, finding: Finding) {
        let of_rule = self.counts.entry(finding.rule.clone()).or_default();
        *of_rule += 1;
        let fits = self.findings.len() < MAX_RECORDED && *of_rule <= MAX_OF_RULE;
        // What may forbid publishing is told at least once, whatever else there is.
        if fits || (finding.severity == Severity::Error && *of_rule == 1) {
            self.findings.push(finding);
        } else {
            self.dropped += 1;
        }
    }

    pub(super) fn finish(mut self) -> (Vec<Repair>, Vec<Finding>) {
        if self.dropped > 0 {
            let message = format!("{} further repairs and findings are not listed.", self.dropped);
            self.findings.push(Rule::ReportCut.at("ro-crate-metadata.json", message));
        }
        self.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        (self.repairs, self.findings)
    }
}

/// The beginning of a long text.
pub(super) fn clip(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
