//! Listings that lie on this machine: a folder of crates, and an archive of one.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use ome_zarr::zip::{ArchiveLimits, unpack};

use super::{
    Listing, ListingItem,
    items::{Hung, Out},
};
use crate::NodeError;

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
            let item = item(name.to_string_lossy().into_owned(), || File::open(&path), most);
            if out.blocking_item(item).is_err() {
                return Ok(Err(Hung));
            }
        }
    }
    Ok(Ok(()))
}

/// The JSON files of a ZIP or tar archive. It is read twice, first to its end: what an archive that turns out to be broken
/// or hostile holds is not taken.
pub fn listing_of_zip(archive: &Path, most: u64) -> Listing {
    let (out, listing) = Listing::new();
    let archive = archive.to_owned();
    tokio::task::spawn_blocking(move || {
        let limits = ArchiveLimits { entries: 1_000_000, total_bytes: 64 << 30, ..ArchiveLimits::default() };
        let outcome = read_archive(&archive, &limits, &mut |_, content| io::copy(content, &mut io::sink()).map(drop))
            .and_then(|()| {
                read_archive(&archive, &limits, &mut |path, content| {
                    if !is_crate_file(Path::new(path)) || path.split('/').any(|name| name.starts_with('.')) {
                        return io::copy(content, &mut io::sink()).map(drop);
                    }
                    let reader: &mut dyn Read = &mut *content;
                    let item = item(path.to_owned(), move || Ok(reader), most);
                    io::copy(content, &mut io::sink())?;
                    out.blocking_item(item).map_err(|Hung| io::Error::other("nobody waits for it"))
                })
            });
        match outcome {
            Ok(()) => _ = out.blocking_item(ListingItem::End),
            Err(error) => out.blocking_broken(error),
        }
    });
    listing
}

fn read_archive(
    archive: &Path,
    limits: &ArchiveLimits,
    sink: &mut dyn FnMut(&str, &mut dyn Read) -> io::Result<()>,
) -> Result<(), NodeError> {
    let unreadable = |error: io::Error| NodeError::Invalid(format!("{} cannot be read: {error}", archive.display()));
    let file = io::BufReader::new(File::open(archive).map_err(unreadable)?);
    unpack(file, None, limits, &mut |path, content| Ok(sink(path.as_str(), content)?))?;
    Ok(())
}

/// A file as an item: its text, or why there is none.
fn item<R: Read>(path: String, open: impl FnOnce() -> io::Result<R>, most: u64) -> ListingItem {
    let mut bytes = Vec::new();
    match open().and_then(|file| file.take(most + 1).read_to_end(&mut bytes)) {
        Ok(_) if bytes.len() as u64 > most => {
            ListingItem::Unreadable { path, why: format!("larger than {most} bytes") }
        }
        Ok(_) => match std::str::from_utf8(&bytes) {
            Ok(_) => ListingItem::Crate { path, bytes: bytes.into(), stamp: None },
            Err(error) => ListingItem::Unreadable { path, why: format!("it is no UTF-8 text: {error}") },
        },
        Err(error) => ListingItem::Unreadable { path, why: format!("it cannot be read: {error}") },
    }
}

fn is_crate_file(path: &Path) -> bool {
    matches!(path.extension().and_then(|extension| extension.to_str()), Some("json" | "jsonld"))
}
