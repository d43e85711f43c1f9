use std::collections::BTreeSet;

use dataset_model::Event;
use futures::stream;
use serde_json::{Value, json};

use crate::{Actor, ListingItem, Node, NodeConfig};

/// A study whose root dataset has some more properties, and a sample with a relative id.
fn study(id: &str, more: &Value) -> Value {
    let mut root = json!({"@id": id, "@type": "Dataset", "name": format!("Study {id}"), "about": {"@id": "#sample"}});
    root.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let descriptor = json!({"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": id}});
    json!({"@context": "https://w3id.org/ro/crate/1.2/context",
        "@graph": [descriptor, root, {"@id": "#sample", "@type": "BioSample", "name": "a sample"},
            {"@id": "#accession", "@type": "PropertyValue", "value": "S9"}]})
}

fn studies() -> Vec<Value> {
    let mut unnamed = study("https://archive.example/unnamed", &json!({}));
    unnamed["@graph"].as_array_mut().unwrap().remove(0);
    vec![
        study("https://archive.example/plain", &json!({})),
        study("https://archive.example/one", &json!({"identifier": "S1"})),
        study("https://archive.example/other", &json!({"identifier": "S1"})),
        study("https://archive.example/blank ", &json!({"identifier": " S2\u{200b}"})),
        study("https://archive.example/doi", &json!({"identifier": "https://doi.org/10.1000/S3"})),
        study("https://archive.example/several", &json!({"identifier": [{"@id": "#accession"}, "S4"]})),
        study("https://archive.example/contact", &json!({"identifier": "S5", "email": "ann@example.org"})),
        study("https://archive.example/seen twice", &json!({"identifier": 6})),
        unnamed,
    ]
}

/// However its dataset got its id, and however much of the crate could be foreseen, relative ids start from the dataset's page.
#[tokio::test]
async fn the_graph_in_the_log_is_that_of_the_published_bytes_read_for_the_datasets_page() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(NodeConfig::in_folder(folder.path())).await.unwrap();
    let item = |(at, study): (usize, &Value)| {
        Ok(ListingItem::Crate { path: at.to_string(), bytes: study.to_string().into(), stamp: None })
    };
    let all = studies();
    let background = node.start();
    let listing = stream::iter(all.iter().enumerate().map(item));
    let report = node.import(&Actor::Operator, &"s".parse().unwrap(), listing).await.unwrap();
    background.stop().await;
    assert_eq!((report.stored, &report.rejected[..]), (all.len() as u64, &[][..]), "{report:?}");

    let (own, mut ids) = (&node.config().id, BTreeSet::new());
    for index in 0..report.stored {
        let entry = node.entry(own, index).unwrap();
        let Event::Catalogue(record) = &entry.event else { panic!("{entry:?}") };
        let bytes = node.crate_of_entry(&entry).unwrap().unwrap();
        let read = metadata_store::read_crate(&bytes, &node.config().page(&entry.dataset), &node.ontology).unwrap();
        assert_eq!(record.graph, read.graph.digest(), "{}", entry.dataset);
        ids.insert(entry.dataset.to_string());
    }
    let hashed = ids.iter().position(|id| id.starts_with("s.S1-")).expect("a second S1");
    let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    ids.remove(hashed);
    assert_eq!(ids, ["s.6", "s.S1", "s.S2", "s.S5", "s.S9", "s.doi", "s.plain", "s.unnamed"]);
}
