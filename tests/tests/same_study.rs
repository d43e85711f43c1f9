//! One study in several records: told with its evidence, one hit for all of them, and every record where it was.

use std::fs;

use e2e_tests::{Node, Words, run};
use serde_json::{Value, json};

const ARTICLE: &str = "https://doi.org/10.1234/cells.1";

fn record(id: &str, publisher: &str, title: &str, description: &str, article: &str) -> Value {
    let iri = format!("https://{}.example/{id}", publisher.to_lowercase());
    let mut words = Words::titled(title);
    words.description = description.to_owned();
    let mut crate_json = words.crate_json();
    crate_json["@graph"][0]["about"]["@id"] = json!(iri);
    let root = &mut crate_json["@graph"][1];
    root["@id"] = json!(iri);
    root["identifier"] = json!(id);
    root["publisher"] = json!({"@id": format!("https://{publisher}.example")});
    root["seeAlso"] = json!({"@id": article});
    let entities = crate_json["@graph"].as_array_mut().unwrap();
    entities.push(json!({"@id": format!("https://{publisher}.example"), "@type": "Organization", "name": publisher}));
    entities.push(json!({"@id": article, "@type": "ScholarlyArticle", "name": format!("On {article}, an article")}));
    crate_json
}

/// A node with two records of one study at two publishers, and one that names the first.
async fn node() -> Node {
    let node = Node::start("europe").await;
    let folder = node.scratch().join("listing");
    fs::create_dir_all(&folder).unwrap();
    for (id, publisher, title, description, article) in [
        ("idr0901", "Archive", "Dividing cells", "Cells that divide.", ARTICLE),
        ("db-901", "Database", "Cell division, curated", "Curated.", ARTICLE),
        ("notes-7", "Archive", "Labels", "Labels of the nuclei in idr0901.", "https://doi.org/10.1234/labels"),
    ] {
        let crate_json = record(id, publisher, title, description, article);
        fs::write(folder.join(format!("{id}-ro-crate-metadata.json")), crate_json.to_string()).unwrap();
    }
    let folder = folder.to_string_lossy().into_owned();
    let token = node.admin_token.clone();
    run(["import", &folder, "--as", "listing", "--node", &node.url(), "--token", &token, "--json"]).await.ok();
    node.caught_up().await;
    node
}

fn titles(answer: &Value, list: &str) -> Vec<String> {
    let rows = answer[list].as_array().unwrap_or_else(|| panic!("no {list}: {answer}"));
    rows.iter().map(|row| row["title"].as_str().unwrap_or_default().to_owned()).collect()
}

fn count(answer: &Value, facet: &str) -> u64 {
    answer["facets"][facet].as_array().unwrap().iter().map(|value| value["count"].as_u64().unwrap()).sum()
}

#[tokio::test]
async fn a_study_is_one_hit_with_its_locations_and_the_counts_add_up() {
    let node = node().await;
    let plain = node.anybody().search("q=&sort=title").await;
    assert_eq!((plain["total"].as_u64(), &plain["studies"]), (Some(3), &Value::Null), "{plain}");
    let answer = node.anybody().search("q=&sort=title&collapse=study").await;
    assert_eq!((answer["total"].as_u64(), answer["studies"].as_u64()), (Some(3), Some(2)), "{answer}");
    assert_eq!(answer["facets"], plain["facets"]);
    assert_eq!((count(&answer, "publisher"), count(&answer, "node")), (3, 3));
    let hits = answer["hits"].as_array().unwrap();
    let both = hits.iter().find(|hit| !hit["study"].is_null()).expect("a study of several records");
    assert_eq!(titles(&both["study"], "locations").len(), 2, "{both}");
    assert_eq!(both["study"]["locations"][0]["id"], both["id"]);
    let evidence = &both["study"]["evidence"][0];
    assert_eq!((&evidence["kind"], &evidence["value"]), (&json!("article"), &json!("doi:10.1234/cells.1")));
    assert_eq!(evidence["records"].as_array().map(Vec::len), Some(2));

    // A filter that only the other record passes leaves that one as the hit; the study stays whole.
    for publisher in ["Archive", "Database"] {
        let answer = node.anybody().search(&format!("publisher={publisher}&collapse=study&q=cell")).await;
        assert_eq!(answer["hits"][0]["publisher"], publisher, "{answer}");
        assert_eq!(titles(&answer["hits"][0]["study"], "locations").len(), 2);
    }
    node.anybody().get("/api/v1/search?collapse=publisher").await.problem(422);
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_record_tells_of_its_study_and_of_what_only_names_it() {
    let node = node().await;
    let hits = node.anybody().search("q=&sort=title").await;
    let id = |title: &str| {
        let hits = hits["hits"].as_array().unwrap();
        hits.iter().find(|hit| hit["title"] == title).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let archive = node.anybody().get(&format!("/api/v1/datasets/{}/study", id("Dividing cells"))).await.ok();
    assert_eq!(titles(&archive, "locations").len(), 2);
    assert_eq!(titles(&archive, "related"), ["Labels"]);
    assert_eq!(archive["related"][0]["because"], json!([{"kind": "mention", "value": "idr0901"}]));
    let labels = node.anybody().get(&format!("/api/v1/datasets/{}/study?node=europe", id("Labels"))).await.ok();
    assert_eq!(
        (titles(&labels, "locations"), titles(&labels, "related")),
        (vec!["Labels".into()], vec!["Dividing cells".into()])
    );
    node.anybody().get("/api/v1/datasets/europe-nothing/study").await.problem(404);

    let page = node.anybody().get(&format!("/datasets/{}", id("Dividing cells"))).await.expect(200).text();
    for text in ["The same study elsewhere", "Cell division, curated", "the same article: 10.1234/cells.1", "Labels"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn the_search_page_shows_studies_and_has_a_switch() {
    let node = node().await;
    let page = node.anybody().get("/search?q=cell").await.expect(200).text();
    assert!(page.contains("1 study in 2 datasets") || page.contains("2 studies in 3 datasets"), "{page}");
    assert!(page.contains("The same study:") && page.contains("collapse=none"), "{page}");
    let page = node.anybody().get("/search?q=cell&collapse=none").await.expect(200).text();
    assert!(!page.contains("The same study:") && page.contains("One hit for each study"), "{page}");
    node.assert_quiet_log(&[]);
}
