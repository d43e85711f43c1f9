//! The questions researchers ask of the real collections: one query each, in the API and on the page, and exactly the right studies.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::Path,
};

use e2e_tests::{Node, escape_path, run, shared_data};
use serde_json::Value;

/// A question with its query and the studies that answer it.
struct Task {
    id: &'static str,
    query: &'static [(&'static str, &'static str)],
    expected: Expected,
}

enum Expected {
    /// A variant of the answer as the tasks state it, and studies that answer besides, with the reason.
    Stated(&'static str, &'static [&'static str]),
    /// The studies that this holds for, as their crates are written.
    Holds(fn(&Study) -> bool),
}

/// A strain of Escherichia coli and one of Synechocystis, under Bacteria in our hierarchy and under nothing in the published one.
const STRAINS: &[&str] = &["S-BIAD2353", "S-BIAD2396"];
/// Their samples' cell lines are `HeLa/…`, where the stated answer does not look.
const HELA_CELL_LINES: &[&str] = &["ssbd-repos-000316", "ssbd-repos-000455"];
/// Their samples are called so, in words alone.
const HELA_IN_WORDS: &[&str] = &["ssbd-repos-000227", "90-Ishiwata-SpindleDyn"];
/// Made by the inventors of scanned light sheets; only the titles of their articles say so, where the stated answer does not look.
const LIGHT_SHEET_ARTICLES: &[&str] = &["4-Keller-FlyEmbryo", "5-Keller-FishEmbryo", "ssbd-repos-000005"];

const TASKS: &[Task] = &[
    Task {
        id: "T01",
        query: &[("organism", "Bacteria"), ("method", "light microscopy")],
        expected: Expected::Stated("expanded_deliverable_hierarchy", STRAINS),
    },
    Task {
        id: "T01",
        query: &[("organism", "NCBITaxon:2"), ("method", "FBbi:00000345")],
        expected: Expected::Stated("expanded_deliverable_hierarchy", STRAINS),
    },
    Task {
        id: "T02",
        query: &[("organism", "mouse"), ("method", "fluorescence microscopy")],
        expected: Expected::Stated("expanded", &[]),
    },
    Task { id: "T05", query: &[("q", "HeLa"), ("in", "record")], expected: Expected::Stated("union", &[]) },
    Task { id: "T05", query: &[("q", "HeLa")], expected: Expected::Stated("union", HELA_CELL_LINES) },
    Task { id: "T05", query: &[("entity", "CLO:0003684")], expected: Expected::Stated("by_CLO_id", &[]) },
    Task { id: "T05", query: &[("entity", "HeLa cell")], expected: Expected::Stated("by_CLO_id", HELA_IN_WORDS) },
    Task { id: "T06", query: &[("q", "light sheet"), ("in", "record")], expected: Expected::Stated("union", &[]) },
    Task { id: "T06", query: &[("q", "SPIM"), ("in", "record")], expected: Expected::Stated("union", &[]) },
    Task { id: "T06", query: &[("q", "light sheet")], expected: Expected::Stated("union", LIGHT_SHEET_ARTICLES) },
    Task { id: "T06", query: &[("q", "SPIM")], expected: Expected::Stated("union", LIGHT_SHEET_ARTICLES) },
    Task { id: "T06", query: &[("q", "light-sheet")], expected: Expected::Stated("union", LIGHT_SHEET_ARTICLES) },
    // An iD names one person; a name may be that of several. Who wants both asks for both.
    Task { id: "T09", query: &[("author", "0000-0001-9999-4292")], expected: Expected::Stated("by_orcid", &[]) },
    Task {
        id: "T09",
        query: &[("author", "https://orcid.org/0000-0001-9999-4292"), ("author", "in hwa um")],
        expected: Expected::Stated("union", &[]),
    },
    Task {
        id: "T03",
        query: &[("organism", "Viridiplantae"), ("method", "electron microscopy")],
        expected: Expected::Holds(|study| study.is("NCBITaxon_33090") && study.is("FBbi_00000256")),
    },
    Task {
        id: "T04",
        query: &[
            ("organism", "zebrafish"),
            ("year_from", "2023"),
            ("year_to", "2024"),
            ("license", "CC0-1.0"),
            ("license", "CC-BY-4.0"),
        ],
        expected: Expected::Holds(|study| {
            let free =
                ["publicdomain/zero/1.0", "licenses/by/4.0"].iter().any(|licence| study.licence.contains(licence));
            study.is("NCBITaxon_7955") && free && matches!(study.year, 2023 | 2024)
        }),
    },
    Task {
        id: "T07",
        query: &[("method", "super-resolution")],
        expected: Expected::Holds(|study| study.is("FBbi_00000321")),
    },
    Task {
        id: "T08",
        query: &[("size_min", "1000000000001")],
        expected: Expected::Holds(|study| study.bytes.is_some_and(|bytes| bytes > 1_000_000_000_000)),
    },
    Task { id: "T10", query: &[("identifier", "10.7554/eLife.93633")], expected: Expected::Holds(cites_elife) },
    Task { id: "T10", query: &[("q", "https://doi.org/10.7554/eLife.93633")], expected: Expected::Holds(cites_elife) },
    Task { id: "T11", query: &[("entity", "GO:0005634")], expected: Expected::Holds(|study| study.is("GO_0005634")) },
    Task {
        id: "T13",
        query: &[("organism", "human"), ("q", "patient OR biopsy OR donor OR clinical")],
        expected: Expected::Holds(|study| {
            study.is("NCBITaxon_9606")
                && study.has_any_of(&[
                    "patient",
                    "patients",
                    "biopsy",
                    "biopsies",
                    "donor",
                    "donors",
                    "clinical",
                    "clinically",
                    "clinic",
                ])
        }),
    },
    Task {
        id: "T14",
        query: &[("organism", "Schizosaccharomyces pombe")],
        expected: Expected::Holds(|study| study.is("NCBITaxon_4896")),
    },
    Task {
        id: "T15",
        query: &[
            ("organism", "Caenorhabditis elegans"),
            ("method", "time-lapse"),
            ("year_from", "2015"),
            ("has_thumbnail", "true"),
        ],
        expected: Expected::Holds(|study| {
            study.is("NCBITaxon_6239") && study.is("FBbi_00000249") && study.year >= 2015 && study.thumbnail
        }),
    },
    Task {
        id: "T16",
        query: &[("q", "annotated OR segmentation OR \"ground truth\" OR \"deep learning\" OR \"machine learning\"")],
        expected: Expected::Holds(Study::is_made_for_learning),
    },
    Task {
        id: "T17",
        query: &[("affiliation", "https://ror.org/01sjwvz98")],
        expected: Expected::Holds(|study| study.text.contains("https://ror.org/01sjwvz98")),
    },
    Task {
        id: "T18",
        query: &[("method", "FIB-SEM"), ("method", "serial block face")],
        expected: Expected::Holds(|study| study.is("FBbi_00050000") || study.is("FBbi_00000585")),
    },
];

fn cites_elife(study: &Study) -> bool {
    study.text.to_lowercase().contains("10.7554/elife.93633\"")
}

/// What a crate says, read without any of our own code.
struct Study {
    id: String,
    iri: String,
    /// Its organisms, methods and entities, with everything above them.
    terms: BTreeSet<String>,
    licence: String,
    year: u32,
    bytes: Option<u64>,
    thumbnail: bool,
    /// The crate as it is written.
    text: String,
    words: String,
}

impl Study {
    fn is(&self, term: &str) -> bool {
        self.terms.contains(term)
    }

    fn has_any_of(&self, wanted: &[&str]) -> bool {
        self.words.split(|c: char| !c.is_alphanumeric()).any(|word| wanted.contains(&word))
    }

    fn is_made_for_learning(&self) -> bool {
        let words: Vec<&str> =
            self.words.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let pairs = [["ground", "truth"], ["deep", "learning"], ["machine", "learning"]];
        words.iter().any(|word| word.starts_with("annotat") || word.starts_with("segment"))
            || words.windows(2).any(|pair| pairs.iter().any(|wanted| pair == wanted))
    }

    /// The number that SSBD's database and its repository share.
    fn ssbd_number(&self) -> Option<u32> {
        let number = self.id.strip_prefix("ssbd-repos-").or_else(|| Some(self.id.split_once('-')?.0))?;
        number.parse().ok()
    }
}

fn many(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().collect(),
        Value::Null => Vec::new(),
        value => vec![value],
    }
}

fn texts(value: &Value) -> String {
    many(value).into_iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
}

fn references(entity: &Value, key: &str) -> Vec<String> {
    many(&entity[key]).into_iter().filter_map(|value| value["@id"].as_str()).map(str::to_owned).collect()
}

/// `NCBITaxon_9606`, however it is written.
fn term_id(iri: &str) -> String {
    let last = iri.rsplit('/').next().unwrap_or(iri).trim_start_matches("obo:").replace(':', "_");
    match last.split_once('_') {
        Some(("NCBITaxon", number)) => format!("NCBITaxon_{}", number.trim_start_matches('0')),
        _ => last,
    }
}

fn read_study(path: &Path, parents: &HashMap<String, Vec<String>>) -> Option<Study> {
    let text = fs::read_to_string(path).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let graph = document["@graph"].as_array()?;
    let by_id: HashMap<&str, &Value> =
        graph.iter().filter_map(|entity| Some((entity["@id"].as_str()?, entity))).collect();
    let is_dataset = |entity: &&Value| many(&entity["@type"]).iter().any(|kind| *kind == "Dataset");
    let root = graph.iter().find(is_dataset)?;
    let linked = |keys: &[&str]| -> Vec<String> {
        let direct: Vec<String> = keys.iter().flat_map(|key| references(root, key)).collect();
        let around = direct.iter().filter_map(|id| by_id.get(id.as_str())).flat_map(|entity| {
            ["taxonomicRange", "measurementTechnique", "measurementMethod", "hasCellLine"]
                .map(|key| references(entity, key))
        });
        direct.iter().cloned().chain(around.flatten()).collect()
    };
    let mut open: Vec<String> = linked(&["about", "measurementMethod"]).iter().map(|iri| term_id(iri)).collect();
    let mut terms = BTreeSet::new();
    while let Some(term) = open.pop() {
        if terms.insert(term.clone()) {
            open.extend(parents.get(&term).into_iter().flatten().cloned());
        }
    }
    let sizes = references(root, "size").into_iter().filter_map(|id| by_id.get(id.as_str()).copied());
    let bytes = sizes
        .filter(|size| size["unitCode"].to_string().contains("UO_0000233"))
        .find_map(|size| size["value"].as_u64().or_else(|| size["value"].as_str()?.parse().ok()));
    let described = graph.iter().filter(|entity| {
        let kinds = many(&entity["@type"]);
        ["Dataset", "BioSample", "LabProtocol", "DefinedTerm", "Taxon", "ScholarlyArticle"]
            .iter()
            .any(|kind| kinds.iter().any(|of| of == kind))
    });
    let keys = ["name", "description", "keywords", "scientificName", "vernacularName", "labEquipment"];
    let words = described.flat_map(|entity| keys.map(|key| texts(&entity[key]))).collect::<Vec<_>>().join(" ");
    Some(Study {
        id: path.file_name()?.to_str()?.trim_end_matches(".json").trim_end_matches("-ro-crate-metadata").to_owned(),
        iri: root["@id"].as_str()?.to_owned(),
        terms,
        licence: root["license"].to_string(),
        year: root["datePublished"].as_str()?.get(..4)?.parse().ok()?,
        bytes,
        thumbnail: !root["thumbnailUrl"].is_null(),
        words: words.to_lowercase(),
        text,
    })
}

/// What each term is a kind of, from the ontologies' own files.
fn hierarchy(folder: &Path) -> HashMap<String, Vec<String>> {
    let mut parents: HashMap<String, Vec<String>> = HashMap::new();
    for file in ["fbbi-2026-01-30-classes.ttl", "ncbitaxon-gide-subset.ttl"] {
        let mut term = String::new();
        for line in fs::read_to_string(folder.join(file)).unwrap().lines() {
            if let Some(subject) = line.strip_prefix("obo:") {
                term = subject.split(' ').next().unwrap_or_default().to_owned();
            }
            if let Some((_, objects)) = line.split_once("subClassOf ") {
                let ids = objects.split([' ', ',', ';', '.']).filter_map(|id| id.strip_prefix("obo:"));
                parents.entry(term.clone()).or_default().extend(ids.map(str::to_owned));
            }
        }
    }
    parents
}

fn studies(folder: &Path, parents: &HashMap<String, Vec<String>>, into: &mut Vec<Study>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            studies(&path, parents, into);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            into.extend(read_study(&path, parents));
        }
    }
}

