//! What a file or folder of an archive may be and be called.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

use dataset_model::{FilePath, PathError};

use super::{fault::ArchiveFault, limits::ArchiveLimits};

/// Archives that must not lie in one: RFC-9 forbids `.ozx` in a hierarchy, and what is packed twice is checked by nobody.
const EMBEDDED: [&str; 6] = [".ozx", ".zip", ".tar", ".tgz", ".tar.gz", ".7z"];

/// The names seen so far.
#[derive(Debug, Default)]
pub(crate) struct Names {
    files: HashSet<String>,
    /// Folders that were named, or that files lie in.
    folders: HashSet<String>,
    /// Hashes of files in lower case, to tell names that differ in nothing else, and the first such name. A clash is only
    /// a warning, so that a hash will do.
    lower: HashSet<u64>,
    hashing: RandomState,
    clash: Option<String>,
    count: u64,
}

impl Names {
    /// Checks a name and remembers it; a trailing `/` marks a folder.
    pub(crate) fn admit(&mut self, name: &str, limits: &ArchiveLimits) -> Result<FilePath, ArchiveFault> {
        self.count += 1;
        limits.check_count(self.count)?;
        let path = file_path(name)?;
        if path.names().count() > limits.depth {
            let reason = format!("it lies more than {} folders deep", limits.depth);
            return Err(ArchiveFault::too_large(Some(name), reason));
        }
        let is_folder = name.ends_with('/');
        if !is_folder && is_embedded(path.as_str()) {
            let reason = "it is an archive within the archive";
            let hint = "Unpack it first, or deposit it by itself (RFC-9: OME-Zarr zip files are not embedded).";
            return Err(ArchiveFault::new("archive.embedded", Some(name), reason, hint));
        }
        let twice = if is_folder { false } else { !self.files.insert(path.to_string()) };
        if twice {
            let hint = "Make the archive again with each file once.";
            return Err(ArchiveFault::new("archive.duplicate", Some(name), "it is there twice", hint));
        }
        self.remember_folders(&path, is_folder);
        let lower = self.hashing.hash_one(path.as_str().to_lowercase());
        if !is_folder && !self.lower.insert(lower) && self.clash.is_none() {
            self.clash = Some(path.to_string());
        }
        Ok(path)
    }

    fn remember_folders(&mut self, path: &FilePath, is_folder: bool) {
        if is_folder {
            self.folders.insert(path.to_string());
        }
        let mut rest = path.as_str();
        while let Some((above, _)) = rest.rsplit_once('/') {
            if !self.folders.insert(above.to_owned()) {
                return;
            }
            rest = above;
        }
    }

    /// Checks the names against each other, once all are known.
    pub(crate) fn finish(&self) -> Result<(), ArchiveFault> {
        match self.files.intersection(&self.folders).next() {
            None => Ok(()),
            Some(path) => {
                let hint = "Make the archive again; a name stands for a file or for a folder.";
                Err(ArchiveFault::new("archive.duplicate", Some(path), "it is both a file and a folder", hint))
            }
        }
    }

    /// One of the names that would be one file on a system that does not tell capitals apart.
    pub(crate) fn clash(&self) -> Option<&str> {
        self.clash.as_deref()
    }
}

fn file_path(name: &str) -> Result<FilePath, ArchiveFault> {
    let drive = name.as_bytes().get(1) == Some(&b':') && name.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    let outside = "its name leads out of the archive's folder, as an attack does";
    let hint =
        "Rename the file: names are relative, with '/' between them, without '.', '..', '\\' or control characters.";
    let refused = |reason: String| ArchiveFault::new("archive.name", Some(name), reason, hint);
    if drive {
        return Err(refused(outside.to_owned()));
    }
    name.strip_suffix('/').unwrap_or(name).parse().map_err(|error: PathError| match error {
        PathError::Escapes(_) => refused(outside.to_owned()),
        other => refused(other.to_string()),
    })
}

/// Refuses what is neither file nor folder, by its Unix mode (0 where it has none).
pub(crate) fn check_kind(name: &str, mode: u32) -> Result<(), ArchiveFault> {
    let kind = match mode & 0o170_000 {
        0 | 0o100_000 | 0o040_000 => return Ok(()),
        0o120_000 => "a symbolic link",
        _ => "a device, pipe or socket",
    };
    Err(link(name, kind))
}

/// Refuses bytes under the name of a folder: some readers would show them, others not.
pub(crate) fn check_folder(name: &str, size: u64) -> Result<(), ArchiveFault> {
    if name.ends_with('/') && size > 0 {
        let hint = "Make the archive again with a common tool.";
        return Err(ArchiveFault::new("archive.format", Some(name), "it is named as a folder, but holds bytes", hint));
    }
    Ok(())
}

pub(crate) fn link(name: &str, kind: &str) -> ArchiveFault {
    let hint = "Make the archive again with the files themselves in it.";
    ArchiveFault::new("archive.link", Some(name), format!("it is {kind}, not a file"), hint)
}

/// Whether a file is an archive by its name.
pub(crate) fn is_embedded(path: &str) -> bool {
    EMBEDDED.iter().any(|ending| ends_with(path, ending))
}

/// What desktop systems leave in archives without being asked; passed over.
pub(crate) fn is_clutter(path: &FilePath) -> bool {
    path.names().next() == Some("__MACOSX") || matches!(path.name(), ".DS_Store" | "Thumbs.db" | "desktop.ini")
}

pub(crate) fn ends_with(name: &str, ending: &str) -> bool {
    let from = name.len().checked_sub(ending.len());
    from.and_then(|from| name.get(from..)).is_some_and(|end| end.eq_ignore_ascii_case(ending))
}
