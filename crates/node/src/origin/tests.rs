//! Records of other nodes as a hostile or older node may write them.

use bytes::Bytes;
use dataset_model::{Catalogued, DatasetId, VersionNumber};
use ledger::Append;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::{Actor, ListingItem, NodeConfig, PeerConfig, Scope, VersionChoice, dataset::images_of_crate};

const PEER: &str = "japan";

async fn node() -> (std::sync::Arc<Node>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let (id, url, public_key) = (PEER.parse().unwrap(), "http://japan.example".into(), crate::generate_key(PEER).1);
    let peers = vec![PeerConfig::new(id, url, public_key)];
    let config = NodeConfig { peers, ..NodeConfig::in_folder(folder.path()) };
    (Node::open(config).await.unwrap(), folder)
}

fn study(description: &str) -> Value {
    json!({"@context": "https://w3id.org/ro/crate/1.2/context", "@graph": [
        {"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "https://archive.example/S1"}},
        {"@id": "https://archive.example/S1", "@type": "Dataset", "name": "Cells", "identifier": "S1", "description": description,
         "author": {"@id": "#a"}, "hasPart": {"@id": "i.zarr/"}},
        {"@id": "#a", "@type": "Person", "name": "Ann", "email": "ann@example.org"},
        {"@id": "i.zarr/", "@type": "Dataset", "encodingFormat": "application/vnd.ome.zarr", "name": "by ann@example.org"},
    ]})
}

/// Puts an entry of the peer's log where a harvest would.
fn harvest(node: &Node, id: &DatasetId, text: &str) -> Digest {
    let digest = Digest::of(text);
    let event =
        Event::Catalogue(Catalogued { crate_digest: digest, original: None, graph: None, source: "old".into() });
    let time = Timestamp::now();
    let entry = Entry { dataset: id.clone(), version: VersionNumber::FIRST, previous: None, time, event };
    let log: NodeId = PEER.parse().unwrap();
    let append = Append {
        entries: vec![entry.to_bytes().unwrap()],
        crates: vec![(digest, Bytes::from(text.to_owned()))],
        changes: vec![node.harvest_times().put(&harvest_key(&log, 0), &time).unwrap()],
        ..Append::default()
    };
    node.ledger.append(&log, append).unwrap();
    digest
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peers_crate_with_addresses_is_shown_without_them_and_not_given_on() {
    let (node, _folder) = node().await;
    let id: DatasetId = "old.s1".parse().unwrap();
    let text = study("Ask ann@example.org.").to_string();
    let digest = harvest(&node, &id, &text);
    let record = node.record(&Actor::Anonymous, &id, None, VersionChoice::Latest).await.unwrap();
    assert!(!json!(record).to_string().contains("ann@"), "{record:#?}");
    assert!(record.images.is_empty(), "the bytes of a record are elsewhere");
    let images = images_of_crate(text.as_bytes(), "http://japan.example/data");
    assert!(images.len() == 1 && !format!("{images:?}").contains("ann@"), "those of a deposit: {images:?}");
    assert!(record.provenance.harvested.is_some());
    let shown = node.crate_bytes(&Actor::Anonymous, &id, None, VersionChoice::Latest).unwrap();
    let shown: Value = serde_json::from_slice(&shown).unwrap();
    assert!(!shown.to_string().contains("ann@") && shown.to_string().contains("\"Ann\""), "{shown:#}");
    assert_eq!(node.crate_by_digest(&Actor::Anonymous, &digest).unwrap(), None, "its digest covers the address");
    let told = node.change_of(&PEER.parse().unwrap(), (0, node.entry(&PEER.parse().unwrap(), 0).unwrap())).unwrap();
    assert!(!told.text().contains("ann@"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peers_crate_that_nobody_can_read_is_not_shown() {
    let (node, _folder) = node().await;
    let id: DatasetId = "old.s1".parse().unwrap();
    let digest = harvest(&node, &id, "{\"@graph\": [\"ann@example.org\"");
    let record = node.record(&Actor::Anonymous, &id, None, VersionChoice::Latest).await.unwrap();
    assert_eq!(record.summary.findings[0].rule, "crate.unreadable");
    assert!(node.crate_bytes(&Actor::Anonymous, &id, None, VersionChoice::Latest).is_err());
    assert_eq!(node.crate_by_digest(&Actor::Anonymous, &digest).unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_original_is_kept_until_the_record_goes_and_given_to_nobody() {
    let (node, _folder) = node().await;
    let curator = Actor::Token { id: "c".into(), scopes: vec![Scope::Curate] };
    let import = |items: Vec<ListingItem>| {
        let (node, curator) = (node.clone(), curator.clone());
        async move {
            let listing = futures::stream::iter(items.into_iter().map(Ok));
            node.import(&curator, &"archive".parse().unwrap(), listing).await.unwrap()
        }
    };
    let background = node.start();
    let text = study("Ask ann@example.org.").to_string();
    let item = ListingItem::Crate { path: "s1.json".into(), bytes: Bytes::from(text.clone()), stamp: None };
    assert_eq!(import(vec![item, ListingItem::End]).await.stored, 1);
    let key = "archive.S1/v1";
    assert_eq!(node.original_crates().get(key).unwrap().as_deref(), Some(text.as_str()));
    assert_eq!(node.imported_from().get(key).unwrap().unwrap().file, "s1.json");
    assert_eq!(node.crate_by_digest(&Actor::Anonymous, &Digest::of(&text)).unwrap(), None);

    let graph = "SELECT ?o FROM <http://europe.example/graphs/provenance> { ?s ?p ?o }";
    let told = || node.metadata.query(graph, &metadata_store::QueryOptions::default()).unwrap().column("o");
    for what in ["archive", "s1.json", &Digest::of(&text).to_string(), "https://archive.example/S1"] {
        assert!(told().iter().any(|value| value == what), "{what} in {:?}", told());
    }
    assert_eq!(import(vec![ListingItem::End]).await.withdrawn, 1);
    assert_eq!(node.original_crates().get(key).unwrap(), None);
    assert!(node.imported_from().get(key).unwrap().is_none());
    assert_eq!(told(), Vec::<String>::new());
    background.stop().await;
}