fn address(path: &str, query: &[(&str, &str)]) -> String {
    let pairs = query.iter().map(|(name, value)| format!("{name}={}", escape_path(value).replace('/', "%2F")));
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}

/// IRIs of all hits of the API.
async fn asked_by_program(node: &Node, query: &[(&str, &str)]) -> BTreeSet<String> {
    let address = address("/api/v1/search", query);
    let mut iris = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let answer = node.anybody().get(&format!("{address}&size=100{cursor}")).await.ok();
        iris.extend(answer["hits"].as_array().unwrap().iter().map(|hit| hit["iri"].as_str().unwrap().to_owned()));
        match answer["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => {
                assert_eq!(answer["total"], iris.len(), "{address}");
                return iris;
            }
        }
    }
}

/// Ids of all hits of the page, from link to link.
async fn asked_by_person(node: &Node, query: &[(&str, &str)]) -> BTreeSet<String> {
    // A page shows one hit for a study; here its records are counted.
    let mut next = Some(address("/search", &[query, &[("collapse", "none")]].concat()));
    let mut ids = BTreeSet::new();
    while let Some(address) = next {
        let page = node.anybody().get(&address).await.expect(200).text();
        let links = page.split("<h3><a href=\"/datasets/").skip(1).filter_map(|rest| rest.split('"').next());
        ids.extend(links.map(str::to_owned));
        let link = page.split("<a class=\"button\" href=\"").nth(1).and_then(|rest| rest.split('"').next());
        next = link.map(|link| link.replace("&amp;", "&").replace("&#38;", "&"));
    }
    ids
}

