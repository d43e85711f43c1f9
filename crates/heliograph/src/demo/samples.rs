//! Sample datasets made by Heliograph itself, deposited through the public API as a researcher would.

use std::path::Path;

use anyhow::{Context, Result};
use ome_zarr::sample::Kind;
use serde_json::{Value, json};

use super::nodes::{DemoNode, Nodes};
use crate::client::Plan;

/// One dataset to deposit.
struct Sample {
    node: &'static str,
    kind: Kind,
    seed: u64,
    title: &'static str,
    description: &'static str,
    /// NCBI Taxonomy number and scientific name.
    organism: (&'static str, &'static str),
    /// FBbi number and label.
    method: (&'static str, &'static str),
    author: (&'static str, &'static str),
    keywords: &'static [&'static str],
}

const SAMPLES: [Sample; 6] = [
    Sample {
        node: "europe",
        kind: Kind::Cells,
        seed: 11,
        title: "HeLa cells with nuclei, tubulin and endosomes in three channels",
        description: "Simulated three-channel images of human cells: nuclei, cytoplasm and spots, with shot noise as a camera adds it. Made by Heliograph to show deposits, viewing and search.",
        organism: ("9606", "Homo sapiens"),
        method: ("00000253", "spinning disk confocal microscopy"),
        author: ("Ada Example", "https://ror.org/03mstc592"),
        keywords: &["HeLa", "cytoskeleton", "endosome", "simulated"],
    },
    Sample {
        node: "europe",
        kind: Kind::Stack,
        seed: 12,
        title: "Z-stack of a zebrafish embryo's neural tube",
        description: "A simulated light-sheet stack of densely packed nuclei through depth, stored as OME-Zarr 0.4.",
        organism: ("7955", "Danio rerio"),
        method: ("00000369", "SPIM"),
        author: ("Blaise Example", "https://ror.org/03mstc592"),
        keywords: &["light sheet", "development", "embryo", "simulated"],
    },
    Sample {
        node: "japan",
        kind: Kind::Labelled,
        seed: 21,
        title: "Mouse embryonic fibroblasts with segmented nuclei",
        description: "Simulated fluorescence images of mouse cells with a label image of every nucleus, for training and testing segmentation.",
        organism: ("10090", "Mus musculus"),
        method: ("00000246", "fluorescence microscopy"),
        author: ("Chika Example", "https://ror.org/01sjwvz98"),
        keywords: &["segmentation", "nucleus", "annotated", "simulated"],
    },
    Sample {
        node: "japan",
        kind: Kind::Stack,
        seed: 22,
        title: "Early Caenorhabditis elegans embryo, confocal stack",
        description: "A simulated confocal stack of a nematode embryo with histone-labelled nuclei.",
        organism: ("6239", "Caenorhabditis elegans"),
        method: ("00000251", "confocal microscopy"),
        author: ("Daichi Example", "https://ror.org/01sjwvz98"),
        keywords: &["embryogenesis", "cell lineage", "simulated"],
    },
    Sample {
        node: "australia",
        kind: Kind::Cells,
        seed: 31,
        title: "Arabidopsis root tip with plasma membrane and plastids",
        description: "Simulated multi-channel images of plant cells: membranes, nuclei and plastids.",
        organism: ("3702", "Arabidopsis thaliana"),
        method: ("00000251", "confocal microscopy"),
        author: ("Evonne Example", "https://ror.org/03r8z3t63"),
        keywords: &["plant", "root", "plastid", "simulated"],
    },
    Sample {
        node: "australia",
        kind: Kind::Labelled,
        seed: 32,
        title: "Escherichia coli micro-colonies with single-cell masks",
        description: "Simulated images of bacterial micro-colonies with one label a cell, for counting and tracking.",
        organism: ("562", "Escherichia coli"),
        method: ("00000246", "fluorescence microscopy"),
        author: ("Finn Example", "https://ror.org/03r8z3t63"),
        keywords: &["bacteria", "micro-colony", "segmentation", "simulated"],
    },
];

