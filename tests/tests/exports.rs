//! Records in the forms that other services read: negotiated, linked, listed, and understood by third-party programs.

use std::{collections::BTreeMap, fs, path::Path};

use e2e_tests::{Dataset, Federation, Node, Published, Words, python, run, shared_data};
use reqwest::Method;
use serde_json::{Value, json};

/// The formats by name, with how their media types begin.
const FORMATS: [(&str, &str); 14] = [
    ("ro-crate", "application/ld+json; profile=\"https://w3id.org/ro/crate\""),
    ("schema-org", "application/ld+json; profile=\"https://schema.org\""),
    ("croissant", "application/ld+json; profile=\"http://mlcommons.org/croissant/1.1\""),
    ("datacite-json", "application/vnd.datacite.datacite+json"),
    ("datacite-xml", "application/vnd.datacite.datacite+xml"),
    ("dcat", "text/turtle"),
    ("dcat-jsonld", "application/ld+json; profile=\"http://data.europa.eu/r5r/\""),
    ("oai-dc", "application/xml"),
    ("jpcoar", "application/xml"),
    ("bibtex", "application/x-bibtex"),
    ("csl-json", "application/vnd.citationstyles.csl+json"),
    ("citation", "text/x-bibliography"),
    ("linkset-json", "application/linkset+json"),
    ("linkset", "application/linkset"),
];

/// A dataset whose record has everything: an author with ORCID and address, an article, an accession.
fn full(title: &str) -> Dataset {
    let mut dataset = Dataset::small(title);
    let root = dataset.root();
    root["author"] = json!([{"@id": "https://orcid.org/0000-0002-1825-0097"}, {"@id": "#author"}]);
    root["description"] =
        json!("Cells in a dish, imaged for a test of exports; questions to someone@lab.example.org, please.");
    root["citation"] = json!([{"@id": "https://doi.org/10.1234/article"}]);
    root["identifier"] = json!("ACC-1");
    dataset.crate_json["@graph"].as_array_mut().unwrap().extend([
        json!({"@id": "https://orcid.org/0000-0002-1825-0097", "@type": "Person", "name": "Carberry, Josiah",
               "email": "mailto:josiah@lab.example.org", "affiliation": {"@id": "https://ror.org/03mstc592"}}),
        json!({"@id": "https://doi.org/10.1234/article", "@type": "ScholarlyArticle", "name": "On cells"}),
    ]);
    dataset
}

/// What programs of others find in the forms of these pages; none finds a fault.
async fn check(pages: &[String]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/exports_check.py");
    let output = tokio::process::Command::new(python()).arg(script).args(pages).output().await.expect("running Python");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{pages:?}: {out}{err}");
    let reports: Vec<Value> =
        serde_json::from_str(out.lines().last().unwrap_or_default()).expect("a last line of JSON");
    for (page, report) in pages.iter().zip(&reports) {
        assert_eq!(report["ro-crate"]["required"], json!([]), "roc-validator: {page}: {report:#}");
        assert_eq!(report["croissant"]["errors"], json!([]), "mlcroissant: {page}: {report:#}");
        assert_eq!(report["datacite"]["errors"], json!([]), "DataCite's schema: {page}: {report:#}");
        assert_eq!(report["dcat"]["conforms"], true, "the shapes of FAIR Data Points: {page}: {report:#}");
        assert_eq!(report["formats"].as_array().unwrap().len(), 11, "{report:#}");
    }
    assert_eq!(reports.len(), pages.len());
    reports
}

