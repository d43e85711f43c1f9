use std::ops::Range;

use anyhow::Context;
use archive_store::{Location, Objects};
use bytes::Bytes;
use ome_zarr::{FileSource, SourceError};
use tokio::runtime::Handle;

/// Files below a prefix of a bucket of S3 or a compatible service. Credentials and endpoint come from the usual `AWS_*`
/// environment.
pub(super) struct BucketSource {
    objects: Objects,
    runtime: Handle,
}

impl BucketSource {
    /// A source whose root is `s3://bucket/prefix`.
    pub(super) fn open(address: &str, runtime: Handle) -> anyhow::Result<Self> {
        let place = address.strip_prefix("s3://").unwrap_or(address);
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        anyhow::ensure!(!bucket.is_empty(), "{address} names no bucket: write s3://bucket/prefix");
        let endpoint = std::env::var("AWS_ENDPOINT_URL").ok();
        let location = Location::S3 {
            bucket: bucket.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
            allow_http: endpoint.as_deref().is_some_and(|endpoint| endpoint.starts_with("http://")),
            endpoint,
            region: None,
        };
        let objects = Objects::open(&location).with_context(|| format!("opening {address}"))?;
        Ok(Self { objects, runtime })
    }
}

impl FileSource for BucketSource {
    fn size(&self, path: &str) -> Result<Option<u64>, SourceError> {
        self.runtime.block_on(self.objects.size(path)).map_err(|error| SourceError::new(path, error))
    }

    fn read(&self, path: &str, range: Range<u64>) -> Result<Bytes, SourceError> {
        self.runtime.block_on(self.objects.read(path, range)).map_err(|error| SourceError::new(path, error))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, SourceError> {
        self.runtime.block_on(self.objects.list(folder)).map_err(|error| SourceError::new(folder, error))
    }
}
