use std::sync::Arc;

use axum::{
    Json,
    extract::{RawQuery, State},
};
use node::{Node, TermRequest};
use serde_json::{Value, json};

use crate::{Problem, authentication::Asking};

/// Ontology terms as one types: by label, synonym or id, with a slip or two, those in use first.
#[utoipa::path(get, path = "/api/v1/terms", tag = "search", params(("q" = String, Query, description = "What was typed"), ("ontology" = Option<String>, Query, description = "Name of an ontology, such as fbbi or ncbitaxon"),
        ("limit" = Option<usize>, Query, description = "1 to 200; 20 when not given")),
    responses((status = 200, description = "`{terms: [{iri, curie, label, ontology, definition, synonyms, matched, count, deprecated, replaced_by}]}`")))]
pub(crate) async fn terms(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let mut request = TermRequest::default();
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match &*name {
            "q" => request.typed = value.into_owned(),
            "ontology" => request.ontology = Some(value.into_owned()),
            "limit" => {
                let limit = value.parse().map_err(|_| Problem::invalid("'limit' must be a number from 1 to 200"))?;
                request.limit = Some(limit);
            }
            _ => {}
        }
    }
    Ok(Json(json!({"terms": node.terms(&actor, request).await?})))
}
