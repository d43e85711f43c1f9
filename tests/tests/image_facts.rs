//! What images are: in search at every node, in SPARQL, in records and on pages.

use e2e_tests::{Client, Dataset, Federation, Published, Store, Words};
use serde_json::{Value, json};

/// A deep stack and a plate at one node; a film in shards and a plain image at the other.
async fn federation() -> (Federation, [Published; 4]) {
    let federation = Federation::start(&["europe", "japan"]).await;
    let deposit = async |node: &str, title: &str, store: Store| {
        federation.node(node).depositor().deposit(&Dataset::new(&Words::titled(title), &[store])).await
    };
    let stack = Store::of_axes("stack.ome.zarr", "czyx", &[2, 120, 16, 16]).with_labels(16);
    let film = Store::of_axes("film.ome.zarr", "tyx", &[5, 16, 16]).sharded(&[1, 16, 16]);
    let published = [
        deposit("europe", "A stack", stack).await,
        deposit("europe", "A plate", Store::plate("plate.ome.zarr")).await,
        deposit("japan", "A film", film).await,
        deposit("japan", "An image", Store::v04("flat.ome.zarr", 1)).await,
    ];
    let ids: Vec<&str> = published.iter().map(|dataset| dataset.id.as_str()).collect();
    federation.all_find("q=", &ids).await;
    (federation, published)
}

fn counts(answer: &Value, facet: &str) -> Value {
    let values = answer["facets"][facet].as_array().unwrap_or_else(|| panic!("no facet '{facet}': {answer}"));
    let mut counts: Vec<(String, u64)> = values
        .iter()
        .map(|value| (value["value"].as_str().unwrap_or_default().to_owned(), value["count"].as_u64().unwrap_or(0)))
        .collect();
    counts.sort();
    json!(counts)
}

