//! Fills an index and asks it, for comparisons with other engines (`tests/bench/search.py`).
//!
//! usage: search_records RECORDS.ndjson FOLDER QUESTIONS
//!
//! A folder that has an index is asked as it is.
//!
//! A line of RECORDS has `id`, `name`, `description`, `keywords`, `authors`, `publisher`, `license`, `year`, `taxa`, `methods` and
//! `anc`, the terms above both. Prints one JSON object: records a second, size on disk, and milliseconds of four kinds of
//! question, each answering total, the first 20 records, and all facets.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Instant;

use dataset_model::{DatasetKey, Term, TermIri};
use search_index::{FacetSelection, IndexChange, Query, SearchDocument, SearchIndex};
use serde_json::{Value, json};

/// Records in one commit.
const BATCH: usize = 10_000;
const WORDS: [&str; 20] = [
    "microscopy",
    "cell",
    "zebrafish",
    "mitochondria",
    "embryo",
    "protein",
    "fluorescence",
    "screen",
    "tumor",
    "neuron",
    "actin",
    "light",
    "nuclei",
    "drug",
    "mouse",
    "cancer",
    "golgi",
    "phase",
    "yeast",
    "membrane",
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [records, folder, questions] = arguments.as_slice() else {
        return Err("usage: search_records RECORDS.ndjson FOLDER QUESTIONS".into());
    };
    let questions: usize = questions.parse()?;
    let index = SearchIndex::open(Path::new(folder))?;
    let start = Instant::now();
    if index.count() == 0 {
        fill(&index, Path::new(records))?;
    }
    let seconds = start.elapsed().as_secs_f64();
    let count = index.count();
    let mut answer =
        json!({"peer": "heliograph", "docs": count, "ingest_s": seconds, "docs_per_s": count as f64 / seconds});
    for kind in ["term", "two_terms_filter", "term_ontology", "all", "year_filter"] {
        answer[kind] = measure(&index, kind, questions)?;
    }
    println!("{answer}");
    Ok(())
}

fn fill(index: &SearchIndex, records: &Path) -> Result<(), Box<dyn Error>> {
    let mut lines = BufReader::new(File::open(records)?).lines().enumerate().peekable();
    while lines.peek().is_some() {
        let mut batch = index.begin()?;
        for (number, line) in lines.by_ref().take(BATCH) {
            batch.add(vec![IndexChange::Put(Box::new(record(number, &serde_json::from_str(&line?)?)?))])?;
        }
        batch.commit(&BTreeMap::new())?;
    }
    Ok(())
}

fn record(number: usize, line: &Value) -> Result<SearchDocument, Box<dyn Error>> {
    let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
    let texts = |key: &str| -> Vec<String> {
        line[key].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let term = |id: &String| -> Option<Term> { Some(Term { iri: iri(id)?, label: id.clone() }) };
    let above = texts("anc");
    let closure =
        |of: &str| above.iter().filter(|id| id.starts_with(of)).filter_map(|id| iri(id)).collect::<Vec<TermIri>>();
    let key = DatasetKey { node: "bench".parse()?, id: format!("r{number}").parse()? };
    Ok(SearchDocument {
        iri: text("id"),
        title: text("name"),
        description: text("description"),
        keywords: texts("keywords"),
        authors: texts("authors"),
        publisher: Some(text("publisher")),
        licence: Some(text("license")),
        year: line["year"].as_u64().and_then(|year| u16::try_from(year).ok()),
        organisms: texts("taxa").iter().filter_map(term).collect(),
        organism_closure: closure("NCBITaxon"),
        methods: texts("methods").iter().filter_map(term).collect(),
        method_closure: closure("FBbi"),
        ..SearchDocument::empty(key)
    })
}

fn iri(id: &str) -> Option<TermIri> {
    format!("http://purl.obolibrary.org/obo/{id}").parse().ok()
}

fn question(kind: &str, number: usize) -> Query {
    let word = |at: usize| WORDS.get(at % WORDS.len()).copied().unwrap_or_default();
    let (one, other) = (word(number), word(number * 7 + 3));
    let asked = Query { facets: FacetSelection::ALL, ..Query::default() };
    match kind {
        "term" => Query { text: one.to_owned(), ..asked },
        "two_terms_filter" => {
            let publisher = vec!["https://www.ebi.ac.uk/bioimage-archive/".to_owned()];
            Query { text: format!("{one} {other}"), publisher, ..asked }
        }
        "term_ontology" => {
            Query { text: one.to_owned(), organism: iri("NCBITaxon_40674").into_iter().collect(), ..asked }
        }
        // Everything but a few, so that no answer is known beforehand.
        "year_filter" => Query { year_from: Some(1_900 + (number % 100) as u16), ..asked },
        _ => asked,
    }
}

fn measure(index: &SearchIndex, kind: &str, questions: usize) -> Result<Value, Box<dyn Error>> {
    let mut milliseconds = Vec::new();
    let worked_before = worked();
    let mut hits = 0;
    for number in 0..questions {
        let question = question(kind, number);
        let start = Instant::now();
        let results = index.search(&question)?;
        milliseconds.push(start.elapsed().as_secs_f64() * 1e3);
        hits += results.total;
    }
    milliseconds.sort_by(f64::total_cmp);
    let at = |part: f64| milliseconds.get(((milliseconds.len() - 1) as f64 * part) as usize).copied().unwrap_or(0.0);
    Ok(json!({
        "p50_ms": at(0.5),
        "p99_ms": at(0.99),
        "max_ms": at(1.0),
        "cpu_mean_ms": (worked() - worked_before) / questions.max(1) as f64,
        "hits_avg": hits / questions.max(1) as u64,
    }))
}

/// Milliseconds that all threads have run, as Linux counts them: what a question costs on a busy machine. 0 elsewhere.
fn worked() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let nanoseconds = tasks.filter_map(|task| {
        let line = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        line.split(' ').next()?.parse::<f64>().ok()
    });
    nanoseconds.sum::<f64>() / 1e6
}
