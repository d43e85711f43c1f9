//! OAI-PMH 2.0, by GET and by POST.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::header,
    response::{IntoResponse, Response},
};
use dataset_model::Timestamp;
use node::{Actor, Node, oai};

use crate::{Problem, authentication::Asking, request_body};

/// The six verbs of OAI-PMH 2.0; forms `oai_dc`, `oai_datacite`, `datacite` and `jpcoar_2.0`.
#[utoipa::path(get, path = "/oai", tag = "oai", params(("verb" = String, Query, description = "Identify, ListMetadataFormats, ListSets, ListIdentifiers, ListRecords or GetRecord")),
    responses((status = 200, description = "An OAI-PMH document, errors of the protocol included", content_type = "text/xml")))]
pub(crate) async fn get(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    answer(&node, &actor, &query.unwrap_or_default()).await
}

/// The same with the arguments as a form.
#[utoipa::path(post, path = "/oai", tag = "oai", request_body(content_type = "application/x-www-form-urlencoded", content = String),
    responses((status = 200, description = "An OAI-PMH document, errors of the protocol included", content_type = "text/xml")))]
pub(crate) async fn post(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    body: Body,
) -> Result<Response, Problem> {
    let text = request_body::read_text(&node, body).await?;
    answer(&node, &actor, &text).await
}

async fn answer(node: &Arc<Node>, actor: &Actor, text: &str) -> Result<Response, Problem> {
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    let (date, base) = (Timestamp::now(), format!("{}/oai", node.config().public_url));
    let answer = match oai::OaiRequest::read(&pairs) {
        Ok(request) => node.oai(actor, &request).await?,
        Err(error) => Err(error),
    };
    let known = ["verb", "identifier", "metadataPrefix", "from", "until", "set", "resumptionToken"];
    let asked: Vec<_> = pairs.into_iter().filter(|(name, _)| known.contains(&name.as_str())).collect();
    let headers = [(header::CONTENT_TYPE, "text/xml; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, oai::write(&base, date, &asked, &answer)).into_response())
}
