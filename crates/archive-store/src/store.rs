//! The object store below, with the few operations this crate needs of it.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart, path::Path};

use crate::{disk::Disk, error::ArchiveError};

/// One part of a multipart upload, in bytes; also what is held in memory before one begins.
pub(crate) const PART: usize = 8 * 1024 * 1024;
/// How many parts may be under way at once.
pub(crate) const PARTS_UNDER_WAY: usize = 2;
/// S3 copies objects up to 5 GiB on its side; larger ones pass through here.
const MAX_SERVER_COPY: u64 = 5 * 1024 * 1024 * 1024;

/// The place everything is kept in.
#[derive(Clone)]
pub(crate) struct Store {
    objects: Arc<dyn ObjectStore>,
    links: Arc<dyn ObjectStore>,
    disk: Option<Disk>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.objects)
    }
}

impl Store {
    /// A store; `disk` is the folder it keeps its files in, when it is local.
    pub(crate) fn new(objects: Arc<dyn ObjectStore>, disk: Option<Disk>) -> Self {
        Self { links: objects.clone(), objects, disk }
    }

    /// Makes copies through another handle on the same place.
    pub(crate) fn with_links(self, links: Arc<dyn ObjectStore>) -> Self {
        Self { links, ..self }
    }

    /// The object store itself.
    pub(crate) fn objects(&self) -> &Arc<dyn ObjectStore> {
        &self.objects
    }

    /// The folder below, when there is one.
    pub(crate) fn disk(&self) -> Option<&Disk> {
        self.disk.as_ref()
    }

    /// The whole object.
    pub(crate) async fn get(&self, path: &Path) -> Result<Bytes, ArchiveError> {
        let result = self.objects.get(path).await.map_err(ArchiveError::storage("read", path))?;
        result.bytes().await.map_err(ArchiveError::storage("read", path))
    }

