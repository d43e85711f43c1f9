//! What pictures are made of: an image or a plate of a published version, and the digest of its files.

use std::sync::{Arc, Mutex, PoisonError};

use dataset_model::{DatasetId, Digest, Manifest, VersionNumber};
use ome_zarr::{Display, ImageRecord, OmeZarrError, PlateRecord, Renderer};

use super::refusal;
use crate::{Node, NodeError, documents::version_key, holding::Holding, version_source::VersionSource};

/// An image or a plate that pictures are made of.
pub(crate) struct Subject {
    pub what: What,
    /// The Merkle root over its files.
    pub digest: Digest,
    /// How it is shown when nobody says; found out once, so that all tiles have the same windows.
    display: Mutex<Option<Arc<Display>>>,
}

pub(crate) enum What {
    Image(Box<ImageRecord>),
    Plate(Box<PlateRecord>),
}

/// Which subject: object in an archive, its version, and path.
pub(crate) type SubjectKey = (DatasetId, VersionNumber, String);

impl Subject {
    /// How the image is shown when nobody says; read from its pixels the first time.
    pub(super) fn display(&self, renderer: &Renderer<'_>, image: &ImageRecord) -> Result<Arc<Display>, OmeZarrError> {
        let mut display = self.display.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(display) = &*display {
            return Ok(display.clone());
        }
        let found = Arc::new(renderer.display(image)?);
        *display = Some(found.clone());
        Ok(found)
    }
}

impl Node {
    /// The image or plate in a folder of a version; from memory, from what publication wrote down, or from its files.
    pub(super) async fn subject(
        self: &Arc<Self>,
        holding: &Holding,
        manifest: &Arc<Manifest>,
        image: &str,
    ) -> Result<Arc<Subject>, NodeError> {
        let key: SubjectKey = (holding.object().0.clone(), holding.object().1, image.to_owned());
        if let Some(subject) = self.subjects().get(&key) {
            return Ok(subject.clone());
        }
        let (node, of, manifest, own) = (self.clone(), key.clone(), manifest.clone(), !holding.copied);
        let source = holding.source(manifest.clone());
        let found = tokio::task::spawn_blocking(move || {
            // Of copies nothing is written down but which they are.
            let (what, digest) = match own.then(|| node.recorded(&of)).transpose()?.flatten() {
                Some(recorded) => recorded,
                None => (described(&source, &of.2)?, None),
            };
            let digest = digest.unwrap_or_else(|| manifest.folder_root(&of.2));
            Ok::<_, NodeError>(Arc::new(Subject { what, digest, display: Mutex::new(None) }))
        })
        .await
        .map_err(|error| NodeError::Internal(format!("describing an image: {error}")))??;
        self.subjects().put(key, found.clone());
        Ok(found)
    }

    fn subjects(&self) -> std::sync::MutexGuard<'_, lru::LruCache<SubjectKey, Arc<Subject>>> {
        self.subjects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was written down when the version was published; versions of old have no digests.
    fn recorded(&self, (dataset, version, path): &SubjectKey) -> Result<Option<(What, Option<Digest>)>, NodeError> {
        let key = version_key(dataset, *version);
        let images = self.image_records().get(&key)?.unwrap_or_default();
        if let Some(image) = images.into_iter().find(|image| image.path == *path) {
            let digest = image.digest;
            return Ok(Some((What::Image(Box::new(image)), digest)));
        }
        let plates = self.plate_records().get(&key)?.unwrap_or_default();
        let plate = plates.into_iter().find(|plate| plate.path == *path);
        Ok(plate.map(|plate| (What::Plate(Box::new(plate.clone())), plate.digest)))
    }
}

fn described(source: &VersionSource, path: &str) -> Result<What, NodeError> {
    match ome_zarr::describe(source, path) {
        Ok(image) => Ok(What::Image(Box::new(image))),
        Err(OmeZarrError::NotAnImage { .. }) => {
            Ok(What::Plate(Box::new(ome_zarr::describe_plate(source, path).map_err(refusal)?)))
        }
        Err(error) => Err(refusal(error)),
    }
}
