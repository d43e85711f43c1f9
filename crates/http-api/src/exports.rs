//! Records in the forms that other services read: `/api/v1/datasets/{id}/export/{format}`.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use node::{Actor, ExportFormat, Node, NodeError, VersionChoice};
use serde::Deserialize;

use crate::{
    Problem,
    authentication::Asking,
    conditions::{self, Verdict},
    deposits::dataset_id,
};

/// Whose record is meant, where several nodes use one id.
#[derive(Debug, Deserialize)]
pub(crate) struct Whose {
    node: Option<String>,
}

/// The newest version's record in another form.
#[utoipa::path(get, path = "/api/v1/datasets/{id}/export/{format}", tag = "datasets",
    params(("id" = String, Path, description = "Dataset id"), ("format" = String, Path, description = "`datacite-xml`, `croissant`, `bibtex` …"),
        ("node" = Option<String>, Query, description = "The node that announced it, where several use one id")),
    responses((status = 200, description = "The record in that form"), (status = 304, description = "Not modified"), (status = 404, description = "No such dataset or form")))]
pub(crate) async fn newest(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path((id, format)): Path<(String, String)>,
    Query(whose): Query<Whose>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(&node, &actor, (&id, VersionChoice::Latest, &format), &whose, &headers).await
}

/// One version's record in another form.
#[utoipa::path(get, path = "/api/v1/datasets/{id}/versions/{version}/export/{format}", tag = "datasets",
    params(("id" = String, Path, description = "Dataset id"), ("version" = String, Path, description = "`v1`, `1` or `latest`"),
        ("format" = String, Path, description = "`datacite-xml`, `croissant`, `bibtex` …"),
        ("node" = Option<String>, Query, description = "The node that announced it, where several use one id")),
    responses((status = 200, description = "The record in that form"), (status = 304, description = "Not modified"), (status = 404, description = "No such dataset, version or form")))]
pub(crate) async fn version(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path((id, version, format)): Path<(String, String, String)>,
    Query(whose): Query<Whose>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let choice = version.parse().map_err(|error| Problem::invalid(format!("{error}")))?;
    answer(&node, &actor, (&id, choice, &format), &whose, &headers).await
}

async fn answer(
    node: &Node,
    actor: &Actor,
    (id, choice, format): (&str, VersionChoice, &str),
    whose: &Whose,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let format = ExportFormat::named(format).ok_or_else(|| unknown(format))?;
    let holder = whose.node.as_deref().map(str::parse).transpose();
    let holder = holder.map_err(|error| Problem::invalid(format!("{error}")))?;
    let exported = node.export(actor, &dataset_id(id)?, holder.as_ref(), choice, format).await?;
    let etag = format!("\"{}\"", exported.digest);
    let mut response = match conditions::weigh(headers, &etag) {
        Verdict::NotModified => StatusCode::NOT_MODIFIED.into_response(),
        Verdict::Failed => StatusCode::PRECONDITION_FAILED.into_response(),
        Verdict::Proceed => exported.bytes.into_response(),
    };
    // Every form says what it describes (FAIR Signposting).
    let link = format!("<{}>; rel=\"describes\"; type=\"text/html\"", exported.landing);
    for (name, text) in [
        (header::CONTENT_TYPE, format.content_type()),
        (header::ETAG, etag),
        (header::LINK, link),
        (header::CACHE_CONTROL, "public, no-cache".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ] {
        let value = HeaderValue::from_str(&text).map_err(|error| NodeError::Internal(error.to_string()))?;
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

fn unknown(name: &str) -> NodeError {
    let known: Vec<&str> = ExportFormat::ALL.into_iter().map(ExportFormat::name).collect();
    NodeError::NotFound(format!("there is no form '{}': ask for {}", name.escape_debug(), known.join(", ")))
}
