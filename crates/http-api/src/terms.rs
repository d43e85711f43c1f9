use std::sync::Arc;

use axum::{
    Json,
    extract::{RawQuery, State},
};
use node::Node;
use serde_json::{Value, json};

use crate::Problem;

/// Ontology terms by the beginning of a label or synonym, or by id.
#[utoipa::path(get, path = "/api/v1/terms", tag = "search", params(("q" = String, Query, description = "What was typed"), ("ontology" = Option<String>, Query, description = "fbbi or ncbitaxon")),
    responses((status = 200, description = "`{terms: [{iri, label}]}`")))]
pub(crate) async fn terms(State(node): State<Arc<Node>>, RawQuery(query): RawQuery) -> Result<Json<Value>, Problem> {
    let query = query.unwrap_or_default();
    let value = |wanted: &str| {
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    let terms = node.terms(&value("q").unwrap_or_default(), value("ontology").as_deref());
    Ok(Json(json!({"terms": terms})))
}
