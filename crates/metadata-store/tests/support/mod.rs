//! A crate that keeps every rule, and short ways to read one.
#![expect(dead_code, reason = "each test file uses its own part")]

use std::{path::PathBuf, sync::Arc};

use metadata_store::{CrateError, Ontology, ReadCrate, read_crate};
use serde_json::{Value, json};

pub(crate) const BASE: &str = "https://node.example/datasets/d1";
pub(crate) const TAXON: &str = "http://purl.obolibrary.org/obo/NCBITaxon_10090";
pub(crate) const FBBI: &str = "http://purl.obolibrary.org/obo/FBbi_00000246";

pub(crate) fn ontology() -> Arc<Ontology> {
    Ontology::bundled()
}

pub(crate) fn read(bytes: &[u8]) -> Result<ReadCrate, CrateError> {
    read_crate(bytes, BASE, &ontology())
}

pub(crate) fn read_value(document: &Value) -> ReadCrate {
    read(document.to_string().as_bytes()).unwrap()
}

pub(crate) fn rules(read: &ReadCrate) -> Vec<String> {
    read.summary.findings.iter().map(|finding| finding.rule.clone()).collect()
}

/// Adds context and descriptor.
pub(crate) fn wrap(entities: Value) -> Value {
    let descriptor = json!({"@id": "ro-crate-metadata.json", "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.2"}, "about": {"@id": "./"}});
    let mut graph = vec![descriptor];
    graph.extend(entities.as_array().unwrap().iter().cloned());
    json!({"@context": "https://w3id.org/ro/crate/1.2/context", "@graph": graph})
}

/// A crate with nothing to complain about.
pub(crate) fn complete() -> Value {
    wrap(json!([
        {"@id": "./", "@type": "Dataset", "name": "Mitosis in mouse cells", "description": "How mouse cells divide.",
         "datePublished": "2026-03-01", "license": {"@id": "https://creativecommons.org/licenses/by/4.0/"},
         "author": [{"@id": "https://orcid.org/0000-0002-1825-0097"}], "publisher": {"@id": "https://ror.org/02catss52"},
         "about": [{"@id": TAXON}, {"@id": "#sample"}, {"@id": "http://purl.obolibrary.org/obo/CLO_0003684"}], "measurementMethod": [{"@id": FBBI}, {"@id": "#protocol"}],
         "thumbnailUrl": "https://node.example/thumbnail.png", "identifier": "EX-1", "keywords": ["mitosis"],
         "seeAlso": {"@id": "https://doi.org/10.1234/abc"}, "size": [{"@id": "#bytes"}, {"@id": "#files"}]},
        {"@id": "https://orcid.org/0000-0002-1825-0097", "@type": "Person", "name": "Josiah Carberry",
         "affiliation": {"@id": "https://ror.org/02catss52"}},
        {"@id": "https://ror.org/02catss52", "@type": "Organization", "name": "Example Institute"},
        {"@id": TAXON, "@type": "Taxon", "scientificName": "Mus musculus"},
        {"@id": FBBI, "@type": "DefinedTerm", "name": "fluorescence microscopy"},
        {"@id": "#sample", "@type": "BioSample", "name": "Cells", "description": "Cultured cells.",
         "taxonomicRange": {"@id": TAXON}, "hasCellLine": {"@id": "http://purl.obolibrary.org/obo/CLO_0003684"}},
        {"@id": "http://purl.obolibrary.org/obo/CLO_0003684", "@type": "DefinedTerm", "name": "HeLa cell"},
        {"@id": "#protocol", "@type": "LabProtocol", "name": "Imaging", "description": "Live imaging.",
         "labEquipment": "Inverted microscope", "measurementTechnique": {"@id": FBBI}},
        {"@id": "https://doi.org/10.1234/abc", "@type": "ScholarlyArticle", "name": "On mitosis", "datePublished": "2026"},
        {"@id": "#bytes", "@type": "QuantitativeValue", "value": 1000, "unitCode": "http://purl.obolibrary.org/obo/UO_0000233", "unitText": "bytes"},
        {"@id": "#files", "@type": "QuantitativeValue", "value": 3, "unitCode": "http://purl.obolibrary.org/obo/UO_0000189", "unitText": "file count"}
    ]))
}

/// The folder of real data, where there is one.
pub(crate) fn shared() -> Option<PathBuf> {
    let given = std::env::var_os("HELIOGRAPH_SHARED").map(PathBuf::from);
    let folder =
        given.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared")).join("data");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no shared data at {}", folder.display());
    None
}
