//! The folder a conversion works in, and how it becomes the output.

use std::{
    fs::{self, File},
    io::{self, BufWriter},
    path::{Path, PathBuf},
};

use crate::{
    error::OmeZarrError,
    progress::Progress,
    source::FolderSource,
    write::{Journal, Unusable},
    zip,
};

/// A working folder that is this conversion's alone.
pub(super) struct Workspace {
    folder: PathBuf,
    pub(super) journal: Journal,
}

/// Refuses to write over what exists.
pub(super) fn check_free(out: &Path) -> Result<(), OmeZarrError> {
    match fs::symlink_metadata(out) {
        Ok(_) => Err(OmeZarrError::write(out, "it exists: choose another name, or remove it")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(OmeZarrError::write(out, error)),
    }
}

impl Workspace {
    /// Opens the working folder of an output; what an earlier run of the same task left there is kept, anything else goes.
    pub(super) fn open(out: &Path, task: &str) -> Result<Self, OmeZarrError> {
        let mut name = out.as_os_str().to_owned();
        name.push(".partial");
        let folder = PathBuf::from(name);
        let failed = |error: io::Error| OmeZarrError::write(&folder, error);
        fs::create_dir_all(&folder).map_err(failed)?;
        let journal = folder.join("journal");
        let opened = match Journal::open(&journal, task) {
            Err(Unusable::Stale) => {
                fs::remove_dir_all(&folder).and_then(|()| fs::create_dir_all(&folder)).map_err(failed)?;
                Journal::open(&journal, task)
            }
            opened => opened,
        };
        match opened {
            Ok(journal) => {
                let workspace = Self { folder, journal };
                fs::create_dir_all(workspace.tree()).map_err(|error| OmeZarrError::write(&workspace.folder, error))?;
                Ok(workspace)
            }
            Err(Unusable::Busy) => {
                Err(OmeZarrError::write(&folder, "another conversion is writing there: wait for it"))
            }
            Err(Unusable::Stale) => Err(failed(io::Error::other("its journal cannot be replaced"))),
            Err(Unusable::Io(error)) => Err(failed(error)),
        }
    }

    /// Where the output grows.
    pub(super) fn tree(&self) -> PathBuf {
        self.folder.join("tree")
    }

    /// Where pixels wait that are needed for a while.
    pub(super) fn scratch(&self) -> &Path {
        &self.folder
    }

    /// Gives the output its name, when all of it is on disk.
    pub(super) fn publish(self, out: &Path, progress: &dyn Progress) -> Result<(), OmeZarrError> {
        let failed = |error: io::Error| OmeZarrError::write(out, error);
        let whole = if is_archive(out) { self.pack(progress)? } else { self.tree() };
        check_free(out)?;
        if whole.is_dir() {
            sync_folders(&whole).map_err(failed)?;
        }
        fs::rename(whole, out).map_err(failed)?;
        if let Some(parent) = out.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            File::open(parent).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        fs::remove_dir_all(&self.folder).map_err(|error| OmeZarrError::write(&self.folder, error))
    }

    /// Packs the output into one file.
    fn pack(&self, progress: &dyn Progress) -> Result<PathBuf, OmeZarrError> {
        let path = self.folder.join("packed.ozx");
        let failed = |error: io::Error| OmeZarrError::write(&path, error);
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&path).map_err(failed)?);
        zip::pack(&FolderSource::new(self.tree())?, "", &mut file, progress)?;
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_data().map_err(failed)?;
        Ok(path)
    }
}

fn is_archive(out: &Path) -> bool {
    out.extension().is_some_and(|extension| extension == "ozx")
}

/// All files are on disk; now their names are too.
fn sync_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    File::open(folder)?.sync_all()
}
