//! OAI-PMH providers as sources: another node, and strangers that behave badly.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use e2e_tests::{Dataset, Fault, Node, Page, Setup, SourceServer, Store, Words};
use serde_json::{Value, json};

/// A node that harvests a provider when asked.
async fn harvester(provider: &str, more: &str) -> Node {
    let source = format!(
        "[[sources]]\nname = \"provider\"\nkind = \"oai\"\nurl = \"{provider}\"\ninterval_seconds = 0\n{more}\n"
    );
    Node::start_with(Setup::new("europe").await.extra(&source)).await
}

async fn harvest(node: &Node, query: &str) -> Value {
    let report =
        node.admin().post(&format!("/api/v1/sources/provider/harvest{query}"), &Value::Null).await.expect(200).json();
    let number = |key: &str| report[key].as_u64().unwrap_or_default();
    let rejected = report["rejected"].as_array().unwrap().len() as u64;
    assert_eq!(number("seen"), number("stored") + number("unchanged") + rejected, "{report:#}");
    node.caught_up().await;
    report
}

async fn titles(node: &Node) -> BTreeSet<String> {
    let hits = node.anybody().search("q=&size=200").await["hits"].clone();
    hits.as_array().unwrap().iter().map(|hit| hit["title"].as_str().unwrap_or_default().to_owned()).collect()
}

fn set(titles: &[&str]) -> BTreeSet<String> {
    titles.iter().map(|title| (*title).to_owned()).collect()
}

/// A provider that answers as a test tells it.
#[derive(Clone)]
struct Provider {
    server: SourceServer,
    /// Identifier, datestamp, title; without a title it is deleted.
    records: Arc<Mutex<Vec<(String, String, Option<String>)>>>,
}

impl Provider {
    /// A well-behaved provider, two records a page.
    async fn start(deleted: &'static str) -> Self {
        let provider = Self { server: SourceServer::start().await, records: Arc::default() };
        let records = provider.records.clone();
        provider.server.serve("/oai", move |query| {
            let all = records.lock().unwrap().clone();
            match query.get("verb").map(String::as_str) {
                Some("Identify") => answer(&identify(deleted)),
                Some("ListMetadataFormats") => answer(FORMATS),
                _ => {
                    let from = query.get("from").cloned().unwrap_or_default();
                    let changed: Vec<_> = all.into_iter().filter(|(_, stamp, _)| *stamp >= from).collect();
                    let start: usize = query.get("resumptionToken").and_then(|token| token.parse().ok()).unwrap_or(0);
                    if changed.is_empty() {
                        return answer("<error code=\"noRecordsMatch\">none</error>");
                    }
                    let rows: String = changed.iter().skip(start).take(2).map(record).collect();
                    let next = if start + 2 < changed.len() { (start + 2).to_string() } else { String::new() };
                    answer(&format!("<ListRecords>{rows}<resumptionToken completeListSize=\"{}\">{next}</resumptionToken></ListRecords>", changed.len()))
                }
            }
        });
        provider
    }

    fn set(&self, records: &[(&str, &str, Option<&str>)]) {
        let row = |(id, stamp, title): &(&str, &str, Option<&str>)| {
            ((*id).to_owned(), (*stamp).to_owned(), title.map(str::to_owned))
        };
        *self.records.lock().unwrap() = records.iter().map(row).collect();
    }

    fn url(&self) -> String {
        format!("{}/oai", self.server.url)
    }
}

const FORMATS: &str = "<ListMetadataFormats><metadataFormat><metadataPrefix>marc21</metadataPrefix></metadataFormat>\
                       <metadataFormat><metadataPrefix>oai_dc</metadataPrefix></metadataFormat></ListMetadataFormats>";

fn identify(deleted: &str) -> String {
    format!(
        "<Identify><repositoryName>Fake</repositoryName><deletedRecord>{deleted}</deletedRecord><granularity>YYYY-MM-DDThh:mm:ssZ</granularity></Identify>"
    )
}

fn answer(inner: &str) -> Page {
    Page::xml(format!(
        "<?xml version=\"1.0\"?><OAI-PMH xmlns=\"http://www.openarchives.org/OAI/2.0/\"><responseDate>2026-01-10T00:00:00Z</responseDate><request>x</request>{inner}</OAI-PMH>"
    ))
}

