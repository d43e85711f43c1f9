use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The longest path accepted, in bytes of UTF-8.
const MAX_PATH_BYTES: usize = 1024;
/// The longest single name in a path, in bytes: what common file systems can hold.
const MAX_NAME_BYTES: usize = 255;

/// A file's path inside a dataset: relative, `/`-separated, with no way out of the dataset.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FilePath(String);

/// Why a path was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Nothing there.
    #[error("the path is empty")]
    Empty,
    /// Too long for common file systems.
    #[error("the path is too long: at most {MAX_PATH_BYTES} bytes, and {MAX_NAME_BYTES} for one name")]
    TooLong,
    /// It would leave the dataset, or is not relative.
    #[error("'{0}' leaves the dataset: use a relative path with '/' between names, without '.', '..' or empty names")]
    Escapes(String),
    /// A character that breaks on some system.
    #[error("'{0}' holds a control character or a backslash: rename the file")]
    Character(String),
}

impl FilePath {
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last name of the path.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The names from the dataset root down.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

impl FromStr for FilePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.chars().any(|c| c.is_control() || c == '\\') {
            return Err(PathError::Character(text.escape_default().to_string()));
        }
        if text.len() > MAX_PATH_BYTES || text.split('/').any(|name| name.len() > MAX_NAME_BYTES) {
            return Err(PathError::TooLong);
        }
        if text.split('/').any(|name| matches!(name, "" | "." | "..")) {
            return Err(PathError::Escapes(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for FilePath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        text.parse()
    }
}

impl From<FilePath> for String {
    fn from(path: FilePath) -> Self {
        path.0
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_the_dataset_are_refused() {
        for bad in ["", "/", "/etc/passwd", "a/../b", "..", "a//b", "a/", "./a", "a\\b", "a\0b", "a\nb"] {
            assert!(bad.parse::<FilePath>().is_err(), "{bad:?}");
        }
        assert!("n".repeat(256).parse::<FilePath>().is_err());
    }

    #[test]
    fn ordinary_names_pass() {
        for good in ["zarr.json", "a b/c (1).tif", "細胞.ome.zarr/0/c/0/0", ".zattrs", "x/..y"] {
            assert_eq!(good.parse::<FilePath>().unwrap().as_str(), good);
        }
    }
}
