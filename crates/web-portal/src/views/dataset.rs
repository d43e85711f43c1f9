//! The landing page of a dataset, and what machines read in it.

pub(crate) mod files;
pub(crate) mod images;
pub(crate) mod provenance;

use askama::Template;
use dataset_model::{Finding, ManifestFile, Repair, Severity, Summary};
use node::{ExportFormat, ExportRecord, RecordKind, RecordView, TypedLink};
use serde_json::Value;

use super::{
    chrome::{Chrome, Section},
    format,
    search::{
        hits::{Chip, HitCard, chip, title_or},
        params::Params,
    },
    study::StudyView,
};
use crate::{links, site::Identity};
use files::FilesView;
use images::ImagesView;
use provenance::{Integrity, Origin, VersionRow};

/// Everything a landing page shows.
#[derive(Debug, Template)]
#[template(path = "dataset.html")]
pub(crate) struct DatasetPage {
    pub chrome: Chrome,
    pub title: String,
    pub id: String,
    pub catalogue: bool,
    /// Whether the record breaks a MUST of the profile.
    pub incomplete: bool,
    pub version: String,
    /// Where the newest version is, when this is an older one.
    pub newest: Option<TextLink>,
    pub authors: Vec<Author>,
    pub paragraphs: Vec<String>,
    pub licence: Option<TextLink>,
    pub publisher: Option<TextLink>,
    pub published: Option<String>,
    pub published_exact: String,
    pub organisms: Vec<Chip>,
    pub methods: Vec<Chip>,
    pub about: Vec<TextLink>,
    pub keywords: Vec<TextLink>,
    pub identifiers: Vec<TextLink>,
    pub related: Vec<TextLink>,
    /// What the publisher says about size, where nothing was measured here.
    pub declared: Option<String>,
    pub thumbnail: Option<String>,
    pub origin: Origin,
    pub images: ImagesView,
    pub files: Option<FilesView>,
    pub versions: Vec<VersionRow>,
    /// How to cite it, for texts and for TeX.
    pub citation: String,
    pub bibtex: String,
    pub integrity: Option<Integrity>,
    pub findings: Vec<FindingRow>,
    pub repairs: Vec<Repair>,
    /// How many of both.
    pub noticed: String,
    pub formats: Vec<TextLink>,
    /// Datasets like it.
    pub similar: Vec<HitCard>,
    /// What a machine may follow from here, as the headers have it.
    pub links: Vec<TypedLink>,
    /// Other records of the same study.
    pub study: Option<StudyView>,
    /// Escaped for a script element.
    pub json_ld: String,
}

/// Text that leads somewhere, where there is somewhere to lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextLink {
    pub text: String,
    pub href: Option<String>,
}

/// An author.
#[derive(Debug, Clone)]
pub(crate) struct Author {
    pub name: String,
    pub orcid: Option<String>,
    pub affiliations: String,
}

/// Something worth knowing about the record.
#[derive(Debug, Clone)]
pub(crate) struct FindingRow {
    pub class: &'static str,
    pub word: &'static str,
    pub message: String,
    pub hint: String,
    pub rule: String,
}

impl DatasetPage {
    /// Fills the page; `export` is the record for machines, `manifest` is there for deposits of this node.
    pub(crate) fn new(
        identity: &Identity,
        record: &RecordView,
        export: &ExportRecord,
        manifest: Option<&[ManifestFile]>,
    ) -> Self {
        let summary = &record.summary;
        let title = title_or(&summary.title, record.id.as_str());
        let catalogue = record.kind == RecordKind::Catalogue;
        Self {
            chrome: chrome(identity, record, &title),
            id: record.id.to_string(),
            catalogue,
            incomplete: summary.incomplete,
            version: record.version.to_string(),
            newest: provenance::newest(record),
            authors: summary.authors.iter().map(Author::of).collect(),
            paragraphs: paragraphs(&summary.description),
            licence: summary.licence.as_ref().map(|licence| TextLink::new(licence.label(), links::web(&licence.url))),
            publisher: summary.publisher.as_ref().map(|publisher| {
                TextLink::new(&title_or(&publisher.name, "unnamed"), publisher.iri.as_deref().and_then(links::web))
            }),
            published: summary.date_published.as_deref().map(format::day),
            published_exact: summary.date_published.clone().unwrap_or_default(),
            organisms: summary.organisms.iter().map(|term| chip("organism", term)).collect(),
            methods: summary.methods.iter().map(|term| chip("method", term)).collect(),
            about: about(summary),
            keywords: summary.keywords.iter().map(|word| keyword(word)).collect(),
            identifiers: elsewhere(record, &summary.identifiers),
            related: elsewhere(record, &summary.see_also),
            declared: declared(record),
            thumbnail: summary.thumbnail.as_deref().and_then(links::picture).filter(|_| record.images.is_empty()),
            origin: Origin::of(record),
            images: ImagesView::of(record),
            files: FilesView::of(record, manifest),
            versions: record.versions.iter().map(|version| VersionRow::of(record, version)).collect(),
            citation: export.citation(),
            bibtex: export.bibtex(),
            integrity: Integrity::of(record),
            findings: summary.findings.iter().map(FindingRow::of).collect(),
            noticed: noticed(summary),
            repairs: summary.repairs.clone(),
            formats: formats(record, export),
            links: export.header_links(),
            json_ld: for_script(&export.schema_org()),
            similar: Vec::new(),
            study: None,
            title,
        }
    }
}

