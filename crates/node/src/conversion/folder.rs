//! Where a conversion writes before its image is part of the draft.
//!
//! ```text
//! jobs/{job}/{hash of the image's path}/
//!     cells.ome.zarr/           the image, whole
//!     cells.ome.zarr.partial/   the image, while it is written (the engine's)
//!     in/, raw.zarr/            copies of the source and what a foreign program made of it
//!     findings.json             what was found on the way
//! ```

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use dataset_model::{Digest, Finding};

const FINDINGS: &str = "findings.json";
/// Folders within folders that an image may have.
const DEEPEST: usize = 32;

/// A file that was made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MadeFile {
    pub at: PathBuf,
    /// Below the image's folder, with `/` between names.
    pub path: String,
    pub size: u64,
}

/// The name of the folder for an image: the same at every attempt.
pub(super) fn name_of(output: &str) -> String {
    Digest::of(output).to_string().chars().take(16).collect()
}

/// Where the image is made.
pub(super) fn image_in(folder: &Path, output: &str) -> PathBuf {
    folder.join(output.rsplit('/').next().unwrap_or(output))
}

/// What an earlier attempt found that came to its end: the image has its name only once it is whole.
pub(super) fn finished(folder: &Path, image: &Path) -> Option<Vec<Finding>> {
    if !image.is_dir() {
        return None;
    }
    let text = fs::read(folder.join(FINDINGS)).unwrap_or_default();
    Some(serde_json::from_slice(&text).unwrap_or_default())
}

/// Notes what was found.
pub(super) fn finish(folder: &Path, findings: &[Finding]) -> io::Result<()> {
    // One that is cut off reads as none.
    fs::write(folder.join(FINDINGS), serde_json::to_vec(findings)?)
}

/// Every file below a folder, sorted by path. Only files and folders are looked at, no links.
pub(super) fn files_below(folder: &Path) -> io::Result<Vec<MadeFile>> {
    let mut files = Vec::new();
    let mut folders = vec![(folder.to_owned(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name().into_string().map_err(|_| io::Error::other("a name is not UTF-8"))?;
            let (at, path, kind) = (entry.path(), format!("{prefix}{name}"), entry.file_type()?);
            if kind.is_dir() && depth < DEEPEST {
                folders.push((at, format!("{path}/"), depth + 1));
            } else if kind.is_file() {
                let size = entry.metadata()?.len();
                files.push(MadeFile { at, path, size });
            } else {
                return Err(io::Error::other(format!("'{path}' is neither a file nor a folder of a reasonable depth")));
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_at_every_depth_and_links_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("0/c")).unwrap();
        fs::write(folder.path().join("zarr.json"), "{}").unwrap();
        fs::write(folder.path().join("0/c/0"), "abc").unwrap();
        let found = files_below(folder.path()).unwrap();
        let found: Vec<_> = found.iter().map(|file| (file.path.as_str(), file.size)).collect();
        assert_eq!(found, [("0/c/0", 3), ("zarr.json", 2)]);
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("0/c/1")).unwrap();
        assert!(files_below(folder.path()).is_err());
    }

    #[test]
    fn an_image_that_has_its_name_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let image = image_in(folder.path(), "a/b.ome.zarr");
        assert!(image.ends_with("b.ome.zarr"));
        assert_eq!(finished(folder.path(), &image), None);
        fs::create_dir(&image).unwrap();
        assert_eq!(finished(folder.path(), &image), Some(Vec::new()), "cut off before it could say what it found");
        let findings = vec![Finding::note("a", "b", "c", "d")];
        finish(folder.path(), &findings).unwrap();
        assert_eq!(finished(folder.path(), &image), Some(findings));
    }
}
