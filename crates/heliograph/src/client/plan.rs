use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use dataset_model::{Digest, FilePath};
use walkdir::WalkDir;

use super::archive::is_archive;

/// What to deposit, and how.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Folders, files and archives; a folder keeps its name in the dataset, an archive's files are sent as it is.
    pub paths: Vec<PathBuf>,
    /// The RO-Crate.
    pub crate_file: PathBuf,
    /// Publish when everything has arrived.
    pub publish: bool,
    /// Rules whose findings are meant as written.
    pub confirm: Vec<String>,
    /// Make a new version of this dataset.
    pub new_version_of: Option<String>,
    /// Files sent at the same time.
    pub parallel: usize,
    /// No progress bars.
    pub quiet: bool,
}

/// A file on this machine and its place in the dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalFile {
    pub at: PathBuf,
    pub path: FilePath,
    pub size: u64,
}

impl Plan {
    /// Every file to deposit, in order of its place in the dataset.
    pub(crate) fn files(&self) -> Result<Vec<LocalFile>> {
        let mut files = Vec::new();
        for path in self.paths.iter().filter(|path| !is_archive(path)) {
            let full = path.canonicalize().with_context(|| format!("{} is not there", path.display()))?;
            let root = full.parent().unwrap_or(Path::new("/")).to_owned();
            for entry in WalkDir::new(&full).follow_links(false) {
                let entry = entry?;
                if entry.file_type().is_symlink() {
                    bail!("{} is a symbolic link: deposit what it points to", entry.path().display());
                }
                if entry.file_type().is_file() {
                    files.push(local_file(entry.path(), &root)?);
                }
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        if let Some(pair) = files.windows(2).find(|pair| pair[0].path == pair[1].path) {
            bail!("'{}' would be deposited twice", pair[0].path);
        }
        Ok(files)
    }

    /// The archives among the paths, with their lengths in bytes.
    pub(crate) fn archives(&self) -> Result<Vec<(PathBuf, u64)>> {
        let archives = self.paths.iter().filter(|path| is_archive(path));
        archives.map(|path| Ok((path.clone(), path.metadata()?.len()))).collect()
    }

    /// What this deposit is called at the node, so that an interrupted one is found again.
    pub(crate) fn client_key(&self) -> Result<String> {
        let mut text = self.new_version_of.clone().unwrap_or_default();
        for path in self.paths.iter().chain([&self.crate_file]) {
            let full = path.canonicalize().with_context(|| format!("{} is not there", path.display()))?;
            text.push('\0');
            text.push_str(&full.to_string_lossy());
        }
        Ok(Digest::of(text).to_string())
    }
}

fn local_file(at: &Path, root: &Path) -> Result<LocalFile> {
    let relative = at.strip_prefix(root)?;
    let text =
        relative.to_str().with_context(|| format!("{} has a name that is not UTF-8: rename it", at.display()))?;
    let path = text.parse().with_context(|| at.display().to_string())?;
    Ok(LocalFile { at: at.to_owned(), path, size: at.metadata()?.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("x.ome.zarr");
        std::fs::create_dir_all(image.join("0/c")).unwrap();
        std::fs::write(image.join("0/c/0"), b"123").unwrap();
        std::fs::write(image.join("zarr.json"), b"{}").unwrap();
        let plan = Plan {
            paths: vec![image],
            crate_file: folder.path().join("crate.json"),
            publish: false,
            confirm: Vec::new(),
            new_version_of: None,
            parallel: 1,
            quiet: true,
        };
        let paths: Vec<String> = plan.files().unwrap().iter().map(|file| file.path.to_string()).collect();
        assert_eq!(paths, ["x.ome.zarr/0/c/0", "x.ome.zarr/zarr.json"]);
    }
}
