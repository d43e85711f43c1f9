use std::collections::BTreeMap;

use dataset_model::{Finding, Severity};

use crate::{
    node::{Node, ZarrVersion},
    validate::Rule,
};

/// The most findings kept of one rule: a broken plate says the same thing ten thousand times.
const MAX_OF_RULE: usize = 100;
/// The most findings kept in all.
const MAX_FINDINGS: usize = 1000;

/// Findings as they are made, up to a limit.
#[derive(Debug)]
pub(crate) struct Faults {
    found: Vec<Finding>,
    kept: BTreeMap<Rule, usize>,
    /// What is not kept: how often each rule, and how serious.
    omitted: BTreeMap<Rule, (usize, Severity)>,
    /// Whose sentences are quoted.
    zarr: ZarrVersion,
}

impl Default for Faults {
    fn default() -> Self {
        Self { found: Vec::new(), kept: BTreeMap::new(), omitted: BTreeMap::new(), zarr: ZarrVersion::V3 }
    }
}

impl Faults {
    /// From here on the rules are those of the version this node is stored in.
    pub(crate) fn judge(&mut self, node: &Node) {
        self.zarr = node.zarr;
    }

    /// A broken rule, as serious as the table of rules says.
    pub(crate) fn add(&mut self, rule: Rule, place: impl Into<String>, message: impl Into<String>, hint: &str) {
        self.add_as(rule.severity(), rule, place, message, hint);
    }

    /// A broken rule, more or less serious than usual.
    pub(crate) fn add_as(
        &mut self,
        severity: Severity,
        rule: Rule,
        place: impl Into<String>,
        message: impl Into<String>,
        hint: &str,
    ) {
        let kept = self.kept.entry(rule).or_default();
        if *kept >= MAX_OF_RULE || self.found.len() >= MAX_FINDINGS {
            let (count, worst) = self.omitted.entry(rule).or_insert((0, severity));
            *count += 1;
            *worst = severity.max(*worst);
            return;
        }
        *kept += 1;
        let finding = Finding::new(severity, &rule.id(), place, message, hint);
        self.found.push(finding.from_specification(rule.specification(self.zarr)));
    }

    /// All findings; the last ones say if there were more, as serious as those left out.
    pub(crate) fn finish(mut self) -> Vec<Finding> {
        for (rule, (count, severity)) in &self.omitted {
            let message = format!("{count} more findings of this rule are not shown");
            let hint = "Repair the findings above and check again.";
            let finding = Finding::new(*severity, &rule.id(), "", message, hint);
            self.found.push(finding.from_specification(rule.specification(self.zarr)));
        }
        self.found
    }
}
