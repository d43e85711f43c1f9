//! The archive: datasets as OCFL 1.1 objects in any object store, and the drafts they are made from.
//!
//! **Owns** the [OCFL](https://ocfl.io/1.1/spec) storage root on a local disk (durable before every answer), in an
//! S3-compatible bucket or in memory: taking bodies in while hashing them, committing a version so that an interruption
//! leaves nothing that cannot be repeated or taken back, reading any range of any file, validating objects, and showing a
//! published version as an [`ObjectStore`](object_store::ObjectStore) of its own.
//!
//! **Must not know** what the files are (no Zarr, no RDF), who may see them, or what is published: a version is whatever
//! was committed, and its caller's records decide which of them count.
//!
//! ```
//! use archive_store::{Archive, Commit, Expect, Location};
//! use dataset_model::{DatasetId, ManifestFile, Timestamp, VersionNumber};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let archive = Archive::open(&Location::Memory).await?;
//! let (draft, dataset): (DatasetId, DatasetId) = ("draft-1".parse()?, "europe-1".parse()?);
//! let body = futures::stream::iter([Ok::<_, std::io::Error>("{}".into())]);
//! let blob = archive.put_draft_file(&draft, body, Expect { sha256: None, size: Some(2), max_bytes: 1 << 40 }).await?;
//! let file = ManifestFile { path: "cells.ome.zarr/zarr.json".parse()?, size: blob.size, sha256: blob.sha256 };
//! archive
//!     .commit(Commit {
//!         dataset: dataset.clone(),
//!         version: VersionNumber::FIRST,
//!         files: vec![file.clone()],
//!         draft: draft.clone(),
//!         created: Timestamp::now(),
//!         message: "First version".into(),
//!         user: None,
//!     })
//!     .await?;
//! archive.delete_draft(&draft).await?;
//! let blob = archive.open_file(&dataset, VersionNumber::FIRST, &file.path).await?;
//! assert_eq!(blob.bytes(0..2).await?, "{}");
//! assert!(archive.verify(&dataset).await?.iter().all(|fault| !fault.is_error()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adopt;
mod archive;
mod blob;
mod buffers;
mod cache;
mod commit;
mod content_path;
mod disk;
mod drafts;
mod error;
mod fault;
mod healing;
mod index;
mod inventory;
mod layout;
mod listing;
mod location;
mod locks;
mod objects;
mod open_files;
mod plan;
mod reading;
mod rollback;
mod store;
mod upload;
mod validate;
mod verify;
mod version_store;

pub use archive::Archive;
pub use blob::{Blob, WeakBlob};
pub use commit::{Commit, Committed};
pub use error::ArchiveError;
pub use fault::Fault;
pub use location::Location;
pub use objects::Objects;
pub use upload::{Expect, StoredBlob};
pub use validate::validate_object;
