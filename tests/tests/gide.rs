//! The field's present search service, as its portal and its users' programs speak to it.

use std::collections::BTreeSet;

use e2e_tests::{Dataset, Node, Store, Words, run, shared_data};
use serde_json::Value;

async fn gide(node: &Node, pairs: &[(&str, &str)]) -> Value {
    node.anybody().get_with_query("/api/gide/search", pairs).await.ok()
}

fn ids(answer: &Value) -> Vec<String> {
    answer["hits"].as_array().unwrap().iter().map(|hit| hit["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_entry_has_the_shape_the_portal_reads() {
    let node = Node::start("europe").await;
    let words = Words::titled("Retina in depth").organism("10090", "Mus musculus");
    let published = node.depositor().deposit(&Dataset::new(&words, &[Store::v05("image.ome.zarr", 7)])).await;
    let answer = gide(&node, &[("q", "retina"), ("size", "12"), ("offset", "0")]).await;
    assert_eq!(answer["total"], 1);
    let hit = &answer["hits"][0];
    assert!(hit["score"].as_f64().is_some_and(|score| score > 0.0), "{hit:#}");
    let entry = &hit["entry"];
    assert_eq!((&entry["id"], &entry["name"]), (&hit["id"], &"Retina in depth".into()));
    for text in ["description", "datePublished", "license"] {
        assert!(entry[text].as_str().is_some_and(|text| !text.is_empty()), "{text}: {entry:#}");
    }
    for list in
        ["type", "author", "about", "measurementMethod", "thumbnailUrl", "keywords", "funder", "seeAlso", "size"]
    {
        assert!(entry[list].is_array(), "{list}: {entry:#}");
    }
    let author = &entry["author"][0];
    assert_eq!(
        (&author["id"], &author["name"], &author["email"]),
        (&"#author".into(), &"Zita Tester".into(), &Value::Null)
    );
    assert_eq!(author["affiliation"][0]["name"], "Test Facility");
    assert!(entry["publisher"]["name"].is_string());
    let of_type = |list: &str, kind: &str| {
        let all = entry[list].as_array().unwrap().iter();
        all.filter(|one| one["type"] == serde_json::json!([kind])).cloned().collect::<Vec<_>>()
    };
    let taxon = "http://purl.obolibrary.org/obo/NCBITaxon_10090";
    assert_eq!(
        (&of_type("about", "Taxon")[0]["id"], &of_type("about", "Taxon")[0]["name"]),
        (&taxon.into(), &"Mus musculus".into())
    );
    assert_eq!(of_type("about", "BioSample")[0]["taxonomicRange"][0]["id"], taxon);
    assert_eq!(of_type("measurementMethod", "DefinedTerm")[0]["name"], "confocal microscopy");
    assert_eq!(of_type("measurementMethod", "LabProtocol")[0]["description"], "Made for a test.");

    let iri = hit["id"].as_str().unwrap();
    for id in [iri, &published.id, &format!("europe:{}", published.id)] {
        assert_eq!(node.anybody().get(&format!("/api/gide/study/{id}")).await.ok(), *entry, "{id}");
        assert_eq!(node.anybody().get(&format!("/api/gide/api/entry/{id}")).await.ok(), *entry, "{id}");
    }
    let absent = node.anybody().get("/api/gide/study/idr:idr9999").await;
    assert!(absent.json()["detail"].is_string(), "{absent:?}");
    absent.problem(404);
    assert_eq!(node.anybody().get("/api/gide/health").await.ok()["status"], "healthy");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn every_record_is_there_and_every_count_is_what_its_filter_finds() {
    let Some(corpus) = shared_data("gide-crates") else { return };
    let node = Node::start("europe").await;
    let folder = corpus.to_str().unwrap();
    run(["import", folder, "--as", "corpus", "--node", &node.url(), "--token", &node.admin_token, "--json"]).await.ok();
    node.caught_up().await;

    let all = gide(&node, &[("q", "")]).await;
    assert_eq!(all["total"], 1252, "records without a method are not dropped");
    let mut sum = 0;
    for (facet, parameter) in [
        ("publisher", "publisher"),
        ("license", "license"),
        ("organism", "organism"),
        ("imaging_method", "imaging_method"),
    ] {
        let buckets = all["facets"][facet].as_array().unwrap();
        for bucket in buckets {
            let key = bucket["key"].as_str().unwrap();
            let found = gide(&node, &[(parameter, key), ("size", "1")]).await;
            assert_eq!(found["total"], bucket["count"], "{facet} {bucket}");
        }
        if facet == "publisher" {
            sum = buckets.iter().filter_map(|bucket| bucket["count"].as_u64()).sum();
        }
    }
    assert_eq!(sum, 1252, "each record has one publisher");
    let shown = all["facets"].to_string();
    for label in ["\"BioImage-Archive\"", "\"IDR\"", "\"CC BY 4.0\"", "\"CC0\"", "\"Homo sapiens\""] {
        assert!(shown.contains(label), "{label}");
    }
    let by_url =
        gide(&node, &[("license", "https://creativecommons.org/publicdomain/zero/1.0/")]).await["total"].clone();
    assert_eq!(gide(&node, &[("license", "CC0")]).await["total"], by_url);
    assert!(by_url.as_u64() > Some(100), "{by_url}");

    let mut seen = BTreeSet::new();
    for page in 0..13 {
        seen.extend(ids(&gide(&node, &[("size", "100"), ("offset", &(page * 100).to_string())]).await));
    }
    assert_eq!(seen.len(), 1252, "pages cover everything once");
    let second = gide(&node, &[("size", "12"), ("offset", "12")]).await;
    let portal = gide(&node, &[("client", "gide-search-portal"), ("size", "12"), ("offset", "1")]).await;
    assert_eq!(ids(&second), ids(&portal));
    let year = |client: &'static str| {
        let node = &node;
        async move { gide(node, &[("client", client), ("year_from", "2020"), ("year_to", "2021")]).await["total"].clone() }
    };
    let one = gide(&node, &[("year_from", "2020"), ("year_to", "2020")]).await["total"].clone();
    assert_eq!(year("gide-search-portal").await, one);
    assert!(year("somebody").await.as_u64() > one.as_u64());
    for bad in ["size=0", "size=101", "offset=-1", "offset=10000", "year_from=soon"] {
        node.anybody().get(&format!("/api/gide/search?{bad}")).await.problem(422);
    }
    node.assert_quiet_log(&[]);
}
