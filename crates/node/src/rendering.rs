use std::{path::PathBuf, sync::Arc};

use dataset_model::{DatasetId, Digest};

use crate::{Actor, Node, NodeError, VersionChoice, draft_source::DraftSource, service::write_whole};

/// Sides a thumbnail may have, in pixels; others are rounded up, so that the cache stays small.
const SIZES: [u32; 4] = [64, 128, 256, 512];

impl Node {
    /// A small picture of an image, as PNG, made once and kept.
    ///
    /// # Errors
    /// When there is no such image, or it cannot be read.
    pub async fn thumbnail(
        self: &Arc<Self>,
        actor: &Actor,
        id: &DatasetId,
        choice: VersionChoice,
        image: &str,
        size: u32,
    ) -> Result<Vec<u8>, NodeError> {
        let (key, version) = self.own_version(actor, id, choice)?;
        let manifest = self.archive.manifest(&key.id, version).await.map_err(NodeError::Archive)?;
        if manifest.below(image).next().is_none() {
            return Err(NodeError::NotFound(format!("dataset '{id}' {version} has no image '{image}'")));
        }
        let side = SIZES.into_iter().find(|side| *side >= size).unwrap_or(512);
        let name = Digest::of(format!("{version}/{image}/{side}"));
        let cached = self.renderings_of(id).join(format!("{name}.png"));
        if let Ok(bytes) = tokio::fs::read(&cached).await {
            return Ok(bytes);
        }
        let _turn = self.rendering.acquire().await.map_err(|error| NodeError::Internal(error.to_string()))?;
        let source = DraftSource::of_version(self, &key.id, version, &manifest);
        let image = image.to_owned();
        tokio::task::spawn_blocking(move || {
            let bytes = ome_zarr::thumbnail(&source, &image, side)?;
            if let Err(error) = write_whole(&cached, &bytes) {
                tracing::warn!(%error, path = %cached.display(), "a thumbnail could not be kept");
            }
            Ok(bytes)
        })
        .await
        .map_err(|error| NodeError::Internal(format!("rendering: {error}")))?
    }

    pub(crate) fn forget_renderings(&self, id: &DatasetId) {
        match std::fs::remove_dir_all(self.renderings_of(id)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(dataset = %id, %error, "thumbnails of a withdrawn dataset could not be removed");
            }
            _ => {}
        }
    }

    fn renderings_of(&self, id: &DatasetId) -> PathBuf {
        self.config.data_dir.join("cache").join("thumbnails").join(id.as_str())
    }
}
