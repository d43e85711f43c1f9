//! OAI-PMH 2.0, by hand and by the clients that harvesters use, with writes in between.

use std::{collections::BTreeMap, path::Path, process::Stdio};

use e2e_tests::{COMPLETE, Dataset, Node, Words, python};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

/// Imports a listing of records; importing again under the same name is the new complete listing.
async fn listing(node: &Node, source: &str, titles: &[(usize, &str)]) {
    let line = |(at, title): &(usize, &str)| {
        let words = Words::titled(title).organism("10090", "Mus musculus");
        words.listed(at, &format!("https://archive.example/{source}/{at}"))
    };
    let lines: String = titles.iter().map(line).collect();
    node.admin().import(source, lines + COMPLETE).await.expect(200);
}

async fn ask(node: &Node, query: &str) -> String {
    let answer = node.anybody().get(&format!("/oai?{query}")).await.expect(200);
    assert!(answer.header("content-type").starts_with("text/xml"), "{answer:?}");
    answer.text()
}

fn tagged<'a>(xml: &'a str, tag: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    xml.split(&open).skip(1).filter_map(|rest| rest.split(&close).next()).collect()
}

/// Runs the clients; between the first and the second page of the one by hand, `meanwhile` happens.
async fn harvest(node: &Node, arguments: &[&str], meanwhile: impl AsyncFnOnce()) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/oai_harvest.py");
    let mut client = tokio::process::Command::new(python())
        .arg(script)
        .arg(format!("{}/oai", node.url()))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("running Python");
    let mut lines = BufReader::new(client.stdout.take().expect("its output")).lines();
    let mut last = lines.next_line().await.expect("a line").unwrap_or_default();
    if last == "paused" {
        meanwhile().await;
        client.stdin.take().expect("its input").write_all(b"\n").await.expect("going on");
        last = lines.next_line().await.expect("a line").unwrap_or_default();
    }
    serde_json::from_str(&last).unwrap_or_else(|error| panic!("{error}: {last}"))
}

fn states(found: &Value) -> BTreeMap<String, bool> {
    let rows = found.as_array().unwrap();
    let states: BTreeMap<String, bool> =
        rows.iter().map(|row| (row[0].as_str().unwrap().to_owned(), row[1].as_bool().unwrap())).collect();
    assert_eq!(states.len(), rows.len(), "something is repeated: {found}");
    states
}

