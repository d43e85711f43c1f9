//! The SPARQL 1.1 Protocol's query operation (§2.1), read-only.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use node::{Node, SparqlRequest};

use crate::{Problem, authentication::Asking, request_body};

/// A query in the URL.
#[utoipa::path(get, path = "/sparql", tag = "search", params(("query" = String, Query, description = "SPARQL 1.1 query"), ("default-graph-uri" = Option<Vec<String>>, Query), ("named-graph-uri" = Option<Vec<String>>, Query)),
    responses((status = 200, description = "Results in the format asked for"), (status = 422, description = "The query cannot be read, or is too expensive")))]
pub(crate) async fn get(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let request = read_pairs(&query.unwrap_or_default(), None, &headers);
    respond(&node, &actor, request).await
}

/// A query in the body, as a form or as `application/sparql-query`.
#[utoipa::path(post, path = "/sparql", tag = "search", request_body(content_type = "application/sparql-query", content = String), responses((status = 200, description = "Results in the format asked for")))]
pub(crate) async fn post(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let text = request_body::read_text(&node, body).await?;
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let request = match media_type.split(';').next().unwrap_or_default().trim() {
        "application/sparql-query" => read_pairs(&query.unwrap_or_default(), Some(text), &headers),
        "application/x-www-form-urlencoded" | "" => read_pairs(&text, None, &headers),
        other => {
            return Err(Problem::invalid(format!("Content-Type '{other}': send application/sparql-query or a form")));
        }
    };
    respond(&node, &actor, request).await
}

fn read_pairs(pairs: &str, body: Option<String>, headers: &HeaderMap) -> SparqlRequest {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut request = SparqlRequest { query: body.unwrap_or_default(), accept, ..SparqlRequest::default() };
    for (name, value) in url::form_urlencoded::parse(pairs.as_bytes()) {
        match name.as_ref() {
            "query" if request.query.is_empty() => request.query = value.into_owned(),
            "default-graph-uri" => request.default_graphs.push(value.into_owned()),
            "named-graph-uri" => request.named_graphs.push(value.into_owned()),
            _ => {}
        }
    }
    request
}

async fn respond(node: &Arc<Node>, actor: &node::Actor, request: SparqlRequest) -> Result<Response, Problem> {
    if request.query.trim().is_empty() {
        return Err(Problem::invalid("there is no query: send 'query=SELECT …'"));
    }
    let (bytes, media_type) = node.sparql(actor, request).await?;
    Ok(([(header::CONTENT_TYPE, media_type), (header::VARY, "Accept")], bytes).into_response())
}
