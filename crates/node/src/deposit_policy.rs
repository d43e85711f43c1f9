//! What a depositor is asked to put right or to confirm, where a record from elsewhere is repaired and kept.

use dataset_model::{FilePath, Finding, Repair, Severity, Summary};

use crate::{NodeError, composition::CRATE_FILE, measured_size::MeasuredSize};

/// Findings that the depositor may confirm: the crate says what it seems to say.
const TO_CONFIRM: [&str; 1] = ["term.label.conflict"];
/// Findings about what the node adds by itself when it publishes.
const ADDED_HERE: [&str; 3] = ["crate.publisher.missing", "crate.identifier.missing", "crate.thumbnail.missing"];
/// Findings that are graver for a deposit than for a record from elsewhere, whose author is out of reach.
const GRAVER: [(&str, Severity); 2] =
    [("crate.entity.duplicate", Severity::Error), ("term.ontology.unknown", Severity::Warning)];
/// Repairs that guess at an identifier: whoever wrote it is asked.
const REFUSED_REPAIRS: [(&str, &str); 4] = [
    (
        "iri.encoded",
        "Write an address without blanks and other characters that none may have, or an id that starts with '#'.",
    ),
    ("iri.local", "Write an absolute address, or an id that starts with '#'."),
    ("iri.root", "Call the root dataset \"./\"."),
    (
        "orcid.not-an-orcid",
        "Use the whole ORCID, such as https://orcid.org/0000-0002-1825-0097, or an id that starts with '#'.",
    ),
];

/// What is to be said about the crate of a deposit. Findings in `confirmed` stay what they are; others that want confirming
/// forbid publishing.
pub(crate) fn judge(summary: &Summary, confirmed: &[String]) -> Vec<Finding> {
    let findings = summary.findings.iter().filter(|finding| !ADDED_HERE.contains(&finding.rule.as_str()));
    let findings = findings.cloned().map(|finding| regraded(finding, confirmed));
    summary.repairs.iter().filter_map(refused).chain(findings).collect()
}

/// That the declared size is another one than was counted, where it is; the RO-Crate is not counted here.
pub(crate) fn compare_size(summary: &Summary, measured: MeasuredSize) -> Option<Finding> {
    let declared = summary.declared;
    // Whether its RO-Crate is one of its files, people see differently.
    let files = declared.files.is_some_and(|files| files != measured.files && files != measured.files + 1);
    let bytes = declared.bytes.is_some_and(|bytes| bytes != measured.bytes);
    let message = format!(
        "The crate declares another size than was counted: {} files, {} bytes. The counted one is published.",
        measured.files, measured.bytes
    );
    let hint = "Leave 'size' out: the node counts.";
    (files || bytes).then(|| Finding::note("crate.size.measured", CRATE_FILE, message, hint))
}

/// That a file is called after an e-mail address, which would be published with it.
pub(crate) fn judge_name(path: &FilePath) -> Option<Finding> {
    if !metadata_store::has_address(path.as_str()) {
        return None;
    }
    let (message, hint) = ("The file is called after an e-mail address.", "Give it another name.");
    Some(Finding::error("deposit.file-name.address", path.as_str(), message, hint))
}

/// Refuses names of findings that cannot be confirmed.
pub(crate) fn require_confirmable(rules: &[String]) -> Result<(), NodeError> {
    match rules.iter().find(|rule| !TO_CONFIRM.contains(&rule.as_str())) {
        Some(other) => {
            Err(NodeError::Invalid(format!("'{other}' cannot be confirmed; these can: {}", TO_CONFIRM.join(", "))))
        }
        None => Ok(()),
    }
}

fn regraded(mut finding: Finding, confirmed: &[String]) -> Finding {
    if let Some((_, severity)) = GRAVER.iter().find(|(rule, _)| *rule == finding.rule) {
        finding.severity = *severity;
    }
    if TO_CONFIRM.contains(&finding.rule.as_str()) && !confirmed.contains(&finding.rule) {
        finding.severity = Severity::Error;
        finding.hint = format!("{} If all is meant as written, publish with confirm={}.", finding.hint, finding.rule);
    }
    finding
}

fn refused(repair: &Repair) -> Option<Finding> {
    let (rule, hint) = REFUSED_REPAIRS.iter().find(|(rule, _)| *rule == repair.rule)?;
    let message = format!("'{}' is not an identifier that programs can follow.", repair.from);
    Some(Finding::error(rule, CRATE_FILE, message, *hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn severities(summary: &Summary, confirmed: &[&str]) -> Vec<(String, Severity)> {
        let confirmed: Vec<String> = confirmed.iter().map(ToString::to_string).collect();
        judge(summary, &confirmed).into_iter().map(|finding| (finding.rule, finding.severity)).collect()
    }

    #[test]
    fn guesses_are_refused_conflicts_confirmed_and_additions_expected() {
        let finding = |rule: &str| Finding::warning(rule, "", "", "");
        let repair = |rule: &str| Repair { rule: rule.into(), from: "x".into(), to: "y".into() };
        let summary = Summary {
            findings: ["crate.entity.duplicate", "term.label.conflict", "crate.publisher.missing"].map(finding).into(),
            repairs: ["orcid.not-an-orcid", "term.leading-zeros"].map(repair).into(),
            ..Summary::default()
        };
        let expected = |conflict| {
            vec![
                ("orcid.not-an-orcid".to_owned(), Severity::Error),
                ("crate.entity.duplicate".to_owned(), Severity::Error),
                ("term.label.conflict".to_owned(), conflict),
            ]
        };
        assert_eq!(severities(&summary, &[]), expected(Severity::Error));
        assert_eq!(severities(&summary, &["term.label.conflict"]), expected(Severity::Warning));
        assert!(require_confirmable(&["crate.name.missing".into()]).is_err());
    }
}
