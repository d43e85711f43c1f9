//! Any history of a dataset, against a plain map from paths to texts.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::*;
use archive_store::Archive;
use dataset_model::Digest;
use proptest::prelude::*;

/// What happens to a dataset.
#[derive(Debug, Clone)]
enum Step {
    /// A version with these files: the content of a path is one of a few texts.
    Commit(BTreeMap<String, u8>),
    /// Back to one of the versions there are.
    RollBack(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    let files = prop::collection::btree_map("[ab#]{1,2}/[é%c]{1,2}", 0..6_u8, 0..8);
    prop_oneof![5 => files.prop_map(Step::Commit), 1 => any::<prop::sample::Index>().prop_map(Step::RollBack)]
}

async fn commit(archive: &Archive, version: usize, files: &BTreeMap<String, String>) {
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    publish(archive, "d", u32::try_from(version).unwrap(), &files).await;
}

/// The digests of all content files, with repetitions.
async fn stored(place: &Place) -> Vec<Digest> {
    let mut digests = Vec::new();
    for key in place.keys().await.iter().filter(|key| key.contains("/content/")) {
        let key = object_store::path::Path::parse(key).unwrap();
        let object = object_store::ObjectStoreExt::get(&place.store, &key).await.unwrap();
        digests.push(Digest::of(object.bytes().await.unwrap()));
    }
    digests.sort();
    digests
}

async fn play(place: &Place, steps: Vec<Step>) {
    let archive = place.archive().await;
    let mut model: Vec<BTreeMap<String, String>> = Vec::new();
    for step in steps {
        match step {
            Step::Commit(files) => {
                let text = |(path, number): (String, u8)| (path, format!("text {number}"));
                model.push(files.into_iter().map(text).collect());
                commit(&archive, model.len(), &model[model.len() - 1]).await;
            }
            Step::RollBack(_) if model.is_empty() => {}
            Step::RollBack(index) => {
                let keep = index.index(model.len() + 1);
                model.truncate(keep);
                archive.roll_back(&id("d"), u32::try_from(keep).unwrap().try_into().ok()).await.unwrap();
            }
        }
        let contents: BTreeSet<Digest> = model.iter().flat_map(|files| files.values().map(Digest::of)).collect();
        assert_eq!(stored(place).await, contents.into_iter().collect::<Vec<_>>());
    }
    for (version, files) in (1..).zip(&model) {
        assert_eq!(read_all(&archive, "d", version).await, *files);
    }
    if !model.is_empty() {
        assert_sound(&archive, "d").await;
    }
    assert!(place.hidden().is_empty(), "{:?}", place.hidden());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_distinct_content_is_stored_once_and_every_version_reads_back(
        steps in prop::collection::vec(step(), 1..8)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for place in Place::both() {
            runtime.block_on(play(&place, steps.clone()));
        }
    }
}
