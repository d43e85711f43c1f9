//! The ontologies of a node: listed, and loaded as they stream in.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
};
use node::{Node, OntologyReport};
use serde_json::{Value, json};

use crate::{Problem, authentication::Asking};

/// The ontologies that searches, checks and SPARQL use.
#[utoipa::path(get, path = "/api/v1/ontologies", tag = "search",
    responses((status = 200, description = "`{ontologies: [{name, iri, version, licence, terms, synonyms, format, digest, bundled, loaded, settled}]}`")))]
pub(crate) async fn list(State(node): State<Arc<Node>>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({"ontologies": node.list_ontologies()?})))
}

/// Loads an ontology under the name it gives itself. Body: OBO, RDF/XML, Turtle, N-Triples or OWL functional syntax.
#[utoipa::path(post, path = "/api/v1/ontologies", tag = "operation",
    request_body(content_type = "application/octet-stream", content = Vec<u8>),
    responses((status = 200, description = "`{name, version, format, digest, terms, added, changed, removed, records_reexpanded}`"),
        (status = 409, description = "Another ontology is being loaded"), (status = 422, description = "It cannot be read; nothing was changed")),
    security(("token" = ["curate"])))]
pub(crate) async fn load(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    body: Body,
) -> Result<Json<OntologyReport>, Problem> {
    Ok(Json(node.load_ontology(&actor, None, body.into_data_stream()).await?))
}

/// Loads an ontology under a name, in place of the edition before.
#[utoipa::path(put, path = "/api/v1/ontologies/{name}", tag = "operation", params(("name" = String, Path, description = "Its name here, such as ncbitaxon")),
    request_body(content_type = "application/octet-stream", content = Vec<u8>),
    responses((status = 200, description = "As for POST"), (status = 409, description = "Another ontology is being loaded"),
        (status = 422, description = "It cannot be read; nothing was changed")),
    security(("token" = ["curate"])))]
pub(crate) async fn replace(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(name): Path<String>,
    body: Body,
) -> Result<Json<OntologyReport>, Problem> {
    Ok(Json(node.load_ontology(&actor, Some(name), body.into_data_stream()).await?))
}
