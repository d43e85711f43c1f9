use std::io::Write;

use bytes::Bytes;
use dataset_model::FilePath;
use serde_json::Value;

use super::{
    layout::{Piece, VirtualZip, ZipFile},
    member, records,
};
use crate::{
    error::OmeZarrError,
    progress::Progress,
    source::{FileSource, SourceError, join},
};

/// What is read at once, in bytes; files up to this length are read once, longer ones twice.
const READ: u64 = 8 << 20;
/// Metadata larger than this is not OME-Zarr's.
const MAX_DOCUMENT_BYTES: u64 = 16 << 20;

/// An archive that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packed {
    /// Files in it.
    pub files: u64,
    /// Its length in bytes.
    pub bytes: u64,
}

/// Writes the OME-Zarr 0.5 hierarchy in a folder of a source (`""` is its root) as an `.ozx` (RFC-9): the bytes of
/// [`VirtualZip`], which are a function of the content.
///
/// Progress counts the bytes of the source's files.
///
/// # Errors
/// [`OmeZarrError::Metadata`] when the folder is no Zarr 3 hierarchy, or holds what RFC-9 forbids; when the source cannot be
/// read or `out` written; [`OmeZarrError::Cancelled`].
pub fn pack(
    source: &dyn FileSource,
    folder: &str,
    out: &mut dyn Write,
    progress: &dyn Progress,
) -> Result<Packed, OmeZarrError> {
    let version = version_of(source, folder)?;
    let mut zip = VirtualZip::new(files_of(source, folder)?, &version);
    let mut done = 0;
    let total = zip.files().iter().map(|file| file.size).sum();
    for index in 0..zip.files().len() {
        let Some(file) = zip.files().get(index).cloned() else { break };
        let path = join(folder, file.path.as_str());
        let kept = if file.size <= READ { Some(source.read(&path, 0..file.size)?) } else { None };
        let crc32 = match &kept {
            Some(bytes) => crc32fast::hash(bytes),
            None => checksum(source, &path, file.size)?,
        };
        let header = records::write_local(file.path.as_str(), file.size, crc32);
        write(out, &header)?;
        match kept {
            Some(bytes) => write(out, &bytes)?,
            None => read_in_pieces(source, &path, file.size, |bytes| write(out, &bytes))?,
        }
        zip.set_crc32(index, crc32);
        done += file.size;
        progress.advance(done, total);
        if progress.is_cancelled() {
            return Err(OmeZarrError::Cancelled);
        }
    }
    for piece in zip.pieces(zip.list_start()..zip.size()) {
        if let Piece::Literal(bytes) = piece {
            write(out, &bytes)?;
        }
    }
    out.flush().map_err(|error| not_written(&error))?;
    Ok(Packed { files: zip.files().len() as u64, bytes: zip.size() })
}

/// The OME-Zarr version of a hierarchy that RFC-9 can hold.
fn version_of(source: &dyn FileSource, folder: &str) -> Result<String, OmeZarrError> {
    let path = join(folder, "zarr.json");
    let Some(size) = source.size(&path)? else {
        let reason = "it has no zarr.json: an .ozx holds OME-Zarr 0.5 (RFC-9); convert it to 0.5 first";
        return Err(OmeZarrError::metadata(folder, reason));
    };
    let bytes = source.read(&path, 0..size.min(MAX_DOCUMENT_BYTES))?;
    let document: Value =
        serde_json::from_slice(&bytes).map_err(|error| OmeZarrError::metadata(&path, error.to_string()))?;
    Ok(ome_version(&document).unwrap_or("0.5").to_owned())
}

pub(crate) fn ome_version(document: &Value) -> Option<&str> {
    document.pointer("/attributes/ome/version").and_then(Value::as_str)
}

fn files_of(source: &dyn FileSource, folder: &str) -> Result<Vec<ZipFile>, OmeZarrError> {
    let prefix = join(folder, "");
    let mut files = Vec::new();
    for path in source.list(folder)? {
        let name = path.strip_prefix(&prefix).unwrap_or(&path);
        let inner: FilePath = name.parse().map_err(|error| SourceError::new(&*path, error))?;
        if member::is_embedded(inner.as_str()) {
            let reason = "it is an archive within the image, which RFC-9 forbids: take it out first";
            return Err(OmeZarrError::metadata(&path, reason));
        }
        let size = source.size(&path)?.ok_or_else(|| SourceError::new(&*path, "it went away"))?;
        files.push(ZipFile { path: inner, size, crc32: 0 });
    }
    Ok(files)
}

fn checksum(source: &dyn FileSource, path: &str, size: u64) -> Result<u32, OmeZarrError> {
    let mut hasher = crc32fast::Hasher::new();
    read_in_pieces(source, path, size, |bytes| {
        hasher.update(&bytes);
        Ok(())
    })?;
    Ok(hasher.finalize())
}

fn read_in_pieces(
    source: &dyn FileSource,
    path: &str,
    size: u64,
    mut take: impl FnMut(Bytes) -> Result<(), OmeZarrError>,
) -> Result<(), OmeZarrError> {
    let mut at = 0;
    while at < size {
        let end = size.min(at + READ);
        take(source.read(path, at..end)?)?;
        at = end;
    }
    Ok(())
}

fn write(out: &mut dyn Write, bytes: &[u8]) -> Result<(), OmeZarrError> {
    out.write_all(bytes).map_err(|error| not_written(&error))
}

fn not_written(error: &std::io::Error) -> OmeZarrError {
    OmeZarrError::Write { path: "the archive".to_owned(), source: error.to_string().into() }
}
