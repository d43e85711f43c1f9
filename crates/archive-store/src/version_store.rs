use std::{
    collections::BTreeSet,
    fmt,
    ops::Range,
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use dataset_model::{DatasetId, FilePath, ManifestFile, VersionNumber};
use futures::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use object_store::{
    Attributes, CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, path::Path,
};

use crate::{Archive, ArchiveError, index::VersionIndex};

const NAME: &str = "a version of the archive";

impl Archive {
    /// One version as a read-only object store over its files' own paths, for any library that reads object stores.
    ///
    /// Paths are taken literally: make them with [`Path::parse`]. The ETag of a file is its SHA-256 digest in quotes,
    /// its time that of the version. Whether the version exists shows at the first request.
    pub fn version_store(&self, dataset: &DatasetId, version: VersionNumber) -> Arc<dyn ObjectStore> {
        Arc::new(VersionStore { archive: self.clone(), dataset: dataset.clone(), version })
    }
}

#[derive(Debug, Clone)]
struct VersionStore {
    archive: Archive,
    dataset: DatasetId,
    version: VersionNumber,
}

impl fmt::Display for VersionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({} {})", self.dataset, self.version)
    }
}

impl VersionStore {
    async fn index(&self) -> Result<Arc<VersionIndex>> {
        self.archive.index(&self.dataset, self.version).await.map_err(translate)
    }

    async fn metas(&self, prefix: Option<Path>) -> Result<Vec<ObjectMeta>> {
        let index = self.index().await?;
        let metas = index.manifest().files().iter().map(|file| meta(file, &index));
        let inside = |path: &Path| prefix.as_ref().is_none_or(|prefix| path != prefix && path.prefix_matches(prefix));
        metas.filter(|meta| meta.as_ref().map_or(true, |meta| inside(&meta.location))).collect()
    }
}

#[async_trait]
impl ObjectStore for VersionStore {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let path: FilePath = location.as_ref().parse().map_err(|error| absent(location, error))?;
        let index = self.index().await?;
        let (_, file) = index.find(&path).ok_or_else(|| absent(location, "the version has no such file"))?;
        let meta = meta(file, &index)?;
        options.check_preconditions(&meta)?;
        let range = bounded(options.range.as_ref(), meta.size)?;
        let bytes = if options.head {
            stream::empty().boxed()
        } else {
            let blob = self.archive.open_file(&self.dataset, self.version, &path).await.map_err(translate)?;
            blob.read(range.clone()).map_err(translate).boxed()
        };
        Ok(GetResult {
            payload: GetResultPayload::Stream(bytes),
            meta,
            range,
            attributes: Attributes::new(),
            extensions: Default::default(),
        })
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (store, prefix) = (self.clone(), prefix.cloned());
        let listed = async move { Ok::<_, Error>(stream::iter(store.metas(prefix).await?).map(Ok)) };
        stream::once(listed).try_flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let folder = prefix.cloned().unwrap_or_default();
        let mut common_prefixes = BTreeSet::new();
        let mut objects = Vec::new();
        for meta in self.metas(prefix.cloned()).await? {
            let mut names = meta.location.prefix_match(&folder).into_iter().flatten();
            match (names.next(), names.next()) {
                (Some(name), Some(_)) => {
                    let below = if folder.is_root() { String::new() } else { format!("{folder}/") };
                    common_prefixes.insert(Path::parse(format!("{below}{}", name.as_ref()))?);
                }
                _ => objects.push(meta.clone()),
            }
        }
        Ok(ListResult {
            common_prefixes: common_prefixes.into_iter().collect(),
            objects,
            extensions: Default::default(),
        })
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(read_only())
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(read_only())
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        stream::iter([Err(read_only())]).boxed()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(read_only())
    }
}

fn meta(file: &ManifestFile, index: &VersionIndex) -> Result<ObjectMeta> {
    let seconds = u64::try_from(index.created().unix_seconds()).unwrap_or(0);
    Ok(ObjectMeta {
        location: Path::parse(file.path.as_str())?,
        last_modified: (SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).into(),
        size: file.size,
        e_tag: Some(format!("\"{}\"", file.sha256)),
        version: None,
    })
}

/// A requested range cut to the length of a file, as object stores do.
fn bounded(range: Option<&GetRange>, size: u64) -> Result<Range<u64>> {
    match range {
        None => Ok(0..size),
        Some(GetRange::Suffix(length)) => Ok(size.saturating_sub(*length)..size),
        Some(GetRange::Offset(start)) if *start < size => Ok(*start..size),
        Some(GetRange::Bounded(range)) if range.start < range.end && range.start < size => {
            Ok(range.start..range.end.min(size))
        }
        Some(range) => Err(generic(format!("{range} is no range of a file of {size} bytes"))),
    }
}

fn translate(error: ArchiveError) -> Error {
    match error {
        ArchiveError::NotFound { what } => Error::NotFound { path: what, source: "not in the archive".into() },
        error => generic(error),
    }
}

fn absent(path: &Path, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::NotFound { path: path.to_string(), source: why.into() }
}

fn generic(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Generic { store: NAME, source: source.into() }
}

fn read_only() -> Error {
    Error::NotSupported { source: "a published version never changes: commit a new one".into() }
}
