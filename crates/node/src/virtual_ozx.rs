//! `.ozx` of an image as it is served: made from the list of files, with no file of its own.

use std::{
    collections::VecDeque,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use archive_store::{Archive, ArchiveError};
use bytes::Bytes;
use dataset_model::{DatasetId, Digest, Digester, FilePath, Manifest, ManifestFile, VersionNumber};
use futures::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use ome_zarr::zip::{Piece, VirtualZip, ZipFile};

use crate::{Actor, Node, NodeError, VersionChoice, documents::version_key};

/// Changes with the layout of the archives made here, so that no entity tag outlives one.
const LAYOUT: &str = "ozx-1";
/// Layouts kept, and the most files one of them may have.
const KEPT: usize = 4;
const KEPT_FILES: usize = 50_000;

/// An image of a version as one `.ozx`, to be read in any order.
#[derive(Clone)]
pub struct VirtualOzx {
    layout: Arc<Layout>,
    archive: Archive,
    /// Whether the address names this version, so that the answer never changes.
    pub immutable: bool,
}

/// How an image is laid out, and where its bytes are.
struct Layout {
    dataset: DatasetId,
    version: VersionNumber,
    folder: String,
    tag: Digest,
    zip: VirtualZip,
}

/// The layouts used last.
#[derive(Default)]
pub(crate) struct Layouts(Mutex<VecDeque<Arc<Layout>>>);

impl VirtualOzx {
    /// The length in bytes.
    pub fn size(&self) -> u64 {
        self.layout.zip.size()
    }

    /// What tells this archive from any other: a digest of the names, digests and order of its files.
    pub fn tag(&self) -> Digest {
        self.layout.tag
    }

    /// Streams a range (`start..end` in bytes).
    pub fn read(&self, range: Range<u64>) -> BoxStream<'static, Result<Bytes, ArchiveError>> {
        let (layout, archive) = (self.layout.clone(), self.archive.clone());
        let pieces = stream::unfold(range, move |range| {
            let layout = layout.clone();
            async move {
                let piece = layout.zip.pieces(range.clone()).next()?;
                let length = match &piece {
                    Piece::Literal(bytes) => bytes.len() as u64,
                    Piece::File { range, .. } => range.end - range.start,
                };
                Some(((layout, piece), range.start + length..range.end))
            }
        });
        pieces.then(move |(layout, piece)| bytes_of(archive.clone(), layout, piece)).try_flatten().boxed()
    }
}

async fn bytes_of(
    archive: Archive,
    layout: Arc<Layout>,
    piece: Piece,
) -> Result<BoxStream<'static, Result<Bytes, ArchiveError>>, ArchiveError> {
    match piece {
        Piece::Literal(bytes) => Ok(stream::iter([Ok(bytes)]).boxed()),
        Piece::File { index, range } => {
            let inner = layout.zip.files().get(index).map(|file| format!("{}/{}", layout.folder, file.path));
            let path = inner.and_then(|path| path.parse::<FilePath>().ok());
            let path = path.ok_or_else(|| ArchiveError::NotFound { what: "a file of the image".into() })?;
            Ok(archive.open_file(&layout.dataset, layout.version, &path).await?.read(range))
        }
    }
}

impl Node {
    /// Opens an image as one `.ozx`: `{image}.ozx`, where `{image}` is the image's folder with or without `.ome.zarr`.
    ///
    /// # Errors
    /// When there is no such image, it is not OME-Zarr 0.5, or the dataset was withdrawn.
    pub async fn open_ozx(
        self: &Arc<Self>,
        actor: &Actor,
        id: &DatasetId,
        choice: VersionChoice,
        path: &FilePath,
    ) -> Result<VirtualOzx, NodeError> {
        let (key, version) = self.own_version(actor, id, choice)?;
        let manifest = self.archive.manifest(&key.id, version).await.map_err(NodeError::Archive)?;
        let folder = image_folder(&manifest, path, "zarr.json").ok_or_else(|| {
            NodeError::NotFound(match image_folder(&manifest, path, ".zgroup") {
                Some(folder) => format!(
                    "'{folder}' is OME-Zarr 0.4, and an .ozx holds 0.5 (RFC-9): read it at /data/{id}/{version}/{folder}"
                ),
                None => format!("dataset '{id}' {version} has no file '{path}', and no image of that name"),
            })
        })?;
        let layout = match self.ozx_layouts.find(&key.id, version, &folder) {
            Some(layout) => layout,
            None => self.lay_out(key.id, version, &manifest, folder).await?,
        };
        let immutable = choice != VersionChoice::Latest;
        Ok(VirtualOzx { layout, archive: self.archive.clone(), immutable })
    }

