use node::{ProvenanceView, RecordKind, RecordView, SourceView, VersionView};

use super::{TextLink, address, version_address};
use crate::{links, views::format};

/// Where a record comes from, in a line and a link.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub badge: String,
    pub sentence: String,
    pub link: Option<TextLink>,
    pub facts: Vec<Fact>,
}

/// One thing that is known about where a record comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    pub what: &'static str,
    pub value: String,
    /// Whether it is for machines to read.
    pub code: bool,
}

/// One version in the table.
#[derive(Debug, Clone)]
pub(crate) struct VersionRow {
    pub version: String,
    pub href: String,
    pub shown: bool,
    pub time: String,
    pub time_exact: String,
    pub index: String,
    pub crate_digest: String,
    pub crate_short: String,
    pub proof: Option<String>,
}

/// What ties the version shown to the signed log.
#[derive(Debug, Clone)]
pub(crate) struct Integrity {
    pub node: String,
    pub index: String,
    pub crate_digest: String,
    pub inventory: Option<String>,
    pub content_root: Option<String>,
    pub proof: Option<String>,
    pub checkpoint: Option<String>,
}

impl Origin {
    pub(crate) fn of(record: &RecordView) -> Self {
        let node = &record.node.id;
        let facts = facts(&record.provenance);
        let to = |text: String, address: &str| links::web(address).map(|href| TextLink { text, href: Some(href) });
        match (record.kind, record.own) {
            (RecordKind::Deposit, true) => Self {
                badge: "Deposited here".into(),
                sentence: "This node archives the dataset and serves its bytes.".into(),
                link: None,
                facts,
            },
            (RecordKind::Deposit, false) => Self {
                badge: format!("From {node}"),
                sentence: format!(
                    "Deposited at {node}, which archives it and serves its bytes. This node holds its record, checked against the signed log of {node}."
                ),
                link: to(format!("Its page at {node}"), &record.page),
                facts,
            },
            (RecordKind::Catalogue, own) => Self {
                badge: if own { "Catalogue record".into() } else { format!("Catalogue record from {node}") },
                sentence: "A description of a dataset published elsewhere. Images and files stay with the publisher."
                    .into(),
                link: to("The dataset at its publisher".into(), &record.iri),
                facts,
            },
        }
    }
}

fn facts(provenance: &ProvenanceView) -> Vec<Fact> {
    let ProvenanceView { node, entry, announced, harvested, source } = provenance;
    let fact = |what, value| Fact { what, value, code: false };
    let mut facts: Vec<Fact> = source.iter().flat_map(source_facts).collect();
    let log = format!("entry {} of the log of {node}", format::number(*entry));
    facts.push(fact("Announced", format!("{}, {log}", format::moment(*announced))));
    facts.extend(harvested.map(|time| fact("Harvested", format::moment(time))));
    facts
}

fn source_facts(source: &SourceView) -> Vec<Fact> {
    let fact = |what, value| Fact { what, value, code: false };
    let place = source.file.as_ref().map_or_else(|| source.name.clone(), |file| format!("{}, {file}", source.name));
    let mut facts = vec![
        fact("Imported from", place),
        fact("Fetched", format::moment(source.fetched)),
        Fact { what: "SHA-256 of the original", value: source.original.to_string(), code: true },
    ];
    if let Some(count) = source.withheld.filter(|count| *count > 0) {
        facts.push(fact(
            "Kept private",
            format::count(count, "e-mail address or number", "e-mail addresses or numbers"),
        ));
    }
    facts
}

/// A link to the newest version, when another one is shown.
pub(crate) fn newest(record: &RecordView) -> Option<TextLink> {
    let newest = record.versions.first().filter(|newest| newest.version != record.version)?;
    Some(TextLink { text: newest.version.to_string(), href: Some(address(record)) })
}

impl VersionRow {
    pub(crate) fn of(record: &RecordView, version: &VersionView) -> Self {
        let crate_digest = version.crate_digest.to_string();
        Self {
            version: version.version.to_string(),
            href: version_address(record, version.version.get()),
            shown: version.version == record.version,
            time: format::moment(version.time),
            time_exact: version.time.to_string(),
            index: format::number(version.index),
            crate_short: format::short_digest(&crate_digest),
            crate_digest,
            proof: proof(record, version),
        }
    }
}

impl Integrity {
    /// Of the version shown; nothing when the log no longer has it.
    pub(crate) fn of(record: &RecordView) -> Option<Self> {
        let version = record.versions.iter().find(|version| version.version == record.version)?;
        Some(Self {
            node: record.node.id.to_string(),
            index: format::number(version.index),
            crate_digest: version.crate_digest.to_string(),
            inventory: version.inventory.map(|digest| digest.to_string()),
            content_root: version.content_root.map(|digest| digest.to_string()),
            proof: proof(record, version),
            checkpoint: base(record).map(|base| format!("{base}/log/checkpoint")),
        })
    }
}

/// Only the node that announced a version can prove it from its own log.
fn proof(record: &RecordView, version: &VersionView) -> Option<String> {
    let id = links::name(record.id.as_str());
    base(record).map(|base| format!("{base}/api/v1/datasets/{id}/versions/{}/proof", version.version))
}

/// The address of the node that announced the record; empty for this one.
fn base(record: &RecordView) -> Option<&str> {
    if record.own { Some("") } else { record.node.url.as_deref().filter(|url| links::web(url).is_some()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::dataset::tests::record;

    #[test]
    fn a_peers_record_leads_to_the_peer() {
        let mut record = record();
        (record.own, record.node.url) = (false, Some("https://japan.example.org".into()));
        (record.node.id, record.page) =
            ("japan".parse().unwrap(), "https://japan.example.org/datasets/europe-1".into());
        let origin = Origin::of(&record);
        assert_eq!(origin.link.unwrap().href.as_deref(), Some("https://japan.example.org/datasets/europe-1"));
        let row = VersionRow::of(&record, &record.versions[0]);
        assert_eq!(row.href, "/datasets/europe-1/versions/2?node=japan");
        assert_eq!(row.proof.as_deref(), Some("https://japan.example.org/api/v1/datasets/europe-1/versions/v2/proof"));
    }

    #[test]
    fn an_imported_record_says_from_where_and_when() {
        let mut record = record();
        record.provenance.harvested = Some("2026-11-22T10:00:00Z".parse().unwrap());
        record.provenance.source = Some(SourceView {
            name: "idr".into(),
            url: "https://idr.example/1".into(),
            file: Some("a/1.json".into()),
            fetched: "2026-11-21T10:00:00Z".parse().unwrap(),
            original: dataset_model::Digest::of("original"),
            withheld: Some(2),
        });
        let facts = Origin::of(&record).facts;
        let value = |what: &str| facts.iter().find(|fact| fact.what == what).unwrap().value.clone();
        assert_eq!(value("Imported from"), "idr, a/1.json");
        assert_eq!(value("SHA-256 of the original"), dataset_model::Digest::of("original").to_string());
        assert!(value("Announced").ends_with("entry 8 of the log of europe") && value("Harvested").contains("2026"));
        assert!(value("Kept private").starts_with('2'));
    }

    #[test]
    fn the_newest_version_points_to_no_newer_one() {
        assert_eq!(newest(&record()), None);
    }
}
