use std::fmt;

/// Something an object has other than OCFL 1.1 wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The code of the [OCFL 1.1 validation codes](https://ocfl.io/1.1/spec/validation-codes.html), such as `E092`.
    pub code: &'static str,
    /// Where, from the object's root; empty for the object itself.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

impl Fault {
    pub(crate) fn new(code: &'static str, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, path: path.into(), message: message.into() }
    }

    /// Whether the object is invalid; a warning (`W…`) leaves it valid.
    pub fn is_error(&self) -> bool {
        self.code.starts_with('E')
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.code, if self.path.is_empty() { "." } else { &self.path }, self.message)
    }
}
