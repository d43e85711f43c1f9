use std::fmt;

use dataset_model::Finding;

/// Why an archive is refused: which rule, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveFault {
    /// A stable rule name, such as `archive.name`.
    pub rule: &'static str,
    /// The entry at fault as it is named in the archive; nothing when it is the archive as a whole.
    pub entry: Option<String>,
    /// What is wrong, as half a sentence about the entry or archive.
    pub reason: String,
    /// What to do about it.
    pub hint: &'static str,
}

const MAKE_AGAIN: &str =
    "Make the archive again with a common ZIP tool, or send it again if it was cut off on the way.";

impl ArchiveFault {
    pub(crate) fn new(rule: &'static str, entry: Option<&str>, reason: impl Into<String>, hint: &'static str) -> Self {
        Self { rule, entry: entry.map(str::to_owned), reason: reason.into(), hint }
    }

    /// The bytes are no archive of this kind, or a damaged one.
    pub(crate) fn format(reason: impl Into<String>) -> Self {
        Self::new("archive.format", None, reason, MAKE_AGAIN)
    }

    pub(crate) fn truncated() -> Self {
        Self::new("archive.truncated", None, "it ends in the middle", MAKE_AGAIN)
    }

    /// Two places of an archive say different things about one entry.
    pub(crate) fn disagrees(entry: &str, what: &str) -> Self {
        let reason = format!("its {what} at the entry and in the list at the end of the archive differ");
        Self::new("archive.disagrees", Some(entry), reason, MAKE_AGAIN)
    }

    pub(crate) fn checksum(entry: &str) -> Self {
        Self::new("archive.checksum", Some(entry), "its bytes do not have the checksum or length listed", MAKE_AGAIN)
    }

    pub(crate) fn too_large(entry: Option<&str>, reason: impl Into<String>) -> Self {
        let hint = "Send less at once, or the files one by one; the operator can raise the limits.";
        Self::new("archive.too-large", entry, reason, hint)
    }

    /// Whether a limit was exceeded, rather than a rule broken.
    pub fn is_too_large(&self) -> bool {
        self.rule == "archive.too-large"
    }

    /// The same as a finding about the archive.
    pub fn finding(&self) -> Finding {
        Finding::error(self.rule, self.entry.clone().unwrap_or_default(), self.to_string(), self.hint)
    }
}

impl fmt::Display for ArchiveFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.entry {
            Some(entry) => write!(f, "'{}' in the archive is refused: {}", entry.escape_debug(), self.reason),
            None => write!(f, "the archive is refused: {}", self.reason),
        }
    }
}

impl std::error::Error for ArchiveFault {}
