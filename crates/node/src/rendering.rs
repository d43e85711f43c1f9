//! Pictures of published images, drawn once and kept.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use dataset_model::{DatasetId, Digest, Manifest};
use ome_zarr::{OmeZarrError, Picture, PictureFormat, PictureInfo, PlateRecord, Progress, Renderer};
use serde::Serialize;

use crate::{Actor, Node, NodeError, VersionChoice, counted::Counted, holding::Holding, version_source::VersionSource};

pub(crate) mod cache;
mod request;
pub(crate) mod subject;

pub use request::{PictureRequest, PictureView};

use subject::{Subject, What};

/// Counts up whenever the same image would be drawn differently.
const RENDERER: u32 = 1;
/// The longest one picture may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// As many pictures may wait for their turn.
const MAX_WAITING: usize = 64;

/// A picture that can be drawn: its name is known before any pixel is read.
pub struct FoundPicture {
    /// The object with the pixels.
    object: DatasetId,
    source: VersionSource,
    subject: Arc<Subject>,
    view: PictureView,
    format: PictureFormat,
    key: Digest,
    /// Whether the address names this version, so that the answer never changes.
    pub immutable: bool,
}

impl FoundPicture {
    /// The digest of everything the picture is made from: the same digest, the same bytes.
    pub fn key(&self) -> Digest {
        self.key
    }

    /// Its file format.
    pub fn format(&self) -> PictureFormat {
        self.format
    }
}

/// What a viewer needs to know of an image or plate.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum RenderInfo {
    /// An image, or a label image.
    Image(Box<PictureInfo>),
    /// A plate, whose fields are images of their own.
    Plate(Box<PlateRecord>),
}

impl Node {
    /// Finds what a picture would be made of. No pixel is read.
    ///
    /// # Errors
    /// When there is no such image or plate.
    pub async fn find_picture(
        self: &Arc<Self>,
        actor: &Actor,
        id: &DatasetId,
        choice: VersionChoice,
        image: &str,
        request: (PictureView, PictureFormat),
    ) -> Result<FoundPicture, NodeError> {
        let (holding, manifest) = self.rendered_version(actor, id, choice, image).await?;
        let subject = self.subject(&holding, &manifest, image).await?;
        let (view, format) = request;
        let key = Digest::of(format!("{RENDERER} {} {} {}", subject.digest, format.name(), view.canonical()));
        let immutable = choice != VersionChoice::Latest;
        let (object, source) = (holding.object().0.clone(), holding.source(manifest));
        Ok(FoundPicture { object, source, subject, view, format, key, immutable })
    }