async fn titles(client: &Client, query: &str) -> Vec<String> {
    let answer = client.search(&format!("sort=title&{query}")).await;
    let hits = answer["hits"].as_array().unwrap_or_else(|| panic!("no hits: {answer}"));
    hits.iter().map(|hit| hit["title"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn every_node_counts_and_filters_by_what_images_are() {
    let (federation, _) = federation().await;
    for node in &federation.nodes {
        let client = node.anybody();
        let answer = client.search("q=").await;
        for (facet, expected) in [
            ("dimensions", json!([["2D", 3], ["3D", 1], ["multichannel", 2], ["time-lapse", 1]])),
            ("channels", json!([["1", 2], ["2", 2]])),
            ("has_labels", json!([["false", 3], ["true", 1]])),
            ("is_plate", json!([["false", 3], ["true", 1]])),
            ("sharded", json!([["false", 3], ["true", 1]])),
            ("data_type", json!([["uint16", 3], ["uint8", 1]])),
            ("version", json!([["0.4", 1], ["0.5", 3]])),
            ("image_count", json!([["1", 4]])),
            ("has_images", json!([["true", 4]])),
        ] {
            assert_eq!(counts(&answer, facet), expected, "{facet} at '{}'", node.id());
        }
        for (query, expected) in [
            ("dimensions=3D", vec!["A stack"]),
            ("dimensions=3D&dimensions=time-lapse", vec!["A film", "A stack"]),
            ("dimensions=multichannel&has_labels=false", vec!["A plate"]),
            ("is_plate=true", vec!["A plate"]),
            ("sharded=true", vec!["A film"]),
            ("version=0.4", vec!["An image"]),
            ("data_type=uint8", vec!["An image"]),
            ("channels=2&image_count=1", vec!["A plate", "A stack"]),
            ("channels=5%2B", vec![]),
            ("q=%22stain+1%22&has_labels=true", vec!["A stack"]),
        ] {
            assert_eq!(titles(&client, query).await, expected, "{query} at '{}'", node.id());
        }
        client.get("/api/v1/search?is_plate=perhaps").await.problem(422);
        let page = client.get("/search?dimensions=3D").await.expect(200).text();
        assert!(page.contains("Dimensions") && page.contains("time-lapse") && page.contains("A stack"), "{page}");
        node.assert_quiet_log(&[]);
    }
}

#[tokio::test]
async fn sparql_finds_deep_stacks_with_small_pixels_of_any_node() {
    let (federation, [stack, plate, film, _]) = federation().await;
    let client = federation.node("japan").anybody();
    let ask = async |query: &str| {
        let query =
            format!("PREFIX heliograph: <https://heliograph.org/ns#> PREFIX schema: <http://schema.org/> {query}");
        let answer = client.get_with_query("/sparql", &[("query", &query)]).await.ok();
        let rows = answer["results"]["bindings"].as_array().expect("rows").clone();
        rows.iter().map(|row| row["found"]["value"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let found = ask("SELECT ?found { ?found a heliograph:Image ; heliograph:sizeZ ?z ; heliograph:pixelSizeX ?x . \
        FILTER (?z > 100 && ?x < 0.2) }");
    assert_eq!(found.await, [format!("{}/stack.ome.zarr/", stack.iri)]);
    let found = ask("SELECT ?found { ?found schema:hasPart ?image . ?image heliograph:channel ?channel . \
        ?channel schema:name \"stain 1\" ; heliograph:color \"00FF00\" . ?image heliograph:sizeZ ?z }");
    assert_eq!(found.await, [stack.iri]);
    let found = ask("SELECT ?found { ?dataset schema:hasPart ?p . ?p a heliograph:Plate ; heliograph:fields ?found }");
    assert_eq!(found.await, ["4"]);
    let found = ask("SELECT ?found { ?found schema:hasPart/heliograph:wells 2 }");
    assert_eq!(found.await, [plate.iri]);
    let found = ask("SELECT ?found { ?found schema:hasPart/heliograph:timeStep ?step . FILTER (?step = 30) }");
    assert_eq!(found.await, [film.iri]);
}

#[tokio::test]
async fn records_and_pages_tell_the_same_here_and_at_a_partner() {
    let (federation, [stack, plate, ..]) = federation().await;
    let (here, there) = (federation.node("europe").anybody(), federation.node("japan").anybody());
    let path = format!("/api/v1/datasets/{}", stack.id);
    let facts = here.get(&path).await.ok()["images"][0]["facts"].clone();
    assert_eq!(there.get(&path).await.ok()["images"][0]["facts"], facts);
    assert_eq!((&facts["axes"][1]["size"], &facts["axes"][1]["pixel"]), (&json!(120), &json!(0.3)), "{facts}");
    assert_eq!(facts["channels"][0]["label"], "stain 0", "{facts}");

    // Bytes and digest are those of the files below the image, as anyone can compute from the manifest.
    let manifest = here.get(&format!("{path}/versions/v1/manifest")).await.ok();
    let files: Vec<&Value> = manifest.as_array().unwrap_or_else(|| panic!("{manifest}")).iter().collect();
    let below: Vec<&&Value> =
        files.iter().filter(|file| file["path"].as_str().unwrap_or_default().starts_with("stack.ome.zarr/")).collect();
    let bytes: u64 = below.iter().filter_map(|file| file["size"].as_u64()).sum();
    let mut tree = dataset_model::MerkleTree::default();
    for file in &below {
        let path = file["path"].as_str().unwrap_or_default().trim_start_matches("stack.ome.zarr/");
        tree.push(format!("{path}\0{}\0{}", file["size"], file["sha256"].as_str().unwrap_or_default()).as_bytes());
    }
    assert_eq!((&facts["bytes"], &facts["digest"]), (&json!(bytes), &json!(tree.root())));

    let plate_facts = there.get(&format!("/api/v1/datasets/{}", plate.id)).await.ok()["images"].clone();
    assert_eq!(plate_facts.as_array().map(Vec::len), Some(1), "a plate is one image: {plate_facts}");
    assert_eq!(plate_facts[0]["facts"]["plate"]["fields"], 4, "{plate_facts}");
    for client in [&here, &there] {
        let page = client.get(&format!("/datasets/{}", stack.id)).await.expect(200).text();
        for text in
            ["0.1 µm", "0.3 µm", "36 µm", "stain 1", "fill=\"#00FF00\"", "uint16", "labels=nuclei", "2 × 120 × 16 × 16"]
        {
            assert!(page.contains(text), "no '{text}' at {}: {page}", client.base);
        }
        let page = client.get(&format!("/datasets/{}", plate.id)).await.expect(200).text();
        assert!(page.contains("2 × 3 places, 2 wells, 4 fields"), "{page}");
    }
}
