use serde::{Deserialize, Serialize};

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Breaks a SHOULD; publishing is still possible.
    Warning,
    /// Breaks a MUST; a deposit with it cannot be published.
    Error,
}

/// Something wrong, or worth knowing, about a crate or an image: what, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// A stable rule name, such as `crate.license.missing` or `ome-zarr.axes.order`.
    pub rule: String,
    /// How serious it is.
    pub severity: Severity,
    /// The file, followed by a JSON pointer where one applies: `img.ome.zarr/zarr.json#/attributes/ome`.
    pub path: String,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    /// The sentence of a specification that it breaks, with version and section, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specification: Option<String>,
}

/// A change Heliograph made to its reading of a record; the original bytes stay as they were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repair {
    /// A stable rule name, such as `term.leading-zeros`.
    pub rule: String,
    /// What stood there.
    pub from: String,
    /// What it is read as.
    pub to: String,
}

/// Questions asked of a list of findings.
pub trait Findings {
    /// Whether any of them forbids publishing.
    fn has_errors(&self) -> bool;
}

impl Findings for [Finding] {
    fn has_errors(&self) -> bool {
        self.iter().any(|finding| finding.severity == Severity::Error)
    }
}

impl Finding {
    /// A finding that breaks a MUST.
    pub fn error(rule: &str, path: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Severity::Error, rule, path, message, hint)
    }

    /// A finding that breaks a SHOULD.
    pub fn warning(rule: &str, path: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Severity::Warning, rule, path, message, hint)
    }

    /// A finding worth knowing.
    pub fn note(rule: &str, path: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Severity::Note, rule, path, message, hint)
    }

    /// The same finding, with the sentence it comes from.
    #[must_use]
    pub fn from_specification(mut self, sentence: impl Into<String>) -> Self {
        self.specification = Some(sentence.into());
        self
    }

    /// A finding of any severity.
    pub fn new(
        severity: Severity,
        rule: &str,
        path: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let (path, message, hint) = (path.into(), message.into(), hint.into());
        Self { rule: rule.to_owned(), severity, path, message, hint, specification: None }
    }
}