    async fn lay_out(
        self: &Arc<Self>,
        dataset: DatasetId,
        version: VersionNumber,
        manifest: &Arc<Manifest>,
        folder: String,
    ) -> Result<Arc<Layout>, NodeError> {
        let inner = |file: &ManifestFile| file.path.as_str().strip_prefix(&format!("{folder}/"))?.parse().ok();
        let checksums = self.checksums_of_image(&dataset, version, manifest, &folder).await?;
        let mut digester = Digester::default();
        digester.update(LAYOUT.as_bytes());
        let mut files = Vec::new();
        for (file, crc32) in manifest.below(&folder).zip(checksums) {
            let Some(path) = inner(file) else { continue };
            digester.update(format!("\n{path}\0{}\0{}", file.size, file.sha256).as_bytes());
            files.push(ZipFile { path, size: file.size, crc32 });
        }
        let format = self.version_of_image(&dataset, version, &folder)?;
        digester.update(format!("\n{format}").as_bytes());
        let zip = VirtualZip::new(files, &format);
        let layout = Arc::new(Layout { dataset, version, folder, tag: digester.finish(), zip });
        self.ozx_layouts.keep(layout.clone());
        Ok(layout)
    }

    /// The OME-Zarr version of an image or, for a plate or series, of the first image in it.
    fn version_of_image(&self, dataset: &DatasetId, version: VersionNumber, folder: &str) -> Result<String, NodeError> {
        let records = self.image_records().get(&version_key(dataset, version))?.unwrap_or_default();
        let within =
            |path: &str| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let record = records.into_iter().find(|record| within(&record.path));
        Ok(record.map_or_else(|| "0.5".to_owned(), |record| record.version))
    }

    /// The CRC-32 of each file of a version, in the order of its manifest, as far as they are known.
    pub(crate) fn checksums_of_version(
        &self,
        dataset: &DatasetId,
        version: VersionNumber,
        manifest: &Manifest,
    ) -> Result<Vec<Option<u32>>, NodeError> {
        let known = self.checksums().get(&version_key(dataset, version))?.unwrap_or_default();
        let count = manifest.files().len();
        Ok(if known.len() == count { known } else { vec![None; count] })
    }

    /// The CRC-32 of each file of an image, in order of path. Those of versions older than this are computed once.
    async fn checksums_of_image(
        self: &Arc<Self>,
        dataset: &DatasetId,
        version: VersionNumber,
        manifest: &Arc<Manifest>,
        folder: &str,
    ) -> Result<Vec<u32>, NodeError> {
        let range = range_below(manifest, folder);
        let of_image = |known: &[Option<u32>]| known.get(range.clone())?.iter().copied().collect::<Option<Vec<u32>>>();
        if let Some(known) = of_image(&self.checksums_of_version(dataset, version, manifest)?) {
            return Ok(known);
        }
        let (node, dataset, manifest) = (self.clone(), dataset.clone(), manifest.clone());
        let wanted = range.clone();
        // In a task of its own: a sender that gives up does not throw away what was computed.
        let task = tokio::spawn(async move { node.compute_checksums(&dataset, version, &manifest, wanted).await });
        let known = task.await.map_err(|error| NodeError::Internal(format!("computing checksums: {error}")))??;
        of_image(&known).ok_or_else(|| NodeError::Internal("a checksum could not be computed".into()))
    }

    async fn compute_checksums(
        &self,
        dataset: &DatasetId,
        version: VersionNumber,
        manifest: &Manifest,
        wanted: Range<usize>,
    ) -> Result<Vec<Option<u32>>, NodeError> {
        let _turn = self.checksumming.lock().await;
        let mut known = self.checksums_of_version(dataset, version, manifest)?;
        for (file, crc32) in manifest.files().iter().zip(&mut known).take(wanted.end).skip(wanted.start) {
            if crc32.is_none() {
                *crc32 = Some(self.crc32_of(dataset, version, file).await?);
            }
        }
        self.ledger.write(vec![self.checksums().put(&version_key(dataset, version), &known)?])?;
        Ok(known)
    }

    async fn crc32_of(
        &self,
        dataset: &DatasetId,
        version: VersionNumber,
        file: &ManifestFile,
    ) -> Result<u32, NodeError> {
        let blob = self.archive.open_file(dataset, version, &file.path).await.map_err(NodeError::Archive)?;
        let mut pieces = blob.read(0..blob.size());
        let mut hasher = crc32fast::Hasher::new();
        while let Some(piece) = pieces.try_next().await.map_err(NodeError::Archive)? {
            hasher.update(&piece);
        }
        Ok(hasher.finalize())
    }
}

impl Layouts {
    fn find(&self, dataset: &DatasetId, version: VersionNumber, folder: &str) -> Option<Arc<Layout>> {
        let layouts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same =
            |layout: &&Arc<Layout>| layout.dataset == *dataset && layout.version == version && layout.folder == folder;
        layouts.iter().find(same).cloned()
    }

