//! The SPARQL 1.1 Protocol, query operation (§2.1) and nothing else; the endpoint's description (SPARQL 1.1 Service Description §2).

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use node::{Node, NodeError, SparqlRequest};

use crate::{Problem, authentication::Asking};

/// The most bytes a request may have.
const MAX_REQUEST_BYTES: usize = 512 * 1024;
const FORM: &str = "application/x-www-form-urlencoded";
const QUERY: &str = "application/sparql-query";
const UPDATE: &str = "application/sparql-update";
/// Where people write queries.
const PAGE: &str = "/query";

/// A query in the URL. Without one: the endpoint's description as RDF, or for a browser the page on which queries are written.
#[utoipa::path(get, path = "/sparql", tag = "search", params(("query" = Option<String>, Query, description = "SPARQL 1.1 query"), ("default-graph-uri" = Option<Vec<String>>, Query, description = "Graphs whose union is the default graph; may repeat"), ("named-graph-uri" = Option<Vec<String>>, Query, description = "Graphs that GRAPH may reach; may repeat")),
    responses((status = 200, description = "Results in the format asked for"), (status = 400, description = "No SPARQL query"), (status = 403, description = "An update"), (status = 406, description = "No format asked for can hold the answer"), (status = 422, description = "The query takes more than it may")))]
pub(crate) async fn get(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    if query.is_empty() {
        return describe(&node, accepted(&headers).as_deref());
    }
    respond(&node, &actor, read(&[query.as_bytes()], None, &headers)?).await
}

/// A query in the body, as a form or as `application/sparql-query`.
#[utoipa::path(post, path = "/sparql", tag = "search", request_body(content_type = "application/sparql-query", content = String),
    responses((status = 200, description = "Results in the format asked for"), (status = 400, description = "No SPARQL query"), (status = 403, description = "An update"), (status = 415, description = "Another Content-Type")))]
pub(crate) async fn post(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    let too_large = |_| NodeError::TooLarge(format!("a query may have {MAX_REQUEST_BYTES} bytes at most"));
    let body = to_bytes(body, MAX_REQUEST_BYTES).await.map_err(too_large)?;
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let request = match media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        // §2.1.3: the query is the body, what else there is stands in the URL.
        QUERY => read(&[query.as_bytes()], Some(text(&body)?.to_owned()), &headers)?,
        // §2.1.2: everything is in the form; what stands in the URL counts as well, as the W3C's own tests want it.
        FORM => read(&[query.as_bytes(), &body], None, &headers)?,
        UPDATE => return Err(read_only()),
        other => return Ok(unsupported(other)),
    };
    respond(&node, &actor, request).await
}

/// Reads the parameters of a request; of `query` there must be one and no more (§2.1).
fn read(forms: &[&[u8]], body: Option<String>, headers: &HeaderMap) -> Result<SparqlRequest, Problem> {
    let mut request = SparqlRequest { accept: accepted(headers), ..SparqlRequest::default() };
    let mut queries: Vec<String> = body.into_iter().collect();
    for form in forms {
        check_utf8(form)?;
        for (name, value) in url::form_urlencoded::parse(form) {
            match name.as_ref() {
                "query" => queries.push(value.into_owned()),
                "default-graph-uri" => request.default_graphs.push(value.into_owned()),
                "named-graph-uri" => request.named_graphs.push(value.into_owned()),
                "update" => return Err(read_only()),
                _ => {}
            }
        }
    }
    let mut queries = queries.into_iter();
    match (queries.next().filter(|query| !query.trim().is_empty()), queries.next()) {
        (Some(query), None) => Ok(SparqlRequest { query, ..request }),
        (None, _) => Err(malformed("there is no query: send 'query=SELECT …'")),
        (Some(_), Some(_)) => Err(malformed("there is more than one query: send one")),
    }
}

/// Percent-encoded bytes must be UTF-8: what is not would be read as something that nobody wrote.
fn check_utf8(form: &[u8]) -> Result<(), Problem> {
    let parts = form.split(|byte| matches!(byte, b'&' | b'='));
    let bad = |part: &[u8]| percent_encoding::percent_decode(part).decode_utf8().is_err();
    if parts.into_iter().any(bad) { Err(malformed("the request is not UTF-8 text")) } else { Ok(()) }
}

fn text(body: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(body).map_err(|_| malformed("the body is not UTF-8 text"))
}

/// What the client takes; the header may be there more than once.
fn accepted(headers: &HeaderMap) -> Option<String> {
    let values: Vec<&str> = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

fn malformed(message: &str) -> Problem {
    NodeError::Malformed(message.to_owned()).into()
}

fn read_only() -> Problem {
    NodeError::Forbidden("this endpoint only reads: deposit and publish datasets to change what it holds".into()).into()
}

fn unsupported(media_type: &str) -> Response {
    let message = format!("Content-Type '{media_type}': send {QUERY}, or a form as {FORM}");
    // In plain text: the router makes a problem document of it, as of its own refusals.
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, message).into_response()
}

/// Browsers ask for HTML first, everybody else gets RDF.
fn describe(node: &Node, accept: Option<&str>) -> Result<Response, Problem> {
    let first = accept.and_then(|accept| accept.split(',').next()).unwrap_or_default();
    if first.trim().starts_with("text/html") || first.trim().starts_with("application/xhtml+xml") {
        return Ok(([(header::VARY, "Accept")], Redirect::to(PAGE)).into_response());
    }
    Ok(answer(node.sparql_description(accept)?))
}

async fn respond(node: &Arc<Node>, actor: &node::Actor, request: SparqlRequest) -> Result<Response, Problem> {
    Ok(answer(node.sparql(actor, request).await?))
}

fn answer((bytes, media_type): (Vec<u8>, &'static str)) -> Response {
    ([(header::CONTENT_TYPE, media_type), (header::VARY, "Accept")], bytes).into_response()
}
