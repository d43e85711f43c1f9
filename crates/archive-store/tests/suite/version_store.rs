//! A published version as an object store of its own.

use std::sync::Arc;

use crate::support::*;
use dataset_model::Digest;
use futures::TryStreamExt;
use object_store::{Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt, path::Path};

const FILES: Files = &[("zarr.json", "{}"), ("0/zarr.json", "{\"0\":0}"), ("0/c/0 #1", "pixels"), ("0b", "beside")];

async fn each(test: impl AsyncFn(Arc<dyn ObjectStore>)) {
    for place in Place::both() {
        let archive = place.archive().await;
        publish(&archive, "d", 1, FILES).await;
        test(archive.version_store(&id("d"), v(1))).await;
    }
}

fn key(text: &str) -> Path {
    Path::parse(text).unwrap()
}

#[tokio::test]
async fn files_are_read_by_their_own_paths_in_any_range() {
    each(async |store| {
        for (path, text) in FILES {
            assert_eq!(store.get(&key(path)).await.unwrap().bytes().await.unwrap(), *text);
        }
        let pixels = key("0/c/0 #1");
        assert_eq!(store.get_range(&pixels, 1..3).await.unwrap(), "ix");
        assert_eq!(store.get_ranges(&pixels, &[0..1, 5..6]).await.unwrap(), ["p", "s"]);
        let suffix = GetOptions::new().with_range(Some(GetRange::Suffix(2)));
        assert_eq!(store.get_opts(&pixels, suffix).await.unwrap().bytes().await.unwrap(), "ls");
        let past = GetOptions::new().with_range(Some(GetRange::Offset(6)));
        assert!(store.get_opts(&pixels, past).await.is_err());
        for absent in ["0", "0/c", "nothing"] {
            assert!(matches!(store.head(&key(absent)).await, Err(Error::NotFound { .. })), "{absent}");
        }
    })
    .await;
}

#[tokio::test]
async fn files_carry_their_digest_as_etag_and_conditions_hold() {
    each(async |store| {
        let meta = store.head(&key("zarr.json")).await.unwrap();
        assert_eq!((meta.size, meta.e_tag), (2, Some(format!("\"{}\"", Digest::of("{}")))));
        assert_eq!(meta.last_modified.to_rfc3339(), "2026-11-21T10:00:00+00:00");
        let same = GetOptions::new().with_if_none_match(Some(format!("\"{}\"", Digest::of("{}"))));
        assert!(matches!(store.get_opts(&key("zarr.json"), same).await, Err(Error::NotModified { .. })));
    })
    .await;
}

#[tokio::test]
async fn listings_show_folders_as_other_stores_do() {
    each(async |store| {
        let names = async |prefix: Option<&str>| {
            let prefix = prefix.map(key);
            let metas: Vec<_> = store.list(prefix.as_ref()).try_collect().await.unwrap();
            metas.iter().map(|meta| meta.location.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(None).await, ["0/c/0 #1", "0/zarr.json", "0b", "zarr.json"]);
        assert_eq!(names(Some("0")).await, ["0/c/0 #1", "0/zarr.json"]);
        assert!(names(Some("zarr.json")).await.is_empty());
        let root = store.list_with_delimiter(None).await.unwrap();
        assert_eq!(root.common_prefixes, [key("0")]);
        assert_eq!(root.objects.iter().map(|meta| meta.size).collect::<Vec<_>>(), [6, 2]);
        let folder = store.list_with_delimiter(Some(&key("0"))).await.unwrap();
        assert_eq!((folder.common_prefixes, folder.objects.len()), (vec![key("0/c")], 1));
    })
    .await;
}

#[tokio::test]
async fn nothing_can_be_changed_through_it() {
    each(async |store| {
        let at = key("zarr.json");
        assert!(store.put(&at, "x".into()).await.is_err());
        assert!(store.put_multipart(&at).await.is_err());
        assert!(store.delete(&at).await.is_err());
        assert!(store.copy(&at, &key("new")).await.is_err());
        assert!(store.rename(&at, &key("new")).await.is_err());
        assert_eq!(store.get(&at).await.unwrap().bytes().await.unwrap(), "{}");
    })
    .await;
}

#[tokio::test]
async fn a_version_that_is_not_there_has_no_files() {
    let archive = Place::memory().archive().await;
    let store = archive.version_store(&id("d"), v(1));
    assert!(matches!(store.head(&key("zarr.json")).await, Err(Error::NotFound { .. })));
    assert!(store.list(None).try_collect::<Vec<_>>().await.is_err());
}