/// Makes the images and deposits them; samples that are there already stay.
pub(crate) async fn deposit(nodes: &Nodes, folder: &Path) -> Result<()> {
    for sample in SAMPLES {
        let scratch = folder.join("samples").join(format!("{}-{}", sample.node, sample.seed));
        let (node, title) = (nodes.named(sample.node)?, sample.title);
        let (image, crate_file) = tokio::task::spawn_blocking(move || make(&sample, &scratch)).await??;
        let iri = deposit_one(node, &image, &crate_file).await.with_context(|| title)?;
        println!("{}: {title}: {iri}", node.name);
    }
    Ok(())
}

/// Deposits and publishes one image with its crate; gives the dataset's page.
pub(crate) async fn deposit_one(node: &DemoNode, image: &Path, crate_file: &Path) -> Result<String> {
    let plan = Plan {
        paths: vec![image.to_owned()],
        crate_file: crate_file.to_owned(),
        publish: true,
        confirm: Vec::new(),
        new_version_of: None,
        parallel: 8,
        quiet: true,
    };
    let receipt = node.client(&node.deposit_token)?.deposit(&plan).await?;
    Ok(receipt["iri"].as_str().context("the receipt names no dataset")?.to_owned())
}

/// The image and its crate on disk; made again only where missing, so that running the demonstration twice deposits once.
fn make(sample: &Sample, folder: &Path) -> Result<(std::path::PathBuf, std::path::PathBuf)> {
    let (done, crate_file) = (folder.join("done"), folder.join("ro-crate-metadata.json"));
    if let Ok(image) = std::fs::read_to_string(&done) {
        return Ok((image.into(), crate_file));
    }
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    let image = ome_zarr::sample::write(folder, sample.kind, sample.seed)?;
    let words = Words {
        title: sample.title,
        description: sample.description,
        organism: sample.organism,
        method: sample.method,
        author: sample.author,
        keywords: sample.keywords,
        extra: json!({}),
    };
    std::fs::write(&crate_file, serde_json::to_vec_pretty(&crate_json(&words))?)?;
    std::fs::write(&done, image.to_string_lossy().as_bytes())?;
    Ok((image, crate_file))
}

/// What a sample's crate says.
pub(crate) struct Words<'a> {
    pub title: &'a str,
    pub description: &'a str,
    pub organism: (&'a str, &'a str),
    pub method: (&'a str, &'a str),
    pub author: (&'a str, &'a str),
    pub keywords: &'a [&'a str],
    /// More properties of the root dataset.
    pub extra: Value,
}

/// A full crate in the GIDE search profile.
pub(crate) fn crate_json(words: &Words<'_>) -> Value {
    let taxon = format!("http://purl.obolibrary.org/obo/NCBITaxon_{}", words.organism.0);
    let method = format!("http://purl.obolibrary.org/obo/FBbi_{}", words.method.0);
    let mut root = json!({
        "@id": "./",
        "@type": "Dataset",
        "name": words.title,
        "description": words.description,
        "datePublished": dataset_model::Timestamp::now().date(),
        "license": {"@id": "https://creativecommons.org/licenses/by/4.0/"},
        "author": [{"@id": "#author"}],
        "about": [{"@id": taxon}, {"@id": "#sample"}],
        "measurementMethod": [{"@id": method}, {"@id": "#protocol"}],
        "keywords": words.keywords,
    });
    if let (Some(root), Some(extra)) = (root.as_object_mut(), words.extra.as_object()) {
        root.extend(extra.clone());
    }
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
            {
                "@id": "ro-crate-metadata.json",
                "@type": "CreativeWork",
                "conformsTo": {"@id": "https://w3id.org/ro/crate/1.2"},
                "about": {"@id": "./"},
            },
            root,
            {"@id": "#author", "@type": "Person", "name": words.author.0, "affiliation": {"@id": words.author.1}},
            {"@id": words.author.1, "@type": "Organization", "name": "Example Imaging Facility"},
            {"@id": taxon, "@type": "Taxon", "scientificName": words.organism.1},
            {"@id": method, "@type": "DefinedTerm", "name": words.method.1},
            {"@id": "#sample", "@type": "BioSample", "name": words.organism.1, "description": words.title,
             "taxonomicRange": {"@id": taxon}},
            {"@id": "#protocol", "@type": "LabProtocol", "name": words.method.1,
             "description": "Simulated image acquisition.", "labEquipment": "Heliograph sample generator",
             "measurementTechnique": {"@id": method}},
        ],
    })
}
