use std::{path::PathBuf, sync::Arc};

use object_store::{
    ClientOptions, ObjectStore, aws::AmazonS3Builder, local::LocalFileSystem, memory::InMemory, path::Path,
    prefix::PrefixStore,
};

use crate::{disk::Disk, error::ArchiveError, store::Store};

/// Where an archive is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A folder on a local disk, made when absent. Every answer survives loss of power.
    Local(PathBuf),
    /// Memory, for tests: gone with the last clone of the archive.
    Memory,
    /// A bucket of S3 or a compatible service. Credentials come from the usual `AWS_*` environment.
    S3 {
        /// The bucket, which must exist.
        bucket: String,
        /// What every key begins with, without slashes at the ends; may be empty.
        prefix: String,
        /// The service's URL, when it is not Amazon's.
        endpoint: Option<String>,
        /// The region, when the environment does not say.
        region: Option<String>,
        /// Whether the endpoint may be plain HTTP.
        allow_http: bool,
    },
}

impl Location {
    /// Bytes that are free there; nothing where that is not known, as of a bucket.
    pub fn free_bytes(&self) -> Option<u64> {
        match self {
            Self::Local(folder) => fs4::available_space(folder).ok(),
            Self::Memory | Self::S3 { .. } => None,
        }
    }

    pub(crate) fn store(&self) -> Result<Store, ArchiveError> {
        match self {
            Self::Local(folder) => local(folder),
            Self::Memory => Ok(Store::new(Arc::new(InMemory::new()), None)),
            Self::S3 { bucket, prefix, endpoint, region, allow_http } => {
                // A total time limit would cut off the stream of a large file to a slow reader.
                let client = ClientOptions::new().with_allow_http(*allow_http).with_timeout_disabled();
                let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_client_options(client);
                if let Some(endpoint) = endpoint {
                    builder = builder.with_endpoint(endpoint);
                }
                if let Some(region) = region {
                    builder = builder.with_region(region);
                }
                bucket_store(builder, bucket, prefix)
            }
        }
    }
}

fn bucket_store(builder: AmazonS3Builder, bucket: &str, prefix: &str) -> Result<Store, ArchiveError> {
    let cannot = |source| ArchiveError::Open { location: format!("bucket '{bucket}'"), source: Box::new(source) };
    let s3 = builder.build().map_err(cannot)?;
    let prefix = Path::from(prefix);
    let store: Arc<dyn ObjectStore> =
        if prefix.is_root() { Arc::new(s3) } else { Arc::new(PrefixStore::new(s3, prefix)) };
    Ok(Store::new(store, None))
}

fn local(folder: &PathBuf) -> Result<Store, ArchiveError> {
    let location = || folder.display().to_string();
    std::fs::create_dir_all(folder)
        .map_err(|source| ArchiveError::Open { location: location(), source: Box::new(source) })?;
    let files = LocalFileSystem::new_with_prefix(folder)
        .map_err(|source| ArchiveError::Open { location: location(), source: Box::new(source) })?
        .with_automatic_cleanup(true);
    let durable = files.clone().with_fsync(true);
    // Links are made without a sync each; the folders they stand in are synced once, before an inventory names them.
    Ok(Store::new(Arc::new(durable), Some(Disk::new(folder.clone()))).with_links(Arc::new(files)))
}
