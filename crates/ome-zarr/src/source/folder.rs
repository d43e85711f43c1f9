use std::{
    fs,
    io::{ErrorKind, Read, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use dataset_model::FilePath;

use super::{FileSource, SourceError, join};

/// A local folder. Links that lead out of it are not followed.
#[derive(Debug, Clone)]
pub struct FolderSource {
    root: PathBuf,
}

impl FolderSource {
    /// A source whose root is an existing folder.
    ///
    /// # Errors
    /// The folder does not exist or cannot be entered.
    pub fn new(root: impl AsRef<Path>) -> Result<Self, SourceError> {
        let root = root.as_ref();
        let named = |error: std::io::Error| SourceError::new(root.display().to_string(), error);
        let root = root.canonicalize().map_err(named)?;
        fs::read_dir(&root).map_err(named)?;
        Ok(Self { root })
    }

    /// The real file behind a path; `None` if there is none.
    fn locate(&self, path: &str) -> Result<Option<PathBuf>, SourceError> {
        let path: FilePath = path.parse().map_err(|error| SourceError::new(path, error))?;
        match self.root.join(path.as_str()).canonicalize() {
            Ok(real) if real.starts_with(&self.root) => Ok(Some(real)),
            Ok(_) => Err(SourceError::new(path.as_str(), "it is a link that leads out of the folder")),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(SourceError::new(path.as_str(), error)),
        }
    }

    fn collect(&self, folder: &str, files: &mut Vec<String>) -> Result<(), SourceError> {
        let failed = |error| SourceError::new(folder, error);
        for entry in fs::read_dir(self.root.join(folder)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().into_string().map_err(|name| {
                SourceError::new(join(folder, &name.to_string_lossy()), "the name is not UTF-8: rename it")
            })?;
            let path = join(folder, &name);
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                self.collect(&path, files)?;
            } else if kind.is_file() {
                files.push(path);
            }
        }
        Ok(())
    }
}

/// A path through a file (`zarr.json/0`) is as absent as one through nothing.
fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

impl FileSource for FolderSource {
    fn size(&self, path: &str) -> Result<Option<u64>, SourceError> {
        let Some(real) = self.locate(path)? else { return Ok(None) };
        let metadata = fs::metadata(real).map_err(|error| SourceError::new(path, error))?;
        Ok(metadata.is_file().then_some(metadata.len()))
    }

    fn read(&self, path: &str, range: Range<u64>) -> Result<Bytes, SourceError> {
        let failed = |error: std::io::Error| SourceError::new(path, error);
        let real = self.locate(path)?.ok_or_else(|| SourceError::new(path, "there is no such file"))?;
        let mut file = fs::File::open(real).map_err(failed)?;
        if range.start > range.end || range.end > file.metadata().map_err(failed)?.len() {
            return Err(SourceError::new(path, "the file is shorter than the range asked for"));
        }
        file.seek(SeekFrom::Start(range.start)).map_err(failed)?;
        // The file has as many: nothing is reserved for what is not there.
        let mut bytes = Vec::with_capacity((range.end - range.start) as usize);
        file.take(range.end - range.start).read_to_end(&mut bytes).map_err(failed)?;
        Ok(bytes.into())
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, SourceError> {
        let mut files = Vec::new();
        let exists = folder.is_empty() || self.locate(folder)?.is_some_and(|real| real.is_dir());
        if exists {
            self.collect(folder, &mut files)?;
            files.sort_unstable();
        }
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, FolderSource) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        fs::write(dir.path().join("a/b/2"), b"two").unwrap();
        fs::write(dir.path().join("a.txt"), b"hello").unwrap();
        let source = FolderSource::new(dir.path()).unwrap();
        (dir, source)
    }

    #[test]
    fn files_are_sized_read_in_part_and_listed() {
        let (_dir, source) = folder();
        assert_eq!(source.size("a.txt").unwrap(), Some(5));
        assert_eq!(source.size("a").unwrap(), None);
        assert_eq!(source.size("a.txt/0").unwrap(), None);
        assert_eq!(source.read("a.txt", 1..3).unwrap().as_ref(), b"el");
        assert_eq!(source.list("").unwrap(), ["a.txt", "a/b/2"]);
        assert_eq!(source.list("a").unwrap(), ["a/b/2"]);
        assert!(source.list("none").unwrap().is_empty());
    }

    #[test]
    fn nothing_outside_the_folder_is_read() {
        let (dir, source) = folder();
        assert!(source.size("../x").is_err());
        assert!(source.read("/etc/passwd", 0..1).is_err());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("/", dir.path().join("out")).unwrap();
            assert!(source.size("out/etc/passwd").is_err());
            assert!(!source.list("").unwrap().iter().any(|path| path.starts_with("out")));
        }
    }

    #[test]
    fn a_range_past_the_end_is_an_error_not_a_short_answer() {
        let (_dir, source) = folder();
        assert!(source.read("a.txt", 0..u64::MAX).is_err());
        assert!(source.read("missing", 0..0).is_err());
    }
}
