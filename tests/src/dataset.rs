use std::{collections::BTreeMap, path::Path};

use serde_json::{Value, json};

use crate::Store;

/// What a crate says about a dataset.
#[derive(Debug, Clone)]
pub struct Words {
    /// Title.
    pub title: String,
    /// Description.
    pub description: String,
    /// NCBI Taxonomy number and scientific name.
    pub organism: (String, String),
    /// FBbi number and label.
    pub method: (String, String),
    /// Author's name.
    pub author: String,
    /// Day of publication.
    pub date: String,
    /// Key words.
    pub keywords: Vec<String>,
}

impl Words {
    /// Full words about human cells under a confocal microscope.
    pub fn titled(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            description: format!("Small test images: {title}."),
            organism: ("9606".into(), "Homo sapiens".into()),
            method: ("00000251".into(), "confocal microscopy".into()),
            author: "Zita Tester".into(),
            date: "2026-02-03".into(),
            keywords: vec!["test".into()],
        }
    }

    /// With this organism: NCBI Taxonomy number and scientific name.
    pub fn organism(mut self, number: &str, name: &str) -> Self {
        self.organism = (number.to_owned(), name.to_owned());
        self
    }

    /// With this imaging method: FBbi number and label.
    pub fn method(mut self, number: &str, label: &str) -> Self {
        self.method = (number.to_owned(), label.to_owned());
        self
    }

    /// The same crate, of a study that another archive has at this address.
    pub fn crate_at(&self, iri: &str) -> Value {
        let mut document = self.crate_json();
        document["@graph"][0]["about"]["@id"] = json!(iri);
        document["@graph"][1]["@id"] = json!(iri);
        document
    }

    /// The crate of a study that another archive has under an accession number of its own.
    pub fn study(number: usize, title: &str) -> Value {
        let mut crate_json = Self::titled(title).crate_at(&format!("https://archive.example/studies/S{number}"));
        crate_json["@graph"][1]["identifier"] = json!(format!("S{number}"));
        crate_json
    }

    /// The line of a listing that has this crate in a file, of a study that another archive has at an address.
    pub fn listed(&self, file: impl std::fmt::Display, iri: &str) -> String {
        let document = self.crate_at(iri).to_string();
        format!("{}\n", json!({"path": format!("{file}.json"), "crate": document}))
    }

    /// A full RO-Crate in the GIDE search profile.
    pub fn crate_json(&self) -> Value {
        let taxon = format!("http://purl.obolibrary.org/obo/NCBITaxon_{}", self.organism.0);
        let method = format!("http://purl.obolibrary.org/obo/FBbi_{}", self.method.0);
        json!({
            "@context": ["https://w3id.org/ro/crate/1.2/context", {
                "dwc": "http://rs.tdwg.org/dwc/terms/",
                "dwciri": "http://rs.tdwg.org/dwc/iri/",
                "scientificName": "dwc:scientificName",
                "measurementMethod": {"@id": "dwciri:measurementMethod"},
                "taxonomicRange": "http://schema.org/taxonomicRange",
                "BioSample": "http://schema.org/BioSample",
                "LabProtocol": "http://schema.org/LabProtocol",
                "labEquipment": "http://schema.org/labEquipment",
                "measurementTechnique": "http://schema.org/measurementTechnique",
            }],
            "@graph": [
                {"@id": "ro-crate-metadata.json", "@type": "CreativeWork",
                 "conformsTo": {"@id": "https://w3id.org/ro/crate/1.2"}, "about": {"@id": "./"}},
                self.root(&taxon, &method),
                {"@id": "#author", "@type": "Person", "name": self.author, "affiliation": {"@id": "https://ror.org/03mstc592"}},
                {"@id": "https://ror.org/03mstc592", "@type": "Organization", "name": "Test Facility"},
                {"@id": taxon, "@type": "Taxon", "scientificName": self.organism.1},
                {"@id": method, "@type": "DefinedTerm", "name": self.method.1},
                {"@id": "#sample", "@type": "BioSample", "name": self.organism.1, "description": self.title,
                 "taxonomicRange": {"@id": taxon}},
                {"@id": "#protocol", "@type": "LabProtocol", "name": self.method.1, "description": "Made for a test.",
                 "labEquipment": "none", "measurementTechnique": {"@id": method}},
            ],
        })
    }

    fn root(&self, taxon: &str, method: &str) -> Value {
        json!({
            "@id": "./", "@type": "Dataset", "name": self.title, "description": self.description,
            "datePublished": self.date, "license": {"@id": "https://creativecommons.org/licenses/by/4.0/"},
            "author": [{"@id": "#author"}], "about": [{"@id": taxon}, {"@id": "#sample"}],
            "measurementMethod": [{"@id": method}, {"@id": "#protocol"}], "keywords": self.keywords,
        })
    }
}

/// A dataset ready to be deposited: crate and files.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The RO-Crate.
    pub crate_json: Value,
    /// Files by path in the dataset.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Dataset {
    /// One small image, `image.ome.zarr`, with full metadata.
    pub fn small(title: &str) -> Self {
        Self::new(&Words::titled(title), &[Store::v05("image.ome.zarr", 1)])
    }

    /// These words and images.
    pub fn new(words: &Words, stores: &[Store]) -> Self {
        let files = stores.iter().flat_map(|store| store.paths().map(|(path, bytes)| (path, bytes.to_vec()))).collect();
        Self { crate_json: words.crate_json(), files }
    }

    /// The root entity of the crate.
    ///
    /// # Panics
    /// When the crate has none.
    pub fn root(&mut self) -> &mut Value {
        let graph = self.crate_json["@graph"].as_array_mut().expect("a crate has a graph");
        graph.iter_mut().find(|entity| entity["@id"] == "./").expect("a crate has a root")
    }

    /// Writes the files below a folder, and the crate as `ro-crate-metadata.json` in it.
    ///
    /// # Panics
    /// When they cannot be written.
    pub fn write_to(&self, folder: &Path) {
        let document = serde_json::to_vec_pretty(&self.crate_json).unwrap_or_default();
        let metadata = ("ro-crate-metadata.json", document.as_slice());
        let files = self.files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
        for (path, bytes) in files.chain([metadata]) {
            let file = folder.join(path);
            file.parent().map(std::fs::create_dir_all).transpose().expect("making a folder");
            std::fs::write(&file, bytes).unwrap_or_else(|error| panic!("writing {}: {error}", file.display()));
        }
    }
}
