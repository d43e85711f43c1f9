//! Depositing archives: looked through here first, so that what the node has is not sent, and what it would refuse neither.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use dataset_model::{Digest, Digester};
use indicatif::ProgressBar;
use ome_zarr::zip::{ArchiveKind, ArchiveLimits, unpack};

use super::{
    deposit::{Hashed, progress},
    plan::{LocalFile, Plan},
};

/// The RO-Crate of a deposit, which is none of its files.
const CRATE_FILE: &str = "ro-crate-metadata.json";

/// An archive with its digest.
pub(crate) struct HashedArchive {
    pub(crate) at: PathBuf,
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) sha256: Digest,
}

/// Whether a path is deposited as an archive.
pub(crate) fn is_archive(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    path.is_file() && name.is_some_and(|name| ArchiveKind::of_name(name).is_some())
}

/// Looks through every archive of a plan, one after the other; gives their files beside them, where they will be in the
/// dataset.
pub(crate) async fn hash_archives(plan: &Plan) -> Result<(Vec<HashedArchive>, Vec<Hashed>)> {
    let archives = plan.archives()?;
    let bar = progress("reading", archives.iter().map(|(_, size)| size).sum(), plan.quiet);
    let (mut hashed, mut files) = (Vec::new(), Vec::new());
    for (at, size) in archives {
        let bar = bar.clone();
        let (archive, packed) = tokio::task::spawn_blocking(move || hash_archive(at, size, bar)).await??;
        hashed.push(archive);
        files.extend(packed);
    }
    bar.finish_and_clear();
    Ok((hashed, files))
}

fn hash_archive(at: PathBuf, size: u64, bar: ProgressBar) -> Result<(HashedArchive, Vec<Hashed>)> {
    let shown = at.display().to_string();
    let name = at.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let file = File::open(&at).with_context(|| shown.clone())?;
    let mut reader = Hashing { file, digester: Digester::default(), bar };
    let mut entries = Vec::new();
    let unpacked = unpack(&mut reader, Some(&name), &ArchiveLimits::default(), &mut |path, content| {
        let mut digester = Digester::default();
        let mut buffer = vec![0; 1 << 16];
        let mut size = 0;
        loop {
            let count = content.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            digester.update(&buffer[..count]);
            size += count as u64;
        }
        entries.push((path.clone(), size, digester.finish()));
        Ok(())
    });
    let unpacked = unpacked.with_context(|| shown.clone())?;
    let folder = unpacked.folder(None, Some(&name));
    let mut files = Vec::new();
    for (path, size, sha256) in entries.into_iter().filter(|(path, ..)| path.as_str() != CRATE_FILE) {
        let path = match &folder {
            Some(folder) => format!("{folder}/{path}").parse().with_context(|| shown.clone())?,
            None => path,
        };
        files.push(Hashed { file: LocalFile { at: at.clone(), path, size }, sha256 });
    }
    Ok((HashedArchive { sha256: reader.digester.finish(), at, name, size }, files))
}

/// A file that is hashed as it is read.
struct Hashing {
    file: File,
    digester: Digester,
    bar: ProgressBar,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.digester.update(buffer.get(..count).unwrap_or_default());
        self.bar.inc(count as u64);
        Ok(count)
    }
}
