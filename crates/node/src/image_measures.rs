//! What publication finds out about images: their plates, their bytes, their digests.

use std::collections::BTreeMap;

use dataset_model::Manifest;
use ome_zarr::{FileSource, ImageRecord, PlateRecord, RepairedSource};

use crate::{
    Node, NodeError, ValidationReport, composition::CrateImage, documents::Draft, draft_source::DraftSource,
    image_facts::ImageFacts,
};

/// The images of a version, with what only their files tell.
#[derive(Debug, Clone, Default)]
pub(crate) struct MeasuredImages {
    /// All images, fields of plates and labels included.
    pub images: Vec<ImageRecord>,
    pub plates: Vec<PlateRecord>,
}

impl Node {
    /// Measures the images of a draft as they are published: repaired, by the manifest without the crate, which is about to
    /// be written with these very digests in it.
    pub(crate) async fn measure_images(
        &self,
        draft: &Draft,
        report: &ValidationReport,
        manifest: Manifest,
    ) -> Result<MeasuredImages, NodeError> {
        let source = DraftSource::of_draft(self, draft)?;
        let (images, repairs) = (report.images.clone(), report.repairs.clone());
        let task =
            tokio::task::spawn_blocking(move || measured(&RepairedSource::new(&source, &repairs), &manifest, images));
        task.await.map_err(|error| NodeError::Internal(format!("measuring images: {error}")))?
    }
}

fn measured(
    source: &dyn FileSource,
    manifest: &Manifest,
    mut images: Vec<ImageRecord>,
) -> Result<MeasuredImages, NodeError> {
    let mut fields: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, image) in images.iter_mut().enumerate() {
        (image.bytes, image.digest) = (Some(bytes(manifest, &image.path)), Some(digest(manifest, &image.path)));
        if let Some(of) = image.field_of.as_ref().filter(|_| !image.is_label) {
            fields.entry(of.plate.clone()).or_default().push(at);
        }
    }
    let mut plates = Vec::new();
    for (path, fields) in fields {
        let plate = ome_zarr::describe_plate(source, &path)?;
        plates.push(PlateRecord {
            fields: fields.len() as u64,
            field: fields.first().and_then(|at| images.get(*at)).cloned().map(Box::new),
            bytes: Some(bytes(manifest, &path)),
            digest: Some(digest(manifest, &path)),
            ..plate
        });
    }
    Ok(MeasuredImages { images, plates })
}

fn bytes(manifest: &Manifest, folder: &str) -> u64 {
    if folder.is_empty() { manifest.total_bytes() } else { manifest.below(folder).map(|file| file.size).sum() }
}

fn digest(manifest: &Manifest, folder: &str) -> dataset_model::Digest {
    if folder.is_empty() { manifest.content_root() } else { manifest.folder_root(folder) }
}

impl MeasuredImages {
    /// What the crate tells of: plates as one, without their fields; no labels, which their images name.
    pub(crate) fn for_crate(&self) -> Vec<CrateImage> {
        let images = self.images.iter().filter(|image| !image.is_label && self.plate_of(image).is_none());
        let images = images.map(|image| CrateImage {
            path: image.path.clone(),
            name: image.name.clone(),
            facts: ImageFacts::of(image),
        });
        let plates = self.plates.iter().map(|plate| CrateImage {
            path: plate.path.clone(),
            name: plate.name.clone(),
            facts: ImageFacts::of_plate(plate),
        });
        let mut all: Vec<CrateImage> = images.chain(plates).collect();
        all.sort_by(|a, b| a.path.cmp(&b.path));
        all
    }

    fn plate_of(&self, image: &ImageRecord) -> Option<&PlateRecord> {
        let of = image.field_of.as_ref()?;
        self.plates.iter().find(|plate| plate.path == of.plate)
    }
}