#[tokio::test]
async fn every_question_of_the_tasks_finds_exactly_its_studies() {
    let (Some(crates), Some(ontologies)) = (shared_data("gide-crates"), shared_data("ontologies")) else { return };
    let stated: Value =
        serde_json::from_str(&fs::read_to_string(crates.join("../search-tasks.json")).unwrap()).unwrap();
    let stated = stated["tasks"].as_array().unwrap();
    for task in stated {
        assert!(TASKS.iter().any(|of| task["id"] == of.id), "nobody asks {}", task["id"]);
    }
    let mut all = Vec::new();
    studies(&crates, &hierarchy(&ontologies), &mut all);
    assert_eq!(all.len(), 1252);
    let names: HashMap<&str, &str> = all.iter().map(|study| (study.iri.as_str(), study.id.as_str())).collect();
    let node = Node::start("europe").await;
    let folder = crates.to_string_lossy().into_owned();
    let import = ["import", &folder, "--as", "gide", "--node", &node.url(), "--token", &node.admin_token, "--json"];
    run(import).await.ok();
    node.caught_up().await;

    let mut wrong = BTreeMap::new();
    for task in TASKS {
        let expected: BTreeSet<String> = match &task.expected {
            Expected::Stated(variant, more) => {
                let stated = stated.iter().find(|stated| stated["id"] == task.id).unwrap();
                let ids = stated["answers"][variant]["ids"].as_array().unwrap();
                ids.iter().map(|id| id.as_str().unwrap()).chain(more.iter().copied()).map(str::to_owned).collect()
            }
            Expected::Holds(holds) => all.iter().filter(|study| holds(study)).map(|study| study.id.clone()).collect(),
        };
        let iris = asked_by_program(&node, task.query).await;
        let found: BTreeSet<String> = iris.iter().map(|iri| names[iri.as_str()].to_owned()).collect();
        let missing: Vec<_> = expected.difference(&found).collect();
        let besides: Vec<_> = found.difference(&expected).collect();
        eprintln!(
            "{} {:?}: {} expected, missing {missing:?}, besides {besides:?}",
            task.id,
            task.query,
            expected.len()
        );
        if found != expected {
            wrong.insert(format!("{} {:?}", task.id, task.query), (missing.len(), besides.len()));
        }
        assert_eq!(asked_by_person(&node, task.query).await.len(), found.len(), "the page of {:?}", task.query);
        assert!(!expected.is_empty(), "{}", task.id);
    }
    assert!(wrong.is_empty(), "missing and besides: {wrong:#?}");
    studies_are_told_apart(&node, &all).await;
    facets_agree_with_their_filters(&node).await;
    node.assert_quiet_log(&["search or RDF is behind"]);
}