#[tokio::test]
async fn clients_harvest_everything_while_records_come_change_and_go() {
    let node = Node::start("europe").await;
    let deposit = node.depositor().deposit(&Dataset::small("Deposited")).await.id;
    let first: Vec<(usize, String)> = (0..250).map(|at| (at, format!("Record {at}"))).collect();
    let first: Vec<(usize, &str)> = first.iter().map(|(at, title)| (*at, title.as_str())).collect();
    listing(&node, "archive", &first).await;

    let meanwhile = async || {
        // The first ten are gone, two say something else, and others are new.
        let mut second: Vec<(usize, &str)> = first[10..].to_vec();
        second[0].1 = "Another title";
        second[239].1 = "And another";
        second.extend([(900, "New"), (901, "Newer")]);
        listing(&node, "archive", &second).await;
        node.admin().withdraw(&deposit, "retracted").await;
    };
    let found = harvest(&node, &["oai_dc", "--pause"], meanwhile).await;
    let paused = states(&found["raw"]);
    assert_eq!(paused.len(), 251, "the listing is of the log as it was when it began");
    let later = states(&found["sickle"]);
    assert_eq!(later, states(&found["scythe"]));
    assert_eq!(later.len(), 253);
    assert_eq!(later.values().filter(|deleted| **deleted).count(), 11);
    let gone = |id: &str| later.iter().find(|(name, _)| name.ends_with(id)).map(|(_, deleted)| *deleted);
    assert_eq!(gone(&deposit), Some(true));
    assert_eq!(found["name"], "Node europe");
    assert_eq!(found["formats"], json!(["oai_dc", "oai_datacite", "datacite", "jpcoar_2.0"]));
    let sets = found["sets"].to_string();
    for set in ["kind:catalogue", "organism:NCBITaxon_10090", "method:FBbi_00000251"] {
        assert!(sets.contains(set), "{set}: {sets}");
    }
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_record_can_be_had_in_every_form_and_selected_by_set_and_time() {
    let node = Node::start("europe").await;
    let deposit = node.depositor().deposit(&Dataset::small("Cells <&> dishes")).await.id;
    listing(&node, "archive", &[(1, "A mouse")]).await;
    node.caught_up().await;
    let identifier = format!("oai:127.0.0.1:{deposit}");
    for (prefix, element) in [
        ("oai_dc", "<oai_dc:dc"),
        ("oai_datacite", "<oai_datacite"),
        ("datacite", "<resource"),
        ("jpcoar_2.0", "<jpcoar:jpcoar"),
    ] {
        let xml = ask(&node, &format!("verb=GetRecord&metadataPrefix={prefix}&identifier={identifier}")).await;
        assert!(xml.contains(element) && xml.contains("Cells &lt;&amp;&gt; dishes"), "{prefix}: {xml}");
        assert_eq!(xml.matches("<?xml").count(), 1, "{xml}");
    }
    let of = async |query: &str| {
        let xml = ask(&node, &format!("verb=ListIdentifiers&metadataPrefix=oai_dc&{query}")).await;
        tagged(&xml, "identifier").len()
    };
    assert_eq!(of("").await, 2);
    for (set, count) in [
        ("kind", 2),
        ("kind:deposit", 1),
        ("kind:catalogue", 1),
        ("organism:NCBITaxon_10090", 1),
        ("organism:NCBITaxon_1009", 0),
        ("nonsense", 0),
    ] {
        assert_eq!(of(&format!("set={set}")).await, count, "{set}");
    }
    let xml = ask(&node, &format!("verb=GetRecord&metadataPrefix=oai_dc&identifier={identifier}")).await;
    let stamp = tagged(&xml, "datestamp")[0].to_owned();
    assert!(of(&format!("from={stamp}")).await >= 1);
    assert_eq!(of("from=2099-01-01").await, 0);
    assert_eq!(of("until=2001-01-01T00:00:00Z").await, 0);
    assert_eq!(of(&format!("from={}&until=2099-01-01", &stamp[..10])).await, 2);

    node.admin().withdraw(&deposit, "retracted").await;
    let xml = ask(&node, &format!("verb=GetRecord&metadataPrefix=oai_dc&identifier={identifier}")).await;
    assert!(xml.contains("status=\"deleted\"") && !xml.contains("<metadata>"), "{xml}");
    let form = node
        .anybody()
        .request(reqwest::Method::POST, "/oai")
        .header("content-type", "application/x-www-form-urlencoded");
    let posted = node.anybody().send(form.body("verb=Identify")).await.expect(200).text();
    assert!(posted.contains("<deletedRecord>persistent</deletedRecord>"), "{posted}");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn wrong_questions_are_answered_with_the_protocols_errors() {
    let node = Node::start("europe").await;
    for (query, code) in [
        ("", "badVerb"),
        ("verb=Nonsense", "badVerb"),
        ("verb=ListRecords", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc", "noRecordsMatch"),
        ("verb=ListRecords&metadataPrefix=marc21", "cannotDisseminateFormat"),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:127.0.0.1:nobody", "idDoesNotExist"),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier=%00", "idDoesNotExist"),
        ("verb=ListRecords&resumptionToken=nonsense", "badResumptionToken"),
        ("verb=ListRecords&resumptionToken=9.1.1.b2FpX2Rj...", "badResumptionToken"),
    ] {
        let xml = ask(&node, query).await;
        assert!(xml.contains(&format!("<error code=\"{code}\">")), "{query}: {xml}");
    }
    node.assert_quiet_log(&[]);
}