fn record((id, stamp, title): &(String, String, Option<String>)) -> String {
    let Some(title) = title else {
        return format!(
            "<record><header status=\"deleted\"><identifier>oai:fake:{id}</identifier><datestamp>{stamp}</datestamp></header></record>"
        );
    };
    format!(
        "<record><header><identifier>oai:fake:{id}</identifier><datestamp>{stamp}</datestamp></header><metadata>\
         <oai_dc:dc xmlns:oai_dc=\"http://www.openarchives.org/OAI/2.0/oai_dc/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\
         <dc:title>{title}</dc:title><dc:creator>Zita Tester</dc:creator><dc:description>About {title} &amp; more.</dc:description>\
         <dc:date>2026-01-02T00:00:00Z</dc:date><dc:rights>https://creativecommons.org/licenses/by/4.0/</dc:rights>\
         <dc:identifier>https://fake.example/records/{id}</dc:identifier></oai_dc:dc></metadata></record>"
    )
}

#[tokio::test]
async fn our_own_provider_harvested_by_another_node_ends_equal_with_changes_and_withdrawals() {
    let origin = Node::start("japan").await;
    let words = Words::titled("Cells in a dish").organism("10090", "Mus musculus");
    let first = origin.depositor().deposit(&Dataset::new(&words, &[Store::v05("image.ome.zarr", 1)])).await;
    let second = origin.depositor().deposit(&Dataset::small("Leaves & <stems>")).await;
    origin.caught_up().await;
    for format in ["oai_datacite", "jpcoar_2.0", "oai_dc"] {
        let node = harvester(&format!("{}/oai", origin.url()), &format!("format = \"{format}\"")).await;
        let report = harvest(&node, "").await;
        assert_eq!(
            (report["stored"].as_u64(), report["complete"].as_bool()),
            (Some(2), Some(true)),
            "{format}: {report}"
        );
        assert_eq!(titles(&node).await, set(&["Cells in a dish", "Leaves & <stems>"]), "{format}");
        let hits = node.anybody().search("q=dish").await["hits"].clone();
        let hit = &hits[0];
        assert_eq!(hit["iri"], first.iri.as_str(), "{format}: {hit}");
        assert_eq!(
            hit["authors"][0]["name"].as_str().or(hit["authors"][0].as_str()),
            Some("Zita Tester"),
            "{format}: {hit}"
        );
        assert_eq!(hit["date_published"], "2026-02-03", "{format}: {hit}");
        assert_eq!(hit["license"]["spdx"].as_str().or(hit["license"].as_str()), Some("CC-BY-4.0"), "{format}: {hit}");
        if format != "oai_dc" {
            assert_eq!(node.anybody().found("organism=NCBITaxon:10090").await.len(), 1, "{format}: terms are kept");
        }
        assert_eq!(harvest(&node, "?full=true").await["unchanged"], 2, "{format}");
        node.assert_quiet_log(&[]);
    }

    let node = harvester(&format!("{}/oai", origin.url()), "").await;
    harvest(&node, "").await;
    origin.depositor().new_version(&first.id, &Words::titled("Cells in two dishes").crate_json(), &[]).await;
    origin.admin().withdraw(&second.id, "retracted").await;
    let third = origin.depositor().deposit(&Dataset::small("Roots")).await;
    origin.caught_up().await;
    let report = harvest(&node, "").await;
    assert_eq!((report["changes_only"].as_bool(), report["withdrawn"].as_u64()), (Some(true), Some(1)), "{report}");
    assert_eq!(titles(&node).await, set(&["Cells in two dishes", "Roots"]));
    origin.admin().withdraw(&third.id, "retracted").await;
    harvest(&node, "").await;
    assert_eq!(titles(&node).await, set(&["Cells in two dishes"]));
    assert_eq!(harvest(&node, "?full=true").await["stored"], 0);
    node.assert_quiet_log(&[]);
    origin.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_provider_that_tells_of_deletions_is_asked_for_changes_only() {
    let provider = Provider::start("persistent").await;
    let node = harvester(&provider.url(), "").await;
    let a_month = "2026-01-01T00:00:00Z";
    provider.set(&[("1", a_month, Some("One")), ("2", a_month, Some("Two")), ("3", a_month, Some("Three"))]);
    let report = harvest(&node, "").await;
    assert_eq!((report["stored"].as_u64(), report["complete"].as_bool()), (Some(3), Some(true)), "{report}");
    provider.server.asked();

    // What is not among the changes has not changed, and is not gone.
    let later = "2026-01-11T00:00:00Z";
    provider.set(&[
        ("1", a_month, Some("One")),
        ("2", later, None),
        ("3", later, Some("Three changed")),
        ("9", later, None),
    ]);
    let report = harvest(&node, "").await;
    assert_eq!(titles(&node).await, set(&["One", "Three changed"]));
    assert_eq!((report["seen"].as_u64(), report["withdrawn"].as_u64()), (Some(1), Some(1)), "{report}");
    let asked = provider.server.asked();
    assert!(asked.iter().any(|asked| asked.contains("from=2026-01-10T00%3A00%3A00Z")), "{asked:?}");

    // The next day nothing happened.
    provider.set(&[]);
    let report = harvest(&node, "").await;
    assert_eq!((report["seen"].as_u64(), report["stopped"].as_str()), (Some(0), None), "{report}");
    assert_eq!(titles(&node).await, set(&["One", "Three changed"]));
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_provider_that_forgets_deletions_is_read_whole_each_time() {
    let provider = Provider::start("no").await;
    let node = harvester(&provider.url(), "").await;
    provider.set(&[
        ("1", "2026-01-01", Some("One")),
        ("2", "2026-01-01", Some("Two")),
        ("3", "2026-01-01", Some("Three")),
    ]);
    harvest(&node, "").await;
    provider.set(&[("1", "2026-01-01", Some("One")), ("3", "2026-01-01", Some("Three"))]);
    let report = harvest(&node, "").await;
    assert_eq!((report["unchanged"].as_u64(), report["withdrawn"].as_u64()), (Some(2), Some(1)), "{report}");
    assert_eq!(titles(&node).await, set(&["One", "Three"]));
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_provider_that_deletes_most_of_its_records_at_once_waits_for_a_person() {
    let provider = Provider::start("persistent").await;
    let node = harvester(&provider.url(), "").await;
    let records = |deleted: usize, day: &str| -> Vec<(String, String, Option<String>)> {
        let day = |is_deleted: bool| if is_deleted { day.to_owned() } else { "2026-01-01T00:00:00Z".to_owned() };
        (0..30).map(|at| (at.to_string(), day(at < deleted), (at >= deleted).then(|| format!("Title {at}")))).collect()
    };
    *provider.records.lock().unwrap() = records(0, "");
    harvest(&node, "").await;
    *provider.records.lock().unwrap() = records(25, "2026-01-11T00:00:00Z");
    for _ in 0..2 {
        let report = harvest(&node, "").await;
        assert_eq!((report["held_back"].as_u64(), report["withdrawn"].as_u64()), (Some(25), Some(0)), "{report}");
        assert_eq!(titles(&node).await.len(), 30);
    }
    assert!(node.anybody().get("/sources/provider").await.expect(200).text().contains("25 records would be withdrawn"));
    let harvester = e2e_tests::Client::new(&node.url(), Some(&node.new_token(&["harvest"]).await));
    harvester.post("/api/v1/sources/provider/harvest?confirm_shrink=true", &Value::Null).await.problem(403);
    let report = harvest(&node, "?confirm_shrink=true").await;
    assert_eq!((report["held_back"].as_u64(), report["withdrawn"].as_u64()), (None, Some(25)), "{report}");
    assert_eq!(titles(&node).await.len(), 5);
    node.assert_quiet_log(&[]);
}

/// What a provider answers the question for its list with, page by page; from the last on, the same again.
async fn misbehaving(provider: &Provider, pages: Vec<Page>) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    provider.server.serve("/oai", move |query| match query.get("verb").map(String::as_str) {
        Some("Identify") => answer(&identify("transient")),
        Some("ListMetadataFormats") => answer(FORMATS),
        _ => {
            let at = counter.fetch_add(1, Ordering::SeqCst);
            pages[at.min(pages.len() - 1)].clone()
        }
    });
    count
}

fn listed(ids: &[&str], token: &str) -> Page {
    let row = |id: &&str| record(&((*id).to_owned(), "2026-01-01".to_owned(), Some(format!("Title {id}"))));
    let rows: String = ids.iter().map(row).collect();
    answer(&format!("<ListRecords>{rows}<resumptionToken>{token}</resumptionToken></ListRecords>"))
}

#[tokio::test]
async fn a_provider_that_misbehaves_is_named_and_takes_nothing_away() {
    let provider = Provider::start("transient").await;
    let node = harvester(&provider.url(), "answer_seconds = 2").await;
    misbehaving(&provider, vec![listed(&["1", "2", "3"], "")]).await;
    assert_eq!(harvest(&node, "").await["stored"], 3);
    let all = set(&["Title 1", "Title 2", "Title 3"]);
    let huge = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><OAI-PMH>{}</OAI-PMH>",
        "&b;".repeat(1000)
    );
    for (what, pages, why) in [
        ("the same token", vec![listed(&["1"], "t"), listed(&["2"], "t")], "token again"),
        ("the same page", vec![listed(&["1", "2"], "t"), listed(&["1", "2"], "u")], "again"),
        ("empty pages", (0..20).map(|at| listed(&[], &format!("t{at}"))).collect(), "without records"),
        (
            "fewer than announced",
            vec![answer(&format!(
                "<ListRecords>{}<resumptionToken completeListSize=\"7\"/></ListRecords>",
                record(&("1".into(), "2026".into(), Some("Title 1".into())))
            ))],
            "7 were announced",
        ),
        ("a page of HTML", vec![listed(&["1"], "t"), Page::html("<html>busy</html>")], "malformed"),
        ("XML cut off", vec![listed(&["1"], "t"), Page::xml("<OAI-PMH><ListRecords><record>")], "cut off"),
        (
            "a connection cut off",
            vec![listed(&["1"], "t"), listed(&["2"], "u").fault(Fault::CutOff)],
            "cannot be reached",
        ),
        ("entities", vec![Page::xml(huge)], "document type"),
        ("an error", vec![answer("<error code=\"badResumptionToken\">expired</error>")], "badResumptionToken"),
        ("down", vec![listed(&["1"], "t"), Page::status(503).header("retry-after", "0")], "503"),
        ("another place", vec![Page::redirect("http://127.0.0.1:9/oai")], "not at the source's own address"),
        ("silence", vec![Page::xml("").fault(Fault::Silence)], "in time"),
        ("no end", vec![Page::xml("").fault(Fault::Endless)], ""),
    ] {
        misbehaving(&provider, pages).await;
        let report = harvest(&node, "").await;
        let stopped = report["stopped"].as_str().unwrap_or_else(|| panic!("{what}: {report}"));
        assert!(stopped.contains(why), "{what}: {stopped}");
        assert_eq!(
            (report["complete"].as_bool(), report["withdrawn"].as_u64()),
            (Some(false), Some(0)),
            "{what}: {report}"
        );
        assert_eq!(titles(&node).await, all, "{what}");
    }

    // A provider that is busy for a moment is waited for.
    misbehaving(&provider, vec![listed(&["1"], "t"), Page::status(503).header("retry-after", "0"), listed(&["2"], "")])
        .await;
    let report = harvest(&node, "").await;
    assert_eq!((report["complete"].as_bool(), report["withdrawn"].as_u64()), (Some(true), Some(1)), "{report}");
    assert_eq!(titles(&node).await, set(&["Title 1", "Title 2"]));
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_rejected_with_its_reason_and_shown_in_the_report() {
    let provider = Provider::start("transient").await;
    let node = harvester(&provider.url(), "").await;
    let broken = "<record><header><identifier>oai:fake:&lt;b&gt;</identifier><datestamp>2026</datestamp></header><metadata><marc/></metadata></record>";
    let empty = "<record><header><identifier>oai:fake:empty</identifier><datestamp>2026</datestamp></header></record>";
    let good = record(&("1".into(), "2026".into(), Some("Good".into())));
    misbehaving(&provider, vec![answer(&format!("<ListRecords>{broken}{empty}{good}</ListRecords>"))]).await;
    let report = harvest(&node, "").await;
    assert_eq!((report["seen"].as_u64(), report["stored"].as_u64()), (Some(3), Some(1)), "{report}");
    let rejected = report["rejected"].to_string();
    assert!(rejected.contains("no oai_dc") && rejected.contains("not marked as deleted"), "{rejected}");

    let shown = node.anybody().get("/api/v1/sources/provider").await.ok();
    assert_eq!(shown["report"], report);
    assert_eq!((shown["records"].as_u64(), shown["kind"].as_str()), (Some(1), Some("oai")), "{shown}");
    let list = node.anybody().get("/api/v1/sources").await.ok();
    assert_eq!(list[0]["name"], "provider", "{list}");
    let page = node.anybody().get("/sources/provider").await.expect(200).text();
    for text in ["no oai_dc", "&#60;b&#62;", "3 items", "1 stored", "2 rejected"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(node.anybody().get("/sources").await.expect(200).text().contains("provider"));
    node.anybody().get("/sources/nobody").await.expect(404);
    node.anybody().get("/api/v1/sources/nobody").await.problem(404);
    node.admin().post("/api/v1/sources/nobody/harvest", &json!(null)).await.problem(404);
    node.anybody().post("/api/v1/sources/provider/harvest", &json!(null)).await.problem(401);
    node.assert_quiet_log(&[]);
}
