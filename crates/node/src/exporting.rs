use bytes::Bytes;
use dataset_model::{DatasetId, Digest, ManifestFile, NodeId};
use metadata_store::{Catalogue, ExportFormat, ExportImage, ExportRecord, MetadataError};

use crate::{Actor, Node, NodeConfig, NodeError, RecordKind, RecordView, VersionChoice};

/// A record in one of the forms that other services read.
#[derive(Debug)]
pub struct Exported {
    /// What to send.
    pub bytes: Bytes,
    /// Its SHA-256, which names this state of it.
    pub digest: Digest,
    /// The page that it describes, at this node.
    pub landing: String,
}

impl Node {
    /// A version's record in one form.
    ///
    /// # Errors
    /// As [`Node::record`]; and when the RO-Crate has not arrived from the peer yet.
    pub async fn export(
        &self,
        actor: &Actor,
        id: &DatasetId,
        node: Option<&NodeId>,
        choice: VersionChoice,
        format: ExportFormat,
    ) -> Result<Exported, NodeError> {
        let record = self.record(actor, id, node, choice).await?;
        // Only these tell sizes or digests of single files.
        let files = match format {
            ExportFormat::SchemaOrg | ExportFormat::Croissant if record.own && record.kind == RecordKind::Deposit => {
                self.manifest(actor, id, VersionChoice::Number(record.version)).await?
            }
            _ => Vec::new(),
        };
        let mut export = record.to_export(self.config.catalogue(), &files);
        if format == ExportFormat::RoCrate {
            export.crate_bytes =
                Some(self.crate_bytes(actor, id, node, VersionChoice::Number(record.version))?.to_vec());
        }
        let bytes = export.write(format).map_err(|error| match error {
            MetadataError::Crate { .. } => NodeError::NotFound(error.to_string()),
            other => NodeError::Metadata(other),
        })?;
        let bytes = Bytes::from(bytes);
        Ok(Exported { digest: Digest::of(&bytes), bytes, landing: export.landing })
    }
}

impl NodeConfig {
    /// The repository as records in other forms name it.
    pub fn catalogue(&self) -> Catalogue {
        Catalogue { name: self.title.clone(), url: self.public_url.clone() }
    }
}

impl RecordView {
    /// The record with the addresses it has at this repository; `files` are those of the version, where they are here.
    pub fn to_export(&self, here: Catalogue, files: &[ManifestFile]) -> ExportRecord {
        let deposited = self.kind == RecordKind::Deposit;
        let (id, version) = (&self.id, self.version);
        let query = if self.own { String::new() } else { format!("?node={}", self.node.id) };
        let newest = self.versions.first().is_none_or(|newest| newest.version == version);
        let suffix = if newest { String::new() } else { format!("/versions/{}", version.get()) };
        let base = self.node.url.as_ref().filter(|_| deposited);
        let data = base.map(|url| format!("{url}/data/{id}/{version}/"));
        let images = data.iter().flat_map(|data| self.images.iter().map(|image| export_image(data, image, files)));
        ExportRecord {
            id: id.clone(),
            iri: self.iri.clone(),
            page: self.page.clone(),
            landing: format!("{}/datasets/{id}{suffix}{query}", here.url),
            exports: format!("{}/api/v1/datasets/{id}/versions/{version}/export/", here.url),
            exports_query: query,
            deposited,
            version,
            access: self.access,
            modified: self.announced(),
            summary: self.summary.clone(),
            images: images.collect(),
            files: self.files,
            bytes: self.bytes,
            data,
            crate_bytes: None,
            catalogue: here,
        }
    }

    /// When the version shown was announced.
    fn announced(&self) -> dataset_model::Timestamp {
        let shown = self.versions.iter().find(|version| version.version == self.version);
        // Every version shown is in the log; without one, there is nothing older to say.
        shown.or(self.versions.first()).map_or_else(dataset_model::Timestamp::now, |version| version.time)
    }
}

fn export_image(data: &str, image: &crate::ImageView, files: &[ManifestFile]) -> ExportImage {
    let facts = image.facts.as_ref();
    let at = ExportImage::at(data, &image.path, facts.map_or("", |facts| &facts.version));
    let path = format!("{}/{}", image.path, at.metadata_file);
    let file = files.binary_search_by(|file| file.path.as_str().cmp(&path)).ok().and_then(|at| files.get(at));
    let channels = facts.into_iter().flat_map(|facts| &facts.channels).filter_map(|channel| channel.label.clone());
    ExportImage {
        name: image.name.clone(),
        description: image.description.clone(),
        metadata: file.map(|file| (file.size, file.sha256)),
        bytes: facts.and_then(|facts| facts.bytes),
        channels: channels.collect(),
        ..at
    }
}
