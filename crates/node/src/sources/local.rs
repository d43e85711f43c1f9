//! Listings that lie on this machine: a folder of crates, and an archive of one.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use ome_zarr::{
    FileSource, SourceError,
    zip::{ArchiveLimits, LocalFile, ZipSource},
};

use super::{
    Listing, ListingItem,
    items::{Hung, Out},
};
use crate::{NodeError, harvest::sentence};

/// Folders in folders.
const MAX_DEPTH: usize = 64;

/// Which files of a folder are of the listing.
#[derive(Debug, Clone, Default)]
pub enum FolderChoice {
    /// All of them.
    #[default]
    All,
    /// Those of these paths, from the folder: what a checkout tracks.
    Only(HashSet<PathBuf>),
}

/// The JSON files of a folder and below, in order of their names; hidden files and folders are left out, and links are not
/// followed. A folder that cannot be read breaks the listing off: it would not be complete.
pub fn listing_of_folder(folder: &Path, choice: FolderChoice, most: u64) -> Listing {
    let (out, listing) = Listing::new();
    let folder = folder.to_owned();
    tokio::task::spawn_blocking(move || {
        let end = match read_folder(&out, &folder, (&folder, 0), &choice, most) {
            Ok(Ok(())) => out.blocking_item(ListingItem::End),
            Ok(Err(Hung)) => return,
            Err(error) => {
                let text = format!("the folder {} cannot be read: {error}", folder.display());
                return out.blocking_broken(NodeError::Invalid(text));
            }
        };
        if end.is_err() {
            tracing::debug!("nobody waits for the end of a listing");
        }
    });
    listing
}

fn read_folder(
    out: &Out,
    root: &Path,
    (folder, depth): (&Path, usize),
    choice: &FolderChoice,
    most: u64,
) -> io::Result<Result<(), Hung>> {
    if depth > MAX_DEPTH {
        return Err(io::Error::other(format!("{} is nested too deep", folder.display())));
    }
    let mut entries = std::fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type()?);
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            if let Err(Hung) = read_folder(out, root, (&path, depth + 1), choice, most)? {
                return Ok(Err(Hung));
            }
            continue;
        }
        let name = path.strip_prefix(root).unwrap_or(&path);
        let chosen = match choice {
            FolderChoice::All => true,
            FolderChoice::Only(only) => only.contains(name),
        };
        if kind.is_file() && chosen && is_crate_file(&path) {
            let item = item(name.to_string_lossy().into_owned(), &path, most);
            if out.blocking_item(item).is_err() {
                return Ok(Err(Hung));
            }
        }
    }
    Ok(Ok(()))
}

/// The JSON files of a ZIP, in order of their names. Its list of files stands at its end and is checked first: an archive that was
/// cut off, or is a bomb, gives nothing.
pub fn listing_of_zip(archive: &Path, most: u64) -> Listing {
    let (out, listing) = Listing::new();
    let archive = archive.to_owned();
    tokio::task::spawn_blocking(move || match read_zip(&out, &archive, most) {
        Ok(Ok(())) => _ = out.blocking_item(ListingItem::End),
        Ok(Err(Hung)) => {}
        Err(error) => out.blocking_broken(error),
    });
    listing
}

fn read_zip(out: &Out, archive: &Path, most: u64) -> Result<Result<(), Hung>, NodeError> {
    let unreadable =
        |error: SourceError| NodeError::Invalid(format!("the archive cannot be read: {}", sentence(&error)));
    let limits = ArchiveLimits { entries: 1_000_000, ..ArchiveLimits::default() };
    let file = LocalFile::open(archive).map_err(unreadable)?;
    let zip = ZipSource::over(Box::new(file), &limits)?;
    for path in zip.list("").map_err(unreadable)? {
        if !is_crate_file(Path::new(&path)) || path.split('/').any(|name| name.starts_with('.')) {
            continue;
        }
        let size = zip.size(&path).map_err(unreadable)?.unwrap_or_default();
        let read = if size > most { Ok(None) } else { zip.read(&path, 0..size).map(Some) };
        let item = match read {
            Ok(Some(bytes)) => crate_of(path, bytes),
            Ok(None) => ListingItem::Unreadable { path, why: format!("larger than {most} bytes") },
            Err(error) => ListingItem::Unreadable { path, why: sentence(&error) },
        };
        if out.blocking_item(item).is_err() {
            return Ok(Err(Hung));
        }
    }
    Ok(Ok(()))
}

/// A file as an item: its text, or why there is none.
fn item(path: String, file: &Path, most: u64) -> ListingItem {
    let mut bytes = Vec::new();
    match File::open(file).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)) {
        Ok(_) if bytes.len() as u64 > most => {
            ListingItem::Unreadable { path, why: format!("larger than {most} bytes") }
        }
        Ok(_) => crate_of(path, bytes.into()),
        Err(error) => ListingItem::Unreadable { path, why: format!("it cannot be read: {error}") },
    }
}

fn crate_of(path: String, bytes: Bytes) -> ListingItem {
    match std::str::from_utf8(&bytes) {
        Ok(_) => ListingItem::Crate { path, bytes, stamp: None },
        Err(error) => ListingItem::Unreadable { path, why: format!("it is no UTF-8 text: {error}") },
    }
}

fn is_crate_file(path: &Path) -> bool {
    matches!(path.extension().and_then(|extension| extension.to_str()), Some("json" | "jsonld"))
}