    /// The whole object, or nothing when there is none.
    pub(crate) async fn find(&self, path: &Path) -> Result<Option<Bytes>, ArchiveError> {
        match self.get(path).await {
            Err(ArchiveError::NotFound { .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    /// The length of an object in bytes.
    pub(crate) async fn size(&self, path: &Path) -> Result<u64, ArchiveError> {
        Ok(self.objects.head(path).await.map_err(ArchiveError::storage("look up", path))?.size)
    }

    /// Whether the object is there.
    pub(crate) async fn holds(&self, path: &Path) -> Result<bool, ArchiveError> {
        match self.size(path).await {
            Err(ArchiveError::NotFound { .. }) => Ok(false),
            other => other.map(|_| true),
        }
    }

    /// Writes an object in one step, durably; what stood there is replaced.
    pub(crate) async fn put(&self, path: &Path, bytes: impl Into<Bytes>) -> Result<(), ArchiveError> {
        let bytes: Bytes = bytes.into();
        if bytes.len() <= PART || self.disk.is_some() {
            let put = self.objects.put(path, PutPayload::from_bytes(bytes)).await;
            put.map_err(ArchiveError::storage("write", path))?;
            return Ok(());
        }
        let upload = self.objects.put_multipart(path).await.map_err(ArchiveError::storage("write", path))?;
        let parts = stream::iter([Ok(bytes)]).boxed();
        write_parts(WriteMultipart::new_with_chunk_size(upload, PART), parts, path).await
    }

    /// Writes an object as its bytes come, in one step as far as readers see; what stood there is replaced.
    pub(crate) async fn put_stream(
        &self,
        path: &Path,
        bytes: stream::BoxStream<'_, Result<Bytes, ArchiveError>>,
    ) -> Result<(), ArchiveError> {
        let upload = self.objects.put_multipart(path).await.map_err(ArchiveError::storage("write", path))?;
        write_parts(WriteMultipart::new_with_chunk_size(upload, PART), bytes, path).await
    }

    /// Copies an object: a hard link on a local disk, on the server's side elsewhere.
    pub(crate) async fn copy(&self, from: &Path, to: &Path, size: u64) -> Result<(), ArchiveError> {
        if self.disk.is_none() && size > MAX_SERVER_COPY {
            return self.copy_through(from, to).await;
        }
        self.links.copy(from, to).await.map_err(ArchiveError::storage("copy", from))
    }

    /// Copies an object by reading and writing it, with bounded memory.
    async fn copy_through(&self, from: &Path, to: &Path) -> Result<(), ArchiveError> {
        let read = self.objects.get(from).await.map_err(ArchiveError::storage("copy", from))?;
        // S3 takes at most 10,000 parts.
        let part = PART.max(usize::try_from(read.meta.size / 9_000).unwrap_or(PART));
        let upload = self.objects.put_multipart(to).await.map_err(ArchiveError::storage("copy", to))?;
        let source = from.to_string();
        let bytes = read.into_stream().map_err(move |error| ArchiveError::storage("copy", &source)(error)).boxed();
        write_parts(WriteMultipart::new_with_chunk_size(upload, part), bytes, to).await
    }

    /// Moves an object to another name.
    pub(crate) async fn rename(&self, from: &Path, to: &Path, size: u64) -> Result<(), ArchiveError> {
        if self.disk.is_none() && size > MAX_SERVER_COPY {
            self.copy_through(from, to).await?;
            return self.delete(vec![from.clone()]).await;
        }
        self.objects.rename(from, to).await.map_err(ArchiveError::storage("move", from))
    }

    /// Removes objects; those already gone are no error.
    pub(crate) async fn delete(&self, paths: Vec<Path>) -> Result<(), ArchiveError> {
        let first = paths.first().map(ToString::to_string).unwrap_or_default();
        let mut deleted = self.objects.delete_stream(stream::iter(paths).map(Ok).boxed());
        while let Some(outcome) = deleted.next().await {
            match outcome {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(ArchiveError::storage("remove", first)(error)),
            }
        }
        Ok(())
    }

    /// Everything below a folder, at any depth.
    pub(crate) async fn list(&self, folder: &Path) -> Result<Vec<ObjectMeta>, ArchiveError> {
        self.objects.list(Some(folder)).try_collect().await.map_err(ArchiveError::storage("list", folder))
    }

    /// The names of the folders directly in a folder.
    pub(crate) async fn folders(&self, folder: &Path) -> Result<Vec<String>, ArchiveError> {
        let listed = self.objects.list_with_delimiter(Some(folder)).await;
        let listed = match listed.map_err(ArchiveError::storage("list", folder)) {
            Err(ArchiveError::NotFound { .. }) => return Ok(Vec::new()),
            other => other?,
        };
        Ok(listed.common_prefixes.iter().filter_map(|path| path.filename().map(str::to_owned)).collect())
    }
}

async fn write_parts(
    mut upload: WriteMultipart,
    mut bytes: stream::BoxStream<'_, Result<Bytes, ArchiveError>>,
    to: &Path,
) -> Result<(), ArchiveError> {
    while let Some(piece) = bytes.next().await {
        let ready = match piece {
            Ok(piece) => {
                upload.put(piece);
                let ready = upload.wait_for_capacity(PARTS_UNDER_WAY).await;
                ready.map_err(ArchiveError::storage("write", to))
            }
            Err(error) => Err(error),
        };
        if let Err(error) = ready {
            abandon(upload, to).await;
            return Err(error);
        }
    }
    upload.finish().await.map_err(ArchiveError::storage("write", to))?;
    Ok(())
}

/// Gives an upload up; the first error is the one to report, so this one is only logged.
pub(crate) async fn abandon(upload: WriteMultipart, path: &Path) {
    if let Err(error) = upload.abort().await {
        tracing::warn!(%path, %error, "an unfinished upload could not be removed");
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    #[tokio::test]
    async fn an_object_too_large_for_the_server_is_copied_through() {
        let store = Store::new(Arc::new(InMemory::new()), None);
        let bytes: Vec<u8> = (0..2 * PART + 5).map(|at| (at % 251) as u8).collect();
        store.put(&Path::from("a"), bytes.clone()).await.unwrap();
        store.copy_through(&Path::from("a"), &Path::from("b")).await.unwrap();
        assert_eq!(store.get(&Path::from("b")).await.unwrap(), bytes);
    }

    #[tokio::test]
    async fn removing_what_is_gone_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let local = object_store::local::LocalFileSystem::new_with_prefix(folder.path()).unwrap();
        let store = Store::new(Arc::new(local), Some(Disk::new(folder.path().to_owned())));
        store.put(&Path::from("a/b"), "x").await.unwrap();
        store.delete(vec![Path::from("a/gone"), Path::from("a/b")]).await.unwrap();
        assert!(!store.holds(&Path::from("a/b")).await.unwrap());
    }
}
