use dataset_model::Finding;

/// The most findings kept: a broken plate says the same thing ten thousand times.
const MAX_FINDINGS: usize = 1000;

/// Findings as they are made, up to a limit.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    found: Vec<Finding>,
    omitted: usize,
}

impl Faults {
    /// A broken MUST.
    pub(crate) fn error(&mut self, rule: &str, place: impl Into<String>, message: impl Into<String>, hint: &str) {
        self.push(Finding::error(&named(rule), place, message, hint));
    }

    /// A broken SHOULD.
    pub(crate) fn warn(&mut self, rule: &str, place: impl Into<String>, message: impl Into<String>, hint: &str) {
        self.push(Finding::warning(&named(rule), place, message, hint));
    }

    /// Worth knowing.
    pub(crate) fn note(&mut self, rule: &str, place: impl Into<String>, message: impl Into<String>, hint: &str) {
        self.push(Finding::note(&named(rule), place, message, hint));
    }

    fn push(&mut self, finding: Finding) {
        if self.found.len() < MAX_FINDINGS {
            self.found.push(finding);
        } else {
            self.omitted += 1;
        }
    }

    /// All findings; the last one says if there were more.
    pub(crate) fn finish(mut self) -> Vec<Finding> {
        if self.omitted > 0 {
            let message = format!("{} more findings are not shown", self.omitted);
            // An error, so that a fault beyond the limit cannot pass as valid.
            self.found.push(Finding::error(&named("more"), "", message, "Repair the findings above and check again."));
        }
        self.found
    }
}

fn named(rule: &str) -> String {
    format!("ome-zarr.{rule}")
}
