//! Sitemaps as sources: pages described by FAIR Signposting or by JSON-LD within them, and another node's own sitemap.

use std::{collections::BTreeSet, io::Write};

use e2e_tests::{Dataset, Node, Page, Setup, SourceServer, Words};
use serde_json::{Value, json};

async fn harvester(url: &str) -> Node {
    let source = format!("[[sources]]\nname = \"site\"\nkind = \"sitemap\"\nurl = \"{url}\"\ninterval_seconds = 0\n");
    Node::start_with(Setup::new("europe").await.extra(&source)).await
}

async fn harvest(node: &Node) -> [u64; 5] {
    let report = node.admin().post("/api/v1/sources/site/harvest", &Value::Null).await.expect(200).json();
    eprintln!("{report}");
    let number = |key: &str| report[key].as_u64().unwrap_or_else(|| panic!("no '{key}': {report}"));
    let rejected = report["rejected"].as_array().unwrap().len() as u64;
    assert_eq!(number("seen"), number("stored") + number("unchanged") + rejected, "{report:#}");
    node.caught_up().await;
    [number("seen"), number("stored"), number("unchanged"), number("withdrawn"), rejected]
}

async fn hits(node: &Node) -> Vec<(String, String)> {
    let hits = node.anybody().search("q=&size=200").await["hits"].clone();
    let text = |hit: &Value, key: &str| hit[key].as_str().unwrap_or_default().to_owned();
    let mut hits: Vec<_> = hits.as_array().unwrap().iter().map(|hit| (text(hit, "title"), text(hit, "iri"))).collect();
    hits.sort();
    hits
}

async fn titles(node: &Node) -> BTreeSet<String> {
    hits(node).await.into_iter().map(|(title, _)| title).collect()
}

fn set(titles: &[&str]) -> BTreeSet<String> {
    titles.iter().map(|title| (*title).to_owned()).collect()
}