    /// A picture's bytes: from the cache, or drawn now.
    ///
    /// # Errors
    /// When it asks for something the image does not have, its pixels cannot be read or are too many, or too many wait.
    pub async fn draw(self: &Arc<Self>, found: FoundPicture) -> Result<Bytes, NodeError> {
        if let Some(bytes) = self.pictures.get(&found.object, &found.key) {
            return Ok(bytes.into());
        }
        let drawing = self.pictures.drawing(found.key).lock_owned().await;
        if let Some(bytes) = self.pictures.get(&found.object, &found.key) {
            return Ok(bytes.into());
        }
        let turn = self.rendering_turn().await?;
        let node = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            // Both are held until the work is done, also when nobody waits for it any more.
            let _held = (turn, drawing);
            let deadline = Deadline(Instant::now() + PATIENCE);
            let picture = draw(&Renderer::new(&found.source, &deadline), &found).map_err(refusal)?;
            let bytes = picture.encode(found.format).map_err(refusal)?;
            node.pictures.put(&found.object, &found.key, &bytes);
            Ok(bytes.into())
        });
        task.await.map_err(|error| NodeError::Internal(format!("drawing: {error}")))?
    }

    /// What a viewer needs to know of an image or plate.
    ///
    /// # Errors
    /// When there is no such image or plate, or its pixels cannot be read.
    pub async fn render_info(
        self: &Arc<Self>,
        actor: &Actor,
        id: &DatasetId,
        choice: VersionChoice,
        image: &str,
    ) -> Result<RenderInfo, NodeError> {
        let (holding, manifest) = self.rendered_version(actor, id, choice, image).await?;
        let subject = self.subject(&holding, &manifest, image).await?;
        let turn = self.rendering_turn().await?;
        let source = holding.source(manifest);
        let task = tokio::task::spawn_blocking(move || {
            let _held = turn;
            match &subject.what {
                What::Plate(plate) => Ok(RenderInfo::Plate(plate.clone())),
                What::Image(image) => {
                    let deadline = Deadline(Instant::now() + PATIENCE);
                    let display = subject.display(&Renderer::new(&source, &deadline), image).map_err(refusal)?;
                    Ok(RenderInfo::Image(Box::new(PictureInfo::of(image, &display).map_err(refusal)?)))
                }
            }
        });
        task.await.map_err(|error| NodeError::Internal(format!("describing: {error}")))?
    }

    async fn rendered_version(
        &self,
        actor: &Actor,
        id: &DatasetId,
        choice: VersionChoice,
        image: &str,
    ) -> Result<(Holding, Arc<Manifest>), NodeError> {
        let holding = self.holding(actor, id, choice)?;
        let (manifest, version) = (holding.manifest().await?, holding.version);
        if !image.is_empty() && manifest.below(image).next().is_none() {
            let shown: String = image.chars().take(200).collect();
            return Err(NodeError::NotFound(format!(
                "dataset '{id}' {version} has no image '{}'",
                shown.escape_debug()
            )));
        }
        Ok((holding, manifest))
    }

    /// One of the few places where pixels are decoded.
    async fn rendering_turn(self: &Arc<Self>) -> Result<tokio::sync::OwnedSemaphorePermit, NodeError> {
        let waiting = Counted::among(&self.waiting_pictures);
        if waiting.before >= MAX_WAITING {
            return Err(NodeError::Unavailable("too many pictures are being drawn right now".into()));
        }
        self.rendering.clone().acquire_owned().await.map_err(|error| NodeError::Internal(error.to_string()))
    }

    pub(crate) fn forget_renderings(&self, id: &DatasetId) {
        self.pictures.forget(id);
    }
}

/// Stops the work when it has taken too long.
struct Deadline(Instant);

impl Progress for Deadline {
    fn advance(&self, _done: u64, _total: u64) {}

    fn is_cancelled(&self) -> bool {
        Instant::now() > self.0
    }
}

fn draw(renderer: &Renderer<'_>, found: &FoundPicture) -> Result<Picture, OmeZarrError> {
    match (&found.subject.what, &found.view) {
        (What::Image(image), PictureView::Thumbnail(wanted)) => {
            renderer.thumbnail(image, &*found.subject.display(renderer, image)?, wanted)
        }
        (What::Image(image), PictureView::Tile(wanted)) => {
            renderer.tile(image, &*found.subject.display(renderer, image)?, wanted)
        }
        (What::Plate(plate), PictureView::Thumbnail(wanted)) => renderer.plate(&plate.path, wanted),
        (What::Plate(plate), PictureView::Tile(_)) => {
            let reason = format!("'{}' is a plate: ask for tiles of one of its fields", plate.path);
            Err(OmeZarrError::Request(reason))
        }
    }
}

/// Why there is no picture, for the person who asked.
pub(crate) fn refusal(error: OmeZarrError) -> NodeError {
    match error {
        OmeZarrError::NotAnImage { .. } => NodeError::NotFound(error.to_string()),
        OmeZarrError::Cancelled => {
            NodeError::Unavailable("this picture takes too long to draw; smaller resolution levels would help".into())
        }
        OmeZarrError::Source(source) => NodeError::Internal(format!("{source}: {:?}", source.source)),
        other => NodeError::Invalid(other.to_string()),
    }
}