impl TextLink {
    pub(crate) fn new(text: &str, href: Option<String>) -> Self {
        Self { text: text.to_owned(), href }
    }
}

impl Author {
    fn of(person: &dataset_model::Person) -> Self {
        Self {
            name: person.name.clone(),
            orcid: person.orcid.as_deref().and_then(links::web),
            affiliations: person.affiliations.join("; "),
        }
    }
}

impl FindingRow {
    fn of(finding: &Finding) -> Self {
        let (class, word) = match finding.severity {
            Severity::Error => ("bad", "missing or wrong"),
            Severity::Warning => ("warn", "warning"),
            Severity::Note => ("quiet", "note"),
        };
        Self { class, word, message: finding.message.clone(), hint: finding.hint.clone(), rule: finding.rule.clone() }
    }
}

fn noticed(summary: &Summary) -> String {
    let findings = format::count(summary.findings.len() as u64, "remark", "remarks");
    let repairs = format::count(summary.repairs.len() as u64, "value", "values");
    match (summary.findings.len(), summary.repairs.len()) {
        (_, 0) => format!("{findings} on the record"),
        (0, _) => format!("{repairs} read differently than written"),
        _ => format!("{findings} on the record, {repairs} read differently than written"),
    }
}

/// The page's address here without the form asked for.
pub(crate) fn address(record: &RecordView) -> String {
    links::dataset(record.id.as_str(), peer(record))
}

/// The address of one version here.
pub(crate) fn version_address(record: &RecordView, version: u32) -> String {
    let page = links::dataset(record.id.as_str(), None);
    links::with_node(&format!("{page}/versions/{version}"), peer(record))
}

/// The node to name in addresses, when it is not this one.
fn peer(record: &RecordView) -> Option<&str> {
    (!record.own).then(|| record.node.id.as_str())
}

fn chrome(identity: &Identity, record: &RecordView, title: &str) -> Chrome {
    let mut chrome = Chrome::new(identity, Section::Other, title);
    chrome.canonical = links::web(&record.page);
    chrome.description = format::beginning(&record.summary.description.replace(['\n', '\r'], " "), 200);
    chrome
}