/// T12: how many different studies there are. Every record is in one, and what is both in SSBD's database and in its repository
/// is one study.
async fn studies_are_told_apart(node: &Node, all: &[Study]) {
    let (mut studies, mut cursor) = (Vec::new(), String::new());
    let counted = loop {
        let answer = node.anybody().search(&format!("collapse=study&size=100{cursor}")).await;
        for hit in answer["hits"].as_array().unwrap() {
            let locations = hit["study"]["locations"].as_array();
            let iris = locations.map_or(vec![hit], |locations| locations.iter().collect());
            studies.push(iris.iter().map(|one| one["iri"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>());
            assert!(locations.is_none() || !hit["study"]["evidence"].as_array().unwrap().is_empty(), "{hit}");
        }
        match answer["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break answer["studies"].as_u64(),
        }
    };
    assert_eq!(counted, Some(studies.len() as u64));
    assert_eq!(studies.iter().map(BTreeSet::len).sum::<usize>(), all.len(), "each record is in one study");
    let numbered = |study: &&Study| study.ssbd_number().is_some();
    let mut by_number: BTreeMap<u32, Vec<&Study>> = BTreeMap::new();
    for study in all.iter().filter(numbered) {
        by_number.entry(study.ssbd_number().unwrap()).or_default().push(study);
    }
    let twins: Vec<_> = by_number.values().filter(|records| records.len() > 1).collect();
    assert!(twins.len() > 150 && studies.len() <= all.len() - twins.len(), "{} {}", twins.len(), studies.len());
    for records in twins {
        let together = studies.iter().any(|study| records.iter().all(|record| study.contains(&record.iri)));
        assert!(together, "{:?}", records.iter().map(|record| &record.id).collect::<Vec<_>>());
    }
}

/// For every value of every facet: as many records as the filter finds.
async fn facets_agree_with_their_filters(node: &Node) {
    let facets = node.anybody().search("q=microscopy&size=0").await["facets"].clone();
    let mut open: Vec<(String, Value)> = Vec::new();
    for (facet, values) in facets.as_object().unwrap() {
        let parameter = if facet == "licence" { "license" } else { facet };
        open.extend(values.as_array().unwrap().iter().map(|value| (parameter.to_owned(), value.clone())));
    }
    let (mut checked, mut named) = (0, 0);
    while let Some((parameter, value)) = open.pop() {
        let children = value["children"].as_array().cloned().unwrap_or_default();
        open.extend(children.into_iter().map(|child| (parameter.clone(), child)));
        let text = value["value"].as_str().unwrap();
        let pairs = [("q", "microscopy"), ("size", "0"), (&*parameter, text)];
        let found = node.anybody().get_with_query("/api/v1/search", &pairs).await.ok();
        assert_eq!(found["total"], value["count"], "{parameter} {value}");
        checked += 1;
        named += usize::from(text.starts_with('"'));
    }
    assert!(checked > 500 && named > 100, "{checked} values, {named} of them names without a term");
}
