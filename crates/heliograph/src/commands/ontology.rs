//! Loading and listing ontologies: of a running node over HTTP, of a stopped one in its data folder.

use std::{path::Path, process::ExitCode};

use anyhow::{Context, Result};
use node::{Actor, Node};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::fs::File;
use tokio_util::io::ReaderStream;

use super::arguments::{OntologyCommand, TokenPlace};
use crate::{
    Config,
    client::{Client, escape},
};

/// Bytes read from a file at once.
const PIECE: usize = 256 << 10;

pub(crate) async fn ontology(command: OntologyCommand) -> Result<ExitCode> {
    match command {
        OntologyCommand::Load { file, name, place } => {
            let report = load(&file, name, &place).await?;
            if place.remote.json {
                println!("{report}");
            } else {
                println!(
                    "{}: {} terms; {} added, {} changed, {} removed; {} records read again",
                    report["name"].as_str().unwrap_or_default(),
                    report["terms"],
                    report["added"],
                    report["changed"],
                    report["removed"],
                    report["records_reexpanded"]
                );
            }
        }
        OntologyCommand::List { place } => {
            let answer = list(&place).await?;
            if place.remote.json {
                println!("{answer}");
            } else {
                for ontology in answer["ontologies"].as_array().into_iter().flatten() {
                    let text = |key: &str| ontology[key].as_str().unwrap_or_default();
                    println!("{}  {} terms  {}  {}", text("name"), ontology["terms"], text("version"), text("iri"));
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn load(path: &Path, name: Option<String>, place: &TokenPlace) -> Result<Value> {
    let file = File::open(path).await.with_context(|| format!("cannot open {}", path.display()))?;
    let body = ReaderStream::with_capacity(file, PIECE);
    if let Some(config) = &place.config {
        let node = Node::open(Config::load(Some(config))?.to_node()?).await?;
        return Ok(json!(node.load_ontology(&Actor::Operator, name, body).await?));
    }
    let client = Client::new(&place.remote.node, place.remote.token.as_deref())?;
    let request = match name {
        Some(name) => client.request(Method::PUT, &format!("/api/v1/ontologies/{}", escape(&name))),
        None => client.request(Method::POST, "/api/v1/ontologies"),
    };
    client.send(request.body(reqwest::Body::wrap_stream(body))).await
}

async fn list(place: &TokenPlace) -> Result<Value> {
    match &place.config {
        Some(config) => {
            let node = Node::open(Config::load(Some(config))?.to_node()?).await?;
            Ok(json!({"ontologies": node.list_ontologies()?}))
        }
        None => Client::new(&place.remote.node, None)?.get("/api/v1/ontologies").await,
    }
}
