/// The errors of OAI-PMH (§3.6). They travel in an answer with status 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the protocol, described there")]
pub enum OaiCode {
    BadArgument,
    BadResumptionToken,
    BadVerb,
    CannotDisseminateFormat,
    IdDoesNotExist,
    NoRecordsMatch,
}

impl OaiCode {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::BadArgument => "badArgument",
            Self::BadResumptionToken => "badResumptionToken",
            Self::BadVerb => "badVerb",
            Self::CannotDisseminateFormat => "cannotDisseminateFormat",
            Self::IdDoesNotExist => "idDoesNotExist",
            Self::NoRecordsMatch => "noRecordsMatch",
        }
    }
}

/// Why a question has no other answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct OaiError {
    /// What the protocol calls it.
    pub code: OaiCode,
    /// What is wrong and what to do.
    pub message: String,
}

impl OaiError {
    /// An error with its explanation.
    pub fn new(code: OaiCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}