/// A text cut where a line is empty.
fn paragraphs(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n");
    text.split("\n\n").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn about(summary: &Summary) -> Vec<TextLink> {
    let label = |term: &dataset_model::Term| if term.label.is_empty() { term.iri.curie() } else { term.label.clone() };
    let terms = summary.about.iter().map(|term| TextLink { text: label(term), href: links::web(term.iri.as_str()) });
    let named = |name: &String| {
        let same = Params::default().with("entity", &format!("\"{name}\"")).link("/search");
        TextLink { text: name.clone(), href: Some(same) }
    };
    terms.chain(summary.entities.iter().map(named)).collect()
}

fn keyword(word: &str) -> TextLink {
    TextLink::new(word, Some(Params::default().with("q", &format!("\"{}\"", word.replace('"', " "))).link("/search")))
}

/// Identifiers and addresses as links, without this very page.
fn elsewhere(record: &RecordView, texts: &[String]) -> Vec<TextLink> {
    let others = texts.iter().filter(|text| **text != record.page);
    others.map(|text| TextLink::new(text, links::identifier(text))).collect()
}

fn declared(record: &RecordView) -> Option<String> {
    if record.bytes.is_some() {
        return None;
    }
    let declared = record.summary.declared;
    let files = declared.files.map(|files| format::count(files, "file", "files"));
    let parts: Vec<String> = files.into_iter().chain(declared.bytes.map(format::bytes)).collect();
    let doubt = record.summary.findings.iter().any(|finding| finding.rule == "crate.size.unbelievable");
    (!parts.is_empty()).then(|| format!("{}{}", parts.join(", "), if doubt { " (hard to believe)" } else { "" }))
}

/// The other forms of this page. Triples are kept of the newest version only.
fn formats(record: &RecordView, export: &ExportRecord) -> Vec<TextLink> {
    let newest = record.versions.first().is_none_or(|version| version.version == record.version);
    let here = version_address(record, record.version.get());
    let join = if here.contains('?') { '&' } else { '?' };
    let exports = ExportFormat::ALL.into_iter().filter(|format| *format != ExportFormat::Citation);
    let mut formats: Vec<TextLink> =
        exports.map(|format| TextLink::new(format.title(), Some(export.export_url(format)))).collect();
    if newest {
        let form = |text: &str, name: &str| TextLink::new(text, Some(format!("{here}{join}format={name}")));
        formats.extend([form("Turtle", "turtle"), form("N-Triples", "ntriples")]);
    }
    if record.own {
        let api = format!("/api/v1/datasets/{}/versions/{}", links::name(record.id.as_str()), record.version);
        formats.push(TextLink::new("JSON record", Some(api)));
    }
    formats
}

/// JSON that may stand in a script element: no text in it can end the element or begin a comment.
fn for_script(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// What the template counts.
impl ImagesView {
    pub(crate) fn is_empty(&self) -> bool {
        self.cards.is_empty()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use dataset_model::{Agent, Licence, Person};
    use node::{ImageView, NodeView, VersionView};
    use serde_json::json;

    use super::*;

    pub(crate) const EVIL: &str = "</script><script>alert(1)</script>";

    pub(crate) fn record() -> RecordView {
        let version = |number: u32| VersionView {
            version: number.try_into().unwrap(),
            time: "2026-11-21T10:00:00Z".parse().unwrap(),
            index: 6 + u64::from(number),
            crate_digest: dataset_model::Digest::of("crate"),
            inventory: Some(dataset_model::Digest::of("inventory")),
            content_root: Some(dataset_model::Digest::of("root")),
        };
        RecordView {
            id: "europe-1".parse().unwrap(),
            node: NodeView { id: "europe".parse().unwrap(), url: Some("https://europe.example.org".into()) },
            own: true,
            iri: "https://europe.example.org/datasets/europe-1".into(),
            page: "https://europe.example.org/datasets/europe-1".into(),
            kind: RecordKind::Deposit,
            version: 2.try_into().unwrap(),
            access: dataset_model::Access::Open,
            versions: vec![version(2), version(1)],
            summary: summary(),
            images: vec![image()],
            files: Some(3),
            bytes: Some(1500),
            copy: None,
            mirrors: Vec::new(),
            provenance: node::ProvenanceView {
                node: "europe".parse().unwrap(),
                entry: 8,
                announced: "2026-11-21T10:00:00Z".parse().unwrap(),
                harvested: None,
                source: None,
            },
        }
    }

    fn summary() -> Summary {
        let term = |iri: &str, label: &str| dataset_model::Term { iri: iri.parse().unwrap(), label: label.into() };
        Summary {
            iri: "https://europe.example.org/datasets/europe-1".into(),
            title: EVIL.into(),
            description: format!("First {EVIL}.\n\nSecond."),
            date_published: Some("2026-11-21".into()),
            licence: Some(Licence::read("CC-BY-4.0")),
            publisher: Some(Agent { iri: Some("javascript:alert(1)".into()), name: "Example".into() }),
            authors: vec![Person {
                name: "Ada <Lovelace>".into(),
                orcid: Some("https://orcid.org/0000-0002-1825-0097".into()),
                affiliations: vec!["Analytical Engine".into()],
                ..Person::default()
            }],
            organisms: vec![term("http://purl.obolibrary.org/obo/NCBITaxon_9606", "Homo sapiens")],
            methods: vec![term("http://purl.obolibrary.org/obo/FBbi_00000246", "fluorescence microscopy")],
            keywords: vec!["a \"quoted\" & odd".into()],
            thumbnail: Some("javascript:alert(1)".into()),
            identifiers: vec!["10.5281/zenodo.1".into(), "S-1".into()],
            see_also: vec!["https://doi.org/10.1/x".into(), "data:text/html,x".into()],
            findings: vec![Finding {
                severity: Severity::Warning,
                ..Finding::warning("crate.x", "ro-crate-metadata.json", "something <odd>", "look")
            }],
            repairs: vec![Repair { rule: "term.leading-zeros".into(), from: "009606".into(), to: "9606".into() }],
            ..Summary::default()
        }
    }

    pub(crate) fn image() -> ImageView {
        let record = json!({
            "path": "a b.ome.zarr", "name": "cells", "version": "0.5", "shape": [3, 512, 512], "data_type": "uint16",
            "axes": [{"name": "c", "kind": "channel", "unit": null}, {"name": "y", "kind": "space", "unit": "micrometer"},
                {"name": "x", "kind": "space", "unit": "micrometer"}],
            "levels": [{"path": "s0", "shape": [3, 512, 512], "chunk_shape": [1, 64, 64], "shard_shape": [1, 512, 512], "scale": [1.0, 0.5, 0.5]}],
            "channels": [{"label": "DAPI", "color": "0000FF", "window": null, "active": true}],
            "is_label": false, "label_names": ["nuclei"], "physical_size": [null, 0.5, 0.5],
        });
        let record: node::ImageRecord = serde_json::from_value(record).unwrap();
        ImageView {
            facts: Some(node::ImageFacts { bytes: Some(1_234_567), ..node::ImageFacts::of(&record) }),
            path: "a b.ome.zarr".into(),
            name: "cells".into(),
            description: "OME-Zarr 0.5".into(),
            url: "https://europe.example.org/data/europe-1/v2/a b.ome.zarr".into(),
            thumbnail: Some("https://europe.example.org/render/europe-1/v2/a%20b.ome.zarr/thumbnail?size=256".into()),
            record: Some(record),
        }
    }

    fn manifest() -> Vec<ManifestFile> {
        let file = |path: &str| ManifestFile {
            path: path.parse().unwrap(),
            size: 500,
            sha256: dataset_model::Digest::of(path),
        };
        vec![file("a b.ome.zarr/zarr.json"), file("ro-crate-metadata.json"), file("ü <b>.txt")]
    }

    fn export(record: &RecordView) -> ExportRecord {
        let identity = Identity::example();
        record.to_export(node::Catalogue { name: identity.title, url: identity.url }, &manifest())
    }

    fn page(record: &RecordView) -> String {
        DatasetPage::new(&Identity::example(), record, &export(record), Some(&manifest())).render().unwrap()
    }

    #[test]
    fn the_block_for_machines_reads_back_whole_and_cannot_end_its_element() {
        let document = export(&record()).schema_org();
        let text = for_script(&document);
        assert!(!text.contains('<') && !text.contains('>'), "{text}");
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&read, &read["name"]), (&document, &json!(EVIL)));
    }

    #[test]
    fn what_machines_follow_stands_in_the_head_too() {
        let page = page(&record());
        for link in [
            "<link rel=\"cite-as\" href=\"https://doi.org/10.5281/zenodo.1\">",
            "<link rel=\"item\" href=\"https://europe.example.org/data/europe-1/v2/a%20b.ome.zarr/zarr.json\" type=\"application/json\">",
            "<link rel=\"linkset\" href=\"https://europe.example.org/api/v1/datasets/europe-1/versions/v2/export/linkset-json\" type=\"application/linkset+json\">",
        ] {
            assert!(page.contains(link), "{link} is missing: {page}");
        }
    }

    #[test]
    fn nothing_a_record_says_becomes_markup() {
        let page = page(&record());
        assert_eq!(page.matches("<script").count(), 1, "only the JSON-LD block: {page}");
        assert_eq!(page.matches("</script>").count(), 1);
        assert!(!page.contains("<Lovelace>") && !page.contains("<odd>") && !page.contains("<b>"));
        assert!(
            !page.contains("href=\"javascript:")
                && !page.contains("src=\"javascript:")
                && !page.contains("href=\"data:")
        );
    }

    #[test]
    fn a_landing_page_says_who_what_when_and_under_which_licence() {
        let page = page(&record());
        for text in [
            "https://orcid.org/0000-0002-1825-0097",
            "CC-BY-4.0",
            "21 November 2026",
            "Homo sapiens",
            "NCBITaxon:9606",
            "fluorescence microscopy",
            "https://doi.org/10.5281/zenodo.1",
            "/data/europe-1/v2/%C3%BC%20%3Cb%3E.txt",
            "/api/v1/datasets/europe-1/versions/v2/proof",
            "512",
            "0.5 µm",
            "DAPI",
            "term.leading-zeros",
            "@misc{europe-1",
        ] {
            assert!(page.contains(text), "{text} is missing: {page}");
        }
    }

    #[test]
    fn a_catalogue_record_says_where_the_bytes_are() {
        let mut record = record();
        record.kind = RecordKind::Catalogue;
        record.iri = "https://publisher.example.org/S-1".into();
        (record.images, record.files, record.bytes, record.own) = (vec![], None, None, false);
        let page = DatasetPage::new(&Identity::example(), &record, &export(&record), None).render().unwrap();
        assert!(page.contains("https://publisher.example.org/S-1"));
        assert!(page.contains("stay with the publisher"), "{page}");
    }

    #[test]
    fn an_older_version_points_to_the_newest() {
        let mut record = record();
        record.version = 1.try_into().unwrap();
        let page = page(&record);
        assert!(page.contains("This is an older version"), "{page}");
        assert!(
            formats(&record, &export(&record)).iter().all(|form| form.text != "Turtle"),
            "triples are of the newest version"
        );
    }
}