/// A sitemap of these pages, each with the day of its last change.
fn sitemap(server: &SourceServer, pages: &[(&str, &str)]) -> String {
    let row = |(path, day): &(&str, &str)| {
        let lastmod = if day.is_empty() { String::new() } else { format!("<lastmod>{day}</lastmod>") };
        format!("<url><loc>{}{path}</loc>{lastmod}</url>", server.url)
    };
    let rows: String = pages.iter().map(row).collect();
    format!("<?xml version=\"1.0\"?><urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">{rows}</urlset>")
}

fn json_ld(title: &str) -> String {
    let dataset = json!({"@context": "https://schema.org/", "@type": "Dataset", "name": title, "description": "Described in the page.",
        "creator": {"@type": "Person", "name": "Zita Tester", "@id": "https://orcid.org/0000-0002-1825-0097"},
        "license": "https://creativecommons.org/licenses/by/4.0/", "datePublished": "2026-01-02",
        "keywords": ["a", {"@type": "DefinedTerm", "name": "Mus musculus", "url": "http://purl.obolibrary.org/obo/NCBITaxon_10090"}]});
    format!(
        "<!doctype html><html><head><script type=\"application/ld+json\">{dataset}</script></head><body>x</body></html>"
    )
}

#[tokio::test]
async fn pages_are_read_by_signposting_or_by_what_is_embedded_in_them() {
    let server = SourceServer::start().await;
    let node = harvester(&format!("{}/sitemap.xml", server.url)).await;
    let index = format!(
        "<sitemapindex><sitemap><loc>{url}/one.xml.gz</loc></sitemap><sitemap><loc>{url}/two.xml</loc></sitemap></sitemapindex>",
        url = server.url
    );
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(sitemap(&server, &[("/d/linked", "2026-01-01"), ("/d/headed", "")]).as_bytes()).unwrap();
    server.put("/sitemap.xml", Page::xml(index));
    server.put("/one.xml.gz", Page::new("application/gzip", packer.finish().unwrap()));
    server.put(
        "/two.xml",
        Page::xml(sitemap(
            &server,
            &[("/d/embedded", "2026-01-01"), ("/d/set", "2026-01-01"), ("/about", "2026-01-01")],
        )),
    );
    // By a header, with a crate whose root has no name of its own.
    let described =
        "</c/linked.json>; rel=\"describedby\"; type=\"application/ld+json\"; profile=\"https://w3id.org/ro/crate\"";
    server.put("/d/linked", Page::html("<html></html>").header("link", described));
    server.put("/c/linked.json", Page::new("application/ld+json", Words::titled("Linked").crate_json().to_string()));
    server.put(
        "/d/headed",
        Page::html("<html><head><link rel=describedby type='application/ld+json' href='/c/headed.json'></head></html>"),
    );
    server.put("/c/headed.json", Page::new("application/ld+json", Words::titled("Headed").crate_json().to_string()));
    server.put("/d/embedded", Page::html(json_ld("Embedded")));
    server.put(
        "/d/set",
        Page::html("<html></html>").header("link", "</c/set.json>; rel=linkset; type=\"application/linkset+json\""),
    );
    let set_of_links = json!({"linkset": [{"anchor": format!("{}/d/set", server.url), "describedby": [{"href": "/c/inset.json", "type": "application/ld+json"}]}]});
    server.put("/c/set.json", Page::new("application/linkset+json", set_of_links.to_string()));
    server.put("/c/inset.json", Page::new("application/ld+json", Words::titled("In a set").crate_json().to_string()));
    server.put("/about", Page::html("<html><body>About us</body></html>"));
    assert_eq!(harvest(&node).await, [5, 4, 0, 0, 1]);
    let found = hits(&node).await;
    assert_eq!(titles(&node).await, set(&["Embedded", "Headed", "In a set", "Linked"]));
    for (title, page) in [("Embedded", "/d/embedded"), ("Linked", "/d/linked"), ("In a set", "/d/set")] {
        let (_, iri) = found.iter().find(|(found, _)| found == title).unwrap();
        assert_eq!(*iri, format!("{}{page}", server.url), "{title} is known by its page");
    }
    assert_eq!(node.anybody().found("organism=NCBITaxon:10090").await.len(), 1, "terms of key words are kept");

    // What did not change is not asked for; what is gone from the sitemap is gone.
    server.asked();
    assert_eq!(harvest(&node).await, [5, 0, 4, 0, 1]);
    let asked = server.asked();
    assert!(!asked.iter().any(|path| path == "/d/linked" || path == "/d/embedded"), "{asked:?}");
    assert!(asked.iter().any(|path| path == "/d/headed"), "a page without a date is asked for: {asked:?}");
    server.put("/two.xml", Page::xml(sitemap(&server, &[("/d/embedded", "2026-01-05")])));
    server.put("/d/embedded", Page::html(json_ld("Embedded anew")));
    assert_eq!(harvest(&node).await, [3, 1, 2, 1, 0]);
    assert_eq!(titles(&node).await, set(&["Embedded anew", "Headed", "Linked"]));

    // One of the sitemaps cannot be had, or is cut off: nothing is taken for gone.
    for page in [
        Page::status(404),
        Page::xml("<urlset><url><loc>x</loc>"),
        Page::redirect("http://127.0.0.1:9/two.xml"),
        Page::xml("<!DOCTYPE a [<!ENTITY x \"y\">]><urlset>&x;</urlset>"),
    ] {
        server.put("/two.xml", page);
        assert_eq!(harvest(&node).await[3], 0);
        assert_eq!(titles(&node).await.len(), 3);
    }
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn another_nodes_sitemap_ends_equal_to_it() {
    let origin = Node::start("japan").await;
    let first = origin.depositor().deposit(&Dataset::small("Cells in a dish")).await;
    let second = origin.depositor().deposit(&Dataset::small("Leaves")).await;
    origin.caught_up().await;
    let node = harvester(&format!("{}/sitemap.xml", origin.url())).await;
    let counted = harvest(&node).await;
    assert_eq!((counted[1], counted[3]), (2, 0), "{counted:?}");
    let mut expected =
        vec![("Cells in a dish".to_owned(), first.iri.clone()), ("Leaves".to_owned(), second.iri.clone())];
    expected.sort();
    assert_eq!(hits(&node).await, expected);
    origin.admin().withdraw(&second.id, "retracted").await;
    assert_eq!(harvest(&node).await[3], 1);
    assert_eq!(titles(&node).await, set(&["Cells in a dish"]));
    node.assert_quiet_log(&[]);
}