fn page_of(node: &Node, published: &Published) -> String {
    format!("{}/datasets/{}", node.url(), published.id)
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_of_others_read_every_form_of_a_deposit() {
    let node = Node::start("europe").await;
    let published = node.depositor().deposit(&full("Cells for everyone")).await;
    let report = check(&[page_of(&node, &published)]).await.remove(0);
    assert_eq!(report["signposting"]["items"], 1, "{report:#}");
    let relations = json!(["author", "cite-as", "describedby", "item", "license", "linkset", "type"]);
    assert_eq!(report["signposting"]["relations"], relations);
    assert_eq!(report["signposting"]["linksets"], json!(["application/linkset", "application/linkset+json"]));
    assert_eq!((&report["croissant"]["rows"], &report["croissant"]["files"]), (&json!(1), &json!(1)), "{report:#}");
    assert_eq!(report["croissant"]["warnings"], json!([]), "{report:#}");
    assert_eq!(report["ro-crate"]["name"], "Cells for everyone");
    let said = &report["schema-org"]["said"];
    assert!(said.as_object().unwrap().values().all(|count| count.as_u64() > Some(0)), "{report:#}");
    assert!(report["citations"]["csl"].as_str().unwrap().contains("Cells for everyone"), "{report:#}");
    node.assert_quiet_log(&[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_of_others_read_every_form_of_imported_records() {
    let Some(corpus) = shared_data("gide-crates") else { return };
    let node = Node::start("europe").await;
    let folder = node.scratch().join("sample");
    fs::create_dir_all(&folder).unwrap();
    let mut crates: Vec<_> =
        walk(&corpus).into_iter().filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    crates.sort();
    for (number, path) in crates.iter().step_by(crates.len().div_ceil(4).max(1)).enumerate() {
        fs::copy(path, folder.join(format!("{number}.json"))).unwrap();
    }
    let arguments =
        ["import", folder.to_str().unwrap(), "--as", "corpus", "--node", &node.url(), "--token", &node.admin_token];
    run(arguments).await.ok();
    node.caught_up().await;
    let hits = node.anybody().search("size=20").await["hits"].as_array().unwrap().clone();
    assert!(hits.len() >= 3, "{hits:?}");
    let page = |hit: &Value| format!("{}/datasets/{}", node.url(), hit["id"].as_str().unwrap());
    check(&hits.iter().map(page).collect::<Vec<_>>()).await;
    node.assert_quiet_log(&[]);
}

/// Schemas are published by their communities and not ours to pass on; whoever has checkouts names their folder.
#[tokio::test(flavor = "multi_thread")]
async fn xml_is_valid_against_the_published_schemas() {
    let Some(schemas) = std::env::var_os("HELIOGRAPH_SCHEMAS") else {
        eprintln!("SKIPPED: set HELIOGRAPH_SCHEMAS to a folder with clones of DataCite's and JPCOAR's schemas");
        return;
    };
    let node = Node::start("europe").await;
    let published = node.depositor().deposit(&full("Valid cells")).await;
    let exports = format!("{}/api/v1/datasets/{}/export", node.url(), published.id);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/schema_check.py");
    let output = tokio::process::Command::new(python()).arg(script).arg(schemas).arg(exports).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn the_page_answers_in_the_form_that_is_asked_for() {
    let node = Node::start("europe").await;
    let published = node.depositor().deposit(&full("Negotiated cells")).await;
    let (client, page) = (node.anybody(), format!("/datasets/{}", published.id));
    for (accept, begins) in [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("*/*", "text/html"),
        ("application/ld+json", "application/ld+json; profile=\"https://w3id.org/ro/crate\""),
        ("application/ld+json;profile=\"https://schema.org\"", "application/ld+json; profile=\"https://schema.org\""),
        ("text/html;q=0.2, text/turtle;q=0.5", "text/turtle"),
        ("text/turtle;profile=\"http://data.europa.eu/r5r/\"", "text/turtle"),
        ("application/xml", "application/xml"),
        ("application/vnd.datacite.datacite+json, text/html;q=0.9", "application/vnd.datacite.datacite+json"),
        ("application/x-bibtex;q=0.1, image/png", "application/x-bibtex"),
        ("application/linkset+json", "application/linkset+json"),
    ] {
        let answer = client.get_with(&page, &[("accept", accept)]).await.expect(200);
        assert!(answer.header("content-type").starts_with(begins), "{accept}: {answer:?}");
        assert!(answer.header("vary").to_lowercase().contains("accept"), "{accept}: {answer:?}");
        assert!(answer.header("link").contains("rel=\"cite-as\""), "{accept}: {answer:?}");
        let etag = answer.header("etag").to_owned();
        let again = client.get_with(&page, &[("accept", accept), ("if-none-match", &etag)]).await.expect(304);
        assert!(again.body.is_empty() && again.header("etag") == etag, "{accept}: {again:?}");
    }
    let problem = client.get_with(&page, &[("accept", "image/png, text/html;q=0")]).await.problem(406);
    for (_, begins) in FORMATS {
        assert!(problem["detail"].as_str().unwrap().contains(begins), "{begins}: {problem}");
    }
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn every_form_has_an_address_a_name_and_a_way_back_and_no_e_mail_address() {
    let node = Node::start("europe").await;
    let published = node.depositor().deposit(&full("Addressed cells")).await;
    let (client, page) = (node.anybody(), page_of(&node, &published));
    let mut texts = BTreeMap::new();
    for (name, media_type) in FORMATS {
        for address in ["export", "versions/v1/export", "versions/latest/export"] {
            let path = format!("/api/v1/datasets/{}/{address}/{name}", published.id);
            let answer = client.get(&path).await.expect(200);
            assert!(answer.header("content-type").starts_with(media_type), "{answer:?}");
            assert_eq!(answer.header("link"), format!("<{page}>; rel=\"describes\"; type=\"text/html\""));
            assert_eq!(answer.header("access-control-allow-origin"), "*");
            assert!(!answer.text().contains("lab.example.org"), "{answer:?}");
            let etag = answer.header("etag").to_owned();
            client.get_with(&path, &[("if-none-match", &etag)]).await.expect(304);
            texts.insert(name, answer.text());
        }
    }
    assert!(!client.get(&format!("/datasets/{}", published.id)).await.expect(200).text().contains("lab.example.org"));
    let crate_json: Value = serde_json::from_str(&texts["ro-crate"]).unwrap();
    let ids: Vec<&str> =
        crate_json["@graph"].as_array().unwrap().iter().filter_map(|entity| entity["@id"].as_str()).collect();
    assert!(ids.contains(&page.as_str()), "the root is the page: {ids:?}");
    let image = format!("{}/data/{}/v1/image.ome.zarr", node.url(), published.id);
    assert!(ids.contains(&format!("{image}/").as_str()), "files are addresses: {ids:?}");
    let item = client.get(&format!("/data/{}/v1/image.ome.zarr/zarr.json", published.id)).await.expect(200);
    assert_eq!(item.header("link"), format!("<{page}>; rel=\"collection\"; type=\"text/html\""));
    let unknown = client.get(&format!("/api/v1/datasets/{}/export/marc21", published.id)).await.problem(404);
    assert!(unknown["detail"].as_str().unwrap().contains("datacite-xml"), "{unknown}");
    client.get("/api/v1/datasets/nobody-1/export/bibtex").await.problem(404);
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_partner_gives_the_same_record_in_every_form() {
    let federation = Federation::start(&["europe", "japan"]).await;
    let (europe, japan) = (federation.node("europe"), federation.node("japan"));
    let published = europe.depositor().deposit(&full("Travelling cells")).await;
    federation.all_find("q=travelling", &[&published.id]).await;
    for (name, media_type) in FORMATS {
        let path = format!("/api/v1/datasets/{}/export/{name}", published.id);
        let answer = japan.anybody().get(&format!("{path}?node=europe")).await.expect(200);
        assert!(answer.header("content-type").starts_with(media_type), "{answer:?}");
        let text = answer.text();
        assert!(text.contains(&europe.url()), "{name}: the dataset stays where it is: {text}");
    }
    let page = format!("/datasets/{}?node=europe", published.id);
    let answer = japan.anybody().get(&page).await.expect(200);
    assert!(
        answer.header("link").contains(&format!("<{}/datasets/{}>; rel=\"cite-as\"", europe.url(), published.id)),
        "{answer:?}"
    );
    assert!(answer.header("link").contains(&format!(
        "{}/api/v1/datasets/{}/versions/v1/export/croissant?node=europe",
        japan.url(),
        published.id
    )));
    let withdrawn = europe.depositor().post(&format!("/api/v1/datasets/{}/withdraw", published.id), &Value::Null).await;
    withdrawn.ok();
    europe.anybody().get(&format!("/api/v1/datasets/{}/export/bibtex", published.id)).await.problem(410);
    europe
        .anybody()
        .get_with(&format!("/datasets/{}", published.id), &[("accept", "application/x-bibtex")])
        .await
        .problem(410);
}

#[tokio::test]
async fn an_older_version_has_its_own_forms() {
    let node = Node::start("europe").await;
    let published = node.depositor().deposit(&full("Cells of yore")).await;
    let mut next = full("Cells of today");
    next.crate_json["@graph"][1]["identifier"] = json!("ACC-1");
    node.depositor().new_version(&published.id, &next.crate_json, &[]).await;
    let client = node.anybody();
    let old =
        client.get(&format!("/api/v1/datasets/{}/versions/1/export/datacite-xml", published.id)).await.expect(200);
    assert!(old.text().contains("Cells of yore") && old.text().contains("<version>1</version>"), "{old:?}");
    assert!(old.header("link").contains("/versions/1>; rel=\"describes\""), "{old:?}");
    let new = client.get(&format!("/api/v1/datasets/{}/export/datacite-xml", published.id)).await.expect(200);
    assert!(new.text().contains("Cells of today") && new.text().contains("<version>2</version>"), "{new:?}");
    let page =
        client.get_with(&format!("/datasets/{}/versions/1", published.id), &[("accept", "application/ld+json")]).await;
    assert!(page.expect(200).text().contains("Cells of yore"));
}

#[tokio::test]
async fn the_sitemap_lists_what_is_live_with_the_time_of_its_newest_entry() {
    let node = Node::start("europe").await;
    let client = node.anybody();
    let first = client.get("/sitemap.xml").await.expect(200).text();
    assert!(first.contains(&format!("<loc>{}/sitemap/1.xml</loc>", node.url())), "{first}");
    let empty = client.get("/sitemap/1.xml").await.expect(200).text();
    assert!(empty.contains(&format!("<loc>{}/</loc>", node.url())), "a sitemap is never empty: {empty}");

    let kept = node
        .depositor()
        .deposit(&Dataset::new(&Words::titled("Kept"), &[e2e_tests::Store::v05("image.ome.zarr", 1)]))
        .await;
    let gone = node.depositor().deposit(&Dataset::small("Gone")).await;
    node.depositor().post(&format!("/api/v1/datasets/{}/withdraw", gone.id), &Value::Null).await.ok();
    let record = client.get(&format!("/api/v1/datasets/{}", kept.id)).await.ok();
    let time = record["versions"][0]["time"].as_str().unwrap();
    let map = client.get("/sitemap/1.xml").await.expect(200);
    assert_eq!(map.header("content-type"), "application/xml");
    let entry = format!("<url><loc>{}/datasets/{}</loc><lastmod>{time}</lastmod></url>", node.url(), kept.id);
    assert!(map.text().contains(&entry) && !map.text().contains(&gone.id), "{}", map.text());
    let index = client.get("/sitemap.xml").await.expect(200).text();
    assert!(index.contains("<lastmod>") && index.matches("<sitemap>").count() == 1, "{index}");
    let html = [("accept", "text/html")];
    for absent in ["/sitemap/2.xml", "/sitemap/0.xml", "/sitemap/x.xml", "/sitemap/1"] {
        client.get_with(absent, &html).await.expect(404);
    }
    let robots = client.get("/robots.txt").await.expect(200).text();
    assert!(robots.contains(&format!("Sitemap: {}/sitemap.xml", node.url())), "{robots}");
    let head = client.send(client.request(Method::HEAD, &format!("/datasets/{}", kept.id))).await.expect(200);
    assert!(head.header("link").contains("rel=\"linkset\""), "a client asks for links with HEAD: {head:?}");
    node.assert_quiet_log(&[]);
}