    fn keep(&self, layout: Arc<Layout>) {
        if layout.zip.files().len() > KEPT_FILES {
            return;
        }
        let mut layouts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        layouts.push_front(layout);
        layouts.truncate(KEPT);
    }
}

/// The folder that `{image}.ozx` stands for: one with Zarr 3 metadata. Any group of a hierarchy is one by itself.
fn image_folder(manifest: &Manifest, path: &FilePath, metadata: &str) -> Option<String> {
    let stem = path.as_str().strip_suffix(".ozx")?;
    let names = [stem.to_owned(), format!("{stem}.ome.zarr"), format!("{stem}.zarr")];
    names.into_iter().find(|folder| {
        let metadata = format!("{folder}/{metadata}").parse();
        metadata.is_ok_and(|metadata| manifest.find(&metadata).is_some())
    })
}

/// Which files of a manifest lie below a folder.
fn range_below(manifest: &Manifest, folder: &str) -> Range<usize> {
    let prefix = format!("{folder}/");
    let start = manifest.files().partition_point(|file| file.path.as_str() < prefix.as_str());
    start..start + manifest.below(folder).count()
}

#[cfg(test)]
mod tests {
    use ome_zarr::sample;

    use super::*;
    use crate::{NewDraft, NodeConfig};

    const CRATE: &str = r##"{"@context": "https://w3id.org/ro/crate/1.2/context", "@graph": [
        {"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"},
         "conformsTo": {"@id": "https://w3id.org/ro/crate/1.2"}},
        {"@id": "./", "@type": "Dataset", "name": "Cells", "description": "Cells", "datePublished": "2026-11-21",
         "license": {"@id": "https://creativecommons.org/licenses/by/4.0/"}, "author": {"@id": "#me"},
         "about": {"@id": "#taxon"}, "measurementMethod": {"@id": "http://purl.obolibrary.org/obo/FBbi_00000246"}},
        {"@id": "#me", "@type": "Person", "name": "Ada Example"},
        {"@id": "#taxon", "@type": "Taxon", "scientificName": "Homo sapiens"},
        {"@id": "http://purl.obolibrary.org/obo/FBbi_00000246", "@type": "DefinedTerm", "name": "fluorescence microscopy"}]}"##;

    /// A node with one published image.
    async fn published(folder: &std::path::Path) -> (Arc<Node>, DatasetId) {
        let node = Node::open(NodeConfig::in_folder(folder)).await.unwrap();
        let new = NewDraft { crate_json: Some(CRATE.into()), ..NewDraft::default() };
        let draft = node.create_draft(&Actor::Operator, new).unwrap();
        let image = sample::write(folder, sample::Kind::Cells, 1).unwrap();
        let mut bytes = Vec::new();
        let source = ome_zarr::FolderSource::new(&image).unwrap();
        ome_zarr::zip::pack(&source, "", &mut bytes, &ome_zarr::Unwatched).unwrap();
        let upload = crate::ArchiveUpload { name: Some("cells.ozx".into()), ..crate::ArchiveUpload::default() };
        let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from(bytes))]);
        node.put_draft_archive(&Actor::Operator, &draft.id, upload, body).await.unwrap();
        let background = node.start();
        node.publish(&Actor::Operator, &draft.id).await.unwrap();
        background.stop().await;
        (node, draft.id)
    }

    async fn whole(node: &Arc<Node>, id: &DatasetId) -> (Vec<u8>, Digest) {
        let path = "cells.ozx".parse().unwrap();
        let ozx = node.open_ozx(&Actor::Anonymous, id, VersionChoice::Latest, &path).await.unwrap();
        let pieces: Vec<Bytes> = ozx.read(0..ozx.size()).try_collect().await.unwrap();
        (pieces.concat(), ozx.tag())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn checksums_that_were_never_kept_are_computed_once_and_then_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (node, id) = published(folder.path()).await;
        let kept = whole(&node, &id).await;
        let key = version_key(&id, VersionNumber::FIRST);
        let known = node.checksums().get(&key).unwrap().unwrap();
        node.ledger.write(vec![node.checksums().remove(&key)]).unwrap();
        node.ozx_layouts.0.lock().unwrap().clear();
        assert_eq!(whole(&node, &id).await, kept);
        let again = node.checksums().get(&key).unwrap().unwrap();
        let of_image = |known: &[Option<u32>]| known.iter().flatten().count();
        assert_eq!(of_image(&again), of_image(&known), "one for each file of the image: {again:?}");
        // With a wrong number kept, nothing is read to find out: that is what keeping them is for.
        let wrong: Vec<Option<u32>> = again.iter().map(|crc32| crc32.map(|crc32| crc32 ^ 1)).collect();
        node.ledger.write(vec![node.checksums().put(&key, &wrong).unwrap()]).unwrap();
        node.ozx_layouts.0.lock().unwrap().clear();
        assert_ne!(whole(&node, &id).await.0, kept.0);
    }
}
